//! Programs whose arguments hold commands in a language of their own: git, stream editors, editors, debuggers, makefiles.

use globset::Glob;

use super::{
    CommandError,
    policy::{refused, text, values},
    shell::UNKNOWN,
    wrappers::{EVALUATES, GIT},
};

/// The command lines that such a program is given.
///
/// # Errors
/// What cannot be judged.
pub(super) fn inside(names: &[String], arguments: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let is = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    let mut found = Vec::new();
    if is(&["git"]) {
        found.extend(of_git(arguments)?);
    }
    if is(&["sed", "gsed"]) {
        let scripts = values(arguments, &["-e", "--expression"]);
        let first = arguments.iter().find(|word| !word.starts_with('-')).filter(|_| scripts.is_empty());
        for script in scripts.iter().chain(first) {
            found.extend(of_sed(script)?);
        }
    }
    if is(&["vim", "vi", "nvim", "view", "ex", "ed", "vimdiff", "gvim", "rvim", "emacs"]) {
        let runs = |word: &&String| {
            ["!", "system(", ":te", "+te", "shell-command", UNKNOWN_TEXT].iter().any(|of| word.contains(of))
        };
        if let Some(word) = arguments.iter().find(runs) {
            return Err(unjudged(word, "an editor would run"));
        }
    }
    if is(&["gdb", "lldb"]) {
        for value in values(arguments, &["-ex", "-iex", "-o", "--eval-command", "--init-eval-command", "--one-line"]) {
            let value = value.trim_start();
            match value.strip_prefix('!').or_else(|| value.strip_prefix("shell ")) {
                Some(command) => found.extend(text(command)?),
                None if ["python", "pipe", "|", "make", "platform", "script", "source", UNKNOWN_TEXT]
                    .iter()
                    .any(|of| value.contains(of)) =>
                {
                    return Err(unjudged(value, "a debugger would run"));
                }
                None => {}
            }
        }
    }
    if is(&["make", "gmake"]) {
        let runs = |word: &&String| {
            ["--ev", "$(", "${", "SHELL=", ".SHELLFLAGS", UNKNOWN_TEXT].iter().any(|of| word.contains(of))
        };
        if let Some(word) = arguments.iter().find(runs) {
            return Err(unjudged(word, "make would run"));
        }
    }
    if is(&["capsh"])
        && let Some(at) = arguments.iter().position(|word| word == "--" || word == "==")
    {
        let shell = values(arguments, &["--shell"]).pop().unwrap_or_else(|| "bash".to_owned());
        found.push([shell].into_iter().chain(arguments.iter().skip(at + 1).cloned()).collect());
    }
    if is(&["tar", "bsdtar"])
        && let Some(letters) = arguments.first().filter(|word| !word.starts_with('-') && word.contains(['I', 'F']))
    {
        return Err(unjudged(letters, "an archiver would run by options without a dash, such as"));
    }
    if is(&["hash"]) && arguments.iter().any(|word| word.starts_with('-') && word.contains('p'))
        || is(&["enable"]) && arguments.iter().any(|word| word.starts_with('-'))
        || is(&["alias"]) && arguments.iter().any(|word| word.contains(['=', UNKNOWN]))
    {
        return Err(refused("it would make names mean other programs", "name the program itself"));
    }
    if is(&[".", "source"])
        && arguments.first().is_some_and(|file| ["/dev/", "/proc/", UNKNOWN_TEXT].iter().any(|of| file.contains(of)))
    {
        return Err(refused("a shell would run whatever it reads, which cannot be judged", "give it a file"));
    }
    let evaluates = is(&EVALUATES) || is(&["printf"]) && arguments.first().is_some_and(|word| word.starts_with("-v"));
    if evaluates && let Some(word) = arguments.iter().find(|word| may_be_evaluated(word)) {
        return Err(unjudged(word, "a shell may run"));
    }
    Ok(found)
}

const UNKNOWN_TEXT: &str = "\0";

/// A substitution that stands in a word as text: a shell that reads the word as a name or a number runs it.
pub(super) fn may_be_evaluated(word: &str) -> bool {
    word.contains("$(") || word.contains('`') || word.contains("${ ") || word.contains("${|")
}

fn unjudged(word: &str, what: &str) -> CommandError {
    let word = word.replace(UNKNOWN, "…");
    refused(&format!("what {what} by `{word}` cannot be judged"), "write it as a command with its arguments")
}

