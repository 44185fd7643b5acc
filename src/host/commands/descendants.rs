//! The processes below one: who they are, and their end, whatever they did to get away from it.
//!
//! A process that is its own session, whose parents have ended, still is a descendant of the keeper, which the kernel gives it to
//! (`PR_SET_CHILD_SUBREAPER`). When no child is left to wait for, no descendant is.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, getpgrp, kill_process, kill_process_group, wait, waitpid},
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
        let [_, resident, shared] = living(pid).1;
        crowd.memory += resident.saturating_sub(shared) * page;
        let (threads, below) = children(pid);
        crowd.threads += threads;
        ahead.extend(below);
    }
    crowd
}

/// Where a process is read, and its pages: all, those that are there, and those of them that are shared. That is at itself, or at a
/// thread of it that lives: where the first one has ended, the process has no memory and no files by its own name.
fn living(pid: i32) -> (PathBuf, [u64; 3]) {
    let pages = |at: &Path| {
        let statm = fs::read_to_string(at.join("statm")).unwrap_or_default();
        let mut pages = statm.split(' ').map(|number| number.trim().parse().unwrap_or_default());
        [(); 3].map(|()| pages.next().unwrap_or_default())
    };
    let first = PathBuf::from(format!("/proc/{pid}"));
    let of_first = pages(&first);
    if of_first[0] > 0 {
        return (first, of_first);
    }
    let threads = fs::read_dir(first.join("task")).into_iter().flatten().flatten().map(|thread| thread.path());
    let mut threads = threads.map(|at| (pages(&at), at)).filter(|(pages, _)| pages[0] > 0);
    threads.next().map_or((first, of_first), |(pages, at)| (at, pages))
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

/// Kernel memory of processes, and memory without a file that they share, each piece once, however many of them have it.
///
/// It is looked at piece by piece, so that no look keeps the keeper from its other work.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// What the last whole look found.
    bytes: u64,
    /// Of this look, what was found, and who is still to be looked at.
    found: HashMap<Piece, u64>,
    ahead: Option<Vec<i32>>,
    /// When it goes on: reading the lists takes time.
    next: Option<Instant>,
}

/// What the kernel holds once.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Piece {
    /// Shared memory, by device and number.
    Memory(String, String),
    /// A pipe or a socket, by its name.
    End(Vec<u8>),
    /// The tables of the memory of a process, its mappings, and of one that does not let itself be read its memory and its files.
    Tables(i32),
    Mappings(i32),
    Unread(i32),
    Files(i32),
    /// A list of watches of a process, by its number.
    Watches(i32, String),
}

impl Shared {
    pub(super) fn of(&mut self, pids: &[i32]) -> u64 {
        let begun = Instant::now();
        if self.next.is_none_or(|next| begun >= next) {
            let mut ahead = self.ahead.take().unwrap_or_else(|| pids.to_vec());
            while let Some(pid) = ahead.pop() {
                let (at, _) = living(pid);
                for (piece, bytes) in shared(pid, &at).into_iter().chain(ends(pid, &at)).chain(tables(pid, &at)) {
                    let known = self.found.entry(piece).or_default();
                    *known = bytes.max(*known);
                }
                if begun.elapsed() > A_LOOK {
                    break;
                }
            }
            if ahead.is_empty() {
                self.bytes = std::mem::take(&mut self.found).values().sum();
            } else {
                self.ahead = Some(ahead);
            }
            // A tenth of the time at most.
            self.next = Some(Instant::now() + begun.elapsed().saturating_mul(9));
        }
        self.bytes.max(self.found.values().sum())
    }
}

/// How long one look may take, before it goes on at the next.
const A_LOOK: Duration = Duration::from_millis(20);

/// What a pipe and one end of a pair of sockets hold at most, as systems have it by default.
const OF_A_PIPE: u64 = 64 << 10;
const OF_A_SOCKET: u64 = 208 << 10;

/// What one watch takes in the kernel, how much is read of a list of them, and as many of them as one that is longer may hold.
const OF_A_WATCH: u64 = 256;
const OF_WATCHES: u64 = 4 << 20;
const MOST_WATCHES: u64 = 1 << 20;

/// What one mapping of memory takes in the kernel, and as many of them as a process may have.
const OF_A_MAPPING: u64 = 256;
const MAPPINGS: u64 = 65_530;

