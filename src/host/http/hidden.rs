//! What was sent to a service as a secret and must not be seen in what it answers, however it writes it.
//!
//! JSON is read before it is looked through, since a writer may escape any character; other texts are looked through for each
//! character as it is, and as JSON, addresses and pages write it.

use std::{borrow::Cow, fmt::Write as _, sync::OnceLock};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::reading;

/// What stands for a secret.
const MASK: &str = "***";

/// Secrets shorter than this are not looked for in answers: they would be found everywhere.
const SHORTEST: usize = 4;

/// Those that are longer are found in letters of either case too.
const ANY_CASE: usize = 8;

/// Largest expression, in bytes.
const LARGEST: usize = 64 << 20;

/// Secrets of a service.
pub(super) struct Hidden {
    /// The longest first, so that no part of one is left over.
    secrets: Vec<String>,
    /// Compiled with the first answer.
    forms: OnceLock<Option<Regex>>,
}

impl Hidden {
    pub fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, forms: OnceLock::new() }
    }

    /// The text without them.
    pub fn without<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        match self.forms.get_or_init(|| expression(&self.secrets)) {
            Some(forms) => forms.replace_all(text, MASK),
            None => Cow::Owned(self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))),
        }
    }

    /// The JSON of a text without them, and the first members of it that are repeated.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn document(&self, text: &str) -> serde_json::Result<(Value, Vec<String>)> {
        let (mut document, repeated) = reading::document(text)?;
        if !self.secrets.is_empty() {
            self.clear(&mut document);
        }
        Ok((document, repeated.into_iter().map(|key| self.without(&key).into_owned()).collect()))
    }

    /// What a service says of a failure without them: JSON is written anew where it held one.
    pub fn said(&self, text: String) -> String {
        if self.secrets.is_empty() {
            return text;
        }
        if let Ok(mut document) = serde_json::from_str::<Value>(&text)
            && self.clear(&mut document)
        {
            return document.to_string();
        }
        self.without(&text).into_owned()
    }

    /// Whether anything was hidden.
    fn clear(&self, value: &mut Value) -> bool {
        let hidden = |text: &str| match self.without(text) {
            Cow::Owned(shown) => Some(shown),
            Cow::Borrowed(_) => None,
        };
        match value {
            Value::String(text) => {
                let shown = hidden(text);
                let any = shown.is_some();
                *text = shown.unwrap_or_else(|| std::mem::take(text));
                any
            }
            Value::Number(number) => {
                let any = self.secrets.contains(&number.to_string());
                if any {
                    *value = Value::String(MASK.to_owned());
                }
                any
            }
            Value::Array(items) => items.iter_mut().fold(false, |any, item| self.clear(item) | any),
            Value::Object(members) => {
                let mut any = members.values_mut().fold(false, |any, member| self.clear(member) | any);
                if members.keys().any(|name| hidden(name).is_some()) {
                    any = true;
                    let shown = std::mem::take(members).into_iter();
                    *members = shown.map(|(name, value)| (hidden(&name).unwrap_or(name), value)).collect::<Map<_, _>>();
                }
                any
            }
            Value::Null | Value::Bool(_) => false,
        }
    }
}

/// All secrets, each character as it may be written.
fn expression(secrets: &[String]) -> Option<Regex> {
    let any_case = |secret: &str| if secret.len() >= ANY_CASE { "(?i:" } else { "(?:" };
    let form = |secret: &String| secret.chars().fold(any_case(secret).to_owned(), |form, c| form + &written(c)) + ")";
    let forms: Vec<String> = secrets.iter().map(form).collect();
    RegexBuilder::new(&forms.join("|")).size_limit(LARGEST).build().ok()
}

/// The ways in which a character is written: by itself, escaped as in JSON, as in addresses and as in pages.
fn written(c: char) -> String {
    let code = u32::from(c);
    let mut form = format!("(?:{}", regex::escape(c.encode_utf8(&mut [0; 4])));
    if !c.is_alphanumeric() {
        // JSON in JSON doubles its backslashes.
        let _ = write!(form, r"|\\+{}", regex::escape(c.encode_utf8(&mut [0; 4])));
    }
    form.push('|');
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(form, r"\\+u(?i:{unit:04x})");
    }
    // Python, C and shells write bytes and characters so.
    form.push('|');
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(form, r"\\+(?:x(?i:{byte:02x})|{byte:03o})");
    }
    let _ = write!(form, r"|\\+(?:x(?i:{code:02x})|u\{{0*(?i:{code:x})\}}|U(?i:{code:08x}))");
    form.push('|');
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(form, "%(?:25)*(?i:{byte:02x})");
    }
    let _ = write!(form, "|&(?:amp;)*\x23(?:0*{code}|[xX]0*(?i:{code:x}));?");
    let name = match c {
        '&' => "amp",
        '<' => "lt",
        '>' => "gt",
        '"' => "quot",
        '\'' => "apos",
        '/' => "sol",
        _ => "",
    };
    if !name.is_empty() {
        let _ = write!(form, "|&(?:amp;)*{name};");
    }
    if c == ' ' {
        form.push_str(r"|\+");
    }
    form.push(')');
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_as_programs_write_bytes() {
        let hidden = Hidden::new(vec!["quiet<word".to_owned(), "grün<und".to_owned()]);
        for said in [
            r"b'quiet\x3cword'",
            r"quiet\074word",
            r"\x71\x75\x69\x65\x74\x3C\x77\x6f\x72\x64",
            r"quiet\u{3c}word",
            r"quiet\U0000003cword",
            r"gr\xc3\xbcn\074und",
            r"gr\xfcn\x3cund",
        ] {
            let shown = hidden.without(said);
            assert!(shown.contains(MASK) && !shown.contains("word") && !shown.contains("und"), "{said} -> {shown}");
        }
        assert_eq!(hidden.without(r"quiet\x3eword"), r"quiet\x3eword");
    }
}
