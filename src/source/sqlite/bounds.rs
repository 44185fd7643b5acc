//! What a session of SQLite may cost: lengths, tree sizes, memory.
//!
//! Time alone bounds little here. SQLite looks at the clock between two steps of its virtual machine, and one step
//! is one call of a function, however long its arguments are. So the arguments are bounded. `sqlite3_limit` has no
//! pragma and no safe binding (docs/adr/0013).
#![allow(unsafe_code)]

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// Most bytes that SQLite may hold in this process, over all files and sessions: what is left to one statement when
/// every other one is at its own bound. Allocations past it fail, whoever asks.
pub(super) const HEAP: u64 = 1 << 30;

/// What a session may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Sessions at the same time. Each is a thread; more than a few only compete for the processor.
    pub sessions: usize,
    /// Statements kept prepared.
    pub prepared: usize,
    /// Steps of the virtual machine between two looks at the clock and at the memory.
    pub steps: c_int,
    /// Most bytes by which SQLite's memory may grow while a statement runs.
    pub growth: i64,
    limits: [(c_int, c_int); 7],
}

impl Bounds {
    /// Statements that callers write. Functions such as `instr` and `replace` take time with the square of the
    /// length: at 128 KiB that is a fifth of a second. Between two of them SQLite looks at the clock only where its
    /// program jumps, so the program is bounded too.
    pub const CALLERS: Bounds = Bounds {
        sessions: 4,
        prepared: 16,
        steps: 20,
        growth: 128 << 20,
        limits: [
            (ffi::SQLITE_LIMIT_LENGTH, 128 << 10),
            (ffi::SQLITE_LIMIT_SQL_LENGTH, 128 << 10),
            (ffi::SQLITE_LIMIT_VDBE_OP, 10_000),
            (ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
            (ffi::SQLITE_LIMIT_EXPR_DEPTH, 500),
            (ffi::SQLITE_LIMIT_COMPOUND_SELECT, 50),
            (ffi::SQLITE_LIMIT_ATTACHED, 0),
        ],
    };

    /// Statements of definitions and questions of our own.
    pub const DEFINITIONS: Bounds = Bounds {
        sessions: 8,
        prepared: 256,
        steps: 2_000,
        growth: 256 << 20,
        limits: [
            (ffi::SQLITE_LIMIT_LENGTH, 4 << 20),
            (ffi::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
            (ffi::SQLITE_LIMIT_VDBE_OP, 1_000_000),
            (ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1 << 10),
            (ffi::SQLITE_LIMIT_EXPR_DEPTH, 1_000),
            (ffi::SQLITE_LIMIT_COMPOUND_SELECT, 500),
            (ffi::SQLITE_LIMIT_ATTACHED, 0),
        ],
    };

    /// Sets the limits of a session, and has quoted names be names: SQLite would take one that it does not know, such as a
    /// column that was renamed, for a text.
    pub fn apply(&self, handle: &mut LockedSqliteHandle<'_>) {
        for (limit, value) in self.limits {
            // SAFETY: the handle is that of an open connection, which nothing else uses while it is locked, and
            // `sqlite3_limit` takes any pair of numbers: an unknown limit is ignored.
            unsafe { ffi::sqlite3_limit(handle.as_raw_handle().as_ptr(), limit, value) };
        }
        let unset: *mut std::ffi::c_int = std::ptr::null_mut();
        for setting in [ffi::SQLITE_DBCONFIG_DQS_DML, ffi::SQLITE_DBCONFIG_DQS_DDL] {
            // SAFETY: the handle is as above; these settings take a number and a pointer that may be null.
            unsafe { ffi::sqlite3_db_config(handle.as_raw_handle().as_ptr(), setting, 0, unset) };
        }
    }
}

/// Bytes that SQLite holds in this process.
pub(super) fn memory_used() -> i64 {
    // SAFETY: takes no argument, may be called from any thread at any time and reads one counter under its lock.
    unsafe { ffi::sqlite3_memory_used() }
}
