//! Statements that are confined and statements that are not, by both readers.

use super::*;

use Dialect::{ClickHouse, Postgres, Sqlite};

/// What is wrong by either reader that understands the statement: `-` before a table that is not confined, `~` before
/// a folded rollup, `?` where something is unknown.
fn found(dialect: Dialect, template: &str) -> String {
    let variants = variants(template, dialect).unwrap();
    let mut all: Vec<String> = Vec::new();
    let mut read = 0;
    for variant in &variants {
        let tokens = lex::tokens(dialect, &variant.sql).unwrap();
        let selects = tokens.iter().filter(|token| token.is_word("select")).count();
        let named = by_name(dialect, &tokens);
        all.extend(named.iter().map(|_| "?".to_owned()));
        let readers = [tree::read(dialect, &variant.sql, selects), words::read(dialect, &tokens, selects)];
        let mut said: Vec<Vec<String>> = Vec::new();
        for query in readers.into_iter().flatten() {
            read += 1;
            let mut names: Vec<String> =
                proof::prove(&query, dialect, renames(dialect, &tokens), &crate::definition::shipped_rules())
                    .into_iter()
                    .map(|fault| match fault.kind {
                        FaultKind::Unconfined { table, .. } => format!("-{table}"),
                        FaultKind::Folded { table, .. } => format!("~{table}"),
                        FaultKind::Secret { table, .. } => format!("!{table}"),
                        FaultKind::Unknown(_) => "?".to_owned(),
                    })
                    .collect();
            names.sort();
            said.push(names);
        }
        if let [tree, words] = said.as_slice() {
            assert_eq!(tree, words, "the readers differ about {}", variant.sql);
        }
        all.extend(said.into_iter().flatten());
    }
    assert!(read > 0, "nobody reads {template}");
    all.sort();
    all.dedup();
    all.join(" ")
}

