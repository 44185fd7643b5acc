//! Attempts to see another organisation or a secret: those somebody thought of, and those of a grammar.

use super::*;

/// Attempts that have to end without a mark, whether refused or answered.
const ATTACKS: &[&str] = &[
    // other ways to name a table
    "SELECT * FROM public.users",
    "SELECT * FROM main.users",
    "SELECT * FROM \"public\".\"users\"",
    "SELECT * FROM \"users\"",
    "SELECT * FROM Users",
    "SELECT * FROM \"Users\"",
    "TABLE users",
    "SELECT * FROM ONLY users",
    "SELECT * FROM ONLY (users)",
    "SELECT * FROM users *",
    "SELECT * FROM (users)",
    "SELECT * FROM U&\"us\\0065rs\"",
    "SELECT * FROM U&\"us!0065rs\" UESCAPE '!'",
    "SELECT * FROM `users`",
    "SELECT * FROM [users]",
    "SELECT 1 WHERE 'x' IN users",
    // hiding the binding behind names
    "WITH users AS (SELECT 1 AS x) SELECT * FROM users",
    "WITH x AS (WITH users AS (SELECT 1 AS y) SELECT 1) SELECT * FROM users",
    "WITH RECURSIVE users AS (SELECT 1 AS x UNION SELECT * FROM users) SELECT * FROM users",
    "WITH \"USERS\" AS (SELECT * FROM users) SELECT * FROM \"USERS\"",
    "SELECT * FROM users users JOIN users organizations ON true",
    "SELECT * FROM users u JOIN users v ON u.id <> v.id",
    "SELECT * FROM users u WHERE u.organization_id <> u.organization_id OR true",
    "SELECT * FROM users WHERE organization_id IS NULL OR 1 = 1",
    "SELECT * FROM users UNION ALL SELECT * FROM users",
    "SELECT * FROM alert_rules) UNION (SELECT * FROM users",
    "SELECT email FROM users) UNION ALL (SELECT password FROM users",
    "SELECT 1) SELECT * FROM users --",
    // every clause
    "SELECT (SELECT string_agg(email, ',') FROM users)",
    "SELECT (SELECT group_concat(email) FROM users)",
    "SELECT 1 FROM roles ORDER BY (SELECT email FROM users LIMIT 1)",
    "SELECT count(*) FROM users GROUP BY (SELECT max(email) FROM users) HAVING max(email) > ''",
    "SELECT max(email), min(email) FROM users",
    "SELECT r.name, l.* FROM roles r, LATERAL (SELECT email FROM users) l",
    "VALUES ((SELECT max(email) FROM users))",
    "SELECT * FROM roles WHERE name = ANY (ARRAY(SELECT email FROM users)) OR true",
    "SELECT u FROM users u",
    "SELECT u.*, row_to_json(u) FROM users u",
    "SELECT to_jsonb(u) FROM users u",
    "SELECT json_agg(u) FROM users u",
    "SELECT array_agg(u) FROM users u",
    "SELECT users FROM users",
    "SELECT users::text FROM users",
    "SELECT count(u.password) FROM users u",
    // secrets
    "SELECT password FROM users",
    "SELECT \"passwordHistory\" FROM users",
    "SELECT u.mfa_secret FROM users u",
    "SELECT config FROM notification_channels",
    "SELECT datasource_config FROM workspaces",
    "SELECT encrypted_api_key FROM llm_providers",
    "SELECT api_key_secret, encrypt_key FROM api_keys",
    "SELECT * FROM users NATURAL JOIN users AS v",
    "SELECT 1 FROM users ORDER BY password",
    "SELECT rowid, * FROM users",
    "SELECT ctid, tableoid, xmin FROM users",
    // errors that tell a value
    "SELECT CAST(email AS integer) FROM users",
    "SELECT 1 FROM users WHERE CAST(email AS integer) = 1",
    "SELECT 1 FROM users WHERE email::int = 1 AND organization_id::text <> ''",
    "SELECT 1 FROM organizations WHERE CAST(name AS integer) = 1",
    "SELECT 1 FROM users u JOIN organizations o ON CAST(u.email AS integer) = CAST(o.name AS integer)",
    "SELECT 1 FROM tenants WHERE CAST(name AS numeric) > 0 ORDER BY CAST(code AS numeric)",
    "SELECT json_extract(email, '$') FROM users",
    "SELECT * FROM users WHERE json_extract(email, '$.x') = 1",
    "SELECT to_date(email, 'YYYY') FROM users",
    // comments, quotes, statements
    "SELECT 1 /* */; SELECT * FROM public.users",
    "SELECT 1 --\n; SELECT * FROM public.users",
    "SELECT '' /* ' */ FROM users /* ' */",
    "SELECT $$ $$ FROM users -- $$",
    "SELECT $x$'$x$, password FROM users",
    "SELECT '\\', password FROM users --'",
    "SELECT E'\\'', password, ' FROM users",
    "SELECT 1 /* /* */ FROM users */, password FROM users",
    "SELECT 1 AS \"a\"\"b\" FROM public.users",
    // the database's own tables and functions
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_stats WHERE tablename = 'users'",
    "SELECT most_common_vals FROM pg_catalog.pg_stats",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_stat1",
    "SELECT * FROM pragma_table_info('users')",
    "SELECT query_to_xml('SELECT * FROM users', true, true, '')",
    "SELECT table_to_xml('users', true, true, '')",
    "SELECT database_to_xml(true, true, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(email) FROM users')",
    "SELECT g.ts_stat FROM unnest(ARRAY['SELECT to_tsvector(email) FROM public.users']) AS g",
    "SELECT ts_stat.ts_stat FROM unnest(ARRAY['SELECT to_tsvector(email) FROM public.users']) AS ts_stat(x)",
    "SELECT (g.x).ts_stat FROM unnest(ARRAY['SELECT to_tsvector(email) FROM public.users']) AS g(x)",
    "SELECT ts_stat.ts_stat FROM json_array_elements_text('[\"SELECT array_to_tsvector(ARRAY[email, password]) FROM public.users\"]') AS ts_stat",
    "SELECT ts_stat.ts_stat FROM jsonb_array_elements_text('[\"SELECT array_to_tsvector(ARRAY[email, password]) FROM public.users\"]') AS ts_stat",
    "SELECT current_setting.current_setting FROM json_array_elements_text('[\"server_version\"]') AS current_setting",
    "SELECT regclass.regclass FROM json_array_elements_text('[\"pg_authid\"]') AS regclass",
    "SELECT LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLx.ts_stat FROM unnest(ARRAY['SELECT array_to_tsvector(ARRAY[email, password]) FROM public.users']) AS LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLy",
    "SELECT \"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLx\".ts_stat FROM unnest(ARRAY['SELECT array_to_tsvector(ARRAY[email, password]) FROM public.users']) AS \"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLy\"",
    "SELECT \"regclass\" 'pg_authid'",
    "SELECT regrole 'postgres'",
    "SELECT regnamespace 'pg_toast'",
    "SELECT \"xml\" '<a/>'",
    "SELECT cursor_to_xml('c', 1, true, true, '')",
    "SELECT 'users'::regclass::oid",
    "SELECT 'public.users'::regclass",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT set_config('search_path', 'pg_catalog', false)",
    "SELECT current_setting('config_file')",
    "SELECT readfile('/etc/passwd')",
    "SELECT load_extension('x')",
    "SELECT * FROM json_each((SELECT json_group_array(email) FROM users))",
    "SELECT * FROM json_tree('{\"a\": 1}') AS j, users",
    "SELECT fts5('x')",
    "SELECT * FROM dbstat",
    // writing
    "INSERT INTO roles (id, name) SELECT id, email FROM users RETURNING name",
    "WITH x AS (UPDATE users SET email = 'x' RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x",
    "SELECT * INTO stolen FROM users",
    "CREATE TABLE stolen AS SELECT * FROM users",
    "SELECT * FROM users FOR UPDATE",
    "EXPLAIN ANALYZE DELETE FROM users",
    "COPY users TO STDOUT",
    "PRAGMA query_only = OFF",
    "ATTACH ':memory:' AS m",
    "VACUUM",
    "DO $$ BEGIN DELETE FROM users; END $$",
    "SET default_transaction_read_only = off",
    "COMMIT",
    "ROLLBACK",
    "LISTEN x",
    "DECLARE c CURSOR FOR SELECT * FROM users",
    "PREPARE x AS SELECT * FROM users",
    "CALL x()",
    "EXECUTE x",
];

