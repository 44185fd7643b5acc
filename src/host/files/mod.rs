//! Files below the folders of the settings, reached through capabilities of those folders alone.
//!
//! A folder is opened once, when the server starts. From then on every path is walked below that handle by the system
//! itself (`openat2` with `RESOLVE_BENEATH` on Linux), so that no `..`, link or swap on the way leads out of it. No check of a
//! text decides that. What is left to check is the thing at the end: a plain file with one name, whose folder is opened first;
//! from that handle upwards is found whose rules it has, and whether it is the server's own (`zone`).

mod alone;
mod closest;
mod decode;
mod edit;
mod error;
mod list;
mod masked;
mod moving;
mod place;
mod plain;
mod read;
mod root;
mod rules;
mod search;
mod starting;
mod write;
mod zone;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

pub use edit::{Edit, Edited, LineEnds};
pub use error::{FileError, FileErrorKind};
pub use list::{Entry, Info, Listed, Listing, Sort};
pub use moving::Move;
pub use read::{Content, Range, Read, Unit};
pub use search::{Found, Match, Search};
pub use write::{Became, Write, Written};

use self::{alone::Swept, plain::Plain, root::Root, starting::Starting};
use super::{ClientFolders, own::Own};
use crate::{masking::Masking, settings};

/// Longest file that is edited or searched, and the longest that is decoded whole.
const WHOLE: u64 = 16 << 20;

/// Most folders that a client may name one after the other.
const NAMED: usize = 4096;

/// The folders that callers may touch, and how.
#[derive(Default, Clone)]
pub struct Files {
    roots: Vec<Arc<Root>>,
    /// Those that the settings name, whoever narrows them: they alone open what belongs to the server.
    named: Vec<Arc<Root>>,
    /// Whose folders these are.
    chosen: Chosen,
    /// Why folders of the client are not among them.
    refused: Vec<String>,
    /// Refuse changes in folders that the client chose.
    read_only: bool,
    max_read: usize,
    hard_links: bool,
    /// Files and folders of this server, which no caller reads or changes.
    own: Own,
    /// Other paths that lead where they lead: the folders of commands, and those in which they change nothing.
    held: Vec<PathBuf>,
    /// By what the next start of this server comes about.
    starting: Starting,
    /// Folders in which somebody may have put a link anywhere: those that are changed from here, and those that a client named
    /// before.
    linked: Arc<Mutex<Vec<PathBuf>>>,
    /// What nobody should read in a piece of a file.
    masking: Arc<Masking>,
    /// Texts of which it is known that nothing is masked in them.
    plain: Plain,
    /// One change after the other: an edit writes what it has read. And in which folders nothing is left of killed writers.
    changes: Arc<Mutex<Swept>>,
    /// Of the call. None: nobody gives it up.
    bounds: Option<Bounds>,
}

/// Who said which folders are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::host) enum Chosen {
    /// Nobody: there are none, and none are taken from a client.
    #[default]
    Nobody,
    /// Nobody, so it is the working folder if it is one that somebody chose.
    Default,
    Operator,
    /// The client, within what the operator opened.
    Narrowed,
    /// The client, where the operator named none.
    Client,
}

/// Which folders there are where the settings name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The caller is whoever started the server: the working folder.
    Here,
    /// The caller is somebody on a network: none, and what is named is not changed unless the settings say so.
    Elsewhere,
}

/// What a call is given: whether it was given up, and until when a search may go on.
#[derive(Clone)]
pub struct Bounds {
    pub given_up: Arc<AtomicBool>,
    pub until: Instant,
}

impl Bounds {
    fn check(&self) -> Result<(), FileError> {
        if self.given_up.load(Ordering::Relaxed) { Err(FileError::cancelled()) } else { Ok(()) }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Whether something may still be changed: what is changed after a call has ended was told as not done.
    fn may_change(&self) -> Result<(), FileError> {
        self.check()?;
        match self.is_over() {
            true => Err(FileError::failed("the time of the call was over; nothing was changed").hint("try again")),
            false => Ok(()),
        }
    }
}

impl Files {
    /// The folders of the settings. `own` is what belongs to the server.
    pub fn new(settings: &settings::Files, caller: Caller, own: Vec<PathBuf>) -> Self {
        Self::beside(settings, caller, own, &[], &[])
    }

