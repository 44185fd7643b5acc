//! Values that a name stands before: `DB_PASSWORD=…`, `"apiKey": "…"`, `<secret>…</secret>`, `--password …`.
//!
//! Names that always mean secrets mask what follows, whole; of a token the value must look like one; `key` and `code` count in
//! addresses alone ([`super::secrets`]).

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};

use super::{MASK, Seen, authorization, cookies, evidence, extent};

/// What names of secrets end with.
macro_rules! names {
    () => {
        r"(?:pass(?:words?|wd|phrase|code)?|pwd|secret|token|(?:api|access|account|private|priv|secret|signing|encryption|master|shared|auth|session|storage|app|application|license|licence|agent|ingest|ingestion|clickhouse|deploy|service|project|user|admin|server|write|integration)[_.-]?key|key[_.-]?base|credentials?|authorization)"
    };
}

pub(super) use names;

/// A name and what stands between it and its value: a sign, the key `value` of a pair, the bracket of a call, or a blank.
pub(super) const NAMED: &str = concat!(
    "(?i)(?<n>",
    names!(),
    r#"(?:[_-]?(?:[0-9]{1,2}|confirm(?:ation)?|again|prod(?:uction)?|dev|test|staging|primary|secondary|replica|main|old|new|default|local|admin|root|ro|rw|base64|b64))?)(?:(?:[\\"'`\]]{0,6}|&quot;|%22)(?:(?:\x1b|\\+(?:u001b|x1b|033|e))\[[0-9;]*m)?(?:[\s,;:{]{0,12}(?:\\[nrt]\s*)?[\\"']{0,4}value[\\"']{0,4}\s*[=:]\s*(?:\{\s*[\\"']{1,4}\w{0,12}value[\\"']{1,4}\s*:\s*)?|\s*(?:=>|:=|={1,3}|:|%(?:25){0,3}3[DA]|&#x3d;|&#61;|&equals;|=?\\+u003[de])\s*(?:(?:\x1b|\\+(?:u001b|x1b|033|e))\[[0-9;]*m)?|(?<f>\())|(?<w>\\?["']?[ \t]+))"#
);

/// The same as an element of XML.
pub(super) const ELEMENT: &str = concat!(
    r"(?i)(?:<|\\+u003c|&lt;)(?:\w+:)?(?<n>[\w.-]*?",
    names!(),
    r")(?:\s[^<>&\n]{0,200})?(?:>|\\+u003e|&gt;)(?:<!\[CDATA\[)?\s*(?<v>[^<\n]+?)\s*(?:\]\]>)?(?:<\\*/|\\+u003c\\*/|&lt;/)"
);

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A password: also a word is one.
    Password,
    /// A key or another secret: also a word is one, but not the name of an object or a file.
    Secret,
    /// A key that may also be another thing: digits among letters.
    Issued,
    /// A token of somebody: random, or an identifier.
    Token,
    /// A `token`: random.
    Bare,
    /// A scheme and what proves it.
    Authorization,
    Cookie,
}

