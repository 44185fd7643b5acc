//! 500 saves of a pack under load, broken and good, atomic and not: no call fails because of them.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::support::{
    client::serve_command,
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
};

const SAVES: usize = 500;
const CLIENTS: usize = 8;

fn definition(version: usize) -> String {
    format!(
        "kind: tool\nname: edited\ntitle: Edited\ndescription: Says which version of it is served.\ncategory: test\n\
         annotations: {{ read_only: true }}\nrun:\n  action: template\n  text: \"version {version}.\"\n"
    )
}

/// Whether the save of this number leaves a definition that can be served.
fn is_good(n: usize) -> bool {
    n % 7 < 4
}

/// Saves the file as one of the editors and tools does that people use.
fn save(file: &Path, n: usize) {
    let text = definition(n);
    match n % 7 {
        // Written beside it and renamed.
        0 | 1 => {
            let beside = file.with_extension("yaml.tmp");
            fs::write(&beside, text).unwrap();
            fs::rename(beside, file).unwrap();
        }
        // Truncated and written in two pieces.
        2 => {
            let (head, tail) = text.split_at(text.len() / 2);
            let mut file = fs::File::create(file).unwrap();
            file.write_all(head.as_bytes()).unwrap();
            file.flush().unwrap();
            std::thread::sleep(Duration::from_millis(5));
            file.write_all(tail.as_bytes()).unwrap();
        }
        // Truncated and written at once.
        3 => fs::write(file, text).unwrap(),
        // Broken: not YAML, no definition, an unknown field.
        4 => fs::write(file, "kind: tool\nname: [").unwrap(),
        5 => fs::write(file, "").unwrap(),
        _ => fs::write(file, format!("{text}colour: red\n")).unwrap(),
    }
}

/// The version that a call is answered with.
async fn version(client: &reqwest::Client, url: &str, id: usize) -> Result<usize, String> {
    let params = json!({"name": "edited", "arguments": {}});
    let answer = modern_request(client, url, None, id as i64, "tools/call", params).send().await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let content_type = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body = answer.text().await.map_err(|error| format!("{error:?}"))?;
    let messages = messages(&content_type.unwrap_or_default(), &body);
    let text = messages.iter().find_map(|message| message["result"]["content"][0]["text"].as_str());
    let number = text.and_then(|text| text.strip_prefix("version ")?.strip_suffix('.')?.parse().ok());
    number.ok_or_else(|| format!("no version in {body}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn five_hundred_saves_under_load() {
    let data = tempfile::tempdir().unwrap();
    let pack = data.path().join("pack");
    let file = pack.join("definitions/tools/edited.yaml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, definition(0)).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(&pack);
    let server = HttpServer::start(command).await;
    let url = server.url();
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (url, done, calls) = (url.clone(), done.clone(), calls.clone());
            tokio::spawn(async move {
                let (client, mut seen, mut versions) = (http_client(), 0, 0);
                while !done.load(Ordering::Relaxed) {
                    let id = calls.fetch_add(1, Ordering::Relaxed);
                    let version = version(&client, &url, id).await?;
                    versions += usize::from(version != seen);
                    if version < seen {
                        return Err(format!("version {version} after {seen}"));
                    }
                    seen = version;
                }
                Ok(versions)
            })
        })
        .collect();
    let client = http_client();
    let served = async |wanted| {
        let is_served = async || version(&client, &url, 0).await.unwrap() == wanted;
        eventually(format!("version {wanted} is served"), is_served).await;
    };
    for n in 1..=SAVES {
        save(&file, n);
        // As fast as a script saves, and now and then as slow as a person, who looks whether it works.
        match n % 25 {
            0 if is_good(n) => served(n).await,
            0 => tokio::time::sleep(Duration::from_millis(400)).await,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    // The last word is a good one.
    fs::write(&file, definition(SAVES + 1)).unwrap();
    served(SAVES + 1).await;
    done.store(true, Ordering::Relaxed);
    let mut versions = 0;
    for client in clients {
        versions = versions.max(client.await.unwrap().expect("no call fails"));
    }
    println!("{SAVES} saves, {} calls, none failed; one client saw {versions} versions", calls.load(Ordering::Relaxed));
    assert!(versions >= 5, "{versions}: edits were served while the script ran");
}
