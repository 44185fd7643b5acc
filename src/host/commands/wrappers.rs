//! Programs that run other programs, as data: where in their arguments the other one stands.

/// How the program inside is found.
pub(super) enum Inner {
    /// Behind the options, `skip` words and assignments: `env A=b PROGRAM`, `timeout 5 PROGRAM`.
    Rest { values: &'static str, long: &'static [&'static str], skip: usize },
    /// The same where words may stand before it that are often left out: `setarch i686 PROGRAM`.
    Perhaps { skip: usize },
    /// Behind the options, with words that it reads behind them or in their place: `xargs PROGRAM`.
    Reads { values: &'static str, long: &'static [&'static str] },
    /// A text for a shell behind one of these options: `script -c TEXT`. Without it, the words behind `skip` others.
    Text { options: &'static [&'static str], skip: Option<usize> },
    /// All words together are a text for a shell: `watch a b`.
    Joined { values: &'static str },
    /// Behind one of these words, up to `;` or `+`: `find -exec`.
    Behind { words: &'static [&'static str] },
}

/// A program and what it does with its arguments. One program may have several rows.
pub(super) struct Wrapper {
    pub names: &'static [&'static str],
    pub inner: Inner,
}

const fn rest(names: &'static [&'static str], values: &'static str, skip: usize) -> Wrapper {
    Wrapper { names, inner: Inner::Rest { values, long: &[], skip } }
}

const fn long(
    names: &'static [&'static str],
    values: &'static str,
    long: &'static [&'static str],
    skip: usize,
) -> Wrapper {
    Wrapper { names, inner: Inner::Rest { values, long, skip } }
}

const fn text(names: &'static [&'static str], options: &'static [&'static str], skip: Option<usize>) -> Wrapper {
    Wrapper { names, inner: Inner::Text { options, skip } }
}

