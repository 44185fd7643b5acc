//! Programs whose arguments hold commands in a language of their own: git, stream editors, editors, debuggers, makefiles.

use std::sync::LazyLock;

use globset::{Glob, GlobSet};

use super::{
    CommandError,
    options::values,
    policy::{refused, text},
    shell::{UNKNOWN, shown},
    shells::is_stream,
    wrappers::{EVALUATES, GIT},
};

/// Settings of git that are commands, compiled when the first is looked for.
static OF_GIT: LazyLock<GlobSet> = LazyLock::new(|| {
    let globs = GIT.iter().filter_map(|pattern| Glob::new(pattern).ok());
    globs
        .fold(GlobSet::builder(), |mut set, glob| {
            set.add(glob);
            set
        })
        .build()
        .unwrap_or_default()
});

/// What a debugger may be told that starts nothing.
const SHOWS: [&str; 43] = [
    "bt",
    "backtrace",
    "where",
    "run",
    "r",
    "start",
    "continue",
    "c",
    "cont",
    "quit",
    "q",
    "info",
    "i",
    "thread",
    "frame",
    "f",
    "up",
    "down",
    "list",
    "l",
    "print",
    "p",
    "x",
    "step",
    "s",
    "next",
    "n",
    "finish",
    "break",
    "b",
    "tbreak",
    "watch",
    "delete",
    "disassemble",
    "process",
    "register",
    "kill",
    "k",
    "help",
    "set pagination",
    "set confirm",
    "set print",
    "set width",
];

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
    // Its parts are programs of their own as well.
    if let Some(part) = names.iter().find_map(|name| name.strip_prefix("git-")) {
        found.push(["git", part].into_iter().map(str::to_owned).chain(arguments.iter().cloned()).collect());
    }
    if names.iter().any(|name| name.starts_with("apt"))
        && let Some(word) =
            values(arguments, &["-o", "--option"]).iter().find(|word| word.to_lowercase().contains("invoke"))
    {
        return Err(unjudged(word, "a package manager would run"));
    }
    let is_vim = |name: &String| {
        ["vim", "vi", "nvim", "ex", "view", "gvim", "editor"].contains(&name.as_str()) || name.starts_with("vim.")
    };
    if names.iter().any(is_vim)
        && let Some(word) = told_to_vim(arguments).iter().find(|told| !is_plain_to_vim(told))
    {
        return Err(unjudged(word, "an editor would run"));
    }
    if is(&["sqlite3", "sqlite"]) {
        for line in arguments.iter().flat_map(|word| word.lines()) {
            found.extend(of_sqlite(line.trim())?);
        }
    }
    if is(&["psql", "mysql", "mariadb"])
        && let Some(word) = arguments.iter().find(|word| asks_for_a_program(word))
    {
        return Err(unjudged(word, "a client of databases would run"));
    }
    if is(&["strace"]) {
        for command in values(arguments, &["-o", "--output"]).iter().filter_map(|value| value.strip_prefix(['|', '!']))
        {
            found.extend(text(command)?);
        }
    }
    if is(&["sed", "gsed"]) {
        let scripts = values(arguments, &["-e", "--expression"]);
        let files = values(arguments, &["-f", "--file"]);
        if let Some(file) = files.iter().find(|file| is_stream(file)) {
            return Err(unjudged(file, "`sed` would read and run"));
        }
        // A word behind an option may be its value, and then the script is the next one.
        let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
        let values =
            arguments.windows(2).filter(|pair| pair.iter().map(|word| word.starts_with('-')).eq([true, false]));
        let first = words.into_iter().take(if scripts.is_empty() && files.is_empty() { 1 + values.count() } else { 0 });
        for script in scripts.iter().chain(first) {
            found.extend(of_sed(script)?);
        }
    }
    if is(&["vim", "vi", "nvim", "view", "ex", "ed", "vimdiff", "gvim", "rvim", "emacs", "less", "more"]) {
        let runs = |word: &&String| {
            ["!", "system(", ":te", "+te", "shell-command", UNKNOWN_TEXT].iter().any(|of| word.contains(of))
        };
        if let Some(word) = arguments.iter().find(runs) {
            return Err(unjudged(word, "an editor would run"));
        }
    }
    if is(&["gdb", "lldb"]) {
        let told = arguments.iter().take_while(|word| *word != "--args" && *word != "--");
        for (at, word) in told.enumerate() {
            let Some(option) = word.strip_prefix('-').map(|option| option.trim_start_matches('-')) else { continue };
            let (option, value) =
                option.split_once('=').map_or((option, None), |(option, value)| (option, Some(value)));
            // Options may be shortened, and have one dash or two.
            let is_told = ["ex", "iex"].contains(&option)
                || is(&["lldb"]) && ["o", "O", "k", "K"].contains(&option)
                || (option.len() > 1 && "eval-command".starts_with(option))
                || ["init-e", "one-l"].iter().any(|begins| option.starts_with(begins));
            if is_told {
                let value = value.or_else(|| arguments.get(at + 1).map(String::as_str));
                found.extend(of_debugger(value.unwrap_or_default().trim())?);
            }
        }
    }
    if is(&["make", "gmake"]) {
        let runs = |word: &&String| {
            ["--ev", "$(", "${", "SHELL=", ".SHELLFLAGS", UNKNOWN_TEXT].iter().any(|of| word.contains(of))
        };
        // Options stand together in one word, up to one that takes the rest of it.
        let is_text = |word: &&String| {
            let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-')).unwrap_or_default();
            letters.chars().take_while(|letter| !"CfIjloOW".contains(*letter)).any(|letter| letter == 'E')
        };
        if let Some(word) = arguments.iter().find(runs).or_else(|| arguments.iter().find(is_text)) {
            return Err(unjudged(word, "make would run"));
        }
        let read = values(arguments, &["-f", "--file", "--makefile"]);
        if let Some(word) = read.iter().find(|file| is_stream(file)) {
            return Err(unjudged(word, "make would read and run"));
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
    if is(&["jobs"])
        && let Some(at) = arguments.iter().position(|word| word.starts_with('-') && word.contains('x'))
    {
        let behind = arguments.iter().skip(at + 1).skip_while(|word| *word == "--");
        found.push(behind.cloned().collect());
    }
    if is(&["compgen", "complete"])
        && let Some(word) = arguments.iter().find(|word| word.contains(UNKNOWN))
    {
        return Err(unjudged(word, "a shell may run"));
    }
    if is(&[".", "source"])
        && arguments.iter().find(|word| *word != "--").is_some_and(|file| is_stream(file) || file.contains(UNKNOWN))
    {
        return Err(refused("a shell would run whatever it reads, which cannot be judged", "give it a file"));
    }
    let evaluates = is(&EVALUATES) || is(&["printf"]) && arguments.first().is_some_and(|word| word.starts_with("-v"));
    if evaluates && let Some(word) = arguments.iter().find(|word| may_be_evaluated(word)) {
        return Err(unjudged(word, "a shell may run"));
    }
    Ok(found)
}

/// What a debugger runs by one of its commands, which may be shortened.
fn of_debugger(told: &str) -> Result<Vec<Vec<String>>, CommandError> {
    if let Some(command) = told.strip_prefix('!') {
        return text(command);
    }
    let (word, rest) = told.split_once([' ', '\t']).unwrap_or((told, ""));
    if word.len() > 2 && "shell".starts_with(word) {
        return text(rest);
    }
    let shows = SHOWS.iter().any(|known| match known.split_once(' ') {
        Some((first, second)) => word == first && rest.trim_start().starts_with(second),
        None => word.split('/').next() == Some(known),
    });
    let applies = word == "thread"
        && rest.contains("apply")
        && !rest.trim_end().ends_with("bt full")
        && !rest.trim_end().ends_with("bt");
    let starts =
        ["run", "r", "start", "process"].contains(&word) && !rest.trim().is_empty() && !rest.starts_with("handle");
    if !shows || applies || starts || rest.contains(['(', '|', '!', '`', UNKNOWN, '\n']) {
        return Err(unjudged(told, "a debugger would run"));
    }
    Ok(Vec::new())
}

/// What an editor is told by its arguments.
fn told_to_vim(arguments: &[String]) -> Vec<String> {
    let mut told = values(arguments, &["-c", "--cmd"]);
    told.extend(arguments.iter().filter_map(|word| word.strip_prefix('+')).map(str::to_owned));
    told
}

/// Whether it is known to run nothing: going somewhere, writing, ending, and settings that are no programs.
fn is_plain_to_vim(told: &str) -> bool {
    const PLAIN: [&str; 14] = ["", "q", "qa", "qall", "quit", "w", "wa", "wall", "write", "wq", "wqa", "x", "xa", "$"];
    let told = told.trim().trim_end_matches('!');
    let sets = told.strip_prefix("set ").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphabetic() || c == ' '));
    PLAIN.contains(&told) || told.starts_with('/') || sets || told.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a client of PostgreSQL or MySQL would start a program by what it is told.
