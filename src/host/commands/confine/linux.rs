//! Folders and signals, by Landlock.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use super::super::spoken::Spec;

/// Folders that every program needs, to read and to run what is there.
const SYSTEM: [&str; 25] = [
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
    "/dev/fd",
    "/dev/random",
];

/// Devices that may be written to as well.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/urandom"];

/// The newest version that is asked for; of an older kernel as much as it has.
const VERSION: ABI = ABI::V9;

/// Files, signals and the network by Landlock. None: this kernel has none.
pub(super) fn folders(spec: &Spec, own: &Path) -> Result<Option<u32>, String> {
    let said = |error: &dyn std::fmt::Display| format!("Landlock: {error}");
    let all = AccessFs::from_all(VERSION);
    let change = all & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let read = AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules = Ruleset::default().handle_access(all).map_err(|error| said(&error))?;
    rules = rules.scope(Scope::from_all(VERSION)).map_err(|error| said(&error))?;
    if !spec.network {
        rules = rules.handle_access(AccessNet::from_all(VERSION)).map_err(|error| said(&error))?;
    }
    let writable = opened(&spec.writable)?;
    let writable = writable.iter().map(|folder| Ok::<_, RulesetError>(PathBeneath::new(folder, change)));
    let status = rules
        .create()
        .and_then(|made| made.add_rules(path_beneath_rules(SYSTEM, read)))
        .and_then(|made| made.add_rules(path_beneath_rules(spec.public.iter().filter(|path| is_public(path)), read)))
        .and_then(|made| made.add_rules(path_beneath_rules(&spec.readable, read)))
        .and_then(|made| made.add_rules(path_beneath_rules(DEVICES, read | AccessFs::WriteFile)))
        .and_then(|made| made.add_rules(writable))
        .and_then(|made| made.add_rules(path_beneath_rules([own], change)))
        .and_then(|made| made.restrict_self())
        .map_err(|error| said(&error))?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi as u32),
        _ => None,
    })
}

/// Folders whose paths are known to hold no links. Whoever put one there since, such as a command in the folder around it, opens
/// nothing by it.
fn opened(folders: &[PathBuf]) -> Result<Vec<OwnedFd>, String> {
    let open = |folder: &PathBuf| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat2(CWD, folder, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(opened) => Some(Ok(opened)),
            Err(rustix::io::Errno::LOOP) => Some(Err(format!("the folder `{}` has become a link", folder.display()))),
            // It is not there any more, so there is nothing to be opened.
            Err(_) => None,
        }
    };
    folders.iter().filter_map(open).collect()
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

/// What everybody may read of `/etc`, as few paths as say it; the rest is nobody's business, also where the server is root.
pub(super) fn public_etc() -> Vec<PathBuf> {
    public(Path::new("/etc"), 0).1
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

/// What others may read, and never what holds passwords, whatever its mode came to be.
pub(super) fn is_public(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const SECRET: [&str; 9] =
        ["ssl", "ssh", "sudoers", "sudoers.d", "shadow", "shadow-", "gshadow", "gshadow-", "security"];
    std::fs::metadata(path).is_ok_and(|meta| {
        let needed = if meta.is_dir() { 0o005 } else { 0o004 };
        meta.permissions().mode() & needed == needed
    }) && !SECRET.iter().any(|name| path == Path::new("/etc").join(name))
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
