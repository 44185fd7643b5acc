//! Whether something is found tells nothing of a secret: files that answers show alike are searched and edited alike.

use serde_json::{Value, json};

use super::Room;

/// The same text around two secrets.
fn rooms() -> [Room; 2] {
    let key = "AbCd0123EfGh4567IjKl8901MnOp2345QrSt6789UvWx0123YzAb4567CdEf8901";
    let of = |password: &str, token: &str, turned: bool| {
        let key = if turned { key.chars().rev().collect() } else { key.to_owned() };
        let room = Room::new();
        room.put("app.env", format!("HOST=db\nDB_PASSWORD={password}\nRETRIES=3\n"));
        room.put("deep/app.yaml", format!("user: app\r\npassword: \"{password}\"\r\ntoken: {token}\r\nhost: db\r\n"));
        room.put(
            "deep/key.pem",
            format!("-----BEGIN RSA PRIVATE KEY-----\n{key}\n{key}\n-----END RSA PRIVATE KEY-----\nRETRIES=3\n"),
        );
        room
    };
    [
        of("hunter2X9", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", false),
        of("zebra77Qa", "sk_live_Zz9aB8cD7eF6gH5iJ4kL3mN2", true),
    ]
}

async fn alike(rooms: &[Room; 2], tool: &str, arguments: Value) -> String {
    let [one, other] = rooms;
    let said = [one.call(tool, arguments.clone()).await, other.call(tool, arguments.clone()).await];
    let [one, other] = said.map(|said| said.unwrap_or_else(|error| format!("error: {error}")));
    assert_eq!(one, other, "{tool}: {arguments}");
    one
}

#[tokio::test]
async fn a_search_finds_no_letter_of_what_is_masked() {
    let rooms = rooms();
    for content in [
        "^DB_PASSWORD=[a-m]",
        "^DB_PASSWORD=([a-m]|\\*)",
        "DB_PASSWORD=[a-m]?",
        "PASSWORD=h|RETRIES=9",
        "hunter2X9",
        "^DB_PASSWORD=.{9}$",
        "(?i)HUNTER",
        "sk_live_4",
        "token: .*d",
        "[a-z]{6}[0-9]X",
        "^AbCd",
        "\\d{4}$",
        "^[A-Za-z0-9]{64}$",
        ".",
        "",
        "x*",
    ] {
        let found = alike(&rooms, "search_files", json!({ "content": content, "context_lines": 1 })).await;
        assert!(!found.contains("hunter2X9") && !found.contains("4eC39H"), "{content}: {found}");
    }
    let found = alike(&rooms, "search_files", json!({ "content": "DB_PASSWORD|^token" })).await;
    assert!(found.starts_with("app.env:2:DB_PASSWORD=***\ndeep/app.yaml:3:token: ***"), "{found}");
    // What answers show is what is looked for.
    let found = alike(&rooms, "search_files", json!({ "content": "=\\*{3}$" })).await;
    assert!(found.starts_with("app.env:2:DB_PASSWORD=***"), "{found}");
}

#[tokio::test]
async fn an_edit_finds_no_letter_of_what_is_masked() {
    for dry_run in [true, false] {
        let rooms = rooms();
        for (path, old) in [
            ("app.env", "DB_PASSWORD=h"),
            ("app.env", "DB_PASSWORD=hunter2X9"),
            ("app.env", "DB_PASSWORD=hunter2X9\nRETRIES=3"),
            ("app.env", "hunter2"),
            ("app.env", "PASSWORD=hunter2X8"),
            ("app.env", "9\nRETRIES"),
            ("app.env", "e"),
            ("app.env", "DB_PASSWORD=***"),
            ("deep/app.yaml", "password: \"h"),
            ("deep/app.yaml", "sk_live_4"),
            ("deep/key.pem", "AbCd"),
            ("deep/key.pem", "KEY-----\nAbCd"),
            ("deep/key.pem", "0123"),
        ] {
            let arguments = json!({ "path": path, "old_text": old, "new_text": "~", "dry_run": dry_run });
            let said = alike(&rooms, "edit_file", arguments).await;
            assert!(said.starts_with("error: "), "{old}: {said}");
        }
        // Nor does it take away what says that something is a secret, after which it would be read.
        for (path, old) in [
            ("app.env", "DB_PASSWORD"),
            ("deep/app.yaml", "password"),
            ("deep/key.pem", "-----BEGIN RSA PRIVATE KEY-----"),
        ] {
            let arguments = json!({ "path": path, "old_text": old, "new_text": "colour", "dry_run": dry_run });
            let said = alike(&rooms, "edit_file", arguments).await;
            assert!(said.starts_with("error: ") && said.contains("and would show it then"), "{old}: {said}");
        }
        // What stands around it can be changed, and it stays.
        for (path, old, new) in [
            ("app.env", "DB_PASSWORD", "PG_PASSWORD"),
            ("deep/app.yaml", "host: db", "host: pg"),
            ("deep/key.pem", "RETRIES=3", ""),
        ] {
            let arguments = json!({ "path": path, "old_text": old, "new_text": new, "dry_run": dry_run });
            let said = alike(&rooms, "edit_file", arguments).await;
            assert!(!said.starts_with("error: ") && !said.contains("hunter2X9"), "{said}");
        }
        let kept = rooms[0].text("app.env");
        assert_eq!(kept, format!("HOST=db\n{}_PASSWORD=hunter2X9\nRETRIES=3\n", if dry_run { "DB" } else { "PG" }));
        let kept = rooms[0].text("deep/app.yaml");
        assert!(kept.contains("token: sk_live_4eC39HqLyjWDarjtT1zdp7dc\r\n"), "{kept}");
    }
}

#[tokio::test]
async fn a_diff_tells_of_no_guess_whether_it_is_what_is_masked() {
    let rooms = rooms();
    let key = "AbCd0123EfGh4567IjKl8901MnOp2345QrSt6789UvWx0123YzAb4567CdEf8901";
    let guesses = "DB_PASSWORD=hunter2X8\nDB_PASSWORD=hunter2X9\nDB_PASSWORD=zebra77Qb\n";
    for (path, old, new) in [
        ("app.env", "HOST=db\n", "HOST=db\nDB_PASSWORD=hunter2X9\n".to_owned()),
        ("app.env", "HOST=db\n", format!("HOST=db\n{guesses}")),
        ("app.env", "HOST=db\n", guesses.to_owned()),
        ("app.env", "\nRETRIES", "\nDB_PASSWORD=hunter2X9\nRETRIES".to_owned()),
        ("app.env", "\nRETRIES=3", format!(" #\n{guesses}RETRIES=3")),
        ("app.env", "RETRIES=3\n", format!("{guesses}B=1\n")),
        ("app.env", "RETRIES=3\n", "DB_PASSWORD=hunter2X9\n".to_owned()),
        ("deep/app.yaml", "user: app\n", "user: app\npassword: \"hunter2X9\"\n".to_owned()),
        ("deep/app.yaml", "host: db", "token: sk_live_4eC39HqLyjWDarjtT1zdp7dc\nhost: db".to_owned()),
        (
            "deep/key.pem",
            "RETRIES=3",
            format!("-----BEGIN RSA PRIVATE KEY-----\n{key}\n{key}\n-----END RSA PRIVATE KEY-----\nRETRIES=3"),
        ),
    ] {
        let arguments = json!({ "path": path, "old_text": old, "new_text": new, "dry_run": true });
        let said = alike(&rooms, "edit_file", arguments).await;
        assert!(said.contains("@@") && said.contains("***") && !said.contains("hunter2X9"), "{old}: {said}");
    }
    // What stays stays, although it is masked.
    let arguments = json!({ "path": "app.env", "old_text": "RETRIES=3", "new_text": "RETRIES=4", "dry_run": true });
    let said = alike(&rooms, "edit_file", arguments).await;
    assert!(said.contains("\n HOST=db\n DB_PASSWORD=***\n-RETRIES=3\n+RETRIES=4"), "{said}");
    let arguments =
        json!({ "path": "app.env", "old_text": "\nRETRIES", "new_text": "\nB=1\nRETRIES", "dry_run": true });
    let said = alike(&rooms, "edit_file", arguments).await;
    assert!(said.contains("\n DB_PASSWORD=***\n+B=1\n RETRIES=3"), "{said}");
}

#[tokio::test]
async fn a_diff_masks_the_lines_that_the_file_has_whatever_else_ends_them() {
    let room = Room::new();
    let key = "AbCd0123EfGh4567IjKl8901MnOp2345QrSt6789UvWx0123YzAb4567CdEf8901";
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{key}\n{key}\n-----END RSA PRIVATE KEY-----\n");
    room.put("key.txt", format!("a\rb\rc\rd\n{pem}RETRIES=3\n"));
    let arguments = json!({ "path": "key.txt", "old_text": "RETRIES=3", "new_text": "RETRIES=4", "dry_run": true });
    let said = room.call("edit_file", arguments).await.unwrap();
    assert!(said.contains("***") && said.contains("+RETRIES=4") && !said.contains("AbCd0123"), "{said}");
}

#[tokio::test]
async fn a_mask_behind_a_guess_tells_nothing_of_it() {
    let rooms = rooms();
    for (room, password) in rooms.iter().zip(["hunter2X9", "zebra77Qa"]) {
        room.put("note.env", format!("DB_PASSWORD={password} # change me ***\n"));
    }
    let content = "HOST=a\nDB_PASSWORD=hunter2X9 # change me ***\n";
    let said = alike(&rooms, "write_file", json!({ "path": "note.env", "content": content })).await;
    assert!(said.starts_with("Wrote"), "{said}");
    let content = "HOST=a\nDB_PASSWORD=*** # change me ***\n";
    let said = alike(&rooms, "write_file", json!({ "path": "note.env", "content": content })).await;
    assert!(said.contains("would hold `***` in its place"), "{said}");
}
