//! Commands: argument vectors, run below the folders of the settings, confined by the kernel, and ended with all that came of
//! them.
//!
//! A command is started and kept by a process of its own ([`run_keeper`]), which the end of this server ends too. What the kernel
//! of a machine confines is asked of it when the command begins, and told with its answer
//! ([ADR 0053](../../../docs/adr/0053-a-command-has-a-keeper.md)).

mod becomes;
mod confine;
mod counted;
mod descendants;
mod error;
mod home;
mod folders;
mod kept;
mod keeper;
mod keeping;
mod names;
mod options;
mod particular;
mod places;
mod policy;
mod rules;
mod running;
mod sessions;
mod shell;
mod shells;
mod spoken;
mod work;
mod wrappers;

use std::{
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

pub use confine::probe;
pub use error::{CommandError, CommandErrorKind};
pub use folders::Folders;
pub use keeper::run_keeper;
pub use kept::{Kept, Part};
pub use places::Keepers;
pub use sessions::{Session, SessionOutput};
pub use spoken::{Confinement, Ended, SUBCOMMAND, Why};

use folders::ReadOnly;
use places::{Place, Places};
use policy::Policy;
use running::Running;
use sessions::Sessions;
use spoken::Spec;
use tokio::sync::Semaphore;
use work::Waits;

use super::{
    ClientFolders,
    files::{Caller, Chosen, Files, may_be_default},
    further::look,
};
use crate::settings;

/// How long a command that is to end may take to end by itself.
pub const GRACE: Duration = Duration::from_secs(2);

/// Longest command line, in bytes.
const LONGEST: usize = 1 << 20;

/// Most lines that are judged at once.
const JUDGES: usize = 4;

/// Characters that mean something to a shell only.
const OF_A_SHELL: [char; 18] =
    ['|', '&', ';', '<', '>', '$', '`', '(', ')', '{', '}', '*', '?', '~', '#', '\n', '[', '!'];

/// What may be run, and within what.
pub struct Commands {
    settings: settings::Commands,
    enabled: bool,
    policy: Arc<Policy>,
    folders: Arc<Folders>,
    /// Files of this server, which no command may see.
    own: Vec<PathBuf>,
    open: OnceLock<OpenToAll>,
    read_only: Vec<ReadOnly>,
    /// Nothing is changed in folders that commands have from file tools or by default.
    only_read: bool,
    /// Files by which clients start this server.
    clients: Vec<PathBuf>,
    /// Why nothing is run at all, and what to do.
    closed: Option<(String, String)>,
    places: Places,
    /// Turns at judging lines.
    judges: Arc<Semaphore>,
    sessions: Sessions,
    keeper: Option<PathBuf>,
}

/// What commands may read wherever they work, without what belongs to this server: what every program needs, and settings of this
/// machine that everybody may read.
struct OpenToAll {
    system: Vec<PathBuf>,
    public: Vec<PathBuf>,
}

/// What a call wants to be run.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// A program, or with `shell` a text for `/bin/sh`. Without arguments it may be a plain command line.
    pub command: &'a str,
    pub arguments: Option<&'a [String]>,
    pub shell: bool,
    /// Below the first folder.
    pub folder: Option<&'a str>,
    /// None: the longest that the settings allow.
    pub timeout: Option<Duration>,
    /// Where it may run. None: where the settings say.
    pub folders: Option<&'a Folders>,
    /// Most bytes that are kept of its output, if it runs in the background.
    pub output: usize,
}

impl Default for Commands {
    /// Runs nothing.
    fn default() -> Self {
        let settings = settings::Commands { enabled: Some(false), ..settings::Commands::default() };
        Self::new(&settings, Caller::Elsewhere, &[])
    }
}

impl Commands {
    /// What the settings allow. `own` is what belongs to the server.
    pub fn new(settings: &settings::Commands, caller: Caller, own: &[PathBuf]) -> Self {
        let named = Self::changed(settings, caller);
        let roots = folders::opened(&named, &settings.roots, &settings.read_only_roots);
        let (policy, closed) = match Policy::read(&settings.allow, &settings.deny) {
            Ok(policy) => (policy, None),
            Err(why) => {
                (Policy::default(), Some((why, "the operator corrects `commands.allow` or `commands.deny`".to_owned())))
            }
        };
        let readable: Vec<PathBuf> =
            folders::opened(&settings.read_only_roots, &named, &[]).into_iter().filter_map(Result::ok).collect();
        let read_only = vec![ReadOnly::new("commands.read_only_roots", &settings.read_only_roots, &settings.roots)];
        let chosen = Chosen::of(!settings.roots.is_empty(), caller);
        let enabled = settings.enabled.unwrap_or(caller == Caller::Here);
        let open: Vec<&Path> = roots.iter().flatten().chain(&readable).map(PathBuf::as_path).collect();
        let own: Vec<PathBuf> = own.iter().cloned().chain(look(own, &open).links).collect();
        Self {
            enabled,
            policy: Arc::new(policy),
            folders: Arc::new(Folders::new(roots, readable, chosen, &own, &[], &read_only)),
            open: OnceLock::new(),
            read_only,
            only_read: false,
            clients: Vec::new(),
            closed,
            places: Places::default(),
            judges: Arc::new(Semaphore::new(JUDGES)),
            sessions: Sessions::default(),
            keeper: None,
            own,
            settings: settings.clone(),
        }
    }

