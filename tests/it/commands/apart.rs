//! Callers that know nothing of each other, and processes that keep commands, which nobody ends.

use std::process::{Child, Command};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tfo_mcp::engine::{Call, Principal};

use super::{Room, mark, running};
use crate::support::eventually::eventually;

fn of(subject: &str) -> Call {
    Call { principal: Principal { subject: Some(subject.into()), ..Principal::default() }, ..Call::default() }
}

impl Room {
    async fn as_caller(&self, subject: &str, tool: &str, arguments: Value) -> Result<String, String> {
        let answer = self.answer_to(tool, arguments, &of(subject)).await?;
        Ok([answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n"))
    }

    /// Starts a command in the background, and answers its name.
    async fn starts(&self, subject: &str, words: &[&str]) -> Result<String, String> {
        let arguments = json!({"command": words[0], "args": words[1..], "background": true});
        let text = self.as_caller(subject, "execute_command", arguments).await?;
        let (_, rest) = text.split_once("in the background as `").unwrap_or_else(|| panic!("{text}"));
        Ok(rest.split_once('`').unwrap().0.to_owned())
    }
}

fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn processes_of_anothers_command_are_neither_seen_nor_ended() {
    let room = Room::new();
    let mark = mark();
    room.starts("a", &["sh", "-c", &format!("(setsid sleep {mark} &); sleep {mark}; sleep {mark}")]).await.unwrap();
    eventually("they run", async || running(&mark).len() >= 3).await;
    let list = room.as_caller("b", "list_processes", json!({"filter": mark})).await.unwrap();
    assert!(list.starts_with("No process has"), "{list}");
    let list = room.as_caller("a", "list_processes", json!({"filter": mark})).await.unwrap();
    assert!(list.contains(&format!("`sleep {mark}`")), "{list}");
    let pids = running(&mark);
    let keeper = parent(*pids.iter().min().unwrap());
    for pid in pids.iter().chain([&keeper]) {
        let error = room.as_caller("b", "kill_process", json!({"pid": pid})).await.unwrap_err();
        assert!(error.contains(&format!("there is no process {pid}")), "{error}");
    }
    assert_eq!(running(&mark).len(), pids.len());
    // One's own processes are one's own, but for what keeps them.
    let error = room.as_caller("a", "kill_process", json!({"pid": keeper})).await.unwrap_err();
    assert!(error.contains("it keeps a command") && error.contains("in the background"), "{error}");
    let list = room.as_caller("a", "list_processes", json!({"filter": "which keeps a command"})).await;
    let list = list.unwrap();
    assert!(list.contains(&keeper.to_string()) || list.starts_with("No process"), "{list}");
    room.as_caller("a", "kill_process", json!({"pid": pids.iter().max().unwrap()})).await.unwrap();
    room.engine.close().await;
}

#[tokio::test]
async fn a_caller_takes_neither_anothers_places_nor_its_sessions() {
    let room = Room::with(|commands| commands.max_running = 2);
    let first = room.starts("a", &["echo", "unread"]).await.unwrap();
    let ended = async || room.as_caller("a", "list_sessions", json!({})).await.unwrap().contains("exit code 0");
    eventually("it ends", ended).await;
    for _ in 0..34 {
        let id = eventually("there is a place", async || room.starts("b", &["true"]).await.ok()).await;
        let over = async || {
            room.as_caller("b", "read_output", json!({"session_id": id})).await.unwrap().starts_with("exit code")
        };
        eventually("it ends", over).await;
    }
    // Its own, too, as long as nobody has read it.
    for _ in 0..34 {
        eventually("there is a place", async || room.starts("a", &["true"]).await.ok()).await;
    }
    let text = room.as_caller("a", "read_output", json!({"session_id": first})).await.unwrap();
    assert!(text.contains("\nunread"), "{text}");
    // Those that were read are forgotten, the oldest first.
    let list = room.as_caller("b", "list_sessions", json!({})).await.unwrap();
    assert!((32..=34).contains(&list.lines().count()), "{list}");
    eventually("there is a place", async || room.starts("b", &["sleep", "30"]).await.ok()).await;
    eventually("there is a place", async || room.starts("b", &["sleep", "30"]).await.ok()).await;
    // Together with those that are waited for there are not more.
    for arguments in [json!({"command": "true"}), json!({"command": "true", "background": true})] {
        let error = room.as_caller("b", "execute_command", arguments).await.unwrap_err();
        assert!(error.contains("2 commands run already"), "{error}");
    }
    let free = async || room.as_caller("a", "execute_command", json!({"command": "true"})).await.ok();
    assert!(eventually("another caller's are free", free).await.starts_with("exit code 0"));
    room.engine.close().await;
}

/// It leaves its session, its parents and its environment, and loses its keeper.
#[tokio::test]
async fn who_went_away_is_ended_also_when_the_keeper_is_killed() {
    let room = Room::new();
    let mark = mark();
    let script = format!(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        \
         os.execve('/bin/sleep', ['sleep', '{mark}'], {{}})\n    os._exit(0)\ntime.sleep({mark})"
    );
    room.put("away.py", script);
    room.starts("a", &["/usr/bin/python3", "away.py"]).await.unwrap();
    let away = eventually("it is away", async || running(&mark).into_iter().next()).await;
    let is_taken_in = |pid: i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"internal-command\0"))
    };
    eventually("its keeper has taken it in", async || is_taken_in(parent(away))).await;
    rustix::process::kill_process(Pid::from_raw(parent(away)).unwrap(), Signal::KILL).unwrap();
    eventually("it is gone", async || running(&mark).is_empty()).await;
}

/// Ends a process of the test, whatever becomes of the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_is_masked_is_neither_found_nor_shown_in_part() {
    let room = Room::new();
    let mark = mark();
    let line = format!(
        "sleep {mark}; : {} AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY --password=Zx7qhunter",
        "-".repeat(38)
    );
    let _child = Ends(Command::new("sh").args(["-c", &line]).spawn().unwrap());
    let text = eventually("it runs", async || {
        Some(room.call("list_processes", json!({"filter": mark})).await.unwrap()).filter(|text| text.contains("***"))
    });
    let text = text.await;
    assert!(!text.contains("wJalr") && !text.contains("Zx7q"), "{text}");
    for part in ["password=Zx7q", "Zx7qhunter", "wJalrXUtn"] {
        let text = room.call("list_processes", json!({"filter": part})).await.unwrap();
        assert!(text.starts_with("No process has"), "{part}: {text}");
    }
    // The same of what was run in the background.
    let long = format!("{} AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY", "-".repeat(160));
    let text =
        room.call("execute_command", json!({"command": "true", "args": [long], "background": true})).await.unwrap();
    let list = room.call("list_sessions", json!({})).await.unwrap();
    assert!(!text.contains("wJalr") && !list.contains("wJalr"), "{text}\n{list}");
    room.engine.close().await;
}
