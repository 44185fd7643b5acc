//! `tfo-mcp setup clickhouse`: fetches libchdb with the ordinary npm client and unpacks it into the data directory.
//!
//! The tarball must have the pinned SHA-512 before a byte of it is unpacked; the library appears under its name
//! only when it is whole and on disk. What an interrupted run left behind is used if it is whole, else removed.
//! Runs at the same time wait for one another. The only network client is npm, with the user's own npm settings.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ring::digest;

use super::{layout::library_path, package::Package};

/// What an installation is doing. Bytes done and in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another run is at work on the same data directory.
    Waiting,
    Download {
        done: u64,
        of: u64,
    },
    Verify {
        done: u64,
        of: u64,
    },
    Unpack {
        done: u64,
        of: u64,
    },
}

/// Where the library is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub path: PathBuf,
    /// Whether it was there already, whole.
    pub was_there: bool,
}

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("no libchdb is known for {os} on {arch} (known: {known})")]
    Platform { os: &'static str, arch: &'static str, known: String },
    #[error("npm was not found (`{program}`)")]
    NpmMissing { program: String },
    #[error("npm could not reach its registry: {0}")]
    Network(String),
    #[error("npm failed: {0}")]
    Npm(String),
    #[error("`{file}` has another SHA-512 than the pinned one: expected {expected}, found {found}")]
    Hash { file: String, expected: String, found: String },
    #[error("the package holds no whole libchdb.so: {0}")]
    Package(String),
    #[error("not enough room in `{folder}`: {needed} MB are needed, {free} MB are free")]
    Room { folder: String, needed: u64, free: u64 },
    #[error("cannot write `{path}`: {source}")]
    Write { path: String, source: io::Error },
}

impl InstallError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Platform { .. } => {
                "use a ClickHouse server (`tfo-mcp init-config`, section `analytics.clickhouse_url`), or unpack a \
                 libchdb 26.7.3 for this platform yourself and name it in TELEMETRYFLOW_MCP_LIBCHDB"
            }
            Self::NpmMissing { .. } => {
                "install Node.js 18 or later, which brings npm, and run `tfo-mcp setup clickhouse` again; or use a \
                 ClickHouse server"
            }
            Self::Network(_) => {
                "check the network and npm's `registry` and `proxy` settings (`npm ping`), then run \
                 `tfo-mcp setup clickhouse` again"
            }
            Self::Npm(_) => "run `tfo-mcp setup clickhouse` again; `npm ping` shows whether npm itself works",
            Self::Hash { .. } => {
                "nothing of it was kept. A mirror or proxy may have changed the file: check npm's `registry` setting \
                 and run `tfo-mcp setup clickhouse` again"
            }
            Self::Package(_) => "nothing of it was kept; run `tfo-mcp setup clickhouse` again",
            Self::Room { .. } => "make room, or give another place with `--data-dir`",
            Self::Write { .. } => {
                "check that you may write there and that the disk is not full, or give another \
                                   place with `--data-dir`"
            }
        }
    }
}

/// Installs libchdb below `data_dir` unless it is there already.
pub fn install(data_dir: &Path, progress: &mut dyn FnMut(Step)) -> Result<Installed, InstallError> {
    let package = Package::for_this_platform().ok_or_else(|| InstallError::Platform {
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        known: Package::platforms(),
    })?;
    Installer { data_dir: data_dir.to_owned(), package, npm: "npm".into() }.install(progress)
}

/// An installation with everything said.
#[derive(Debug, Clone)]
pub struct Installer {
    pub data_dir: PathBuf,
    pub package: Package,
    /// The npm client: a path, or a name that is looked up in `PATH`.
    pub npm: OsString,
}

