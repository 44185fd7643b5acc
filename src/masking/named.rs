//! Values that a name stands before: `DB_PASSWORD=…`, `"apiKey": "…"`, `<secret>…</secret>`, `--password …`.
//!
//! Names that always mean secrets mask what follows, whole; of a token the value must look like one; `key` and `code` count in
//! addresses alone ([`super::secrets`]).

use std::{ops::Range, sync::LazyLock};

use regex::{Captures, Regex};

use super::{
    MASK, Seen, authorization, cookies, evidence, extent,
    names::{self, Class, names},
};

/// A name and what stands between it and its value: a sign, the key `value` of a pair, the bracket of a call, or a blank.
pub(super) const NAMED: &str = concat!(
    "(?i)(?<n>",
    names!(),
    names::behind!(),
    r#")(?:(?:[\\"'`\]]{0,6}|&quot;|%22|%5d)(?:(?:\x1b|\\+(?:u001b|x1b|033|e))\[[0-9;]*m)?(?:[\s,;:{]{0,12}(?:#[ \t][^\n]{0,80}\n[ \t]{0,40}){0,2}(?:\\[nrt]\s*)?[\\"']{0,4}value[\\"']{0,4}\s*[=:]\s*(?:\{\s*[\\"']{1,4}\w{0,12}value[\\"']{1,4}\s*:\s*)?|\s*(?:=>|:=|={1,3}|!={1,2}|<>|::[ \t]|:(?:\*\*|</(?:b|strong)>)?|%(?:25){0,3}3[DA]|&#x3d;|&#61;|&equals;|=?\\+u003[de])\s*(?:(?:\x1b|\\+(?:u001b|x1b|033|e))\[[0-9;]*m)?|(?<f>\())|(?<w>\\?["']?[ \t]+))"#
);

/// The same as an element of XML.
pub(super) const ELEMENT: &str = concat!(
    r"(?i)(?:<|\\+u003c|&lt;)(?:\w+:)?(?<n>[\w.-]*?",
    names!(),
    names::behind!(),
    r")(?:\s[^<>&\n]{0,200})?(?:>|\\+u003e|&gt;)(?:<!\[CDATA\[)?\s*(?<v>[^<\n]+?)\s*(?:\]\]>)?(?:<\\*/|\\+u003c\\*/|&lt;/)"
);

/// How many lines of remarks and blank ones may stand between a name and what it says, or two of a list.
const SKIPPED: usize = 8;

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
    let mut from = whole.end();
    if found.name("w").is_some() && !option && !said {
        let rest = text.get(from..).unwrap_or_default();
        // A list of Lisp, and what a statement compares with.
        let of_a_list = rest.starts_with(['"', '\'']) && (before.ends_with(['(', ':']) || before.ends_with("setq "));
        let compared = COMPARES.as_ref().and_then(|compares| compares.captures(near(rest)));
        match compared.as_ref().and_then(|found| found.get(0)) {
            Some(_) if compared.as_ref().is_some_and(|found| found.name("l").is_some()) => {
                return listed(text, from + near(rest).find('(').map_or(0, |at| at + 1), class);
            }
            Some(compared) => from += compared.end() - 1,
            None if of_a_list => {}
            None => return nothing,
        }
    }
    let sign = whole.as_str().trim_end();
    // Emphasis of Markdown and HTML that ends with the name.
    let plain = ["**", "</b>", "</strong>"].into_iter().find_map(|end| sign.strip_suffix(end));
    let (emphasised, sign) = (plain.is_some(), plain.unwrap_or(sign));
    // Two that are compared, and not told.
    let compared = ["==", "!=", "<>"].iter().any(|compares| sign.ends_with(compares));
    // What is around a secret in its place: `!!str`, `&anchor`, `Some("…")`, `b"…"`.
    let behind_it = text.get(from..).unwrap_or_default();
    let wrap = extent::wrapped(behind_it);
    // A remark stands between them, and lines of remarks.
    let told = if sign.ends_with(':') { remarks(behind_it) } else { 0 };
    let remarked = told > 0;
    from += told;
    let behind_it = text.get(from..).unwrap_or_default();
    let wrap = if remarked { extent::wrapped(behind_it) } else { wrap };
    // What is named goes on: a path of a program, a part of a style.
    if sign.ends_with(':') && behind_it.starts_with(':') {
        return nothing;
    }
    // What a bracket opens is code that makes a header.
    let wrap = if class == Class::Authorization && behind_it.starts_with('(') { 0 } else { wrap };
    let at = from + wrap;
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
    // Lua: a text of its own brackets.
    let lua = sign.ends_with('=') && rest.starts_with("[[") && !rest.starts_with("[[\"") && !rest.starts_with("[['");
    if lua && rest.starts_with("[[***") {
        return nothing;
    }
    let list = !lua
        && rest.strip_prefix('[').is_some_and(|rest| {
            rest.trim_start().starts_with(['"', '\'', '[', ']', '\\', '&'])
                || rest.starts_with(|c: char| c.is_whitespace())
        });
    if list && class != Class::Authorization {
        return listed(text, at, class);
    }
    if rest.starts_with("- ")
        && matches!(class, Class::Password | Class::Secret)
        && (remarked || whole.as_str().contains('\n'))
    {
        return below(text, at, class);
    }
    let Some(value) = extent::of(text, at) else { return nothing };
    // The next line is a value only if nothing else stands in it: `if password:` has statements below.
    let blanks = whole.as_str().get(whole.as_str().trim_end().len()..).unwrap_or_default();
    let below = (remarked || blanks.contains('\n')) && sign.ends_with(':') && !value.quoted;
    if below && (!ends_a_line(text, value.end) || is_statement(text.get(value.range.clone()).unwrap_or_default())) {
        return nothing;
    }
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
        colon: sign.ends_with(':'),
        tight: whole.as_str().ends_with(':'),
        json: whole.as_str().contains('"'),
        quoted: value.quoted,
        assigned: whole.as_str().ends_with(" = "),
        passed: sign.ends_with("PASS:") && !whole.as_str().ends_with(':'),
    };
    let ends = context.after.trim_start_matches([' ', '*', '`']).chars().next().is_none_or(|c| "\r\n<".contains(c));
    let plain = emphasised && !ends && !said.bytes().any(|b| b.is_ascii_digit());
    if plain || !context.is_meant(class, said) {
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
    let mut end = value.end.max(range.end);
    if context.quoted {
        range = extent::whole_text(text, range);
        end = end.max(range.end);
        let opened = text.get(from..at).is_some_and(|wrap| wrap.ends_with('('));
        let parts: Vec<_> = extent::joined(text, end, opened).collect();
        end = parts.last().map_or(end, |part| part.end);
        return (std::iter::once(range).chain(parts.into_iter().map(|part| part.range)).collect(), end);
    }
    let long = extent::whole(text, range);
    end = end.max(long.end);
    (vec![long], end)
}

