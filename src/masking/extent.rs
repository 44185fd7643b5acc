//! How far a value reaches behind its name: quotes of any kind, escaped or not, and without quotes to what ends it.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// Longest value that is looked through for its end, in bytes.
const LONGEST: usize = 64 << 10;

/// How much before a quote tells whether it opens a value, in bytes.
const NEAR: usize = 2 << 10;

/// A value where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    pub range: Range<usize>,
    pub quoted: bool,
    /// Behind the value and its closing quote.
    pub end: usize,
}

/// Quotes as they are written within other texts; a backslash may stand before some any number of times.
const QUOTES: [&str; 10] = ["&quot;", "&#34;", "&#39;", "&apos;", "u0022", "u0027", "%22", "%27", "\"", "'"];

/// The quote with which a text begins.
fn quote(text: &str) -> Option<&str> {
    let slashes = text.bytes().take_while(|b| *b == b'\\').count();
    let rest = text.get(slashes..)?;
    let backtick = rest.starts_with('`').then_some("`");
    let found = QUOTES.into_iter().find(|quote| rest.starts_with(quote)).or(backtick)?;
    if found.starts_with('u') && slashes == 0 {
        return None;
    }
    let mut length = slashes + found.len();
    // CSV doubles the quotes of its cells.
    if slashes == 0 && matches!(found, "\"" | "'") && rest.get(1..)?.starts_with(found) {
        length += 1;
    }
    text.get(..length)
}

/// Whether a quote that is followed so closes a text.
fn closes(after: &str) -> bool {
    let plain = after.trim_start_matches('\\');
    let escaped = plain.len() < after.len() && plain.len() > 1;
    plain.chars().next().is_none_or(|c| c.is_whitespace() || ",;:)]}>|&.\"'`#%".contains(c))
        || ["n", "r", "t", "u0026", "u003"].iter().any(|escape| escaped && plain.starts_with(escape))
}

/// The value that begins at a place.
pub(super) fn of(text: &str, at: usize) -> Option<Extent> {
    let end = text.floor_char_boundary(text.len().min(at.saturating_add(LONGEST)));
    let rest = text.get(at..end)?;
    if let Some(open) = ["\"\"\"", "'''"].into_iter().find(|open| rest.starts_with(open))
        && let Some(length) = rest.get(3..)?.find(open)
    {
        // TOML and Python: several lines.
        let first = if rest.get(3..)?.starts_with('\n') { 4 } else { 3 };
        return Some(Extent { range: at + first..at + (3 + length).max(first), quoted: true, end: at + length + 6 });
    }
    // Lua: a text of its own brackets.
    if let Some(inner) = rest.strip_prefix("[[").filter(|inner| inner.starts_with(|c: char| c.is_alphanumeric()))
        && let Some(length) =
            inner.get(..inner.floor_char_boundary(NEAR)).and_then(|near| near.split('\n').next()?.find("]]"))
    {
        return Some(Extent { range: at + 2..at + 2 + length, quoted: true, end: at + length + 4 });
    }
    match quote(rest) {
        Some(open) => quoted(text, rest, open, at),
        None => {
            let encoded = text.get(..at).is_some_and(|before| {
                ["%3D", "%3d", "%3A", "%3a", "%22", "53D", "53d"].iter().any(|sign| before.ends_with(sign))
            });
            let length = unquoted(rest, encoded);
            (length > 0).then(|| Extent { range: at..at + length, quoted: false, end: at + length })
        }
    }
}

fn quoted(text: &str, rest: &str, open: &str, at: usize) -> Option<Extent> {
    let doubled = matches!(open, "\"\"" | "''");
    let within = rest.get(open.len()..)?;
    // Nothing stands in them, or it was the end of the text in which the name stands.
    let signs = if doubled { ",;:)]}|&." } else { ",;)]}" };
    let ends = |text: &str| text.chars().next().is_none_or(|c| c.is_whitespace() || signs.contains(c));
    let mark = open.trim_start_matches('\\');
    if ends(within)
        && (doubled || !within.starts_with(' ') || within.trim_start().is_empty())
        && (doubled || !opens(text.get(..at).unwrap_or_default(), mark, within))
    {
        return None;
    }
    let slashes = open.len() - mark.len();
    let mut from = 0;
    let length = loop {
        let found = within.get(from..).and_then(|text| text.find(mark)).map_or(within.len(), |found| found + from);
        // Cut off, or the quote belongs to the value. The end of the line is looked for no further than the next quote.
        if let Some(line) = within.get(from..found).and_then(|text| text.find('\n')) {
            break from + line;
        }
        if found == within.len() {
            break found;
        }
        let before = within.get(..found).unwrap_or_default();
        let escaped = before.len() - before.trim_end_matches('\\').len();
        let after = within.get(found + mark.len()..).unwrap_or_default();
        if escaped <= slashes || escaped % (2 * slashes + 2) == 0 {
            // SQL and YAML double what stands within, also before a blank where another one closes the line.
            let rest = after.get(1..).unwrap_or_default();
            let goes_on = !closes(rest) || (rest.starts_with(' ') && is_closed(rest));
            if mark == "'" && slashes == 0 && after.starts_with('\'') && goes_on {
                from = found + 2;
                continue;
            }
            break found - escaped.min(slashes);
        }
        from = found + mark.len();
    };
    let start = at + open.len();
    Some(Extent { range: start..start + length, quoted: true, end: (start + length + open.len()).min(at + rest.len()) })
}

