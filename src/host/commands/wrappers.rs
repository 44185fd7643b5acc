//! Programs that run other programs, as data: where in their arguments the other one stands.

/// How the program inside is found.
pub(super) enum Inner {
    /// Behind the options, `skip` words and assignments: `env A=b PROGRAM`, `timeout 5 PROGRAM`.
    Rest { values: &'static str, long: &'static [&'static str], skip: usize },
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

const fn text(names: &'static [&'static str], options: &'static [&'static str], skip: Option<usize>) -> Wrapper {
    Wrapper { names, inner: Inner::Text { options, skip } }
}

/// `values`: the short options that take the next word.
pub(super) const WRAPPERS: [Wrapper; 31] = [
    Wrapper { names: &["env"], inner: Inner::Rest { values: "uC", long: &["--unset", "--chdir"], skip: 0 } },
    rest(&["sudo"], "ugpCDhRrTtU", 0),
    rest(&["doas"], "uC", 0),
    rest(
        &["nohup", "setsid", "command", "builtin", "exec", "catchsegv", "unbuffer", "eatmydata", "fakeroot", "pkexec"],
        "",
        0,
    ),
    rest(&["nice"], "n", 0),
    rest(&["ionice"], "cnpPu", 0),
    rest(&["chrt"], "TPDp", 1),
    rest(&["taskset"], "", 1),
    rest(&["timeout"], "ks", 1),
    rest(&["time"], "fo", 0),
    rest(&["stdbuf"], "ioe", 0),
    rest(&["busybox", "toybox"], "", 0),
    rest(&["strace", "ltrace"], "acDeEIopPsSuUX", 0),
    rest(&["xvfb-run"], "aefnps", 0),
    rest(&["faketime"], "f", 1),
    rest(&["setarch", "linux32", "linux64", "i386", "x86_64"], "", 0),
    rest(&["prlimit"], "", 0),
    rest(&["unshare", "nsenter", "systemd-run", "dbus-run-session", "ssh-agent"], "utSGrw", 0),
    rest(&["chroot"], "", 1),
    rest(&["xargs"], "aEILnPsd", 0),
    rest(&["ld.so"], "", 0),
    rest(&["cpulimit"], "lpe", 0),
    Wrapper { names: &["watch"], inner: Inner::Joined { values: "n" } },
    text(&["script"], &["-c", "--command"], None),
    text(&["su", "runuser", "sg"], &["-c", "--command"], None),
    text(&["flock"], &["-c", "--command"], Some(1)),
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
    text(
        &["git"],
        &["--upload-pack", "--receive-pack", "--exec", "-x", "--extcmd", "foreach", "--open-files-in-pager"],
        None,
    ),
    text(&["sort", "zip", "parallel"], &["--compress-program", "-TT", "--unzip-command"], None),
];

/// Programs that are shells.
pub(super) const SHELLS: [&str; 10] =
    ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "rbash", "fish", "busybox-sh"];

/// Settings of git that are commands, `*` for anything.
pub(super) const GIT: [&str; 17] = [
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
];

/// Options of ssh that are commands.
pub(super) const SSH: [&str; 3] = ["proxycommand", "localcommand", "knownhostscommand"];

/// What a shell does itself, and which no rule of a program is about.
pub(super) const BUILT_IN: [&str; 23] = [
    ":", "[", "break", "cd", "continue", "echo", "exit", "export", "false", "local", "printf", "pwd", "read", "return",
    "set", "shift", "test", "times", "true", "type", "ulimit", "umask", "wait",
];
