//! Secrets of a cluster, as its manifests write them: whatever their data are named.

use std::ops::Range;

use regex::Captures;

use super::{MASK, evidence};

/// What a manifest is of. How far it may be set in is bounded, since each is looked through to its end.
pub(super) const KIND: &str =
    r#"(?m)^(?<i>[ \t]{0,64}(?:-[ \t]+)?)["']?kind["']?[ \t]*:[ \t]*["']?Secret["']?(?:[ \t]+#[^\n]*|[ \t\r]*)$"#;

/// How far from its kind the data of one are looked for, in bytes: as long as a file that is read whole.
const LONGEST: usize = 16 << 20;

/// The name that a line gives to what stands behind it, without quotes.
fn name(said: &str) -> Option<(&str, &str)> {
    let (name, value) = said.trim_start_matches("- ").split_once(':')?;
    Some((name.trim().trim_matches(['"', '\'']), value.trim()))
}

/// The values of the data of the manifest whose kind stands there.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(whole), Some(indent)) = (found.get(0), found.name("i")) else { return (Vec::new(), 0) };
    let column = indent.len();
    let before =
        text.get(text.ceil_char_boundary(whole.start().saturating_sub(LONGEST))..whole.start()).unwrap_or_default();
    // Other manifests stand before and behind it, each with its kind: no further than to those it is looked.
    let is_name = |at: &usize| {
        let behind = before.get(at + "kind".len()..).unwrap_or_default();
        behind.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']).starts_with(':')
    };
    let own = before.rmatch_indices("kind").map(|(at, _)| at).find(is_name).unwrap_or_default();
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
            && (name(said).is_some_and(|(name, _)| name == "kind")
                || (own < column || said.starts_with("- ") && column > 0))
        {
            break;
        }
        if own <= column {
            within = is_of_data(said);
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
    matches!(name(said), Some(("data" | "stringData", behind)) if behind.is_empty() || behind.starts_with(['#', '&']))
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
                "\"kind\": Secret\n\"stringData\":\n  \"db\": letmein\n",
                "\"kind\": Secret\n\"stringData\":\n  \"db\": ***\n",
            ),
            (
                "'data' :\n  db: letmein\n'kind' : 'Secret'\n---\n\"kind\": ConfigMap\ndata:\n  a: b\n",
                "'data' :\n  db: ***\n'kind' : 'Secret'\n---\n\"kind\": ConfigMap\ndata:\n  a: b\n",
            ),
            (
                "\"kind\": ConfigMap\ndata:\n  a: b\n---\n\"kind\": Secret\ndata:\n  db: letmein\n",
                "\"kind\": ConfigMap\ndata:\n  a: b\n---\n\"kind\": Secret\ndata:\n  db: ***\n",
            ),
            (
                r#"{"kind":"SecretList","items":[{"metadata":{"name":"web"},"data":{"db":"bGV0bWVpbg=="}}],"data":{"a":"b"}}"#,
                r#"{"kind":"SecretList","items":[{"metadata":{"name":"web"},"data":{"db":"***"}}],"data":{"a":"b"}}"#,
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
            r#"{"kind":"ConfigMapList","items":[{"data":{"a":"letmein"}}]}"#,
            "kind: Secret\ndata:\n  a: {{ .Values.a }}\nmetadata:\n  name: b\n",
        ] {
            assert_eq!(masking.masked(text).0, text);
        }
    }
}
