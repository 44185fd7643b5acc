//! `{% include "name" %}` in the text of a statement.

use std::ops::Range;

/// Whether a text includes a fragment.
pub(super) fn includes(text: &str) -> bool {
    tags(text).next().is_some()
}

/// `{% include "name" %}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    pub name: &'t str,
    pub range: Range<usize>,
}

/// The tags of a text that include a fragment by its name; any other `include` stays and is found out later.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let start = at + rest.find('{')?;
            let opened = text.get(start..)?;
            let (end, is_tag) = match () {
                () if opened.starts_with("{#") => (closed(opened, b'#')?, false),
                () if opened.starts_with("{{") => (closed(opened, b'}')?, false),
                () if opened.starts_with("{%") => (closed(opened, b'%')?, true),
                () => (1, false),
            };
            at = start + end;
            let tag = opened.get(..end).filter(|_| is_tag).and_then(|tag| tag.get(2..end - 2));
            if let Some(name) = tag.and_then(included) {
                return Some(Tag { name, range: start..at });
            }
        }
    })
}

/// Where a tag ends. Looked for by one character, which is found much faster than two: every text is read so when a server
/// starts.
fn closed(opened: &str, mark: u8) -> Option<usize> {
    let mut ends = opened.match_indices('}').map(|(at, _)| at);
    let before = |at: &usize| at.checked_sub(1).and_then(|at| opened.as_bytes().get(at));
    ends.find(|at| before(at) == Some(&mark)).map(|at| at + 1)
}

/// The name in the inner part of a tag that includes one.
fn included(tag: &str) -> Option<&str> {
    let tag = tag.trim_matches(['-', '+']).trim();
    let name = tag.strip_prefix("include")?.trim();
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    let name = inner('"').or_else(|| inner('\''))?;
    (!name.contains(['"', '\'']) && tag.as_bytes().get(7).is_some_and(|byte| !byte.is_ascii_alphanumeric()))
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_fragment_in_quotes() {
        let names = |text: &str| tags(text).map(|tag| tag.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(r#"({% include "a" %}, {%- include 'b-2' -%}){%include "c"%}"#), ["a", "b-2", "c"]);
        for other in [
            r#"{# {% include "a" %} #}"#,
            r#"{% include a %}"#,
            r#"{% include "a" ignore missing %}"#,
            r#"{% includes "a" %}"#,
            r#"{% include ["a", "b"] %}"#,
            r#"{{ "include" }} { % include "a" % }"#,
            r#"{% include "a""#,
        ] {
            assert!(names(other).is_empty(), "{other}");
        }
        let text = r#"x {% include "a" %} y"#;
        assert_eq!(tags(text).next().map(|tag| text[tag.range].to_owned()).as_deref(), Some(r#"{% include "a" %}"#));
    }
}
