//! Searching names and contents below a folder, without what `.gitignore` and `.ignore` leave out.
//!
//! Folders are walked by their handles, and the rules are read through them: a walk by names could be led elsewhere.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use encoding_rs::Encoding;
use globset::{GlobBuilder, GlobMatcher};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{
    super::own::Known,
    Bounds, FileError, Files, WHOLE,
    decode::{Kind, Wanted, decode},
    list::{DEPTH, Names, Rest, Sort},
    place::open_inner,
    read::whole,
    rules::{NESTED, Rules, is_left_out, nests},
    zone::is_own,
};

/// Most files whose lines one search looks at, most names, and most names of one folder that fit.
const FILES: usize = 100_000;
const NAMES: usize = 1_000_000;
const IN_ONE: usize = 100_000;

/// Longest line that is shown, in characters.
const LINE: usize = 300;

/// Largest compiled expression.
const PROGRAM: usize = 1 << 20;

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    pub path: &'a str,
    /// A glob of names. None: all.
    pub pattern: Option<&'a str>,
    /// A regular expression. None: the names alone.
    pub content: Option<&'a str>,
    /// Lines shown around each match.
    pub context: usize,
    pub hidden: bool,
    pub max_results: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub matches: Vec<Match>,
    /// There may be more: there were as many as were asked for, the time was over, or too many files.
    pub stopped: Option<&'static str>,
    /// Files whose names were looked at, and those that could not be read: too long, binary, not to be opened.
    pub files: usize,
    pub unread: usize,
    /// Folders that were not looked into: closed to the server, its own, or too deep.
    pub closed: usize,
    /// Links, which are not followed.
    pub links: usize,
    /// Files and folders that begin with a dot or that rules leave out, each once.
    pub left_out: usize,
    /// Files of rules that are too long to be read.
    pub unruled: usize,
    /// How often something was masked because of what stands around it in its file.
    pub masked: usize,
    /// The expression names a line break, and lines are matched one by one.
    pub line_break: bool,
    /// The glob is one of a whole path, or goes up: names are held against it as they stand below the folder.
    pub whole_path: bool,
    /// Files that are longer than what is searched.
    pub too_long: usize,
}

/// A name, or a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// As a caller may pass it on.
    pub path: String,
    /// Number and text of the line; none: the name was searched.
    pub line: Option<(usize, String)>,
    /// The lines before and after it.
    pub before: Vec<String>,
    pub after: Vec<String>,
}

struct Searching<'a> {
    files: &'a Files,
    search: Search<'a>,
    glob: Option<GlobMatcher>,
    content: Option<Regex>,
    bounds: &'a Bounds,
    known: Known,
    found: Found,
    /// Files whose lines were looked at.
    opened: usize,
}

impl Files {
    /// Searches below a folder, or in one file.
    pub fn search(&self, search: Search<'_>, bounds: &Bounds) -> Result<Found, FileError> {
        if search.pattern.is_none() && search.content.is_none() {
            return Err(FileError::invalid("nothing is searched for").hint("give `pattern`, `content` or both"));
        }
        let glob = search.pattern.map(glob).transpose()?;
        let content = search.content.map(expression).transpose()?;
        let place = self.place(search.path)?;
        let failed = |error| FileError::of(search.path, &error);
        // Without links, so that the rules of the folders above are those of where it really is.
        let real = place.dir.canonicalize(&place.path).map_err(failed)?;
        let real = if real.as_os_str().is_empty() { PathBuf::from(".") } else { real };
        let known = self.own.now();
        let goes_up = |pattern: &str| pattern.starts_with(['/', '~']) || pattern.split('/').any(|part| part == "..");
        let found = Found {
            line_break: search.content.is_some_and(names_line_break),
            whole_path: search.pattern.is_some_and(goes_up),
            ..Found::default()
        };
        let mut searching = Searching { files: self, search, glob, content, bounds, known, found, opened: 0 };
        if place.dir.metadata(&real).map_err(failed)?.is_file() {
            if search.content.is_none() {
                return Err(FileError::invalid(format!("`{}` is a file, whose name is known", search.path))
                    .hint("give `content` to search in it, or a folder as `path`"));
            }
            searching.found.files = 1;
            let target = place.located(self, &searching.known, false)?;
            searching.lines_of(&target.parent, &target.name, search.path)?;
            return Ok(searching.found);
        }
        let mut rules = Vec::new();
        let mut above = PathBuf::new();
        for part in real.components().filter(|part| matches!(part, std::path::Component::Normal(_))) {
            let folder = if above.as_os_str().is_empty() { Path::new(".") } else { above.as_path() };
            rules.extend(
                place
                    .dir
                    .open_dir(folder)
                    .ok()
                    .and_then(|dir| Rules::of(&dir, &above, self, &searching.known, &mut searching.found.unruled)),
            );
            above.push(part);
        }
        let dir = place.dir.open_dir(&real).map_err(failed)?;
        self.is_read_only(&dir, &place, &searching.known)?;
        let said = match search.path.trim_end_matches('/') {
            "." => String::new(),
            "" => "/".to_owned(),
            said => format!("{said}/"),
        };
        searching.folder(&dir, &above, &said, "", &mut rules, 0)?;
        Ok(searching.found)
    }
}

