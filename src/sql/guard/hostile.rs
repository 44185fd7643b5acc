//! What nobody may say, in every place where something can be said.

use super::{tests::run, *};

/// Expressions that are refused wherever they stand: calls that are not listed, in whatever spelling, secrets, other
/// schemas, names of ours, and literals and types that look names up.
const EXPRESSIONS: &[&str] = &[
    "ts_stat('SELECT 1')",
    "\"ts_stat\"('SELECT 1')",
    "query_to_xml('SELECT 1', true, true, '')",
    "pg_read_file('x')",
    "current_setting('x')",
    "set_config('x', 'y', false)",
    "dblink('x')",
    "lo_get(1)",
    "nextval('s')",
    "public.lower('x')",
    "g.ts_stat",
    "\"g\".\"ts_stat\"",
    "(g).ts_stat",
    "(g.g).ts_stat",
    "g.g.ts_stat",
    "g.ts_stat[1]",
    "(ARRAY[g])[1].ts_stat",
    "('SELECT 1'::text).ts_stat",
    "u.ts_stat",
    "users.email",
    "nobody.email",
    "u.to_jsonb",
    "u.ctid",
    "tableoid",
    "u.password",
    "password",
    "(u).password",
    "(SELECT password FROM users)",
    "(SELECT v.mfa_secret FROM users v)",
    "(SELECT email FROM public.users LIMIT 1)",
    "(SELECT 1 FROM pg_authid)",
    "(TABLE users)",
    "(SELECT 1 FROM auth_tokens)",
    "(SELECT 1 FROM orphans)",
    "tfo$1_users.email",
    "\"tfo$2_u\".\"email\"",
    "\"TFO$2_u\".\"email\"",
    "(SELECT 1 FROM \"tfo$1_users\")",
    "\"regclass\" 'users'",
    "regrole 'postgres'",
    "'users'::regclass",
    "'users'::\"regclass\"",
    "CAST('{users}' AS regclass[])",
    "CAST('postgres' AS pg_catalog.regrole)",
    "E'x'",
    "U&'x'",
    "B'1'",
    "1 OPERATOR(public.+) 2",
    "xmlparse(DOCUMENT '<a/>')",
    "ROW(u.*)",
];

/// Places in a statement over `users u` and `unnest(…) AS g`.
const PLACES: &[&str] = &[
    "SELECT {}{from}",
    "SELECT {} AS x{from}",
    "SELECT DISTINCT {}{from}",
    "SELECT DISTINCT ON ({}) 1{from}",
    "SELECT 1{from} WHERE {} IS NOT NULL",
    "SELECT 1{from} WHERE 'a' IN ('b', {})",
    "SELECT 1{from} WHERE 'a' BETWEEN 'a' AND {}",
    "SELECT 1{from} WHERE 'a' LIKE {}",
    "SELECT 1{from} WHERE EXISTS (SELECT {})",
    "SELECT 1{from} WHERE 'a' = ANY (ARRAY[{}])",
    "SELECT 1{from} WHERE ('a', {}) = ('a', 'b')",
    "SELECT 1{from} WHERE NOT ({} IS NULL) OR true",
    "SELECT 1{from} GROUP BY {}",
    "SELECT 1{from} GROUP BY GROUPING SETS (({}), ())",
    "SELECT 1{from} GROUP BY ROLLUP ({})",
    "SELECT 1{from} GROUP BY 1 HAVING max({}) IS NULL",
    "SELECT 1{from} ORDER BY {}",
    "SELECT 1{from} ORDER BY length({}) DESC NULLS LAST",
    "SELECT 1{from} LIMIT {}",
    "SELECT 1{from} OFFSET {}",
    "SELECT CASE WHEN {} IS NULL THEN 1 END{from}",
    "SELECT CASE {} WHEN 'a' THEN 1 ELSE 2 END{from}",
    "SELECT coalesce(NULL, {}){from}",
    "SELECT count(DISTINCT {}){from}",
    "SELECT string_agg('a', 'b' ORDER BY {}){from}",
    "SELECT count(*) FILTER (WHERE {} IS NULL){from}",
    "SELECT mode() WITHIN GROUP (ORDER BY {}){from}",
    "SELECT rank() OVER (PARTITION BY {}){from}",
    "SELECT rank() OVER (ORDER BY {}){from}",
    "SELECT rank() OVER w{from} WINDOW w AS (ORDER BY {})",
    "SELECT CAST({} AS text){from}",
    "SELECT 'a' || {} || 'b'{from}",
    "SELECT (ARRAY['a'])[length({})]{from}",
    "SELECT trim(BOTH {} FROM 'a'){from}",
    "SELECT substring('abc' FROM {}){from}",
    "SELECT extract(year FROM {}){from}",
    "SELECT now() AT TIME ZONE {}{from}",
    "SELECT (SELECT {}){from}",
    "SELECT (SELECT 1 FROM roles r WHERE r.name = {}){from}",
    "SELECT * FROM users u JOIN unnest(ARRAY['SELECT 1']) AS g ON {} IS NULL",
    "SELECT * FROM users u CROSS JOIN unnest(ARRAY['SELECT 1']) AS g CROSS JOIN LATERAL (SELECT {}) AS l",
    "SELECT * FROM users u, unnest(ARRAY['SELECT 1']) AS g, unnest(ARRAY[{}]) AS h",
    "SELECT * FROM (SELECT {}{from}) AS d",
    "WITH c AS (SELECT {}{from}) SELECT * FROM c",
    "WITH RECURSIVE c(x) AS (SELECT 'a' UNION ALL SELECT {}{from}) SELECT * FROM c",
    "SELECT 'a' UNION ALL SELECT {}{from}",
    "(SELECT {}{from}) EXCEPT SELECT 'a'",
    "VALUES ('a'), ({})",
    "SELECT * FROM (VALUES ({})) AS v",
];