/// A number of the status of a process.
fn told(at: &Path, names: &[&str]) -> Option<Vec<u64>> {
    let status = fs::read_to_string(at.join("status")).ok()?;
    let number = |name: &&str| {
        let line = status.lines().find_map(|line| line.strip_prefix(*name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    };
    Some(names.iter().map(number).collect())
}

fn is_refused<T>(read: &io::Result<T>) -> bool {
    read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// The pipes and sockets that a process has open, each for as much as it may hold. One that does not let itself be read may have as
/// many as its table has places.
fn ends(pid: i32, at: &Path) -> Vec<(Piece, u64)> {
    let open = fs::read_dir(at.join("fd"));
    if is_refused(&open) {
        let places = told(at, &["FDSize"]).and_then(|told| told.first().copied()).unwrap_or_default();
        return vec![(Piece::Files(pid), places.saturating_mul(OF_A_SOCKET))];
    }
    let open = open.into_iter().flatten().flatten();
    let end = |entry: fs::DirEntry| {
        let name = fs::read_link(entry.path()).ok()?.into_os_string().into_encoded_bytes();
        let holds = match () {
            () if name.starts_with(b"pipe:") => OF_A_PIPE,
            () if name.starts_with(b"socket:") => OF_A_SOCKET,
            () if name == b"anon_inode:[eventpoll]" => return Some(watches(pid, at, &entry)),
            () => return None,
        };
        Some((Piece::End(name), holds))
    };
    open.filter_map(end).collect()
}

/// What the watches of one list of them hold, which programs wait by. They are the account's, who has a number of them.
fn watches(pid: i32, at: &Path, entry: &fs::DirEntry) -> (Piece, u64) {
    use std::io::Read as _;
    let number = entry.file_name().to_string_lossy().into_owned();
    let mut told = String::new();
    let read = fs::File::open(at.join("fdinfo").join(&number))
        .and_then(|info| info.take(OF_WATCHES).read_to_string(&mut told));
    let count = told.lines().filter(|line| line.starts_with("tfd:")).count();
    let all = read.is_ok_and(|length| (length as u64) < OF_WATCHES);
    let holds = if all { count as u64 * OF_A_WATCH } else { MOST_WATCHES * OF_A_WATCH };
    (Piece::Watches(pid, number), holds.max(OF_A_PIPE))
}

/// What the tables of its memory hold, which may be much where the memory itself is little.
fn tables(pid: i32, at: &Path) -> Option<(Piece, u64)> {
    let kib = told(at, &["VmPTE"])?.first().copied()?;
    Some((Piece::Tables(pid), kib << 10))
}

/// What a process may share that does not let itself be read: all that it has mapped but what is its own and what it runs.
fn unread(pid: i32, at: &Path) -> Vec<(Piece, u64)> {
    let told = told(at, &["VmSize", "VmData", "VmStk", "VmExe", "VmLib"]).unwrap_or_default();
    let Some((all, own)) = told.split_first() else { return Vec::new() };
    let kib = own.iter().fold(*all, |left, part| left.saturating_sub(*part));
    vec![(Piece::Unread(pid), kib << 10), (Piece::Mappings(pid), MAPPINGS * OF_A_MAPPING)]
}

/// The pieces of a process, by device and number, and how much each of them holds: as the kernel counts it where it says so, else up
/// to where it is mapped. And what the mappings themselves take.
fn shared(pid: i32, at: &Path) -> Vec<(Piece, u64)> {
    let maps = fs::read_to_string(at.join("maps"));
    if is_refused(&maps) {
        return unread(pid, at);
    }
    let maps = maps.unwrap_or_default();
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
        Some((Piece::Memory(device.to_owned(), number.to_owned()), held.unwrap_or(mapped)))
    };
    let mappings = u64::try_from(maps.lines().count()).unwrap_or(MAPPINGS).saturating_mul(OF_A_MAPPING);
    maps.lines().filter_map(piece).chain([(Piece::Mappings(pid), mappings)]).collect()
}

/// A row of `/proc`.
struct Row {
    /// It has not ended, or one of its threads has not.
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
        let has_ended = ["Z", "X"].contains(&words.next()?);
        let mut words = words.map(|word| word.parse::<i32>().ok());
        let (parent, group, session) = (words.next()??, words.next()??, words.next()??);
        // How many threads it has stands behind thirteen others. Where only the first has ended, it is told as ended.
        let threads = words.nth(13).flatten().unwrap_or_default();
        Some((pid, Row { lives: !has_ended || threads > 1, parent, group, session }))
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

/// Takes leave of those that have ended, and tells those that stand still as well, which only who is traced does. False: there is no child any more, and with it no descendant.
pub(super) fn reap(mut told: impl FnMut(Pid, WaitStatus)) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => told(pid, status),
            Ok(None) | Err(Errno::INTR) => return true,
            Err(_) => return false,
        }
    }
}

