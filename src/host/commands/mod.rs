//! Commands: argument vectors, run below the folders of the settings, confined by the kernel, and ended with all that came of
//! them.
//!
//! A command is started and kept by a process of its own ([`run_keeper`]), which the end of this server ends too. What the kernel
//! of a machine confines is asked of it when the command begins, and told with its answer
//! ([ADR 0053](../../../docs/adr/0053-a-command-has-a-keeper.md)).

mod becomes;
mod confine;
mod descendants;
mod error;
mod folder;
mod kept;
mod keeper;
mod policy;
mod running;
mod sessions;
mod shell;
mod spoken;
mod wrappers;

use std::{
    ffi::OsStr,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

pub use error::{CommandError, CommandErrorKind};
pub use keeper::run_keeper;
pub use kept::Kept;
pub use sessions::{Session, SessionOutput};
pub use spoken::{Confinement, Ended, SUBCOMMAND, Why};

use policy::Policy;
use running::Running;
use sessions::Sessions;
use spoken::Spec;

use super::{
    files::{Caller, may_be_default},
    own::way,
};
use crate::settings;

/// How long a command that is to end may take to end by itself.
pub const GRACE: Duration = Duration::from_secs(2);

/// Longest command line, in bytes.
const LONGEST: usize = 1 << 20;

/// Characters that mean something to a shell only.
const OF_A_SHELL: [char; 18] =
    ['|', '&', ';', '<', '>', '$', '`', '(', ')', '{', '}', '*', '?', '~', '#', '\n', '[', '!'];

/// What may be run, and within what.
pub struct Commands {
    settings: settings::Commands,
    enabled: bool,
    policy: Policy,
    /// Without links. A folder that is not there has a reason instead.
    roots: Vec<Result<PathBuf, String>>,
    readable: Vec<PathBuf>,
    /// Settings of this machine that everybody may read.
    public: Vec<PathBuf>,
    /// Why nothing is run at all, and what to do.
    closed: Option<(String, String)>,
    /// Further programs at once.
    places: Semaphore,
    sessions: Sessions,
    keeper: Option<PathBuf>,
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
        let here = || std::env::current_dir().ok().filter(|here| caller == Caller::Here && may_be_default(here));
        let named = if settings.roots.is_empty() { here().into_iter().collect() } else { settings.roots.clone() };
        let real = |path: &PathBuf| {
            path.canonicalize().map_err(|error| format!("the folder `{}` cannot be used: {error}", path.display()))
        };
        let roots: Vec<_> = named.iter().map(real).collect();
        let (policy, mut closed) = match Policy::read(&settings.allow, &settings.deny) {
            Ok(policy) => (policy, None),
            Err(why) => {
                (Policy::default(), Some((why, "the operator corrects `commands.allow` or `commands.deny`".to_owned())))
            }
        };
        // What is not there yet will be.
        let own_below = own.iter().map(|own| way(own).1).find(|own| {
            let readable = settings.read_only_roots.iter().filter_map(|path| path.canonicalize().ok());
            roots.iter().flatten().cloned().chain(readable).any(|root| own.starts_with(root))
        });
        if let Some(own) = own_below {
            let own = own.file_name().unwrap_or_default().to_string_lossy();
            closed = Some((
                format!("no command is run, because it could read or change `{own}`, which belongs to this server"),
                "the operator moves it out of the folders of `commands.roots`, or names other folders there".to_owned(),
            ));
        }
        if roots.is_empty() {
            let hint = "its operator names some in the settings under `commands.roots`";
            closed = Some(("no folder is open to commands on this server".to_owned(), hint.to_owned()));
        }
        let enabled = settings.enabled.unwrap_or(caller == Caller::Here);
        Self {
            enabled,
            policy,
            roots,
            readable: settings.read_only_roots.iter().filter_map(|path| path.canonicalize().ok()).collect(),
            // As they are now: a command could change their modes for the next.
            public: if enabled { confine::public() } else { Vec::new() },
            closed,
            places: Semaphore::new(settings.max_running),
            sessions: Sessions::default(),
            keeper: None,
            settings: settings.clone(),
        }
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

    pub fn max_output(&self) -> usize {
        self.settings.max_output.as_usize().max(1024)
    }

    /// Starts a command that is waited for. Whoever drops it ends it at once.
    ///
    /// # Errors
    /// Why it was not started.
    pub async fn run(&self, wanted: &Wanted<'_>) -> Result<Foreground<'_>, CommandError> {
        let spec = self.spec(wanted, self.settings.timeout.0)?;
        let place = self.place()?;
        let running = Running::start(&spec, self.keeper.as_deref()).await?;
        let timeout = Duration::from_millis(spec.timeout);
        Ok(Foreground { running, bytes: vec![0; 64 << 10], timeout, _place: place })
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, CommandError> {
        self.places.try_acquire().map_err(|_| {
            let most = self.settings.max_running;
            CommandError::failed(format!(
                "{most} commands run already, and no more may at once (`commands.max_running`)"
            ))
            .hint("wait for one to end, or end one that runs in the background")
        })
    }

    /// Everything that the keeper must know. What stands against it is found here.
    fn spec(&self, wanted: &Wanted<'_>, longest: Duration) -> Result<Spec, CommandError> {
        self.open()?;
        let folder = self.folder(wanted.folder)?;
        let words = words(wanted)?;
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let find = |program: &str| find(program, &folder, &path);
        self.policy.judge(&words, |program| names(program, find(program), &path))?;
        let (program, arguments) = words.split_first().ok_or_else(|| CommandError::invalid("`command` is required"))?;
        let found = find(program).ok_or_else(|| {
            CommandError::failed(format!("there is no program `{program}`"))
                .hint("check its name; one that is not in `PATH` is named with its path")
        })?;
        let kept = self.settings.environment.iter().map(String::as_str).chain(["PATH", "LANG", "LC_ALL", "TZ"]);
        let mut environment: Vec<(String, String)> =
            kept.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect();
        // Nobody sits in front of it.
        let quiet = [("TERM", "dumb"), ("PAGER", "cat"), ("GIT_PAGER", "cat"), ("GIT_TERMINAL_PROMPT", "0")];
        environment.splice(0..0, quiet.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let timeout = wanted.timeout.map_or(longest, |timeout| timeout.min(longest));
        Ok(Spec {
            program: found,
            name: program.clone(),
            arguments: arguments.to_vec(),
            folder,
            environment,
            own: std::env::temp_dir().join(format!("tfo-mcp-{}", uuid::Uuid::new_v4().simple())),
            writable: self.roots.iter().flatten().cloned().collect(),
            readable: self.readable.clone(),
            public: self.public.clone(),
            account: self.account(),
            network: self.settings.network,
            unconfined: self.settings.unconfined,
            timeout: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1),
            max_processes: self.settings.max_processes.max(1),
            max_memory: self.settings.max_memory.0,
            max_file: self.settings.max_file.0,
        })
    }

    /// The account of the first folder, where the server is root and that is another's: root's files are not its own then.
    fn account(&self) -> Option<(u32, u32)> {
        let meta = std::fs::metadata(self.roots.first()?.as_ref().ok()?).ok()?;
        let is_another = rustix::process::geteuid().is_root() && meta.uid() != 0;
        is_another.then(|| (meta.uid(), meta.gid()))
    }

    /// The folder in which a command runs.
    fn folder(&self, said: Option<&str>) -> Result<PathBuf, CommandError> {
        let first = match self.roots.first() {
            Some(Ok(first)) => first,
            Some(Err(why)) => return Err(CommandError::failed(why).hint("its operator checks `commands.roots`")),
            None => return Err(CommandError::forbidden("no folder is open to commands on this server")),
        };
        let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(first.clone()) };
        if said.contains('\0') {
            return Err(CommandError::invalid("`working_dir` holds a zero byte, which no path may"));
        }
        let outside = || {
            let roots: Vec<String> = self.roots.iter().flatten().map(|root| format!("`{}`", root.display())).collect();
            CommandError::forbidden(format!("`working_dir` `{said}` leads outside of the folders of commands"))
                .hint(format!("name one relative to {}", roots.join(", or an absolute one in ")))
        };
        let is_in = |path: &Path| self.roots.iter().flatten().any(|root| path.starts_with(root));
        let path = first.join(said);
        let real = match path.canonicalize() {
            Ok(real) => real,
            // Nobody learns what is there and what is not, outside.
            Err(_) if !is_in(&path) || said.contains("..") => return Err(outside()),
            Err(error) => return Err(CommandError::failed(format!("`working_dir` `{said}` cannot be used: {error}"))),
        };
        match is_in(&real) {
            false => Err(outside()),
            true if !real.is_dir() => Err(CommandError::invalid(format!("`working_dir` `{said}` is no folder"))),
            true => Ok(real),
        }
    }
}

fn off() -> CommandError {
    CommandError::forbidden("commands are off on this server")
        .hint("its operator decides that with `commands.enabled`; over HTTP they are off by default")
}

/// A command that is waited for.
pub struct Foreground<'a> {
    running: Running,
    bytes: Vec<u8>,
    timeout: Duration,
    _place: SemaphorePermit<'a>,
}

impl Foreground<'_> {
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
