//! What `doctor` says of a PostgreSQL account: which locks hold, and what it can do that it need not.

use serde_json::Value;

use super::catalog::Catalog;
use crate::source::{Remark, Rows};

/// The account, in one row: whether it is a superuser, which powerful roles it is a member of, how many tables it can
/// write to, how many outside the guard it can read, how much it may write to temporary files, whether it may ask other servers.
pub(super) const ACCOUNT: &str = "\
    WITH tables AS (\
      SELECT c.oid, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
        AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%' \
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')) \
    SELECT current_user::text, \
      (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), \
      (SELECT pg_catalog.string_agg(rolname::text, ', ' ORDER BY rolname) FROM pg_catalog.pg_roles \
       WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', \
         'pg_execute_server_program', 'pg_monitor', 'pg_read_all_stats', 'pg_read_all_settings', 'pg_signal_backend', \
         'pg_database_owner', 'tfo_guard_owner') AND pg_catalog.pg_has_role(current_user, oid, 'MEMBER')), \
      (SELECT pg_catalog.count(*)::int4 FROM tables \
       WHERE pg_catalog.has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), \
      (SELECT pg_catalog.count(*)::int4 FROM tables \
       WHERE nspname <> 'tfo_guard' AND pg_catalog.has_any_column_privilege(oid, 'SELECT')), \
      pg_catalog.current_setting('temp_file_limit'), \
      EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.objid = p.oid AND d.deptype = 'e' \
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE e.extname = 'dblink' \
        AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE') \
        AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))";

/// Everything worth saying.
pub(super) fn remarks(pooled: bool, has_guard: bool, account: &Rows, catalog: &Catalog) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |found: String, hint: Option<&str>| remarks.push(Remark { found, hint: hint.map(str::to_owned) });
    match pooled {
        false => {
            say("connected directly: each statement runs in a read-only transaction that is rolled back".into(), None)
        }
        true => say("behind a pooler: each statement runs in a read-only transaction of its own".into(), None),
    }
    match has_guard {
        true => say("two locks: the views of the guard stand behind the check of statements".into(), None),
        false => say(
            "one lock: only the check of statements keeps organisations apart".into(),
            Some("`tfo-mcp migrate platform --guard` makes a second one in the database"),
        ),
    }
    let row = account.rows.first().map(Vec::as_slice).unwrap_or_default();
    let text = |index: usize| row.get(index).and_then(Value::as_str);
    let count = |index: usize| row.get(index).and_then(Value::as_i64).unwrap_or(0);
    let user = text(0).unwrap_or_default();
    let least = Some("give the source a login role that may only SELECT what is served");
    if row.get(1) == Some(&Value::Bool(true)) {
        // Everything that follows is true of a superuser, and says no more.
        say(format!("the role `{user}` is a superuser, whom no grant of the database binds"), least);
        return remarks;
    }
    if let Some(roles) = text(2) {
        say(format!("the role `{user}` is a member of {roles}"), least);
    }
    if count(3) > 0 {
        say(format!("the role `{user}` has the right to write to {} tables", count(3)), least);
    }
    if row.get(6) == Some(&Value::Bool(true)) {
        say(
            format!("the role `{user}` can write to other servers by dblink, which no transaction of this one undoes"),
            Some("revoke EXECUTE on the functions of the extension `dblink` from the role and from PUBLIC"),
        );
    }
    let secrets: Vec<String> = catalog
        .tables
        .0
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)))
        .filter(|(table, column)| catalog.rules.is_secret(table, column))
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    match (has_guard, count(4), secrets.as_slice()) {
        (true, seen @ 1.., _) => say(
            format!("the role `{user}` can read {seen} tables past the guard"),
            Some("revoke SELECT on them from the role, or give the source a role that never had it"),
        ),
        (false, _, [first, rest @ ..]) => say(
            match rest.len() {
                0 => format!("the role `{user}` can read a column with secrets: {first}"),
                more => format!("the role `{user}` can read columns with secrets: {first} and {more} more"),
            },
            Some("grant SELECT by column, or make the guard, whose views leave them out"),
        ),
        _ => {}
    }
    if text(5) == Some("-1") {
        say(
            format!("the role `{user}` may fill the disk with temporary files"),
            Some("as a superuser: `ALTER ROLE … SET temp_file_limit = '1GB'`"),
        );
    }
    remarks
}