/// Lets go of a process that made this thread its tracer and waits for it. The signal that it stopped at reaches it, but for that of a
/// new program. False: another thread is its tracer.
pub(super) fn let_go(pid: Pid, status: WaitStatus) -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{ptrace, signal::Signal};
        let signal = status.stopping_signal().and_then(|signal| Signal::try_from(signal).ok());
        let pid = nix::unistd::Pid::from_raw(pid.as_raw_nonzero().get());
        ptrace::detach(pid, signal.filter(|signal| *signal != Signal::SIGTRAP)).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (pid, status);
        false
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

/// Ends the processes whose keeper is gone: those of the command's session, those that have its own folder in their environment, and
/// those that the kernel gave to this process since, with what is below them, until there are none.
pub(super) fn end_orphans(session: i32, own: &Path, is_keeper: impl Fn(u32) -> bool) -> usize {
    let own = own.as_os_str().as_encoded_bytes();
    let is_of = |pid: i32, row: &Row| {
        let environment = || fs::read(living(pid).0.join("environ")).unwrap_or_default();
        row.session == session || environment().windows(own.len()).any(|part| part == own)
    };
    let mut ended = HashSet::new();
    for _ in 0..ROUNDS {
        let rows = rows();
        let adopted = adopted(&rows, &is_keeper);
        let of =
            rows.iter().filter(|(pid, row)| row.lives && **pid > 1 && (adopted.contains(*pid) || is_of(**pid, row)));
        let of = of.map(|(pid, _)| *pid);
        let found: Vec<i32> =
            of.filter(|pid| Pid::from_raw(*pid).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())).collect();
        if found.is_empty() {
            break;
        }
        ended.extend(found);
    }
    ended.len()
}

/// Children of this process that it did not start, for they have sessions of their own and are confined, with all that is below them.
/// Those that have ended are taken leave of.
fn adopted(rows: &HashMap<i32, Row>, is_keeper: &impl Fn(u32) -> bool) -> HashSet<i32> {
    let own = own();
    let session = rows.get(&own).map(|row| row.session);
    let is_confined = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("NoNewPrivs:").is_some_and(|set| set.trim() == "1"))
    };
    let is_adopted = |pid: i32, row: &Row| {
        row.parent == own
            && Some(row.session) != session
            && !u32::try_from(pid).is_ok_and(is_keeper)
            && is_confined(pid)
    };
    let tops: Vec<i32> = rows.iter().filter(|(pid, row)| is_adopted(**pid, row)).map(|(pid, _)| *pid).collect();
    let mut below: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, row) in rows {
        below.entry(row.parent).or_default().push(*pid);
    }
    let (mut found, mut ahead) = (HashSet::new(), tops);
    while let Some(pid) = ahead.pop() {
        if rows.get(&pid).is_some_and(|row| !row.lives && row.parent == own) {
            let _ = Pid::from_raw(pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
        }
        if found.insert(pid) {
            ahead.extend(below.get(&pid).into_iter().flatten());
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_cannot_be_read_counts_for_what_it_may_hold() {
        let at = PathBuf::from("/proc/self");
        let held = |unread: Vec<(Piece, u64)>| unread.into_iter().map(|(_, bytes)| bytes).sum::<u64>();
        let before = held(unread(own(), &at));
        assert!(before >= MAPPINGS * OF_A_MAPPING);
        // What a process shares is none of its own, as the kernel tells it.
        let told = told(&at, &["VmSize", "FDSize", "NoSuch"]).unwrap();
        assert!(told[0] > 0 && told[1] >= 64 && told[2] == 0, "{told:?}");
        let refused: io::Result<()> = Err(io::ErrorKind::PermissionDenied.into());
        assert!(is_refused(&refused) && !is_refused::<()>(&Err(io::ErrorKind::NotFound.into())));
        // Each mapping counts, of whoever can be read.
        let mappings = shared(own(), &at).into_iter().find(|(piece, _)| *piece == Piece::Mappings(own()));
        assert!(mappings.unwrap().1 >= 10 * OF_A_MAPPING);
        assert!(living(own()).1[0] > 0 && living(i32::MAX).1 == [0; 3]);
    }

    #[test]
    fn a_look_at_very_many_goes_on_at_the_next_one() {
        let many = vec![own(); 20_000];
        let mut shared = Shared::default();
        let mut looks = 0;
        let mut left = many.len();
        while left > 0 && looks < 100_000 {
            shared.next = None;
            shared.of(&many);
            let now = shared.ahead.as_ref().map_or(0, Vec::len);
            assert!(now < left);
            (left, looks) = (now, looks + 1);
        }
        assert!(left == 0 && looks > 1 && shared.bytes > 0);
    }
}
