//! Live editing: what is saved is served a moment later, whole or not at all.

mod told;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    engine::{Call, Engine, EngineOptions, Event, Outcome, Sources, texts},
    reload::{self, Definitions, Mode, Watch},
};
use tokio::sync::{Notify, broadcast::Receiver};
use tokio_util::sync::CancellationToken;

use crate::support::client::{Client, DEADLINE, serve_command};
use crate::support::eventually::eventually;

/// A tool that says a word.
fn says(name: &str, word: &str) -> String {
    format!(
        "kind: tool
name: {name}
title: Says a word
description: Says the word of this version.
category: utility
toolsets: [core]
annotations: {{ read_only: true }}
run: {{ action: template, text: \"{word}\" }}
"
    )
}

fn write(pack: &Path, path: &str, text: &str) -> PathBuf {
    let path = pack.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

const FILE: &str = "definitions/word.yaml";

/// An engine whose packs are watched.
struct Live {
    engine: Arc<Engine>,
    events: Receiver<Event>,
    force: Arc<Notify>,
    stop: CancellationToken,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Live {
    fn on(pack: &Path, mode: Mode) -> Self {
        let definitions = Definitions {
            built_in: true,
            packs: vec![pack.to_owned()],
            options: CatalogOptions { lazy: true, ..Default::default() },
        };
        let seen = definitions.fingerprint();
        let good = definitions.read().unwrap_or_else(|findings| panic!("{findings:?}"));
        let packs = vec![pack.display().to_string()];
        let engine = Engine::new(good.catalog, Sources::default(), EngineOptions::default());
        let engine = Arc::new(engine.loaded_from(packs, good.findings));
        let (force, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let interval = Duration::from_millis(100);
        let watch = Watch { definitions, seen, mode, interval, force: force.clone(), stop: stop.clone() };
        let events = engine.events().listen();
        tokio::spawn(reload::watch(engine.clone(), watch));
        Self { engine, events, force, stop }
    }

    async fn said(&self, tool: &str) -> Option<String> {
        match self.engine.call_tool(tool, Default::default(), &Call::default()).await.ok()? {
            Outcome::Done(answer) => Some(texts(&answer.content)),
            Outcome::Asks(_) => None,
        }
    }

    /// Waits until the tool says the word; none: until it is not there.
    async fn until(&self, tool: &str, word: Option<&str>) {
        eventually(format!("{tool} says {word:?}"), async || self.said(tool).await.as_deref() == word).await;
    }

    async fn status(&self) -> Value {
        let Outcome::Done(answer) = self.engine.read_resource("status://definitions", &Call::default()).await.unwrap()
        else {
            panic!("the resource asks nothing")
        };
        let tfo_mcp::engine::Body::Text(text) = &answer.contents[0].body else { panic!("text") };
        serde_json::from_str(text).unwrap()
    }

    /// The next event that fits; those before it are dropped.
    async fn event(&mut self, fits: impl Fn(&Event) -> bool) -> Event {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let event = self.events.recv().await.unwrap();
                if fits(&event) {
                    return event;
                }
            }
        })
        .await
        .expect("the event comes")
    }

    async fn refused(&mut self) -> Value {
        let refused = |event: &Event| matches!(event, Event::Log { level, .. } if *level == tfo_mcp::definition::LogLevel::Warning);
        match self.event(refused).await {
            Event::Log { data, .. } => data,
            _ => unreachable!(),
        }
    }
}

/// How often those who watch the health of the server were told since this was asked last.
fn health_told(events: &mut Receiver<Event>) -> usize {
    let events = std::iter::from_fn(|| events.try_recv().ok());
    events.filter(|event| *event == Event::ResourceUpdated("status://health".to_owned())).count()
}

async fn in_both_modes(test: impl AsyncFn(Mode)) {
    for mode in [Mode::Auto, Mode::Poll] {
        test(mode).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn every_way_of_saving_is_seen() {
    in_both_modes(async |mode| {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("pack");
        let file = write(&pack, FILE, &says("word", "one"));
        let live = Live::on(&pack, mode);
        assert_eq!(live.said("word").await.as_deref(), Some("one"));
        // Truncated and written again.
        fs::write(&file, says("word", "two")).unwrap();
        live.until("word", Some("two")).await;
        // Written aside and renamed.
        let aside = write(&pack, "definitions/.word.yaml.tmp", &says("word", "three"));
        fs::rename(aside, &file).unwrap();
        live.until("word", Some("three")).await;
        // Deleted and created.
        fs::remove_file(&file).unwrap();
        fs::write(&file, says("word", "four")).unwrap();
        live.until("word", Some("four")).await;
        // A new file, in a new folder in a new folder.
        let other = write(&pack, "definitions/new/deep/other.yaml", &says("other", "here"));
        live.until("other", Some("here")).await;
        fs::write(&other, says("other", "still here")).unwrap();
        live.until("other", Some("still here")).await;
        // A renamed file is another definition.
        write(&pack, "definitions/new/deep/other.yaml", &says("moved", "there"));
        fs::rename(&other, other.with_file_name("moved.yaml")).unwrap();
        live.until("moved", Some("there")).await;
        live.until("other", None).await;
        // A folder goes, with everything in it.
        fs::remove_dir_all(pack.join("definitions/new")).unwrap();
        live.until("moved", None).await;
        live.until("word", Some("four")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_broken_edit_keeps_the_last_good_definitions_until_it_is_mended() {
    in_both_modes(async |mode| {
        let pack = tempfile::tempdir().unwrap();
        let file = write(pack.path(), FILE, &says("word", "good"));
        let mut live = Live::on(pack.path(), mode);
        let mut told = live.engine.events().listen();
        for broken in
            ["", "kind: tool\nname: word\n", "kind: [", &says("word", "{{ missing }}"), &says("wrong_name", "x")]
        {
            fs::write(&file, broken).unwrap();
            let told = live.refused().await;
            assert!(told["findings"][0]["file"].as_str().unwrap().ends_with("word.yaml"), "{told}");
            assert!(told["findings"][0]["line"].as_u64().unwrap() >= 1, "{told}");
            assert_eq!(live.said("word").await.as_deref(), Some("good"));
            let status = live.status().await;
            assert_eq!(status["generation"], 1);
            assert_eq!(status["findings"][0], told["findings"][0]);
            assert_ne!(status["last_attempt"]["result"], "in force");
        }
        assert_eq!(health_told(&mut told), 1, "the state is another one once");
        fs::write(&file, says("word", "mended")).unwrap();
        live.until("word", Some("mended")).await;
        let status = live.status().await;
        assert_eq!((&status["generation"], &status["last_attempt"]["result"]), (&json!(2), &json!("in force")));
        assert_eq!(status["findings"], json!([]));
        eventually("the health is told of", async || health_told(&mut told) == 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_deleted_pack_is_missed_and_welcomed_back() {
    in_both_modes(async |mode| {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("pack");
        write(&pack, FILE, &says("word", "before"));
        let mut live = Live::on(&pack, mode);
        fs::remove_dir_all(&pack).unwrap();
        live.refused().await;
        assert_eq!(live.said("word").await.as_deref(), Some("before"));
        write(&pack, FILE, &says("word", "after"));
        live.until("word", Some("after")).await;
    })
    .await;
}

/// How Kubernetes replaces a mounted ConfigMap: a new folder, and one link swapped.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_swapped_link_is_an_edit() {
    in_both_modes(async |mode| {
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().join("mount");
        let version = |name: &str, word: &str| {
            write(&mount.join(name), FILE, &says("word", word));
            let aside = mount.join("..data_tmp");
            std::os::unix::fs::symlink(name, &aside).unwrap();
            fs::rename(aside, mount.join("..data")).unwrap();
        };
        version("..1", "one");
        std::os::unix::fs::symlink("..data/definitions", mount.join("definitions")).unwrap();
        // A second one, mounted as a whole by a link from elsewhere.
        let linked = folder.path().join("linked");
        std::os::unix::fs::symlink(mount.join("..data"), &linked).unwrap();
        for pack in [&mount, &linked] {
            let live = Live::on(pack, mode);
            for n in 0..3 {
                let (name, word) = (format!("..{}-{n}", pack.display().to_string().len()), format!("word {n}"));
                version(&name, &word);
                live.until("word", Some(&word)).await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_not_read_while_it_is_written() {
    use std::io::Write as _;
    let pack = tempfile::tempdir().unwrap();
    // Cut in its middle, the file is a good definition too.
    let text = says("word", "whole");
    let (half, rest) = (says("word", "half"), &text);
    let file = write(pack.path(), FILE, &says("word", "before"));
    let live = Live::on(pack.path(), Mode::Auto);
    // One change that is surely seen proves that the eyes are open.
    write(pack.path(), "definitions/ready.yaml", &says("ready", "yes"));
    live.until("ready", Some("yes")).await;
    let mut writing = fs::File::create(&file).unwrap();
    writing.write_all(half.as_bytes()).unwrap();
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(600) {
        assert_eq!(live.said("word").await.as_deref(), Some("before"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    use std::io::Seek as _;
    writing.rewind().unwrap();
    writing.set_len(0).unwrap();
    writing.write_all(rest.as_bytes()).unwrap();
    drop(writing);
    live.until("word", Some("whole")).await;
    assert_eq!(live.status().await["generation"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_reloaded_in_vain_and_everything_when_asked() {
    let pack = tempfile::tempdir().unwrap();
    let file = write(pack.path(), FILE, &says("word", "one"));
    let mut live = Live::on(pack.path(), Mode::Auto);
    // Touched, and rewritten as it was.
    fs::write(&file, says("word", "one")).unwrap();
    write(pack.path(), "definitions/notes.txt", "not a definition");
    fs::write(&file, says("word", "two")).unwrap();
    live.until("word", Some("two")).await;
    assert_eq!(live.status().await["generation"], 2);
    live.force.notify_one();
    live.event(|event| matches!(event, Event::Log { data, .. } if data["generation"] == 3)).await;
    // Off: only when asked.
    let live = Live::on(pack.path(), Mode::Off);
    fs::write(&file, says("word", "three")).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(live.said("word").await.as_deref(), Some("two"));
    live.force.notify_one();
    live.until("word", Some("three")).await;
}

/// A tool of several steps that waits between them.
fn slow(word: &str, wait: &str) -> String {
    format!(
        "kind: tool
name: slow
title: Waits
description: Says a word, waits, and says it again.
category: utility
toolsets: [core]
run:
  action: pipeline
  steps:
    - run: {{ action: template, text: \"{word} \" }}
    - run: {{ action: announce, resources: [\"test://begun\"] }}
    - run: {{ action: delay, for: {wait} }}
    - run: {{ action: template, text: {word} }}
"
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_call_finishes_on_the_definitions_it_began_with() {
    let pack = tempfile::tempdir().unwrap();
    let file = write(pack.path(), "definitions/slow.yaml", &slow("old", "3s"));
    let mut live = Live::on(pack.path(), Mode::Auto);
    let call = || {
        let engine = live.engine.clone();
        async move {
            match engine.call_tool("slow", Default::default(), &Call::default()).await.unwrap() {
                Outcome::Done(answer) => texts(&answer.content),
                Outcome::Asks(_) => panic!("it asks nothing"),
            }
        }
    };
    let (early, late) = (tokio::spawn(call()), call());
    live.event(|event| *event == Event::ResourceUpdated("test://begun".into())).await;
    fs::write(&file, slow("new", "1ms")).unwrap();
    live.event(|event| matches!(event, Event::Log { data, .. } if data["generation"] == 2)).await;
    assert_eq!(late.await.split_whitespace().collect::<Vec<_>>(), ["new", "new"]);
    assert!(!early.is_finished(), "the reload came while the call ran");
    // Gone, it still ends well.
    fs::remove_file(&file).unwrap();
    assert_eq!(early.await.unwrap().split_whitespace().collect::<Vec<_>>(), ["old", "old"]);
}

/// Old catalogs go when the last call that began with them ends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_hundred_reloads_leave_one_catalog() {
    let pack = tempfile::tempdir().unwrap();
    write(pack.path(), FILE, &says("word", "one"));
    let live = Live::on(pack.path(), Mode::Off);
    let definitions = Definitions {
        built_in: true,
        packs: vec![pack.path().to_owned()],
        options: CatalogOptions { lazy: true, ..Default::default() },
    };
    let held = live.engine.catalog();
    let mut old: Vec<Weak<Catalog>> = Vec::new();
    for _ in 0..100 {
        old.push(Arc::downgrade(&live.engine.catalog()));
        let (engine, definitions) = (live.engine.clone(), definitions.clone());
        let replaced = tokio::task::spawn_blocking(move || {
            let good = definitions.read().unwrap_or_else(|findings| panic!("{findings:?}"));
            engine.replace(good.catalog, good.findings);
        });
        replaced.await.unwrap();
    }
    let alive = || old.iter().filter(|catalog| catalog.strong_count() > 0).count();
    assert_eq!(alive(), 1, "only the one that a call still holds");
    assert!(held.tools.contains_key("word"));
    drop(held);
    assert_eq!(alive(), 0);
}
