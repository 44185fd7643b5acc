//! The server's own log: to standard error or a file, never to standard output, which carries the protocol.
//!
//! Called once by the command line, before anything logs. Knows nothing of settings.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::OnceLock,
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt};

pub use tracing::Level;

use crate::masking::Masking;

/// Where the log goes and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    pub level: Level,
    /// A JSON object a line instead of a line for people.
    pub json: bool,
    /// Appended to; standard error if none.
    pub file: Option<PathBuf>,
}

/// Target of the lines of the audit log, which are written whatever the level.
pub const AUDIT: &str = "audit";

/// Libraries tell at their `info` what is our `debug`, and at their `debug` what nobody wants.
const QUIET: [&str; 11] =
    ["rmcp", "sqlx", "sqlparser", "hyper", "hyper_util", "h2", "reqwest", "rustls", "tower", "clickhouse", "mio"];

/// Installs the log of this process.
///
/// # Errors
/// The file cannot be opened, or a log is installed already.
pub fn init(options: &LogOptions) -> io::Result<()> {
    if let Some(path) = &options.file {
        // A second log is refused below.
        let _ = FILE.set(File::options().create(true).append(true).open(path)?);
    }
    let colour = options.file.is_none()
        && io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let layer = tracing_subscriber::fmt::layer().with_ansi(colour).with_writer(|| Out);
    let layer = if options.json { layer.json().flatten_event(true).boxed() } else { layer.boxed() };
    registry().with(layer.with_filter(targets(options.level))).try_init().map_err(io::Error::other)
}

/// The file of the log, if it has one.
static FILE: OnceLock<File> = OnceLock::new();
/// Bytes that a pipe takes whole (`PIPE_BUF`): lines of several processes do not mix.
const WHOLE: usize = 4096;

thread_local! {
    static GATHERED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Does the work, and writes what is logged in it on this thread together instead of line by line.
pub fn together<T>(work: impl FnOnce() -> T) -> T {
    GATHERED.set(Some(Vec::new()));
    let done = work();
    if let Some(lines) = GATHERED.take() {
        // As with a single line, nobody can be told.
        let _ = put(&lines);
    }
    done
}

/// Where lines are written.
struct Out;

impl Write for Out {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = std::str::from_utf8(line).ok().map(|text| Masking::of_process().masked(text).0);
        let (line, length) = (masked.as_deref().map_or(line, str::as_bytes), line.len());
        GATHERED.with_borrow_mut(|gathered| {
            let Some(lines) = gathered else { return put(line) };
            if lines.len() + line.len() > WHOLE {
                put(lines)?;
                lines.clear();
            }
            lines.extend_from_slice(line);
            Ok(())
        })?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put(lines: &[u8]) -> io::Result<()> {
    match FILE.get() {
        Some(mut file) => file.write_all(lines),
        None => io::stderr().lock().write_all(lines),
    }
}

/// Our own messages at the level asked for, those of libraries two steps quieter; `trace` is everything.
fn targets(level: Level) -> Targets {
    let quiet = match level {
        Level::TRACE => LevelFilter::TRACE,
        Level::DEBUG => LevelFilter::INFO,
        Level::ERROR => LevelFilter::ERROR,
        _ => LevelFilter::WARN,
    };
    let ours = Targets::new().with_default(level).with_target(AUDIT, LevelFilter::INFO);
    let targets = QUIET.iter().fold(ours, |targets, library| targets.with_target(*library, quiet));
    // It warns of every answer that is an error, with its text, and calls it an error when a client leaves before its
    // answer, which is what clients do: their business, and not the operator's. What fails on our side we log ourselves.
    match quiet {
        LevelFilter::TRACE => targets,
        LevelFilter::INFO => targets.with_target("rmcp", LevelFilter::ERROR),
        _ => targets.with_target("rmcp", LevelFilter::OFF),
    }
}
