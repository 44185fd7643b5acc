//! What a shell reads as a number, or as the name of a variable, and runs for that: its value may hold a substitution, put together of
//! pieces that are none. And variables by whose names other programs are run.

use super::{
    CommandError,
    policy::{is_turning, refused},
    shell::UNKNOWN,
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
    let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
    let (name, rest) = name.split_at_checked(end).unwrap_or_default();
    let sets = rest.starts_with('=') || rest.starts_with(":=");
    if sets && (is_turning(name) || inner.starts_with('!')) {
        return Err("sets what names of programs mean".to_owned());
    }
    // A place in an array, or in the text, is counted.
    let in_text = rest.strip_prefix(':').is_some_and(|to| !to.starts_with(['-', '=', '?', '+']));
    let counts =
        (in_text || rest.starts_with('[')) && rest.contains(|c: char| c.is_alphabetic() || c == '_' || c == UNKNOWN);
    Ok((may_become_one(rest), counts))
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
