//! What a command takes at most, and that nothing of it is left: bombs, floods, daemons, those that ignore being asked.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tfo_mcp::{
    definition::{ByteSize, LogLevel, Period},
    engine::{Abilities, Asked, Call, CallError, Client, Question},
};

use super::{Room, confined, mark, running};
use crate::support::eventually::eventually;

/// Generous: what is not bounded takes far longer.
const BOUND: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_command_answers_with_its_code_and_its_output_in_order() {
    let room = Room::new();
    room.put("file", "x");
    let text = room.shell("echo one; echo two >&2; echo three; pwd; exit 3").await;
    let at = text.find("one\ntwo\nthree\n").unwrap_or_else(|| panic!("{text}"));
    assert!(text.starts_with("exit code 3 after ") && text[at..].contains("/root\n"), "{text}");
    assert!(text.contains(&confined()) && text.contains("without network"), "{text}");
    let text = room.call("execute_command", json!({"command": "ls -1"})).await.unwrap();
    assert!(text.starts_with("exit code 0") && text.contains("\n\nfile\n"), "{text}");
    let text = room.call("execute_command", json!({"command": "true"})).await.unwrap();
    assert!(text.contains("\n\nno output\n"), "{text}");
    let text = room.shell("kill -9 $$").await;
    assert!(text.starts_with("ended by signal 9 after"), "{text}");
    let text = room.shell("printf 'a\\033[31mred\\033[0m\\tb\\n10%%\\r100%%\\n\\377'").await;
    assert!(text.contains("ared\tb\n100%\n\u{fffd}"), "{text}");
}

#[tokio::test]
async fn the_caller_writes_arguments_and_no_line_for_a_shell() {
    let room = Room::new();
    let arguments = ["a b", "$HOME", "`id`", ";", "*", "-n", "ä\n'\"", ""];
    let words = [["[%s]"].as_slice(), &arguments].concat();
    let text = room.call("execute_command", json!({"command": "printf", "args": words}));
    let text = text.await.unwrap();
    let shown: String = arguments.iter().map(|argument| format!("[{argument}]")).collect();
    assert!(text.contains(&shown), "{text}");
    for line in ["ls | wc", "echo $HOME", "a && b", "echo 'open", "ls *"] {
        let error = room.error("execute_command", json!({"command": line})).await;
        assert!(
            error.contains("`command` is a program and no line for a shell") && error.contains("`args`"),
            "{error}"
        );
    }
    let error = room.error("execute_command", json!({"command": "no-such-program-4711"})).await;
    assert!(error.contains("there is no program `no-such-program-4711`"), "{error}");
    // A shell is the author's decision: a caller who says so is told that there is no such argument.
    let error = room.error("execute_command", json!({"command": "echo hi", "shell": true})).await;
    assert!(error.contains("shell"), "{error}");
}

#[tokio::test]
async fn a_command_sees_what_was_let_in_and_nothing_else() {
    let room = Room::with(|commands| commands.environment = vec!["CARGO_MANIFEST_DIR".to_owned()]);
    let text = room.call("execute_command", json!({"command": "env"})).await.unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = [
        "CARGO_MANIFEST_DIR",
        "GIT_PAGER",
        "GIT_TERMINAL_PROMPT",
        "HOME",
        "LANG",
        "LC_ALL",
        "PAGER",
        "PATH",
        "PWD",
        "TERM",
        "TMPDIR",
        "TZ",
    ];
    assert!(names.contains(&"CARGO_MANIFEST_DIR") && names.contains(&"PATH"), "{text}");
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
    // A home of its own, which is gone afterwards; an input that is at its end; no files of the server.
    let text = room.shell("touch $HOME/x $TMPDIR/y && cat && ls /proc/self/fd | tr '\\n' ' ' && echo :$HOME:").await;
    let home = text.split(':').find(|part| part.starts_with('/')).unwrap_or_else(|| panic!("{text}"));
    assert!(text.contains("0 1 2 3 :") && !std::path::Path::new(home).exists(), "{text}");
    let text = room.shell("grep -E 'NoNewPrivs|Seccomp:|^Cap' /proc/self/status; ulimit -c").await;
    assert!(text.contains("NoNewPrivs:\t1") && text.contains("Seccomp:\t2") && text.contains("\n0\n"), "{text}");
    // None of root's powers, and none that could come back.
    let rights: Vec<&str> = text.lines().filter(|line| line.starts_with("Cap")).collect();
    let is_root = rustix::process::geteuid().is_root();
    let none = |line: &&str| line.ends_with("\t0000000000000000") || line.starts_with("CapBnd") && !is_root;
    assert!(rights.len() == 5 && rights.iter().all(none), "{text}");
}

