//! The folders in which commands run, and which of them they may change.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{CommandError, names, spoken::KeptFolder};
use crate::{
    host::{
        files::Chosen,
        further::look,
        own::{led, way},
    },
    settings,
};

/// Where commands of a caller run.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Without links. A folder that is not there has a reason instead.
    roots: Vec<Result<PathBuf, String>>,
    /// What they may read beside, and not change.
    pub(super) readable: Vec<PathBuf>,
    /// What they may not change although it lies inside of what they may.
    pub(super) kept: Vec<KeptFolder>,
    /// Links and folders inside of what they may change that keep their names.
    pub(super) held: Vec<KeptFolder>,
    pub(super) chosen: Chosen,
    /// They are read alone, since file tools may change nothing in them.
    only_read: bool,
    /// Why nothing is run in them, and what to do.
    pub(super) closed: Option<(String, String)>,
}

/// Folders that no command changes, by a setting.
#[derive(Debug, Clone)]
pub(super) struct ReadOnly {
    setting: &'static str,
    kept: Vec<KeptFolder>,
    /// Links and folders by which the next start finds what it is about.
    held: Vec<KeptFolder>,
    /// Those that are not there, by the path that they would have: whoever made one of them could put into it what he likes.
    missing: Vec<PathBuf>,
    /// Folders that are open again, where they lie inside of those.
    open: Vec<PathBuf>,
    /// Only names in them are kept, not what lies in folders below.
    names: bool,
}

impl ReadOnly {
    /// Those that are there, as they are now.
    pub(super) fn new(setting: &'static str, kept: &[PathBuf], open: &[PathBuf]) -> Self {
        let real = |paths: &[PathBuf]| paths.iter().filter_map(|path| path.canonicalize().ok()).collect::<Vec<_>>();
        let folder = |path: PathBuf| KeptFolder::of(path, |path| std::fs::metadata(path));
        let missing = kept.iter().filter(|path| path.canonicalize().is_err()).map(|path| way(path).1).collect();
        let held = kept.iter().flat_map(|path| on_the_way(path)).collect();
        let kept = real(kept).into_iter().filter_map(folder).collect();
        Self { setting, kept, held, missing, open: real(open), names: false }
    }

    /// The program of this server, which is started again, by its names.
    pub(super) fn program(names: &[PathBuf]) -> Self {
        let held = names.iter().flat_map(|name| on_the_way(name)).collect();
        Self { held, ..Self::new("the program of this server", names.get(..1).unwrap_or_default(), &[]) }
    }

    /// Folders in which the next start looks for the program of this server before it comes to it: what had its name there would be
    /// started in its place. `before` are the paths that it would have.
    pub(super) fn looked_through(before: &[PathBuf]) -> Self {
        let folders: Vec<_> = before.iter().filter_map(|name| way(name).1.parent().map(Path::to_owned)).collect();
        let held = before.iter().flat_map(|name| on_the_way(name)).collect();
        Self { held, names: true, ..Self::new(IN_PATH, &folders, &[]) }
    }

    /// Folders in which the next start looks for libraries, and files that it loads before all others.
    pub(super) fn loaded(libraries: &[PathBuf], before: &[PathBuf]) -> [Self; 2] {
        let folders = Self { names: true, ..Self::new(IN_LIBRARIES, libraries, &[]) };
        [folders, Self::new("LD_PRELOAD", before, &[])]
    }

    /// Files by which clients start this server, by their paths in a project or their own, as they are now in these folders. Kept
    /// where this system lets them be: few accounts may mount, and commands are of use in a project that says how this is started.
    fn starting(clients: &[PathBuf], folders: &[&Path]) -> Self {
        let here = std::env::current_dir().ok();
        let folders = || folders.iter().copied().chain(here.as_deref());
        let names_this = |path: &PathBuf| {
            let is_read = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= OF_CLIENT);
            is_read && std::fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains("tfo-mcp"))
        };
        let paths = folders().flat_map(|folder| clients.iter().map(move |file| folder.join(file)));
        let mut all = Self::new("starts this server", &paths.filter(names_this).collect::<Vec<_>>(), &[]);
        all.kept.iter_mut().chain(&mut all.held).for_each(|one| one.at_best = true);
        all
    }

    /// The folder in which this server is started, and which it opens then.
    pub(super) fn working(path: PathBuf) -> Self {
        let held = KeptFolder::of(path, |path| std::fs::symlink_metadata(path)).into_iter().collect();
        Self { held, ..Self::new("the working folder of this server", &[], &[]) }
    }

    /// Whether a folder lies in one of them, and in none inside of that which is open.
    fn is_against(&self, root: &Path) -> bool {
        let depth = |path: &Path| root.starts_with(path).then(|| path.components().count());
        let is_of = |kept: &&KeptFolder| !self.names || kept.path == root;
        let kept = self.kept.iter().filter(is_of).filter_map(|kept| depth(&kept.path)).max();
        kept.is_some() && kept >= self.open.iter().filter_map(|path| depth(path)).max()
    }
}