#[test]
fn what_nobody_may_say_is_refused_wherever_it_stands() {
    let from = " FROM users u, unnest(ARRAY['SELECT 1']) AS g";
    let place = |place: &str, expression: &str| place.replace("{from}", from).replace("{}", expression);
    for in_place in PLACES {
        // The place itself is fine.
        let plain = place(in_place, "'a'");
        run(Dialect::Postgres, &plain).unwrap_or_else(|error| panic!("{plain}: {error:?}"));
        for expression in EXPRESSIONS {
            let sql = place(in_place, expression);
            assert!(run(Dialect::Postgres, &sql).is_err(), "{sql}");
        }
    }
    assert!(EXPRESSIONS.len() * PLACES.len() > 2_000);
}

/// As [`EXPRESSIONS`], in SQLite. A text in double quotes is a column that does not exist.
const IN_SQLITE: &[&str] = &[
    "load_extension('x')",
    "readfile('x')",
    "zeroblob(10)",
    "randomblob(10)",
    "fts5('x')",
    "\"load_extension\"('x')",
    "rowid",
    "u._rowid_",
    "u.oid",
    "password",
    "\"password\"",
    "u.\"passwordHistory\"",
    "\"a text\"",
    "users.email",
    "nobody.email",
    "(SELECT mfa_secret FROM users)",
    "(SELECT email FROM main.users)",
    "(SELECT sql FROM sqlite_master)",
    "(SELECT 1 FROM sqlite_schema)",
    "(SELECT 1 FROM pragma_table_info('users'))",
    "(SELECT 1 FROM dbstat)",
    "(1 IN users)",
    "(1 IN main.users)",
    "(SELECT 1 FROM \"tfo$1_users\")",
    "\"tfo$2_u\".email",
    "\"TFO$2_U\".email",
    ":name",
    "@name",
    "$name",
    "CAST('x' AS regclass)",
    "`email`",
    "[email]",
    "main.users.email",
];

const PLACES_IN_SQLITE: &[&str] = &[
    "SELECT {}{from}",
    "SELECT {} AS x{from}",
    "SELECT DISTINCT {}{from}",
    "SELECT 1{from} WHERE {} IS NOT NULL",
    "SELECT 1{from} WHERE 'a' IN ('b', {})",
    "SELECT 1{from} WHERE 'a' GLOB {}",
    "SELECT 1{from} WHERE EXISTS (SELECT {})",
    "SELECT 1{from} GROUP BY {}",
    "SELECT 1{from} GROUP BY 1 HAVING max({}) IS NULL",
    "SELECT 1{from} ORDER BY {}",
    "SELECT 1{from} ORDER BY {} COLLATE NOCASE",
    "SELECT 1{from} LIMIT {}",
    "SELECT 1{from} LIMIT 1 OFFSET {}",
    "SELECT CASE WHEN {} IS NULL THEN 1 END{from}",
    "SELECT iif({}, 1, 2){from}",
    "SELECT group_concat('a', {}){from}",
    "SELECT count(*) FILTER (WHERE {} IS NULL){from}",
    "SELECT rank() OVER (PARTITION BY {}){from}",
    "SELECT rank() OVER w{from} WINDOW w AS (ORDER BY {})",
    "SELECT (SELECT {}){from}",
    "SELECT * FROM users u JOIN json_each('[1]') AS g ON {} IS NULL",
    "SELECT * FROM users u, json_each({})",
    "SELECT * FROM (SELECT {}{from})",
    "WITH c AS (SELECT {}{from}) SELECT * FROM c",
    "WITH RECURSIVE c(x) AS (SELECT 'a' UNION ALL SELECT {}{from}) SELECT * FROM c",
    "SELECT 'a' UNION ALL SELECT {}{from}",
    "VALUES ('a'), ({})",
];

#[test]
fn what_nobody_may_say_is_refused_in_sqlite_too() {
    let place = |place: &str, expression: &str| {
        place.replace("{from}", " FROM users u, json_each('[1]') AS g").replace("{}", expression)
    };
    for in_place in PLACES_IN_SQLITE {
        let plain = place(in_place, "'a'");
        run(Dialect::Sqlite, &plain).unwrap_or_else(|error| panic!("{plain}: {error:?}"));
        for expression in IN_SQLITE {
            let sql = place(in_place, expression);
            assert!(run(Dialect::Sqlite, &sql).is_err(), "{sql}");
        }
    }
}

/// A few hundred bytes that name columns by the billion.
#[test]
fn columns_do_not_multiply_without_end() {
    let stars = (0..30).fold("SELECT * FROM users".to_owned(), |sql, at| format!("SELECT *, * FROM ({sql}) AS a{at}"));
    let joins = format!("SELECT 1 FROM users{}", " CROSS JOIN (SELECT * FROM users) AS x".repeat(400));
    let unnamed = format!("SELECT * FROM (SELECT * FROM users) AS x{}", ", users".repeat(1_500));
    for sql in [stars, joins, unnamed] {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let error = run(dialect, &sql).map(|sql| sql.len()).unwrap_err();
            assert!(error.kind != GuardErrorKind::Missing, "{error:?}");
        }
    }
}
