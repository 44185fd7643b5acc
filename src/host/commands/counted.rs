//! What a shell reads as a number, or as the name of a variable, and runs for that: its value may hold a substitution, put together of
//! pieces that are none. And variables by whose names other programs are run.

use super::{
    CommandError,
    policy::{is_turning, refused},
    shell::{NAMES, Numbers, UNKNOWN, in_text},
};

/// How programs write `$`, a back-quote and `[` by their numbers.
const CODED: [&str; 8] = ["\\x24", "\\044", "\\44", "\\u0024", "\\u24", "\\x60", "\\140", "\\u0060"];
const CODED_INDEX: [&str; 4] = ["\\x5b", "\\x5B", "\\133", "\\u005"];

/// Whether a text holds what may become a substitution when it is put together with others: a shell that reads it as a number runs it.
pub(super) fn may_become_one(text: &str) -> bool {
    text.contains(['$', '`']) || CODED.iter().any(|code| text.contains(code))
}

/// Whether a text names a place in an array, by which alone a number is more than one.
pub(super) fn has_index(text: &str) -> bool {
    text.contains('[') || CODED_INDEX.iter().any(|code| text.contains(code))
}

/// Looks at what stands in `${…}`: whether it holds what may become a substitution, and whether it counts.
///
/// # Errors
/// It runs something, or sets what names mean, as the end of a sentence that begins with "it".
pub(super) fn variable(inner: &str) -> Result<(bool, bool), String> {
    if inner.ends_with("@P") || inner.starts_with([' ', '\t', '\n', '|']) {
        return Err("runs the value of a variable".to_owned());
    }
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = inner.trim_start_matches(['!', '#']);
    // What the shell was given, or keeps for itself.
    let is_sign = name.starts_with(['*', '@', '?', '-', '$']);
    let end = if is_sign { 1 } else { name.find(|c| !is_of_name(c)).unwrap_or(name.len()) };
    let (name, rest) = name.split_at_checked(end).unwrap_or_default();
    let sets = rest.starts_with('=') || rest.starts_with(":=");
    if sets && (is_turning(name) || inner.starts_with('!')) {
        return Err("sets what names of programs mean".to_owned());
    }
    // A place in an array, or in the text, is counted.
    let counts = (in_text(rest) || rest.starts_with('['))
        && rest.contains(|c: char| c.is_alphabetic() || c == '_' || c == UNKNOWN);
    Ok((may_become_one(rest), counts))
}

/// The words of what a shell does itself, by whichever of its names.
fn built_in(words: &[String]) -> Option<(&str, &[String])> {
    let is_before = |word: &&String| ["command", "builtin", "--"].contains(&word.as_str());
    let before = words.iter().take_while(is_before).count();
    words.get(before..)?.split_first().map(|(program, arguments)| (program.as_str(), arguments))
}

pub(super) fn is_let(words: &[String]) -> bool {
    built_in(words).is_some_and(|(program, _)| program == "let")
}

/// Whether a word is the name of a variable, or of a place in an array by its number.
fn is_plain(word: &str) -> bool {
    // A bracket that is not in quotes is a pattern as well.
    let word = word.replace([UNKNOWN, NAMES], "[");
    let (name, place) = match word.split_once('[') {
        Some((name, place)) => (name, place.trim_start_matches('[').strip_suffix(']')),
        None => (word.as_str(), Some("")),
    };
    let is_number = |place: &str| place.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') && place.is_some_and(is_number)
}

/// The names of variables among the words of `read`.
fn read_names(arguments: &[String]) -> Vec<&str> {
    let (mut names, mut rest) = (Vec::new(), arguments.iter().map(String::as_str));
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            names.extend([word].into_iter().chain(rest.by_ref()));
            break;
        };
        if letters == "-" {
            names.extend(rest.by_ref());
        } else if let Some(at) = letters.find(['a', 'd', 'i', 'n', 'N', 'p', 't', 'u']) {
            let value = letters.get(at + 1..).filter(|value| !value.is_empty()).or_else(|| rest.next());
            names.extend(value.filter(|_| letters.get(at..).is_some_and(|of| of.starts_with('a'))));
        }
    }
    names
}