#[tokio::test]
async fn no_attack_shows_another_organisation_or_a_secret() {
    let both = Both::new().await;
    for sql in ATTACKS {
        for (place, source) in both.sources() {
            let answer = ask(source, sql, Vec::new()).await;
            assert_no_mark(&answer, place, sql);
        }
    }
    // Nothing was written, and both still answer.
    for (place, source) in both.sources() {
        let rows = ask(source, "SELECT email FROM users", Vec::new()).await.unwrap();
        assert_eq!(rows.rows, [[json!("own-text-email")]], "{place}");
    }
}

/// Builds statements of a small grammar at random. The seed is fixed.
struct Grammar(SmallRng);

impl Grammar {
    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.0.random_range(0..choices.len())]
    }

    fn maybe(&mut self, part: impl FnOnce(&mut Self) -> String) -> String {
        if self.0.random_ratio(1, 4) { part(self) } else { String::new() }
    }

    fn query(&mut self, depth: usize) -> String {
        match self.0.random_range(0..if depth == 0 { 1 } else { 6 }) {
            0..=2 => self.select(depth),
            3 => format!("{} UNION ALL {}", self.select(depth - 1), self.select(depth - 1)),
            4 => format!(
                "WITH {} {} AS ({}) {}",
                self.pick(&["", "RECURSIVE"]),
                self.pick(&["c", "users", "d(email)", "\"Users\"", "organizations"]),
                self.query(depth - 1),
                self.query(depth - 1)
            ),
            _ => format!("VALUES ({})", self.expression(depth - 1)),
        }
    }

    fn select(&mut self, depth: usize) -> String {
        let next = depth.saturating_sub(1);
        let items = match self.0.random_range(0..3) {
            0 => "*".to_owned(),
            _ => self.expression(next),
        };
        let from = self.relation(next);
        let join = self.maybe(|it| format!(" JOIN {} ON {}", it.relation(next), it.pick(&["true", "1 = 1"])));
        let filter = self.maybe(|it| format!(" WHERE {} IS NOT NULL", it.expression(next)));
        let order = self.maybe(|it| format!(" ORDER BY {}", it.expression(next)));
        format!("SELECT {items} FROM {from}{join}{filter}{order}{}", self.pick(&["", "", " LIMIT 5", " -- x"]))
    }

    fn relation(&mut self, depth: usize) -> String {
        let alias = self.pick(&["u", "v", "users", "g"]);
        match self.0.random_range(0..if depth == 0 { 6 } else { 9 }) {
            0..=3 => {
                let table = self.pick(&[
                    "users",
                    "organizations",
                    "tenants",
                    "user_roles",
                    "alert_rules",
                    "\"users\"",
                    "USERS",
                ]);
                format!("{table} AS {alias}")
            }
            4 => {
                format!("{} AS {alias}", self.pick(&["c", "d", "public.users", "main.users", "pg_stats", "\"Users\""]))
            }
            5 => format!(
                "unnest(ARRAY['SELECT to_tsvector(email) FROM public.users']) AS {alias}{}",
                self.pick(&["", "(x)"])
            ),
            6 | 7 => format!("({}) AS {alias}", self.query(depth - 1)),
            _ => format!("LATERAL ({}) AS {alias}", self.query(depth - 1)),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        match self.0.random_range(0..if depth == 0 { 3 } else { 9 }) {
            0 | 1 => self
                .pick(&["email", "u.email", "v.email", "name", "u.name", "organization_id", "1", "'x'", "u"])
                .to_owned(),
            2 => {
                self.pick(&["password", "u.password", "users", "g.ts_stat", "u.ts_stat", "g.x", "v.config"]).to_owned()
            }
            3 => format!("max({})", self.expression(depth - 1)),
            4 => format!(
                "CAST({} AS {})",
                self.expression(depth - 1),
                self.pick(&["text", "integer", "regclass", "boolean"])
            ),
            5 => format!("({})", self.query(depth - 1)),
            6 => format!("to_jsonb({})", self.pick(&["u", "v", "users", "g"])),
            7 => format!(
                "CASE WHEN {} = 'x' THEN 1 ELSE length({}) END",
                self.expression(depth - 1),
                self.expression(depth - 1)
            ),
            _ => format!("coalesce({}, 'x')", self.expression(depth - 1)),
        }
    }
}

/// Whatever the parser and the databases make of statements that nobody thought of, none shows a mark.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_statement_of_a_grammar_shows_a_mark() {
    let both = Both::new().await;
    let mut grammar = Grammar(SmallRng::seed_from_u64(20_261_120));
    let mut answered = 0;
    for _ in 0..1_000 {
        let sql = grammar.query(3);
        for (place, source) in both.sources() {
            let answer = ask(source, &sql, Vec::new()).await;
            assert_no_mark(&answer, place, &sql);
            answered += usize::from(answer.is_ok());
        }
    }
    assert!(answered > 100, "only {answered} answers of 2000");
}

/// Attempts in every table and column at once: whatever the schema grows, no text of another organisation and no
/// secret may come out of it.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn no_column_of_any_table_shows_a_mark() {
    let both = Both::new().await;
    for (place, source) in both.sources() {
        let tables = source.tables().await.unwrap();
        for (table, columns) in &tables.0 {
            for column in columns {
                let sql = format!("SELECT CAST(t.\"{column}\" AS text) AS v FROM \"{table}\" AS t");
                let answer = ask(source, &sql, Vec::new()).await;
                assert_no_mark(&answer, place, &sql);
            }
        }
    }
}
