//! Writes the lines, on a thread of its own: a slow disk holds whoever waits for room, and nobody else.
//!
//! A line is one write to a file that is appended to, so that several servers can share it. The file is followed: what
//! was renamed or removed is opened anew under its name, so that logrotate needs nothing but `create` or nothing at
//! all. What cannot be written is counted and told in the server's log, not more often than people read it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use prometheus_client::metrics::counter::Counter;
use rustix::fs::OFlags;
use tokio::sync::{mpsc, oneshot};

use super::Output;
use crate::telemetry;

/// Shortest time between two complaints in the log.
const PAUSE: Duration = Duration::from_secs(10);
/// Lines after which the file is looked at again, while more and more wait.
const LOOK: usize = 256;

/// How long lines are left to gather after some were written: to wake the thread for each costs more than the line.
const TOGETHER: Duration = Duration::from_millis(2);

/// What the thread is asked to do.
pub enum Message {
    Line(String),
    Reopen,
    /// Answered when everything before it is written.
    Flush(oneshot::Sender<()>),
}

/// Starts the thread; it ends with the last sender.
///
/// # Errors
/// The file cannot be used.
pub fn start(output: &Output, mut messages: mpsc::Receiver<Message>, failures: Counter) -> io::Result<()> {
    let sink = match output {
        Output::Log => Sink::Log,
        Output::Stderr => Sink::Stderr,
        Output::File(path) => Sink::File(Followed::open(path)?),
    };
    let mut writer = Writer { sink, failures, untold: 0, told: None };
    std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
        while let Some(first) = messages.blocking_recv() {
            writer.look(false);
            let mut asked = Vec::new();
            let more = telemetry::together(|| {
                asked.extend(writer.take(first));
                (1..LOOK).all(|_| messages.try_recv().map(|next| asked.extend(writer.take(next))).is_ok())
            });
            for written in asked {
                let _ = written.send(());
            }
            if !more {
                std::thread::sleep(TOGETHER);
            }
        }
    })?;
    Ok(())
}

struct Writer {
    sink: Sink,
    failures: Counter,
    /// Failures since the last complaint.
    untold: u64,
    told: Option<Instant>,
}

enum Sink {
    Log,
    Stderr,
    File(Followed),
}

impl Writer {
    /// Some: somebody wants to know when all of it is written.
    fn take(&mut self, message: Message) -> Option<oneshot::Sender<()>> {
        match message {
            Message::Line(line) => self.write(line),
            Message::Reopen => self.look(true),
            Message::Flush(done) => {
                if self.untold > 0 {
                    tracing::error!(failures = self.untold, "Lines of the audit log are lost.");
                    self.untold = 0;
                }
                return Some(done);
            }
        }
        None
    }

    fn write(&mut self, mut line: String) {
        let written = match &mut self.sink {
            Sink::Log => {
                tracing::info!(target: telemetry::AUDIT, "{line}");
                return;
            }
            Sink::Stderr => {
                line.push('\n');
                io::stderr().lock().write_all(line.as_bytes())
            }
            Sink::File(file) => {
                line.push('\n');
                file.append(line.as_bytes())
            }
        };
        if let Err(error) = written {
            self.complain(&error, "A line of the audit log cannot be written and is lost.");
        }
    }

    /// Makes sure that the file is the one of its name.
    fn look(&mut self, again: bool) {
        if let Sink::File(file) = &mut self.sink
            && (again || file.is_gone())
            && let Err(error) = file.reopen()
        {
            self.complain(&error, "The audit log cannot be opened anew; its lines still go to the former file.");
        }
    }

    fn complain(&mut self, error: &io::Error, what: &str) {
        self.failures.inc();
        self.untold += 1;
        if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
            tracing::error!(%error, failures = self.untold, "{what}");
            (self.untold, self.told) = (0, Some(Instant::now()));
        }
    }
}

/// A file that is appended to, and its name.
struct Followed {
    path: PathBuf,
    file: File,
    /// Device and inode.
    is: (u64, u64),
    /// Whether the last line was cut off.
    torn: bool,
}

impl Followed {
    fn open(path: &Path) -> io::Result<Self> {
        let (file, is) = open(path)?;
        Ok(Self { path: path.to_owned(), file, is, torn: false })
    }

    fn reopen(&mut self) -> io::Result<()> {
        let path = self.path.clone();
        *self = Self::open(&path)?;
        Ok(())
    }

    fn is_gone(&self) -> bool {
        fs::symlink_metadata(&self.path).map_or(true, |found| (found.dev(), found.ino()) != self.is)
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Opens a file to append to it, for its owner alone if it is made.
fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let refused = |why: &str| {
        let what = format!("the audit log cannot be {}: {why}", path.display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
    };
    // A symbolic link would let whoever may write the folder choose the file; a pipe would be waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(flags).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            return match error.kind() {
                _ if path.is_symlink() => refused("it is a symbolic link; name the file itself"),
                io::ErrorKind::NotFound => refused("its folder does not exist; make it"),
                _ => refused(&format!("{error}; let this user write it, or name another file")),
            };
        }
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return refused("it is no ordinary file; name one, or write `stderr`");
    }
    if metadata.mode() & 0o022 != 0 {
        return refused("others than its owner may write it; run `chmod go-w` on it");
    }
    Ok((file, (metadata.dev(), metadata.ino())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_an_ordinary_file_of_ones_own_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut file = Followed::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        file.append(b"one\n").unwrap();
        Followed::open(&path).unwrap().append(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");

        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let shared = folder.path().join("shared");
        fs::write(&shared, "").unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o620)).unwrap();
        for (path, why) in [
            (link.as_path(), "symbolic link"),
            (&pipe, ""),
            (&shared, "chmod go-w"),
            (folder.path(), ""),
            (&folder.path().join("missing/audit.jsonl"), "does not exist; make it"),
            (Path::new("/dev/null"), "no ordinary file"),
        ] {
            let error = Followed::open(path).err().unwrap().to_string();
            assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
        }
    }

    #[test]
    fn a_renamed_or_removed_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
        let mut file = Followed::open(&path).unwrap();
        file.append(b"one\n").unwrap();
        assert!(!file.is_gone());
        fs::rename(&path, &old).unwrap();
        assert!(file.is_gone());
        file.reopen().unwrap();
        file.append(b"two\n").unwrap();
        assert_eq!((fs::read(&old).unwrap(), fs::read(&path).unwrap()), (b"one\n".to_vec(), b"two\n".to_vec()));
        fs::remove_file(&path).unwrap();
        assert!(file.is_gone());
    }

    #[test]
    fn a_line_after_a_torn_one_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut file = Followed::open(&path).unwrap();
        file.append(b"{\"half").unwrap();
        file.torn = true;
        file.append(b"{}\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"half\n{}\n");
    }
}