fn asks_for_a_program(told: &str) -> bool {
    let told = told.to_lowercase();
    let copies = told.contains("copy") && told.contains("program");
    let writes = told.contains('|') && ["\\o", "\\g", "\\w"].iter().any(|of| told.contains(of));
    let systems = told.split([';', '\n']).any(|part| part.trim_start().starts_with("system"));
    copies || writes || systems || ["\\!", "\\e"].iter().any(|of| told.contains(of))
}

/// What the client of SQLite runs by one line that it is given.
fn of_sqlite(line: &str) -> Result<Vec<Vec<String>>, CommandError> {
    let Some(told) = line.strip_prefix('.').map(str::trim_start) else {
        let calls = line.to_lowercase().split_whitespace().collect::<String>();
        return if calls.contains("edit(") { Err(unjudged(line, "an editor would run")) } else { Ok(Vec::new()) };
    };
    let (word, rest) = told.split_once([' ', '\t']).unwrap_or((told, ""));
    // It may be shortened; a path begins so as well.
    if word.len() > 1 && ["shell", "system"].iter().any(|name| name.starts_with(word)) {
        return text(rest);
    }
    let runs = ["load", "excel", "edit", "www"].iter().any(|name| !word.is_empty() && name.starts_with(word));
    if (runs && !rest.is_empty()) || rest.contains('|') || told.contains(UNKNOWN) && !told.contains('/') {
        return Err(unjudged(line, "the client of SQLite would run"));
    }
    Ok(Vec::new())
}

