//! The services that HTTP tools may ask: where each is, what it is told of us, and how much it may answer.
//!
//! A definition names a service and never an address. Secrets are named by the environment variables that hold them, so that
//! none stands in a file.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use url::Url;

use super::convert;
use crate::definition::{ByteSize, Period, written};

/// What HTTP tools may ask.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outgoing {
    /// The services by the names that definitions give them. Default: none.
    pub services: BTreeMap<String, Service>,
}

/// A service that HTTP tools may ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its address, such as `https://prometheus.example/`. Paths of definitions begin below it.
    pub url: ServiceUrl,
    /// Networks that are not public, such as `10.1.0.0/16` or `127.0.0.1`, in which the service may lie. The addresses at which
    /// clouds answer with credentials are open only if they are named alone, without a prefix. Default: none.
    #[serde(default)]
    pub allow_private: Vec<Network>,
    /// Headers by name, and the environment variables that hold their values. Default: none.
    #[serde(default)]
    pub headers_env: BTreeMap<String, String>,
    /// Environment variable that holds a bearer token. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_env: Option<String>,
    /// User of basic authentication; its password is in `basic_password_env`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_user: Option<String>,
    /// Environment variable that holds the password of `basic_user`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_password_env: Option<String>,
    /// Longest exchange, with redirects and the whole answer. A bare number means seconds. Default: 10s.
    #[serde(default = "usual_timeout", deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Most bytes of an answer, counted when they are unpacked. Default: 4 MiB.
    #[serde(default = "usual_bytes", deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_bytes: ByteSize,
    /// File with certificates in PEM that are trusted beside those of the system. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

fn usual_timeout() -> Period {
    Period::from_secs(10)
}

fn usual_bytes() -> ByteSize {
    ByteSize(4 << 20)
}

/// The address of a service: `http` or `https`, a host, and perhaps a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(pub Url);

impl ServiceUrl {
    /// # Errors
    /// What is wrong with the address. It is not quoted, for it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("this is no address of a service: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("the address of a service begins with `https://` or `http://` and a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the address of a service holds no credentials: name their variables in `basic_password_env` or `bearer_env`"
                    .to_owned(),
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the address of a service has no `?` and no `#`: those belong to definitions".to_owned());
        }
        Ok(Self(url))
    }
}

/// An address or a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{}` is no network: write `10.1.0.0/16`, `fd00::/8` or one address", text.escape_debug());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |prefix| prefix.parse().map_err(|_| wrong()))?;
        if prefix > longest { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }

    /// Whether an address lies in it. One of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        let shared = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        shared >= u32::from(self.prefix)
    }

    /// Whether it is this address and no other.
    pub fn is(&self, address: IpAddr) -> bool {
        self.address == address && self.prefix == if address.is_ipv4() { 32 } else { 128 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

written!(Network, {
    "type": "string",
    "description": "A network such as `10.1.0.0/16`, or one address.",
    "examples": ["10.1.0.0/16", "127.0.0.1", "fd00::/8"],
});
written!(ServiceUrl, {
    "type": "string",
    "description": "An address without credentials, such as `https://prometheus.example/`.",
    "pattern": "^https?://",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_neither_credentials_nor_a_query() {
        for (text, said) in [
            ("ftp://x/", "begins with `https://`"),
            ("https://u:hunter2@x/", "holds no credentials"),
            ("https://u@x/", "holds no credentials"),
            ("https://x/?a=b", "no `?`"),
            ("https://x/#a", "no `?` and no `#`"),
            ("hunter2", "no address of a service"),
        ] {
            let refused = ServiceUrl::parse(text).unwrap_err();
            assert!(refused.contains(said) && !refused.contains("hunter2"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
        assert!(holds("10.1.0.0/16", "10.1.255.1") && !holds("10.1.0.0/16", "10.2.0.1"));
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("fd00::/8", "fdab::1") && !holds("fd00::/8", "::1") && !holds("0.0.0.0/0", "::1"));
        for wrong in ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }
}
