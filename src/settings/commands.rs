//! What the command tools may run, and within what.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convert;
use crate::definition::{ByteSize, Period};

/// What the command tools may run, and within what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Let tools run commands and end processes at all. Default: true on stdio, false over HTTP.
    pub enabled: Option<bool>,
    /// What may be run; when given, all else is refused. A rule is a program (`cargo`), or a program and its first arguments
    /// (`git status`); `*` stands for anything in a word. Default: none.
    pub allow: Vec<String>,
    /// What is refused even if allowed: a program (`sudo`), or a program with arguments wherever they stand (`git push`). It is looked for
    /// also in what other programs are told to run. Default: programs that change rights, mount, or end the machine.
    pub deny: Vec<String>,
    /// Folders in which commands run, and which they may change, but for `files.read_only_roots` inside of them. A client that says where it works (MCP roots) narrows them.
    /// Default: on stdio the client's folders, else the working folder, unless it is `/` or the home folder; none over HTTP.
    pub roots: Vec<PathBuf>,
    /// Further folders that commands may read and run programs from, beside those of the system, such as `~/.rustup`. One inside of
    /// `roots` stays as it is where the system lets that be kept (root, with the right to mount); else no command runs. Default: none.
    pub read_only_roots: Vec<PathBuf>,
    /// Further environment variables that commands see. Default: none but `PATH`, `LANG`, `LC_ALL` and `TZ`; `HOME` and
    /// `TMPDIR` are an empty folder of the command's own, and pagers are off.
    pub environment: Vec<String>,
    /// Let commands reach the network: internet addresses, those of this machine among them.
    pub network: bool,
    /// Run commands also where the kernel cannot keep them in their folders.
    pub unconfined: bool,
    /// Longest run of a command that is waited for.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Longest run of a command in the background.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub background_timeout: Period,
    /// Most bytes of output that are kept: its head and its tail.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_output: ByteSize,
    /// Most processes of one command at once; one with more is ended.
    pub max_processes: usize,
    /// Most memory of one command, all its processes together; one with more is ended.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_memory: ByteSize,
    /// Largest file that a command may write.
    #[serde(deserialize_with = "convert::size")]
    #[schemars(schema_with = "convert::size_schema")]
    pub max_file: ByteSize,
    /// Most commands of a caller at once, those in the background and those that are waited for together.
    pub max_running: usize,
}

/// Programs that change rights, mount, or end the machine: confined, they can only fail.
const DENIED: [&str; 28] = [
    "sudo",
    "su",
    "doas",
    "pkexec",
    "runuser",
    "sg",
    "newgrp",
    "machinectl",
    "systemctl",
    "systemd-run",
    "shutdown",
    "reboot",
    "halt",
    "poweroff",
    "telinit",
    "mount",
    "umount",
    "chroot",
    "nsenter",
    "unshare",
    "insmod",
    "modprobe",
    "rmmod",
    "kexec",
    "mkfs*",
    "fdisk",
    "at",
    "crontab",
];

impl Default for Commands {
    fn default() -> Self {
        Self {
            enabled: None,
            allow: Vec::new(),
            deny: DENIED.map(str::to_owned).into(),
            roots: Vec::new(),
            read_only_roots: Vec::new(),
            environment: Vec::new(),
            network: false,
            unconfined: false,
            timeout: Period::from_secs(60),
            background_timeout: Period::from_secs(3600),
            max_output: ByteSize(64 << 10),
            max_processes: 256,
            max_memory: ByteSize(4 << 30),
            max_file: ByteSize(1 << 30),
            max_running: 8,
        }
    }
}
