//! Shells as programs: which of their options are understood, what they are given to run, and what they are told of how to read it.

use super::{
    CommandError,
    policy::{refused, text},
    shell::{UNKNOWN, shown},
};

/// Long options that change nothing of what is run, which some shells take with one dash as well.
const LONG: [&str; 10] =
    ["login", "noprofile", "norc", "noediting", "posix", "restricted", "verbose", "version", "help", "no-config"];

/// Long options that look like a row of letters where they have one dash.
const IN_FULL: [&str; 9] = [
    "rcfile",
    "init-file",
    "init-command",
    "debug",
    "debugger",
    "dump-strings",
    "dump-po-strings",
    "protected",
    "wordexp",
];

/// Most of an option that is told, in characters.
const SHOWN: usize = 100;

/// Letters of options that a shell may be given.
const LETTERS: &str = "abcefhilmnoprstuvxBCDEOPT";

/// Settings of a shell that change nothing of how a text is read.
const SETTINGS: [&str; 30] = [
    "allexport",
    "autocd",
    "braceexpand",
    "checkhash",
    "checkwinsize",
    "cmdhist",
    "direxpand",
    "dirspell",
    "dotglob",
    "emacs",
    "errexit",
    "errtrace",
    "failglob",
    "functrace",
    "globstar",
    "hashall",
    "inherit_errexit",
    "lastpipe",
    "monitor",
    "noclobber",
    "noexec",
    "noglob",
    "notify",
    "nounset",
    "nullglob",
    "nocaseglob",
    "nocasematch",
    "pipefail",
    "verbose",
    "xtrace",
];

fn unknown(word: &str) -> CommandError {
    let word: String = word.chars().take(SHOWN).collect();
    refused(&format!("what `{word}` makes of a text for a shell cannot be judged"), "leave it out")
}

/// A setting of a shell by its name.
fn judge_option(name: Option<&String>) -> Result<(), CommandError> {
    match name {
        Some(name) if !SETTINGS.contains(&name.as_str()) => Err(unknown(&shown(name))),
        _ => Ok(()),
    }
}

fn judge_letters(options: &str) -> Result<(), CommandError> {
    let letters = options.get(1..).unwrap_or_default();
    let of_its_own =
        |(at, c): (usize, char)| LETTERS.contains(c) && letters.get(..at).is_some_and(|before| !before.contains(c));
    match letters.len() <= LETTERS.len() && letters.char_indices().all(of_its_own) {
        true => Ok(()),
        false => Err(unknown(options)),
    }
}

/// Whether a file is what a program is given to read, by one of its many names.
pub(super) fn is_stream(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let of_system = |part: &&str| ["dev", "proc"].contains(part);
    let leads_there = match file.starts_with('/') {
        true if !parts.contains(&"..") => parts.first().is_some_and(of_system),
        _ => parts.contains(&"..") && parts.iter().any(of_system),
    };
    file == "-" || leads_there || matches!(parts.as_slice(), ["stdin"] | ["fd", _])
}