impl Class {
    /// Of a name as it is written, with all that stands before it.
    fn of(name: &str) -> Option<Self> {
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
        let lower = name.to_ascii_lowercase();
        const ENDS: [&str; 21] = [
            "confirmation",
            "confirm",
            "again",
            "production",
            "prod",
            "dev",
            "test",
            "staging",
            "primary",
            "secondary",
            "replica",
            "main",
            "old",
            "new",
            "default",
            "local",
            "admin",
            "root",
            "base64",
            "b64",
            "rw",
        ];
        let cut = ENDS.into_iter().find_map(|end| lower.strip_suffix(end));
        let lower = cut.unwrap_or(&lower).trim_end_matches(['_', '-']).to_owned();
        let plain: String = lower.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let ends = |ends: &[&str]| ends.iter().any(|end| plain.ends_with(end));
        if ends(&["password", "passwords", "passwd", "passphrase", "passcode", "pwd"]) || is_pass(name) {
            return Some(Self::Password);
        }
        if ends(&["authorization"]) {
            return Some(Self::Authorization);
        }
        if ends(&["cookie"]) {
            return Some(Self::Cookie);
        }
        let key = [
            "api",
            "access",
            "account",
            "private",
            "priv",
            "secret",
            "signing",
            "encryption",
            "master",
            "shared",
            "auth",
            "session",
            "storage",
        ];
        // Keys that are also other things, as of an app or a user, look like keys where they are some.
        const ISSUED: [&str; 15] = [
            "app",
            "application",
            "license",
            "licence",
            "agent",
            "ingest",
            "ingestion",
            "clickhouse",
            "deploy",
            "service",
            "project",
            "server",
            "admin",
            "write",
            "integration",
        ];
        let before = plain.strip_suffix("key");
        if before.is_some_and(|before| key.iter().any(|kind| before.ends_with(kind)))
            || ends(&["secret", "secretkeybase"])
        {
            return Some(Self::Secret);
        }
        let issued = before.is_some_and(|before| ISSUED.iter().any(|kind| before.ends_with(kind)));
        if issued {
            return Some(Self::Issued);
        }
        if ends(&["credential", "credentials"]) {
            return Some(Self::Token);
        }
        // Where a list goes on, and what a request is known by, lets nobody in.
        const NO_TOKENS: [&str; 17] = [
            "next",
            "page",
            "continuation",
            "continue",
            "cancel",
            "cancellation",
            "sync",
            "resume",
            "cursor",
            "trace",
            "request",
            "lock",
            "fencing",
            "pagination",
            "offset",
            "idempotency",
            "progress",
        ];
        let before = plain.strip_suffix("token")?;
        match before {
            before if NO_TOKENS.iter().any(|word| before.ends_with(word)) => None,
            "" | "x" | "the" | "a" => Some(Self::Bare),
            _ => Some(Self::Token),
        }
    }
}

/// `pass` as a part of a name, and not of `bypass` or `compass`.
fn is_pass(name: &str) -> bool {
    const BEFORE: [&str; 16] = [
        "db", "user", "my", "ssh", "admin", "root", "smtp", "ftp", "pg", "mysql", "redis", "mongo", "store", "key",
        "require", "sudo",
    ];
    let Some((at, _)) = name.char_indices().rev().nth(3) else { return false };
    let (before, pass) = name.split_at(at);
    if !pass.eq_ignore_ascii_case("pass") {
        return false;
    }
    let parted = before.ends_with(|c: char| !c.is_ascii_alphabetic()) || before.is_empty();
    let capital = pass.starts_with('P') && before.ends_with(|c: char| c.is_ascii_lowercase());
    let lower = before.to_ascii_lowercase();
    parted || capital || BEFORE.iter().any(|word| lower.ends_with(word))
}

