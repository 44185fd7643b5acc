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

/// How long the end of all of them at once may take before they are looked for.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How often those are looked for whose keeper is gone, as long as there are any.
const ROUNDS: usize = 100;

/// What runs below a process, by the kernel's lists of children.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pub pids: Vec<i32>,
    /// All their threads.
    pub threads: usize,
    /// Bytes that are theirs alone.
    pub memory: u64,
}

/// Looks at those below this process, up to `most` of them.
pub(super) fn crowd(most: usize) -> Crowd {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut crowd = Crowd::default();
    let (_, mut ahead) = children(own());
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
        let (threads, below) = children(pid);
        crowd.threads += threads;
        ahead.extend(below);
    }
    crowd
}

fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

/// How many threads a process has, and what they started.
fn children(pid: i32) -> (usize, Vec<i32>) {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let (mut count, mut pids) = (0, Vec::new());
    for told in threads.map(of) {
        count += 1;
        pids.extend(told.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    (count, pids)
}

/// Memory without a file that processes share, each piece once, however many of them have it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    bytes: u64,
    /// When it is looked at again: reading the lists of memory takes time.
    next: Option<Instant>,
}

impl Shared {
    pub(super) fn of(&mut self, pids: &[i32]) -> u64 {
        let begun = Instant::now();
        if self.next.is_none_or(|next| begun >= next) {
            let mut pieces: HashMap<(String, String), u64> = HashMap::new();
            for (piece, bytes) in pids.iter().flat_map(|pid| shared(*pid)) {
                let known = pieces.entry(piece).or_default();
                *known = bytes.max(*known);
            }
            self.bytes = pieces.values().sum();
            // A tenth of the time at most.
            self.next = Some(Instant::now() + begun.elapsed().saturating_mul(9));
        }
        self.bytes
    }
}

/// The pieces of a process, by device and number, and how much each of them holds: as the kernel counts it where it says so, else up
/// to where it is mapped.
fn shared(pid: i32) -> Vec<((String, String), u64)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let piece = |line: &str| {
        let mut words = line.split_whitespace();
        let (range, rights, offset) = (words.next()?, words.next()?, words.next()?);
        let (device, number, name) = (words.next()?, words.next()?, words.next()?);
        if !rights.ends_with('s')
            || !["/dev/zero", "/memfd:", "/SYSV", "/anon_hugepage"].iter().any(|of| name.starts_with(of))
        {
            return None;
        }
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let (from, to) = range.split_once('-')?;
        let mapped = hex(offset)?.saturating_add(hex(to)?.saturating_sub(hex(from)?));
        use std::os::unix::fs::MetadataExt as _;
        let held = fs::metadata(format!("/proc/{pid}/map_files/{range}")).map(|meta| meta.blocks() * 512);
        Some(((device.to_owned(), number.to_owned()), held.unwrap_or(mapped)))
    };
    maps.lines().filter_map(piece).collect()
}

/// A row of `/proc`.
struct Row {
    /// It has not ended, and nobody waits for its end.
    lives: bool,
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
        let mut words = stat.rsplit_once(')')?.1.split_whitespace();
        let lives = !["Z", "X"].contains(&words.next()?);
        let mut words = words.map(|word| word.parse().ok());
        Some((pid, Row { lives, parent: words.next()??, group: words.next()??, session: words.next()?? }))
    };
    pids.filter_map(row).collect()
}

/// The processes below this one, with their groups.
fn all() -> Vec<(i32, i32)> {
    let (rows, own) = (rows(), own());
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
pub(super) fn signal(child: i32, signal: Signal) {
    let all = all();
    if cfg!(not(target_os = "linux")) {
        let _ = Pid::from_raw(child).map(|group| kill_process_group(group, signal));
    }
    let own = getpgrp().as_raw_nonzero().get();
    for group in all.iter().map(|(_, group)| *group).filter(|group| *group > 1 && *group != own).collect::<HashSet<_>>()
    {
        let _ = Pid::from_raw(group).map(|group| kill_process_group(group, signal));
    }
    for (pid, _) in &all {
        let _ = Pid::from_raw(*pid).map(|pid| kill_process(pid, signal));
    }
}

/// Ends those below this process one by one. They are stopped first, from the top: who is stopped starts nobody, so that there are
/// only so many to come to.
fn sweep(child: i32) {
    let send = |pid: i32, signal| Pid::from_raw(pid).map(|pid| kill_process(pid, signal));
    // A group is reached at once.
    let _ = Pid::from_raw(child).map(|group| kill_process_group(group, Signal::KILL));
    let mut seen = HashSet::new();
    let (_, mut ahead) = children(own());
    while let Some(pid) = ahead.pop() {
        if pid > 1 && seen.insert(pid) {
            let _ = send(pid, Signal::STOP);
            ahead.extend(children(pid).1);
        }
    }
    for pid in seen {
        let _ = send(pid, Signal::KILL);
    }
}

/// Ends all of them, by `at_once` if that can be done. How many are left.
pub(super) fn end(child: i32, at_once: impl Fn() -> bool, mut told: impl FnMut(Pid, WaitStatus)) -> usize {
    let begun = Instant::now();
    while reap(&mut told) {
        if begun.elapsed() > PATIENCE {
            return all().len();
        }
        if !at_once() || begun.elapsed() > AT_ONCE {
            sweep(child);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    0
}

/// Ends the processes whose keeper is gone: those of the command's session, and those that have its own folder in their environment,
/// until there are none.
pub(super) fn end_orphans(session: i32, own: &Path) -> usize {
    let own = own.as_os_str().as_encoded_bytes();
    let is_of = |pid: i32, row: &Row| {
        let environment = || fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        row.session == session || environment().windows(own.len()).any(|part| part == own)
    };
    let mut ended = HashSet::new();
    for _ in 0..ROUNDS {
        let rows = rows();
        let of = rows.iter().filter(|(pid, row)| row.lives && **pid > 1 && is_of(**pid, row)).map(|(pid, _)| *pid);
        let found: Vec<i32> =
            of.filter(|pid| Pid::from_raw(*pid).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())).collect();
        if found.is_empty() {
            break;
        }
        ended.extend(found);
    }
    ended.len()
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
