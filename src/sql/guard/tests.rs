//! The guard by itself. What the databases make of its output is tested against them, in `tests/it`.

use super::*;

pub(super) fn tables() -> TableColumns {
    let table = |name: &str, columns: &str| (name.to_owned(), columns.split(' ').map(str::to_owned).collect());
    TableColumns::from([
        table("users", "id email password organization_id mfa_secret passwordHistory"),
        table("alert_rules", "id organization_id name severity"),
        table("user_roles", "id user_id role_id"),
        table("roles", "id name"),
        table("tenants", "tenant_id workspace_id name"),
        table("groups", "id tenant_id name"),
        table("workspaces", "workspace_id organization_id datasource_config"),
        table("retention_policies", "id organization_id data_type"),
        table("auth_tokens", "id organization_id token_hash"),
        table("orphans", "id name"),
        table("jobs", "id organization_id created_at updated_at started_s enabled"),
    ])
}

pub(super) fn rules() -> TableRules {
    let through = |table: &str, column: &str, parent: &str, parent_column: &str| {
        let [column, parent, parent_column] = [column, parent, parent_column].map(str::to_owned);
        (table.to_owned(), Through { column, parent, parent_column })
    };
    let named = |name: &str| BTreeSet::from([name.to_owned()]);
    TableRules {
        through: BTreeMap::from([
            through("user_roles", "user_id", "users", "id"),
            through("tenants", "workspace_id", "workspaces", "workspace_id"),
            through("groups", "tenant_id", "tenants", "tenant_id"),
        ]),
        everyones: named("roles"),
        defaults: named("retention_policies"),
        hidden: named("auth_tokens"),
        ..TableRules::default()
    }
}

pub(super) fn run(dialect: Dialect, sql: &str) -> Result<String, GuardError> {
    let schemas = tables().into_keys().map(|table| (table, "s".to_owned())).collect();
    let names = |names: [&str; 2]| BTreeSet::from(names.map(str::to_owned));
    let times = names(["created_at", "updated_at"]);
    let declared = Declared { only_times: times.clone(), times, numbers: names(["started_s", "enabled"]) };
    let scope = Scope {
        values: 2,
        organization_type: None,
        tables: &tables(),
        withheld: &BTreeSet::new(),
        declared: &declared,
        schemas: &schemas,
        rules: &rules(),
    };
    guard(dialect, sql, &scope).map(|guarded| guarded.sql)
}

#[test]
fn a_used_table_is_shadowed_without_its_secrets() {
    assert_eq!(
        run(Dialect::Postgres, "SELECT email FROM users -- all of them").unwrap(),
        "WITH \"tfo$1_users\" AS MATERIALIZED (SELECT \"id\", \"email\", \"organization_id\" FROM \"s\".\"users\" \
         WHERE \"organization_id\" = $3) SELECT \"tfo$2_users\".\"email\" FROM \"tfo$1_users\" AS \"tfo$2_users\""
    );
    assert_eq!(
        run(Dialect::Sqlite, "with recursive n as (select 1) select Email from users, n").unwrap(),
        "WITH RECURSIVE \"tfo$2_users\" AS MATERIALIZED (SELECT \"id\", \"email\", \"organization_id\" FROM \
         \"s\".\"users\" WHERE \"organization_id\" = ?3), \"tfo$1_n\" (\"1\") AS (SELECT 1 AS \"1\") SELECT \
         \"tfo$3_users\".\"email\" FROM \"tfo$2_users\" AS \"tfo$3_users\", \"tfo$1_n\" AS \"tfo$4_n\""
    );
    let none = BTreeMap::new();
    let scope = Scope {
        values: 0,
        organization_type: Some("uuid"),
        tables: &tables(),
        withheld: &BTreeSet::new(),
        declared: &Declared::NOTHING,
        schemas: &none,
        rules: &rules(),
    };
    let guarded = guard(Dialect::Postgres, "SELECT id FROM alert_rules", &scope).unwrap();
    assert!(guarded.sql.contains("\"organization_id\" = CAST($1 AS uuid)") && guarded.binds_organization);
    assert!(!guard(Dialect::Postgres, "SELECT id FROM roles", &scope).unwrap().binds_organization);
}

