//! Output that comes in pieces: what came before tells what in a piece is a secret.

use std::sync::Arc;

use serde_json::json;
use tfo_mcp::{definition::ByteSize, engine::Call};

use super::{Room, bounds::Notes};
use crate::support::eventually::eventually;

/// Lines of a key that a script says one after the other, each when a file with its number is there.
const SLOWLY: &str = "echo '-----BEGIN RSA PRIVATE KEY-----'
for n in 1 2 3; do
  while [ ! -e go$n ]; do sleep 0.02; done
  echo \"MIIEpAIBAAKCAQEA7bq1yd0lKmN3c0RvX2s${n}\"
done
echo '-----END RSA PRIVATE KEY-----'
echo over
";

#[tokio::test]
async fn output_in_the_background_is_masked_by_what_was_read_before() {
    let room = Room::new();
    room.put("slowly.sh", SLOWLY);
    let text = room.call("execute_command", json!({"command": "sh slowly.sh", "background": true})).await.unwrap();
    let id = text.split("in the background as `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let mut said = String::new();
    for (go, until) in [("", "BEGIN"), ("go1", "***"), ("go2", "***"), ("go3", "over")] {
        if !go.is_empty() {
            room.put(go, "");
        }
        let mut piece = String::new();
        eventually("the next piece is said", async || {
            piece += &room.call("read_output", json!({"session_id": id})).await.unwrap();
            piece.contains(until)
        })
        .await;
        said += &piece;
    }
    assert!(!said.contains("MIIEpA") && said.contains("Masked as `***`"), "{said}");
}

#[tokio::test]
async fn progress_shows_no_line_of_a_secret() {
    let room = Room::new();
    let client = Arc::new(Notes::default());
    let call = Call { client: client.clone(), ..Call::default() };
    room.put("slowly.sh", SLOWLY.replace("echo over", "while [ ! -e go4 ]; do echo line of it; sleep 0.1; done"));
    let run = room.answer_to("execute_command", json!({"command": "sh slowly.sh"}), &call);
    let look = async {
        for go in ["go1", "go2", "go3"] {
            room.put(go, "");
        }
        let told = async || client.0.lock().unwrap().contains("line of it");
        eventually("the output is told as progress", told).await;
        room.put("go4", "");
    };
    let (answer, ()) = tokio::join!(run, look);
    assert!(answer.is_ok());
    let told = client.0.lock().unwrap().clone();
    assert!(!told.contains("MIIEpA"), "{told}");
}

/// A key of which the head of an output, or what has been said so far, holds all but the last sign.
#[tokio::test]
async fn a_key_is_not_shown_but_for_its_last_sign() {
    let room = Room::with(|commands| commands.max_output = ByteSize(4096));
    for key in ["AKIAIOSFODNN7EXAMPLE", "sk-ant-api03-Zx7qhuntR9sLk2mV4bN6wE8t"] {
        // So that the head ends one sign before the key does.
        let text = format!("print('A' * {} + ' {key} ' + 'B' * 9000)", 2048 - key.len());
        let arguments = json!({"command": "/usr/bin/python3", "args": ["-c", text]});
        let said = room.call("execute_command", arguments).await.unwrap();
        assert!(said.contains("AAA ***") && !said.contains(&key[..12]), "{said}");
    }
    room.put("says.sh", "printf 'id AKIAIOSFODNN7EXAMPL'; while [ ! -e go ]; do sleep 0.02; done; echo 'E ok'");
    let text = room.call("execute_command", json!({"command": "sh says.sh", "background": true})).await.unwrap();
    let id = text.split("in the background as `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let mut said = String::new();
    let read = async |until: &str, said: &mut String| {
        eventually("it is said", async || {
            *said += &room.call("read_output", json!({"session_id": id})).await.unwrap();
            said.contains(until)
        })
        .await;
    };
    read("id ", &mut said).await;
    room.put("go", "");
    read("ok", &mut said).await;
    assert!(!said.contains("AKIA") && said.contains("***"), "{said}");
}
