//! Commands in the background: started, read, listed, ended, and gone with the server.

use rustix::process::Signal;
use serde_json::{Value, json};
use tfo_mcp::{
    definition::{ByteSize, Period},
    engine::{Call, Principal},
};

use super::{Room, mark, running};
use crate::support::{
    client::{Client, serve_command},
    eventually::eventually,
};

impl Room {
    /// Starts a text of a shell in the background, and answers its name.
    async fn start(&self, text: &str) -> String {
        let arguments = json!({"command": "sh", "args": ["-c", text], "background": true});
        name(&self.call("execute_command", arguments).await.unwrap())
    }

    async fn read(&self, id: &str) -> String {
        self.call("read_output", json!({"session_id": id})).await.unwrap()
    }
}

/// The name of a command in the background.
fn name(text: &str) -> String {
    let (_, rest) = text.split_once("in the background as `").unwrap_or_else(|| panic!("{text}"));
    rest.split_once('`').unwrap().0.to_owned()
}

#[tokio::test]
async fn output_is_read_piece_by_piece_until_the_end() {
    let room = Room::new();
    room.put("go.sh", "echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; exit 4");
    let id = room.start("sh go.sh").await;
    let first = async || Some(room.read(&id).await).filter(|text| text.contains("first"));
    let text = eventually("it says something", first).await;
    assert!(text.starts_with("it runs, since ") && text.ends_with("\n\nfirst\n"), "{text}");
    assert!(room.read(&id).await.ends_with("no new output"));
    let list = room.call("list_sessions", json!({})).await.unwrap();
    assert!(list.contains(&id) && list.contains("runs, since") && list.contains("`sh -c sh go.sh`"), "{list}");
    room.put("go", "");
    let mut said = String::new();
    let ended = async || {
        let text = room.read(&id).await;
        said.push_str(&text);
        text.starts_with("exit code 4 after")
    };
    eventually("it ends", ended).await;
    assert!(said.contains("second"), "{said}");
    let list = room.call("list_sessions", json!({})).await.unwrap();
    assert!(list.contains("exit code 4 after") && list.contains("0 bytes unread"), "{list}");
    let error = room.error("read_output", json!({"session_id": "none"})).await;
    assert!(error.contains("`session_id`: there is no command `none` in the background"), "{error}");
}

#[tokio::test]
async fn unread_output_is_kept_at_its_head_and_tail() {
    let room = Room::with(|commands| commands.max_output = ByteSize(2000));
    let id = room.start("seq 1 20000").await;
    let ended = async || room.call("list_sessions", json!({})).await.unwrap().contains("exit code 0");
    eventually("it ends", ended).await;
    let text = room.read(&id).await;
    assert!(text.contains("\n1\n2\n") && text.ends_with("\n20000\n") && text.len() < 2300, "{}", text.len());
    assert!(text.contains("bytes are left out here"), "{text}");
}

#[tokio::test]
async fn a_command_in_the_background_is_ended_with_all_that_it_started() {
    let room = Room::new();
    let mark = mark();
    room.put("stubborn.sh", format!("trap '' TERM; (setsid sleep {mark} &); echo up; sleep {mark}; sleep {mark}"));
    let id = room.start("exec sh stubborn.sh").await;
    eventually("it runs", async || running(&mark).len() >= 2).await;
    let text = room.call("force_terminate", json!({"session_id": id})).await.unwrap();
    assert!(text.contains("ended on demand after"), "{text}");
    assert_eq!(running(&mark), [] as [i32; 0]);
    // Once more changes nothing, and what it said is still there.
    let text = room.call("force_terminate", json!({"session_id": id})).await.unwrap();
    assert!(text.contains("ended on demand after"), "{text}");
    assert!(room.read(&id).await.contains("\nup\n"));
}

#[tokio::test]
async fn a_command_in_the_background_has_a_deadline_too() {
    let room = Room::with(|commands| commands.background_timeout = Period(std::time::Duration::from_millis(300)));
    let mark = mark();
    let id = room.start(&format!("sleep {mark}")).await;
    let ended = async || room.read(&id).await.starts_with("ended from here after");
    eventually("its time is over", ended).await;
    assert!(room.read(&id).await.contains(", when its time was over\n"));
    assert!(room.call("list_sessions", json!({})).await.unwrap().contains(", when its time was over, "));
    assert_eq!(running(&mark), [] as [i32; 0]);
}

#[tokio::test]
async fn nobody_sees_the_commands_of_another() {
    let room = Room::new();
    let of = |subject: &str| Call {
        principal: Principal { subject: Some(subject.into()), ..Principal::default() },
        ..Call::default()
    };
    let arguments = json!({"command": "sleep 30", "background": true});
    let id = name(&room.answer_to("execute_command", arguments, &of("one")).await.unwrap().text());
    for (tool, arguments) in
        [("read_output", json!({"session_id": id})), ("force_terminate", json!({"session_id": id}))]
    {
        let error = room.answer_to(tool, arguments, &of("two")).await.unwrap_err();
        assert!(error.contains("there is no command"), "{error}");
    }
    let list = room.answer_to("list_sessions", json!({}), &of("two")).await.unwrap().text();
    assert!(list.starts_with("No command runs in the background"), "{list}");
    let list = room.answer_to("list_sessions", json!({}), &of("one")).await.unwrap().text();
    assert!(list.contains(&id), "{list}");
    room.engine.close().await;
}