/// What a statement compares with: `IN ('…', '…')`, `LIKE '…'`.
static COMPARES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?i)(?:not\s+)?(?:(?<l>in\s*\(\s*')|(?:i?like|rlike|regexp|<>|!=)\s*')").ok());

/// The texts of a list of YAML below a name.
fn below(text: &str, at: usize, class: Class) -> (Vec<Range<usize>>, usize) {
    let indent = behind(text.get(..at).unwrap_or_default()).rsplit('\n').next().unwrap_or_default().len();
    let (mut places, mut next) = (Vec::new(), at);
    while let Some(item) = text.get(next..).and_then(|rest| rest.strip_prefix("- ")) {
        let line = item.split('\n').next().unwrap_or_default();
        let said = line.split(" #").next().unwrap_or_default().trim();
        let said = match said.as_bytes() {
            [b'"', .., b'"'] | [b'\'', .., b'\''] => said.get(1..said.len() - 1).unwrap_or_default(),
            _ => said,
        };
        // What a sentence goes on with is no list of secrets.
        if said.contains(", ") && !line.contains(['"', '\'']) {
            return (Vec::new(), at + 1);
        }
        let plain =
            !(said.contains(": ") || said.ends_with(':') || said.starts_with(['{', '[', '&', '*', '!', '|', '>', '-']));
        if plain && Context::alone("").is_meant(class, said) {
            let start = next + 2 + line.find(said).unwrap_or_default();
            places.push(start..start + said.len());
        }
        let below = next + 2 + line.len() + 1;
        // Blank lines and remarks end no list.
        let below = below + skipped(text.get(below..).unwrap_or_default());
        let blank = text.get(below..).map_or(0, |rest| rest.len() - rest.trim_start_matches(' ').len());
        if blank != indent {
            break;
        }
        next = below + blank;
    }
    (places, next.max(at + 1).min(text.len()))
}

/// How long a remark behind a sign is, with blank lines and lines of remarks below it: where a line says something else again.
fn remarks(rest: &str) -> usize {
    if !rest.starts_with("# ") {
        return 0;
    }
    let line = near(rest).find('\n').map_or(0, |end| end + 1);
    let below = line + skipped(rest.get(line..).unwrap_or_default());
    let blanks = rest.get(below..).map_or(0, |said| said.len() - said.trim_start_matches([' ', '\t']).len());
    if line == 0 { 0 } else { below + blanks }
}

/// How long the blank lines and lines of remarks are with which a text begins; no more than a few of them.
fn skipped(text: &str) -> usize {
    let is_said = |line: &&str| !line.trim_start().is_empty() && !line.trim_start().starts_with('#');
    let lines =
        near(text).split_inclusive('\n').take(SKIPPED).take_while(|line| !is_said(line) && line.ends_with('\n'));
    lines.map(str::len).sum()
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
    /// A sign with blanks on both sides, as code is written.
    assigned: bool,
    /// `PASS: …`, as tests tell.
    passed: bool,
}

impl<'t> Context<'t> {
    /// Of a value of which nothing but its name is known.
    fn alone(name: &'t str) -> Self {
        Self {
            name,
            before: "",
            after: "",
            colon: false,
            tight: false,
            json: true,
            quoted: true,
            assigned: false,
            passed: false,
        }
    }

    /// Whether the name says how many of them there were.
    fn counts(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        ["fail", "invalid", "wrong", "count", "total", "num", "max", "min", "weak"].iter().any(|of| name.contains(of))
    }

    /// Whether a value without quotes is of a program: its own name or that of another variable, a type, a part of a style, or what
    /// brackets tell instead of it.
    fn is_code(&self, value: &str) -> bool {
        let (root, own) = self
            .name
            .split_once('.')
            .map_or(("", self.name), |(root, _)| (root, self.name.rsplit('.').next().unwrap_or_default()));
        let field = self.assigned && !root.is_empty();
        let variable = field && names::is_name(value) && (evidence::is_root(root) || self.after.starts_with(';'));
        field && value.eq_ignore_ascii_case(own)
            || variable
            || self.assigned && evidence::is_attribute(value)
            || self.colon && evidence::is_type(value, self.after)
            || self.tight && evidence::is_of_a_style(self.name, self.before, value)
            || evidence::is_remark(value, self.after)
    }

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
            let few = value.len() < 4 || value.contains('.');
            let count =
                digits && if self.json { few || !class.has_digits(value) || self.counts() } else { self.colon && few };
            let may = self.tight && evidence::is_permission(value.split(',').next().unwrap_or_default());
            if prose || count || may || self.is_code(value) || evidence::is_expression(value, self.after) {
                return false;
            }
        }
        let name = self.name.to_ascii_lowercase();
        match class {
            Class::Password if name.ends_with("pwd") => !evidence::is_path(value),
            // `pass: 12, fail: 0` are counts.
            Class::Password if names::without_number(&name) == "pass" => {
                // Of a test that passed.
                let test = !self.quoted && (self.passed || self.colon && evidence::is_test(value));
                !test && !digits && !evidence::is_measure(value) && !evidence::is_of_a_compiler(behind(self.before))
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
    Class::of(name).is_some_and(|class| Context::alone(name).is_meant(class, seen.value))
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

/// Whether nothing but blanks stands in a line behind a place.
fn ends_a_line(text: &str, at: usize) -> bool {
    near(text.get(at..).unwrap_or_default()).split('\n').next().is_none_or(|rest| rest.trim().is_empty())
}

/// Whether a line is a statement of a program that has one word.
fn is_statement(line: &str) -> bool {
    matches!(line.trim_end_matches(';'), "return" | "pass" | "break" | "continue" | "raise" | "throw" | "yield" | "...")
}

/// The texts of a list below a name: `"password":["hunter2"]`.
fn listed(text: &str, at: usize, class: Class) -> (Vec<Range<usize>>, usize) {
    let (mut places, mut next) = (Vec::new(), at);
    while let Some(rest) = text.get(next..) {
        let blank = rest.len() - rest.trim_start_matches(['[', ',', ' ', '\n', '\t']).len();
        next += blank;
        let remark = text.get(next..).filter(|rest| blank > 0 && (rest.starts_with("# ") || rest.starts_with("// ")));
        if let Some(line) = remark.and_then(|rest| near(rest).find('\n')) {
            next += line;
            continue;
        }
        let Some(value) = extent::of(text, next).filter(|value| value.quoted) else { break };
        let said = text.get(value.range.clone()).unwrap_or_default();
        if Context::alone("").is_meant(class, said) {
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
            if Context::alone(name).is_meant(class, text) {
                std::iter::once(0..text.len()).collect()
            } else {
                Vec::new()
            }
        }
    }
}

/// Whether a number under a name is a password, and no count: of four digits or more.
pub(super) fn is_pin(name: &str, number: &serde_json::Number) -> bool {
    let long = number.as_f64().is_some_and(|number| number.abs() >= 1_000.0);
    long && Class::of(name) == Some(Class::Password) && !name.eq_ignore_ascii_case("pass")
}
