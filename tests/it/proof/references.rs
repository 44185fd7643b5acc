//! Functional notation in PostgreSQL: `alias.name` is a call of `name` where the alias has no such column. Every
//! combination of item in FROM, alias, list of columns and reference is judged; what passes is run, shape by shape,
//! and must show no other organisation, no secret and no trace of a call that the caller had no right to.

use std::collections::BTreeMap;

use tfo_mcp::{
    definition::shipped_rules,
    sql::{
        Dialect, TableColumns,
        guard::{Scope, guard},
    },
};

use crate::caller::{Both, ask, assert_no_mark, seen};

/// Judged each time: one statement of so many. `TFO_PROOF=full` judges all.
const STRIDE: usize = 9;

/// What stands in FROM; `{text}` is the text that is meant to be run. The second says what it is called without an alias.
const ITEMS: &[(&str, &str)] = &[
    ("unnest(ARRAY['{text}'])", "unnest"),
    ("unnest(ARRAY['{text}'], ARRAY['{text}'])", "unnest"),
    ("unnest(ARRAY['{text}']) WITH ORDINALITY", "unnest"),
    ("json_array_elements_text('[\"{text}\"]')", "json_array_elements_text"),
    ("jsonb_array_elements_text('[\"{text}\"]')", "jsonb_array_elements_text"),
    ("json_array_elements('[\"{text}\"]')", "json_array_elements"),
    ("jsonb_array_elements('[\"{text}\"]') WITH ORDINALITY", "jsonb_array_elements"),
    ("json_each_text('{\"a\": \"{text}\"}')", "json_each_text"),
    ("jsonb_each_text('{\"a\": \"{text}\"}')", "jsonb_each_text"),
    ("json_object_keys('{\"{text}\": 1}')", "json_object_keys"),
    ("jsonb_object_keys('{\"{text}\": 1}')", "jsonb_object_keys"),
    ("jsonb_path_query('[\"{text}\"]', '$[*]')", "jsonb_path_query"),
    ("string_to_table('{text}', '|')", "string_to_table"),
    ("regexp_split_to_table('{text}', '[|]')", "regexp_split_to_table"),
    ("regexp_matches('{text}', '.*')", "regexp_matches"),
    ("generate_series(1, 2)", "generate_series"),
    ("LATERAL unnest(ARRAY['{text}'])", "unnest"),
    ("(SELECT '{text}'::text AS x)", ""),
    ("(SELECT '{text}'::text)", ""),
    ("LATERAL (SELECT '{text}'::text AS x)", ""),
    ("(VALUES ('{text}'))", ""),
    ("(SELECT email AS x FROM users)", ""),
    ("users", "users"),
    ("w", "w"),
];

const COLUMNS: &[&str] = &["", "(x)", "(ts_stat)", "(x, ordinality)", "({alias})"];

/// Names that would be functions, casts or columns.
const NAMES: &[&str] =
    &["ts_stat", "current_setting", "regclass", "text", "{alias}", "{function}", "value", "x", "ordinality", "upper"];

/// A function's text, and what its answer would say.
const TEXT: &str = "SELECT array_to_tsvector(ARRAY[email, password]) FROM public.users";

fn aliases() -> Vec<String> {
    let mut all: Vec<String> =
        ["", "g", "ts_stat", "current_setting", "regclass", "value", "\"G\""].map(str::to_owned).into();
    // Cut at 63 bytes, two of these are one.
    for (letters, quote) in [("l", ""), ("é", "\"")] {
        let long = letters.repeat(62 / letters.len());
        all.extend(["", "a", "ab", "abc"].map(|more| format!("{quote}{long}{more}{quote}")));
    }
    all
}

/// `alias` and names that PostgreSQL may take for it.
fn qualifiers(alias: &str, function: &str) -> Vec<String> {
    let mut all = vec![alias.to_owned(), function.to_owned(), "h".to_owned()];
    if alias.len() > 60 {
        let bare = alias.trim_matches('"');
        let quote = if alias.starts_with('"') { "\"" } else { "" };
        all.push(format!("{quote}{bare}z{quote}"));
        all.push(format!("{quote}{}{quote}", bare.trim_end_matches(['a', 'b', 'c'])));
    }
    all.retain(|name| !name.is_empty());
    all.sort();
    all.dedup();
    all
}

/// Every statement, in an order that a stride cuts fairly.
pub fn statements() -> Vec<String> {
    let mut all = Vec::new();
    for (item, function) in ITEMS {
        for alias in aliases() {
            for columns in COLUMNS {
                if alias.is_empty() && !columns.is_empty() {
                    continue;
                }
                for qualifier in qualifiers(&alias, function) {
                    for name in NAMES {
                        let fill = |text: &str| text.replace("{alias}", &alias).replace("{function}", function);
                        let (name, columns) = (fill(name), fill(columns));
                        if name.is_empty() {
                            continue;
                        }
                        let text = match name.as_str() {
                            "current_setting" => "search_path",
                            "regclass" => "public.users",
                            _ => TEXT,
                        };
                        let reference = match all.len() % 5 {
                            0..=2 => format!("{qualifier}.{name}"),
                            3 => format!("({qualifier}).{name}"),
                            _ => format!("{qualifier}.\"{}\"", name.trim_matches('"')),
                        };
                        let item = item.replace("{text}", text);
                        let with = if item == "w" {
                            format!("WITH w AS (SELECT '{text}'::text AS x) ")
                        } else {
                            String::new()
                        };
                        let alias = if alias.is_empty() { String::new() } else { format!(" AS {alias}{columns}") };
                        all.push(format!("{with}SELECT {reference} FROM {item}{alias}"));
                    }
                }
            }
        }
    }
    all
}

