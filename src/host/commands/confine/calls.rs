//! The calls to the system that a command may make, by seccomp.
//!
//! What is not known here is not there: a call that a newer kernel brings answers as if this one were older, until somebody has
//! looked at it and raises [`KNOWN`].

use std::{collections::BTreeMap, ops::RangeInclusive};

use nix::libc::{self, c_long};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCmpOp::*, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// The numbers that have been looked at, up to `mseal` (Linux 6.10). Those between are in no kernel, or are no calls of programs.
#[cfg(target_arch = "x86_64")]
const KNOWN: [RangeInclusive<c_long>; 2] = [0..=334, 424..=462];
#[cfg(not(target_arch = "x86_64"))]
const KNOWN: [RangeInclusive<c_long>; 2] = [0..=294, 424..=462];

/// Numbers that are the same on every processor, of calls that the C library may not know.
const CLONE3: c_long = 435;
const OPENAT2: c_long = 437;
const MOUNT_SETATTR: c_long = 442;
const QUOTACTL_FD: c_long = 443;
const MEMFD_SECRET: c_long = 447;
const FCHMODAT2: c_long = 452;

/// Known, and as good as not there: their arguments stand in memory, where no filter looks, and every program has another way;
/// they hold memory that no list of a process shows, as rules of Landlock do, of which the command has its own by now; they take of
/// what the whole machine has little of; or they tell the names of files in folders that are closed, as watches do.
const ABSENT: &[c_long] = &[
    CLONE3,
    OPENAT2,
    libc::SYS_memfd_create,
    MEMFD_SECRET,
    libc::SYS_vmsplice,
    libc::SYS_io_setup,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
];

/// Calls that a command has no use for: other ways to a socket, to other processes, to owners of files, to the kernel, and to what
/// outlives every process.
const REFUSED: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    MOUNT_SETATTR,
    libc::SYS_move_mount,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    QUOTACTL_FD,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
];

