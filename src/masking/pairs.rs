//! A name and its value without a sign between them, or the value first.

use std::ops::Range;

use regex::Captures;

use super::{
    named::places,
    names::{behind, is_name, names},
};

/// `ENV DB_PASSWORD s`, `define('DB_PASSWORD', 's')`,
/// `<name>db.password</name><value>s</value>`, `<entry key="password">s</entry>`, `value: s` above `name: DB_PASSWORD`.
pub(super) const PAIRS: [&str; 12] = [
    r#"§(?:ENV|ARG|set\s+-[a-zA-Z]+|setenv|setx)\s+(?<n>[A-Z0-9_]*(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|KEY|CREDENTIALS?)[A-Z0-9_]*)[ \t]+["']?(?<v>[^\s"'=\\][^\s"'\\]*)"#,
    concat!(
        r#"\(\s*\\*["'](?i:(?<n>[a-z0-9_.-]*"#,
        names!(),
        behind!(),
        r#"[a-z0-9_.-]*))\\*["']\s*,\s*\\*["'](?<v>[^"'\n\\]+)\\*["']\s*\)"#
    ),
    concat!(
        r"(?i)<(?:name|key)>\s*(?<n>[^<>\n]*?",
        names!(),
        behind!(),
        r")\s*</(?:name|key)>\s*<(?:value|string)>\s*(?<v>[^<\n]+?)\s*</"
    ),
    concat!(
        r#"(?i)<(?:entry|string|param|property|add|item|setting)\s[^<>\n]{0,100}?(?:key|name)\s*=\s*["'](?<n>[a-z0-9_.-]*"#,
        names!(),
        behind!(),
        r#")["'][^<>\n]{0,100}>\s*(?:<!\[CDATA\[)?(?<v>[^<>\n]+?)\s*(?:\]\]>)?\s*</"#
    ),
    concat!(
        r#"(?i)(?:^|[\s{,])["']?value["']?[ \t]*:[ \t]*["']?(?<v>[^\s"'{}\[,][^"'\n]*?)["']?\s*,?\s*-?\s*["']?(?:name|key)["']?[ \t]*:[ \t]*["']?(?<n>[a-z0-9_.-]*"#,
        names!(),
        behind!(),
        r#")["']?(?:[\s,}]|$)"#
    ),
    // `'s' AS password`, forms and pages of HTML.
    concat!(r#"(?i)'(?<v>[^'\n]+)'\s+as\s+["`]?(?<n>[a-z0-9_]*?"#, names!(), behind!(), r#")(?:["`,)\s;]|$)"#),
    concat!(
        r#"(?i)<(?:input|meta)\s[^<>\n]{0,200}?name=["'](?<n>[a-z0-9_.-]*?"#,
        names!(),
        behind!(),
        r#")["'][^<>\n]{0,200}?\s(?:value|content)=["'](?<v>[^"'<>\n]+)"#
    ),
    concat!(
        r#"(?i)<(?:th|dt|td|label|b|strong)>\s*(?<n>[a-z0-9_. -]{0,40}?"#,
        names!(),
        behind!(),
        r#")\s*:?\s*</[a-z]{1,6}>\s*<(?:td|dd|span)>\s*(?<v>[^<\n]+?)\s*</"#
    ),
    // `["--password","s"]`, and the same as a list of YAML; `name="password"` of a form in parts; a variable of Terraform.
    concat!(
        r#"(?i)\\*["']--?(?<n>[a-z0-9-]*?"#,
        names!(),
        behind!(),
        r#")\\*["']\s*,\s*\\*["'](?<v>[^"'\n\\-][^"'\n\\]*)\\*["']"#
    ),
    concat!(
        r#"(?i)-[ \t]+["']?--?(?<n>[a-z0-9-]*?"#,
        names!(),
        behind!(),
        r#")["']?[ \t]*(?:#[^\n]{0,80})?\r?\n(?:[ \t]*(?:#[^\n]{0,80})?\r?\n){0,3}[ \t]*-[ \t]+["']?(?<v>[^\s"'-][^\s"']*)"#
    ),
    concat!(
        r#"(?i)name=\\*["'](?<n>[a-z0-9_.-]*?"#,
        names!(),
        behind!(),
        r#")\\*["'](?:(?:(?:\\r)?\\n|\r?\n)[ \t]*){2}(?<v>[^\r\n\\]+)"#
    ),
    concat!(
        r#"(?i)variable\s+"(?<n>[a-z0-9_-]*?"#,
        names!(),
        behind!(),
        r#")"\s*\{[^{}]{0,300}?default\s*=\s*"(?<v>[^"\n]+)""#
    ),
];

/// Where one of those is masked.
pub(super) fn paired(_: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(name), Some(value)) = (found.name("n"), found.name("v")) else { return (Vec::new(), 0) };
    let end = found.get(0).map_or(value.end(), |whole| whole.end());
    // A list of names, or of what is looked for and what stands for it.
    if is_name(value.as_str()) {
        return (Vec::new(), end);
    }
    let of = places(name.as_str(), value.as_str()).into_iter();
    (of.map(|place| value.start() + place.start..value.start() + place.end).collect(), end)
}
