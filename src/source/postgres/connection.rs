//! How PostgreSQL is connected to: the URL, and what a session is started with.
//!
//! The limits of a session travel in the startup message, so that they cost no round trip, and so that
//! `RESET ALL` (part of `DISCARD ALL`) returns to them instead of losing them. Whether they have arrived is asked
//! of each session, see [`super::session`].

use std::{net::IpAddr, str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use url::Url;

use super::signature::GuardKey;
use crate::source::{SourceError, address::Form};

const FORM: Form = Form {
    database: "PostgreSQL",
    schemes: &["postgres", "postgresql"],
    example: "postgres://user:password@host:5432/database?sslmode=require",
};

/// The parameters that the driver knows. Of others it would write the values into the log.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Reads a URL. What is wrong with it is said without repeating it, since it holds the password.
pub(super) fn parse(url: &SecretString) -> Result<PgConnectOptions, SourceError> {
    let text = FORM.read(url.expose_secret())?;
    let hosted = with_host(text);
    let mut url = Url::parse(hosted.as_deref().unwrap_or(text))
        .map_err(|_| FORM.wrong("it is no URL of a PostgreSQL database"))?;
    let (known, unknown): (Vec<_>, Vec<_>) = url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .partition(|(name, _)| PARAMETERS.contains(&name.as_str()) || name.starts_with("options["));
    for (parameter, _) in &unknown {
        tracing::debug!(parameter, "a parameter of the URL of PostgreSQL is not used");
    }
    if let Some((parameter, allowed)) = known.iter().find_map(|(name, value)| refused(name, value)) {
        return Err(FORM.wrong(format!("the parameter `{parameter}` of the URL is {allowed}")));
    }
    let elsewhere = known.iter().any(|(name, _)| name == "host" || name == "hostaddr");
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(known);
    }
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| FORM.wrong("it is no URL of a PostgreSQL database"))?
        .application_name("tfo-mcp");
    let options = match hosted.is_some() && !elsewhere {
        true => options.host(PgConnectOptions::new_without_pgpass().get_host()),
        false => options,
    };
    // The resolver knows no brackets.
    let host = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    Ok(match host {
        Some(address) => options.host(&address),
        None => options,
    })
}

/// A URL of libpq's that has a user or a port and no host, as those of sockets do, with one in its place: other parsers
/// refuse it without.
fn with_host(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next()?;
    let user = authority.strip_suffix(host)?;
    let none = !authority.is_empty() && (host.is_empty() || host.starts_with(':'));
    none.then(|| format!("{scheme}://{user}localhost{host}{behind}"))
}

/// What a parameter has to be that is not.
fn refused<'n>(name: &'n str, value: &str) -> Option<(&'n str, &'static str)> {
    let allowed = match name {
        "sslmode" | "ssl-mode" if value.parse::<PgSslMode>().is_err() => {
            "one of disable, allow, prefer, require, verify-ca, verify-full"
        }
        "port" if value.parse::<u16>().is_err() => "a number up to 65535",
        "hostaddr" if value.parse::<IpAddr>().is_err() => "an IP address",
        "statement-cache-capacity" if value.parse::<usize>().is_err() => "a number",
        _ => return None,
    };
    Some((name, allowed))
}

/// The statement timeout that a fresh session has.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
/// The same as PostgreSQL writes it.
pub(super) const DEFAULT_TIMEOUT_SHOWN: &str = "15s";

/// How sessions are opened.
#[derive(Clone)]
pub(super) struct Opening {
    plain: PgConnectOptions,
    /// The key of the guard in the database, where there is one.
    pub guard: Option<GuardKey>,
}

impl Opening {
    pub fn new(options: PgConnectOptions, guard: Option<GuardKey>) -> Self {
        Self { plain: options.disable_statement_logging().statement_cache_capacity(256), guard }
    }

    /// For sessions that only read, and that can be told by `mark` as started by us.
    pub fn started_as(&self, mark: &str) -> PgConnectOptions {
        self.plain.clone().options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", &DEFAULT_TIMEOUT.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", "60000"),
            // The guard reads text as standard strings; intervals that become text shall look the same everywhere.
            ("standard_conforming_strings", "on"),
            ("IntervalStyle", "iso_8601"),
            (MARK, mark),
        ])
    }

    /// For what stands in front of a server and takes no parameters at the start.
    pub fn bare(&self) -> PgConnectOptions {
        self.plain.clone().extra_float_digits(None)
    }
}

