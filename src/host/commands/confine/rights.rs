//! What a server's account may do, taken from its commands: powers of root, another's files, what stands outside of their folders.

use std::{
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::{
    super::spoken::{KeptFolder, Spec},
    opened::{held_again, opened, opened_again, own, through},
};

/// Makes everything but a command's folders read-only, for it alone, and what is kept inside of them: with that nobody changes a
/// mode, an owner, a time or an attribute there, of which Landlock knows nothing. False: this takes root and a kernel that lets it.
///
/// # Errors
/// What is kept inside could be changed.
pub(super) fn keep_outside(spec: &Spec) -> Result<bool, String> {
    const NOTHING: Option<&str> = None;
    let folders = || spec.writable.iter().map(PathBuf::as_path).chain([spec.own.as_path()]);
    let kept = || spec.kept.iter().map(|kept| kept.path.as_path());
    let points = points(spec)?;
    let keep = || -> Result<(), Errno> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(NOTHING, "/", NOTHING, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NOTHING)?;
        for point in &points {
            // Each is looked for when what lies around it has its place.
            let of = |all: &[KeptFolder]| all.iter().find(|kept| kept.path == *point).map(|kept| kept.inode);
            let again = || match (of(&spec.kept), of(&spec.held)) {
                (Some(inode), _) => opened_again(point, inode),
                // What is mounted on a link is the link: it leads where it led, and has its place.
                (None, Some(inode)) => held_again(point, inode).map(Some),
                (None, None) if *point == spec.own => own(spec),
                (None, None) => opened(point),
            };
            if let Some(open) = again().map_err(|_| Errno::ELOOP)? {
                let at = through(&open);
                mount(Some(&at), &at, NOTHING, MsFlags::MS_BIND | MsFlags::MS_REC, NOTHING)?;
            }
        }
        let table = std::fs::read_to_string("/proc/self/mountinfo").map_err(|_| Errno::EIO)?;
        for (point, flags) in table.lines().filter_map(mounted) {
            let depth = |path: &Path| point.starts_with(path).then(|| path.components().count());
            // The innermost of them says what may be done.
            if folders().filter_map(depth).max() > kept().filter_map(depth).max() {
                continue;
            }
            let again = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags;
            match mount(NOTHING, &point, NOTHING, again, NOTHING) {
                // Another lies above it, so that the command does not come to it either.
                Ok(()) | Err(Errno::EINVAL | Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let is_read_only = |path: &Path| {
        let flags = rustix::fs::statvfs(path).map(|told| told.f_flag);
        flags.is_ok_and(|flags| flags.contains(rustix::fs::StatVfsMountFlags::RDONLY))
    };
    let done = rustix::process::geteuid().is_root() && keep().is_ok() && is_read_only(Path::new("/"));
    let kept = spec.kept.iter().find(|kept| !kept.at_best && (!done || !is_read_only(&kept.path)));
    let held = spec.held.iter().find(|held| !held.at_best && !done);
    let why = "lies inside of what commands may change, and this system does not let it be kept from them, which takes the right to mount";
    match (kept, held) {
        (None, None) => Ok(done),
        (Some(kept), _) => Err(format!(
            "`{}` is read-only and {why}; the operator names folders in `commands.roots` that do not hold it, or has this server started \
             by the path of its program where it stands in `PATH` before that, and without it in `LD_LIBRARY_PATH`",
            kept.path.display()
        )),
        (None, Some(held)) => Err(format!(
            "`{}`, by which the next start finds what it is about, {why}; the operator names folders in `commands.roots` that do not hold it, \
             or names what it leads to where it is a link, and `files.roots` where it is the working folder",
            held.path.display()
        )),
    }
}

/// Where something is mounted, what lies around before what is inside: the folders of a command, those that are kept inside of
/// them, and those on the way from one to the other, so that nobody moves what leads to one that is kept.
fn points(spec: &Spec) -> Result<Vec<&Path>, String> {
    let folders = || spec.writable.iter().map(PathBuf::as_path).chain([spec.own.as_path()]);
    let mut points: Vec<&Path> = folders().collect();
    for held in &spec.held {
        held_again(&held.path, held.inode)?;
    }
    for kept in &spec.kept {
        if opened_again(&kept.path, kept.inode)?.is_none() {
            return Err(format!("the folder `{}`, which commands may not change, is gone", kept.path.display()));
        }
    }
    for kept in spec.kept.iter().chain(&spec.held) {
        let is_inside = |path: &&Path| folders().any(|folder| path.starts_with(folder));
        points.extend(kept.path.ancestors().take_while(is_inside));
    }
    points.sort();
    points.dedup();
    Ok(points)
}

/// Where something is mounted, and how, from a line of `mountinfo`.
fn mounted(line: &str) -> Option<(PathBuf, MsFlags)> {
    let mut words = line.split(' ').skip(4);
    let (point, options) = (words.next()?, words.next()?);
    let flag = |option| match option {
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        "noatime" => MsFlags::MS_NOATIME,
        "nodiratime" => MsFlags::MS_NODIRATIME,
        "relatime" => MsFlags::MS_RELATIME,
        _ => MsFlags::empty(),
    };
    Some((unescaped(point), options.split(',').map(flag).collect()))
}

/// A path in which blanks and the like are written as three digits to the base of eight.
fn unescaped(text: &str) -> PathBuf {
    let mut pieces = text.split('\\');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.split_at_checked(3).and_then(|(digits, rest)| Some((u8::from_str_radix(digits, 8).ok()?, rest))) {
            Some((byte, rest)) => bytes.extend([byte].iter().chain(rest.as_bytes())),
            None => bytes.extend([b'\\'].iter().chain(piece.as_bytes())),
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

/// Takes all powers of root, for good, and becomes the account of the folder where that is another.
pub(super) fn drop_powers(spec: &Spec) -> Result<(), String> {
    let said = |error: rustix::io::Errno| format!("rights: {error}");
    let has = capabilities(None).map_err(said)?;
    let _ = clear_ambient_capability_set();
    if has.effective.contains(CapabilitySet::SETPCAP) {
        for one in CapabilitySet::all().iter() {
            if capability_is_in_bounding_set(one).unwrap_or(false) {
                remove_capability_from_bounding_set(one).map_err(said)?;
            }
        }
    }
    if let Some((account, group)) = spec.account {
        let (account, group) = (rustix::process::Uid::from_raw(account), rustix::process::Gid::from_raw(group));
        set_thread_groups(&[]).map_err(said)?;
        set_thread_res_gid(group, group, group).map_err(said)?;
        set_thread_res_uid(account, account, account).map_err(said)?;
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_says_where_and_how() {
        let line = r"36 35 98:0 /mnt1 /a\040b\134c rw,nosuid,noatime shared:1 - ext3 /dev/root rw,errors=continue";
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOATIME;
        assert_eq!(mounted(line), Some((PathBuf::from(r"/a b\c"), flags)));
    }
}
