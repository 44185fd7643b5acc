//! Confinement by Linux: capabilities, Landlock, seccomp.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use serde_json::{Value, json};

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

/// Calls to the system that a command has no use for: other ways to a socket, to other processes' limits, to the kernel.
const CALLS: [&str; 31] = [
    "acct",
    "add_key",
    "bpf",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lremovexattr",
    "lsetxattr",
    "mount",
    "move_mount",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "reboot",
    "removexattr",
    "request_key",
    "setns",
    "setxattr",
    "swapon",
    "umount2",
    "userfaultfd",
];

/// Calls that change the mode of a file, and where the mode stands in them. Landlock has no rule for them, so a mode outside of the
/// folders is a mode like any other: it may not lock its owner out, nor let others in.
const MODES: &[(&str, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    ("chmod", 1),
    ("fchmod", 1),
    ("fchmodat", 2),
    ("fchmodat2", 2),
];

/// The owner's reading, which a mode must have; others' writing, and rights of the owner for whoever runs it, which it must not.
const MUST: u32 = 0o400;
const MUST_NOT: [u32; 3] = [0o002, 0o4000, 0o2000];

/// Internet addresses, and asking the kernel about interfaces. Never the sockets of programs on this machine, behind which there
/// are others that do what they are told.
const NETWORK: [u64; 3] = [2, 10, 16];

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
        .and_then(|made| made.add_rules(path_beneath_rules(public_etc(), read)))
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

/// The filter of calls. False: nothing is known of the calls of this processor.
pub(super) fn calls(network: bool) -> Result<bool, String> {
    let Ok(processor) = std::env::consts::ARCH.try_into() else { return Ok(false) };
    let text = filter(network).to_string();
    let filters = seccompiler::compile_from_json(text.as_bytes(), processor).map_err(|error| error.to_string())?;
    for filter in filters.values() {
        seccompiler::apply_filter(filter).map_err(|error| format!("seccomp: {error}"))?;
    }
    Ok(true)
}

/// Root without its powers. The one over contents of files stays, since a folder often belongs to another account; which files
/// these are is decided by Landlock, which knows nothing of their owners and modes.
pub(super) fn drop_capabilities() -> Result<(), String> {
    use rustix::thread::{
        CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities,
    };
    let kept = CapabilitySet::DAC_OVERRIDE;
    let has = capabilities(None).map_err(|error| format!("capabilities: {error}"))?;
    let _ = clear_ambient_capability_set();
    if has.effective.contains(CapabilitySet::SETPCAP) {
        for one in CapabilitySet::all().difference(kept).iter() {
            if capability_is_in_bounding_set(one).unwrap_or(false) {
                remove_capability_from_bounding_set(one).map_err(|error| format!("capabilities: {error}"))?;
            }
        }
    }
    let sets = CapabilitySets {
        effective: has.effective & kept,
        permitted: has.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(|error| format!("capabilities: {error}"))
}

/// Entries of `/etc` that everybody may read; the rest is nobody's business, also where the server is root.
fn public_etc() -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let entries = std::fs::read_dir("/etc").into_iter().flatten().flatten();
    let is_public = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
            && !["ssl", "sudoers.d", "ssh"].iter().any(|name| path.ends_with(name))
    };
    entries.map(|entry| entry.path()).filter(is_public).collect()
}

/// The filter of calls, as data.
fn filter(network: bool) -> Value {
    let mut rules: Vec<Value> = CALLS.iter().map(|call| json!({ "syscall": call })).collect();
    // Limits of others; one's own are those of process 0.
    rules.push(json!({ "syscall": "prlimit64", "args": [{ "index": 0, "type": "dword", "op": "ne", "val": 0 }] }));
    rules.push(match network {
        false => json!({ "syscall": "socket" }),
        true => {
            let not = NETWORK.map(|family| json!({ "index": 0, "type": "dword", "op": "ne", "val": family }));
            json!({ "syscall": "socket", "args": not })
        }
    });
    for (call, at) in MODES {
        let mode = |mask: u32, value: u32| json!([{ "index": at, "type": "dword", "op": { "masked_eq": mask }, "val": value }]);
        rules.push(json!({ "syscall": call, "args": mode(MUST, 0) }));
        rules.extend(MUST_NOT.map(|bit| json!({ "syscall": call, "args": mode(bit, bit) })));
    }
    const NOT_PERMITTED: u32 = 1;
    json!({ "command": { "mismatch_action": "allow", "match_action": { "errno": NOT_PERMITTED }, "filter": rules } })
}