/// What git runs because of its own arguments.
fn of_git(arguments: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let mut found = Vec::new();
    let is_command = |key: &str| {
        let key = key.to_lowercase();
        GIT.iter().any(|pattern| Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(&key)))
    };
    for value in values(arguments, &["-c", "--config-env", "--config"]) {
        let (key, command) = value.split_once('=').unwrap_or((&value, ""));
        if is_command(key) {
            found.extend(text(command.trim_start_matches('!'))?);
        }
    }
    // Settings that are written now run later.
    if arguments.iter().any(|word| word == "config") {
        for pair in arguments.windows(2) {
            if let [key, command] = pair
                && is_command(key)
            {
                found.extend(text(command.trim_start_matches('!'))?);
            }
        }
    }
    // An address that is a command.
    for word in arguments {
        if let Some(command) = word.strip_prefix("ext::") {
            found.extend(text(command)?);
        }
    }
    if let Some(at) = arguments.iter().position(|word| word == "run")
        && arguments.iter().any(|word| word == "bisect")
    {
        found.push(arguments.get(at + 1..).unwrap_or_default().to_vec());
    }
    Ok(found)
}

/// What a script of `sed` runs: `e command`, and `s…e`, which runs what it has made.
fn of_sed(script: &str) -> Result<Vec<Vec<String>>, CommandError> {
    if script.contains(UNKNOWN) {
        // What is not known is mostly a text to be put in; a command in it runs as confined as everything.
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let letters: Vec<char> = script.chars().collect();
    let mut at = 0;
    let mut begins = true;
    while let Some(letter) = letters.get(at).copied() {
        at += 1;
        match letter {
            ';' | '{' | '}' | '\n' => begins = true,
            // A place in the text: between slashes, by numbers.
            '/' | '\\' if begins => {
                let ends = if letter == '/' { '/' } else { letters.get(at).copied().unwrap_or('/') };
                at = section(&letters, if letter == '/' { at } else { at + 1 }, ends);
            }
            _ if begins && (letter.is_whitespace() || letter.is_ascii_digit() || "$,!~+IM".contains(letter)) => {}
            'e' if begins => {
                let rest: String = letters.iter().skip(at).take_while(|letter| **letter != '\n').collect();
                if rest.trim().is_empty() {
                    return Err(unjudged(script, "`sed` would run"));
                }
                found.extend(text(&rest)?);
                at += rest.chars().count();
            }
            's' if begins => {
                let Some(ends) = letters.get(at).copied() else { break };
                at = section(&letters, section(&letters, at + 1, ends), ends);
                while let Some(flag) = letters.get(at).copied().filter(char::is_ascii_alphanumeric) {
                    if flag == 'e' {
                        return Err(unjudged(script, "`sed` would run"));
                    }
                    at += 1;
                }
                begins = false;
            }
            // Text up to the end of a line.
            'a' | 'i' | 'c' | '#' | 'r' | 'w' | 'R' | 'W' | ':' | 'b' | 't' | 'T' if begins => {
                at += letters.iter().skip(at).take_while(|letter| !matches!(letter, '\n' | ';')).count();
                begins = false;
            }
            _ => begins = false,
        }
    }
    Ok(found)
}

/// Where what ends a section has been passed.
fn section(letters: &[char], from: usize, ends: char) -> usize {
    let mut at = from;
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            '\\' => at += 1,
            letter if *letter == ends => break,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_sed_is_read_as_far_as_it_runs_commands() {
        let words = |script: &str| match of_sed(script) {
            Ok(found) => found.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(" / "),
            Err(_) => "refused".to_owned(),
        };
        for (script, found) in [
            ("1e rm victim", "rm victim"),
            ("e rm victim", "rm victim"),
            ("/x/e rm victim", "rm victim"),
            ("p;$!e rm victim", "rm victim"),
            ("s/x/rm victim/e", "refused"),
            ("s|x|rm victim|ge", "refused"),
            ("e", "refused"),
            ("s/e x/e y/g", ""),
            ("/e x/d", ""),
            ("a e rm", ""),
            ("s/a/b/;s/e/ e /2p", ""),
            (r"\,e x,d", ""),
        ] {
            assert_eq!(words(script), found, "{script}");
        }
    }
}
