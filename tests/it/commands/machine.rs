//! What is told of this machine, and the end of its processes.

use std::{
    process::{Child, Command},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tfo_mcp::{
    definition::LogLevel,
    engine::{Abilities, Asked, Call, CallError, Client, Question},
    settings,
};

use super::{Room, mark};
use crate::support::eventually::eventually;

#[tokio::test]
async fn the_machine_is_told_in_the_parts_that_are_asked_for() {
    let room = Room::new();
    let text = room.call("system_info", json!({})).await.unwrap();
    for part in ["os: name ", "cpu: processors ", "memory: total ", "disk: ", "network: ", "process: pid "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains(&format!("pid {}", std::process::id())) && text.contains("kernel "), "{text}");
    let text = room.call("system_info", json!({"include": ["memory", "os", "memory"]})).await.unwrap();
    assert!(text.starts_with("memory: ") && text.lines().count() == 2 && text.contains("\nos: "), "{text}");
    let total = text.split("total ").nth(1).unwrap().split(',').next().unwrap();
    assert!(total.ends_with("GiB") || total.ends_with("MiB"), "{text}");
    let error = room.error("system_info", json!({"include": ["memory", "weather"]})).await;
    assert!(error.contains("`include` takes") && error.contains("`weather`"), "{error}");
}

/// A process named `sleep`.
async fn sleeper(seconds: &str) -> Child {
    let child = Command::new("sh").args(["-c", &format!("exec sleep {seconds}")]).spawn().unwrap();
    let name = format!("/proc/{}/comm", child.id());
    eventually("it has its name", async || std::fs::read_to_string(&name).unwrap() == "sleep\n").await;
    child
}

#[tokio::test]
async fn processes_are_found_by_a_part_of_their_line_and_secrets_are_not_shown() {
    let room = Room::new();
    let mark = mark();
    let mut child = sleeper(&mark).await;
    let text = room.call("list_processes", json!({"filter": mark})).await.unwrap();
    assert!(text.starts_with(&format!("{}  ", child.id())) && text.contains(&format!("`sleep {mark}`")), "{text}");
    let text = room.call("list_processes", json!({})).await.unwrap();
    assert!(text.lines().count() > 3 && text.lines().count() <= 52, "{text}");
    let text = room.call("list_processes", json!({"filter": "no-such-process-4711"})).await.unwrap();
    assert_eq!(text, "No process has `no-such-process-4711` in its name.");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child =
        Command::new("sh").args(["-c", &format!("sleep {mark}; : --password=hunter2hunter2")]).spawn().unwrap();
    let text = room.call("list_processes", json!({"filter": mark})).await.unwrap();
    assert!(text.contains("***") && !text.contains("hunter2"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
    // In a word of its own, whatever stands before it; and who looks for a part of it does not find it.
    let words =
        ["-c", &format!("sleep {mark}; exit"), "--token", "Zx7qhunter", "--user", "a;|b", "--auth-token=Zx7qhunter"];
    let mut child = Command::new("sh").args(words).spawn().unwrap();
    let text = room.call("list_processes", json!({"filter": mark})).await.unwrap();
    assert!(text.contains("***") && !text.contains("Zx7q"), "{text}");
    let text = room.call("list_processes", json!({"filter": "Zx7qhunter"})).await.unwrap();
    assert!(text.starts_with("No process has"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
    // Where commands are off, arguments are nobody's business.
    let closed = Room::with(|commands| commands.enabled = Some(false));
    let mut child = sleeper(&mark).await;
    let text = closed.call("list_processes", json!({"filter": mark})).await.unwrap();
    assert!(text.starts_with("No process has"), "{text}");
    let text = closed.call("list_processes", json!({"filter": "sleep"})).await.unwrap();
    assert!(text.contains("`sleep`") && !text.contains(&mark), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_process_is_asked_to_end_and_killed_if_it_does_not() {
    let room = Room::new();
    let mark = mark();
    let mut child = sleeper(&mark).await;
    let id = child.id();
    // Whoever started it takes leave of it, as a parent does.
    let waits = std::thread::spawn(move || child.wait().unwrap());
    let text = room.call("kill_process", json!({"pid": id})).await.unwrap();
    assert_eq!(text, format!("The process {id} (`sleep`) has ended."));
    waits.join().unwrap();

    let script = format!("trap '' TERM; echo up; while :; do sleep {mark}; done");
    let mut child = Command::new("sh").args(["-c", &script]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    let id = child.id();
    let waits = std::thread::spawn(move || child.wait().unwrap());
    let text = room.call("kill_process", json!({"pid": id})).await.unwrap();
    assert!(text.ends_with("was killed, since it did not end when asked."), "{text}");
    waits.join().unwrap();
    for pid in super::running(&mark) {
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL)
            .unwrap();
    }
}

#[tokio::test]
async fn some_processes_are_not_ended() {
    let room = Room::new();
    let own = std::process::id();
    let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
    for (pid, why) in [
        (json!(1), "everything on this machine lives in"),
        (json!(own), "which is this server"),
        (json!(parent), "which started this server"),
        (json!(0), "`pid`"),
        (json!(-1), "`pid`"),
        (json!(2_147_483_647), "there is no process 2147483647"),
    ] {
        let error = room.error("kill_process", json!({"pid": pid})).await;
        assert!(error.contains(why), "{pid}: {error}");
    }
    let closed = Room::with(|commands: &mut settings::Commands| commands.enabled = Some(false));
    let error = closed.error("kill_process", json!({"pid": 2_147_483_647})).await;
    assert!(error.contains("commands are off") && error.contains("`commands.enabled`"), "{error}");
}

/// A client that counts what it is told.
#[derive(Default)]
struct Counts(Mutex<Vec<(f64, String)>>);

#[async_trait::async_trait]
impl Client for Counts {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn log(&self, _: LogLevel, _: &str, _: Value) {}

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        assert_eq!(total, Some(1.0));
        self.0.lock().unwrap().push((progress, message.unwrap_or_default().to_owned()));
    }

    async fn ask(&self, _: &indexmap::IndexMap<String, Question>) -> Result<Asked, CallError> {
        panic!("nobody asks")
    }
}

#[tokio::test]
async fn a_watch_tells_progress_and_the_least_the_mean_and_the_most() {
    let room = Room::new();
    let client = Arc::new(Counts::default());
    let call = Call { client: client.clone(), ..Call::default() };
    let arguments = json!({"duration": 1, "interval": 0.25});
    let text = room.answer_to("monitor_performance", arguments, &call).await.unwrap().text();
    let told = client.0.lock().unwrap().clone();
    assert!(!told.is_empty() && told.len() <= 4 && told.is_sorted_by_key(|(progress, _)| *progress), "{told:?}");
    assert!(told.iter().all(|(_, text)| text.starts_with("cpu used ") && text.contains("memory used ")), "{told:?}");
    assert!(text.starts_with(&format!("{} sample", told.len())), "{text}");
    for measure in
        ["cpu used", "load (1m)", "memory used", "disk read", "disk written", "network received", "network sent"]
    {
        let line =
            text.lines().find(|line| line.starts_with(&format!("{measure}: min "))).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(", avg ") && line.contains(", max "), "{line}");
    }
    for (arguments, name) in [
        (json!({"duration": 0}), "duration"),
        (json!({"duration": 10_000}), "duration"),
        (json!({"interval": -1}), "interval"),
        (json!({"duration": 1, "interval": 4}), "`interval` of 4.0 s"),
    ] {
        let error = room.error("monitor_performance", arguments).await;
        assert!(error.contains(name), "{error}");
    }
    // What nobody gave stands in nobody's way.
    let text = room.call("monitor_performance", json!({"duration": 0.5})).await.unwrap();
    assert!(text.starts_with("1 sample in "), "{text}");
}
