//! What is masked in answers, in the log and in the audit log.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::convert;
use crate::masking::{self, Personal};

/// What is masked in answers: `***` stands there instead, and an answer says how often. A net and no lock: what has no form of
/// its own is not recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Masking {
    /// Mask what lets somebody in: tokens, keys, passwords and their hashes, by their forms. The log and the audit log are
    /// masked in any case.
    pub secrets: bool,
    /// Kinds of personal data to mask. Default: none, since who did it is often what is asked for.
    #[serde(deserialize_with = "kinds")]
    pub personal: Vec<Personal>,
    /// Forms of your own by name, as regular expressions, such as `customer: 'CUST-[0-9]{6}'`. Of one with a group `(?<v>…)` only
    /// that is masked. Default: none.
    #[serde(deserialize_with = "forms")]
    pub patterns: BTreeMap<String, String>,
}

impl Default for Masking {
    fn default() -> Self {
        Self { secrets: true, personal: Vec::new(), patterns: BTreeMap::new() }
    }
}

/// Reads kinds: one, several with commas between them, or a list.
fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Personal>, D::Error> {
    let words = convert::texts(deserializer)?;
    words.into_iter().map(|word| serde_json::from_value(word.into()).map_err(D::Error::custom)).collect()
}

/// Reads regular expressions that can be used.
fn forms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let forms = BTreeMap::<String, String>::deserialize(deserializer)?;
    for (name, form) in &forms {
        masking::check(form).map_err(|error| D::Error::custom(format!("the form `{name}` {error}")))?;
    }
    Ok(forms)
}