/// Where the value of a name is masked.
pub(super) fn named(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(whole), Some(word)) = (found.get(0), found.name("n")) else { return (Vec::new(), 0) };
    let nothing = (Vec::new(), whole.end());
    let begins = begins(text, word.start());
    let before = text.get(..begins).unwrap_or_default();
    let name = text.get(begins..word.end()).unwrap_or_default();
    let Some(class) = Class::of(name) else { return nothing };
    // A blank between them is what a command line has, and a statement that sets a password.
    let option = name.starts_with('-') || before.ends_with("--");
    let said = word.as_str().eq_ignore_ascii_case("password")
        && text.get(whole.end()..).is_some_and(|rest| rest.starts_with('\''));
    if found.name("w").is_some() && !option && !said {
        return nothing;
    }
    // Two that are compared, and not told.
    let compared = whole.as_str().trim_end().ends_with("==");
    // What is around a secret in its place: `!!str`, `&anchor`, `Some("…")`, `b"…"`.
    let wrap = extent::wrapped(text.get(whole.end()..).unwrap_or_default());
    let at = whole.end() + wrap;
    let rest = text.get(at..).unwrap_or_default();
    if let Some(block) = block(text, word.start(), at, class) {
        return block;
    }
    // What stands in an object has names of its own.
    let within = rest
        .strip_prefix('{')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || "\"'\\\\".contains(c)));
    if within {
        return nothing;
    }
    let list = rest.strip_prefix('[').is_some_and(|rest| {
        rest.trim_start().starts_with(['"', '\'', '[', ']', '\\', '&']) || rest.starts_with(|c: char| c.is_whitespace())
    });
    if list && class != Class::Authorization {
        return listed(text, at, class);
    }
    let Some(value) = extent::of(text, at) else { return nothing };
    if found.name("f").is_some() && !value.quoted {
        return nothing;
    }
    let said = text.get(value.range.clone()).unwrap_or_default();
    // A list of names: `[GOOGLE_API_KEY, GEMINI_API_KEY]`.
    let first = rest.starts_with('[')
        && !said.contains(']')
        && near(rest).split(['\n', ']']).next().is_some_and(|list| list.contains(','));
    if first && !value.quoted {
        return nothing;
    }
    // What a shell puts in.
    let command = rest.starts_with('`') && said.split_once(' ').is_some_and(|(program, _)| extent::is_program(program));
    let name_of_another = said.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.()[]".contains(&b));
    if command || rest.starts_with("<(") || (compared && !value.quoted && name_of_another) {
        return nothing;
    }
    if class == Class::Authorization {
        let line = near(rest).split('\n').next().unwrap_or_default();
        let line = line.find("\\n").unwrap_or(line.len());
        let within = if value.quoted { value.range } else { at..at + line };
        let places = authorization::proofs(text.get(within.clone()).unwrap_or_default());
        let places: Vec<_> =
            places.into_iter().map(|place| within.start + place.start..within.start + place.end).collect();
        let end = places.last().map_or(at, |last| last.end);
        return (places, end);
    }
    let context = Context {
        name,
        before,
        after: text.get(value.end..).unwrap_or_default(),
        colon: whole.as_str().trim_end().ends_with(':'),
        tight: whole.as_str().ends_with(':'),
        json: whole.as_str().contains('"'),
        quoted: value.quoted,
    };
    if !context.is_meant(class, said) {
        return nothing;
    }
    let mut range = value.range;
    // A passphrase of several words, as the value of a line of its own.
    let plain = class == Class::Password && context.colon && !context.quoted;
    if plain && said.bytes().all(|b| b.is_ascii_alphabetic()) && begins_a_line(before) {
        let rest = text.get(range.end..).unwrap_or_default();
        let rest = rest.get(..rest.find(['\n', '\r']).unwrap_or(rest.len())).unwrap_or_default().trim_end();
        if !rest.contains(['=', ':', '#', '"', '\\', ',', '*']) && rest.starts_with(' ') {
            range.end += rest.len();
        }
    }
    let end = value.end.max(range.end);
    (vec![range], end)
}