const UNKNOWN_TEXT: &str = "\0";

/// A substitution that stands in a word as text: a shell that reads the word as a name or a number runs it.
pub(super) fn may_be_evaluated(word: &str) -> bool {
    word.contains("$(") || word.contains('`') || word.contains("${ ") || word.contains("${|")
}

fn unjudged(word: &str, what: &str) -> CommandError {
    let word = shown(word);
    refused(&format!("what {what} by `{word}` cannot be judged"), "write it as a command with its arguments")
}

/// What git runs because of its own arguments.
fn of_git(arguments: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let mut found = Vec::new();
    let is_command = |key: &str| OF_GIT.is_match(key.to_lowercase());
    // An alias without `!` is a command of git.
    let run = |key: &str, command: &str| match command.strip_prefix('!') {
        Some(command) => text(command),
        None if key.to_lowercase().starts_with("alias.") => text(&format!("git {command}")),
        None => text(command),
    };
    for value in values(arguments, &["-c", "--config"]) {
        let (key, command) = value.split_once('=').unwrap_or((&value, ""));
        if is_command(key) {
            found.extend(run(key, command)?);
        }
    }
    // The value is that of a variable.
    if let Some(value) = values(arguments, &["--config-env"])
        .iter()
        .find(|value| is_command(value.split('=').next().unwrap_or_default()))
    {
        return Err(unjudged(value, "`git` would run"));
    }
    if arguments.iter().any(|word| word == "clone") {
        for (at, word) in arguments.iter().enumerate() {
            let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
            if let Some((_, command)) = letters.and_then(|letters| letters.split_once('u')) {
                let next = || arguments.get(at + 1).map(String::as_str).unwrap_or_default();
                found.extend(text(if command.is_empty() { next() } else { command })?);
            }
        }
    }
    // Settings that are written now run later.
    if arguments.iter().any(|word| word == "config") {
        for pair in arguments.windows(2) {
            if let [key, command] = pair
                && is_command(key)
            {
                found.extend(run(key, command)?);
            }
        }
    }
    // An address that is a command.
    for word in arguments {
        if let Some((_, command)) = word.split_once("ext::") {
            found.extend(text(command.split(".insteadOf").next().unwrap_or_default())?);
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
                at = section(&letters, if letter == '/' { at } else { at + 1 }, ends, true);
            }
            _ if begins && (letter.is_whitespace() || letter.is_ascii_digit() || "$,!~+IM".contains(letter)) => {}
            'e' if begins => {
                let rest: String = letters.iter().skip(at).take_while(|letter| **letter != '\n').collect();
                // What goes on behind a backslash stands in the next line.
                if rest.trim().is_empty() || rest.trim_end().ends_with('\\') {
                    return Err(unjudged(script, "`sed` would run"));
                }
                found.extend(text(&rest)?);
                at += rest.chars().count();
            }
            's' if begins => {
                let Some(ends) = letters.get(at).copied() else { break };
                at = section(&letters, section(&letters, at + 1, ends, true), ends, false);
                let is_flag = |c: &char| c.is_ascii_alphanumeric() || *c == ' ' || *c == '\t';
                while let Some(flag) = letters.get(at).copied().filter(is_flag) {
                    if flag == 'e' {
                        return Err(unjudged(script, "`sed` would run"));
                    }
                    at += 1;
                }
                begins = false;
            }
            'y' if begins => {
                let Some(ends) = letters.get(at).copied() else { break };
                at = section(&letters, section(&letters, at + 1, ends, false), ends, false);
                begins = false;
            }
            // A name, behind which another command may stand.
            ':' | 'b' | 't' | 'T' if begins => {
                at += letters.iter().skip(at).take_while(|letter| matches!(letter, ' ' | '\t')).count();
                let is_of_name = |letter: &&char| !letter.is_whitespace() && !matches!(letter, ';' | '}');
                at += letters.iter().skip(at).take_while(is_of_name).count();
            }
            // Text up to the end of a line.
            'a' | 'i' | 'c' | '#' | 'r' | 'w' | 'R' | 'W' if begins => {
                at += letters.iter().skip(at).take_while(|letter| !matches!(letter, '\n' | ';')).count();
                begins = false;
            }
            _ => begins = false,
        }
    }
    Ok(found)
}

