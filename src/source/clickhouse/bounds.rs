//! What a statement may take of a ClickHouse server: memory, threads, rows, disk, and the size of the statement.
//!
//! Data: one row a setting. A setting that the account's profile bounds more narrowly is left to the profile.

use std::collections::BTreeMap;

use super::request::quote;

/// Whom a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Resolving a caller's statement. ClickHouse computes constants and runs subqueries that stand for a value
    /// meanwhile, and looks neither at the time nor at a KILL: memory and rows are what ends that.
    Analysis,
    /// Running a caller's statement.
    Caller,
    Definition,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// A setting and its most, in the order of [`For`]; zero leaves it as it is.
const BOUNDS: [(&str, [u64; 3]); 11] = [
    ("max_memory_usage", [128 * MIB, GIB, 4 * GIB]),
    ("max_threads", [1, 4, 8]),
    ("max_rows_to_read", [100_000, 1_000_000_000, 0]),
    ("max_bytes_to_read", [64 * MIB, 64 * GIB, 0]),
    ("max_temporary_data_on_disk_size_for_query", [64 * MIB, GIB, 8 * GIB]),
    ("max_query_size", [128 << 10, 128 << 10, MIB]),
    ("max_ast_elements", [3_000, 3_000, 50_000]),
    ("max_expanded_ast_elements", [30_000, 30_000, 500_000]),
    ("max_ast_depth", [300, 300, 1_000]),
    ("max_subquery_depth", [30, 30, 100]),
    ("function_range_max_elements_in_block", [10_000_000, 10_000_000, 0]),
];

/// Beside these, where the account is ours alone: all that its statements take together.
const OURS: (&str, u64) = ("max_memory_usage_for_user", 4 * GIB);

/// What the server says of a setting.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    pub(super) value: String,
    /// The most that the profile allows, if it says so.
    pub(super) most: String,
    /// The profile allows no other value.
    pub(super) constant: bool,
}

/// The settings that are asked for.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BOUNDS.iter().map(|(name, _)| *name).chain([OURS.0])
}

/// The settings to send.
pub(super) fn of(known: &BTreeMap<String, Setting>, whom: For, ours: bool) -> Vec<(&'static str, String)> {
    let column = whom as usize;
    let rows = BOUNDS.iter().map(|(name, most)| (*name, most.get(column).copied().unwrap_or_default()));
    let rows = rows.chain(ours.then_some(OURS));
    rows.filter_map(|(name, most)| Some((name, narrowed(known.get(name)?, most)?.to_string()))).collect()
}

/// The value to send; none if the profile's own is no wider, or is the only one allowed.
fn narrowed(setting: &Setting, most: u64) -> Option<u64> {
    if most == 0 || setting.constant {
        return None;
    }
    // `auto(2)` is two.
    let digits: String = setting.value.chars().filter(char::is_ascii_digit).collect();
    if digits.parse().is_ok_and(|value: u64| value > 0 && value <= most) {
        return None;
    }
    Some(setting.most.parse().map_or(most, |allowed: u64| most.min(allowed)))
}

/// The question for what [`Setting`] holds.
pub(super) fn question(others: &[&'static str]) -> String {
    let names: Vec<String> = names().chain(others.iter().copied()).map(quote).collect();
    format!(
        "SELECT 'setting' AS kind, name, toString(value) AS value, ifNull(toString(max), '') AS most, \
         toString(readonly) AS constant FROM system.settings WHERE name IN ({})",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_never_widened() {
        let setting = |value: &str, most: &str, constant| Setting { value: value.into(), most: most.into(), constant };
        for (known, sent) in [
            (setting("0", "", false), Some(100)),
            (setting("1000", "", false), Some(100)),
            (setting("100", "", false), None),
            (setting("50", "", false), None),
            (setting("auto(2)", "", false), None),
            (setting("auto(200)", "", false), Some(100)),
            (setting("0", "60", false), Some(60)),
            (setting("0", "600", false), Some(100)),
            (setting("0", "", true), None),
        ] {
            assert_eq!(narrowed(&known, 100), sent, "{known:?}");
        }
        assert_eq!(narrowed(&setting("0", "", false), 0), None);
        assert!(of(&BTreeMap::new(), For::Caller, true).is_empty(), "a server without a setting is not sent it");
    }
}
