//! Personas speak of what the model is shown: what they put in backticks is a heading, a section, a value or the name
//! of a type, or a word of the trade that is listed here. Read from the definitions; no statement runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    definition::{Context, Join, Section, Tree},
};

use crate::support::pack::catalog;

/// Commands, views of databases, texts of errors and values that are data: no definition says them.
const OF_THE_TRADE: [(&str, &[&str]); 13] = [
    ("call-failure-analyst", &["timed out waiting for connection", "no such host", "401", "a → b → c"]),
    ("clickhouse-expert", &["OPTIMIZE FINAL", "system.part_log"]),
    ("dependency-analyst", &["a → b → c (postgresql)"]),
    ("dependency-risk-analyst", &["sync", "async", "cache"]),
    ("mysql-expert", &["SHOW REPLICA STATUS"]),
    ("name-service-analyst", &["dig", "nslookup"]),
    ("network-link-analyst", &["mtr"]),
    ("postgresql-expert", &["VACUUM FULL", "pg_stat_activity"]),
    ("query-analyst", &["EXPLAIN"]),
    ("slow-query-analyst", &["FOR UPDATE", "pg_stat_activity"]),
    ("sql-server-expert", &["sys.dm_exec_requests"]),
    ("sqlite-expert", &["VACUUM"]),
    ("timescale-expert", &["timescaledb_information.job_errors"]),
];

