//! Pieces of files, of diffs, of found lines and of streams: what stands around a piece tells what in it is a secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tfo_mcp::masking::MASK;

use crate::support::client::{Client, in_working_folder};

/// A server in a working folder, with a private key and settings of an application in it.
struct Place {
    folder: tempfile::TempDir,
    client: Client,
    /// Lines of the key.
    key: Vec<String>,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = |n: usize| {
            let mut state = 0x9e37_79b9_u32.wrapping_mul(n as u32 + 1);
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(state >> 16) as usize % 64] as char
            };
            (0..64).map(|_| next()).collect::<String>()
        };
        let key: Vec<String> = (0..20).map(line).collect();
        let work = folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        let write = |name: &str, text: String| std::fs::write(work.join(name), text).unwrap();
        let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", key.join("\n"));
        write("k.pem", pem.clone());
        write(".env", "DB_PASSWORD=hunter2X9\nPORT=8080\n".to_owned());
        let filler = "name: a line of a long file\n".repeat((64 << 10) / 28 - 3);
        write("long.yaml", format!("{filler}tls: |\n  {}", pem.replace('\n', "\n  ")));
        write("wide.txt", format!("{}ghp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5 end\n", "x ".repeat(140)));
        let client = in_working_folder(folder.path(), "files").await;
        Self { folder, client, key }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> String {
        self.client.call(tool, arguments).await.to_string()
    }

    fn shows_nothing(&self, said: &str) {
        let secrets = self.key.iter().map(String::as_str).chain(["hunter2X9", "ghp_aB3d"]);
        let shown: Vec<&str> = secrets.filter(|secret| said.contains(secret)).collect();
        assert!(shown.is_empty() && said.contains(MASK), "{shown:?} in {said}");
    }
}

#[tokio::test]
async fn a_range_of_a_file_is_masked_as_in_the_whole_file() {
    let mut place = Place::new().await;
    for arguments in [
        json!({"path": "k.pem", "offset": 2}),
        json!({"path": "k.pem", "offset": 5, "limit": 1}),
        json!({"path": "k.pem", "unit": "bytes", "offset": 100, "limit": 200}),
        json!({"path": ".env", "unit": "bytes", "offset": 12}),
        json!({"path": ".env", "unit": "bytes", "offset": 14, "limit": 5}),
        json!({"path": ".env", "unit": "bytes", "offset": 0, "limit": 15}),
    ] {
        let said = place.call("read_file", arguments.clone()).await;
        place.shows_nothing(&said);
        assert!(!said.contains("nter2") && said.contains("Masked as"), "{arguments}: {said}");
    }
    let said = place.call("read_file", json!({"path": ".env", "offset": 2})).await;
    assert!(said.contains("PORT=8080") && !said.contains(MASK), "{said}");
    // Page by page, as the answer tells to go on.
    let first = place.client.call("read_file", json!({"path": "long.yaml"})).await;
    let next = first["content"].to_string();
    let at = next.split("`offset: ").nth(1).and_then(|rest| rest.split('`').next()).unwrap().parse::<u64>().unwrap();
    let second = place.call("read_file", json!({"path": "long.yaml", "offset": at})).await;
    place.shows_nothing(&second);
    let all = first.to_string();
    assert!(place.key.iter().all(|line| !all.contains(line.as_str())), "{all}");
}

#[tokio::test]
async fn bytes_of_a_text_are_masked_whatever_encoding_it_has() {
    let mut place = Place::new().await;
    let wide: Vec<u8> = "\u{feff}A=1\nDB_PASSWORD=hunter2X9\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(place.folder.path().join("work").join("wide.env"), wide).unwrap();
    std::fs::write(place.folder.path().join("work").join("latin.env"), b"N=caf\xe9\nDB_PASSWORD=hunter2X9\n").unwrap();
    for name in [".env", "wide.env", "latin.env"] {
        for offset in [0, 20] {
            let arguments = json!({"path": name, "encoding": "base64", "unit": "bytes", "offset": offset});
            let answer = place.client.call("read_file", arguments).await;
            let blob = answer["content"].as_array().unwrap().iter().find_map(|part| part["resource"]["blob"].as_str());
            let bytes = STANDARD.decode(blob.unwrap()).unwrap();
            let text: String = bytes.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
            assert!(!text.contains("ter2X9") && text.contains(MASK), "{name} from {offset}: {text}");
        }
    }
    let token = "ghp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5.bin";
    std::fs::write(place.folder.path().join("work").join(token), b"\x00\x01\x02").unwrap();
    let said = place.call("read_file", json!({"path": token})).await;
    place.shows_nothing(&said);
}

