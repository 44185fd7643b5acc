//! How rows of tables belong to an organisation, and which columns nobody may see.
//!
//! What is true of any schema stands here: the names of secrets, functions, the databases' own tables. What is true of
//! one, such as the platform's, is data of its pack (`kind: tables`), kept in [`TableRules`]: the guards of statements build
//! their conditions of both, `check` proves definitions by them. A table that says nothing and has no `organization_id` is
//! refused.

use std::collections::{BTreeMap, BTreeSet};

/// The column that says whose a row is.
pub const ORGANIZATION: &str = "organization_id";

/// What packs say of tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRules {
    /// How tables without a column for it reach an organisation.
    pub through: BTreeMap<String, Through>,
    /// Tables that hold the same for everyone.
    pub everyones: BTreeSet<String>,
    /// Tables in which a row without an organisation is everyone's.
    pub defaults: BTreeSet<String>,
    /// Rollups that add up rows of several organisations, and what to do instead.
    pub folded: BTreeMap<String, String>,
    /// Tables that are secrets as a whole.
    pub hidden: BTreeSet<String>,
    /// Columns that nobody may see although their names are not those of secrets, by table.
    pub private: BTreeSet<(String, String)>,
}

/// A way from a table to its organisation: its `column` is one of `parent`'s `parent_column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    pub column: String,
    pub parent: String,
    pub parent_column: String,
}

/// Schemas of databases themselves, which hold no organisation's rows.
const SYSTEM_SCHEMAS: &[&str] = &["system", "information_schema", "pg_catalog"];

/// Tables of SQLite itself.
const SYSTEM_TABLES: &[&str] = &["sqlite_schema", "sqlite_master"];

/// Functions in `FROM` that make rows of what they are given, and read no table.
const MAKE_ROWS: &[&str] = &[
    "numbers",
    "numbers_mt",
    "zeros",
    "zeros_mt",
    "values",
    "null",
    "generate_series",
    "generateseries",
    "generate_subscripts",
    "unnest",
    "string_to_table",
    "regexp_matches",
    "regexp_split_to_table",
    "json_each",
    "json_each_text",
    "json_tree",
    "json_array_elements",
    "json_array_elements_text",
    "json_object_keys",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_object_keys",
    "jsonb_path_query",
];

/// Beginnings of the names of functions that read what is named by a text or an argument, where no condition can be
/// seen: dictionaries, join tables, sets, and statements in a text.
const READ_BY_NAME: &[&str] = &[
    "dictget",
    "dicthas",
    "dictisin",
    "joinget",
    "query_to_xml",
    "table_to_xml",
    "schema_to_xml",
    "database_to_xml",
    "cursor_to_xml",
    "ts_stat",
    "dblink",
    "lo_get",
    "pg_read_",
];

/// Brothers of ClickHouse's `in(x, t)`, whose second argument may be a table.
const SET_FUNCTIONS: &[&str] = &["notin", "globalin", "globalnotin", "nullin", "notnullin"];

/// Names of columns with secrets, as words of the name in order: `encrypted api key` matches
/// `encrypted_api_key` and `encryptedApiKey`.
const SECRETS: &[&str] = &[
    "secrets",
    "credentials",
    "access tokens",
    "api tokens",
    "auth tokens",
    "refresh tokens",
    "session tokens",
    "private key",
    "encrypt key",
    "encryption key",
    "encrypted",
    "api key",
    "api keys",
    "access key",
    "account key",
    "auth key",
    "license key",
    "licence key",
    "master key",
    "shared key",
    "signing key",
    "ssh key",
    "key hash",
    "pass hash",
    "token hash",
    "pass phrase",
    "seed phrase",
    "backup code",
    "backup codes",
    "recovery code",
    "recovery codes",
    "reset code",
    "security answer",
    "security code",
    "verification code",
    "basic auth",
    "auth header",
    "bearer",
    "certificate",
    "connection string",
    "webhook url",
    "dsn",
    "jwt",
    "cookie",
    "cookies",
    "salt",
    "otp",
    "totp",
    "hotp",
    "cvv",
    "authorization",
    "config",
];

/// Words for secrets that are often written together with another: `dbpassword`, `accesstoken`.
const SECRET_ENDINGS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "authkey",
    "privatekey",
    "secretkey",
];

/// Words that mean a secret where a name ends with them: `smtp_pass` and `pin`, but not `pass_rate`.
const SECRET_LAST: &[&str] = &["auth", "pass", "pat", "pin"];

/// Columns that look like secrets by [`SECRETS`] and are none.
const HARMLESS: &[&str] = &[
    "password change",
    "password changed at",
    "password change reason",
    "force password change",
    "api key id",
    "api key hint",
    "token url",
    "authorization url",
    "schedule config",
    "encrypted",
    "is encrypted",
];

/// How a table is bound to an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs<'r> {
    /// By its own column.
    Directly,
    /// By its own column; rows without one are everybody's.
    DirectlyOrDefault,
    /// Through another table.
    Through(&'r Through),
    /// To everybody.
    Global,
}

impl TableRules {
    /// These rules and those of another pack. What is known of a table stays as it is; whatever is hidden is hidden.
    pub fn with(mut self, others: &TableRules) -> Self {
        for (table, through) in &others.through {
            self.through.entry(table.clone()).or_insert_with(|| through.clone());
        }
        for (table, instead) in &others.folded {
            self.folded.entry(table.clone()).or_insert_with(|| instead.clone());
        }
        self.everyones.extend(others.everyones.iter().cloned());
        self.defaults.extend(others.defaults.iter().cloned());
        self.hidden.extend(others.hidden.iter().cloned());
        self.private.extend(others.private.iter().cloned());
        self
    }