impl Searching<'_> {
    /// `real` is where the folder is below its root, `said` what the caller would call it, `below` what lies between the
    /// searched folder and this one.
    fn folder(
        &mut self,
        dir: &Dir,
        real: &Path,
        said: &str,
        below: &str,
        rules: &mut Vec<Rules>,
        depth: usize,
    ) -> Result<(), FileError> {
        let had = rules.len();
        rules.extend(Rules::of(dir, real, self.files, &self.known, &mut self.found.unruled));
        let (glob, hidden, by_name) = (self.glob.as_ref(), self.search.hidden, self.content.is_none());
        let (mut files, mut links, mut left_out) = (0, 0, 0);
        let names = Names::first(dir, IN_ONE, self.search.path, self.bounds, |name, sort| {
            let hides = name.as_bytes().starts_with(b".") && !hidden;
            if name == ".git" || hides || is_left_out(rules, &real.join(name), sort == Sort::Folder) {
                left_out += usize::from(name != ".git");
                return false;
            }
            files += usize::from(sort == Sort::File);
            let fits = || glob.is_none_or(|glob| glob.is_match(format!("{below}{}", name.to_string_lossy())));
            match sort {
                Sort::Folder => true,
                Sort::File => fits(),
                // A link has a name, and what it leads to is looked at where it is.
                Sort::Link | Sort::Other => {
                    let fits = fits();
                    links += usize::from(fits && !by_name && sort == Sort::Link);
                    fits && by_name
                }
            }
        })?;
        self.found.files += files;
        self.found.links += links;
        self.found.left_out += left_out;
        for (name, sort) in names.found {
            self.bounds.check()?;
            self.stop_if(self.bounds.is_over(), "the time of the call was over");
            self.stop_if(self.found.files > NAMES, "1,000,000 names were looked at");
            if self.found.stopped.is_some() {
                break;
            }
            let shown = name.to_string_lossy();
            let (said, below) = (format!("{said}{shown}"), format!("{below}{shown}"));
            if sort == Sort::Folder {
                match open_inner(dir, &name) {
                    Ok(inner) if depth < DEPTH && !is_own(&inner, &self.known) => {
                        let (said, below) = (format!("{said}/"), format!("{below}/"));
                        self.folder(&inner, &real.join(&name), &said, &below, rules, depth + 1)?;
                    }
                    _ => self.found.closed += 1,
                }
            } else if by_name {
                self.push(Match { path: said, line: None, before: Vec::new(), after: Vec::new() });
            } else {
                self.opened += 1;
                self.stop_if(self.opened > FILES, "100,000 files were looked at");
                let long = self.found.too_long;
                if self.found.stopped.is_none() && self.lines_of(dir, &name, &said).is_err() {
                    self.found.unread += usize::from(self.found.too_long == long);
                }
            }
        }
        self.stop_if(names.rest == Rest::Unread, "the time of the call was over");
        self.stop_if(names.rest == Rest::Later, "more than 100,000 names of one folder fit");
        rules.truncate(had);
        Ok(())
    }

    fn stop_if(&mut self, over: bool, why: &'static str) {
        if over && self.found.stopped.is_none() {
            self.found.stopped = Some(why);
        }
    }

    fn push(&mut self, found: Match) {
        if self.found.matches.len() == self.search.max_results {
            self.found.stopped = Some("there are as many as `max_results` lets through");
        } else {
            self.found.matches.push(found);
        }
    }

    /// The lines of one file.
    fn lines_of(&mut self, dir: &Dir, name: &OsStr, said: &str) -> Result<(), FileError> {
        let Some(content) = self.content.clone() else { return Ok(()) };
        let (file, meta) = self.files.open_in(dir, name, said, &self.known)?;
        if meta.len() > WHOLE {
            self.found.too_long += 1;
            return Err(FileError::failed(format!("`{said}` is longer than {WHOLE} bytes, which are searched")));
        }
        let bytes = lines(whole(file, said, meta.len())?, said)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let context = self.search.context;
        let mut before: VecDeque<&[u8]> = VecDeque::with_capacity(context + 1);
        let mut lines = bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n');
        let mut at = 0;
        // A line is masked as it would be in the whole file, before it is cut, and before anything is looked for in it: whether
        // something is found would tell a secret letter by letter.
        // Every file is masked, whatever is looked for: the time that it takes would tell the same.
        let text = String::from_utf8_lossy(&bytes);
        let masked = self.files.plain.lines(&self.files.masking, &text);
        let around = |number: usize, line: &[u8], count: &mut usize| match masked
            .as_ref()
            .and_then(|lines| lines.masked(number))
        {
            Some(line) => {
                *count += 1;
                shown(line.as_bytes(), 0)
            }
            None => shown(line, 0),
        };
        while let Some(line) = lines.next() {
            if at % 4096 == 0 {
                self.bounds.check()?;
            }
            at += 1;
            let hidden = masked.as_ref().and_then(|lines| lines.masked(at - 1));
            let seen = hidden.as_deref().map_or(line, str::as_bytes);
            if let Some(found) = content.find(seen.strip_suffix(b"\r").unwrap_or(seen)) {
                let (text, mut count) = (shown(seen, found.start()), usize::from(hidden.is_some()));
                let first = at - 1 - before.len();
                let before = before.iter().enumerate().map(|(n, line)| around(first + n, line, &mut count)).collect();
                let after = lines.clone().take(context).enumerate();
                let after = after.map(|(n, line)| around(at + n, line, &mut count)).collect();
                self.push(Match { path: said.to_owned(), line: Some((at, text)), before, after });
                self.found.masked += count;
            }
            before.push_back(line);
            if before.len() > context {
                before.pop_front();
            }
            if self.found.stopped.is_some() {
                break;
            }
        }
        Ok(())
    }
}