    /// Where commands of a client run that says where it works. `files` are those of the same client, so that both agree where
    /// the settings name folders for files and none for commands.
    pub fn folders_of(&self, client: &ClientFolders, files: &Files) -> Arc<Folders> {
        let (roots, told) = match (self.folders.chosen, files.chosen()) {
            (Chosen::Operator, _) => {
                let operator: Vec<&Path> = self.folders.paths().collect();
                let (common, told) = client.within(&operator);
                (common.into_iter().map(|(_, path)| path).collect::<Vec<_>>(), told)
            }
            (Chosen::Default, Chosen::Narrowed) => {
                (files.folders(self.only_read).map(Path::to_owned).collect(), files.refused().to_vec())
            }
            (Chosen::Default, Chosen::Client) => client.chosen(),
            _ => return self.folders.clone(),
        };
        // What the operator opened stays open to a client that has nothing in common with it.
        if roots.is_empty() && (self.folders.chosen, files.chosen()) != (Chosen::Default, Chosen::Client) {
            return self.folders.clone();
        }
        let told: Vec<String> = client.refused.iter().cloned().chain(told).collect();
        let roots = roots.into_iter().map(Ok).collect();
        let read_only: &[ReadOnly] = if self.only_read { &[] } else { &self.read_only };
        let readable = self.folders.readable.clone();
        let folders = Folders::new(roots, readable, Chosen::Client, &self.own, &told, read_only);
        Arc::new(folders.only_read(self.only_read))
    }

    /// The folders of the settings, or the working one, in which a command may put a link anywhere.
    pub fn changed(settings: &settings::Commands, caller: Caller) -> Vec<PathBuf> {
        let here = || std::env::current_dir().ok().filter(|here| caller == Caller::Here && may_be_default(here));
        if settings.roots.is_empty() { here().into_iter().collect() } else { settings.roots.clone() }
    }

    /// Another program that keeps commands than this one.
    #[must_use]
    pub fn kept_by(self, keeper: PathBuf) -> Self {
        Self { keeper: Some(keeper), ..self }
    }

    /// Refuses where commands are off, and with them what else acts on this machine.
    ///
    /// # Errors
    /// Why, and what to do.
    pub fn open(&self) -> Result<(), CommandError> {
        match &self.closed {
            _ if !self.enabled => Err(off()),
            Some((why, hint)) => Err(CommandError::forbidden(why).hint(hint)),
            None => Ok(()),
        }
    }

    fn folders<'a>(&'a self, wanted: &Wanted<'a>) -> Result<&'a Folders, CommandError> {
        let folders = wanted.folders.unwrap_or(&self.folders);
        match &folders.closed {
            Some((why, hint)) => Err(CommandError::forbidden(why).hint(hint)),
            None => Ok(folders),
        }
    }

    /// Whether callers may act on this machine at all, whichever folders are open: end processes, and see with which arguments
    /// they run.
    pub fn are_open(&self) -> bool {
        self.enabled
    }

    /// Refuses to end processes where commands are off.
    ///
    /// # Errors
    /// Why, and what to do.
    pub fn allow_ends(&self) -> Result<(), CommandError> {
        if self.enabled { Ok(()) } else { Err(off()) }
    }

    /// The longest that a command may take, and the setting that says so.
    pub fn longest(&self, background: bool) -> (Duration, &'static str) {
        match background {
            true => (self.settings.background_timeout.0, "`commands.background_timeout`"),
            false => (self.settings.timeout.0, "`commands.timeout`"),
        }
    }

    pub fn max_output(&self) -> usize {
        self.settings.max_output.as_usize().max(1024)
    }

