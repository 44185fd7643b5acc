//! Where the embedded ClickHouse keeps what, below the data directory.

use std::path::{Path, PathBuf};

/// Version of the npm package of libchdb that this build is made for.
pub const LIBCHDB_VERSION: &str = "26.7.3-stable.1";

pub(super) const CONFIG_FILE: &str = "config.xml";
pub(super) const USERS_FILE: &str = "users.xml";
pub(super) const PORT_FILE: &str = "port";
pub(super) const ENDPOINT_FILE: &str = "endpoint.json";
pub(super) const LOCK_FILE: &str = "endpoint.lock";
pub(super) const DATA_FOLDER: &str = "data";

/// Where `tfo-mcp setup clickhouse` puts the library.
pub fn library_path(data_dir: &Path) -> PathBuf {
    data_dir.join("libchdb").join(LIBCHDB_VERSION).join("libchdb.so")
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
