//! The child process: ClickHouse's own HTTP server out of libchdb, on a port of its own choice.
//!
//! Run as `tfo-mcp internal-clickhouse LIBRARY DIRECTORY` by [`super::server`]. It lives until its standard input
//! closes, which happens when the owner closes it and also when the owner dies in any way. Standard output is
//! never used. The port is written to `DIRECTORY/port` as soon as the server listens.

use std::{
    ffi::OsString,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    ffi,
    layout::{CONFIG_FILE, DATA_FOLDER, PORT_FILE},
};

/// First argument of the program that makes it this child. Not for people.
pub const SUBCOMMAND: &str = "internal-clickhouse";

/// Runs the child with the arguments after [`SUBCOMMAND`]: the library and the directory.
pub fn run_child(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let (Some(library), Some(directory), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: tfo-mcp {SUBCOMMAND} LIBRARY DIRECTORY");
        return ExitCode::from(2);
    };
    match serve(Path::new(&library), PathBuf::from(directory)) {
        Ok(()) => ffi::exit_now(0),
        Err(message) => {
            eprintln!("{message}");
            ffi::exit_now(1)
        }
    }
}

fn serve(library: &Path, directory: PathBuf) -> Result<(), String> {
    // The last statement reads a pipe that nobody writes to: the server lives until `end_with_stdin` ends the
    // process. Were it to read standard input itself, its end would run libchdb's orderly teardown, which waits
    // for idle connections and ends in a crash in one of four runs.
    let (reader, writer) = std::io::pipe().map_err(|error| format!("cannot create a pipe: {error}"))?;
    let statements = format!(
        "SYSTEM START LISTEN HTTP; \
         SELECT getServerPort('http_port') INTO OUTFILE {port} TRUNCATE FORMAT TSV; \
         SELECT count() FROM file({pipe}, 'LineAsString', 'line String') FORMAT Null SETTINGS max_execution_time = 0",
        port = literal(&directory.join(PORT_FILE))?,
        pipe = literal(Path::new(&format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader))))?,
    );
    let arguments = [
        format!("--config-file={}", utf8(&directory.join(CONFIG_FILE))?),
        format!("--path={}", utf8(&directory.join(DATA_FOLDER))?),
        "--http_port=0".to_owned(),
        "--listen_host=127.0.0.1".to_owned(),
        "--multiquery".to_owned(),
        format!("--query={statements}"),
    ];
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(end_with_stdin)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let served = ffi::run_clickhouse_local(library, &arguments);
    drop(writer);
    served
}

fn end_with_stdin() {
    let mut stdin = std::io::stdin().lock();
    let mut buffer = [0; 64];
    while matches!(stdin.read(&mut buffer), Ok(length) if length > 0) {}
    ffi::exit_now(0)
}

fn utf8(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("the path `{}` is not UTF-8", path.display()))
}

/// A path as a string literal of ClickHouse.
fn literal(path: &Path) -> Result<String, String> {
    Ok(format!("'{}'", utf8(path)?.replace('\\', "\\\\").replace('\'', "\\'")))
}