    /// Starts a command that is waited for. Whoever drops it ends it at once.
    ///
    /// # Errors
    /// Why it was not started.
    pub async fn run(&self, wanted: &Wanted<'_>, owner: Option<&str>) -> Result<Foreground, CommandError> {
        let (spec, place) = self.spec(wanted, self.settings.timeout.0, owner).await?;
        let running = Running::start(&spec, self.keeper.as_deref(), place).await?;
        let timeout = Duration::from_millis(spec.timeout);
        Ok(Foreground { running, bytes: vec![0; 64 << 10], timeout })
    }

    fn place(&self, owner: Option<&str>) -> Result<Place, CommandError> {
        let most = self.settings.max_running;
        self.places.take(owner, most).ok_or_else(|| {
            CommandError::failed(format!(
                "{most} commands run already, in the background and waited for, and no more may at once (`commands.max_running`)"
            ))
            .hint("wait for one to end, or end one that runs in the background")
        })
    }

    /// Which processes keep the commands that run now, and whose they are.
    pub fn keepers(&self) -> Keepers {
        self.places.keepers()
    }

    /// Refuses to end what keeps a command, and what belongs to a command of another caller.
    ///
    /// # Errors
    /// Why, and what to do.
    pub fn judge_end(&self, pid: i64, owner: Option<&str>) -> Result<(), CommandError> {
        places::judge_end(&self.keepers(), pid, owner)
    }

    /// A folder that is not there yet, in which a command will be at home: none around it may be changed by any command, for whoever
    /// could do that could put another one in its place.
    fn home(&self, folders: &Folders) -> Result<PathBuf, CommandError> {
        let open = || self.folders.paths().chain(folders.paths());
        let given = [std::env::temp_dir()].into_iter().chain(["/var/tmp", "/tmp"].map(PathBuf::from));
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let is_fit = |around: &PathBuf| {
            let rights = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
            !open().any(|root| around.starts_with(root)) && rustix::fs::access(around, rights).is_ok()
        };
        let around = given.chain(runtime).filter_map(|around| around.canonicalize().ok()).find(is_fit);
        let around = around.ok_or_else(|| {
            CommandError::failed("no command is run: each needs a folder of its own, and all folders for such lie in the folders of commands")
                .hint("the operator starts this server with a `TMPDIR` outside of `commands.roots`")
        })?;
        Ok(around.join(format!("tfo-mcp-{}", uuid::Uuid::new_v4().simple())))
    }

    /// The same words, judged by the rules. That takes its time, which is not that of others: it is done on a thread of its own, of
    /// which there are a few. The place of the caller is taken until that has ended, also if nobody waits for it any more.
    async fn judged(
        &self,
        words: Vec<String>,
        (folder, path): (PathBuf, OsString),
        timeout: Duration,
        place: Place,
    ) -> Result<(Vec<String>, Place), CommandError> {
        let (policy, turns, waits) = (self.policy.clone(), self.judges.clone(), Waits::default());
        let given_up = waits.given_up();
        let judged = async {
            let turn = turns.acquire_owned().await;
            let judge = move || {
                let _turn = turn;
                let names = |program: &str| names(program, find(program, &folder, &path), &path);
                policy.judge(&words, names, given_up).map(|()| (words, place))
            };
            tokio::task::spawn_blocking(judge).await
        };
        match tokio::time::timeout(timeout, judged).await {
            Ok(Ok(judged)) => judged,
            Ok(Err(_)) => Err(CommandError::failed("the command line could not be judged").hint("write it plainly")),
            Err(_) => Err(CommandError::failed("the time of the command was over before its line was judged")
                .hint("give it more time, or write a shorter line")),
        }
    }

