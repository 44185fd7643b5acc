//! Sections of capabilities that come with later versions: accepted and checked today, so that a file of the earlier
//! servers loads, and reported as unused by `doctor` (`names.yaml` lists which).

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, SecretUrl, convert};
use crate::definition::{ByteSize, Period};

/// Access to language models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Llm {
    /// API key of the default provider. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// Root of the API of the default provider. Default: the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<SecretUrl>,
    /// Model of a call that names none. Default: the default model of the default provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// Most tokens of an answer. Default: 4096.
    pub max_tokens: u32,
    /// Sampling temperature, for models that take one. Default: the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Longest wait for an answer. A bare number means seconds. Default: `2m`.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Further attempts after a failure that may pass. Default: 3.
    pub max_retries: u32,
    /// Keys and addresses by provider name. Default: none.
    pub providers: IndexMap<String, ProviderAccess>,
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            api_key: None,
            base_url: None,
            default_model: None,
            max_tokens: 4096,
            temperature: None,
            timeout: Period::from_secs(120),
            max_retries: 3,
            providers: IndexMap::new(),
        }
    }
}

/// Key and address of one provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderAccess {
    /// API key. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// Root of the API. Default: the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<SecretUrl>,
}

/// The server's own traces and metrics, sent over OTLP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Send traces and metrics. Default: false.
    pub enabled: bool,
    /// Address of the OTLP receiver. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<SecretUrl>,
    /// Protocol of the OTLP receiver. Default: `grpc`.
    pub protocol: OtlpProtocol,
    /// Headers of every request, as `name=value,name=value`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Secret>,
    /// Name of this server in its own telemetry. Default: `tfo-mcp`.
    pub service_name: String,
    /// Name of the deployment environment. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Further attributes, as `name=value,name=value`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_attributes: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            enabled: false,
            otlp_endpoint: None,
            protocol: OtlpProtocol::Grpc,
            headers: None,
            service_name: "tfo-mcp".into(),
            environment: None,
            resource_attributes: None,
        }
    }
}

/// Protocol of an OTLP receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtlpProtocol {
    /// Protocol buffers over gRPC.
    #[serde(rename = "grpc")]
    Grpc,
    /// Protocol buffers over HTTP.
    #[serde(rename = "http/protobuf", alias = "http")]
    HttpProtobuf,
    /// JSON over HTTP.
    #[serde(rename = "http/json")]
    HttpJson,
}

/// A cache that several servers share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Use the shared cache. Default: false.
    pub cache_enabled: bool,
    /// `redis://user:password@host:6379`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis_url: Option<SecretUrl>,
    /// How long an answer is kept. A bare number means seconds. Default: `5m`.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub cache_ttl: Period,
}

impl Default for Cache {
    fn default() -> Self {
        Self { cache_enabled: false, redis_url: None, cache_ttl: Period::from_secs(300) }
    }
}

/// Events and usage records of several servers, carried by NATS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// Send events and usage records. Default: false.
    pub queue_enabled: bool,
    /// `nats://host:4222`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_url: Option<SecretUrl>,
    /// Messages that are worked on at once. Default: 5.
    pub queue_concurrency: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self { queue_enabled: false, nats_url: None, queue_concurrency: 5 }
    }
}

/// What the file tools may touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Folders that file tools may read and write; nothing outside of them exists for the tools. Default: none.
    pub roots: Vec<PathBuf>,
    /// Refuse every change. Default: true.
    pub read_only: bool,
    /// Most bytes that one call reads. Default: `1MiB`.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_read: ByteSize,
}

impl Default for Files {
    fn default() -> Self {
        Self { roots: Vec::new(), read_only: true, max_read: ByteSize(1 << 20) }
    }
}

/// What the command tools may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Let tools run commands at all. Default: false.
    pub enabled: bool,
    /// Programs that may be run; when given, all others are refused. Default: none.
    pub allow: Vec<String>,
    /// Programs that are refused even if allowed. Default: none.
    pub deny: Vec<String>,
    /// Folders in which commands may run. Default: none.
    pub roots: Vec<PathBuf>,
    /// Environment variables that commands see. Default: none but `PATH`, `HOME` and `LANG`.
    pub environment: Vec<String>,
    /// Longest run. Default: `1m`.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Most bytes of output that are kept: its head and its tail. Default: `64KiB`.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_output: ByteSize,
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            enabled: false,
            allow: Vec::new(),
            deny: Vec::new(),
            roots: Vec::new(),
            environment: Vec::new(),
            timeout: Period::from_secs(60),
            max_output: ByteSize(64 << 10),
        }
    }
}