impl Installer {
    pub fn install(&self, progress: &mut dyn FnMut(Step)) -> Result<Installed, InstallError> {
        let path = library_path(&self.data_dir);
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let _lock = self.lock(&folder, progress)?;

        if self.is_intact(&path, progress)? {
            return Ok(Installed { path, was_there: true });
        }
        let work = folder.join("download");
        let kept = self.kept_tarball(&work, progress)?;
        let tarball = match kept {
            Some(tarball) => tarball,
            None => {
                clear(&work)?;
                self.check_room(&folder)?;
                fs::create_dir_all(&work).map_err(at(&work))?;
                let downloaded = self.download(&work, progress);
                // npm's cache is a second copy.
                let _ = fs::remove_dir_all(work.join("cache"));
                let tarball = downloaded.inspect_err(|_| drop(clear(&work)))?;
                self.check_tarball(&tarball, progress).inspect_err(|_| drop(clear(&work)))?;
                tarball
            }
        };
        let unpacked = self.unpack(&tarball, &path, progress);
        // A tarball that holds no library is not worth keeping; one for which there was no room is.
        if !matches!(unpacked, Err(InstallError::Write { .. })) {
            clear(&work)?;
        }
        unpacked?;
        Ok(Installed { path, was_there: false })
    }

    fn lock(&self, folder: &Path, progress: &mut dyn FnMut(Step)) -> Result<File, InstallError> {
        let path = folder.join("install.lock");
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    progress(Step::Waiting);
                    file.lock()?;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            Ok(file)
        };
        let mut open = open;
        open().map_err(at(&path))
    }

    fn is_intact(&self, path: &Path, progress: &mut dyn FnMut(Step)) -> Result<bool, InstallError> {
        let package = &self.package;
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() == package.library_bytes => {}
            _ => return Ok(false),
        }
        Ok(sha512(path, package.library_bytes, progress)? == package.library_sha512)
    }

    /// A whole tarball of a run that ended while unpacking.
    fn kept_tarball(&self, work: &Path, progress: &mut dyn FnMut(Step)) -> Result<Option<PathBuf>, InstallError> {
        let Some(tarball) = tarball_in(work) else { return Ok(None) };
        match self.check_tarball(&tarball, progress) {
            Ok(()) => Ok(Some(tarball)),
            Err(InstallError::Hash { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn check_room(&self, folder: &Path) -> Result<(), InstallError> {
        // npm's cache, the tarball, and the library.
        let needed = 2 * self.package.tarball_bytes + self.package.library_bytes;
        let stat = rustix::fs::statvfs(folder).map_err(|error| at(folder)(error.into()))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < needed {
            let folder = folder.display().to_string();
            return Err(InstallError::Room { folder, needed: needed.div_ceil(1_000_000), free: free / 1_000_000 });
        }
        Ok(())
    }

    fn download(&self, work: &Path, progress: &mut dyn FnMut(Step)) -> Result<PathBuf, InstallError> {
        let of = self.package.tarball_bytes;
        let cache = work.join("cache");
        let complaints_path = work.join("npm.log");
        let complaints = File::create(&complaints_path).map_err(at(&complaints_path))?;
        let child = Command::new(&self.npm)
            .arg("pack")
            .arg(format!("{}@{}", self.package.name, self.package.version))
            .args(["--ignore-scripts", "--no-update-notifier", "--no-audit", "--no-fund", "--loglevel=error"])
            .arg("--pack-destination")
            .arg(work)
            .arg("--cache")
            .arg(&cache)
            // A package.json or .npmrc of the folder that we happen to be in must have no say.
            .current_dir(work)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(complaints)
            .spawn();
        let mut child = match child {
            Ok(child) => Npm(child),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(InstallError::NpmMissing { program: self.npm.to_string_lossy().into_owned() });
            }
            Err(error) => return Err(InstallError::Npm(error.to_string())),
        };
        let status = loop {
            progress(Step::Download { done: size_of_folder(&cache).min(of), of });
            match child.0.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => std::thread::sleep(Duration::from_millis(100)),
                Err(error) => return Err(InstallError::Npm(error.to_string())),
            }
        };
        if !status.success() {
            let complaints = fs::read(&complaints_path).unwrap_or_default();
            return Err(npm_failure(&String::from_utf8_lossy(&complaints), &status.to_string()));
        }
        progress(Step::Download { done: of, of });
        tarball_in(work).ok_or_else(|| InstallError::Npm("it ended well but wrote no tarball".to_owned()))
    }

    fn check_tarball(&self, tarball: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), InstallError> {
        let found = sha512(tarball, self.package.tarball_bytes, progress)?;
        if found == self.package.sha512 {
            return Ok(());
        }
        Err(InstallError::Hash {
            file: tarball.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            expected: self.package.sha512.to_string(),
            found,
        })
    }

    fn unpack(&self, tarball: &Path, target: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), InstallError> {
        let draft = target.with_extension("so.new");
        let result = self.unpack_into(tarball, &draft, progress).and_then(|()| {
            fs::rename(&draft, target).map_err(at(target))?;
            // The name too must survive a power cut.
            target.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).map_err(at(target))
        });
        if result.is_err() {
            let _ = fs::remove_file(&draft);
        }
        result
    }

    fn unpack_into(&self, tarball: &Path, draft: &Path, progress: &mut dyn FnMut(Step)) -> Result<(), InstallError> {
        let broken = |error: io::Error| InstallError::Package(error.to_string());
        let file = File::open(tarball).map_err(at(tarball))?;
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(io::BufReader::new(file)));
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            if entry.path().map_err(broken)? != Path::new("package/libchdb.so") {
                continue;
            }
            let of = entry.size();
            if of != self.package.library_bytes {
                return Err(InstallError::Package(format!("libchdb.so has {of} bytes")));
            }
            let mut output = File::create(draft).map_err(at(draft))?;
            let mut done = 0;
            let mut buffer = vec![0; 1 << 20];
            loop {
                progress(Step::Unpack { done, of });
                let length = entry.read(&mut buffer).map_err(broken)?;
                let Some(piece) = buffer.get(..length).filter(|piece| !piece.is_empty()) else { break };
                output.write_all(piece).map_err(at(draft))?;
                done += piece.len() as u64;
            }
            output.sync_all().map_err(at(draft))?;
            return if done == of { Ok(()) } else { Err(InstallError::Package("libchdb.so is cut off".to_owned())) };
        }
        Err(InstallError::Package("there is no package/libchdb.so in it".to_owned()))
    }
}

