//! The HTTP transport: who may reach it, and what a client may cost.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use crate::definition::Period;

/// The HTTP transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Path of the protocol.
    pub path: String,
    /// Whether the transport of 2024-11-05 (HTTP+SSE) is offered too, for clients that know no other: at `sse` beside
    /// `path`, which is `/sse` beside `/mcp`.
    pub sse: bool,
    /// Names, with a port or without, by which clients may call this server, against DNS rebinding; the host of
    /// `public_url` and the address on which the server listens are among them. Default: `localhost`, `127.0.0.1` and
    /// `::1`.
    pub allowed_hosts: Vec<String>,
    /// Browser origins that may call, such as `https://app.example.com:443` or `http://localhost:*`.
    /// Default: those of the loopback interface, on any port.
    pub allowed_origins: Vec<String>,
    /// URL under which clients reach this server from outside, such as `https://mcp.example.com/mcp`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// File with the certificate chain in PEM; with `tls_key` the server speaks HTTPS. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// File with the private key in PEM. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Longest wait for the headers of a request, for its whole body, between two requests of a connection, and for a
    /// client to read more of an answer that waits for it. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub idle_timeout: Period,
    /// Most connections at once; on further ones only `/healthz` and `/readyz` are answered, everything else 503.
    pub max_connections: usize,
    /// Most connections of one address (in IPv6 of one /64) at once; further ones are answered in the same way. Behind a
    /// proxy all clients have its address: set it to `max_connections` there. Default: half of `max_connections`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections_per_address: Option<usize>,
    /// Most requests of one client at once; further ones are answered 429. Open streams of `subscriptions/listen` are
    /// counted apart, up to the same number. A client is its credential, or its address where there is none.
    pub max_requests_per_client: usize,
    /// Most sessions at once, for the revisions before 2026-07-28. For a further one the client that has the most loses
    /// the session that it used longest ago; where all are in use the answer is 503.
    pub max_sessions: usize,
    /// How long a session may be idle. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub session_idle: Period,
    /// How long requests in flight may take when the server is told to stop; then they are cancelled, in the databases
    /// too. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub drain_timeout: Period,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            path: "/mcp".into(),
            sse: true,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
            idle_timeout: Period::from_secs(60),
            max_connections: 1024,
            max_connections_per_address: None,
            max_requests_per_client: 256,
            max_sessions: 1024,
            session_idle: Period::from_secs(1800),
            drain_timeout: Period::from_secs(10),
        }
    }
}