    /// Everything that the keeper must know, and a place for the command. What stands against it is found here.
    async fn spec(
        &self,
        wanted: &Wanted<'_>,
        longest: Duration,
        owner: Option<&str>,
    ) -> Result<(Spec, Place), CommandError> {
        self.open()?;
        let folders = self.folders(wanted)?;
        let folder = folders.folder(wanted.folder)?;
        let words = words(wanted)?;
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let timeout = wanted.timeout.map_or(longest, |timeout| timeout.min(longest));
        let place = self.place(owner)?;
        let (words, place) = self.judged(words, (folder.clone(), path.clone()), timeout, place).await?;
        let (program, arguments) = words.split_first().ok_or_else(|| CommandError::invalid("`command` is required"))?;
        let found = find(program, &folder, &path).ok_or_else(|| {
            CommandError::failed(format!("there is no program `{program}`"))
                .hint("check its name; one that is not in `PATH` is named with its path")
        })?;
        let kept = self.settings.environment.iter().map(String::as_str).chain(["PATH", "LANG", "LC_ALL", "TZ"]);
        let mut environment: Vec<(String, String)> =
            kept.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect();
        // Nobody sits in front of it.
        let quiet = [("TERM", "dumb"), ("PAGER", "cat"), ("GIT_PAGER", "cat"), ("GIT_TERMINAL_PROMPT", "0")];
        environment.splice(0..0, quiet.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // As they are before the first command: it could change their modes for the next.
        let open = self.open.get_or_init(|| OpenToAll {
            system: names::without(confine::system(), &self.own),
            public: names::without(confine::public(), &self.own),
        });
        let (kept, held) = folders.kept_with(&self.clients);
        let spec = Spec {
            program: found,
            name: program.clone(),
            arguments: arguments.to_vec(),
            folder,
            environment,
            own: self.home(folders)?,
            made: None,
            writable: folders.outermost().map(Path::to_owned).collect(),
            readable: folders.read(),
            kept,
            held,
            system: open.system.clone(),
            public: open.public.clone(),
            account: folders.account(),
            network: self.settings.network,
            unconfined: self.settings.unconfined,
            timeout: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1),
            max_processes: self.settings.max_processes.max(1),
            max_memory: self.settings.max_memory.0,
            max_file: self.settings.max_file.0,
        };
        Ok((spec, place))
    }
}

fn off() -> CommandError {
    CommandError::forbidden("commands are off on this server")
        .hint("its operator decides that with `commands.enabled`; over HTTP they are off by default")
}

/// A command that is waited for.
pub struct Foreground {
    running: Running,
    bytes: Vec<u8>,
    timeout: Duration,
}

impl Foreground {
    /// The next piece of its output. None: it is over.
    pub async fn next(&mut self) -> Option<&[u8]> {
        let length = self.running.next(&mut self.bytes).await?;
        self.bytes.get(..length)
    }

    /// When it is ended.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How it ended, when its output is over.
    pub async fn ended(self) -> (Confinement, Ended) {
        (self.running.confinement, self.running.ended().await)
    }
}

/// The words of a command line.
fn words(wanted: &Wanted<'_>) -> Result<Vec<String>, CommandError> {
    let Wanted { command, arguments, shell, .. } = *wanted;
    if command.trim().is_empty() {
        return Err(CommandError::invalid("`command` is required"));
    }
    let all = || std::iter::once(command).chain(arguments.into_iter().flatten().map(String::as_str));
    if all().any(|word| word.contains('\0')) {
        return Err(CommandError::invalid("`command` or `args` hold a zero byte, which no argument may"));
    }
    let length: usize = all().map(|word| word.len() + 1).sum();
    if length > LONGEST || all().any(|word| word.len() > 128 << 10) {
        let message =
            format!("the command line has {length} bytes; the system takes 128 KiB in a word and 1 MiB in all");
        return Err(CommandError::invalid(message).hint("put what is long into a file, and name that"));
    }
    if shell {
        let mut words = vec!["/bin/sh".to_owned(), "-c".to_owned(), command.to_owned(), "sh".to_owned()];
        words.extend(arguments.into_iter().flatten().cloned());
        return Ok(words);
    }
    if let Some(arguments) = arguments {
        return Ok(std::iter::once(command.to_owned()).chain(arguments.iter().cloned()).collect());
    }
    if !command.contains(char::is_whitespace) {
        return Ok(vec![command.to_owned()]);
    }
    let plain = Some(command).filter(|command| !command.contains(OF_A_SHELL)).and_then(shlex::split);
    plain.filter(|words| !words.is_empty()).ok_or_else(|| {
        CommandError::invalid("`command` is a program and no line for a shell: there is none here").hint(
            "write the program in `command` and its arguments in `args`, one item each; they may hold any character",
        )
    })
}

/// The file of a program: as it is named, or in `PATH`.
fn find(program: &str, folder: &Path, path: &OsStr) -> Option<PathBuf> {
    let runs = |file: &PathBuf| {
        std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(folder.join(program)).filter(runs);
    }
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(program)).find(runs)
}

/// The names of a program: the one by which it may be allowed, its last part, and that of the file it leads to.
fn names(program: &str, found: Option<PathBuf>, path: &OsStr) -> Vec<String> {
    let last = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = last(Path::new(program));
    let real = found.as_ref().and_then(|found| found.canonicalize().ok());
    // A path is the program of its name only if the name leads to the same file.
    let same = program == base || {
        let named = find(&base, Path::new("/"), path).and_then(|named| named.canonicalize().ok());
        named.is_some() && named == real
    };
    let allowed = if same { base.clone() } else { program.to_owned() };
    [Some(allowed), Some(base), real.as_deref().map(last)].into_iter().flatten().collect()
}
