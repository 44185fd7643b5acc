//! Sections about the server itself: transport, offer, tenancy, limits and log.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Link, Secret, convert, http::Http};
use crate::definition::{ByteSize, Period, Rate};

/// How clients reach the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Name under which the server introduces itself.
    pub name: String,
    /// How clients speak to the server.
    pub transport: Transport,
    /// Address on which the HTTP transport listens.
    pub host: String,
    /// Port on which the HTTP transport listens.
    pub port: u16,
    /// Let the HTTP transport listen where other machines reach it although nobody is asked who they are,
    /// because something in front of it asks.
    pub allow_unauthenticated: bool,
    /// Scopes of callers whom nobody asks, where other machines reach them (`allow_unauthenticated`). On the loopback
    /// interface, and over stdio, such callers lack none. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unauthenticated_scopes: Vec<String>,
    /// The HTTP transport.
    pub http: Http,
    /// Logs at level `debug`, whatever `logging.level` says.
    pub debug: bool,
    /// The time that counts as now, in RFC 3339. `tfo-mcp demo` sets it to the end of its data, so that the last hour
    /// of the demo stays the last hour. Default: the real time.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub clock: Option<OffsetDateTime>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            name: "tfo-mcp".into(),
            transport: Transport::Stdio,
            host: "127.0.0.1".into(),
            port: 8080,
            http: Http::default(),
            allow_unauthenticated: false,
            unauthenticated_scopes: Vec::new(),
            debug: false,
            clock: None,
        }
    }
}

/// How clients speak to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The client starts the server and speaks over its standard input and output.
    Stdio,
    /// Streamable HTTP.
    Http,
}

impl Transport {
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Stdio => "stdio",
            Transport::Http => "http",
        }
    }
}

/// What the server offers to clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mcp {
    /// Offer tools.
    pub enable_tools: bool,
    /// Offer resources.
    pub enable_resources: bool,
    /// Offer prompts.
    pub enable_prompts: bool,
    /// Send log messages to clients that ask for them.
    pub enable_logging: bool,
    /// Let tools ask the client's model.
    pub enable_sampling: bool,
    /// Longest run of a tool that has no `timeout` of its own. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub tool_timeout: Period,
    /// How long, after the end of standard input, the next answer to what was asked before is waited for; then what is
    /// still running is cancelled, in the databases too. Where the input is a file nothing is cut off. A bare number
    /// means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub drain_timeout: Period,
    /// Largest message that is read from a client. A bare number means bytes.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_message_size: ByteSize,
    /// Most entries of one page of a list. Many clients read only the first page, so that it should hold all that
    /// they need.
    #[schemars(range(min = 1))]
    pub page_size: NonZeroUsize,
    /// Key that seals the state of a call that waits for its client's answers (2026-07-28), at least 32 bytes. All
    /// replicas need the same one. Default: a random one for each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_key: Option<Secret>,
    /// Keys that sealed such states before: they are still taken, for the hour that a state lives. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_state_keys: Vec<Secret>,
    /// Addresses by which people open what a document shows, by what they lead to, such as `trace` with the address
    /// `https://jaeger.example/trace/{trace_id}`. Places are names of columns, filled from the first row of a section that has
    /// them, and `from`, `to` (RFC 3339), `from_ms`, `to_ms` and `organization_id`. Default: none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, Link>,
}

/// Largest list that comes in one page unless somebody sets `mcp.page_size`.
const PAGE_SIZE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);

impl Default for Mcp {
    fn default() -> Self {
        Self {
            enable_tools: true,
            enable_resources: true,
            enable_prompts: true,
            enable_logging: true,
            enable_sampling: false,
            tool_timeout: Period::from_secs(30),
            drain_timeout: Period(std::time::Duration::from_millis(1500)),
            max_message_size: ByteSize(4 << 20),
            state_key: None,
            previous_state_keys: Vec::new(),
            page_size: PAGE_SIZE,
            links: BTreeMap::new(),
        }
    }
}

/// Whose data is answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tenancy {
    /// The organisation whose data is answered. Default: the only organisation there is; with several, calls
    /// answer with the names to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub organization_id: Option<Uuid>,
    /// The workspace, for definitions that bind it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub workspace_id: Option<Uuid>,
    /// The user, for definitions that bind it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "uuid"))]
    pub user_id: Option<Uuid>,
    /// What statements see as `claims.NAME` in calls without a credential, such as those over stdio. Default: none.
    pub claims: BTreeMap<String, serde_json::Value>,
    /// Lets a caller name one of the organisations that its credential covers; over stdio that is every
    /// organisation in the data.
    pub allow_argument: bool,
}

/// What one call may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest collection of a context; what is finished by then is answered.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub context_deadline: Period,
    /// Most characters of a context that is rendered for a model.
    #[schemars(range(min = 1))]
    pub context_chars: NonZeroUsize,
    /// Most tokens of the texts of a tool's answer, whatever a call asks for; a token is taken as four characters. Rows as
    /// structured content, and what is read of a file that is no text, are held to as much each by themselves. Notes beside
    /// them, errors, images and contents that a definition writes, prompts and resources are not.
    #[schemars(range(min = 1))]
    pub answer_tokens: NonZeroUsize,
    /// Longest single statement, enforced by the database too. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub query_timeout: Period,
    /// Most calls that run at once; further ones wait for their turn.
    #[schemars(range(min = 1))]
    pub concurrent_calls: NonZeroUsize,
    /// Most rows of one statement, whatever a call asks for.
    #[schemars(range(min = 1))]
    pub max_rows: NonZeroUsize,
    /// Most bytes of the rows of one statement.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_bytes: ByteSize,
    /// Keep answers whose definition says so (`cache: 30s`) in memory for that long, and run equal calls at one time once.
    pub keep_answers: bool,
    /// Most bytes of all answers that are kept. A bare number means bytes.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub kept_bytes: ByteSize,
    /// How often one caller (credential, else network) may call tools, prompts and resources, all together, such as
    /// `600/1m` or `600/1m burst 50`. Default: as often as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_rate: Option<Rate>,
    /// How often one caller may call each tool that has no limit of its own. Default: as often as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_rate: Option<Rate>,
    /// How often one caller may call a tool, by its name; it counts instead of the `rate_limit` of the definition.
    /// Other tools, prompts and resources that do the same are not counted with it: `caller_rate` holds all of them.
    /// Default: none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tool_rates: BTreeMap<String, Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            context_deadline: Period::from_secs(5),
            context_chars: NonZeroUsize::MIN.saturating_add(9_999),
            answer_tokens: NonZeroUsize::MIN.saturating_add(24_999),
            query_timeout: Period::from_secs(15),
            concurrent_calls: NonZeroUsize::MIN.saturating_add(63),
            max_rows: NonZeroUsize::MIN.saturating_add(999),
            max_bytes: ByteSize(4 << 20),
            keep_answers: true,
            kept_bytes: ByteSize(32 << 20),
            caller_rate: None,
            tool_rate: None,
            tool_rates: BTreeMap::new(),
        }
    }
}

/// The server's own log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logging {
    /// The least important messages that are logged.
    pub level: Level,
    /// How a message is written.
    pub format: LogFormat,
    /// File to which messages are appended. `stderr` is standard error; `stdout` is refused, because it belongs to
    /// the protocol. Default: `stderr`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "convert::log_output")]
    pub output: Option<PathBuf>,
}

/// How important a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Only what needs an operator.
    Error,
    /// Also what may need one.
    #[serde(alias = "warning")]
    Warn,
    /// Also what happened.
    #[default]
    Info,
    /// Also how it happened.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// How a log message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}