/// Where the next start of this server finds its program.
const IN_PATH: &str = "stands in `PATH` before the program of this server";

/// Where it finds its libraries.
const IN_LIBRARIES: &str = "stands in `LD_LIBRARY_PATH` of this server, of which an empty part is its working folder";

/// Longest file of a client that is read, in bytes.
const OF_CLIENT: u64 = 4 << 20;

/// Links on the way of a path, and folders that it leaves again (`..`): who changes one of them has the path lead elsewhere.
fn on_the_way(path: &Path) -> Vec<KeptFolder> {
    let (steps, end) = way(path);
    let steps = steps.into_iter().filter(|step| step.is_link || !end.starts_with(&step.path));
    steps.filter_map(|step| KeptFolder::of(step.path, |path| std::fs::symlink_metadata(path))).collect()
}

/// Folders without links, or why one is not used: it is not there, or a link in one that is changed leads out of that to it, or into
/// one that is `kept` as it is.
pub(super) fn opened(paths: &[PathBuf], changeable: &[PathBuf], kept: &[PathBuf]) -> Vec<Result<PathBuf, String>> {
    let not_used = |path: &Path, why: &str| format!("the folder `{}` cannot be used: {why}", path.display());
    let real = |path: &PathBuf| {
        let real = led(path, changeable, kept).map_err(|why| not_used(path, &why))?;
        std::fs::symlink_metadata(&real).map_err(|error| not_used(path, &error.to_string()))?;
        Ok(real)
    };
    paths.iter().map(real).collect()
}

impl Folders {
    /// `own` is what belongs to the server, `refused` why folders of a client are not among them.
    pub(super) fn new(
        roots: Vec<Result<PathBuf, String>>,
        readable: Vec<PathBuf>,
        chosen: Chosen,
        own: &[PathBuf],
        refused: &[String],
        read_only: &[ReadOnly],
    ) -> Self {
        let mut closed = None;
        let all: Vec<&Path> = roots.iter().flatten().chain(&readable).map(PathBuf::as_path).collect();
        let changeable: Vec<&Path> = roots.iter().flatten().map(PathBuf::as_path).collect();
        let further = look(own, &all);
        if let Some(own) = own.iter().chain(&further.links).find(|own| names::is_open(own, &all, &changeable)) {
            let own = own.file_name().unwrap_or_default().to_string_lossy();
            closed = Some((
                format!("no command is run, because it could read or change `{own}`, which belongs to this server"),
                "the operator moves it out of the folders of `commands.roots`, or names other folders there".to_owned(),
            ));
        }
        // Whoever has another name of a file has the file.
        if let Some(why) = names::elsewhere(&further, &all) {
            let hint = "the operator removes that name, or gives the server a copy of the file";
            closed = Some((format!("no command is run, because it could read or change {why}"), hint.to_owned()));
        }
        if roots.is_empty() {
            let why = "no folder is open to commands on this server";
            let hint = "its operator names some in the settings under `commands.roots`";
            closed = Some(match refused.is_empty() {
                true => (why.to_owned(), hint.to_owned()),
                false => {
                    (format!("{why}: {}", refused.join("; ")), format!("name another folder in your client, or {hint}"))
                }
            });
        }
        Self { roots, readable, kept: Vec::new(), held: Vec::new(), chosen, only_read: false, closed }
            .keeping(read_only)
    }

    /// The same, without those that the settings name and to which a link in a folder of file tools leads, or one that leads to what
    /// is `kept` as it is.
    pub(super) fn without_links_in(
        &self,
        named: &settings::Commands,
        changeable: &[PathBuf],
        kept: &[PathBuf],
    ) -> Self {
        let roots = opened(&named.roots, changeable, kept);
        let roots = if roots.is_empty() { self.roots.clone() } else { roots };
        let read = opened(&named.read_only_roots, changeable, &[]);
        let is_still = |path: &&PathBuf| read.iter().flatten().any(|real| real == *path);
        let readable = self.readable.iter().filter(is_still).cloned().collect();
        Self { roots, readable, ..self.clone() }
    }