/// Extended attributes, rights of other accounts among them: as if no file system had any, which programs that copy are used to.
const ATTRIBUTES: [c_long; 6] = [
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// Calls that change the mode of a file, and where the mode stands in them.
const MODES: &[(c_long, u8)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (FCHMODAT2, 2),
];

/// The owner's reading, which a mode must have; others' writing, and rights of the owner for whoever runs it, which it must not.
const MUST: u64 = 0o400;
const MUST_NOT: [u64; 3] = [0o002, 0o4000, 0o2000];

/// Rights of the owner for whoever runs a file.
const RUNS_AS: [u64; 2] = [0o4000, 0o2000];

/// Calls that make a file with a mode: where the mode stands in them, and the flags, without which it means nothing.
const MAKES: &[(c_long, u8, Option<u8>)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 2, Some(1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, 1, None),
    (libc::SYS_openat, 3, Some(2)),
    (libc::SYS_mknodat, 2, None),
    (libc::SYS_mkdirat, 2, None),
];

/// Flags with which opening makes a file: `O_CREAT`, and `O_TMPFILE` without the bit of folders.
const MAKING: [u64; 2] = [libc::O_CREAT as u64, (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64];

/// Calls about the turn of a process: its processor, its priority. That of process 0, which is one's own, may be changed.
const TURNS: [c_long; 4] =
    [libc::SYS_sched_setaffinity, libc::SYS_sched_setattr, libc::SYS_sched_setparam, libc::SYS_sched_setscheduler];

/// New namespaces, in which one would have all of root's powers, but for that of time, which `clone` cannot make.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Requests of file systems (ext4, XFS, versions, btrfs, F2FS, Ceph), which change a file that is only open to be read, and those of
/// them that only ask, or that copy into what is open to be written: by the letter of their numbers.
const OF_FILES: [(u64, &[u64]); 6] = [
    (b'f' as u64, &[0x8008_6601, 0x8004_6601, 0xc020_660b]),
    (b'X' as u64, &[0x801c_581f]),
    (b'v' as u64, &[0x8008_7601]),
    (0x94, &[0x4004_9409, 0x4020_940d, 0xc018_9436, 0x8100_9431]),
    (0xf5, &[]),
    (0x97, &[]),
];

/// Requests of a terminal that type for whoever sits in front of it: `TIOCSTI`, `TIOCLINUX`.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Kinds of sockets that come in pairs and stay so: whoever has one end reaches the other and nobody else. A datagram names to whom
/// it goes, in memory, where no filter looks: it reaches every program of this machine.
const PAIRED: [u64; 2] = [libc::SOCK_STREAM as u64, libc::SOCK_SEQPACKET as u64];

/// The bits of a kind of socket without its flags.
const KIND: u64 = 0xf;

/// Without a network nobody has a socket to give a name to.
const NAMING: [c_long; 5] = [libc::SYS_bind, libc::SYS_connect, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4];

/// What `fcntl` does to a file that others open too: leases, which make them wait, news of a folder, hints that stay. And a pipe that
/// holds more than is counted for one (`F_SETPIPE_SZ`). From the last number on, nobody has looked.
const OF_OTHERS: [u64; 5] = [1024, 1026, 1031, 1036, 1038];
const NOT_LOOKED_AT: u64 = 1039;

/// Options by which a socket holds more than is counted for one.
const HOLD_MORE: [u64; 2] = [libc::SO_SNDBUF as u64, libc::SO_SNDBUFFORCE as u64];

/// Internet addresses, and asking the kernel about interfaces. Never the sockets of programs on this machine, behind which there
/// are others that do what they are told.
const NETWORK: [u64; 3] = [2, 10, 16];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Confines this thread. False: nothing is known of the calls of this processor.
pub(super) fn enter(network: bool) -> Result<bool, String> {
    let Ok(processor) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(false) };
    for filter in filters(network, processor).map_err(|error| format!("seccomp: {error}"))? {
        seccompiler::apply_filter(&filter).map_err(|error| format!("seccomp: {error}"))?;
    }
    Ok(true)
}

fn filters(network: bool, processor: TargetArch) -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let errno = |number: i32| SeccompAction::Errno(number.unsigned_abs());
    let whole = |calls: &[c_long]| calls.iter().map(|call| (*call, Vec::new())).collect::<Rules>();
    let known: Vec<c_long> = KNOWN.into_iter().flatten().filter(|call| !ABSENT.contains(call)).collect();
    let mut refused = whole(REFUSED);
    for (call, rule) in conditions(network)? {
        refused.entry(call).or_default().extend(rule);
    }
    let allow = SeccompAction::Allow;
    [
        (whole(&known), errno(libc::ENOSYS), allow.clone()),
        (refused, allow.clone(), errno(libc::EPERM)),
        (whole(&ATTRIBUTES), allow, errno(libc::EOPNOTSUPP)),
    ]
    .into_iter()
    .map(|(rules, otherwise, then)| SeccompFilter::new(rules, otherwise, then, processor)?.try_into())
    .collect()
}

