//! Secrets of a cluster, as its manifests write them: whatever their data are named.

use std::ops::Range;

use regex::Captures;

use super::{MASK, evidence};

/// What a manifest is of. How far it may be set in is bounded, since each is looked through to its end.
pub(super) const KIND: &str =
    r#"(?m)^(?<i>[ \t]{0,64}(?:-[ \t]+)?)kind:[ \t]*["']?Secret["']?(?:[ \t]+#[^\n]*|[ \t\r]*)$"#;

/// How far from its kind the data of one are looked for, in bytes: as long as a file that is read whole.
const LONGEST: usize = 16 << 20;

/// The values of the data of the manifest whose kind stands there.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(whole), Some(indent)) = (found.get(0), found.name("i")) else { return (Vec::new(), 0) };
    let column = indent.len();
    let before =
        text.get(text.ceil_char_boundary(whole.start().saturating_sub(LONGEST))..whole.start()).unwrap_or_default();
    // Other manifests stand before and behind it, each with its kind: no further than to those it is looked.
    let own = before.rfind("kind:").unwrap_or_default();
    let own = own + before.get(own..).and_then(|before| before.rfind("\n---")).unwrap_or_default();
    let from = whole.start() - before.len() + own;
    let end = text.floor_char_boundary(text.len().min(whole.end() + LONGEST));
    let mut places: Vec<Range<usize>> = Vec::new();
    // Whether the lines are those of the data, how deep their names stand, and how deep the name of a text of several lines does.
    let (mut within, mut names, mut block) = (false, 0, None::<usize>);
    let mut at = from;
    for line in text.get(from..end).unwrap_or_default().split_inclusive('\n') {
        let start = at;
        at += line.len();
        let said = line.trim();
        let own = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
        if said.is_empty() || said.starts_with('#') {
            continue;
        }
        if start >= whole.end() && line.starts_with("---") {
            break;
        }
        if start >= whole.end()
            && own <= column
            && (said.starts_with("kind:") || (own < column || said.starts_with("- ") && column > 0))
        {
            break;
        }
        if own <= column {
            within = is_of_data(said.trim_start_matches("- "));
            (names, block) = (0, None);
            continue;
        }
        if !within {
            continue;
        }
        let value = start + own..start + line.trim_end().len();
        match block.filter(|above| own > *above) {
            // Lines of one value are one place.
            Some(_) => match places
                .last_mut()
                .filter(|last| text.get(last.end..value.start).is_some_and(|b| b.trim().is_empty()))
            {
                Some(last) => last.end = value.end,
                None => places.push(value),
            },
            None => {
                names = if names == 0 { own } else { names };
                let Some((name, value)) = said.split_once(':').filter(|_| own == names) else { continue };
                block = value.trim_start().starts_with(['|', '>']).then_some(own);
                let value = value.trim().trim_matches(['"', '\'']);
                let open = value.is_empty() || value == MASK || evidence::is_placeholder(value) || block.is_some();
                let from = start + own + name.len();
                let first = text.get(from..at).and_then(|rest| rest.find(value));
                places.extend(first.filter(|_| !open).map(|first| from + first..from + first + value.len()));
            }
        }
    }
    let shown = |place: &Range<usize>| {
        text.get(place.clone()).is_some_and(|value| !value.contains(MASK) && !value.contains("-----"))
    };
    places.retain(shown);
    (places, whole.end())
}

/// Whether the data of a manifest stand below a line, whatever is remarked or anchored there.
fn is_of_data(said: &str) -> bool {
    let behind = said.strip_prefix("data:").or(said.strip_prefix("stringData:"));
    behind.is_some_and(|behind| behind.is_empty() || [" #", " &"].iter().any(|sign| behind.starts_with(sign)))
}

#[cfg(test)]
mod tests {
    use super::super::Masking;

    #[test]
    fn data_of_a_secret_of_a_cluster_are_masked_whatever_their_names_and_those_of_others_stay() {
        let masking = Masking::secrets();
        for (text, shown) in [
            (
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\ndata:\n  db: bGV0bWVpbg==\n  # two\n  b: \"eA==\"\ntype: Opaque\n",
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\ndata:\n  db: ***\n  # two\n  b: \"***\"\ntype: Opaque\n",
            ),
            (
                "stringData:\n  conf: |\n    a letmein\n    b letmein\n  x: y\nkind: Secret\n---\nkind: ConfigMap\ndata:\n  a: b\n",
                "stringData:\n  conf: |\n    ***\n  x: ***\nkind: Secret\n---\nkind: ConfigMap\ndata:\n  a: b\n",
            ),
            (
                r#"{"kind":"Secret","data":{"db":"bGV0bWVpbg=="},"metadata":{"name":"web"}}"#,
                r#"{"kind":"Secret","data":{"db":"***"},"metadata":{"name":"web"}}"#,
            ),
        ] {
            assert_eq!(masking.masked(text).0, shown);
        }
        for text in [
            "kind: ConfigMap\ndata:\n  a: letmein\n",
            "kind: Secret\ndata:\n  a: {{ .Values.a }}\nmetadata:\n  name: b\n",
        ] {
            assert_eq!(masking.masked(text).0, text);
        }
    }
}
