//! The organisation of a statement as the guard's views believe it: signed for one transaction.
//!
//! What is signed is the organisation, the server's process and the moment at which the transaction began. A
//! signed value that somebody reads, from a log or from `pg_stat_activity`, opens nothing in any other transaction.
//! The other half is the function that [`super::migration`] makes.

use ring::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};

use crate::source::{SourceError, SourceErrorKind};

/// Fewest bytes of a key.
const MIN_BYTES: usize = 32;
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The secret that this server shares with the guard.
#[derive(Clone)]
pub struct GuardKey {
    block: [u8; BLOCK],
}

impl std::fmt::Debug for GuardKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A transaction as its server names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    pub process: i32,
    /// Microseconds since 1970, in the server's own digits.
    pub began: String,
}

impl GuardKey {
    /// # Errors
    /// When the key is too short to be one.
    pub fn new(key: &SecretString) -> Result<Self, SourceError> {
        let key = key.expose_secret().as_bytes();
        if key.len() < MIN_BYTES {
            let message = format!("`guard_key` has {} bytes, and needs {MIN_BYTES}", key.len());
            return Err(SourceError::new(SourceErrorKind::Unavailable, message)
                .hint("make one with `openssl rand -hex 32`, and run `tfo-mcp migrate platform --guard` with it"));
        }
        let hashed;
        let key = if key.len() > BLOCK {
            hashed = digest::digest(&digest::SHA256, key);
            hashed.as_ref()
        } else {
            key
        };
        let mut block = [0; BLOCK];
        block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
        Ok(Self { block })
    }

    /// The two forms of the key that HMAC hashes, in hexadecimal digits: RFC 2104's `K ⊕ ipad` and `K ⊕ opad`.
    pub(super) fn pads(&self) -> [String; 2] {
        [0x36, 0x5c].map(|pad| hex(&self.block.map(|byte| byte ^ pad)))
    }

    /// The value of the setting that opens an organisation's rows to one transaction.
    pub(super) fn sign(&self, organization_id: &str, transaction: &Transaction) -> Result<String, SourceError> {
        // It becomes part of a `SET`, which takes no bound values.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if organization_id.is_empty() || organization_id.len() > 64 || !organization_id.bytes().all(is_plain) {
            return Err(SourceError::new(SourceErrorKind::Forbidden, "the organisation of the call is no identifier"));
        }
        let message = format!("{organization_id}.{}.{}", transaction.process, transaction.began);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.block), message.as_bytes());
        Ok(format!("{organization_id}.{}", hex(tag.as_ref())))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_belongs_to_one_transaction_and_one_organisation() {
        let key = GuardKey::new(&SecretString::from("k".repeat(32))).unwrap();
        let transaction = |process, began: &str| Transaction { process, began: began.into() };
        let signed = |organization_id, process, began| key.sign(organization_id, &transaction(process, began)).unwrap();
        assert_eq!(signed("a", 1, "5"), signed("a", 1, "5"));
        for (organization_id, process, began) in [("b", 1, "5"), ("a", 2, "5"), ("a", 1, "6")] {
            let tag = |text: String| text.split_once('.').unwrap().1.to_owned();
            assert_ne!(tag(signed(organization_id, process, began)), tag(signed("a", 1, "5")));
        }
        for hostile in ["", "'", "a.b", "a'; SET ROLE x; --", &"a".repeat(65)] {
            assert!(key.sign(hostile, &transaction(1, "5")).is_err(), "{hostile}");
        }
        assert!(GuardKey::new(&SecretString::from("short")).is_err());
        assert_eq!(format!("{key:?}"), "***");
    }
}