/// Where the whole name begins, of which the end was found at a place: without an escape before it.
fn begins(text: &str, word: usize) -> usize {
    let before = text.get(..word).unwrap_or_default();
    let own = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let length = before.bytes().rev().take(64).take_while(own).count();
    let (head, prefix) = before.split_at(word - length);
    let escape = match (head.as_bytes().last(), prefix.as_bytes()) {
        (Some(b'\\'), [b'n' | b'r' | b't', ..]) => 1,
        (Some(b'\\'), [b'u', code @ ..]) if code.iter().take(4).all(u8::is_ascii_hexdigit) => 5,
        (Some(b'%'), [a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 2,
        _ => 0,
    };
    (word - length + escape).min(word)
}

/// What stands around a value.
struct Context<'t> {
    name: &'t str,
    before: &'t str,
    after: &'t str,
    /// `name: value`, as also sentences are written.
    colon: bool,
    /// No blank between them, as in `api_key:create`.
    tight: bool,
    /// The name stands in quotes: a number is a number there.
    json: bool,
    quoted: bool,
}

impl Context<'_> {
    fn is_meant(&self, class: Class, value: &str) -> bool {
        let open = evidence::is_placeholder(value) || value == MASK || value.starts_with("-----BEGIN");
        if open || evidence::is_state(value) || value.eq_ignore_ascii_case(self.name) {
            return false;
        }
        let digits = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        // An address of a page, or yes and no as numbers; what an address hides has forms of its own.
        let address = value.starts_with("http://") || value.starts_with("https://");
        let leads = self.colon || class != Class::Password || value.contains(['/']) && value.matches('/').count() > 2;
        if (address && leads) || matches!(value, "0" | "1") {
            return false;
        }
        // A part of the name of a resource.
        let word = || behind(self.before).rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
        if self.tight && (word().contains("arn:") || word().starts_with("urn:")) {
            return false;
        }
        if !self.quoted {
            let prose = self.colon && evidence::is_prose(behind(self.before), value, self.after);
            let count = digits && (self.json || (self.colon && value.len() < 4));
            let may = self.tight && evidence::is_permission(value.split(',').next().unwrap_or_default());
            if prose || count || may || evidence::is_expression(value, self.after) {
                return false;
            }
        }
        let name = self.name.to_ascii_lowercase();
        match class {
            Class::Password if name.ends_with("pwd") => !evidence::is_path(value),
            // `pass: 12, fail: 0` are counts.
            Class::Password if name == "pass" => {
                !digits && !evidence::is_measure(value) && !evidence::is_of_a_compiler(behind(self.before))
            }
            Class::Password => true,
            Class::Secret if evidence::is_location(value) => false,
            // `secret: mounted from` is a sentence.
            Class::Secret if self.colon && !self.quoted && evidence::goes_on(value, self.after) => false,
            Class::Secret if name.ends_with("secret") && evidence::is_object_name(value) => {
                // Objects of a cluster are named so, but what a client proves itself by is not.
                ["client", "app", "shared", "consumer"].iter().any(|of| name.contains(of))
            }
            Class::Secret => !evidence::is_path(value),
            Class::Token if name.contains("credential") && evidence::is_pair(value) => true,
            Class::Token => {
                let hex = value.len() >= 16 && evidence::is_identifier(value);
                (hex || evidence::is_random(value)) && !evidence::is_words(value) && !evidence::is_path(value)
            }
            Class::Issued => {
                let digit = value.bytes().any(|b| b.is_ascii_digit());
                digit && evidence::is_random(value) && !evidence::is_words(value) && !evidence::is_path(value)
            }
            Class::Bare => {
                if self.colon && evidence::is_of_a_parser(behind(self.before)) {
                    return false;
                }
                let named = evidence::is_identifier(value) || evidence::is_words(value) || evidence::is_workload(value);
                evidence::is_random(value) && !named
            }
            Class::Authorization | Class::Cookie => false,
        }
    }
}

/// Whether the text of an element of XML is meant by the name of the element.
pub(super) fn is_element(seen: &Seen<'_>) -> bool {
    let name = near(seen.after).split(['>', '&', '\\']).find(|part| part.contains(|c: char| c.is_ascii_alphabetic()));
    let name = name.unwrap_or_default().trim_start_matches(['<', '/']);
    let name = name.rsplit([':', '/']).next().unwrap_or_default();
    let context = Context { name, before: "", after: "", colon: false, tight: false, json: false, quoted: true };
    Class::of(name).is_some_and(|class| context.is_meant(class, seen.value))
}

/// A text of several lines below a name, as YAML writes it: `password: |`.
fn block(text: &str, name: usize, at: usize, class: Class) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = text.get(at..).filter(|rest| rest.starts_with(['|', '>']))?;
    let mark = near(rest).split('\n').next()?;
    let sign = mark.split(" #").next()?.trim_end();
    let known = sign
        .strip_prefix(['|', '>'])
        .is_some_and(|more| more.len() < 3 && more.chars().all(|c| "+-123456789".contains(c)));
    if !known || !matches!(class, Class::Password | Class::Secret) {
        return None;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let above = behind(text.get(..name)?).rsplit('\n').next().map_or(0, indent);
    let start = at + mark.len() + 1;
    let lines =
        text.get(start..)?.split_inclusive('\n').take_while(|line| line.trim().is_empty() || indent(line) > above);
    let length: usize = lines.map(str::len).sum();
    let lines = text.get(start..start + length)?;
    let (first, last) = (start + indent(lines), start + lines.trim_end().len());
    let said = text.get(first..last)?;
    // Keys have a form of their own.
    let own = said.is_empty() || said.contains(MASK) || said.contains("-----BEGIN");
    let whole = (!own).then_some(first..last);
    Some((whole.into_iter().collect(), if own { at } else { last }))
}

