//! A name and its value without a sign between them, or the value first.

use std::ops::Range;

use regex::Captures;

use super::named::{names, places, tells};

/// `ENV DB_PASSWORD s`, `define('DB_PASSWORD', 's')`,
/// `<name>db.password</name><value>s</value>`, `<entry key="password">s</entry>`, `value: s` above `name: DB_PASSWORD`.
pub(super) const PAIRS: [&str; 5] = [
    r#"§(?:ENV|ARG|set\s+-[a-zA-Z]+|setenv|setx)\s+(?<n>[A-Z0-9_]*(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|KEY|CREDENTIALS?)[A-Z0-9_]*)[ \t]+["']?(?<v>[^\s"'=\\][^\s"'\\]*)"#,
    concat!(
        r#"\(\s*\\*["'](?i:(?<n>[a-z0-9_.-]*"#,
        names!(),
        r#"[a-z0-9_.-]*))\\*["']\s*,\s*\\*["'](?<v>[^"'\n\\]+)\\*["']\s*\)"#
    ),
    concat!(
        r"(?i)<(?:name|key)>\s*(?<n>[^<>\n]*?",
        names!(),
        r")\s*</(?:name|key)>\s*<(?:value|string)>\s*(?<v>[^<\n]+?)\s*</"
    ),
    concat!(
        r#"(?i)<(?:entry|string|param|property|add|item|setting)\s[^<>\n]{0,100}?(?:key|name)\s*=\s*["'](?<n>[a-z0-9_.-]*"#,
        names!(),
        r#")["'][^<>\n]{0,100}>\s*(?:<!\[CDATA\[)?(?<v>[^<>\n]+?)\s*(?:\]\]>)?\s*</"#
    ),
    concat!(
        r#"(?i)(?:^|[\s{,])["']?value["']?[ \t]*:[ \t]*["']?(?<v>[^\s"'{}\[,][^"'\n]*?)["']?\s*,?\s*-?\s*["']?(?:name|key)["']?[ \t]*:[ \t]*["']?(?<n>[a-z0-9_.-]*"#,
        names!(),
        r#")["']?(?:[\s,}]|$)"#
    ),
];

/// Where one of those is masked.
pub(super) fn paired(_: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(name), Some(value)) = (found.name("n"), found.name("v")) else { return (Vec::new(), 0) };
    let end = found.get(0).map_or(value.end(), |whole| whole.end());
    // A list of names, or of what is looked for and what stands for it.
    if tells(value.as_str()) {
        return (Vec::new(), end);
    }
    let of = places(name.as_str(), value.as_str()).into_iter();
    (of.map(|place| value.start() + place.start..value.start() + place.end).collect(), end)
}