/// Whether a quote before a sign opens a secret that begins with it, and is not the end of the text in which the name stands: as
/// many quotes as it needs stand before it in its line, and one closes it.
fn opens(before: &str, mark: &str, within: &str) -> bool {
    let near = before.get(before.ceil_char_boundary(before.len().saturating_sub(NEAR))..).unwrap_or_default();
    let line = near.rsplit('\n').next().unwrap_or_default();
    let inner = within.get(..within.floor_char_boundary(256)).unwrap_or_default();
    let said = inner.split('\n').next().and_then(|line| line.split_at_checked(line.find(mark)?));
    line.matches(mark).count().is_multiple_of(2)
        && said.is_some_and(|(said, after)| {
            said.get(1..).is_some_and(|rest| rest.starts_with(|c: char| !c.is_whitespace()))
                && said.chars().any(char::is_alphanumeric)
                && after.get(mark.len()..).is_some_and(closes)
        })
}

/// Whether a quote closes what goes on behind a doubled one: `hunter2'` in `'a ''b'' hunter2'`, and none that opens another text.
fn is_closed(rest: &str) -> bool {
    let near = rest.get(..rest.floor_char_boundary(256)).unwrap_or_default();
    let Some((words, after)) = near.split('\n').next().and_then(|line| line.split_once('\'')) else { return false };
    let opens = words.ends_with(|c: char| c.is_whitespace() || "([{".contains(c));
    !opens && !words.contains(['=', ':', ',']) && closes(after)
}

/// Whether a tag of HTML begins so: `br>`, `a href=…>`.
fn is_tag(text: &str) -> bool {
    let name = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let rest = text.get(name..).unwrap_or_default();
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.starts_with(['>', '/']) || rest.starts_with(' ') && rest.contains('>'))
}

/// Whether a value is one in angle brackets, and no tag: a digit stands in it, and its end behind it.
fn is_bracketed(text: &str) -> bool {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits > 0
        && length > 4
        && rest
            .strip_prefix('>')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || "\"'`".contains(c)))
}

/// Whether a further pair begins here: `name=`.
fn is_pair(text: &str) -> bool {
    let text = text.strip_prefix("amp;").unwrap_or(text).trim_start_matches(' ');
    let name = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-[]\"%".contains(c))).unwrap_or(text.len());
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || "_\"".contains(c));
    first && name > 0 && text.get(name..).is_some_and(|rest| rest.starts_with(['=', ':']))
}

/// Bytes of a value without quotes.
/// `encoded`: it stands in an address that is itself written as in one, where also blanks and signs are codes.
fn unquoted(text: &str, encoded: bool) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        let after = text.get(at + c.len_utf8()..).unwrap_or_default();
        let is_end = after.chars().next().is_none_or(char::is_whitespace);
        let ends = match c {
            // A line that a shell goes on with.
            '\n' if text.get(..at).is_some_and(|value| value.ends_with('\\')) => is_end || is_pair(after),
            c if c.is_whitespace() || c.is_control() => true,
            '"' | '\'' | '`' => closes(after),
            '&' => is_end || is_pair(after) || ["quot;", "lt;", "gt;", "#"].iter().any(|more| after.starts_with(more)),
            ',' | ';' => is_end || is_pair(after) || after.starts_with(['"', '\'', '\\', ']', '}']),
            '|' => is_end,
            // A tag, and no sign of the value.
            '<' if at == 0 && is_bracketed(after) => false,
            '<' => after.starts_with(['/', '!']) || after.split(['<', '\n', '"']).next().is_some_and(is_tag),
            '\\' => {
                let after = after.trim_start_matches('\\');
                let code = ["u0026", "u003c", "u003e", "u0022", "u0027", "u000a"];
                after.starts_with(['n', 'r', 't', '"', '\'']) || code.iter().any(|code| after.starts_with(code))
            }
            '%' if encoded => {
                let code = after.get(..2).unwrap_or_default();
                matches!(code, "0A" | "0a" | "0D" | "0d" | "20" | "22")
                    || (code == "26"
                        && after
                            .get(2..after.floor_char_boundary(256))
                            .is_some_and(|rest| rest.contains("%3D") || rest.contains("%3d")))
            }
            '(' | '[' | '{' => {
                depth += 1;
                false
            }
            ')' | ']' | '}' => {
                depth -= 1;
                // One that nothing has opened closes what stands around.
                depth < 0 && (is_end || closes(after))
            }
            _ => false,
        };
        if ends {
            return at;
        }
    }
    text.len()
}

