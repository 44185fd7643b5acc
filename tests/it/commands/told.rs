//! What answers say of a command that did not begin, ended otherwise than it seems, or is very long.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use tfo_mcp::definition::ByteSize;

use super::{Room, landlock, mark};

const PYTHON: &str = "/usr/bin/python3";

#[tokio::test]
async fn a_program_that_does_not_start_is_an_error_that_says_so() {
    let room = Room::new();
    let programs = [(room.root().join("no-reader"), "#!/no/such\n", "its first line")];
    let closed = (room.outside().join("closed"), "#!/bin/sh\necho ran\n", "`commands.read_only_roots`");
    for (path, text, why) in programs.into_iter().chain(landlock().map(|_| closed)) {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        for background in [false, true] {
            let arguments = json!({"command": path.display().to_string(), "background": background});
            let error = room.error("execute_command", arguments).await;
            assert!(error.contains("cannot be started") && error.contains(why), "{error}");
            assert!(!error.contains('{') && !error.contains("exit code"), "{error}");
        }
    }
    let none = room.call("list_sessions", json!({})).await.unwrap();
    assert!(none.starts_with("No command runs"), "{none}");
}

#[tokio::test]
async fn a_command_that_lets_itself_be_traced_goes_on() {
    let room = Room::new();
    let text = "import ctypes, os, signal, subprocess\nassert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0\n\
                subprocess.run(['true'])\nsignal.signal(signal.SIGUSR1, lambda *_: print('told', flush=True))\n\
                os.kill(os.getpid(), signal.SIGUSR1)\nprint('finished', flush=True)\n\
                ctypes.CDLL(None).ptrace(0, 0, 0, 0)\nos.execvp('sh', ['sh', '-c', 'echo and more; exit 3'])";
    let answer =
        room.call("execute_command", json!({"command": PYTHON, "args": ["-c", text], "timeout": 20})).await.unwrap();
    assert!(answer.starts_with("exit code 3") && answer.contains("\ntold\nfinished\nand more\n"), "{answer}");
}

#[tokio::test]
async fn what_is_not_given_is_no_word_of_a_command() {
    let tool = "kind: tool\nname: words\ntitle: T\ndescription: D\ncategory: system\ntoolsets: [system]\nparameters:\n  \
                v: { type: string, description: A }\n  w: { type: string, description: B }\nrun:\n  action: command.run\n  \
                argv: [printf, '<%s>', '{{ v }}', 'a', '--w={{ w }}']\n";
    let room = Room::offering(&[("definitions/tools/words.yaml", tool)], |_| {});
    for (arguments, words) in
        [(json!({}), "<a><--w=>"), (json!({"v": ""}), "<a><--w=>"), (json!({"v": "None"}), "<None><a><--w=>")]
    {
        let text = room.call("words", arguments.clone()).await.unwrap();
        assert!(text.contains(words), "{arguments}: {text}");
    }
}

#[tokio::test]
async fn what_was_ended_with_a_command_is_not_told_as_if_all_of_it_had_been_seen() {
    let room = Room::new();
    let text = "trap '' TERM; sleep 30 & sleep 30 & (trap '' TERM; sleep 30; sleep 30) & wait; wait";
    let answer = room.call("execute_command", json!({"command": "sh", "args": ["-c", text], "timeout": 1})).await;
    let answer = answer.unwrap_or_else(|error| error);
    assert!(answer.contains("at least ") && answer.contains("ended with it"), "{answer}");
}

#[tokio::test]
async fn threads_and_parts_of_the_kernel_are_told_as_what_they_are() {
    let room = Room::new();
    let (tell, told) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        let _ = ends.recv();
    });
    let error = room.error("kill_process", json!({"pid": told.recv().unwrap()})).await;
    assert!(error.contains("is no process but a thread of the process") && !error.contains("os error"), "{error}");
    drop(end);
    thread.join().unwrap();
    if std::fs::read_to_string("/proc/2/comm").is_ok_and(|name| name.trim() == "kthreadd") {
        let error = room.error("kill_process", json!({"pid": 2})).await;
        assert!(error.contains("a part of the kernel"), "{error}");
    }
}

#[tokio::test]
async fn long_lines_of_commands_are_neither_kept_nor_looked_at_as_a_whole() {
    let room = Room::new();
    let long = "x".repeat(127 << 10);
    let mark = mark();
    let args = json!([mark, long, long, long, long, long, long, long, long.get(..64 << 10)]);
    for _ in 0..4 {
        let wanted = json!({"command": "sleep", "args": args, "background": true});
        room.call("execute_command", wanted).await.unwrap();
    }
    let list = room.call("list_sessions", json!({})).await.unwrap();
    assert!(list.len() < 4096 && list.matches(&mark).count() == 4 && list.contains('…'), "{list}");
}

#[tokio::test]
async fn pages_that_stay_and_watches_of_the_account_are_bounded() {
    let room = Room::with(|commands| commands.max_memory = ByteSize(64 << 20));
    let text = room.shell("ulimit -l").await;
    assert!(text.contains("\n0\n"), "{text}");
    let text = "import os, select, time\nfor _ in range(3): os.fork()\nheld = [select.epoll() for _ in range(900)]\ntime.sleep(20)";
    let answer = room.call("execute_command", json!({"command": PYTHON, "args": ["-c", text], "timeout": 20})).await;
    let answer = answer.unwrap_or_else(|error| error);
    assert!(answer.contains("it held more memory than it may"), "{answer}");
    // One list with as many watches as can be made of few files.
    let text = "import os, select, time\nall = select.epoll()\nends = [os.eventfd(0) for _ in range(400)]\nfor one in ends:\n    \
                for at in range(500, 1000):\n        os.dup2(one, at)\n        all.register(at)\n        os.close(at)\ntime.sleep(20)";
    let answer = room.call("execute_command", json!({"command": PYTHON, "args": ["-c", text], "timeout": 25})).await;
    let answer = answer.unwrap_or_else(|error| error);
    assert!(answer.contains("it held more memory than it may"), "{answer}");
    let text = "import os, select\nall = [select.epoll() for _ in range(8)]\nends = [os.eventfd(0) for _ in range(100)]\n\
                for one in ends: all[0].register(one)\nimport time; time.sleep(0.3); print('fine')";
    let answer = room.call("execute_command", json!({"command": PYTHON, "args": ["-c", text]})).await.unwrap();
    assert!(answer.contains("\nfine"), "{answer}");
}