#[tokio::test]
async fn an_engine_that_ends_waits_until_they_are_gone() {
    let room = Room::new();
    let mark = mark();
    room.start(&format!("trap '' TERM; (setsid sleep {mark} &); sleep {mark}; sleep {mark}")).await;
    eventually("it runs", async || running(&mark).len() >= 2).await;
    room.engine.close().await;
    assert_eq!(running(&mark), [] as [i32; 0]);
}

/// Kills the keeper of a command: what started the first process of its session.
fn kill_keeper(mark: &str) {
    let parent = |pid: i32| -> i32 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let is_keeper = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"internal-command\0"))
    };
    let keeper = running(mark).into_iter().map(parent).find(is_keeper).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(keeper).unwrap(), Signal::KILL).unwrap();
}

/// As deep as no program has files open by default.
const NESTS: &str =
    "import os\nfor _ in range(1200): os.mkdir('d'); os.chdir('d')\nprint(os.environ['HOME'], flush=True)";

#[tokio::test]
async fn a_deep_folder_that_a_command_leaves_behind_is_removed() {
    let room = Room::new();
    let script = format!("import os\nos.chdir(os.environ['HOME'])\n{NESTS}");
    let answer = room.call("execute_command", json!({"command": "/usr/bin/python3", "args": ["-c", script]})).await;
    let text = answer.unwrap();
    let home = text.lines().find(|line| line.starts_with('/')).unwrap_or_else(|| panic!("{text}"));
    // On a slow disk later than the answer, which says so.
    assert!(!std::path::Path::new(home).exists() || text.contains("it is still being removed"), "{text}");
    eventually("it is gone", async || !std::path::Path::new(home).exists()).await;
}

#[tokio::test]
async fn a_deep_folder_of_a_command_whose_keeper_is_killed_is_removed() {
    let room = Room::new();
    let mark = mark();
    room.put("nests.py", format!("import os, time\nos.chdir(os.environ['HOME'])\n{NESTS}\ntime.sleep({mark})"));
    let id = room.start(&format!("/usr/bin/python3 nests.py; sleep {mark}")).await;
    let home = eventually("it is as deep as it comes", async || {
        room.read(&id).await.lines().find(|line| line.starts_with('/')).map(str::to_owned)
    });
    let home = home.await;
    kill_keeper(&mark);
    eventually("its end is told", async || room.read(&id).await.contains("what kept it is gone")).await;
    eventually("it is gone", async || !std::path::Path::new(&home).exists()).await;
    assert_eq!(running(&mark), [] as [i32; 0]);
}

#[tokio::test]
async fn a_keeper_that_is_killed_takes_its_command_along() {
    let room = Room::new();
    let mark = mark();
    let id = room.start(&format!("(setsid sleep {mark} &) ; sleep {mark}; sleep {mark}")).await;
    eventually("it runs", async || running(&mark).len() >= 3).await;
    kill_keeper(&mark);
    let ended = async || room.read(&id).await.contains("what kept it is gone");
    eventually("its end is told", ended).await;
    eventually("all of it is gone", async || running(&mark).is_empty()).await;
}

/// Whichever way a server ends, what it had started ends with it.
#[tokio::test]
async fn none_survives_the_server() {
    for way in ["input", "terminate", "kill"] {
        let data = tempfile::tempdir().unwrap();
        let work = data.path().join("work");
        std::fs::create_dir(&work).unwrap();
        let mut command = serve_command(data.path());
        command.current_dir(&work).args(["--toolsets", "system"]).env("TELEMETRYFLOW_MCP_COMMANDS__UNCONFINED", "true");
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let mark = mark();
        let text = format!("trap '' TERM HUP; (setsid sleep {mark} &); sleep {mark}; sleep {mark}");
        let arguments = json!({"command": "sh", "args": ["-c", text], "background": true});
        let answer = client.call("execute_command", arguments).await;
        assert_eq!(answer["isError"], Value::Bool(false), "{answer}");
        // And one that is waited for.
        let arguments = json!({"command": "sleep", "args": [mark]});
        let params = json!({"name": "execute_command", "arguments": arguments});
        client.send_json(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})).await;
        eventually("all of them run", async || running(&mark).len() >= 4).await;
        match way {
            "input" => client.end_input(),
            "terminate" => client.signal(Signal::TERM),
            _ => client.signal(Signal::KILL),
        }
        eventually(format!("all of them are gone after {way}"), async || running(&mark).is_empty()).await;
        client.finish().await;
    }
}