/// The setting that tells a session which we started from one that a pooler lends us.
pub(super) const MARK: &str = "tfo.session";

/// The server's limit for a caller's: the next step that leaves the caller's own deadline time to act first.
pub(super) fn step(limit: Duration) -> Duration {
    const STEPS: [u64; 9] = [5, 15, 30, 60, 120, 300, 900, 3_600, 86_400];
    let wanted = limit + Duration::from_millis(500);
    let seconds = STEPS.into_iter().find(|step| Duration::from_secs(*step) >= wanted).unwrap_or(86_400);
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_waits_a_little_longer_than_the_caller() {
        assert_eq!(step(Duration::from_millis(100)), Duration::from_secs(5));
        assert_eq!(step(Duration::from_secs(5)), Duration::from_secs(15));
        assert_eq!(step(Duration::from_secs(10)), Duration::from_secs(15));
        assert_eq!(step(Duration::from_secs(1_000_000)), Duration::from_secs(86_400));
    }

    #[test]
    fn a_broken_url_is_not_repeated() {
        for url in [
            "postgres://user:hunter2@host:notaport/db",
            "postgres://user:hunter2@host/db?sslmode=hunter2",
            "postgres://user@host/db?password=hunter2&port=x",
            "postgres://user:hunter2@host/db?hostaddr=hunter2",
            "postgres://user:hunter2@ho st/db",
        ] {
            let error = parse(&SecretString::from(url.to_owned())).unwrap_err();
            assert!(error.hint.is_some() && !format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn what_a_url_says_is_read() {
        let parse = |url: &str| parse(&SecretString::from(url.to_owned())).unwrap();
        for (url, host, port) in [
            ("postgres://u@[::1]:5433/d", "::1", 5433),
            ("postgresql://u@[2001:db8::7]:5433/d\n", "2001:db8::7", 5433),
            ("postgres://u:p%23%2Fs@127.0.0.1:5433/d", "127.0.0.1", 5433),
            ("postgres://u@h/d?port=5433&sslmode=require&connect_timeout=5&channel_binding=require", "h", 5433),
            ("postgres://u@h/d?hostaddr=%3A%3A1&port=5433", "::1", 5433),
        ] {
            let options = parse(url);
            assert_eq!((options.get_host(), options.get_port()), (host, port), "{url}");
            assert_eq!((options.get_username(), options.get_database()), ("u", Some("d")), "{url}");
        }
        for (url, host, port) in [
            ("postgres://u@/d?host=/tmp/pg&port=6361", Some("/tmp/pg"), 6361),
            ("postgresql://u:p%40@/d?host=%2Ftmp%2Fpg", Some("/tmp/pg"), 5432),
            ("postgres://u@:6361/d?host=/tmp/pg", Some("/tmp/pg"), 6361),
            ("postgres://:6361/d?user=u&host=/tmp/pg", Some("/tmp/pg"), 6361),
            ("postgres:///d?user=u&host=/tmp/pg", Some("/tmp/pg"), 5432),
            ("postgres://u@%2Ftmp%2Fpg/d", Some("/tmp/pg"), 5432),
            ("postgres://u@/d", None, 5432),
        ] {
            let options = parse(url);
            assert_eq!(
                (options.get_socket().and_then(|path| path.to_str()), options.get_port()),
                (host, port),
                "{url}"
            );
            assert_eq!((options.get_username(), options.get_database()), ("u", Some("d")), "{url}");
        }
        let options = parse("postgres://u@/d?host=db.example.com");
        assert_eq!((options.get_socket(), options.get_host()), (None, "db.example.com"));
        let options = parse("postgres://u@h/d?options=-csearch_path%3Dapp%20-cx.y%3D1&options[a]=b");
        assert_eq!(options.get_options(), Some("-csearch_path=app -cx.y=1 -c a=b"));
    }
}