/// What names a value may stand anywhere in a file before a page of it.
#[tokio::test]
async fn a_page_is_masked_by_what_its_file_says_however_far_before() {
    let mut place = Place::new().await;
    let work = place.folder.path().join("work");
    let filler = "x".repeat(30);
    let rows = |row: &str, end: &str| row.replace("{}", &filler).repeat(4000) + end;
    for (name, text) in [
        ("a.md", format!("| user | password |\n|---|---|\n{}", rows("| {} | hunter2X9 |\n", ""))),
        ("a.csv", format!("{}id,password\n{}", "# c\n".repeat(20), rows("{},hunter2X9\n", ""))),
        (
            "a.json",
            format!("{{\"columns\":[\"u\",\"password\"],\"rows\":[\n{}", rows("[\"{}\",\"hunter2X9\"],\n", "[]]}")),
        ),
        ("b.json", format!("{{\"passwords\":[\n{}", rows("\"hunter2X9{}\",\n", "\"\"]}"))),
        ("a.sql", format!("INSERT INTO users (id, password) VALUES\n{}", rows("('{}','hunter2X9'),\n", "('','');\n"))),
        ("b.sql", format!("COPY users (id, password) FROM stdin;\n{}", rows("{}\thunter2X9\n", "\\.\n"))),
    ] {
        std::fs::write(work.join(name), text).unwrap();
        for encoding in [None, Some("latin1")] {
            let mut arguments = json!({"path": name, "offset": 3900, "limit": 3});
            encoding.into_iter().for_each(|encoding| arguments["encoding"] = encoding.into());
            let said = place.call("read_file", arguments).await;
            place.shows_nothing(&said);
        }
    }
    let value = "Zq7".repeat(60_000);
    std::fs::write(work.join("a.env"), format!("A=1\npassword=\"{value}\"\nAUTH_TOKEN={value}\nend\n")).unwrap();
    for offset in [100, 70_000, 150_000, 200_000, 300_000] {
        let arguments = json!({"path": "a.env", "unit": "bytes", "offset": offset, "limit": 60});
        let said = place.call("read_file", arguments).await;
        assert!(!said.contains("Zq7") && said.contains(MASK), "{offset}: {said}");
    }
}

/// Signs that frame a table are the same in whichever encoding it is read.
#[tokio::test]
async fn a_table_of_a_terminal_is_masked_in_an_encoding_that_is_not_its_own() {
    let mut place = Place::new().await;
    let table = "┏━━━━━━┳━━━━━━━━━━━┓\n┃ user ┃ password  ┃\n┡━━━━━━╇━━━━━━━━━━━┩\n│ bob  │ hunter2X9 │\n└──────┴───────────┘\n";
    let work = place.folder.path().join("work");
    std::fs::write(work.join("t.txt"), table).unwrap();
    std::fs::write(work.join("w.txt"), table.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    for (name, encoding) in [("t.txt", "utf-8"), ("t.txt", "latin1"), ("w.txt", "utf-16le"), ("w.txt", "latin1")] {
        let said = place.call("read_file", json!({"path": name, "encoding": encoding})).await;
        assert!(!said.replace("\\u0000", "").contains("hunter2X9"), "{name} as {encoding}: {said}");
    }
}

#[tokio::test]
async fn found_lines_are_masked_as_in_their_file_and_before_they_are_cut() {
    let mut place = Place::new().await;
    for arguments in [
        json!({"path": ".", "content": "^([A-Za-z0-9+/=]{40,}|.*\\*)$"}),
        json!({"path": "k.pem", "content": "^-----END", "context_lines": 5}),
        json!({"path": "wide.txt", "content": "end"}),
    ] {
        let said = place.call("search_files", arguments).await;
        place.shows_nothing(&said);
    }
}

#[tokio::test]
async fn a_diff_is_masked_by_the_file_on_both_sides() {
    let mut place = Place::new().await;
    let edit =
        |path: &str, old: &str, new: &str| json!({"path": path, "old_text": old, "new_text": new, "dry_run": true});
    let said = place.call("edit_file", edit(".env", "DB_PASSWORD=", "PG_PASSWORD=")).await;
    place.shows_nothing(&said);
    assert!(said.contains("+PG_PASSWORD=***") && said.contains("-DB_PASSWORD=***"), "{said}");
    let said = place.call("edit_file", edit(".env", "DB_PASSWORD=", "x ")).await;
    assert!(said.contains("would show it then") && !said.contains("hunter2X9"), "{said}");
    let fourth = place.key[3].clone();
    let said = place.call("edit_file", edit("k.pem", &fourth[..8], "")).await;
    place.shows_nothing(&said);
    assert!(!said.contains(&fourth[8..]), "{said}");
    let said = place.call("edit_file", edit(".env", "hunter2X8", "")).await;
    assert!(said.contains("does not stand") && !said.contains("hunter2X9"), "{said}");
    let said = place.call("edit_file", edit(".env", "PORT=8080", "PORT=9090")).await;
    assert!(said.contains("-PORT=8080") && said.contains("+PORT=9090") && said.contains("DB_PASSWORD=***"), "{said}");
}

/// What a client of Redis is told ends with its line.
#[test]
fn what_redis_is_told_is_masked() {
    let masking = tfo_mcp::masking::Masking::secrets();
    assert_eq!(masking.masked("redis> AUTH hunter2X9\nOK").0, "redis> AUTH ***\nOK");
    assert_eq!(masking.masked("AUTH app hunter2X9").0, "AUTH app ***");
    assert_eq!(masking.masked("AUTH FAILED").0, "AUTH FAILED");
}

/// With a bracket in it a password is like a call, where nothing tells that it is none.
#[test]
fn a_password_with_an_open_bracket_is_masked() {
    let masking = tfo_mcp::masking::Masking::secrets();
    assert_eq!(masking.masked("DB_PASSWORD=Summer(2024").0, "DB_PASSWORD=***");
    assert_eq!(masking.masked("password=hunter2X9(").0, "password=***");
}

/// A statement that shortens a column leaves a password without what tells that it is one.
#[test]
fn a_password_that_a_cut_ends_is_masked() {
    let masking = tfo_mcp::masking::Masking::secrets();
    for (text, shown) in [
        ("cannot reach postgres://app:hunter2X", "cannot reach postgres://app:***"),
        ("cannot reach http://db:5432", "cannot reach http://db:5432"),
        ("write http://host:port", "write http://host:port"),
        ("write http://host:<port>", "write http://host:<port>"),
        ("see https://example.com/a:b", "see https://example.com/a:b"),
    ] {
        assert_eq!(masking.masked(text).0, shown);
    }
}

/// A text of more than a megabyte that names at its beginning what all of its lines hold, or at its end.
fn long_texts(lines: usize) -> Vec<(&'static str, String)> {
    let rows = |row: &str| (0..lines).map(|n| row.replace("{n}", &format!("{n:06}"))).collect::<String>();
    let list = rows("\"alphabravo{n}\",");
    vec![
        (
            "s.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData:\n{}",
                rows("  k{n}: alphabravo{n}\n")
            ),
        ),
        (
            "s.log",
            format!(
                "12:00:00 INFO kind: Secret\n12:00:00 INFO stringData:\n{}",
                rows("12:00:01.000 INFO   k{n}: alphabravo{n}\n")
            ),
        ),
        ("k.yaml", format!("apiVersion: v1\ndata:\n{}kind: Secret\n", rows("  k{n}: alphabravo{n}\n"))),
        ("l.yaml", format!("passwords:\n{}", rows("- alphabravo{n}\n"))),
        ("p.yaml", format!("password: |\n{}", rows("  alphabravo{n}\n"))),
        ("c.csv", format!("id,password\n{}", rows("{n},alphabravo{n}\n"))),
        ("m.md", format!("# a\n\nb\n\n| id | password |\n|---|---|\n{}", rows("| {n} | alphabravo{n} |\n"))),
        ("j.json", format!("{{\n \"passwords\": [\n{}  \"\"]}}", rows("  \"alphabravo{n}\",\n"))),
        ("j1.json", format!("{{\"passwords\": [{list}\"\"]}}")),
        ("i.sql", format!("INSERT INTO users (id, password) VALUES\n{}(0, '');\n", rows("({n}, 'alphabravo{n}'),\n"))),
    ]
}