#[tokio::test]
async fn a_working_folder_is_inside() {
    let room = Room::new();
    std::fs::create_dir_all(room.root().join("a/b")).unwrap();
    std::os::unix::fs::symlink(room.outside(), room.root().join("leads-out")).unwrap();
    for (folder, end) in [("a/b", "root/a/b"), ("./a/../a", "root/a"), (".", "root")] {
        let text = room.call("execute_command", json!({"command": "pwd", "working_dir": folder})).await.unwrap();
        assert!(text.lines().any(|line| line.ends_with(end)), "{folder}: {text}");
    }
    let outside = room.outside().display().to_string();
    for folder in ["..", "leads-out", "/", "/etc", "/no/such", "a/../../outside", &outside, "../no-such"] {
        let error = room.error("execute_command", json!({"command": "pwd", "working_dir": folder})).await;
        assert!(error.contains("leads outside of the folders of commands"), "{folder}: {error}");
    }
    let error = room.error("execute_command", json!({"command": "pwd", "working_dir": "none"})).await;
    assert!(error.contains("`working_dir` `none` cannot be used"), "{error}");
}

#[tokio::test]
async fn a_fork_bomb_is_ended_when_it_has_too_many_processes() {
    let room = Room::with(|commands| commands.max_processes = 48);
    let mark = mark();
    // Bounded by itself, so that a failure of the test is none of the machine: at most 2^10 processes, for half a minute.
    let bomb = format!(
        "f() {{ [ $1 -lt 10 ] || exec sleep {mark}; sh \"$0\" $(($1 + 1)) & sh \"$0\" $(($1 + 1)) & wait; }}; f ${{1:-0}}"
    );
    room.put("bomb.sh", bomb);
    let answer = room.answer("execute_command", json!({"command": "sh", "args": ["bomb.sh"]})).await.unwrap();
    let text = answer.text();
    assert!(answer.is_error && text.contains("it had more than 48 processes at once"), "{text}");
    assert_eq!(running(&mark), [] as [i32; 0]);
    assert_eq!(running(&room.root().display().to_string()), [] as [i32; 0]);
    // Each in a session of its own, its parents gone at once.
    room.put("bomb.sh", format!("[ $1 -lt 300 ] || exit; setsid sleep {mark} & setsid sh \"$0\" $(($1 + 1)) &"));
    let answer = room.answer("execute_command", json!({"command": "sh", "args": ["bomb.sh", "0"]})).await.unwrap();
    // The first of them ends by itself, and then everything does; else they are too many before that.
    assert!(answer.text().contains("exit code 0") || answer.is_error, "{}", answer.text());
    assert_eq!(running(&mark), [] as [i32; 0]);
}

