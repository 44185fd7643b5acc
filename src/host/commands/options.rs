//! Options of programs: the values of some, and where the words behind them begin.

use std::collections::BTreeSet;

use super::{
    shell::UNKNOWN,
    wrappers::{CLUSTERED, FLAGS, OTHERS},
};

/// Options themselves that others begin with.
const WHOLE: [&str; 2] = ["--to", "--cc"];

/// Whether a word is the beginning of a long option, which may be as short as one letter.
fn is_shortened(word: &str, option: &str) -> bool {
    word.len() > 2 && option.starts_with(word) && !WHOLE.contains(&word)
}

/// The values of options: `-o value`, `-ovalue`, `--option value`, `--option=value`, and of words that are none.
pub(super) fn values(arguments: &[String], options: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in arguments.iter().enumerate() {
        for option in options {
            if word == option {
                found.extend(arguments.get(at + 1).cloned());
            } else if let Some(value) = word.strip_prefix(option) {
                if option.starts_with("--") {
                    found.extend(value.strip_prefix('=').map(str::to_owned));
                } else if option.len() > 2 && value.starts_with('=') {
                    found.push(value.trim_start_matches('=').to_owned());
                } else if option.starts_with('-') && !word.starts_with("--") {
                    found.push(value.to_owned());
                }
            } else if CLUSTERED.contains(option)
                && let Some(letters) = word.strip_prefix('-').filter(|word| !word.starts_with('-'))
                && let Some((_, value)) = letters.split_once(option.trim_start_matches('-'))
            {
                // Behind other letters.
                found.extend(if value.is_empty() { arguments.get(at + 1).cloned() } else { Some(value.to_owned()) });
            } else if option.starts_with("--") {
                // Long options may be shortened, and have their value in the same word or the next one.
                match word.split_once('=') {
                    Some((name, value)) if is_shortened(name, option) => found.push(value.to_owned()),
                    None if is_shortened(word, option) => found.extend(arguments.get(at + 1).cloned()),
                    _ => {}
                }
            }
        }
    }
    found
}

/// Where the program of a wrapper may stand, as far as its options can be read in several ways: one that is not known takes the next
/// word or does not, and a single dash is an option or a word.
pub(super) fn readings(arguments: &[String], values: &str, long: &[&str], skip: usize) -> BTreeSet<usize> {
    let (mut places, mut seen, mut ahead) = (BTreeSet::new(), BTreeSet::new(), vec![(0, skip)]);
    while let Some((at, left)) = ahead.pop() {
        let Some(word) = arguments.get(at).filter(|_| seen.insert((at, left))) else { continue };
        let options = word.strip_prefix('-').filter(|options| !options.is_empty());
        match options {
            Some("-") => drop(places.insert(at + 1 + left)),
            Some(options) => {
                let (takes, may_take) =
                    match options.find(|c| values.contains(c)).map(|found| found + 1 == options.len()) {
                        _ if options.starts_with('-') => {
                            let takes = long.contains(&word.as_str());
                            (takes, !word.contains('=') && !FLAGS.contains(&word.as_str()))
                        }
                        Some(takes) => (takes, false),
                        None => (false, values.contains(OTHERS)),
                    };
                ahead.extend((!takes).then_some((at + 1, left)));
                ahead.extend((takes || may_take).then_some((at + 2, left)));
            }
            None => {
                let is_assigned = is_assignment(word);
                ahead.extend((is_assigned || word == "-").then_some((at + 1, left)));
                match left.checked_sub(1) {
                    Some(left) => ahead.push((at + 1, left)),
                    None if !is_assigned => drop(places.insert(at)),
                    None => {}
                }
            }
        }
    }
    places
}

/// `NAME=value` before a program. What is known only when it runs may be several words, the last of them a program.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.contains(['/', UNKNOWN]))
}

/// The words behind the options of a wrapper, behind so many others, and behind assignments.
pub(super) fn behind_options<'a>(arguments: &'a [String], values: &str, long: &[&str], skip: usize) -> &'a [String] {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        let Some(options) = word.strip_prefix('-').filter(|options| !options.is_empty()) else { break };
        let takes_next = match options.strip_prefix('-') {
            Some(_) => long.contains(&word.as_str()),
            None => options.find(|c| values.contains(c)).is_some_and(|found| found + 1 == options.len()),
        };
        at += if takes_next { 2 } else { 1 };
    }
    let rest = arguments.get((at + skip).min(arguments.len())..).unwrap_or_default();
    let assigned = rest.iter().take_while(|word| is_assignment(word)).count();
    rest.get(assigned..).unwrap_or_default()
}