/// A glob of names: without `/` it is of the last name, wherever it is.
fn glob(pattern: &str) -> Result<GlobMatcher, FileError> {
    if nests(pattern) {
        return Err(FileError::invalid(format!("`pattern` nests braces deeper than {NESTED} times"))
            .hint("such as `*.rs` or `src/**/*.{yaml,yml}`"));
    }
    let whole = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    let whole = whole.trim_start_matches("./").trim_start_matches('/');
    let built = GlobBuilder::new(whole).literal_separator(true).build();
    built.map(|glob| glob.compile_matcher()).map_err(|error| {
        FileError::invalid(format!("`pattern` is no glob: {error}")).hint("such as `*.rs` or `src/**/*.{yaml,yml}`")
    })
}

fn expression(content: &str) -> Result<Regex, FileError> {
    RegexBuilder::new(content).size_limit(PROGRAM).dfa_size_limit(4 * PROGRAM).build().map_err(|error| {
        // The last line says what is wrong, those before draw it.
        let error = error.to_string();
        let why = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        FileError::invalid(format!("`content` is no regular expression: {why}"))
            .hint(r"put a backslash before `( ) [ ] { } . * + ? | ^ $ \` where they mean themselves")
    })
}

/// The bytes of a file in lines that end with a line feed: without the mark at its beginning, as UTF-8 where that mark says that
/// it is something else, and of old texts whose lines end with a carriage return alone.
fn lines(bytes: Vec<u8>, said: &str) -> Result<Vec<u8>, FileError> {
    let mut bytes = match (Wanted::Found.kind(&bytes), Encoding::for_bom(&bytes)) {
        (Kind::Text(encoding), Some(_)) => decode(&bytes, encoding, said)?.into_bytes(),
        _ if bytes.iter().take(8 << 10).any(|byte| *byte == 0) => {
            return Err(FileError::failed(format!("`{said}` is no text")));
        }
        _ => bytes,
    };
    if !bytes.contains(&b'\n') {
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    Ok(bytes)
}

/// A line for an answer, or what of it stands around a place of it.
fn shown(line: &[u8], at: usize) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let before = String::from_utf8_lossy(line.get(..at).unwrap_or_default()).chars().count();
    let line = String::from_utf8_lossy(line);
    let length = line.chars().count();
    if length <= LINE {
        return line.into_owned();
    }
    // A third of what is shown stands before it, or more where the line ends.
    let from = before.saturating_sub(LINE / 3).min(length - LINE);
    let part: String = line.chars().skip(from).take(LINE).collect();
    let (begins, ends) = (from == 0, from + LINE == length);
    format!("{}{part}{}", if begins { "" } else { "…" }, if ends { "" } else { "…" })
}