/// What a shell is told of how it reads the rest, and what it read before, which none of its texts tells.
pub(super) fn judge_settings(names: &[String], arguments: &[String]) -> Result<(), CommandError> {
    let is = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    if is(&["shopt"]) {
        return arguments.iter().filter(|word| !word.starts_with('-')).try_for_each(|word| judge_option(Some(word)));
    }
    if is(&["set"]) {
        let mut rest = arguments.iter();
        while let Some(word) = rest.next().filter(|word| *word != "--" && word.starts_with(['-', '+'])) {
            judge_letters(word)?;
            if word.contains('o') {
                judge_option(rest.next())?;
            }
        }
    }
    if is(&["fc"]) || is(&["history"]) && !arguments.is_empty() {
        return Err(refused("lines that a shell keeps and runs again cannot be judged", "write them plainly"));
    }
    // A row of values in one word is read once more.
    let declares = is(&["declare", "typeset", "local", "readonly", "export"]);
    if declares && let Some(word) = arguments.iter().find(|word| word.contains("=(")) {
        return Err(refused(&format!("what a shell reads in `{}` cannot be judged", shown(word)), "write it plainly"));
    }
    // Another name of what is given to be read, or the folder in which it has a short one.
    let is_short = |word: &String| is_stream(word) && (word.ends_with("dev") || word.ends_with("fd"));
    let leads = |word: &&String| match is(&["cd", "pushd"]) {
        true => is_short(&word.trim_end_matches('/').to_owned()),
        false => is(&["ln", "link"]) && is_stream(word) && *word != "-",
    };
    if let Some(word) = arguments.iter().find(leads) {
        return Err(refused(
            &format!("what would be read by way of `{}` cannot be judged", shown(word)),
            "name files by their own names",
        ));
    }
    Ok(())
}

/// What a shell is given: a text behind `-c`, or a file. One that reads what comes could do anything.
pub(super) fn of_shell(names: &[String], arguments: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let mut rest = arguments.iter();
    // How many words the letters of options take from behind them.
    let takes = |word: &str| if word.starts_with("--") { 0 } else { word.matches(['o', 'O']).count() };
    while let Some(word) = rest.next() {
        if word.contains(UNKNOWN) {
            return Err(refused("what a shell would run is known only when it runs", "write it plainly"));
        }
        match word.as_str() {
            "--command" => return text(rest.next().map_or("", String::as_str)),
            "-O" | "+O" | "-o" | "+o" => judge_option(rest.next())?,
            "-" | "--" | "-s" => break,
            file if is_stream(file) => break,
            long if long.starts_with("--command=") => return text(long.trim_start_matches("--command=")),
            long if long.strip_prefix("--").is_some_and(|name| LONG.contains(&name)) => {}
            // One dash is enough for some shells, and for others it is before letters.
            long if long.strip_prefix('-').is_some_and(|name| LONG.contains(&name)) => {
                if !names.iter().any(|name| ["bash", "rbash"].contains(&name.as_str())) {
                    return Err(unknown(long));
                }
            }
            // Some take a word, or a text; which of them, only the shell knows.
            long if long.starts_with("--") || IN_FULL.iter().any(|name| long == format!("-{name}")) => {
                return Err(unknown(long));
            }
            options if options.starts_with('-') || options.starts_with('+') => {
                judge_letters(options)?;
                // Some shells take `+c` for `-c`.
                if options.contains('c') {
                    // Options may stand between `-c` and its text, and take words.
                    let mut skipped = takes(options);
                    let given = loop {
                        match rest.next().map_or("", String::as_str) {
                            "--" if skipped == 0 => break rest.next().map_or("", String::as_str),
                            option if skipped > 0 => {
                                judge_option(Some(&option.to_owned()))?;
                                skipped -= 1;
                            }
                            word if word.starts_with(['-', '+']) => {
                                judge_letters(word)?;
                                skipped += takes(word);
                            }
                            word => break word,
                        }
                    };
                    let counts = ["((", "[", "let ", "@", "declare", "typeset"].iter().any(|of| given.contains(of));
                    if counts && rest.any(|word| word.contains(['$', '`'])) {
                        return Err(refused(
                            "what a shell is given may be run by its text, which cannot be judged",
                            "write it plainly",
                        ));
                    }
                    return text(given);
                }
                if options.contains('s') {
                    break;
                }
                for _ in 0..takes(options) {
                    judge_option(rest.next())?;
                }
            }
            // A file: what is in it runs as confined as everything.
            _ => return Ok(Vec::new()),
        }
    }
    let name = names.first().map_or("a shell", String::as_str);
    let message = format!("`{name}` would run whatever it reads, which cannot be judged");
    Err(refused(&message, "give it a file, or a text behind `-c`"))
}
