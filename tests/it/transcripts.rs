//! What every line of input becomes: transcripts of clients, played to the built binary, with reviewed answers.
//!
//! A new case is a line, or a file, in `tests/fixtures/transcripts`.

use serde_json::{Value, json};

use crate::support::client::{Client, serve_command};

/// Plays what a client wrote, line by line, and writes down what came back.
///
/// Replies are in the order of the lines: a line with a readable id is waited for, any other is followed by a
/// ping, whose answer proves that the server has said what it has to say.
async fn play(client: &mut Client, transcript: &[u8]) -> String {
    let mut written = String::new();
    let (lines, end) = match transcript.strip_suffix(b"\n") {
        Some(lines) => (lines, None),
        None => match transcript.rsplit_once_newline() {
            Some((lines, end)) => (lines, Some(end)),
            None => (&b""[..], Some(transcript)),
        },
    };
    for (number, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        written += &format!("> {}\n", String::from_utf8_lossy(line).escape_debug().to_string().replace("\\\"", "\""));
        client.send(line).await;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
        let request = serde_json::from_slice::<Value>(text).ok();
        let id =
            request.as_ref().map(|request| &request["id"]).filter(|id| id.is_string() || id.is_i64() || id.is_u64());
        match id.filter(|_| request.as_ref().is_some_and(|r| r.get("result").is_none() && r.get("error").is_none())) {
            Some(id) => {
                let answer = client.answer_to(id.clone()).await;
                written += &format!("< {}\n", normalised(answer));
            }
            None => {
                let sync = json!(format!("sync {number}"));
                client.send_json(json!({"jsonrpc": "2.0", "id": sync, "method": "ping"})).await;
                loop {
                    let line = client.line().await.expect("an answer to the ping");
                    if line["id"] == sync {
                        break;
                    }
                    written += &format!("< {}\n", normalised(line));
                }
            }
        }
    }
    if let Some(end) = end {
        written += &format!("> {} (no newline)\n", String::from_utf8_lossy(end));
        client.send_bytes(end).await;
    }
    written
}

trait RsplitOnceNewline {
    fn rsplit_once_newline(&self) -> Option<(&[u8], &[u8])>;
}

impl RsplitOnceNewline for [u8] {
    fn rsplit_once_newline(&self) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|byte| *byte == b'\n')?;
        Some((&self[..at], &self[at + 1..]))
    }
}

/// Volatile are the version of the package and the wording of the instructions.
fn normalised(mut line: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.contains_key("name") && object.get("version").is_some_and(|v| v == env!("CARGO_PKG_VERSION"))
                {
                    object.insert("version".into(), "[version]".into());
                }
                if object.contains_key("instructions") {
                    object.insert("instructions".into(), "[instructions]".into());
                }
                object.values_mut().for_each(walk);
            }
            Value::Array(array) => array.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut line);
    line
}

#[test]
fn transcripts() {
    insta::glob!("../fixtures/transcripts", "*.jsonl", |path| {
        let transcript = std::fs::read(path).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let written = runtime.block_on(async {
            let data = tempfile::tempdir().unwrap();
            let mut client = Client::spawn(serve_command(data.path()));
            let mut written = play(&mut client, &transcript).await;
            let (rest, code) = client.finish().await;
            for line in rest {
                written += &format!("< {}\n", normalised(line));
            }
            written + &format!("exit {}\n", code.unwrap())
        });
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(written);
        });
    });
}
