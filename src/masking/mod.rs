//! What nobody should read in an answer, a log or the audit log, known by its form: `***` stands there instead.
//!
//! Secrets are masked unless the operator says otherwise, personal data where the operator names their kinds, and forms of
//! the operator's own. It is a net behind the locks, and no lock: what has no form of its own is not recognised, and columns
//! that nobody may see are left out of statements ([`crate::sql::tenancy`]).

mod personal;
mod secrets;

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde_json::Value;

pub use personal::Personal;

/// What stands for what is masked.
pub const MASK: &str = "***";

/// Longest automaton of one form, in bytes: forms of operators are bounded.
const LARGEST: usize = 1 << 20;

/// Whether a text that has a form is what the form is about.
type IsMeant = fn(&str) -> bool;

/// A form of what is masked: the group `v` of its expression, or all of it.
struct Form {
    expression: Regex,
    /// What looks so by chance is let through.
    is_meant: IsMeant,
}

/// The forms in force.
#[derive(Default)]
pub struct Masking {
    written: Vec<(String, IsMeant)>,
    /// Compiled when the first text is looked at, and not when a server starts.
    compiled: OnceLock<Forms>,
}

/// Forms that are compiled.
struct Forms {
    each: Vec<Form>,
    /// All of them at once, since most texts have none. Without it every form is looked for.
    any: Option<RegexSet>,
}

impl Masking {
    /// The forms of secrets, if they are wanted, of these kinds of personal data, and those of the operator by name, which
    /// [`check`] has let pass.
    pub fn new(secrets: bool, personal: &[Personal], own: &BTreeMap<String, String>) -> Self {
        let mut written: Vec<(String, IsMeant)> = Vec::new();
        if secrets {
            written.extend(secrets::FORMS.iter().map(|(form, meant)| ((*form).to_owned(), *meant)));
        }
        written.extend(personal.iter().map(|kind| (kind.form().to_owned(), kind.meant())));
        written.extend(own.values().map(|form| (form.clone(), always as IsMeant)));
        Self { written, compiled: OnceLock::new() }
    }

    /// The forms of secrets alone: for what is masked whatever the operator says, such as the server's own log.
    pub fn secrets() -> &'static Self {
        static SECRETS: OnceLock<Masking> = OnceLock::new();
        SECRETS.get_or_init(|| Self::new(true, &[], &BTreeMap::new()))
    }

    /// The text with what is masked, and how often that was.
    pub fn masked<'t>(&self, text: &'t str) -> (Cow<'t, str>, usize) {
        let mut shown = Cow::Borrowed(text);
        let mut count = 0;
        let forms = self.compiled.get_or_init(|| Forms::of(&self.written));
        let found = forms.any.as_ref().map(|any| any.matches(text));
        let looked_for = |at: usize| found.as_ref().is_none_or(|found| found.matched(at));
        for form in forms.each.iter().enumerate().filter(|(at, _)| looked_for(*at)).map(|(_, form)| form) {
            let replaced = form.expression.replace_all(&shown, |found: &Captures<'_>| form.replace(found, &mut count));
            if let Cow::Owned(replaced) = replaced {
                shown = Cow::Owned(replaced);
            }
        }
        (shown, count)
    }

    /// Masks the texts of a value where they are, names of members too.
    pub fn mask(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let (Cow::Owned(masked), 1..) = self.masked(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    // `{"password": "hunter2"}` is known by both.
                    match value {
                        Value::String(text) if self.masked(&format!("{name}={text}")).1 > 0 => {
                            let (alone, count) = self.masked(text);
                            *text = if count > 0 { alone.into_owned() } else { MASK.to_owned() };
                        }
                        value => self.mask(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl std::fmt::Debug for Masking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masking of {} forms", self.written.len())
    }
}

impl Forms {
    fn of(written: &[(String, IsMeant)]) -> Self {
        let form = |(text, is_meant): &'_ (String, IsMeant)| {
            compiled(text).ok().map(|expression| Form { expression, is_meant: *is_meant })
        };
        let each: Vec<Form> = written.iter().filter_map(form).collect();
        let texts = each.iter().map(|form| form.expression.as_str());
        let any = RegexSetBuilder::new(texts).size_limit(each.len().max(1) * LARGEST).build().ok();
        Self { each, any }
    }
}

impl Form {
    fn replace(&self, found: &Captures<'_>, count: &mut usize) -> String {
        let whole = found.get(0).map_or("", |all| all.as_str());
        let value = found.name("v").or_else(|| found.get(0));
        let Some(value) = value.filter(|value| value.as_str() != MASK && (self.is_meant)(value.as_str())) else {
            return whole.to_owned();
        };
        *count += 1;
        let start = found.get(0).map_or(0, |all| all.start());
        let (before, after) = (value.start() - start, value.end() - start);
        format!("{}{MASK}{}", whole.get(..before).unwrap_or_default(), whole.get(after..).unwrap_or_default())
    }
}

/// Whether a form of an operator can be used.
///
/// # Errors
/// It is no regular expression, is too large, or matches the empty text; says which.
pub fn check(form: &str) -> Result<(), String> {
    match compiled(form) {
        Err(error) => Err(format!("is no regular expression that can be used: {error}")),
        Ok(form) if form.is_match("") => Err("matches the empty text, so that it would mask everything".into()),
        Ok(_) => Ok(()),
    }
}

fn compiled(form: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(form).size_limit(LARGEST).build()
}

fn always(_: &str) -> bool {
    true
}