/// `values`: the short options that take the next word; [`OTHERS`] among them: there are more.
pub(super) const WRAPPERS: [Wrapper; 55] = [
    long(&["env"], "uCa", &["--unset", "--chdir", "--argv0"], 0),
    long(
        &["sudo"],
        "ugpCDhRrTtU",
        &[
            "--user",
            "--group",
            "--prompt",
            "--close-from",
            "--chdir",
            "--host",
            "--role",
            "--type",
            "--other-user",
            "--command-timeout",
            "--chroot",
        ],
        0,
    ),
    rest(&["doas"], "uC", 0),
    rest(
        &[
            "nohup",
            "setsid",
            "command",
            "builtin",
            "catchsegv",
            "unbuffer",
            "eatmydata",
            "valgrind",
            "chronic",
            "ifne",
            "nocache",
        ],
        "",
        0,
    ),
    long(&["fakeroot"], "lsib", &["--lib", "--faked"], 0),
    long(&["pkexec"], "", &["--user"], 0),
    rest(
        &[
            "setpriv",
            "heaptrack",
            "torsocks",
            "proxychains",
            "proxychains4",
            "firejail",
            "bwrap",
            "tini",
            "dumb-init",
            "numactl",
            "systemd-inhibit",
            "dbus-launch",
            "chpst",
            "softlimit",
            "cgexec",
            "sotruss",
            "memusage",
            "npx",
        ],
        "?",
        0,
    ),
    rest(&["exec"], "a", 0),
    rest(&["gosu", "su-exec", "setuidgid", "envdir", "setlock", "logsave"], "", 1),
    rest(&["perf", "rr", "gdbserver", "hyperfine", "entr"], "eo?", 1),
    rest(&["gdb", "lldb"], "", 0),
    long(&["nice"], "n", &["--adjustment"], 0),
    long(&["ionice"], "cnpPu", &["--class", "--classdata", "--pid", "--pgid", "--uid"], 0),
    long(&["chrt"], "TPDp", &["--sched-runtime", "--sched-period", "--sched-deadline", "--pid"], 1),
    rest(&["taskset"], "", 1),
    long(&["timeout"], "ks", &["--kill-after", "--signal"], 1),
    long(&["time"], "fo", &["--format", "--output"], 0),
    long(&["stdbuf"], "ioe", &["--input", "--output", "--error"], 0),
    rest(&["busybox", "toybox"], "", 0),
    rest(&["strace"], "abeEIoOpPsSuUX", 0),
    rest(&["ltrace"], "aADeFlnopsuwx", 0),
    rest(&["xvfb-run"], "aefnps", 0),
    rest(&["faketime"], "f", 1),
    rest(&["setarch", "linux32", "linux64", "i386", "x86_64"], "", 0),
    Wrapper { names: &["setarch", "chrt"], inner: Inner::Perhaps { skip: 1 } },
    Wrapper { names: &["chrt"], inner: Inner::Perhaps { skip: 0 } },
    rest(&["prlimit"], "", 0),
    rest(&["unshare", "nsenter", "systemd-run", "dbus-run-session", "ssh-agent"], "utSGrw?", 0),
    rest(&["chroot"], "", 1),
    Wrapper {
        names: &["xargs"],
        inner: Inner::Reads {
            values: "aEILnPsdJR",
            long: &[
                "--arg-file",
                "--delimiter",
                "--max-args",
                "--max-procs",
                "--max-chars",
                "--max-lines",
                "--process-slot-var",
            ],
        },
    },
    Wrapper { names: &["parallel"], inner: Inner::Reads { values: "jPnNLaIS", long: &["--jobs", "--arg-file"] } },
    rest(&["ld.so"], "", 0),
    rest(&["cpulimit"], "lpe", 0),
    Wrapper { names: &["watch"], inner: Inner::Joined { values: "nqs" } },
    text(&["script"], &["-c", "--command"], None),
    text(&["su", "runuser", "sg"], &["-c", "--command"], None),
    Wrapper {
        names: &["flock"],
        inner: Inner::Rest { values: "wE", long: &["--timeout", "--wait", "--conflict-exit-code"], skip: 1 },
    },
    text(&["flock"], &["-c", "--command"], None),
    text(&["npm", "npx", "pnpm", "yarn"], &["-c", "--call", "--shell-mode"], None),
    text(&["split"], &["--filter"], None),
    text(&["mapfile", "readarray", "compgen", "complete"], &["-C"], None),
    text(&["bind", "fc"], &["-x", "-e"], None),
    Wrapper {
        names: &["find", "fd", "fdfind"],
        inner: Inner::Behind { words: &["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"] },
    },
    text(
        &["tar", "bsdtar"],
        &[
            "--to-command",
            "--use-compress-program",
            "-I",
            "--rsh-command",
            "-F",
            "--info-script",
            "--new-volume-script",
            "--checkpoint-action",
        ],
        None,
    ),
    text(&["rsync"], &["-e", "--rsh"], None),
    text(&["dpkg"], &["--pre-invoke", "--post-invoke", "--status-logger"], None),
    text(&["scp", "sftp"], &["-S", "-D"], None),
    text(&["prove"], &["-e", "--exec"], None),
    text(&["dpkg-architecture"], &["-c", "--command"], None),
    text(&["tcpdump"], &["-z"], None),
    text(&["install"], &["--strip-program"], None),
    text(&["go"], &["-exec", "-toolexec"], None),
    text(&["man"], &["-P", "--pager", "-H", "--html"], None),
    text(
        &["git"],
        &[
            "--upload-pack",
            "--receive-pack",
            "--exec",
            "-x",
            "--extcmd",
            "foreach",
            "--open-files-in-pager",
            "-O",
            "--setup",
            "--env-filter",
            "--tree-filter",
            "--index-filter",
            "--parent-filter",
            "--msg-filter",
            "--commit-filter",
            "--tag-name-filter",
            "--sendmail-cmd",
            "--to-cmd",
            "--cc-cmd",
        ],
        None,
    ),
    text(&["sort", "zip", "parallel"], &["--compress-program", "-TT", "--unzip-command"], None),
];

/// Stands among the short options of a program whose others may take the next word too.
pub(super) const OTHERS: char = '?';