/// What stands between the parts of a text: the signs that join them, or a line between brackets.
static JOINS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^(?:\s{0,64}(?:\+|\.{1,2}|&|\|\||->)\s{0,64}|[ \t]*\\\r?\n[ \t]*|(?<l>[ \t]*\r?\n[ \t]*))["'`]"#).ok()
});

/// The further parts of a text that is put together behind the first one: `"hun" + "ter2"`. `opened`: a bracket stands before that.
pub(super) fn joined(text: &str, from: usize, opened: bool) -> impl Iterator<Item = Extent> {
    let mut at = from;
    std::iter::from_fn(move || {
        let near = text.get(at..text.floor_char_boundary(text.len().min(at + 256)))?;
        let found = JOINS.as_ref()?.captures(near).filter(|found| opened || found.name("l").is_none())?;
        let part = of(text, at + found.get(0)?.end() - 1).filter(|part| part.quoted)?;
        at = part.end;
        Some(part)
    })
}

/// The same of one with quotes: to the next one of its kind, or the end of the line.
pub(super) fn whole_text(text: &str, range: Range<usize>) -> Range<usize> {
    let mark = text.get(..range.start).and_then(|before| before.chars().next_back());
    let rest = text.get(range.end..).filter(|_| range.len() + 64 >= LONGEST).unwrap_or_default();
    let end = rest.char_indices().find(|(at, c)| {
        let escaped = rest.get(..*at).is_some_and(|before| before.ends_with('\\'));
        *c == '\n' || (Some(*c) == mark && !escaped)
    });
    range.start..range.end + end.map_or(rest.len(), |(at, _)| at)
}

/// All of a value without quotes that is longer than what is looked through at first.
pub(super) fn whole(text: &str, mut range: Range<usize>) -> Range<usize> {
    while range.len() >= LONGEST - 4 {
        let more =
            text.get(range.end..text.floor_char_boundary(text.len().min(range.end + LONGEST))).unwrap_or_default();
        let length = unquoted(more, false);
        range.end += length;
        if length < more.len() || more.is_empty() {
            break;
        }
    }
    range
}

/// What stands around a secret, before its quote or its letters.
static WRAPS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"^(?:&?(?:'static[ \t]+)?(?:str|String|string|SecretString|char)[ \t]*=[ \t]*["']|(?:!!?[a-z]+[ \t]+|&[A-Za-z][\w-]*[ \t]+)+|(?:(?:Some|Sensitive(?:\.new)?|String|Just|Optional\.of|String::from|Secret(?:String|Str)?(?:::(?:new|from))?|str|bytes|Buffer\.from)?\(\s*\\*|[bruf]{1,2}|@)["'](?:[^\s,;:)\]}"']|$))"#,
    )
    .ok()
});

/// How much stands before a secret that is not of it.
pub(super) fn wrapped(rest: &str) -> usize {
    let wrap = WRAPS.as_ref().and_then(|wraps| wraps.find(rest));
    // The quote is of the value.
    wrap.map_or(0, |wrap| {
        let quote = wrap.as_str().rfind(['"', '\'']);
        quote.map_or(wrap.end(), |quote| {
            wrap.as_str().get(..quote).map_or(0, |before| before.trim_end_matches('\\').len())
        })
    })
}

/// Whether a word is a program that is asked for a secret.
pub(super) fn is_program(word: &str) -> bool {
    const PROGRAMS: [&str; 12] =
        ["cat", "echo", "vault", "aws", "gcloud", "az", "pass", "op", "kubectl", "openssl", "security", "printenv"];
    PROGRAMS.contains(&word)
}
