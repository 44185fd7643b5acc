//! Options of programs: the values of some, and where the words behind them begin.

use super::wrappers::CLUSTERED;

/// Longest beginning of a long option that stands for none: `--`, and two letters, which are options themselves (`--to`, `--cc`).
const SHORTEST: usize = 4;

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
            } else if option.starts_with("--") && word.len() > SHORTEST {
                // Long options may be shortened, and have their value in the same word or the next one.
                match word.split_once('=') {
                    Some((name, value)) if name.len() > SHORTEST && option.starts_with(name) => {
                        found.push(value.to_owned());
                    }
                    None if option.starts_with(word.as_str()) => found.extend(arguments.get(at + 1).cloned()),
                    _ => {}
                }
            }
        }
    }
    found
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
    let assigned =
        rest.iter().take_while(|word| word.split_once('=').is_some_and(|(name, _)| !name.contains('/'))).count();
    rest.get(assigned..).unwrap_or_default()
}