/// Where what ends a section has been passed. In brackets of a pattern it does not end it.
fn section(letters: &[char], from: usize, ends: char, is_pattern: bool) -> usize {
    let mut at = from;
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            '\\' => at += 1,
            letter if *letter == ends => break,
            '[' if is_pattern => at = bracket(letters, at),
            _ => {}
        }
    }
    at
}

/// Where a bracket expression has been passed that has begun: `]abc]`, `^]]`, `[:alpha:]/]`.
fn bracket(letters: &[char], from: usize) -> usize {
    let is = |at: usize, sign: char| letters.get(at) == Some(&sign);
    let mut at = from + usize::from(is(from, '^'));
    at += usize::from(is(at, ']'));
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            ']' => break,
            '[' => {
                let class = letters.get(at).filter(|sign| matches!(sign, ':' | '.' | '='));
                let Some(class) = class else { continue };
                let rest = letters.get(at + 1..).unwrap_or_default();
                let end = rest.windows(2).position(|pair| matches!(pair, [sign, ']'] if sign == class));
                at += end.map_or(0, |end| end + 3);
            }
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
            ("/[/]*/e rm victim", "rm victim"),
            ("s/[^/]*/rm victim/e", "refused"),
            ("/[[:alpha:]/]/e rm victim", "rm victim"),
            ("bx;:x e rm victim", "rm victim"),
            (":a;N;$!ba;s/\n/ e /g", ""),
            ("s/[^/]*$/e x/;s/[]/]/e/", ""),
        ] {
            assert_eq!(words(script), found, "{script}");
        }
    }
}