/// Types by name, listed and not, in every form of a literal with a type.
pub fn literals() -> Vec<(bool, String)> {
    let types = [
        (false, "regclass"),
        (false, "\"regclass\""),
        (false, "regrole"),
        (false, "regproc"),
        (false, "regprocedure"),
        (false, "regnamespace"),
        (false, "regtype"),
        (false, "regconfig"),
        (false, "xml"),
        (false, "jsonpath"),
        (false, "users"),
        (false, "tsvector"),
        (false, "oid"),
        (false, "\"char\""),
        (false, "refcursor"),
        (true, "text"),
        (true, "varchar"),
        (true, "bytea"),
        (true, "json"),
    ];
    let forms = [
        "SELECT {type} '{text}'",
        "SELECT {type} $${text}$$",
        "SELECT {type}'{text}'",
        "SELECT {type}(1) '{text}'",
        "SELECT {type} E'{text}'",
        "SELECT '{text}'::{type}",
        "SELECT ('{text}')::{type}(3)",
        "SELECT '{{text}}'::{type}[]",
        "SELECT '{{text}}'::{type} ARRAY",
        "SELECT CAST('{text}' AS {type})",
        "SELECT CAST('{text}' AS pg_catalog.{type})",
        "SELECT {type}('{text}')",
        "SELECT x.{type} FROM (SELECT '{text}'::text) AS x",
        "SELECT ('{text}'::text).{type}",
        "SELECT {type} FROM unnest(ARRAY['{text}']) AS x",
        "SELECT '{text}' {type}",
        "SELECT 1 WHERE {type} '{text}' IS NOT NULL",
        "SELECT CASE WHEN true THEN {type} '{text}' END",
        "SELECT coalesce({type} '{text}', NULL)",
        "SELECT * FROM unnest(ARRAY[{type} '{text}'])",
        "VALUES ({type} '{text}')",
    ];
    let fill = |(listed, name): (bool, &str), form: &str| {
        let text = if name.contains("role") { "postgres" } else { "public.users" };
        (listed, form.replace("{type}", name).replace("{text}", text))
    };
    types.iter().flat_map(|of| forms.iter().map(move |form| fill(*of, form))).collect()
}

/// What our names for relations are made readable with is the caller's; without it equal statements are equal.
fn shape(sql: &str) -> String {
    let mut pieces = sql.split("tfo$");
    let mut shape = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once('_').unwrap_or_default();
        shape.push_str(&format!("tfo${number}\"{}", rest.split_once('"').unwrap_or_default().1));
    }
    shape
}

fn tables() -> (TableColumns, BTreeMap<String, String>) {
    let table = |name: &str, columns: &[&str]| (name.to_owned(), columns.iter().map(|c| (*c).to_owned()).collect());
    let tables = TableColumns::from([table("users", &["id", "email", "password", "organization_id"])]);
    (tables, BTreeMap::from([("users".to_owned(), "public".to_owned())]))
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_reference_calls_a_function_and_no_literal_looks_a_name_up() {
    let (tables, schemas) = tables();
    let scope = Scope {
        values: 0,
        organization_type: Some("uuid"),
        tables: &tables,
        withheld: &Default::default(),
        declared: &Default::default(),
        schemas: &schemas,
        rules: &shipped_rules(),
    };
    let judge = |sql: &str| guard(Dialect::Postgres, sql, &scope);
    let all = statements();
    assert!(all.len() > 45_000, "only {} statements", all.len());
    let stride = if std::env::var("TFO_PROOF").is_ok_and(|proof| proof == "full") { 1 } else { STRIDE };
    // Each shape once, with a statement that has it.
    let mut passed = BTreeMap::new();
    let mut judged = 0;
    for sql in all.iter().step_by(stride) {
        judged += 1;
        if let Ok(guarded) = judge(sql) {
            passed.entry(shape(&guarded.sql)).or_insert(sql.as_str());
        }
    }
    let literals = literals();
    for (listed, sql) in &literals {
        judged += 1;
        let Ok(guarded) = judge(sql) else { continue };
        // `'text' type` gives a column a name, and is printed so.
        assert!(*listed || guarded.sql.contains("' AS \""), "passed: {sql}");
        passed.entry(shape(&guarded.sql)).or_insert(sql.as_str());
    }
    let both = Both::new().await;
    let mut answered = 0;
    for sql in passed.values() {
        let answer = ask(&both.postgres, sql, Vec::new()).await;
        assert_no_mark(&answer, "PostgreSQL", sql);
        answered += usize::from(answer.is_ok());
        let seen = seen(&answer);
        // `search_path`, a name that was looked up, and a text that was changed.
        for trace in ["$user", "[[\"users\"]]", "SELECT ARRAY_TO_TSVECTOR", "nspname"] {
            assert!(!seen.contains(trace), "something was called: {sql}\n{seen}");
        }
    }
    eprintln!("{judged} of {} judged, {} shapes run, {answered} answered", all.len() + literals.len(), passed.len());
    assert!(answered > 50, "only {answered} answered of {}", passed.len());
}
