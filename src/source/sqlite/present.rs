//! The time that SQLite takes for its present, where `server.clock` is set.
//!
//! A statement can say `now` in more ways than anybody can find in its text: `'n' || 'ow'`, a value of a table. SQLite asks
//! its operating system layer for the time, so a layer that answers with the set one holds for all of them. There is no safe
//! binding for that; this is the third file with `unsafe` in it (docs/adr/0013).
#![allow(unsafe_code)]

use std::{
    collections::BTreeMap,
    ffi::{CString, c_int},
    ptr,
    sync::{Mutex, PoisonError},
};

use libsqlite3_sys as ffi;
use time::OffsetDateTime;

/// Milliseconds of 1970-01-01T00:00:00Z by SQLite's count of days.
const UNIX_EPOCH: i64 = 210_866_760_000_000;
const DAY: f64 = 86_400_000.0;

/// The layer of this machine, with a clock that stands.
#[repr(C)]
struct Layer {
    /// First, so that a pointer to it is one to the whole.
    vfs: ffi::sqlite3_vfs,
    /// Milliseconds by SQLite's count of days.
    at: i64,
}

/// The name of a layer whose present is `at`, to the millisecond; none where SQLite takes none.
pub(super) fn layer(at: OffsetDateTime) -> Option<String> {
    /// One is made for each time, since SQLite keeps it for as long as the process runs.
    static LAYERS: Mutex<BTreeMap<i64, String>> = Mutex::new(BTreeMap::new());
    let unix = i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?;
    let mut layers = LAYERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = layers.get(&unix) {
        return Some(name.clone());
    }
    let name = format!("tfo-mcp-at-{unix}");
    let owned = CString::new(name.as_str()).ok()?;
    // SAFETY: with no name it answers the default layer, which lives as long as the process, or null.
    let usual = unsafe { ffi::sqlite3_vfs_find(ptr::null()).as_ref() }?;
    let vfs = ffi::sqlite3_vfs {
        pNext: ptr::null_mut(),
        zName: owned.into_raw(),
        xCurrentTime: Some(days),
        xCurrentTimeInt64: Some(milliseconds),
        ..*usual
    };
    let layer = Box::leak(Box::new(Layer { vfs, at: unix + UNIX_EPOCH }));
    // SAFETY: the layer and its name are never freed. Its other functions are those of the usual one, which find what they need
    // in the members that were copied.
    let answer = unsafe { ffi::sqlite3_vfs_register(ptr::from_mut(layer).cast(), 0) };
    (answer == ffi::SQLITE_OK).then(|| {
        layers.insert(unix, name.clone());
        name
    })
}

extern "C" fn milliseconds(vfs: *mut ffi::sqlite3_vfs, answer: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite calls it with the layer that it belongs to, a `Layer`, and a place for the answer.
    unsafe { *answer = (*vfs.cast::<Layer>()).at };
    ffi::SQLITE_OK
}

extern "C" fn days(vfs: *mut ffi::sqlite3_vfs, answer: *mut f64) -> c_int {
    // SAFETY: as above.
    unsafe { *answer = (*vfs.cast::<Layer>()).at as f64 / DAY };
    ffi::SQLITE_OK
}
