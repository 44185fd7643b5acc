//! The text templates of an action, each with its JSON pointer below it.

use indexmap::IndexMap;

use super::super::{HttpJson, HttpPath, HttpValue};

pub(super) fn texts<'a>(of: &[(&str, Option<&'a String>)]) -> Vec<(String, &'a str)> {
    of.iter().filter_map(|(key, text)| Some((format!("/{key}"), text.as_ref()?.as_str()))).collect()
}

/// The templates of a request.
pub(super) fn http_texts<'a>(
    path: &'a HttpPath,
    query: &'a IndexMap<String, HttpValue>,
    headers: &'a IndexMap<String, String>,
    json: Option<&'a HttpJson>,
    form: Option<&'a IndexMap<String, HttpValue>>,
) -> Vec<(String, &'a str)> {
    let key = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let valued = |under: &'static str, values: &'a IndexMap<String, HttpValue>| {
        values.iter().map(move |(name, value)| {
            let (below, text) = value.text();
            (format!("/{under}/{}{below}", key(name)), text)
        })
    };
    let path = [("/path".to_owned(), path.as_str())];
    let headers = headers.iter().map(|(name, text)| (format!("/headers/{}", key(name)), text.as_str()));
    let json = json.into_iter().flat_map(HttpJson::texts).map(|(at, text)| (format!("/json{at}"), text));
    let form = form.into_iter().flat_map(|form| valued("form", form));
    path.into_iter().chain(valued("query", query)).chain(headers).chain(json).chain(form).collect()
}