    /// The same, where no command changes anything, if that is so.
    pub(super) fn only_read(self, only_read: bool) -> Self {
        Self { only_read, ..self }
    }

    /// The same, without changes in folders inside of them that are read-only; closed where one of them is read-only as a whole.
    pub(super) fn keeping(self, read_only: &[ReadOnly]) -> Self {
        if self.only_read {
            return self;
        }
        let is_inside = |kept: &&KeptFolder| self.paths().any(|root| kept.path.starts_with(root) && kept.path != root);
        let kept = read_only.iter().flat_map(|one| &one.kept).filter(is_inside).cloned().collect();
        let held = read_only.iter().flat_map(|one| &one.held).filter(is_inside).cloned().collect();
        let against =
            read_only.iter().find_map(|one| Some((one.setting, self.paths().find(|root| one.is_against(root))?)));
        let is_to_be = |path: &&PathBuf| self.paths().any(|root| path.starts_with(root));
        let missing = read_only.iter().find_map(|one| Some((one.setting, one.missing.iter().find(is_to_be)?)));
        // Of which of them nothing is left to a command, and what to do.
        let told = |setting: &str, path: &Path| match setting {
            IN_PATH | IN_LIBRARIES => format!("no command is run: `{}` {setting}", path.display()),
            _ => format!("no command is run: `{}` is read-only (`{setting}`)", path.display()),
        };
        let hint = |setting: &str, hint: &str| match setting {
            IN_PATH => format!("the operator has this server started by the path of its program, or {hint}"),
            IN_LIBRARIES => format!("the operator takes it, or the empty part, out of `LD_LIBRARY_PATH`, or {hint}"),
            _ => format!("the operator {hint}"),
        };
        let missing = missing.map(|(setting, path)| {
            let why = format!("{} and is not there, and a command could make it", told(setting, path));
            (why, hint(setting, "makes it, or takes it out of the settings, and restarts this server"))
        });
        let closed = against.map(|(setting, root)| {
            let why = format!("{}, and commands could change it", told(setting, root));
            (why, hint(setting, "names folders in `commands.roots` that lie outside of it"))
        });
        let closed = closed.or(missing).or(self.closed);
        Self { kept, held, closed, ..self }
    }

    /// What no command changes inside of them, and what keeps its name there, with files by which clients start this server.
    pub(super) fn kept_with(&self, clients: &[PathBuf]) -> (Vec<KeptFolder>, Vec<KeptFolder>) {
        if self.only_read {
            return (Vec::new(), Vec::new());
        }
        let starting = ReadOnly::starting(clients, &self.paths().collect::<Vec<_>>());
        let is_inside = |kept: &&KeptFolder| self.paths().any(|root| kept.path.starts_with(root) && kept.path != root);
        let with = |own: &[KeptFolder], more: &[KeptFolder]| {
            let mut all = own.to_vec();
            let is_new = |one: &&KeptFolder| !own.iter().any(|kept| kept.path == one.path);
            all.extend(more.iter().filter(is_inside).filter(is_new).cloned());
            all
        };
        (with(&self.kept, &starting.kept), with(&self.held, &starting.held))
    }

    /// Those that are there.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().flatten().map(PathBuf::as_path)
    }

    /// Those that a command may change: what lies inside of another one is open with that, and nobody could put it back who had put
    /// another one in its place.
    pub(super) fn outermost(&self) -> impl Iterator<Item = &Path> {
        let is_inside = |path: &Path| self.paths().any(|other| path != other && path.starts_with(other));
        self.paths().filter(move |path| !self.only_read && !is_inside(path))
    }

    /// Those that a command may read and not change.
    pub(super) fn read(&self) -> Vec<PathBuf> {
        let of_roots = self.paths().filter(|_| self.only_read).map(Path::to_owned);
        self.readable.iter().cloned().chain(of_roots).collect()
    }

    /// The account of the first folder, where the server is root and that is another's: root's files are not its own then.
    pub(super) fn account(&self) -> Option<(u32, u32)> {
        let meta = std::fs::metadata(self.roots.first()?.as_ref().ok()?).ok()?;
        let is_another = rustix::process::geteuid().is_root() && meta.uid() != 0;
        is_another.then(|| (meta.uid(), meta.gid()))
    }

    /// The folder in which a command runs.
    pub(super) fn folder(&self, said: Option<&str>) -> Result<PathBuf, CommandError> {
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