#[tokio::test]
async fn whoever_ignores_being_asked_is_killed_with_all_that_it_started() {
    let room = Room::new();
    let mark = mark();
    let text = format!("trap '' TERM INT HUP; (trap '' TERM; setsid sleep {mark}) & sleep {mark}; sleep {mark}");
    room.put("stubborn.sh", text);
    let begun = Instant::now();
    let arguments = json!({"command": "sh", "args": ["stubborn.sh"], "timeout": 0.5});
    let answer = room.answer("execute_command", arguments).await.unwrap();
    assert!(answer.is_error && answer.text().contains("ended from here after"), "{}", answer.text());
    assert!(answer.text().contains("which was its time (500 ms)"), "{}", answer.text());
    assert!(begun.elapsed() < BOUND);
    assert_eq!(running(&mark), [] as [i32; 0]);
}

#[tokio::test]
async fn whoever_goes_away_from_its_parents_is_found() {
    let room = Room::new();
    let mark = mark();
    // Twice forked, a session of its own, all its files closed: a daemon as it is in the book.
    room.put(
        "daemon.sh",
        format!("(setsid sh -c 'exec >/dev/null 2>&1 </dev/null; (sleep {mark} &) ; sleep {mark}' &) ; echo up\n"),
    );
    let text = room.call("execute_command", json!({"command": "sh", "args": ["daemon.sh"]})).await.unwrap();
    assert!(text.starts_with("exit code 0") && text.contains("\nup\n"), "{text}");
    assert!(text.contains("that it had started"), "{text}");
    assert_eq!(running(&mark), [] as [i32; 0]);
}

#[tokio::test]
async fn a_flood_of_output_is_kept_at_its_head_and_tail() {
    let room = Room::with(|commands| commands.max_output = ByteSize(4096));
    let text = room.shell("echo the head; seq 1 300000; echo the tail").await;
    assert!(text.contains("\nthe head\n1\n2\n") && text.contains("\n300000\nthe tail\n"), "{text}");
    assert!(text.len() < 5500 && text.contains("bytes are left out here"), "{}", text.len());
    assert!(text.contains("it wrote 1988913 bytes") && text.contains("`commands.max_output`"), "{text}");
    // One line without an end, which never ends.
    let answer = room.answer("execute_command", json!({"command": "yes", "timeout": 1})).await.unwrap();
    assert!(answer.is_error && answer.text().len() < 5500, "{}", answer.text().len());
    let answer =
        room.answer("execute_command", json!({"command": "cat", "args": ["/dev/zero"], "timeout": 1})).await.unwrap();
    assert!(answer.is_error && answer.text().len() < 5500, "{}", answer.text().len());
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn ten_gigabytes_of_output_are_read_and_not_held() {
    let room = Room::new();
    let arguments = json!({"command": "head", "args": ["-c", "10000000000", "/dev/zero"]});
    let text = room.call("execute_command", arguments).await.unwrap();
    // To its end, or to its deadline on a slow machine; in both cases it is told how much it was.
    assert!(text.contains("bytes are left out here"), "{}", &text[..200]);
    assert!(text.contains("it wrote 10000000000 bytes") || text.contains("which was its time"), "{}", text.len());
}

#[tokio::test]
async fn memory_and_files_have_an_end() {
    let room = Room::with(|commands| {
        commands.max_memory = ByteSize(64 << 20);
        commands.max_file = ByteSize(1 << 20);
    });
    // One process by its own limit, several together by the keeper.
    let text = room.shell("head -c 200M /dev/zero | tail -c 190M | wc -c").await;
    assert!(!text.contains("199229440") || text.contains("max_memory"), "{text}");
    let one = "x=$(head -c 20M /dev/zero | tr '\\0' a); sleep 20; echo ${#x}";
    let answer = room.answer(
        "execute_command",
        json!({"command": "sh", "args": ["-c", format!("({one}) & ({one}) & ({one}) & ({one}) & wait")]}),
    );
    let answer = answer.await.unwrap();
    assert!(answer.is_error && answer.text().contains("it held more memory than it may"), "{}", answer.text());
    let text = room.shell("head -c 5M /dev/zero > big; wc -c < big").await;
    assert!(text.contains("\n1048576\n"), "{text}");
}

#[tokio::test]
async fn a_command_line_may_be_long_and_not_too_long() {
    let room = Room::new();
    let words = [vec!["%s".to_owned()], vec!["x".repeat(1000); 1000]].concat();
    let text = room.call("execute_command", json!({"command": "printf", "args": words}));
    let text = text.await.unwrap();
    assert!(text.starts_with("exit code 0") && text.contains("it wrote 1000000 bytes"), "{}", &text[..100]);
    for words in [vec!["x".repeat(200_000)], vec!["x".repeat(1000); 2000]] {
        let error = room.error("execute_command", json!({"command": "printf", "args": words})).await;
        assert!(error.contains("the command line has 200") && error.contains("bytes"), "{error}");
    }
    let error = room.error("execute_command", json!({"command": "echo", "args": ["a\u{0}b"]})).await;
    assert!(error.contains("zero byte"), "{error}");
}

#[tokio::test]
async fn as_many_run_at_once_as_may() {
    let room = Room::with(|commands| commands.max_running = 2);
    let start = async || room.call("execute_command", json!({"command": "sleep 30", "background": true})).await;
    start().await.unwrap();
    start().await.unwrap();
    let error = start().await.unwrap_err();
    assert!(error.contains("2 commands run") && error.contains("`commands.max_running`"), "{error}");
    room.engine.close().await;
}

/// A client that notes what it is told.
#[derive(Default)]
pub(super) struct Notes(pub(super) Mutex<String>);

#[async_trait::async_trait]
impl Client for Notes {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn log(&self, _: LogLevel, _: &str, _: Value) {}

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let message = message.unwrap_or_default();
        writeln!(self.0.lock().unwrap(), "{} of {total:?}: {message}", progress > 0.0).unwrap();
    }

    async fn ask(&self, _: &indexmap::IndexMap<String, Question>) -> Result<Asked, CallError> {
        panic!("nobody asks")
    }
}

