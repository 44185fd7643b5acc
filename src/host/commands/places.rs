//! The commands that run now: whose they are, how many each caller has, and which process keeps each of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{CommandError, SUBCOMMAND};

/// What is known of all commands that run.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<BTreeMap<u64, Taken>>>);

#[derive(Debug)]
struct Taken {
    owner: Option<String>,
    keeper: Option<i32>,
}

/// The place of one command, until it has ended.
#[derive(Debug)]
pub(super) struct Place {
    all: Places,
    number: u64,
}

/// The processes that keep commands, and whose they are.
#[derive(Debug, Clone, Default)]
pub struct Keepers(HashMap<i32, Option<String>>);

impl Places {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Taken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more command of a caller, who may have so many. None: they have them.
    pub(super) fn take(&self, owner: Option<&str>, most: usize) -> Option<Place> {
        let mut all = self.all();
        if all.values().filter(|taken| taken.owner.as_deref() == owner).count() >= most {
            return None;
        }
        let number = all.last_key_value().map_or(0, |(number, _)| number + 1);
        all.insert(number, Taken { owner: owner.map(str::to_owned), keeper: None });
        Some(Place { all: self.clone(), number })
    }

    pub(super) fn keepers(&self) -> Keepers {
        let all = self.all();
        Keepers(all.values().filter_map(|taken| Some((taken.keeper?, taken.owner.clone()))).collect())
    }
}

impl Place {
    /// Which process keeps its command.
    pub(super) fn kept_by(&self, keeper: i32) {
        if let Some(taken) = self.all.all().get_mut(&self.number) {
            taken.keeper = Some(keeper);
        }
    }

    /// Those of all commands, this one among them.
    pub(super) fn all(&self) -> Places {
        self.all.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.all().remove(&self.number);
    }
}

impl Keepers {
    /// These and others: between two looks a command may have begun or ended.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub fn has(&self, pid: u32) -> bool {
        i32::try_from(pid).is_ok_and(|pid| self.0.contains_key(&pid))
    }

    /// Whether a process belongs to a command of somebody else, by its parents.
    pub fn is_of_another(&self, pid: u32, owner: Option<&str>, parent: impl Fn(u32) -> Option<u32>) -> bool {
        let (mut at, mut steps) = (Some(pid), 0..MOST);
        while let (Some(pid), Some(_)) = (at, steps.next()) {
            if let Some(of) = i32::try_from(pid).ok().and_then(|pid| self.0.get(&pid)) {
                return of.as_deref() != owner;
            }
            at = parent(pid);
        }
        false
    }
}

/// Most parents that are looked at.
const MOST: usize = 100_000;

/// Refuses to end a process that keeps a command, and those of others' commands, which for a caller do not exist.
pub(super) fn judge_end(keepers: &Keepers, pid: i64, owner: Option<&str>) -> Result<(), CommandError> {
    let Some(pid) = u32::try_from(pid).ok().filter(|pid| *pid > 0) else { return Ok(()) };
    if keepers.is_of_another(pid, owner, parent) {
        return Err(CommandError::failed(format!("there is no process {pid}")).hint("list the processes"));
    }
    if keepers.has(pid) || keeps(pid) {
        let message = format!("the process {pid} is not ended, for it keeps a command, which would be left to itself");
        return Err(CommandError::forbidden(message).hint("end the command in the background by its name"));
    }
    if is_part(pid) {
        let message = format!("the process {pid} is not ended, for a server of this kind lives by it");
        return Err(CommandError::forbidden(message).hint("end the server itself, or ask its operator"));
    }
    Ok(())
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process says that it keeps a command, of whichever server.
fn keeps(pid: u32) -> bool {
    first_argument(pid) == SUBCOMMAND.as_bytes()
}

/// Whether a process says that it is a part of a server, such as its database.
fn is_part(pid: u32) -> bool {
    first_argument(pid).starts_with(PARTS.as_bytes())
}

/// How the first argument begins by which this program is a part of a server.
const PARTS: &str = "internal-";

fn first_argument(pid: u32) -> Vec<u8> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_of_each_caller_and_processes_of_the_keeper_above_them() {
        let places = Places::default();
        let first = places.take(Some("a"), 2).unwrap();
        first.kept_by(10);
        let second = places.take(Some("a"), 2).unwrap();
        assert!(places.take(Some("a"), 2).is_none() && places.take(None, 2).is_some());
        drop(second);
        assert!(places.take(Some("a"), 2).is_some());
        let keepers = places.keepers();
        // 12 is below 11, which is below the keeper 10; 1 is nobody's.
        let parent = |pid: u32| (pid > 1).then(|| if pid > 10 { pid - 1 } else { 1 });
        assert!(keepers.is_of_another(12, Some("b"), parent) && keepers.is_of_another(10, None, parent));
        assert!(!keepers.is_of_another(12, Some("a"), parent) && !keepers.is_of_another(9, Some("b"), parent));
        drop(first);
        assert!(!places.keepers().has(10) && keepers.has(10));
        assert!(SUBCOMMAND.starts_with(PARTS));
    }
}