/// How much of what stands before or behind a value tells something of it, in bytes. It is all that is looked at of a line, which
/// may be as long as the text: else as many values as there are would be looked at as often.
const NEAR: usize = 2 << 10;

fn near(after: &str) -> &str {
    after.get(..after.floor_char_boundary(NEAR)).unwrap_or_default()
}

fn behind(before: &str) -> &str {
    before.get(before.ceil_char_boundary(before.len().saturating_sub(NEAR))..).unwrap_or_default()
}

/// Whether nothing but blanks and the sign of a list stand in a line before its end.
fn begins_a_line(before: &str) -> bool {
    behind(before).chars().rev().take_while(|c| *c != '\n').all(|c| c.is_whitespace() || c == '-')
}

/// The texts of a list below a name: `"password":["hunter2"]`.
fn listed(text: &str, at: usize, class: Class) -> (Vec<Range<usize>>, usize) {
    let (mut places, mut next) = (Vec::new(), at);
    while let Some(rest) = text.get(next..) {
        let blank = rest.len() - rest.trim_start_matches(['[', ',', ' ', '\n', '\t']).len();
        next += blank;
        let Some(value) = extent::of(text, next).filter(|value| value.quoted) else { break };
        let said = text.get(value.range.clone()).unwrap_or_default();
        let context = Context { name: "", before: "", after: "", colon: false, tight: false, json: true, quoted: true };
        if context.is_meant(class, said) {
            places.push(value.range);
        }
        next = value.end;
    }
    (places, next)
}

/// Where a text is masked that stands under a name in a value, as a member of an object does.
pub(super) fn places(name: &str, text: &str) -> Vec<Range<usize>> {
    let Some(class) = Class::of(name).filter(|_| !text.is_empty()) else { return Vec::new() };
    match class {
        Class::Cookie => cookies::pairs(text),
        Class::Authorization => authorization::proofs(text),
        class => {
            let context = Context { name, before: "", after: "", colon: false, tight: false, json: true, quoted: true };
            if context.is_meant(class, text) { std::iter::once(0..text.len()).collect() } else { Vec::new() }
        }
    }
}

/// Whether a number under a name is a password, and no count: of four digits or more.
pub(super) fn is_pin(name: &str, number: &serde_json::Number) -> bool {
    let long = number.as_u64().is_some_and(|number| number >= 1_000);
    long && Class::of(name) == Some(Class::Password) && !name.eq_ignore_ascii_case("pass")
}

/// Whether a name that stands before a value tells that it is a secret.
pub(super) fn tells(name: &str) -> bool {
    Class::of(name).is_some()
}

/// Names of what only looks like a secret: requests that are sent again are known by it.
static OF_IDENTIFIERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:idempotency|cache|partition|dedup[a-z]*|deduplication|message|routing|request|shard|row|sort|object|group)[-_. ]?key(?:\\*["'])?\s*(?:[:=]|=>)?\s*(?:\\*["'])?$"#).ok()
});

/// Whether a text ends with the name of a key by which something is found.
pub(super) fn names_an_identifier(before: &str) -> bool {
    let near = before.get(before.ceil_char_boundary(before.len().saturating_sub(64))..).unwrap_or_default();
    OF_IDENTIFIERS.as_ref().is_some_and(|names| names.is_match(near))
}

/// Whether a text is a key by which something is found, as its name says.
pub(super) fn is_of_an_identifier(name: &str, text: &str) -> bool {
    text.starts_with("key-") && names_an_identifier(name)
}