/// What a command wrote is masked by all that it wrote, however much lies between its head and its tail.
#[tokio::test]
async fn the_tail_of_a_long_output_is_masked_by_its_beginning_and_its_head_by_its_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("work")).unwrap();
    let mut client = in_working_folder(folder.path(), "files,system").await;
    for (name, text) in long_texts(40_000) {
        std::fs::write(folder.path().join("work").join(name), text).unwrap();
        let said = client.call("execute_command", json!({"command": "cat", "args": [name]})).await.to_string();
        assert!(said.contains("are left out here") && said.contains(MASK), "{name}: {said}");
        assert!(!said.contains("alphabravo"), "{name}: {}", &said[..2000]);
    }
}

/// Lines of a file, of which more stands before than is looked through for each.
#[tokio::test]
async fn lines_of_a_long_file_are_masked_wherever_what_names_them_stands() {
    let mut place = Place::new().await;
    for (name, text) in long_texts(250_000) {
        let (lines, bytes) = (text.lines().count(), text.len());
        std::fs::write(place.folder.path().join("work").join(name), &text).unwrap();
        let mut asked = vec![json!({"path": name, "unit": "bytes", "offset": bytes - 300_000, "limit": 90})];
        if lines > 100 {
            asked.push(json!({"path": name, "offset": lines - 9, "limit": 3}));
        }
        for arguments in asked.into_iter().filter(|_| name != "k.yaml") {
            let said = place.call("read_file", arguments).await;
            assert!(!said.contains("alphabravo") && said.contains(MASK), "{name}: {said}");
        }
    }
    let text = long_texts(60_000).swap_remove(0).1;
    std::fs::write(place.folder.path().join("work").join("s.yaml"), text).unwrap();
    let said = place.call("search_files", json!({"path": "s.yaml", "content": "k050000"})).await;
    assert!(said.contains("k050000") && !said.contains("alphabravo"), "{said}");
}