fn check(cases: &[(Dialect, &str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(dialect, template, expected)| (template.replace("ORG", "{{ organization_id }}"), dialect, expected))
        .filter_map(|(template, dialect, expected)| {
            let found = found(*dialect, &template);
            (found != **expected).then(|| format!("{dialect} {template}\n    found `{found}`, expected `{expected}`"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statements_that_were_accepted_and_read_other_tenants_rows() {
    // Review A0.
    check(&[
        (
            ClickHouse,
            "SELECT s, countIf(organization_id = ORG) AS mine, count() AS n FROM traces GROUP BY s",
            "-traces",
        ),
        (ClickHouse, "SELECT s, organization_id = ORG AS own FROM traces LIMIT {{ limit }}", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE organization_id = ORG OR status_code = 'ERROR'", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE NOT (organization_id = ORG)", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE ORG = ORG", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE ORG = 'x' OR 1 = 1", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE service_name = ORG", "-traces"),
        (ClickHouse, "SELECT s FROM traces GROUP BY s HAVING any(organization_id) = ORG", "-traces"),
        (
            ClickHouse,
            "SELECT l.body FROM logs AS l LEFT JOIN traces AS t ON t.trace_id = l.trace_id AND t.organization_id = ORG",
            "-logs",
        ),
        (ClickHouse, "SELECT sum(count) AS n FROM logs_1h WHERE organization_id = ORG", "~logs_1h"),
    ]);
}

#[test]
fn a_condition_of_its_own_confines_its_table() {
    check(&[
        (ClickHouse, "SELECT s FROM traces WHERE organization_id = ORG AND (a OR b) AND NOT c", ""),
        (ClickHouse, "SELECT s FROM traces PREWHERE ORG = organization_id WHERE a", ""),
        (ClickHouse, "SELECT s FROM traces FINAL WHERE toUUID(organization_id) = toUUID(ORG)", ""),
        (ClickHouse, "SELECT s FROM traces AS t WHERE (a AND (t.organization_id = ORG))", ""),
        (Postgres, "SELECT s FROM users WHERE organization_id = ORG::uuid", ""),
        (Postgres, "SELECT s FROM users u WHERE u.organization_id::text = CAST(ORG AS text)", ""),
        (Postgres, "SELECT s FROM users WHERE Organization_Id = ORG", ""),
        (Sqlite, "SELECT s FROM users WHERE a BETWEEN 1 AND 2 AND organization_id = ORG", ""),
        (Postgres, "SELECT s FROM users WHERE CASE WHEN a THEN b END AND organization_id = ORG", ""),
        // Not the column, not equal, not a cast, not for every row.
        (ClickHouse, "SELECT s FROM traces WHERE Organization_id = ORG", "-traces"),
        (Postgres, "SELECT s FROM users WHERE organization_id <> ORG", "-users"),
        (Postgres, "SELECT s FROM users WHERE organization_id = {{ user_id }}", "-users"),
        (Postgres, "SELECT s FROM users WHERE left(organization_id, 1) = left(ORG, 1)", "-users"),
        (Postgres, "SELECT s FROM users WHERE organization_id::varchar(1) = ORG", "-users"),
        (Postgres, "SELECT s FROM users WHERE CASE WHEN organization_id = ORG THEN true ELSE true END", "-users"),
        (
            Postgres,
            "SELECT s FROM users WHERE CASE WHEN a THEN b AND organization_id = ORG AND c ELSE true END",
            "-users",
        ),
        (Postgres, "SELECT s FROM users WHERE (organization_id = ORG) = false", "-users"),
        (Postgres, "SELECT s FROM users WHERE (organization_id = ORG) IS NOT NULL", "-users"),
        (Postgres, "SELECT s FROM users WHERE a BETWEEN 1 AND organization_id = ORG", "-users"),
        (Postgres, "SELECT s FROM users WHERE organization_id = ORG AND a OR b", "-users"),
        (Postgres, "SELECT s FROM users WHERE (organization_id = ORG OR organization_id IS NULL)", "-users"),
        (Postgres, "SELECT count(*) FILTER (WHERE organization_id = ORG) AS n FROM users", "-users"),
        (ClickHouse, "SELECT s FROM traces WHERE organization_id = ORG AND x ? 1 : 1", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE organization_id = ORG AND format OR 1 = 1", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE if(organization_id = ORG, 1, 1)", "-traces"),
        (ClickHouse, "SELECT s FROM traces WHERE a LIMIT 1 BY organization_id = ORG", "-traces"),
    ]);
}

#[test]
fn another_thing_of_the_same_name_confines_nothing() {
    check(&[
        // ClickHouse lets the bare name mean the selected value, which equals itself.
        (ClickHouse, "SELECT ORG AS organization_id, s FROM traces WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "SELECT service_name AS organization_id FROM traces WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "WITH ORG AS organization_id SELECT s FROM traces WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "SELECT f(x AS organization_id) AS y FROM traces WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "SELECT s FROM traces ARRAY JOIN a AS organization_id WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "SELECT * REPLACE (ORG AS organization_id) FROM traces WHERE organization_id = ORG", "-traces"),
        (ClickHouse, "SELECT ORG AS organization_id, s FROM traces AS t WHERE t.organization_id = ORG", ""),
        (Sqlite, "SELECT ORG AS organization_id FROM user_sessions WHERE organization_id = ORG", "-user_sessions"),
        (Postgres, "SELECT x.s FROM users AS x(a, organization_id) WHERE x.organization_id = ORG", "-users"),
        // In a subquery the bare name may be a column of what is around it.
        (
            Postgres,
            "SELECT u.s FROM users u WHERE u.organization_id = ORG AND EXISTS (SELECT 1 FROM t WHERE organization_id = ORG)",
            "-t",
        ),
        (
            Postgres,
            "SELECT u.s FROM users u WHERE u.organization_id = ORG AND EXISTS (SELECT 1 FROM t WHERE t.organization_id = ORG)",
            "",
        ),
        // There is nothing around it where the `SELECT` has no `FROM`, and something where one further out has.
        (ClickHouse, "SELECT arrayJoin((SELECT groupArray(s) FROM traces WHERE organization_id = ORG)) AS x", ""),
        (
            ClickHouse,
            "SELECT x FROM (SELECT arrayJoin((SELECT groupArray(s) FROM traces WHERE organization_id = ORG)) AS x)",
            "",
        ),
        (
            ClickHouse,
            "SELECT 'x' AS organization_id, (SELECT max(s) FROM traces WHERE organization_id = ORG) AS x",
            "-traces",
        ),
        (Postgres, "SELECT (SELECT (SELECT max(s) FROM t WHERE organization_id = ORG)) FROM numbers", "-numbers -t"),
        (Postgres, "SELECT 1 FROM users a, users b WHERE organization_id = ORG", "-users"),
    ]);
}

#[test]
fn joins_pass_confinement_on() {
    check(&[
        (Postgres, "SELECT 1 FROM a JOIN b ON b.organization_id = a.organization_id WHERE a.organization_id = ORG", ""),
        (Postgres, "SELECT 1 FROM a JOIN b ON b.organization_id = a.organization_id AND a.organization_id = ORG", ""),
        (Postgres, "SELECT 1 FROM a JOIN b USING (organization_id) WHERE a.organization_id = ORG", ""),
        (Postgres, "SELECT 1 FROM a NATURAL JOIN b WHERE a.organization_id = ORG", "-b"),
        (Postgres, "SELECT 1 FROM a JOIN b ON b.id = a.id WHERE a.organization_id = ORG", "-b"),
        (Postgres, "SELECT 1 FROM a JOIN b ON b.organization_id = a.organization_id", "-a -b"),
        (Postgres, "SELECT 1 FROM a LEFT JOIN b ON b.organization_id = ORG WHERE a.organization_id = ORG", ""),
        (Postgres, "SELECT 1 FROM a LEFT JOIN b ON a.organization_id = ORG AND b.organization_id = ORG", "-a"),
        (
            Postgres,
            "SELECT 1 FROM a LEFT JOIN b ON b.organization_id = ORG WHERE a.organization_id = b.organization_id",
            "",
        ),
        (Postgres, "SELECT 1 FROM a RIGHT JOIN b ON a.organization_id = ORG", "-b"),
        (Postgres, "SELECT 1 FROM a FULL JOIN b ON a.organization_id = ORG AND b.organization_id = ORG", "-a -b"),
        (
            Postgres,
            "SELECT 1 FROM a LEFT JOIN (b JOIN c ON c.organization_id = b.organization_id) ON b.organization_id = ORG WHERE a.organization_id = ORG",
            "",
        ),
        (Postgres, "SELECT 1 FROM a, b WHERE a.organization_id = ORG AND b.organization_id = a.organization_id", ""),
        (
            Postgres,
            "SELECT 1 FROM a JOIN LATERAL (SELECT x FROM b WHERE b.organization_id = ORG) c ON true WHERE a.organization_id = ORG",
            "",
        ),
        (
            Postgres,
            "SELECT 1 FROM a JOIN LATERAL (SELECT x FROM b WHERE organization_id = ORG) c ON true WHERE a.organization_id = ORG",
            "-b",
        ),
        // ClickHouse fills in empty texts, which equal each other.
        (
            ClickHouse,
            "SELECT 1 FROM a LEFT JOIN b ON b.organization_id = ORG WHERE a.organization_id = b.organization_id",
            "-a",
        ),
        (ClickHouse, "SELECT 1 FROM a ANY LEFT JOIN b ON b.organization_id = ORG WHERE a.organization_id = ORG", ""),
        (
            ClickHouse,
            "SELECT 1 FROM a SEMI LEFT JOIN b ON b.x = a.x AND b.organization_id = ORG AND a.organization_id = ORG",
            "",
        ),
        (ClickHouse, "SELECT 1 FROM a LEFT ANTI JOIN b ON b.organization_id = ORG AND a.organization_id = ORG", "-a"),
        (
            ClickHouse,
            "SELECT 1 FROM a ASOF JOIN b ON a.organization_id = b.organization_id AND a.t > b.t WHERE a.organization_id = ORG",
            "",
        ),
        (
            ClickHouse,
            "SELECT 1 FROM a GLOBAL ANY INNER JOIN b USING (organization_id) WHERE a.organization_id = ORG",
            "",
        ),
        // On its path a table needs no column of its own.
        (Postgres, "SELECT 1 FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE u.organization_id = ORG", ""),
        (
            Postgres,
            "SELECT 1 FROM user_sessions s JOIN users u ON u.id = s.id WHERE u.organization_id = ORG",
            "-user_sessions",
        ),
        (Postgres, "SELECT 1 FROM user_sessions s JOIN users u ON u.id = s.user_id", "-user_sessions -users"),
        (
            Postgres,
            "SELECT 1 FROM user_sessions s LEFT JOIN users u ON u.id = s.user_id AND u.organization_id = ORG",
            "-user_sessions",
        ),
        (
            Postgres,
            "WITH own AS (SELECT id, email FROM users WHERE organization_id = ORG) \
             SELECT 1 FROM user_sessions s JOIN own ON own.id = s.user_id",
            "",
        ),
        (
            Postgres,
            "SELECT 1 FROM user_roles r JOIN users u ON u.id = r.user_id JOIN roles x ON x.id = r.role_id WHERE u.organization_id = ORG",
            "",
        ),
        // Defaults are everybody's, in these tables only.
        (
            Postgres,
            "SELECT 1 FROM retention_policies WHERE (organization_id = ORG OR organization_id IS NULL) AND a",
            "",
        ),
        (Postgres, "SELECT 1 FROM retention_policies WHERE organization_id IS NULL OR organization_id = ORG", ""),
        (
            Postgres,
            "SELECT 1 FROM retention_policies WHERE (organization_id = ORG OR name IS NULL)",
            "-retention_policies",
        ),
        (
            Postgres,
            "SELECT 1 FROM retention_policies WHERE (organization_id = ORG OR organization_id IS NULL OR a)",
            "-retention_policies",
        ),
    ]);
}

#[test]
fn each_part_is_judged_by_itself() {
    check(&[
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG UNION ALL SELECT 1 FROM b", "-b"),
        (ClickHouse, "SELECT 1 FROM (SELECT 1 FROM a WHERE organization_id = ORG UNION ALL SELECT 1 FROM b)", "-b"),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG AND id IN (SELECT id FROM b)", "-b"),
        (Postgres, "SELECT (SELECT max(x) FROM b) AS m FROM a WHERE organization_id = ORG", "-b"),
        (
            Postgres,
            "SELECT 1 FROM a WHERE a.organization_id = ORG AND EXISTS (SELECT 1 FROM b WHERE b.organization_id = a.organization_id)",
            "",
        ),
        (
            Postgres,
            "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.organization_id = a.organization_id)",
            "-a -b",
        ),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG ORDER BY (SELECT max(x) FROM b)", "-b"),
        (
            ClickHouse,
            "SELECT arrayMap(x -> x + (SELECT max(y) FROM b), z) AS m FROM a WHERE organization_id = ORG",
            "-b",
        ),
        (ClickHouse, "SELECT s FROM (SELECT * FROM a) WHERE organization_id = ORG", "-a"),
        (ClickHouse, "WITH (SELECT max(x) FROM b) AS m SELECT m FROM a WHERE organization_id = ORG", "-b"),
        (Postgres, "WITH a AS (SELECT x FROM t WHERE organization_id = ORG) SELECT x FROM a JOIN A b ON true", ""),
        (Postgres, "WITH t AS (SELECT x FROM t) SELECT x FROM t WHERE organization_id = ORG", "-t"),
        (ClickHouse, "WITH traces AS (SELECT x FROM b WHERE organization_id = ORG) SELECT x FROM Traces", "-Traces"),
        (Postgres, "WITH a AS (SELECT x FROM t WHERE organization_id = ORG) SELECT x FROM public.a", "-a"),
        (
            Postgres,
            "WITH RECURSIVE n AS (SELECT id FROM t WHERE organization_id = ORG UNION ALL \
             SELECT t.id FROM t JOIN n ON n.id = t.parent_id) SELECT id FROM n",
            "-t",
        ),
        (
            Postgres,
            "WITH RECURSIVE n AS (SELECT id FROM t WHERE organization_id = ORG UNION ALL \
             SELECT t.id FROM t JOIN n ON n.id = t.parent_id WHERE t.organization_id = ORG) SELECT id FROM n",
            "",
        ),
        // What a subquery calls its organisation has to be it.
        (
            ClickHouse,
            "SELECT 1 FROM a JOIN (SELECT organization_id FROM b WHERE organization_id = ORG) AS o ON o.organization_id = a.organization_id",
            "",
        ),
        (
            Postgres,
            "SELECT 1 FROM a JOIN (SELECT x AS organization_id FROM b WHERE organization_id = ORG) AS o ON o.organization_id = a.organization_id",
            "-a",
        ),
        (
            Postgres,
            "SELECT 1 FROM a JOIN (SELECT max(organization_id) AS organization_id FROM b WHERE organization_id = ORG) AS o ON o.organization_id = a.organization_id",
            "-a",
        ),
        (
            Postgres,
            "SELECT 1 FROM a JOIN (SELECT * FROM b WHERE organization_id = ORG) AS o ON o.organization_id = a.organization_id",
            "",
        ),
    ]);
}

#[test]
fn branches_count_only_together() {
    check(&[
        (Postgres, "SELECT 1 FROM a WHERE {% if x %}organization_id = ORG{% else %}true{% endif %}", "-a"),
        (
            Postgres,
            "SELECT 1 FROM a WHERE {% if x %}organization_id = ORG AND y{% else %}organization_id = ORG{% endif %}",
            "",
        ),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG{% if x == 'rare' %} OR true{% endif %}", "-a"),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG{% for l in ls %} OR l = {{ l }}{% endfor %}", "-a"),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG{% for l in ls %} AND l <> {{ l }}{% endfor %}", ""),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = ORG{% if x %} AND y IN (SELECT y FROM b){% endif %}", "-b"),
        (
            Postgres,
            "SELECT 1 FROM a {% if x %}LEFT{% endif %} JOIN b ON b.organization_id = ORG AND a.organization_id = ORG",
            "-a",
        ),
        (Postgres, "SELECT 1 FROM a WHERE organization_id = {{ organization_id if x else service }}", "-a"),
        (Postgres, "{% set organization_id = service %}SELECT 1 FROM a WHERE organization_id = ORG", "-a"),
    ]);
}

#[test]
fn what_is_read_by_name_is_unknown() {
    check(&[
        (ClickHouse, "SELECT dictGet('d', 'v', x) AS y FROM a WHERE organization_id = ORG", "?"),
        (ClickHouse, "SELECT 1 FROM a WHERE organization_id = ORG AND x IN b", "?"),
        (ClickHouse, "SELECT 1 FROM a WHERE organization_id = ORG AND x GLOBAL NOT IN db.b", "?"),
        (ClickHouse, "SELECT 1 FROM a WHERE organization_id = ORG AND in(x, b)", "?"),
        (ClickHouse, "SELECT 1 FROM merge('^a') WHERE organization_id = ORG", "?"),
        (ClickHouse, "SELECT 1 FROM remote('h', db.a) WHERE organization_id = ORG", "?"),
        (Postgres, "SELECT query_to_xml('SELECT 1', true, true, '') AS x FROM a WHERE organization_id = ORG", "?"),
        (Postgres, "SELECT 1 FROM {{ t | ident }} WHERE organization_id = ORG", "?"),
        (ClickHouse, "SELECT n.number FROM numbers(3) AS n JOIN a ON true WHERE a.organization_id = ORG", ""),
        (Postgres, "SELECT 1 FROM generate_series(1, 3) AS g(n) JOIN a ON true WHERE a.organization_id = ORG", ""),
        (ClickHouse, "SELECT name FROM system.tables WHERE ORG = ORG", ""),
    ]);
}