    /// Whether a table is a secret as a whole.
    pub fn is_hidden(&self, table: &str) -> bool {
        self.hidden.contains(table)
    }

    /// How `table` belongs to an organisation, if it does.
    pub fn belongs(&self, table: &str, columns: &[String]) -> Option<Belongs<'_>> {
        if self.is_hidden(table) {
            return None;
        }
        if columns.iter().any(|column| column == ORGANIZATION) {
            let default = self.defaults.contains(table);
            return Some(if default { Belongs::DirectlyOrDefault } else { Belongs::Directly });
        }
        if let Some(through) = self.through.get(table) {
            return Some(Belongs::Through(through));
        }
        self.everyones.contains(table).then_some(Belongs::Global)
    }

    /// What to do instead of reading a rollup that mixes organisations.
    pub fn instead_of_folded(&self, table: &str) -> Option<&str> {
        self.folded.get(table).map(String::as_str)
    }

    /// Whether nobody may see a column.
    pub fn is_secret(&self, table: &str, column: &str) -> bool {
        self.private.iter().any(|(of, private)| of == table && private == column) || is_secret_name(column)
    }
}

/// Whether a table belongs to the database itself.
pub fn is_system(schema: Option<&str>, table: &str) -> bool {
    let known = |list: &[&str], name: &str| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    schema.map_or_else(|| known(SYSTEM_TABLES, table), |schema| known(SYSTEM_SCHEMAS, schema))
}

/// Whether a function in `FROM` makes its rows itself.
pub fn makes_rows(function: &str) -> bool {
    MAKE_ROWS.iter().any(|known| known.eq_ignore_ascii_case(function))
}

/// Whether a function reads rows that its arguments name.
pub fn reads_by_name(function: &str) -> bool {
    let name = function.to_ascii_lowercase();
    READ_BY_NAME.iter().any(|begin| name.starts_with(begin)) || SET_FUNCTIONS.contains(&name.as_str())
}

/// Whether a column is called as secrets are.
fn is_secret_name(column: &str) -> bool {
    let name = words(column);
    if HARMLESS.iter().any(|harmless| name == *harmless) {
        return false;
    }
    let padded = format!(" {name} ");
    let word = |word: &str| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending))
            || word.starts_with("password") && word != "passwordless"
    };
    SECRETS.iter().any(|secret| padded.contains(&format!(" {secret} ")))
        || name.split_whitespace().any(word)
        || name.split_whitespace().next_back().is_some_and(|last| SECRET_LAST.contains(&last))
}

/// `passwordHistory` and `password_history` as `password history`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        } else {
            words.push(' ');
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_what_looks_like_them() {
        for (table, column) in [
            ("users", "password"),
            ("users", "passwordHistory"),
            ("users", "mfa_secret"),
            ("users", "mfa_backup_codes"),
            ("api_keys", "api_key_secret"),
            ("api_keys", "encrypt_key"),
            ("llm_providers", "encrypted_api_key"),
            ("notification_channels", "config"),
            ("ntf_channels", "config"),
            ("workspaces", "datasource_config"),
            ("uptime_monitors", "http_config"),
            ("sso_providers", "client_secret"),
            ("sso_providers", "certificate"),
            ("sso_providers", "private_key"),
            ("sso_connections", "refresh_token"),
            ("user_sessions", "session_token"),
            ("vault", "pwd"),
            ("vault", "userPwd"),
            ("vault", "password2"),
            ("vault", "password_hashes"),
            ("vault", "passwordhash"),
            ("vault", "dbpassword"),
            ("vault", "smtp_pass"),
            ("vault", "APIKey"),
            ("vault", "apikey"),
            ("vault", "apiKeys"),
            ("vault", "accesstoken"),
            ("vault", "refresh_tokens"),
            ("vault", "auth_header"),
            ("vault", "basicAuth"),
            ("vault", "bearer"),
            ("vault", "jwt"),
            ("vault", "totp"),
            ("vault", "pin"),
            ("vault", "github_pat"),
            ("vault", "webhook_url"),
            ("vault", "license_key"),
            ("vault", "cookies"),
            ("vault", "secrets"),
        ] {
            assert!(is_secret_name(column), "{table}.{column}");
        }
        for (table, column) in [
            ("users", "email"),
            ("users", "passwordChangedAt"),
            ("users", "force_password_change"),
            ("users", "password_change_reason"),
            ("api_keys", "key_hint"),
            ("api_keys", "api_key_id"),
            ("llm_providers", "api_key_hint"),
            ("llm_conversations", "total_tokens_used"),
            ("llm_messages", "tokens_used"),
            ("sso_providers", "token_url"),
            ("kubernetes_configmaps", "key_names"),
            ("report_definitions", "schedule_config"),
            ("alert_instances", "fingerprint"),
            ("llm_messages", "prompt_tokens"),
            ("tests", "pass_rate"),
            ("tests", "first_pass_at"),
            ("tests", "path"),
            ("tests", "author"),
            ("tests", "commit_hash"),
            ("users", "passwordless"),
            ("users", "is_pinned"),
            ("users", "auth_method"),
            ("books", "compass"),
            ("books", "secretary"),
            ("books", "tokenizer"),
        ] {
            assert!(!is_secret_name(column), "{table}.{column}");
        }
    }
}
