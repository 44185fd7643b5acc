//! One of the two files with `unsafe` code (the other is `source/sqlite/bounds.rs`): loads libchdb and runs the
//! ClickHouse inside it.
//!
//! Four functions of its C interface are used (`chdb_query_cmdline` and the accessors of its result). The library
//! is found at run time, so the program starts without it. Called only in the child process of
//! [`super::child`], which does nothing else: a crash of the library ends the child, never the server.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
    ptr,
};

use libloading::{Library, Symbol};

/// `chdb_result *`: owned by the library, never dereferenced here.
type ResultHandle = *mut c_void;
type QueryCmdline = unsafe extern "C" fn(c_int, *const *const c_char) -> ResultHandle;
type ResultError = unsafe extern "C" fn(ResultHandle) -> *const c_char;

unsafe extern "C" {
    // POSIX `_exit`, from the C library that every Rust program of this platform is linked with.
    #[link_name = "_exit"]
    fn posix_exit(status: c_int) -> !;
}

/// Runs `clickhouse local` with `arguments` (without the program's name) and blocks until it ends.
///
/// The error is the library's own text, such as `Code: 76. DB::Exception: …`.
pub(super) fn run_clickhouse_local(library: &Path, arguments: &[String]) -> Result<(), String> {
    let arguments: Vec<CString> = std::iter::once("clickhouse")
        .chain(arguments.iter().map(String::as_str))
        .map(|argument| CString::new(argument).map_err(|_| "an argument contains a NUL byte".to_owned()))
        .collect::<Result<_, _>>()?;
    let count = c_int::try_from(arguments.len()).map_err(|_| "too many arguments".to_owned())?;
    let pointers: Vec<*const c_char> =
        arguments.iter().map(|argument| argument.as_ptr()).chain([ptr::null()]).collect();

    // SAFETY: loading runs the constructors of the library. The file is the one that `tfo-mcp setup clickhouse`
    // checked by its SHA-512 or that the operator named, and no other thread of this process uses the library.
    let library = unsafe { Library::new(library) }.map_err(|error| format!("cannot load libchdb: {error}"))?;
    // SAFETY: the signatures are those of chdb.h 26.7: `chdb_result *chdb_query_cmdline(int, char **)` and
    // `const char *chdb_result_error(chdb_result *)`. The symbols are used only while `library` lives.
    let (run, error_of): (Symbol<'_, QueryCmdline>, Symbol<'_, ResultError>) = unsafe {
        (
            library.get(b"chdb_query_cmdline\0").map_err(|error| format!("not a libchdb: {error}"))?,
            library.get(b"chdb_result_error\0").map_err(|error| format!("not a libchdb: {error}"))?,
        )
    };

    // SAFETY: `pointers` holds `count` pointers to NUL-terminated strings and a terminating null, as `argv` must;
    // `arguments` and `pointers` outlive the call, and the library copies what it keeps.
    let result = unsafe { run(count, pointers.as_ptr()) };
    if result.is_null() {
        return Err("libchdb returned no result".to_owned());
    }
    // SAFETY: `result` is the non-null handle returned above and was not freed. The text, when there is one, is
    // NUL-terminated and lives as long as the handle, which is left to the end of the process.
    let error = unsafe {
        let text = error_of(result);
        (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
    };
    // Unloading would run destructors of a library whose threads may still be alive.
    std::mem::forget(library);
    error.map_or(Ok(()), Err)
}

/// Ends the process at once, without destructors and exit hooks: those of libchdb crash while connections are open.
/// ClickHouse's files survive that, as they survive a power cut.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` takes a plain integer, touches no memory of the program and does not return.
    unsafe { posix_exit(status) }
}
