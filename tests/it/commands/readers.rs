//! Lines that were read otherwise than a shell or a program reads them (`tests/attacks/readers.txt`).

use serde_json::json;

use super::Room;

const TABLE: &str = "tests/attacks/readers.txt";

#[tokio::test]
async fn what_is_not_understood_is_refused_and_lines_of_every_day_are_read() {
    let room = Room::with(|commands| commands.deny.push("rm".to_owned()));
    let table = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE)).unwrap();
    let (mut refused, mut wrong) = (0, Vec::new());
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        room.put("victim", "content");
        let (kind, words) = line.split_once(' ').unwrap();
        let words: Vec<String> = serde_json::from_str(words).unwrap();
        let arguments = json!({"command": words[0], "args": words[1..], "timeout": 1});
        let error = room.call("execute_command", arguments).await.err().unwrap_or_default();
        let is_refused = ["denies it", "cannot be judged", "known only when it runs", "make names mean"]
            .iter()
            .any(|why| error.contains(why));
        refused += usize::from(is_refused);
        if is_refused != (kind == "refused") || !room.root().join("victim").exists() {
            wrong.push(format!("{line}\n    {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused > 100, "{refused}");
}
