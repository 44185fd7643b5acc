//! Where a ClickHouse is and how to log in.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::Organisation;
use crate::source::{SettingNames, SourceError, address::Form};

/// A ClickHouse server over HTTP.
#[derive(Debug, Clone)]
pub struct ClickHouseConfig {
    /// `http://host:8123` or `https://host:8443`, without user, password and database.
    pub url: String,
    pub database: String,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    /// Send settings with every statement: read-only mode, time and row limits. Off only for an account whose
    /// profile says `readonly = 1`, which refuses any setting; then the profile has to limit time and rows, and a
    /// caller's own SQL is refused, because binding it to an organisation needs a setting.
    pub send_settings: bool,
    /// Most statements that run at once; further ones wait, within their deadline.
    pub max_connections: usize,
    /// Tables without an `organization_id` column that every caller may read whole in a statement of its own.
    pub shared_tables: Vec<String>,
    /// Whose the rows are of tables without that column.
    pub organisation: Organisation,
    pub names: SettingNames,
}

/// The embedded ClickHouse of a data directory.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    pub data_dir: PathBuf,
    /// Where the server keeps its files. Default: `clickhouse` in the data directory.
    pub folder: Option<PathBuf>,
    pub database: String,
    /// The program that is run as the server. Default: the running one.
    pub executable: Option<PathBuf>,
    /// The libchdb to load. Default: the environment's, else that of the data directory.
    pub library: Option<PathBuf>,
    /// As in [`ClickHouseConfig::max_connections`].
    pub max_connections: usize,
    /// As in [`ClickHouseConfig::shared_tables`].
    pub shared_tables: Vec<String>,
    /// As in [`ClickHouseConfig::organisation`].
    pub organisation: Organisation,
}

impl EmbeddedConfig {
    /// The usual one of a data directory.
    pub fn new(data_dir: impl Into<PathBuf>, database: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            folder: None,
            database: database.into(),
            executable: None,
            library: None,
            max_connections: ClickHouseConfig::DEFAULT_CONNECTIONS,
            shared_tables: Vec::new(),
            organisation: Organisation::default(),
        }
    }
}

impl ClickHouseConfig {
    pub const DEFAULT_DATABASE: &'static str = "default";
    pub const DEFAULT_CONNECTIONS: usize = 16;

    /// Reads `http[s]://[user[:password]@]host[:port][/database][?database=name]`, also with `user` and `password` behind
    /// the question mark. The error never shows the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, SourceError> {
        let http = over_http(FORM.read(url)?);
        let no_host = || FORM.wrong("the URL names no host");
        let mut url = Url::parse(&http).map_err(|error| FORM.wrong(format!("the URL cannot be read: {error}")))?;
        let decode = |text: &str| percent_decode(text);
        let parameter =
            |name: &str| url.query_pairs().find_map(|(key, value)| (key == name).then(|| value.into_owned()));
        let user = Some(decode(url.username())).filter(|user| !user.is_empty()).or_else(|| parameter("user"));
        let password = url.password().map(decode).or_else(|| parameter("password")).map(SecretString::from);
        let database = parameter("database")
            .or_else(|| Some(decode(url.path().trim_matches('/'))))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| Self::DEFAULT_DATABASE.to_owned());
        if url.port().is_none() {
            let port = if url.scheme() == "https" { 8443 } else { 8123 };
            url.set_port(Some(port)).map_err(|()| no_host())?;
        }
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| no_host())?;
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self {
            url: url.to_string().trim_end_matches('/').to_owned(),
            database,
            user,
            password,
            send_settings: true,
            max_connections: Self::DEFAULT_CONNECTIONS,
            shared_tables: Vec::new(),
            organisation: Organisation::default(),
            names: SettingNames::default(),
        })
    }
}

const FORM: Form = Form {
    database: "ClickHouse over HTTP",
    schemes: &["http", "https", "clickhouse"],
    example: "http://user:password@host:8123/database",
};

/// The earlier servers spoke ClickHouse's native protocol: `clickhouse://host:9000` means the same server over HTTP.
fn over_http(url: &str) -> String {
    let Some(rest) = url.strip_prefix("clickhouse://") else { return url.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    match authority.strip_suffix(":9440") {
        Some(host) => format!("https://{host}:8443{tail}"),
        None => format!("http://{}{tail}", authority.strip_suffix(":9000").unwrap_or(authority)),
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (*first, hex, after.get(2..)) {
            (b'%', Some(byte), Some(tail)) => {
                bytes.push(byte);
                rest = tail;
            }
            (byte, ..) => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn urls_with_and_without_everything() {
        for (text, url, database, user, password) in [
            ("http://db", "http://db:8123", "default", None, None),
            ("https://db.example.com/telemetry", "https://db.example.com:8443", "telemetry", None, None),
            ("http://u:p%40ss@db:9000/x?database=y", "http://db:9000", "y", Some("u"), Some("p@ss")),
            ("http://u@[::1]:8123", "http://[::1]:8123", "default", Some("u"), None),
            (" http://db:8123/?user=u&password=p%26ss&database=y\r\n", "http://db:8123", "y", Some("u"), Some("p&ss")),
            ("clickhouse://u:p@db:9000/x", "http://db:8123", "x", Some("u"), Some("p")),
        ] {
            let config = ClickHouseConfig::parse(text).unwrap();
            assert_eq!(config.url, url);
            assert_eq!(config.database, database);
            assert_eq!(config.user.as_deref(), user);
            assert_eq!(config.password.as_ref().map(|p| p.expose_secret()), password);
        }
        for bad in [
            "",
            "db:8123",
            "tcp://u:secret@db:9000",
            "jdbc:clickhouse://db?password=secret",
            "http://u:secret@",
            "http://u:se#secret@db:8123",
            "${CLICKHOUSE_URL}",
            "'http://u:secret@db'",
        ] {
            let error = ClickHouseConfig::parse(bad).unwrap_err();
            assert!(error.hint.is_some() && !format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn native_urls_of_clickhouse_mean_the_same_server_over_http() {
        for (native, http) in [
            ("clickhouse://u:p@db:9000/x", "http://u:p@db/x"),
            ("clickhouse://db:9440/x?a=b", "https://db:8443/x?a=b"),
            ("clickhouse://db", "http://db"),
            ("clickhouse://db:9001", "http://db:9001"),
            ("https://db:8443/x", "https://db:8443/x"),
        ] {
            assert_eq!(over_http(native), http);
        }
    }
}
