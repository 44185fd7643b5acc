//! What the server and the keeper of a command say to each other: one line of JSON to it, and two back.
//!
//! The keeper's input stays open for as long as the command may live. A [`TERMINATE`] in it asks for an orderly end; its end, which
//! comes with the end of the server however that happens, ends everything at once.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Asks for an orderly end: a moment to end by itself, then none.
pub(super) const TERMINATE: u8 = b't';

/// First argument of the program that makes it the keeper of a command. Not for people.
pub const SUBCOMMAND: &str = "internal-command";

/// Second argument of the program that makes it what confines itself and becomes the command.
pub(super) const BECOMES: &str = "becomes";

/// What is run, and within what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spec {
    /// A path.
    pub program: PathBuf,
    /// Its name as the caller wrote it.
    pub name: String,
    pub arguments: Vec<String>,
    pub folder: PathBuf,
    pub environment: Vec<(String, String)>,
    /// The empty folder of the command, which the keeper makes and removes. Its name is in the environment of all that it starts.
    pub own: PathBuf,
    /// Device and inode of it, which the keeper says: nobody has put another in its place.
    #[serde(default)]
    pub made: Option<Inode>,
    pub writable: Vec<PathBuf>,
    pub readable: Vec<PathBuf>,
    /// Folders inside of those that it may change, which it may not change.
    pub kept: Vec<KeptFolder>,
    /// Links and folders inside of those that keep their names.
    #[serde(default)]
    pub held: Vec<KeptFolder>,
    /// What every program needs of this machine, without links, as it was when the server started.
    pub system: Vec<PathBuf>,
    /// Settings of this machine that everybody could read when the server started, without links.
    pub public: Vec<PathBuf>,
    /// The account and the group of the folder, where the server is root and they are not.
    pub account: Option<(u32, u32)>,
    pub network: bool,
    /// Run it also where the kernel cannot keep it in its folders.
    pub unconfined: bool,
    /// Milliseconds.
    pub timeout: u64,
    pub max_processes: usize,
    /// Bytes, of all its processes together.
    pub max_memory: u64,
    /// Bytes.
    pub max_file: u64,
}

/// Device and inode.
pub(super) type Inode = (u64, u64);

/// A folder that commands may not change, or a link, and which one it was when the server started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFolder {
    pub path: PathBuf,
    pub inode: Inode,
    /// Kept where this system lets it be; else the command runs all the same.
    #[serde(default)]
    pub at_best: bool,
}

impl KeptFolder {
    /// What stands at a path by this look at it.
    pub(super) fn of(path: PathBuf, look: impl Fn(&Path) -> std::io::Result<Metadata>) -> Option<Self> {
        let found = look(&path).ok()?;
        Some(Self { path, inode: (found.dev(), found.ino()), at_best: false })
    }
}

/// How far a command is kept in, as the kernel said when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confinement {
    /// The version of Landlock that keeps it in its folders; none: nothing does.
    pub landlock: Option<u32>,
    /// Calls to the system that it has no use for are refused, and the network unless it is open.
    pub seccomp: bool,
    /// It cannot get rights that the server has not.
    pub no_new_privs: bool,
    pub network: bool,
    /// It changes no mode, owner or time of a file outside of its folders either.
    #[serde(default)]
    pub outside: bool,
    /// It is not root's as the server is, but of the account of its folder.
    #[serde(default)]
    pub account: Option<u32>,
}

impl Confinement {
    /// It can neither change nor read what is outside of its folders.
    pub fn keeps_files(&self) -> bool {
        self.landlock.is_some()
    }

    /// From this version of Landlock on a command cannot send signals to processes that are not its own.
    pub fn keeps_signals(&self) -> bool {
        self.landlock.is_some_and(|version| version >= 6)
    }
}

/// The first line of the keeper, and of what becomes the command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begun {
    Runs {
        confinement: Confinement,
        /// The session of the command, and its first process.
        session: i32,
    },
    /// The kernel cannot confine it, and nobody said that it may run so.
    Unconfined,
    Failed(String),
}

/// The last line of the keeper: how a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub why: Why,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Processes that it left behind, or that ended with it, beside itself.
    pub swept: usize,
    /// Of these, those that could not be ended.
    pub left: usize,
    /// Milliseconds.
    pub took: u64,
    /// Most processes at once that were seen.
    pub processes: usize,
    /// Its own folder is still there, since it holds very much; it is being removed.
    pub folder_stays: bool,
}

/// Why a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// By itself.
    Exited,
    Timeout,
    /// Somebody ended it.
    Terminated,
    /// It had too many processes.
    Processes,
    /// Its processes held too much memory.
    Memory,
    /// Nobody listened any more.
    Abandoned,
    /// Its keeper ended first.
    Lost,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::Timeout => "timeout",
            Self::Terminated => "terminated",
            Self::Processes => "processes",
            Self::Memory => "memory",
            Self::Abandoned => "abandoned",
            Self::Lost => "lost",
        }
    }
}