#[test]
fn tables_without_an_organisation_are_reached_through_others() {
    let sql = run(Dialect::Postgres, "SELECT * FROM groups").unwrap();
    assert!(
        sql.contains(
            "WHERE \"tenant_id\" IN (SELECT \"tenant_id\" FROM \"s\".\"tenants\" WHERE \"workspace_id\" IN \
             (SELECT \"workspace_id\" FROM \"s\".\"workspaces\" WHERE \"organization_id\" = $3))"
        ),
        "{sql}"
    );
    let sql = run(Dialect::Postgres, "SELECT * FROM retention_policies").unwrap();
    assert!(sql.contains("(\"organization_id\" = $3 OR \"organization_id\" IS NULL)"), "{sql}");
    let sql = run(Dialect::Postgres, "SELECT * FROM roles").unwrap();
    assert!(sql.contains("(SELECT \"id\", \"name\" FROM \"s\".\"roles\")"), "{sql}");
    for table in ["orphans", "auth_tokens"] {
        let error = run(Dialect::Postgres, &format!("SELECT * FROM {table}")).unwrap_err();
        assert_eq!(error.kind, GuardErrorKind::Forbidden);
    }
    assert_eq!(run(Dialect::Postgres, "SELECT * FROM nowhere").unwrap_err().kind, GuardErrorKind::Missing);
}

#[test]
fn literals_that_lexers_disagree_about_are_made_plain_or_refused() {
    let text = |sql: &str| run(Dialect::Postgres, sql).unwrap();
    assert_eq!(text("SELECT $$it's$$ AS a, $x$ $$ $x$ AS b"), "SELECT 'it''s' AS \"a\", ' $$ ' AS \"b\"");
    let backslashes = "SELECT 'a\\' AS a /* ' */, ' FROM users --' AS b, '\\''' AS c, '''\\''''' AS d";
    assert_eq!(
        text(backslashes),
        "SELECT 'a\\' AS \"a\", ' FROM users --' AS \"b\", '\\''' AS \"c\", '''\\''''' AS \"d\""
    );
    assert_eq!(text("SELECT $2::text AS x, $1 AS y"), "SELECT $2::TEXT AS \"x\", $1 AS \"y\"");
    assert_eq!(run(Dialect::Sqlite, "SELECT ? AS x, ? AS y").unwrap(), "SELECT ?1 AS \"x\", ?2 AS \"y\"");
    for sql in [
        "SELECT E'\\' FROM users --'",
        "SELECT U&'d\\0061t'",
        "SELECT * FROM U&\"us\\0065rs\"",
        "SELECT B'1'",
        "SELECT $3 AS organization",
        "SELECT $0 AS x",
        "SELECT 1from users",
        "SELECT 1_000",
        "SELECT * FROM \"us\"\"ers\"",
        "SELECT ﬁeld FROM users",
        "SELECT 1 AS a\u{a0}FROM users",
        "SELECT 'a",
    ] {
        assert!(run(Dialect::Postgres, sql).is_err(), "{sql}");
    }
    for sql in
        ["SELECT :name", "SELECT @x", "SELECT $3", "SELECT ?3", "SELECT `email` FROM users", "SELECT * FROM [users]"]
    {
        assert!(run(Dialect::Sqlite, sql).is_err(), "{sql}");
    }
}

