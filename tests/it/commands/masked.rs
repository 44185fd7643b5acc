//! Output that comes in pieces: what came before tells what in a piece is a secret.

use std::sync::Arc;

use serde_json::json;
use tfo_mcp::engine::Call;

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