    /// The same where `changed` are the folders of commands, which may put a link anywhere in them, and `held` other paths that
    /// nobody makes lead elsewhere.
    pub fn beside(
        settings: &settings::Files,
        caller: Caller,
        own: Vec<PathBuf>,
        changed: &[PathBuf],
        held: &[PathBuf],
    ) -> Self {
        let here = || std::env::current_dir().ok().filter(|here| caller == Caller::Here && may_be_default(here));
        let named = settings.roots.iter().map(|path| (path.clone(), false));
        let mut named: Vec<(PathBuf, bool)> =
            named.chain(settings.read_only_roots.iter().map(|path| (path.clone(), true))).collect();
        let chosen = Chosen::of(!named.is_empty(), caller);
        if named.is_empty() {
            named.extend(here().map(|here| (here, false)));
        }
        let read_only = settings.read_only.unwrap_or(caller == Caller::Elsewhere);
        let changeable: Vec<PathBuf> = settings.roots.iter().chain(changed).cloned().collect();
        let open = |(path, kept): (PathBuf, bool)| {
            Arc::new(Root::open(&path, kept || read_only, &changeable, &settings.read_only_roots))
        };
        let roots: Vec<_> = named.into_iter().map(open).collect();
        let open: Vec<&Path> = roots.iter().map(|root| root.real.as_path()).collect();
        let own = Own::new(own, &open);
        let by_settings = !(settings.roots.is_empty() && settings.read_only_roots.is_empty());
        Self {
            named: if by_settings { roots.clone() } else { Vec::new() },
            roots,
            chosen,
            refused: Vec::new(),
            read_only,
            max_read: settings.max_read.as_usize().max(1),
            hard_links: settings.hard_links,
            own,
            held: changed.iter().chain(held).cloned().collect(),
            starting: Starting::default(),
            linked: Arc::new(Mutex::new(changeable.into_iter().chain(here()).collect())),
            masking: Arc::default(),
            plain: Plain::default(),
            changes: Arc::default(),
            bounds: None,
        }
    }

    /// The same, where pieces of files are masked as they would be in the whole file.
    #[must_use]
    pub fn masked_by(&self, masking: Arc<Masking>) -> Self {
        Self { masking, plain: Plain::default(), ..self.clone() }
    }

    /// The same for one call, which may be given up: what it has not changed until then it never changes.
    #[must_use]
    pub fn within(&self, bounds: &Bounds) -> Self {
        Self { bounds: Some(bounds.clone()), ..self.clone() }
    }

    fn may_change(&self) -> Result<(), FileError> {
        self.bounds.as_ref().map_or(Ok(()), Bounds::may_change)
    }

    /// What a client says of where it works, held against this machine and against what it said before: a command may have put a
    /// link into whatever was open since this server started.
    pub fn client(&self, addresses: &[String]) -> ClientFolders {
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if linked.len() > NAMED {
            let refused =
                vec![format!("the client has named {NAMED} folders; none is opened until this server starts again")];
            return ClientFolders { found: Vec::new(), refused };
        }
        let client = ClientFolders::read(addresses, &linked);
        let new: Vec<PathBuf> = client.found.iter().filter(|folder| !linked.contains(folder)).cloned().collect();
        linked.extend(new);
        client
    }

    /// The same for a client that says where it works. Its folders are opened here, once.
    #[must_use]
    pub fn of_client(&self, client: &ClientFolders) -> Self {
        let (chosen, roots, told) = match self.chosen {
            Chosen::Nobody | Chosen::Narrowed | Chosen::Client => return self.clone(),
            Chosen::Operator => {
                let operator: Vec<&Path> = self.roots.iter().map(|root| root.real.as_path()).collect();
                let (common, told) = client.within(&operator);
                let roots = common.iter().filter_map(|(at, path)| Some(self.roots.get(*at)?.narrowed(path)));
                let roots: Vec<_> = roots.collect();
                match roots.is_empty() {
                    true => (Chosen::Operator, self.roots.clone(), told),
                    false => (Chosen::Narrowed, roots, told),
                }
            }
            Chosen::Default => {
                let (folders, told) = client.chosen();
                let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
                let open = |path: &PathBuf| Arc::new(Root::open(path, self.read_only, &linked, &[]));
                let roots = folders.iter().map(open).collect();
                (Chosen::Client, roots, told)
            }
        };
        let refused = client.refused.iter().cloned().chain(told).collect();
        let starting = self.starting.within(&roots);
        Self { roots, chosen, refused, starting, ..self.clone() }
    }

    /// Whether the client alone says which folders are open.
    pub fn are_of_client(&self) -> bool {
        self.chosen == Chosen::Client
    }

    /// Why folders of the client are not open.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    pub(in crate::host) fn chosen(&self) -> Chosen {
        self.chosen
    }

    /// The folders in which something may be changed, or all of them, without links.
    pub(in crate::host) fn folders(&self, all: bool) -> impl Iterator<Item = &Path> {
        self.roots.iter().filter(move |root| all || !root.read_only).map(|root| root.real.as_path())
    }

    /// Why folders of the settings cannot be opened, for the log of the server.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.roots.iter().filter_map(|root| {
            let why = root.dir().err()?;
            Some(format!("file tools cannot open the folder `{}`: {why}", root.path.display()))
        })
    }
}

impl Chosen {
    pub(in crate::host) fn of(named: bool, caller: Caller) -> Self {
        match (named, caller) {
            (true, Caller::Here) => Self::Operator,
            (false, Caller::Here) => Self::Default,
            // The folders of somebody on a network are those of another machine.
            (_, Caller::Elsewhere) => Self::Nobody,
        }
    }
}

/// Whether a working folder is one that somebody chose: programs with windows start servers in `/` or at home.
pub(in crate::host) fn may_be_default(here: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    here.parent().is_some()
        && home.as_deref() != Some(here)
        && home.and_then(|home| home.canonicalize().ok()).as_deref() != Some(here)
}