#[test]
fn common_statements_pass() {
    for sql in [
        "SELECT count(*) AS n, lower(email) FROM users u GROUP BY 2 HAVING count(*) > 1 ORDER BY n DESC LIMIT 5 OFFSET 1",
        "SELECT u.email, r.name FROM users u JOIN user_roles ur ON ur.user_id = u.id LEFT JOIN roles r ON r.id = ur.role_id",
        "SELECT email FROM users UNION ALL SELECT name FROM alert_rules EXCEPT SELECT 'x'",
        "WITH a AS (SELECT id FROM users), b(i) AS (SELECT id FROM a) SELECT * FROM b, LATERAL (SELECT b.i AS j) AS l",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
        "SELECT rank() OVER (PARTITION BY severity ORDER BY name) FROM alert_rules",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FILTER (WHERE name LIKE 'a%') FROM alert_rules",
        "SELECT CASE WHEN email IS NULL THEN 1 ELSE 2 END, email::varchar(10), CAST('1.5' AS numeric(10, 2)) FROM users",
        "SELECT date_trunc('hour', now() - interval '1 day') AT TIME ZONE 'UTC', extract(epoch FROM now())",
        "SELECT x.k, x.v FROM jsonb_each('{\"a\": 1}'::jsonb) AS x(k, v)",
        "SELECT g FROM generate_series(1, 3) AS g WHERE g.g > 1",
        "SELECT ARRAY[1, 2] || 3, (ARRAY[1, 2])[1], 1 = ANY (ARRAY(SELECT 1)), '{\"a\": 1}'::jsonb -> 'a' ->> 'b'",
        "SELECT DISTINCT ON (email) email FROM users WHERE email IN (SELECT name FROM roles) AND EXISTS (SELECT 1 FROM users)",
        "SELECT g.x FROM unnest(ARRAY['a']) AS g(x), (SELECT 1 AS a FROM (SELECT 1) AS g) AS h",
        "VALUES (1, 'a'), (2, 'b')",
        "(SELECT email FROM users ORDER BY 1 LIMIT 1)",
        "SELECT severity, count(*) FROM alert_rules GROUP BY ROLLUP (severity)",
        "SELECT substring(email FROM 1 FOR 3), trim(both ' ' from email), position('@' in email) FROM users",
    ] {
        run(Dialect::Postgres, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    for sql in [
        "SELECT json_extract(email, '$.a'), iif(id = 1, 2, 3) FROM users WHERE email GLOB 'a*' LIMIT 1, 2",
        "SELECT j.key, j.value FROM users, json_each(users.email) AS j",
        "SELECT group_concat(email, ', ' ORDER BY id) FROM Users AS U WHERE u.id = ?1",
        "SELECT strftime('%H', 'now'), datetime('now', '-1 day'), x'00ff'",
    ] {
        run(Dialect::Sqlite, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// What is printed reads a table in the shadow alone, wherever and however it was named.
#[test]
fn a_schema_before_a_table_on_offer_is_read_and_left_out() {
    let postgres = [
        "SELECT * FROM s.users",
        "SELECT s.users.email FROM S.Users",
        "SELECT * FROM \"s\".\"users\"",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM s.users)",
        "SELECT 1 ORDER BY (SELECT email FROM s.users LIMIT 1)",
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM s.users)) FROM roles",
        "SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM s.users)) FROM roles",
        "SELECT 1 LIMIT (SELECT count(*) FROM s.users)",
        "VALUES ((SELECT email FROM s.users LIMIT 1))",
        "SELECT * FROM roles JOIN roles r ON (SELECT true FROM s.users)",
        "SELECT * FROM unnest(ARRAY(SELECT email FROM s.users)) AS x",
        "SELECT CASE WHEN (SELECT true FROM s.users) THEN 1 END",
        "SELECT x.email FROM s.users AS x, s.roles",
    ];
    let sqlite = ["SELECT * FROM s.users", "SELECT s.users.email FROM S.USERS", "SELECT 1 IN (SELECT id FROM s.users)"];
    let all = postgres.map(|sql| (Dialect::Postgres, sql)).into_iter().chain(sqlite.map(|sql| (Dialect::Sqlite, sql)));
    for (dialect, sql) in all {
        let printed = run(dialect, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let (shadows, statement) = printed.rsplit_once(" WHERE \"organization_id\" = ").unwrap();
        assert!(shadows.contains(" FROM \"s\".\"users\"") && !statement.contains("\"s\"."), "{printed}");
    }
    for sql in [
        "SELECT * FROM public.users",
        "SELECT * FROM s.absent",
        "SELECT * FROM s.orphans",
        "SELECT * FROM d.s.users",
        "SELECT s.u.email FROM s.users AS u",
        "SELECT public.users.email FROM s.users",
        "SELECT s.users.password FROM s.users",
        "SELECT s.users.ts_stat FROM s.users",
        "SELECT s.w.x FROM (SELECT 1 AS x) AS w",
        "WITH w AS (SELECT 1 AS x) SELECT * FROM s.w",
        "SELECT d.s.users.email FROM s.users",
    ] {
        assert!(run(Dialect::Postgres, sql).is_err(), "{sql}");
    }
}

#[test]
fn what_leaves_its_bounds_is_refused() {
    for sql in [
        "SELECT 1; SELECT 2",
        "DELETE FROM users",
        "WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d",
        "SELECT * INTO copy FROM users",
        "SELECT * FROM users FOR UPDATE",
        "EXPLAIN ANALYZE SELECT 1",
        "TABLE users",
        "SET search_path = x",
        "COPY users TO '/tmp/x'",
        "SELECT * FROM public.users",
        "SELECT * FROM \"public\".\"users\"",
        "SELECT * FROM pg_authid",
        "SELECT * FROM \"pg_authid\"",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM information_schema.tables",
        "WITH pg_authid AS (SELECT 1) SELECT * FROM pg_authid",
        "WITH users AS (SELECT 1) SELECT * FROM users",
        "WITH \"users\" AS (SELECT 1) SELECT * FROM users",
        "SELECT (WITH users AS (SELECT 1) SELECT 1)",
        "SELECT pg_sleep(10)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT query_to_xml('SELECT * FROM users', true, true, '')",
        "SELECT public.lower('A')",
        "SELECT \"query_to_xml\"('x', true, true, '')",
        "SELECT * FROM ts_stat('SELECT 1')",
        "SELECT * FROM ROWS FROM (ts_stat('SELECT 1'))",
        "SELECT g.ts_stat FROM unnest(ARRAY['SELECT 1']) AS g",
        "SELECT g.ts_stat FROM unnest(ARRAY['SELECT 1']) AS g(x), (SELECT 1 AS ts_stat) AS h",
        "SELECT ts_stat.ts_stat FROM unnest(ARRAY['SELECT 1']) AS ts_stat(x)",
        "SELECT g.ts_stat FROM unnest(ARRAY['a']) AS g(x), (SELECT 1 FROM unnest(ARRAY['a']) AS g(ts_stat)) AS h",
        "SELECT (g).ts_stat FROM unnest(ARRAY['SELECT 1']) AS g",
        "SELECT ('SELECT 1'::text).ts_stat",
        "SELECT 'users'::regclass",
        "SELECT CAST('users' AS regclass)",
        "SELECT 1 OPERATOR(public.+) 2",
        "SELECT * FROM users TABLESAMPLE SYSTEM (10)",
        "SELECT * FROM XMLTABLE('/a' PASSING '<a/>' COLUMNS x text)",
        "SELECT repeat('x', 1000000000)",
        "SELECT lo_get(1)",
        "SELECT nextval('s')",
        "SELECT current_setting('data_directory')",
        "SELECT dblink('dbname=x', 'SELECT 1')",
        "SELECT * FROM (SELECT * FROM pg_user) AS x",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM public.users)",
        "SELECT 1 ORDER BY (SELECT email FROM public.users LIMIT 1)",
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM public.users)) FROM roles",
        "SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM public.users)) FROM roles",
        "SELECT 1 LIMIT (SELECT count(*) FROM public.users)",
        "VALUES ((SELECT email FROM public.users LIMIT 1))",
        "SELECT 1 GROUP BY (SELECT 1 FROM public.users)",
        "SELECT * FROM roles JOIN roles r ON (SELECT true FROM public.users)",
        "SELECT * FROM unnest(ARRAY(SELECT email FROM public.users)) AS x",
        "SELECT CASE WHEN (SELECT true FROM public.users) THEN 1 END",
        "WITH a AS (SELECT * FROM later), later AS (SELECT 1) SELECT * FROM a",
        "",
        ";",
    ] {
        assert!(run(Dialect::Postgres, sql).is_err(), "{sql}");
    }
    for sql in [
        "SELECT * FROM main.users",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM pragma_table_info('users')",
        "SELECT * FROM dbstat",
        "SELECT 1 WHERE 1 IN users",
        "SELECT 1 WHERE 1 IN main.users",
        "WITH USERS AS (SELECT 1) SELECT * FROM users",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT randomblob(1000000000)",
        "PRAGMA query_only = OFF",
        "ATTACH 'x' AS y",
        "EXPLAIN SELECT 1",
        "REPLACE INTO users VALUES (1)",
    ] {
        assert!(run(Dialect::Sqlite, sql).is_err(), "{sql}");
    }
}