/// Refuses what a shell does itself by names of variables that are values, and counts with what it reads as numbers.
///
/// # Errors
/// As the end of a sentence that begins with "it".
pub(super) fn judge_words(words: &[String], numbers: &mut Numbers) -> Result<(), String> {
    let Some((program, arguments)) = built_in(words) else { return Ok(()) };
    let said = || arguments.iter().map(String::as_str);
    let is_option = |word: &&str| word.starts_with(['-', '+']);
    let options = || said().take_while(is_option).take_while(|word| *word != "--");
    let letters = |of: char| options().filter(move |word| word.starts_with(of)).flat_map(|word| word.chars().skip(1));
    // Some shells count with points as well, and have words of their own for that.
    let is_number = ["integer", "float"].contains(&program);
    let declares = is_number || ["declare", "typeset", "local"].contains(&program);
    let lists_functions = program == "declare" && letters('-').any(|c| c == 'F');
    let counts = || is_number || !lists_functions && letters('-').any(|c| "iEF".contains(c));
    let names: Vec<&str> = match program {
        // An operator that is a value may be the one that asks for a variable.
        "[" | "test" if arguments.iter().filter(|word| *word != "]").count() == 2 => {
            let asks = arguments
                .first()
                .is_some_and(|word| word.starts_with(UNKNOWN) || ["-v", "-R"].contains(&word.as_str()));
            said().skip(1).take(usize::from(asks)).collect()
        }
        "[" | "test" => {
            said().zip(said().skip(1)).filter(|(word, _)| ["-v", "-R"].contains(word)).map(|(_, name)| name).collect()
        }
        "printf" => match arguments.first().and_then(|word| word.strip_prefix("-v")) {
            Some("") => said().skip(1).take(1).collect(),
            Some(name) => vec![name],
            None => Vec::new(),
        },
        "read" => read_names(arguments),
        _ if declares && !lists_functions && !letters('-').any(|c| "pf".contains(c)) => {
            let named = said()
                .skip(options().count())
                .filter(|word| *word != "--")
                .map(|word| word.split('=').next().unwrap_or_default());
            named.map(|name| name.trim_end_matches('+')).collect()
        }
        "unset" => said().filter(|word| !is_option(word)).collect(),
        _ => Vec::new(),
    };
    if !names.iter().all(|name| *name == "]" || is_plain(name)) {
        return Err(format!("gives `{program}` the name of a variable that is a value, which a shell may run"));
    }
    if program == "let" {
        said().try_for_each(|word| numbers.of_let(word))?;
    } else if declares && counts() {
        let is_number = |(name, value): (&str, &str), of| name == of && value.starts_with(|c: char| c.is_ascii_digit());
        for name in names.iter().map(|name| name.split('[').next().unwrap_or_default()) {
            numbers.declared(name, said().filter_map(|word| word.split_once('=')).any(|set| is_number(set, name)));
        }
    }
    Ok(())
}

/// Whether a builtin of a shell reads words as numbers, or as names of variables with a number in them, that nobody knows yet.
pub(super) fn reads_dynamic(words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let is_known = |word: &String| !word.contains(UNKNOWN);
    let names_known = || arguments.iter().all(|word| word.split('=').next().is_none_or(|name| !name.contains(UNKNOWN)));
    let has = |options: &[&str]| arguments.iter().any(|word| options.contains(&word.as_str()));
    match program.as_str() {
        "let" => true,
        "[" | "test" => has(&["-v", "-R"]) && !arguments.iter().all(is_known),
        "declare" | "typeset" | "local" | "readonly" | "export" => {
            !names_known() || arguments.iter().any(|word| word.starts_with('-') && word.contains('i'))
        }
        "printf" => arguments.first().is_some_and(|word| word.starts_with("-v")) && !arguments.iter().all(is_known),
        "compgen" | "complete" | "unset" | "read" | "getopts" | "mapfile" | "readarray" | "wait" => {
            !arguments.iter().all(is_known)
        }
        // A text for another shell, which is read by itself and does not see what is set here.
        _ => words.iter().any(|word| ["((", "$[", "let "].iter().any(|of| word.contains(of))),
    }
}

/// Refuses names of variables by which other programs are run, and names that stand for others.
pub(super) fn judge_names(names: &[String], arguments: &[String]) -> Result<(), CommandError> {
    let is = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    let declares = is(&["declare", "typeset", "local"]);
    let refers = |word: &String| word.starts_with('-') && word.contains('n');
    if declares && arguments.iter().any(refers) {
        return Err(refused("it would make names mean other variables", "set the variable itself"));
    }
    let name = |word: &str| {
        let word = word.trim_start_matches("-v");
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        is_turning(word.get(..end).unwrap_or_default())
    };
    let told =
        arguments.iter().filter(|_| !is(&["printf"]) || arguments.first().is_some_and(|word| word.starts_with("-v")));
    // What is declared without a value keeps the one that it has.
    match told.filter(|word| !declares || word.contains('[')).find(|word| name(word)) {
        Some(word) => Err(refused(&format!("`{word}` would make names mean other programs"), "name another variable")),
        None => Ok(()),
    }
}
