//! The headers that a client sends to a server at an address: those of its entry, wherever the client reads them.

use anyhow::Context;
use serde_json::{Map, Value};

use super::table::Known;

/// The headers of the entry `name`, as the client will send them. A variable that this shell does not have is an error:
/// what the client will make of it cannot be told.
pub(super) fn headers(
    entry: &Map<String, Value>,
    template: &Map<String, Value>,
    known: &Known,
    name: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    let members = |wanted: &'static str| {
        let keys = template.iter().filter(move |(_, marker)| *marker == wanted).map(|(key, _)| key);
        keys.filter_map(|key| entry.get(key))
    };
    let mut headers = Vec::new();
    // Where the client asks a person for a value, it is told apart by the name of the entry.
    let asked = known.inputs.is_some().then(|| format!("{name}-"));
    let variable = |named: &str| value(asked.as_deref().and_then(|lead| named.strip_prefix(lead)).unwrap_or(named));
    for (header, text) in members("$headers").filter_map(Value::as_object).flatten() {
        let Some(text) = text.as_str() else { continue };
        let text = match &known.reference {
            Some(reference) => filled(text, reference, variable)?,
            None => text.to_owned(),
        };
        headers.push((header.clone(), text));
    }
    for named in members("$key_env").filter_map(Value::as_str) {
        headers.push(("Authorization".to_owned(), format!("Bearer {}", value(named)?)));
    }
    let given: Map<String, Value> =
        members("$bridge_env").filter_map(Value::as_object).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let words: Vec<&str> =
        members("$bridge_args").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    for pair in words.windows(2) {
        let [flag, text] = pair else { continue };
        let header = text.split_once(':').filter(|_| *flag == "--header");
        let Some((header, text)) = header else { continue };
        let of_bridge = |named: &str| match given.get(named).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => value(named),
        };
        headers.push((header.to_owned(), filled(text.trim(), "${NAME}", of_bridge)?));
    }
    Ok(headers)
}

/// A text with the values of the variables that it names in the form of `reference`.
fn filled(text: &str, reference: &str, value: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let (lead, end) = reference.split_once("NAME").context("a reference names no variable")?;
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once(lead) {
        let Some((named, after)) = behind.split_once(end) else { break };
        let (named, otherwise) = named.split_once(":-").map_or((named, None), |(named, text)| (named, Some(text)));
        out += before;
        out += &value(named).or_else(|error| otherwise.map(str::to_owned).ok_or(error))?;
        rest = after;
    }
    Ok(out + rest)
}

fn value(named: &str) -> anyhow::Result<String> {
    std::env::var(named).with_context(|| format!("`{named}` is not set here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_in_each_form() {
        let value = |named: &str| if named == "A" { Ok("1".to_owned()) } else { anyhow::bail!("no {named}") };
        for (text, reference, expected) in [
            ("Bearer x", "${NAME}", Some("Bearer x")),
            ("Bearer ${A}-${A}", "${NAME}", Some("Bearer 1-1")),
            ("Bearer ${env:A}", "${env:NAME}", Some("Bearer 1")),
            ("{env:A}", "{env:NAME}", Some("1")),
            ("${B:-two}", "${NAME}", Some("two")),
            ("${A", "${NAME}", Some("${A")),
            ("${B}", "${NAME}", None),
        ] {
            assert_eq!(filled(text, reference, value).ok().as_deref(), expected, "{text}");
        }
    }
}