/// What is refused by its arguments. A call without a rule is refused as a whole.
fn conditions(network: bool) -> Result<Vec<(c_long, Option<SeccompRule>)>, seccompiler::BackendError> {
    let mut rules = Vec::new();
    let mut refuse = |call: c_long, when: &[(u8, SeccompCmpOp, u64)]| -> Result<(), seccompiler::BackendError> {
        let one = |(at, how, value): &(u8, SeccompCmpOp, u64)| SeccompCondition::new(*at, Dword, how.clone(), *value);
        let conditions = when.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        rules.push((call, if conditions.is_empty() { None } else { Some(SeccompRule::new(conditions)?) }));
        Ok(())
    };
    // Limits of others; one's own are those of process 0.
    refuse(libc::SYS_prlimit64, &[(0, Ne, 0)])?;
    for call in TURNS {
        refuse(call, &[(0, Ne, 0)])?;
    }
    const ONE_PROCESS: [(c_long, u64); 2] = [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)];
    for (call, kind) in ONE_PROCESS {
        refuse(call, &[(0, Ne, kind)])?;
        refuse(call, &[(1, Ne, 0)])?;
    }
    for bit in (0..31).map(|bit| 1u64 << bit).filter(|bit| NAMESPACES as u64 & bit != 0) {
        refuse(libc::SYS_clone, &[(0, MaskedEq(bit), bit)])?;
    }
    // A thread whose open files are others than those of its process: nobody would count them.
    let (thread, files) = (libc::CLONE_THREAD as u64, libc::CLONE_FILES as u64);
    refuse(libc::SYS_clone, &[(0, MaskedEq(thread), thread), (0, MaskedEq(files), 0)])?;
    for (call, mode) in MODES {
        refuse(*call, &[(*mode, MaskedEq(MUST), 0)])?;
        for bit in MUST_NOT {
            refuse(*call, &[(*mode, MaskedEq(bit), bit)])?;
        }
    }
    for (call, mode, flags) in MAKES {
        for bit in RUNS_AS {
            let mode = (*mode, MaskedEq(bit), bit);
            match flags {
                None => refuse(*call, &[mode])?,
                Some(flags) => {
                    for making in MAKING {
                        refuse(*call, &[mode.clone(), (*flags, MaskedEq(making), making)])?;
                    }
                }
            }
        }
    }
    for (letter, asking) in OF_FILES {
        let not = asking.iter().map(|request| (1, Ne, *request));
        let of = std::iter::once((1, MaskedEq(0xff00), letter << 8)).chain(not);
        refuse(libc::SYS_ioctl, &of.collect::<Vec<_>>())?;
    }
    for request in TYPING {
        refuse(libc::SYS_ioctl, &[(1, Eq, request)])?;
    }
    for command in OF_OTHERS {
        refuse(libc::SYS_fcntl, &[(1, Eq, command)])?;
    }
    refuse(libc::SYS_fcntl, &[(1, Ge, NOT_LOOKED_AT)])?;
    for option in HOLD_MORE {
        refuse(libc::SYS_setsockopt, &[(1, Eq, libc::SOL_SOCKET as u64), (2, Eq, option)])?;
    }
    refuse(libc::SYS_socketpair, &[(0, Ne, libc::AF_UNIX as u64)])?;
    for kind in (0..=KIND).filter(|kind| !PAIRED.contains(kind)) {
        refuse(libc::SYS_socketpair, &[(1, MaskedEq(KIND), kind)])?;
    }
    if network {
        refuse(libc::SYS_socket, &NETWORK.map(|family| (0, Ne, family)))?;
        // Of the kernel's own sockets those that tell of interfaces; by others programs talk to each other.
        refuse(libc::SYS_socket, &[(0, Eq, libc::AF_NETLINK as u64), (2, Ne, 0)])?;
    } else {
        refuse(libc::SYS_socket, &[])?;
        for call in NAMING {
            refuse(call, &[])?;
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_refused_is_known_and_one_without_rules_is_refused_as_a_whole() {
        let known = |call: &c_long| KNOWN.iter().any(|numbers| numbers.contains(call));
        assert!(REFUSED.iter().chain(&ATTRIBUTES).chain(ABSENT).all(known));
        for network in [false, true] {
            let with: Vec<c_long> = conditions(network).unwrap().into_iter().map(|(call, _)| call).collect();
            assert!(with.iter().all(|call| known(call) && !REFUSED.contains(call)));
            let filters = filters(network, std::env::consts::ARCH.try_into().unwrap()).unwrap();
            assert!(filters.len() == 3 && filters.iter().all(|filter| filter.len() < 4096));
        }
        // What came after the last of them is nobody's: attributes and modes by other names.
        assert!([463, 466, 467, 469, 1 << 30].iter().all(|call| !known(call)));
    }
}
