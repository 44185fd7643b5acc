//! What went wrong in PostgreSQL, in the kinds that callers tell apart.

use sqlx::postgres::PgDatabaseError;

use crate::source::{SettingNames, SourceError, SourceErrorKind};

/// An error of the driver or the server as ours. Never contains the password: sqlx does not put the URL into its
/// messages, and the server does not know it.
pub(super) fn source_error(error: &sqlx::Error) -> SourceError {
    match error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(server) => server_error(server),
            None => SourceError::new(SourceErrorKind::Failed, one_line(database.message())),
        },
        sqlx::Error::Io(error) => SourceError::new(SourceErrorKind::Unavailable, format!("PostgreSQL: {error}"))
            .hint("check that the server runs and that {address} names its host and port"),
        sqlx::Error::Tls(error) => {
            SourceError::new(SourceErrorKind::Unavailable, format!("PostgreSQL: TLS: {}", one_line(&error.to_string())))
                .hint("set `sslmode` and `sslrootcert` in {address} as the server demands")
        }
        sqlx::Error::Encode(error) => {
            SourceError::new(SourceErrorKind::Invalid, format!("a bound value does not fit: {error}"))
        }
        other => SourceError::new(SourceErrorKind::Failed, format!("PostgreSQL: {}", one_line(&other.to_string()))),
    }
}

/// As [`source_error`], for those who were given a URL and no name of a setting.
pub(super) fn told(error: &sqlx::Error) -> SourceError {
    SettingNames::default().put(source_error(error))
}

/// The SQLSTATE of an error, if the server sent one.
pub(super) fn sql_state(error: &sqlx::Error) -> Option<&str> {
    let sqlx::Error::Database(database) = error else { return None };
    database.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

/// Whether the connection itself is lost, so that another one may do better.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_)) || matches!(sql_state(error), Some("57P01" | "57P02" | "08006" | "08003"))
}

/// Whether a prepared statement no longer fits the tables, or is gone.
pub(super) fn is_outdated(error: &sqlx::Error) -> bool {
    match sql_state(error) {
        Some("26000") => true,
        Some("0A000") => error.to_string().contains("cached plan must not change result type"),
        _ => false,
    }
}

/// Whether the name of a prepared statement is taken by somebody else's: the backend is not ours alone.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    sql_state(error) == Some("42P05")
}

/// Whether the driver does not know the kind of a type. It then asked the server in vain, and has not run the statement.
pub(super) fn is_unknown_type(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::ColumnDecode { index, .. } => index.contains("typtype") || index.contains("typcategory"),
        sqlx::Error::Protocol(message) => message.starts_with("unable to resolve type"),
        _ => false,
    }
}

/// Whether what stands in front of the server does not take the parameters of a startup message.
pub(super) fn refuses_startup(error: &sqlx::Error) -> bool {
    sql_state(error) == Some("08P01") && error.to_string().contains("startup parameter")
}

/// What the guard's function raises when an organisation is not signed by this server.
pub(super) const NOT_SIGNED: &str = "TFG01";

/// Whether the server cannot tell the type of a value from where it stands.
pub(super) fn is_indeterminate(error: &super::run::ParseError) -> bool {
    matches!(error, super::run::ParseError::Driver(error) if sql_state(error) == Some("42P18"))
}

fn server_error(error: &PgDatabaseError) -> SourceError {
    let kind = kind(error.code());
    let message = super::meaning::instead(error.code()).unwrap_or_else(|| {
        let mut message = one_line(error.message());
        if let Some(detail) = error.detail() {
            message.push_str(": ");
            message.push_str(&one_line(detail));
        }
        message
    });
    let hint = match kind {
        SourceErrorKind::Unavailable => unavailable(error.code(), error.message()).map(str::to_owned),
        SourceErrorKind::Timeout => Some("ask for a shorter window or fewer groups".to_owned()),
        SourceErrorKind::Forbidden if error.code() == NOT_SIGNED => {
            Some("set {guard_key} to the key with which `tfo-mcp migrate platform --guard` was run".to_owned())
        }
        SourceErrorKind::Forbidden if error.code() == "42501" => {
            Some("grant SELECT on it to the user of {address}".to_owned())
        }
        _ => error.hint().map(one_line),
    };
    SourceError { kind, message, hint }
}

/// What to do where the server, or what stands in front of it, does not let us in.
fn unavailable(code: &str, message: &str) -> Option<&'static str> {
    match code {
        "3D000" => Some("check the name of the database in {address}"),
        _ if code.starts_with("28") => {
            Some("check the user and the password of {address}, and the server's pg_hba.conf")
        }
        // The server starts or stops, is full, or cannot take one connection more.
        "57P01" | "57P02" | "57P03" | "53300" => Some("the server refuses connections for now; try again"),
        "08P01" if message.contains("startup parameter") => Some(
            "the pooler refuses it: add it to `ignore_startup_parameters` of PgBouncer, or leave it out of {address}",
        ),
        // A pooler's own errors have no better code.
        "08P01" if message.contains("no such database") => Some("check the name of the database in {address}"),
        _ if code.starts_with("08") => Some("check that {address} names a server of PostgreSQL, and the network"),
        _ => None,
    }
}

/// SQLSTATE classes: PostgreSQL documentation, appendix A.
fn kind(code: &str) -> SourceErrorKind {
    match code {
        "42P01" | "42703" | "3F000" => SourceErrorKind::Missing,
        // A cancel that nobody here asked for is the server's own limit, or its operator's.
        "57014" | "25P03" | "55P03" => SourceErrorKind::Timeout,
        "25006" | "42501" | NOT_SIGNED => SourceErrorKind::Forbidden,
        "3D000" | "53300" => SourceErrorKind::Unavailable,
        _ => match code.get(..2).unwrap_or_default() {
            "28" | "08" => SourceErrorKind::Unavailable,
            "57" => SourceErrorKind::Unavailable,
            "25" => SourceErrorKind::Forbidden,
            "53" | "54" => SourceErrorKind::Exhausted,
            "42" | "22" | "26" | "0A" | "2B" | "21" | "44" => SourceErrorKind::Invalid,
            _ => SourceErrorKind::Failed,
        },
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