#[tokio::test]
async fn what_it_says_is_told_on_the_way_and_a_cancelled_call_ends_it() {
    let room = Room::with(|commands| commands.timeout = Period::from_secs(25));
    let mark = mark();
    let client = Arc::new(Notes::default());
    let call = Call { client: client.clone(), ..Call::default() };
    room.put("talks.sh", format!("(setsid sleep {mark} &); while :; do echo line of it; sleep 0.2; done"));
    let run = room.answer_to("execute_command", json!({"command": "sh", "args": ["talks.sh"]}), &call);
    let look = async {
        let told = async || client.0.lock().unwrap().lines().filter(|line| line.ends_with(": line of it")).count() > 1;
        eventually("the output is told as progress", told).await;
        call.cancel.cancel();
    };
    let (answer, ()) = tokio::join!(run, look);
    let error = answer.unwrap_err();
    assert!(error.contains("cancelled"), "{error}");
    assert!(client.0.lock().unwrap().contains("true of Some(25.0): line of it"), "{:?}", client.0);
    eventually("everything that it started is gone", async || running(&mark).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn judging_a_line_takes_a_place_and_ends_with_its_call() {
    let room = Room::with(|commands| {
        commands.deny.push("rm".to_owned());
        commands.max_running = 1;
    });
    // As much work as one judgement may take.
    let long = json!({"command": "env", "args": vec!["env"; 5000], "timeout": 30});
    let both = tokio::join!(room.call("execute_command", long.clone()), room.call("execute_command", long));
    let errors = [both.0.unwrap_err(), both.1.unwrap_err()];
    assert!(errors.iter().any(|error| error.contains("`commands.max_running`")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("too much work")), "{errors:?}");
    // Whoever gives up at once leaves no work behind that keeps the place.
    let short = json!({"command": "env", "args": vec!["env"; 5000], "timeout": 0.1});
    room.error("execute_command", short).await;
    eventually("the place of a call that was given up is free", async || {
        room.call("execute_command", json!({"command": "true"})).await.is_ok()
    })
    .await;
}
