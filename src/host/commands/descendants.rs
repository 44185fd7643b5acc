//! The processes below one: who they are, and their end, whatever they did to get away from it.
//!
//! A process that is its own session, whose parents have ended, still is a descendant of the keeper, which the kernel gives it to
//! (`PR_SET_CHILD_SUBREAPER`). When no child is left to wait for, no descendant is.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, getpgrp, kill_process, kill_process_group, wait},
};

/// How long processes that were killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What runs below a process, by the kernel's lists of children.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pub pids: Vec<i32>,
    /// Bytes that are theirs alone.
    pub memory: u64,
}

/// Looks at those below this process, up to `most` of them.
pub(super) fn crowd(most: usize) -> Crowd {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut crowd = Crowd::default();
    let mut ahead = children(i32::try_from(std::process::id()).unwrap_or_default());
    while let Some(pid) = ahead.pop() {
        if crowd.pids.len() > most {
            break;
        }
        crowd.pids.push(pid);
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
        let pages: Vec<u64> = statm.split(' ').filter_map(|number| number.trim().parse().ok()).collect();
        if let [_, resident, shared, ..] = pages.as_slice() {
            crowd.memory += resident.saturating_sub(*shared) * page;
        }
        ahead.extend(children(pid));
    }
    crowd
}

fn children(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    threads
        .flat_map(|thread| of(thread).split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// A row of `/proc`.
struct Row {
    parent: i32,
    group: i32,
    session: i32,
}

fn rows() -> HashMap<i32, Row> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let row = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold some.
        let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map(|word| word.parse().ok());
        Some((pid, Row { parent: words.next()??, group: words.next()??, session: words.next()?? }))
    };
    pids.filter_map(row).collect()
}

/// The processes below this one, with their groups.
fn all() -> Vec<(i32, i32)> {
    let (rows, own) = (rows(), i32::try_from(std::process::id()).unwrap_or_default());
    let is_below = |pid: i32| {
        let (mut at, mut seen) = (pid, HashSet::new());
        while let Some(row) = rows.get(&at) {
            if row.parent == own {
                return true;
            }
            if row.parent <= 1 || !seen.insert(at) {
                return false;
            }
            at = row.parent;
        }
        false
    };
    rows.iter().filter(|(pid, _)| is_below(**pid)).map(|(pid, row)| (*pid, row.group)).collect()
}

/// Takes leave of those that have ended. False: there is no child any more, and with it no descendant.
pub(super) fn reap(mut told: impl FnMut(Pid, WaitStatus)) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => told(pid, status),
            Ok(None) | Err(Errno::INTR) => return true,
            Err(_) => return false,
        }
    }
}

/// Sends a signal to those below this process, and to their groups. Where a system does not list them, the group of the command is
/// all that is known.
pub(super) fn signal(child: i32, signal: Signal) -> HashSet<i32> {
    let all = all();
    if cfg!(not(target_os = "linux")) {
        let _ = Pid::from_raw(child).map(|group| kill_process_group(group, signal));
    }
    let own = getpgrp().as_raw_nonzero().get();
    // A group is reached at once, so that nobody in it forks meanwhile.
    for group in all.iter().map(|(_, group)| *group).filter(|group| *group > 1 && *group != own).collect::<HashSet<_>>()
    {
        let _ = Pid::from_raw(group).map(|group| kill_process_group(group, signal));
    }
    for (pid, _) in &all {
        let _ = Pid::from_raw(*pid).map(|pid| kill_process(pid, signal));
    }
    all.into_iter().map(|(pid, _)| pid).collect()
}

/// Ends all of them: those that there were, and how many are left.
pub(super) fn end(child: i32, mut told: impl FnMut(Pid, WaitStatus)) -> (HashSet<i32>, usize) {
    let begun = Instant::now();
    let mut ended = HashSet::new();
    while reap(&mut told) {
        if begun.elapsed() > PATIENCE {
            return (ended, all().len());
        }
        ended.extend(signal(child, Signal::KILL));
        std::thread::sleep(Duration::from_millis(1));
    }
    (ended, 0)
}

/// Ends the processes whose keeper is gone: those of its session, and those that have the command's own folder in their environment.
pub(super) fn end_orphans(session: i32, own: &Path) -> usize {
    let own = own.as_os_str().as_encoded_bytes();
    let is_of = |pid: i32, row: &Row| {
        let environment = || fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        row.session == session || environment().windows(own.len()).any(|part| part == own)
    };
    let rows = rows();
    let of = rows.iter().filter(|(pid, row)| is_of(**pid, row)).map(|(pid, _)| *pid);
    of.filter(|pid| Pid::from_raw(*pid).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())).count()
}

/// Threads of an account, which the kernel counts its processes by.
pub(super) fn threads_of(account: u32) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u32>().ok()
        };
        (value("Uid:")? == account).then(|| value("Threads:")).flatten()
    };
    entries.filter_map(of).map(|threads| threads as usize).sum()
}