/// A model that is told of `prev_times` looks in vain under `times before`.
#[test]
fn what_personas_put_in_backticks_is_shown_in_their_documents() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let mut faults = Vec::new();
    let mut right = 0;
    for (name, persona) in &catalog.personas {
        let types: Vec<&Context> =
            catalog.contexts.values().map(|entry| &entry.definition).filter(|of| of.persona.0 == *name).collect();
        let found = foreign(&catalog, &types, &persona.prompt);
        right += quoted(&persona.prompt).count() - found.len();
        let listed = OF_THE_TRADE.iter().find(|(of, _)| of == name).map_or(&[][..], |(_, words)| *words);
        for word in found.iter().filter(|word| !listed.contains(*word)) {
            let mut known = types.iter().flat_map(|context| columns(&catalog, context));
            let heading = known.find(|(column, _)| column == word).map(|(_, heading)| heading);
            faults.push(match heading {
                Some(heading) => format!("{name}: `{word}` is shown as `{heading}`"),
                None => format!("{name}: `{word}` is in none of its documents"),
            });
        }
        for word in listed.iter().filter(|word| !found.contains(*word)) {
            faults.push(format!("{name}: `{word}` needs not be listed here any more"));
        }
    }
    let known = |name: &str| catalog.personas.contains_key(name);
    faults.extend(OF_THE_TRADE.iter().filter(|(name, _)| !known(name)).map(|(name, _)| format!("{name}: no persona")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(right > 300, "only {right} words in backticks were found right");
}

/// Most of four words in a row that two personas may share, in a hundred of the shorter one.
const ALIKE: usize = 10;

/// Ten of them side by side read as ten experts: none is another one with the names changed, and no sentence stands twice.
#[test]
fn no_two_personas_are_alike() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let prompts: Vec<_> = catalog.personas.iter().map(|(name, persona)| (name, persona.prompt.as_str())).collect();
    assert!(prompts.len() >= 75, "{} personas", prompts.len());
    let mut faults = Vec::new();
    let mut sentences = BTreeMap::new();
    for (index, (name, prompt)) in prompts.iter().enumerate() {
        for sentence in prompt.split(['.', ':', ';', '\n']).map(words).filter(|sentence| sentence.len() >= 6) {
            if let Some(other) = sentences.insert(sentence.join(" "), name).filter(|other| *other != name) {
                faults.push(format!("{other} and {name} say: {}", sentence.join(" ")));
            }
        }
        for (other, theirs) in &prompts[..index] {
            let (shared, of) = likeness(prompt, theirs);
            if shared * 100 > ALIKE * of {
                faults.push(format!("{other} and {name}: {shared} of {of} runs of four words are the same"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The measure sees a persona with the names changed.
    let (name, prompt) = prompts[0];
    let (shared, of) = likeness(prompt, &prompt.replace("the", "these"));
    assert!(shared * 100 > ALIKE * of && shared < of, "{name}: {shared} of {of}");
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// How many runs of four words two texts share, of those of the shorter text.
fn likeness(one: &str, other: &str) -> (usize, usize) {
    let [one, other] = [one, other].map(|text| words(text).windows(4).map(<[_]>::to_vec).collect::<BTreeSet<_>>());
    (one.intersection(&other).count(), one.len().min(other.len()))
}

#[test]
fn names_of_columns_keys_of_sections_and_broken_headings_are_found() {
    let catalog = catalog(&[], &CatalogOptions::default());
    let types = [&catalog.contexts.get("kubernetes-events").unwrap().definition];
    let right = "`times before` `what it says` `Objects with most warnings` `kubernetes-pods` `Warning`";
    assert_eq!(foreign(&catalog, &types, right), Vec::<&str>::new());
    let wrong = "`prev_times` `what it\nsays` `objects with most warnings` `spaces` `times befor` `one` `names`";
    let expected =
        ["prev_times", "what it\nsays", "objects with most warnings", "spaces", "times befor", "one", "names"];
    assert_eq!(foreign(&catalog, &types, wrong), expected);
}

#[test]
fn the_names_of_a_list_are_those_of_the_outermost_select() {
    let statement = "WITH z AS (SELECT y FROM t) SELECT DISTINCT a.b, c AS d, count(*) AS n, [e, f] AS g -- k, l
        {% if x %}, sum(h, (SELECT i FROM t)) AS j{% endif %}, 'o, p' AS q, {{ r }} AS s FROM a, u ORDER BY v, w";
    let expected = ["b", "d", "g", "j", "n", "q", "s"];
    assert!(selected(statement).iter().eq(expected), "{:?}", selected(statement));
}

/// What stands in backticks, in order.
fn quoted(prompt: &str) -> impl Iterator<Item = &str> {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").unwrap());
    QUOTED.captures_iter(prompt).filter_map(|found| found.get(1)).map(|found| found.as_str())
}

/// What stands in backticks and is neither shown in a document of one of the types nor the name of one.
fn foreign<'a>(catalog: &Catalog, types: &[&Context], prompt: &'a str) -> Vec<&'a str> {
    let headings = types.iter().flat_map(|context| columns(catalog, context)).map(|(_, heading)| heading);
    let titles = types.iter().flat_map(|context| parts(context)).map(|section| section.title.clone());
    let shown: BTreeSet<String> = headings.chain(titles).collect();
    let sections = types.iter().flat_map(|context| context.sections.values());
    let statements: Vec<&str> = sections.flat_map(statements).collect();
    let is_value = |word: &str| {
        let written = format!("'{word}'");
        statements.iter().any(|statement| statement.contains(&written))
    };
    quoted(prompt).filter(|word| !shown.contains(*word) && catalog.context(word).is_none() && !is_value(word)).collect()
}

/// The sections of a document that have a heading.
fn parts(context: &Context) -> impl Iterator<Item = &Section> {
    context.sections.values().filter(|section| section.show && !section.when_empty)
}

fn statements(section: &Section) -> impl Iterator<Item = &str> {
    section.query.iter().flat_map(|way| way.sql.texts())
}

/// The columns of a document, and their headings without units.
fn columns(catalog: &Catalog, context: &Context) -> Vec<(String, String)> {
    let mut columns = Vec::new();
    for part in parts(context) {
        let beside = part.join.as_ref().map(|join| &context.sections[&join.section]);
        for section in [Some(part), beside].into_iter().flatten() {
            for name in statements(section).flat_map(selected) {
                let heading = catalog.columns.column(&section.columns, &name).title;
                columns.push((name.clone(), heading.unwrap_or(name)));
            }
        }
        let joined = beside.map(|_| Join::FOUND_IN);
        let added = part.tree.iter().flat_map(|_| Tree::COLUMNS).chain(joined);
        columns.extend(added.map(|name| (name.to_owned(), name.to_owned())));
    }
    columns
}

/// The names that the outermost `SELECT` of a statement gives to what it answers, in all branches of its template.
fn selected(statement: &str) -> BTreeSet<String> {
    static NOISE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)\{[#%].*?[#%]\}|\{\{.*?\}\}|--[^\n]*|/\*.*?\*/|'[^']*'").unwrap());
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[()\[\],]|[A-Za-z_]\w*").unwrap());
    const BEHIND: [&str; 9] = ["from", "prewhere", "where", "group", "having", "order", "limit", "union", "settings"];
    let bare = NOISE.replace_all(statement, " ");
    let (mut names, mut last, mut depth, mut listed) = (BTreeSet::new(), None, 0_usize, false);
    for token in TOKEN.find_iter(&bare).map(|found| found.as_str()) {
        match token {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            "," => names.extend(last.take()),
            _ if token.eq_ignore_ascii_case("select") => listed = true,
            _ if BEHIND.iter().any(|word| token.eq_ignore_ascii_case(word)) => {
                names.extend(last.take());
                listed = false;
            }
            _ if listed => last = Some(token.to_owned()),
            _ => {}
        }
    }
    names.extend(last);
    names
}
