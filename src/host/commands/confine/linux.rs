//! Folders and signals, by Landlock.

use std::{
    fs::Metadata,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{
    super::spoken::Spec,
    opened::{opened, own},
};

/// Folders that every program needs, to read and to run what is there.
const SYSTEM: [&str; 23] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/snap",
    "/home/linuxbrew/.linuxbrew",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/var/lib/dpkg/status",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/current-system",
    "/var/lib/ca-certificates",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// Devices, which may be written to as well, and others.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/urandom"];
const READ_DEVICES: [&str; 2] = ["/dev/fd", "/dev/random"];

/// The newest version that is asked for; of an older kernel as much as it has.
const VERSION: ABI = ABI::V9;

/// Files, signals and the network by Landlock. None: this kernel has none.
pub(super) fn folders(spec: &Spec) -> Result<Option<u32>, String> {
    let said = |error: &dyn std::fmt::Display| format!("Landlock: {error}");
    let all = AccessFs::from_all(VERSION);
    let change = all & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let read = AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules = Ruleset::default().handle_access(all).map_err(|error| said(&error))?;
    rules = rules.scope(Scope::from_all(VERSION)).map_err(|error| said(&error))?;
    if !spec.network {
        rules = rules.handle_access(AccessNet::from_all(VERSION)).map_err(|error| said(&error))?;
    }
    let mut open: Vec<(OwnedFd, _)> = Vec::new();
    for folder in &spec.writable {
        open.extend(opened(folder)?.map(|folder| (folder, change)));
    }
    open.extend(own(spec)?.map(|own| (own, change)));
    for path in &spec.readable {
        open.extend(opened(path)?.map(|found| (found, read)));
    }
    // What was put in the place of those is nobody's fault here, and opens nothing.
    let there = |path: &PathBuf| opened(path).ok().flatten().map(|found| (found, read));
    let public = |path: &PathBuf| {
        let found = opened(path).ok().flatten()?;
        meta_of(&found).is_some_and(|meta| may_be_public(path, &meta)).then_some((found, read))
    };
    // They may be many, so that each is closed before the next is opened.
    let open =
        open.into_iter().chain(spec.system.iter().filter_map(there)).chain(spec.public.iter().filter_map(public));
    let rules_of_paths = open.map(|(found, access)| {
        let is_folder = meta_of(&found).is_none_or(|meta| meta.is_dir());
        let access = if is_folder { access } else { access & AccessFs::from_file(VERSION) };
        Ok::<_, RulesetError>(PathBeneath::new(found, access))
    });
    let status = rules
        .create()
        .and_then(|made| made.add_rules(path_beneath_rules(READ_DEVICES, read)))
        .and_then(|made| made.add_rules(path_beneath_rules(DEVICES, read | AccessFs::WriteFile)))
        .and_then(|made| made.add_rules(rules_of_paths))
        .and_then(|made| made.restrict_self())
        .map_err(|error| said(&error))?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi as u32),
        _ => None,
    })
}

/// The same bounds for signals as those of a command that this thread starts from now on, and no others. False: this kernel has
/// none, or they do not hold.
pub(super) fn share_signals() -> bool {
    let enter = || {
        let rules = Ruleset::default().scope(Scope::Signal)?.create()?;
        rules.restrict_self()
    };
    if !enter().is_ok_and(|status| status.ruleset == RulesetStatus::FullyEnforced) {
        return false;
    }
    // Asked of the kernel, since much hangs on it: the server is out of reach now.
    let parent = rustix::process::getppid();
    parent.is_some_and(|parent| rustix::process::test_kill_process(parent) == Err(rustix::io::Errno::PERM))
}

/// Folders that every program needs, without links: a command may be able to change where a link leads.
pub(super) fn system() -> Vec<PathBuf> {
    SYSTEM.iter().filter_map(|path| Path::new(path).canonicalize().ok()).collect()
}

/// What everybody may read of `/etc`, as few paths as say it, and without links; the rest is nobody's business, also where the server
/// is root.
pub(super) fn public_etc() -> Vec<PathBuf> {
    public(Path::new("/etc"), 0).1.into_iter().filter_map(|path| path.canonicalize().ok()).collect()
}

/// Whether everything in a folder is public, and what is.
fn public(path: &Path, depth: usize) -> (bool, Vec<PathBuf>) {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let (mut all, mut found) = (depth > 0, Vec::new());
    for path in entries.map(|entry| entry.path()) {
        let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        // A link to a folder opens nothing: what it leads to has a path of its own.
        if !is_folder && path.is_dir() {
            continue;
        }
        let (whole, mut of) = match is_public(&path) {
            false => (false, Vec::new()),
            true if is_folder && depth < DEPTH => public(&path, depth + 1),
            true => (!is_folder, Vec::new()),
        };
        if whole {
            of = vec![path];
        }
        all &= whole;
        found.extend(of);
    }
    (all, found)
}

/// Folders of `/etc` within each other that are looked at.
const DEPTH: usize = 8;

fn is_public(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| may_be_public(path, &meta))
}

/// Of what is open, whatever stands at its path by now.
fn meta_of(open: &OwnedFd) -> Option<Metadata> {
    std::fs::metadata(super::opened::through(open)).ok()
}

/// What others may read, and never what holds passwords, whatever its mode came to be.
fn may_be_public(path: &Path, meta: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const SECRET: [&str; 9] =
        ["ssl", "ssh", "sudoers", "sudoers.d", "shadow", "shadow-", "gshadow", "gshadow-", "security"];
    let needed = if meta.is_dir() { 0o005 } else { 0o004 };
    meta.permissions().mode() & needed == needed && !SECRET.iter().any(|name| path == Path::new("/etc").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_public_as_a_whole_only_if_all_of_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let room = tempfile::tempdir().unwrap();
        let path = |name: &str| room.path().join(name);
        for folder in ["open/below", "mixed/below", "closed"] {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        for (file, mode) in [
            ("open/a", 0o644),
            ("open/below/b", 0o644),
            ("mixed/c", 0o644),
            ("mixed/below/key", 0o640),
            ("mixed/below/d", 0o444),
            ("closed/e", 0o644),
            ("f", 0o604),
            ("key", 0o600),
        ] {
            std::fs::write(path(file), "x").unwrap();
            std::fs::set_permissions(path(file), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::set_permissions(path("closed"), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("/root", path("open/leads-out")).unwrap();
        std::os::unix::fs::symlink("/root", path("leads-out")).unwrap();
        let (whole, mut found) = public(room.path(), 0);
        found.sort();
        assert!(!whole);
        assert_eq!(found, ["f", "mixed/below/d", "mixed/c", "open"].map(path));
        assert!(!is_public(Path::new("/etc/shadow")));
    }
}
