//! Rules of `.gitignore` and `.ignore`, which leave files out of a search.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{super::own::Known, FileErrorKind, Files, read::whole};

/// Most bytes and lines of a file of rules: each takes its share of an automaton.
const RULES_BYTES: u64 = 64 << 10;
const RULES_LINES: usize = 2000;

/// Where rules stand about what is left out, the later ones stronger.
const RULES: [&str; 2] = [".gitignore", ".ignore"];

/// How often braces of a glob stand in each other at most.
pub(super) const NESTED: usize = 20;

/// Rules of a folder, and which folder.
pub(super) struct Rules {
    folder: PathBuf,
    rules: Gitignore,
}

impl Rules {
    /// Those that stand in a folder.
    pub fn of(dir: &Dir, folder: &Path, files: &Files, known: &Known, unread: &mut usize) -> Option<Self> {
        let mut builder = GitignoreBuilder::new("");
        let mut any = false;
        for name in RULES {
            let (file, meta) = match files.open_in(dir, OsStr::new(name), name, known) {
                Ok(opened) => opened,
                Err(error) => {
                    // What is there and is not read, as a link, leaves nothing out.
                    *unread += usize::from(error.kind != FileErrorKind::Missing);
                    continue;
                }
            };
            if meta.len() > RULES_BYTES {
                *unread += 1;
                continue;
            }
            let Ok(bytes) = whole(file, name, meta.len()) else { continue };
            if bytes.split(|byte| *byte == b'\n').count() > RULES_LINES {
                *unread += 1;
                continue;
            }
            // A line that is no pattern leaves nothing out, as for git.
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            let text = String::from_utf8_lossy(bytes);
            // One that nests without end would take all others with it.
            let (lines, nested): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !nests(line));
            *unread += usize::from(!nested.is_empty());
            for line in lines {
                // The other file is of programs that read braces as alternatives.
                let line = if name == RULES[0] { as_git_reads(line) } else { line.to_owned() };
                drop(builder.add_line(None, &line));
            }
            any = true;
        }
        let rules = builder.build().ok().filter(|_| any)?;
        Some(Self { folder: folder.to_owned(), rules })
    }
}

/// Whether the nearest rule that says something about it leaves it out.
pub(super) fn is_left_out(rules: &[Rules], path: &Path, is_folder: bool) -> bool {
    let said = rules.iter().rev().map(|rules| {
        path.strip_prefix(&rules.folder).map_or(ignore::Match::None, |below| rules.rules.matched(below, is_folder))
    });
    let mut said = said.filter(|said| !said.is_none());
    said.next().is_some_and(|said| said.is_ignore())
}

/// Classes of signs by their names, as ranges that stand in brackets.
const CLASSES: [(&str, &str); 12] = [
    ("alpha", "a-zA-Z"),
    ("digit", "0-9"),
    ("alnum", "a-zA-Z0-9"),
    ("upper", "A-Z"),
    ("lower", "a-z"),
    ("xdigit", "0-9a-fA-F"),
    ("space", " \t\u{b}\u{c}\r"),
    ("blank", " \t"),
    ("punct", ":-@!-/[-`{-~"),
    ("graph", "\"-~!"),
    ("print", " -~"),
    ("cntrl", "\u{1}-\u{1f}\u{7f}"),
];

/// A line as the matcher is to read it, so that it says what it says to git: braces stand for themselves, classes of signs have names,
/// more than two stars are as two between slashes and else as one, and a zero byte ends the line.
fn as_git_reads(line: &str) -> String {
    let line = line.split('\0').next().unwrap_or_default();
    let (mut read, mut rest) = (String::new(), line);
    while let Some(c) = rest.chars().next() {
        let stars = rest.len() - rest.trim_start_matches('*').len();
        let (taken, said) = match c {
            '\\' => {
                let length = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                (length, rest.get(..length).unwrap_or(rest).to_owned())
            }
            '{' | '}' => (1, format!("\\{c}")),
            '*' if stars > 2 => {
                let begins = read.is_empty() || read == "!" || read.ends_with('/');
                let ends = rest.get(stars..).is_none_or(|behind| behind.is_empty() || behind.starts_with('/'));
                (stars, if begins && ends { "**" } else { "*" }.to_owned())
            }
            '[' => in_brackets(rest),
            c => (c.len_utf8(), c.to_string()),
        };
        read.push_str(&said);
        rest = rest.get(taken..).unwrap_or_default();
    }
    read
}

/// How long what stands in brackets is, and the same with ranges for the names of classes.
fn in_brackets(text: &str) -> (usize, String) {
    let mut said = String::from("[");
    let mut at = 1;
    let mut is_first = true;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let class = |(name, ranges): &(&str, &'static str)| {
            let rest = rest.strip_prefix("[:")?.strip_prefix(name)?;
            rest.starts_with(":]").then_some((name.len() + 4, *ranges))
        };
        let named = CLASSES.iter().find_map(class);
        let sign = rest.chars().next().unwrap_or(']');
        let (taken, is) = named.unwrap_or_else(|| (sign.len_utf8(), rest.get(..sign.len_utf8()).unwrap_or(rest)));
        said.push_str(is);
        at += taken;
        if sign == ']' && !is_first {
            break;
        }
        is_first = is_first && at == 2 && ['!', '^'].contains(&sign);
    }
    (at, said)
}

/// Whether braces stand in each other more often than what a glob becomes can hold.
pub(super) fn nests(pattern: &str) -> bool {
    let mut depth = 0_usize;
    pattern.bytes().any(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > NESTED
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_git_reads_them() {
        let is_left_out = |rule: &str, path: &str| {
            let mut builder = GitignoreBuilder::new("");
            builder.add_line(None, &as_git_reads(rule)).unwrap();
            builder.build().unwrap().matched(path, false).is_ignore()
        };
        for (rule, out, stays) in [
            ("*.{txt,log}", &["a.{txt,log}"][..], &["a.txt", "a.log"][..]),
            ("*.log", &["a.log", "sub/a.log"], &["a.txt"]),
            ("[[:alpha:]].txt", &["a.txt", "Z.txt"], &["1.txt", ":.txt"]),
            ("[![:alpha:]].txt", &["1.txt"], &["a.txt"]),
            ("[[:upper:]1].TXT", &["A.TXT", "1.TXT"], &["a.TXT"]),
            ("x[[:punct:]]", &["x!", "x]", "x{", "x-"], &["xa", "x1"]),
            ("x[[:graph:]]", &["x!", "xa"], &["x "]),
            ("[]a].txt", &["].txt", "a.txt"], &["b.txt"]),
            ("[{]a", &["{a"], &["a"]),
            ("\\{a", &["{a"], &["a"]),
            ("sub/***/a.txt", &["sub/a.txt", "sub/deep/er/a.txt"], &["a.txt"]),
            ("a***.txt", &["ab.txt", "sub/ab.txt"], &["a/b.txt"]),
            ("***", &["a", "sub/a"], &[]),
            ("a.txt\0b", &["a.txt"], &["a.txt\0b"]),
        ] {
            out.iter().for_each(|path| assert!(is_left_out(rule, path), "{rule} {path}"));
            stays.iter().for_each(|path| assert!(!is_left_out(rule, path), "{rule} {path}"));
        }
    }
}
