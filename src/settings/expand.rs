//! `${NAME}` and `${NAME:-default}` in the texts of a settings file.
//!
//! A variable that is not set and has no default is an error that names it: a literal `${HOST}` in a URL is the
//! mistake that costs people most time.

/// What a text became.
#[derive(Debug, PartialEq)]
pub(super) struct Expanded {
    pub text: String,
    /// Whether a variable was put in; then the text is converted as one of the environment is.
    pub changed: bool,
    /// Variables that are not set and have no default.
    pub missing: Vec<String>,
}

/// Puts variables in. `$${` is a literal `${`; a `$` that is not followed by a brace is itself.
pub(super) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, String> {
    let mut out = Expanded { text: String::with_capacity(text.len()), changed: false, missing: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        let after = after.get(2..).unwrap_or_default();
        if let Some(kept) = before.strip_suffix('$') {
            out.text.push_str(kept);
            out.text.push_str("${");
            rest = after;
            continue;
        }
        out.text.push_str(before);
        let (inside, tail) = after.split_once('}').ok_or("a `${` has no `}`: write `$${` for a literal `${`")?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!("`${{{inside}}}` names no variable: write `${{NAME}}` or `${{NAME:-default}}`"));
        }
        match (lookup(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => out.text.push_str(&value),
            (None, Some(default)) => out.text.push_str(default),
            (None, None) => out.missing.push(name.to_owned()),
        }
        out.changed = true;
        rest = tail;
    }
    out.text.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_defaults_and_escapes() {
        let lookup = |name: &str| (name == "HOST").then(|| "db".to_owned()).or((name == "EMPTY").then(String::new));
        for (text, expanded, missing) in [
            ("plain $5", "plain $5", vec![]),
            ("postgres://${HOST}:${PORT:-5432}/x", "postgres://db:5432/x", vec![]),
            ("${EMPTY:-fallback}", "fallback", vec![]),
            ("$${HOST}", "${HOST}", vec![]),
            ("${HOST:-}${NOPE:-}", "db", vec![]),
            ("${NOPE}/${EMPTY}", "/", vec!["NOPE", "EMPTY"]),
        ] {
            let got = expand(text, &lookup).unwrap();
            assert_eq!(
                (got.text.as_str(), got.missing),
                (expanded, missing.iter().map(|m| m.to_string()).collect()),
                "{text}"
            );
        }
        for bad in ["${HOST", "${}", "${a b}", "${:-x}"] {
            assert!(expand(bad, &lookup).is_err(), "{bad}");
        }
    }
}