/// `alias.name` calls a function where the alias has no such column: each of these ran SQL from a text.
#[test]
fn a_qualified_name_whose_meaning_is_guessed_is_refused() {
    let long = |letters: &str, bytes: usize| letters.repeat(bytes / letters.len());
    let (l, umlauts) = (long("L", 63), format!("L{}", long("é", 62)));
    let mut statements = vec![
        format!("SELECT {l}x.ts_stat FROM unnest(ARRAY['SELECT 1']) AS {l}y"),
        format!("SELECT \"{l}x\".ts_stat FROM unnest(ARRAY['SELECT 1']) AS \"{l}y\""),
        format!("SELECT \"{umlauts}x\".ts_stat FROM unnest(ARRAY['SELECT 1']) AS \"{umlauts}y\""),
        format!("SELECT 1 AS {l}x"),
        "SELECT h.ts_stat FROM unnest(ARRAY['SELECT 1']) AS g".to_owned(),
        "SELECT g.ordinality FROM unnest(ARRAY['a']) AS g".to_owned(),
        "SELECT g.g FROM unnest(ARRAY['a'], ARRAY['b']) AS g".to_owned(),
        "SELECT value.value FROM generate_series(1, 2) AS g".to_owned(),
        "SELECT g.value FROM generate_series(1, 2) AS g".to_owned(),
    ];
    for function in ["json_array_elements", "json_array_elements_text", "jsonb_array_elements_text", "json_each"] {
        for name in ["ts_stat", "current_setting", "regclass", "unnest"] {
            statements.push(format!("SELECT {name}.{name} FROM {function}('[\"SELECT 1\"]') AS {name}"));
        }
    }
    for sql in statements {
        assert!(run(Dialect::Postgres, &sql).is_err(), "{sql}");
    }
    let fits = format!("SELECT {l}.{l} FROM unnest(ARRAY['a']) AS {l}");
    for sql in [
        fits.as_str(),
        "SELECT e.value FROM json_array_elements_text('[1]') AS e",
        "SELECT e.x FROM json_array_elements_text('[1]') AS e(x)",
        "SELECT e.key, e.value FROM jsonb_each('{}') AS e",
        "SELECT g.ordinality FROM unnest(ARRAY['a']) WITH ORDINALITY AS g",
        "SELECT generate_series.generate_series FROM generate_series(1, 2)",
    ] {
        run(Dialect::Postgres, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// PostgreSQL takes `name 'text'` for a cast to any type, our parser for a column with an alias.
#[test]
fn a_text_behind_a_name_is_no_cast() {
    for sql in [
        "SELECT \"regclass\" 'pg_authid'",
        "SELECT regrole 'postgres'",
        "SELECT regrole $$postgres$$",
        "SELECT regnamespace'pg_toast'",
        "SELECT \"xml\" '<a/>'",
        "SELECT regclass(1) 'users'",
        "SELECT \"text\" 'a'",
        "SELECT users '(1)' FROM users",
        "SELECT jsonpath '$.a'",
        "SELECT interval(3) '1 day'",
        "SELECT 'users'::\"regclass\"",
        "SELECT CAST('users' AS \"regclass\")",
        "SELECT CAST('{users}' AS regclass[])",
        "SELECT '{users}'::regclass ARRAY",
        "SELECT '{users}'::text::regclass[3]",
        "SELECT 'a'::text('regclass')",
        "SELECT 'a'::public.text",
    ] {
        assert!(run(Dialect::Postgres, sql).is_err(), "{sql}");
    }
    for sql in [
        "SELECT date '2026-01-01', timestamp with time zone '2026-01-01 00:00Z', interval '1' day, text 'a' AS t",
        "SELECT double precision '1', CASE 'a' WHEN 'a' THEN 'b' ELSE 'c' END, trim(BOTH 'x' FROM 'xax')",
        "SELECT substring('abc' FROM 'b' FOR '#'), overlay('abc' PLACING 'x' FROM 2), 'a' SIMILAR TO 'b' ESCAPE '!'",
        "SELECT 1 WHERE 'a' BETWEEN 'a' AND 'b' OR 'a' LIKE 'b' OR 'a' ILIKE 'b' OR 'a' IS DISTINCT FROM 'b'",
        "SELECT sum(id) OVER (ORDER BY id RANGE '1' PRECEDING) FROM users",
    ] {
        run(Dialect::Postgres, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[test]
fn deep_nesting_is_refused_rather_than_overflowing_the_stack() {
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let chained = format!("SELECT {}1", "NOT ".repeat(12_000));
    let summed = format!("SELECT 1{}", "+1".repeat(30_000));
    let united = format!("SELECT 1{}", " UNION SELECT 1".repeat(1_300));
    let nested = format!("{}SELECT 1{}", "SELECT * FROM (".repeat(49), ") AS x".repeat(49));
    let cases = format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(400), " END".repeat(400));
    for sql in [deep, chained, summed, united, cases] {
        assert!(run(Dialect::Postgres, &sql).is_err(), "{}", &sql[..40]);
    }
    let _ = run(Dialect::Postgres, &nested);
    let fine = format!("SELECT 1{}", "+1".repeat(190));
    run(Dialect::Postgres, &fine).unwrap();
}

/// Nothing that a caller sends may panic, and what passes once passes again unchanged.
#[test]
fn any_text_is_either_refused_or_canonical() {
    use proptest::prelude::*;
    let fragments = prop::sample::select(vec![
        "SELECT", "*", "FROM", "users", "u", ".", "email", "(", ")", ",", "WITH", "AS", "'", "\"", "$$", "$x$", "--",
        "/*", "*/", "\n", ";", "E'", "U&'", "\\", "$1", "?", "?1", "1", "1e", "[", "]", "::", "text", "count", "IN",
        "\0", "é", "{", "UNION", "ALL", "JOIN", "ON", "true", "WHERE", "=", "-", "/", "ARRAY", "VALUES", "LATERAL",
    ]);
    let texts = prop::collection::vec((fragments, prop::bool::ANY), 0..30).prop_map(|parts| {
        parts.into_iter().map(|(part, spaced)| format!("{part}{}", if spaced { " " } else { "" })).collect::<String>()
    });
    proptest!(|(text in texts)| {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let _ = run(dialect, &text);
            let _ = run(dialect, &format!("SELECT 1 AS a {text}"));
            crate::sql::lint::unparsed(dialect, &text);
            if let Ok(once) = canonical::canonical(dialect, &text, 2) {
                let again = canonical::canonical(dialect, &once, 2);
                prop_assert_eq!(again, Ok(once));
            }
        }
        crate::sql::lint::unparsed(Dialect::ClickHouse, &text);
    });
}

/// A chain of 130 operators once filled the stack of a runtime's thread, and the whole server ended with it.
#[test]
fn a_long_chain_of_operators_does_not_end_the_server() {
    let little = std::thread::Builder::new().stack_size(256 << 10).spawn(|| {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            for link in
                ["+1", " AND 1=1", "||'x'", " IS NULL", " COLLATE x", " LIKE 'x'", " IN (1)", " BETWEEN 1 AND 1"]
            {
                for length in [100, 190, 1_900] {
                    let judged = run(dialect, &format!("SELECT 1{} AS n", link.repeat(length)));
                    assert!(length < 200 || judged.is_err(), "{link} {length}");
                }
            }
            for (open, close) in [("(", ")"), ("-", ""), ("NOT ", ""), ("(SELECT ", ")"), ("CASE WHEN ", " THEN 1 END")]
            {
                let _judged = run(dialect, &format!("SELECT {}1{} AS n", open.repeat(1_900), close.repeat(1_900)));
            }
            let union = vec!["SELECT 1 AS n"; 900].join(" UNION ALL ");
            assert!(run(dialect, &union).is_err());
            assert!(run(dialect, &format!("SELECT 1{} AS n", "+1".repeat(150))).is_ok());
        }
    });
    little.unwrap().join().unwrap();
}

/// SQLite took 1.5 GiB for some thousand bytes of this.
#[test]
fn with_expressions_do_not_unfold_without_end() {
    let chain = |length: usize, body: fn(usize) -> String| {
        let more: String = (1..length).map(|n| format!(", a{n} AS ({})", body(n - 1))).collect();
        format!("WITH a0 AS (SELECT 1 AS x){more} SELECT count(*) AS n FROM a{}", length - 1)
    };
    let union = |n| format!("SELECT x FROM a{n} UNION ALL SELECT x FROM a{n}");
    let join = |n| format!("SELECT p.x FROM a{n} AS p CROSS JOIN a{n} AS q");
    let nested = |n| format!("SELECT (SELECT max(x) FROM a{n}) AS x FROM a{n}");
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        for body in [union, join, nested] {
            assert!(run(dialect, &chain(6, body)).is_ok());
            let error = run(dialect, &chain(12, body)).unwrap_err();
            assert!(error.message.contains("more than 500 tables"), "{error:?}");
        }
        assert!(run(dialect, &chain(60, |n| format!("SELECT x FROM a{n}"))).is_ok());
    }
}

#[test]
fn sqlite_does_not_compute_with_the_years_of_times() {
    for sql in [
        "SELECT avg(updated_at - created_at) FROM jobs",
        "SELECT max(r.updated_at) - min(r.created_at) FROM jobs r",
        "SELECT sum(created_at) FROM jobs",
        "SELECT datetime('now') - 7",
        "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') - coalesce(created_at, 'x') FROM jobs",
        "SELECT id FROM jobs WHERE (created_at) + 1 > 2",
    ] {
        let error = run(Dialect::Sqlite, sql).unwrap_err();
        assert!(error.message.contains("arithmetic on a time"), "{sql}: {error}");
        assert!(error.hint.unwrap().contains("unixepoch(resolved_at)"), "{sql}");
    }
    for sql in [
        "SELECT avg(unixepoch(updated_at) - unixepoch(created_at)) FROM jobs",
        "SELECT strftime('%s', created_at) - 60, count(*) * 2, julianday(created_at) + 1 FROM jobs",
        "SELECT sum(length(created_at)) FROM jobs WHERE created_at > '2026-11-20T11:00:00Z'",
    ] {
        run(Dialect::Sqlite, sql).unwrap();
    }
    run(Dialect::Postgres, "SELECT avg(updated_at - created_at) FROM jobs").unwrap();
}