/// Long options that take no word, whichever wrapper has them, unless they stand among those of it that do.
pub(super) const FLAGS: [&str; 24] = [
    "--foreground",
    "--preserve-status",
    "--verbose",
    "--quiet",
    "--ignore-environment",
    "--ignore",
    "--null",
    "--debug",
    "--help",
    "--version",
    "--portability",
    "--append",
    "--fork",
    "--ctty",
    "--no-run-if-empty",
    "--interactive",
    "--exit",
    "--open-tty",
    "--preserve-env",
    "--non-interactive",
    "--nonblock",
    "--shared",
    "--exclusive",
    "--yes",
];

/// Programs that are shells.
pub(super) const SHELLS: [&str; 10] =
    ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "rbash", "fish", "busybox-sh"];

/// Settings of git that are commands, `*` for anything.
pub(super) const GIT: [&str; 33] = [
    "tar.*.command",
    "gpg.*.defaultkeycommand",
    "core.pager",
    "core.editor",
    "core.sshcommand",
    "core.fsmonitor",
    "core.gitproxy",
    "core.askpass",
    "sequence.editor",
    "credential*.helper",
    "diff.external",
    "pager.*",
    "alias.*",
    "gpg*.program",
    "filter.*",
    "diff.*.command",
    "diff.*.textconv",
    "*tool.*.cmd",
    "merge.*.driver",
    "protocol.*",
    "trailer.*.command",
    "trailer.*.cmd",
    "man.*.cmd",
    "man.*.path",
    "browser.*.cmd",
    "browser.*.path",
    "core.alternaterefscommand",
    "uploadpack.packobjectshook",
    "remote.*.uploadpack",
    "remote.*.receivepack",
    "submodule.*.update",
    "sendemail.*cmd",
    "interactive.difffilter",
];

/// Options of ssh that are commands.
pub(super) const SSH: [&str; 3] = ["proxycommand", "localcommand", "knownhostscommand"];

/// What a shell does itself, and which no rule of a program is about.
pub(super) const BUILT_IN: [&str; 25] = [
    ":", "[", "[[", "break", "cd", "continue", "echo", "exec", "exit", "export", "false", "local", "printf", "pwd",
    "read", "return", "set", "shift", "test", "times", "true", "type", "ulimit", "umask", "wait",
];

/// What a shell does itself by reading its words as names or numbers, in which it runs what stands between `$(` and `)`.
pub(super) const EVALUATES: [&str; 16] = [
    "[",
    "test",
    "read",
    "declare",
    "typeset",
    "local",
    "readonly",
    "export",
    "unset",
    "let",
    "getopts",
    "mapfile",
    "readarray",
    "wait",
    "compgen",
    "complete",
];

/// What a shell does itself by setting variables whose names it is given.
pub(super) const SETS: [&str; 10] =
    ["read", "mapfile", "readarray", "getopts", "printf", "declare", "typeset", "local", "wait", "coproc"];

/// Short options that may stand behind others in one word, and have a command as their value.
pub(super) const CLUSTERED: [&str; 9] = ["-c", "-e", "-S", "-I", "-F", "-o", "-C", "-x", "-f"];

/// Variables by which a name is another program than it was, or another one is run before it.
pub(super) const TURNS: [&str; 18] = [
    "BASH_CMDS",
    "BASH_ALIASES",
    "MAKEFILES",
    "PATH",
    "BASH_ENV",
    "ENV",
    "IFS",
    "GIT_EXEC_PATH",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "SHELLOPTS",
    "BASHOPTS",
    "FPATH",
    "ZDOTDIR",
    "TAR_OPTIONS",
];

/// Variables whose value is a command of another program.
pub(super) const VALUES_RUN: [&str; 28] = [
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "GIT_PAGER",
    "GIT_EXTERNAL_DIFF",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "SSH_ASKPASS",
    "PAGER",
    "MANPAGER",
    "EDITOR",
    "VISUAL",
    "FCEDIT",
    "LESSOPEN",
    "LESSCLOSE",
    "RSYNC_RSH",
    "BROWSER",
    "SUDO_ASKPASS",
    "PSQL_PAGER",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "SVN_SSH",
    "SVN_EDITOR",
    "HGEDITOR",
    "GIT_DIFFTOOL_EXTCMD",
    "SYSTEMD_PAGER",
    "CVS_RSH",
];
