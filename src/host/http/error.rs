//! Why a service gave no answer, in words that name the service and the setting, and no secret.

use std::{error::Error, fmt, net::IpAddr};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    pub kind: HttpErrorKind,
    /// One sentence.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// The kinds that a caller can do something different about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// A value cannot stand where the definition puts it.
    Invalid,
    /// The service is not set up, or cannot be reached.
    Unavailable,
    /// Where the service lies or leads is not open.
    Forbidden,
    Timeout,
    Failed,
}

impl HttpError {
    pub(super) fn new(kind: HttpErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into() }
    }

    /// What was said of an exchange with a service. Addresses of requests are left out, for they hold what callers said.
    pub(super) fn of(service: &str, error: &reqwest::Error) -> Self {
        let (mut next, mut deepest) = (error.source(), "the exchange failed".to_owned());
        while let Some(cause) = next {
            if let Some(refused) = cause.downcast_ref::<Refused>() {
                return refused.told(service);
            }
            (next, deepest) = (cause.source(), cause.to_string());
        }
        let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
        let hint = format!("try again, or the operator looks at `http.services.{service}`");
        Self::new(HttpErrorKind::Unavailable, format!("`{service}` {what}: {deepest}"), hint)
    }
}

/// All addresses of a host are closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub host: String,
    pub address: IpAddr,
    pub what: &'static str,
}

impl Refused {
    pub(super) fn told(&self, service: &str) -> HttpError {
        // A range does not open what answers with credentials of the machine.
        let opens = match super::address::is_metadata(self.address) {
            true => format!("that address alone, `{}`,", self.address),
            false => "its network".to_owned(),
        };
        let hint = format!(
            "if it is meant to lie there, the operator opens {opens} with `http.services.{service}.allow_private`"
        );
        HttpError::new(HttpErrorKind::Forbidden, format!("`{service}` was not asked: {self}"), hint)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, address, what } = self;
        write!(f, "the host `{host}` has the address {address}, which is {what}")
    }
}

impl Error for Refused {}
