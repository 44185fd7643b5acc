//! The server's own traces and metrics. Accepted and checked today, without effect in this version (`names.yaml`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, SecretUrl};

/// The server's own traces and metrics, sent over OTLP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Send traces and metrics.
    pub enabled: bool,
    /// Address of the OTLP receiver. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<SecretUrl>,
    /// Protocol of the OTLP receiver.
    pub protocol: OtlpProtocol,
    /// Headers of every request, as `name=value,name=value`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Secret>,
    /// Name of this server in its own telemetry.
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