/// Whether an expression names a line break, however it writes it, or lets any character be one. One that excludes it, and a
/// class of blanks, say nothing.
fn names_line_break(content: &str) -> bool {
    fn names(form: &Hir) -> bool {
        match form.kind() {
            HirKind::Literal(text) => text.0.contains(&b'\n'),
            HirKind::Class(Class::Unicode(class)) => {
                let all: usize = class.ranges().iter().map(|range| range.len()).sum();
                let line_break = class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'));
                line_break && (all <= FEW || all > MOST)
            }
            HirKind::Repetition(repetition) => names(&repetition.sub),
            HirKind::Capture(capture) => names(&capture.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(names),
            HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => false,
        }
    }
    /// A class of a few characters names each, and one of all names none.
    const FEW: usize = 4;
    const MOST: usize = 0x10_ffff;
    regex_syntax::Parser::new().parse(content).is_ok_and(|form| names(&form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_around_the_match() {
        let line = format!("{}needle{}", "x".repeat(1000), "y".repeat(1000));
        let part = shown(line.as_bytes(), 1000);
        assert_eq!(part.chars().count(), LINE + 2);
        assert!(part.starts_with("…xx") && part.contains("needle") && part.ends_with("yy…"), "{part}");
        assert!(shown(line.as_bytes(), 0).starts_with("xx"));
        let end = shown(format!("{}ä", "é".repeat(1000)).as_bytes(), 2000);
        assert!(end.starts_with("…é") && end.ends_with("éä"), "{end}");
        assert_eq!(shown("short\r".as_bytes(), 3), "short");
    }

    #[test]
    fn a_line_break_in_an_expression_is_seen_where_it_would_have_to_match() {
        for content in [
            r"a\nb",
            "a\nb",
            r"\r\n",
            r"x(\n|y)",
            r"foo[\n]bar",
            r"foo\x0abar",
            r"foo[\r\n]+bar",
            "(?s)foo.bar",
            r"a[\s\S]b",
        ] {
            assert!(names_line_break(content), "{content:?}");
        }
        for content in [r"a[^\n]*b", r"a\\nb", "ab", r"\[n", r"\d\w", r"a\s+b", "a.b", "[^a]", "(a"] {
            assert!(!names_line_break(content), "{content:?}");
        }
    }
}