/// npm, which is ended when nobody waits for it any more.
struct Npm(Child);

impl Drop for Npm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn npm_failure(complaints: &str, status: &str) -> InstallError {
    const NETWORK: [&str; 9] = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ERR_SOCKET_TIMEOUT",
        "EIDLETIMEOUT",
    ];
    // The lines `npm error …`, without the pointer to npm's own log, which is about to be removed.
    let lines: Vec<&str> = complaints
        .lines()
        .map(|line| line.trim_start_matches("npm error").trim_start_matches("npm ERR!").trim())
        .filter(|line| !line.is_empty() && !line.contains("complete log of this run"))
        .collect();
    let text = match lines.join("; ") {
        text if text.is_empty() => status.to_owned(),
        text => text.chars().take(500).collect(),
    };
    if complaints.contains("ENOSPC") {
        return InstallError::Write { path: "npm's download".to_owned(), source: io::ErrorKind::StorageFull.into() };
    }
    match NETWORK.iter().any(|code| complaints.contains(code)) {
        true => InstallError::Network(text),
        false => InstallError::Npm(text),
    }
}

fn sha512(path: &Path, of: u64, progress: &mut dyn FnMut(Step)) -> Result<String, InstallError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut context = digest::Context::new(&digest::SHA512);
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        progress(Step::Verify { done, of });
        let length = file.read(&mut buffer).map_err(at(path))?;
        let Some(piece) = buffer.get(..length).filter(|piece| !piece.is_empty()) else { break };
        context.update(piece);
        done += piece.len() as u64;
    }
    Ok(super::layout::hexadecimal(context.finish().as_ref()))
}

fn tarball_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
}

fn size_of_folder(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of_folder(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn clear(folder: &Path) -> Result<(), InstallError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> InstallError + use<> {
    let path = path.display().to_string();
    move |source| InstallError::Write { path: path.clone(), source }
}
