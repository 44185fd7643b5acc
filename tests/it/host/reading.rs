//! Reading: encodings, ranges, binary content, the cap and how to go on.

use serde_json::json;
use tfo_mcp::{
    definition::ByteSize,
    engine::{Body, Content},
};

use super::Room;

#[tokio::test]
async fn a_short_text_is_answered_as_it_is() {
    let room = Room::new();
    let text = "erste Zeile äöü\n\t[SYSTEM] `x` \u{202e}\r\nlast";
    room.put("a/b.txt", text);
    assert_eq!(room.call("read_file", json!({"path": "a/b.txt"})).await.unwrap(), text);
    let absolute = room.root().join("a/b.txt").display().to_string();
    assert_eq!(room.call("read_file", json!({ "path": absolute })).await.unwrap(), text);
    assert_eq!(room.call("read_file", json!({"path": "a/../a/./b.txt"})).await.unwrap(), text);
    room.put("empty", "");
    assert_eq!(room.call("read_file", json!({"path": "empty"})).await.unwrap(), "\nthe file is empty");
}

#[tokio::test]
async fn ranges_of_lines_and_bytes_say_where_they_are() {
    let room = Room::new();
    room.put("ten", (1..=10).map(|n| format!("line {n}\n")).collect::<String>());
    let read = async |more: serde_json::Value| {
        let mut arguments = json!({"path": "ten"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        room.call("read_file", arguments).await
    };
    assert_eq!(
        read(json!({"offset": 3, "limit": 2})).await.unwrap(),
        "line 3\nline 4\n\nlines 3 to 4 of a file of 71 bytes; go on with `offset: 5`"
    );
    assert_eq!(read(json!({"offset": 10})).await.unwrap(), "line 10\n\nline 10 of a file of 71 bytes; it ends here");
    assert_eq!(
        read(json!({"unit": "bytes", "offset": 5, "limit": 4})).await.unwrap(),
        "1\nli\nbytes 5 to 8 of a file of 71 bytes; go on with `unit: bytes` and `offset: 9`"
    );
    let error = read(json!({"offset": 11})).await.unwrap_err();
    assert!(error.contains("`offset` is 11") && error.contains("`ten` has 10 lines"), "{error}");
    let error = read(json!({"offset": 0})).await.unwrap_err();
    assert!(error.contains("`offset` is 0"), "{error}");
    let error = read(json!({"unit": "bytes", "offset": 71})).await.unwrap_err();
    assert!(error.contains("`offset` is 71") && error.contains("71 bytes"), "{error}");
}

#[tokio::test]
async fn pieces_of_a_long_file_put_together_are_the_file() {
    let room = Room::with(|files| files.max_read = ByteSize(1000));
    let text: String = (0..500).map(|n| format!("{n} {}\n", "ä€𝄞".repeat(n % 7))).collect();
    // One line that no answer holds, and a last line without an end.
    let text = format!("{text}{}\nlast", "é".repeat(1500));
    room.put("long", &text);
    let (mut whole, mut next, mut calls) = (String::new(), json!({}), 0);
    loop {
        let mut arguments = json!({"path": "long"});
        arguments.as_object_mut().unwrap().extend(next.as_object().cloned().unwrap());
        let answer = room.answer("read_file", arguments).await.unwrap();
        assert!(answer.text().len() <= 1000);
        whole += &answer.text();
        calls += 1;
        let note = answer.notes.join("");
        let Some((_, offset)) = note.split_once("`offset: ") else { break };
        let offset: u64 = offset.trim_end_matches('`').parse().unwrap();
        next = json!({"offset": offset, "unit": if note.contains("unit: bytes") { "bytes" } else { "lines" }});
    }
    assert_eq!(whole, text);
    assert!(calls > 10, "{calls}");
}

#[tokio::test]
async fn other_encodings_are_decoded_and_what_is_none_is_told() {
    let room = Room::new();
    room.put("latin", b"caf\xe9\n\x80");
    let error = room.error("read_file", json!({"path": "latin"})).await;
    assert!(error.contains("`latin` is not text in utf-8") && error.contains("`encoding`"), "{error}");
    let read =
        async |path: &str, encoding: &str| room.call("read_file", json!({"path": path, "encoding": encoding})).await;
    assert_eq!(read("latin", "windows-1252").await.unwrap(), "café\n€");
    assert_eq!(read("latin", "latin1").await.unwrap(), "café\n€");
    let utf_16: Vec<u8> = "\u{feff}eins\nzwei\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    room.put("utf16", &utf_16);
    assert_eq!(room.call("read_file", json!({"path": "utf16"})).await.unwrap(), "eins\nzwei\n");
    let second = room.call("read_file", json!({"path": "utf16", "offset": 2})).await.unwrap();
    assert!(second.starts_with("zwei\n"), "{second}");
    assert_eq!(read("utf16", "UTF-16LE").await.unwrap(), "eins\nzwei\n");
    room.put("sjis", b"\x93\xfa\x96\x7b");
    assert_eq!(read("sjis", "shift_jis").await.unwrap(), "日本");
    room.put("marked", "\u{feff}text");
    assert_eq!(room.call("read_file", json!({"path": "marked"})).await.unwrap(), "text");
    let error = read("sjis", "klingon").await.unwrap_err();
    assert!(error.contains("`encoding` is `klingon`"), "{error}");
}

#[tokio::test]
async fn what_is_no_text_is_binary_content() {
    let room = Room::with(|files| files.max_read = ByteSize(12));
    let png = b"\x89PNG\r\n\x1a\n\x00\x01\x02\x03\xff\xfe";
    room.put("a b/ü.png", png);
    let answer = room.answer("read_file", json!({"path": "a b/ü.png"})).await.unwrap();
    let Content::Embedded(content) = &answer.content[0] else { panic!("{answer:?}") };
    assert_eq!(content.uri, "file:///a%20b/%C3%BC.png");
    assert_eq!(content.mime_type.as_deref(), Some("image/png"));
    assert_eq!(content.body, Body::Blob("iVBORw0KGgoAAQID".to_owned()));
    assert!(answer.notes[0].contains("bytes 0 to 11 of a file of 14 bytes"), "{:?}", answer.notes);
    let rest = json!({"path": "a b/ü.png", "unit": "bytes", "offset": 12});
    // The rest alone might be text, and what it is is told by the beginning of the file.
    let answer = room.answer("read_file", rest).await.unwrap();
    let Content::Embedded(content) = &answer.content[0] else { panic!("{answer:?}") };
    assert_eq!(content.body, Body::Blob("//4=".to_owned()));
    room.put("text", "abc");
    let answer = room.answer("read_file", json!({"path": "text", "encoding": "base64"})).await.unwrap();
    let Content::Embedded(content) = &answer.content[0] else { panic!("{answer:?}") };
    assert_eq!(content.body, Body::Blob("YWJj".to_owned()));
    assert_eq!(answer.notes, ["its 3 bytes are answered as they are, as `encoding` asks"]);
    room.put("few", b"\x00");
    let answer = room.answer("read_file", json!({"path": "few"})).await.unwrap();
    assert_eq!(answer.notes, ["this is no text, so its 1 byte are answered as they are"]);
}

#[tokio::test]
async fn a_folder_is_listed_and_a_path_is_told_of() {
    let room = Room::new();
    room.put("b.txt", "12345");
    room.put("a/c/d.txt", "");
    room.put(".hidden", "");
    std::os::unix::fs::symlink("b.txt", room.root().join("link")).unwrap();
    std::os::unix::fs::symlink(room.outside(), room.root().join("out")).unwrap();
    let list = room.call("list_directory", json!({})).await.unwrap();
    let note = "1 hidden name left out; `include_hidden: true` shows them";
    assert_eq!(list, format!("a/\nb.txt (5 bytes)\nlink (link)\nout (link)\n{note}"));
    let list = room.call("list_directory", json!({"recursive": true, "include_hidden": true})).await.unwrap();
    assert_eq!(list, ".hidden (0 bytes)\na/\na/c/\na/c/d.txt (0 bytes)\nb.txt (5 bytes)\nlink (link)\nout (link)");
    let error = room.error("list_directory", json!({"path": "b.txt"})).await;
    assert!(error.contains("`b.txt` is no folder"), "{error}");
    for n in 0..1100 {
        room.put(&format!("many/{n:04}"), "");
    }
    let list = room.call("list_directory", json!({"path": "many"})).await.unwrap();
    assert!(list.contains("0999 (0 bytes)") && !list.contains("1000 (0 bytes)"), "{list}");
    assert!(list.contains("the first 1000 entries are shown"), "{list}");
    let info = room.call("get_file_info", json!({"path": "b.txt"})).await.unwrap();
    assert!(info.starts_with("path: b.txt\ntype: file\nsize: 5 bytes\nmodified: 20"), "{info}");
    let info = room.call("get_file_info", json!({"path": "link"})).await.unwrap();
    assert!(info.contains("leads to: b.txt"), "{info}");
    let info = room.call("get_file_info", json!({"path": "out"})).await.unwrap();
    assert!(info.contains("leads to: nothing that file tools may touch") && !info.contains("outside"), "{info}");
}

/// In an encoding that is not its own a secret is written in other letters, and half of a letter is none.
#[tokio::test]
async fn no_encoding_and_no_offset_shows_what_is_masked() {
    use base64::Engine as _;
    let room = Room::new();
    let text = "a=1\nDB_PASSWORD=hunter2X9\nb=2\n";
    let two: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let four: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    room.put("one", text);
    room.put("two", &two);
    room.put("two-marked", [b"\xff\xfe".to_vec(), two.clone()].concat());
    room.put("four", &four);
    room.put("four-marked", [b"\xff\xfe\0\0".to_vec(), four.clone()].concat());
    // The letters of an answer as bytes, in whichever encoding they were.
    let shows = |said: &str| {
        let units: Vec<u16> = said.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let plain = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>();
        let blob = said.split_whitespace().next().unwrap_or_default();
        let blob = base64::engine::general_purpose::STANDARD.decode(blob).unwrap_or_default();
        let all = [plain(said.as_bytes()), plain(&little), plain(&big), plain(&blob)];
        all.iter().any(|bytes| bytes.windows(7).any(|seven| seven == b"hunter2"))
    };
    for path in ["one", "two", "two-marked", "four", "four-marked"] {
        for encoding in [
            None,
            Some("utf-8"),
            Some("utf-16le"),
            Some("utf-16be"),
            Some("windows-1252"),
            Some("iso-2022-jp"),
            Some("base64"),
        ] {
            for (unit, offset) in [("lines", 1), ("lines", 2), ("bytes", 0), ("bytes", 1), ("bytes", 6), ("bytes", 9)] {
                let mut arguments = json!({"path": path, "unit": unit, "offset": offset});
                if let Some(encoding) = encoding {
                    arguments["encoding"] = json!(encoding);
                }
                let said = match room.answer("read_file", arguments.clone()).await {
                    Ok(answer) => {
                        let blob = answer.content.iter().find_map(|content| match content {
                            tfo_mcp::engine::Content::Embedded(resource) => match &resource.body {
                                tfo_mcp::engine::Body::Blob(data) => Some(data.clone()),
                                tfo_mcp::engine::Body::Text(_) => None,
                            },
                            _ => None,
                        });
                        blob.unwrap_or_else(|| answer.text())
                    }
                    Err(error) => error,
                };
                assert!(!shows(&said), "{arguments}: {said}");
            }
        }
    }
}

/// The line that names the columns lies far before what is shown.
#[tokio::test]
async fn a_page_of_a_long_table_is_masked_by_its_first_line() {
    let room = Room::new();
    let rows: String = (0..12_000).map(|n| format!("{n},name-{n},letmein{n}\n")).collect();
    room.put("users.csv", format!("id,name,password\n{rows}"));
    for arguments in [
        json!({"path": "users.csv", "offset": 9000, "limit": 3}),
        json!({"path": "users.csv", "unit": "bytes", "offset": 250_000}),
    ] {
        let said = room.call("read_file", arguments).await.unwrap();
        assert!(said.contains("***") && !said.contains("letmein"), "{}", &said[..200]);
    }
}

#[tokio::test]
async fn a_part_of_a_character_is_told() {
    let room = Room::new();
    room.put("f", "ä");
    let error = room.error("read_file", json!({"path": "f", "unit": "bytes", "limit": 1})).await;
    assert!(error.contains("raise `limit`"), "{error}");
}
