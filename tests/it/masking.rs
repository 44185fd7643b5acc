//! Secrets and what looks like them: the corpus of `masking.txt` through the forms, and through a server that runs.

mod cells;
mod pieces;
mod readings;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tfo_mcp::masking::{MASK, Masking, Personal};

use crate::support::{
    client::{Client, modern, serve_command},
    http::{HttpServer, http_client},
};

/// How often each form is filled.
const FILLINGS: usize = 4;

/// Characters that stand for `{c:N}`; each tells by itself that nobody wrote it.
fn filled(form: &str, seed: usize) -> String {
    let mut state = 0x9e37_79b9_u32.wrapping_mul(seed as u32 + 1) ^ form.len() as u32;
    let mut next = |of: &[u8]| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        of[(state >> 16) as usize % of.len()] as char
    };
    let mut text = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        let place = after.split_once('}').and_then(|(place, after)| {
            let (class, length) = place.split_once(':')?;
            Some((class, length.parse::<usize>().ok()?, after))
        });
        let Some((class, length, after)) = place else {
            text.push('{');
            rest = after;
            continue;
        };
        let of: &[u8] = match class {
            "h" => b"0123456789abcdef",
            "u" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "b" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            _ => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        };
        text.extend((0..length).map(|_| next(of)));
        rest = after;
    }
    (text + rest).replace('¶', "\n")
}

/// A text with the secrets in it.
struct Case {
    text: String,
    secrets: Vec<String>,
    /// What stands around them.
    around: Vec<String>,
}

fn corpus() -> (Vec<Case>, Vec<&'static str>) {
    let file = include_str!("masking.txt");
    let (secrets, alike) = file.split_once("\n---\n").unwrap();
    let written = |part: &'static str| part.lines().filter(|line| !line.starts_with("# ") && !line.is_empty());
    let case = |form: &str, seed: usize| {
        let text = filled(form, seed);
        let parts: Vec<&str> = text.split(['«', '»']).collect();
        let odd = |n: usize| parts.iter().enumerate().filter(move |(at, _)| at % 2 == n);
        let secrets: Vec<String> = odd(1).flat_map(|(_, part)| part.split([' ', '\n'])).map(str::to_owned).collect();
        Case { around: odd(0).map(|(_, part)| (*part).to_owned()).collect(), text: parts.concat(), secrets }
    };
    let cases = written(secrets).flat_map(|form| (0..FILLINGS).map(move |seed| case(form, seed)));
    (cases.collect(), written(alike).collect())
}

#[test]
fn no_listed_form_is_missed_and_nothing_that_looks_alike_is_masked() {
    let (cases, alike) = corpus();
    assert!(cases.len() >= 1000 && alike.len() >= 230, "{} and {}", cases.len(), alike.len());
    let masking = Masking::secrets();
    let mut wrong = Vec::new();
    for case in &cases {
        let (shown, count) = masking.masked(&case.text);
        let missed = case.secrets.iter().any(|secret| shown.contains(secret.as_str()));
        if missed || count == 0 || !shown.contains(MASK) {
            wrong.push(format!("missed: {} -> {shown}", case.text));
        }
        // Masked once is masked: nothing is counted again.
        if masking.masked(&shown).1 > 0 {
            wrong.push(format!("masked again: {shown} -> {}", masking.masked(&shown).0));
        }
    }
    for text in &alike {
        let text = text.replace('¶', "\n");
        let (shown, count) = masking.masked(&text);
        if count > 0 {
            wrong.push(format!("masked for nothing: {text} -> {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len() + alike.len(), wrong.join("\n"));
}

#[test]
fn what_stands_around_a_secret_stays() {
    let masking = Masking::secrets();
    for (text, shown) in [
        ("user=app password=hunter2! host=db", "user=app password=*** host=db"),
        ("checkout,postgres://app:hunter2@db/app,17\nweb,-,3", "checkout,postgres://app:***@db/app,17\nweb,-,3"),
        (r#""{""api_key"": ""abcd1234EFGH""}",5,7"#, r#""{""api_key"": ""***""}",5,7"#),
        ("GET /a?token=abcdEFGH1234&page=2 HTTP/1.1", "GET /a?token=***&page=2 HTTP/1.1"),
        ("no role: password=hunter2, try again", "no role: password=***, try again"),
    ] {
        assert_eq!(masking.masked(text).0, shown);
    }
    let mut value =
        json!({"password": "hunter2", "note": "Bearer abcdEFGH1234ijkl", "user": "app", "n": [1, null, true]});
    masking.mask(&mut value);
    assert_eq!(value, json!({"password": "***", "note": "Bearer ***", "user": "app", "n": [1, null, true]}));
}

#[test]
fn the_tail_of_a_value_stays_behind_no_mask() {
    let masking = Masking::secrets();
    for (text, shown) in [
        ("password=abc&3secretTail x=1", "password=*** x=1"),
        ("GET /a?password=abc&page=2", "GET /a?password=***&page=2"),
        (r#"{"password": "correct horse battery", "n": 1}"#, r#"{"password": "***", "n": 1}"#),
        (r#"{"password":"ab\"cd","n":1}"#, r#"{"password":"***","n":1}"#),
        (r#"{\"password\":\"a b\",\"n\":1}"#, r#"{\"password\":\"***\",\"n\":1}"#),
        ("pwd=let;me;in;server=db", "pwd=***;server=db"),
        ("<password>a b</password>", "<password>***</password>"),
        ("password: correct horse\nuser: app", "password: ***\nuser: app"),
        ("password: |\n  correct\n  horse\nuser: app", "password: |\n  ***\nuser: app"),
        (r#"{"password":["a b","c"],"n":1}"#, r#"{"password":["***","***"],"n":1}"#),
        ("Cookie: lang=en; sid=abcd1234; theme=dark", "Cookie: lang=en; sid=***; theme=dark"),
        ("postgres://app:p@ss@db:5432/x, mail me@x.org", "postgres://app:***@db:5432/x, mail me@x.org"),
    ] {
        assert_eq!(masking.masked(text).0, shown);
    }
}

#[test]
fn the_body_of_a_private_key_does_not_stay_behind_its_first_line() {
    let (a, b) = ("MIIEpAIBAAKCAQEA7bq1yd0lKmN3c0RvX2s5", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RF");
    for key in [
        format!("key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  {a}\n  {b}\n  -----END RSA PRIVATE KEY-----\nnext: 1"),
        format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{a}\n{b}\n=x1Yz\n-----END PGP PRIVATE KEY BLOCK-----\nnext"),
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{a}\n{b}\n-----END RSA PRIVATE KEY-----\nnext"
        ),
        format!("1 a: -----BEGIN PRIVATE KEY-----\n1 a: {a}\n1 a: {b}\n1 a: -----END PRIVATE KEY-----\n1 a: next"),
        format!("-----BEGIN PRIVATE KEY-----\r\n{a}\r\n{b}\r\n-----END PRIVATE KEY-----\r\nnext"),
        format!("{{\"k\":\"-----BEGIN PRIVATE KEY-----\\n{a}\\n{b}\\n-----END PRIVATE KEY-----\",\"next\":1}}"),
    ] {
        let (shown, count) = Masking::secrets().masked(&key);
        assert!(count > 0 && !shown.contains(a) && !shown.contains(b), "{shown}");
        assert!(shown.contains("next") && shown.contains("-----END"), "{shown}");
    }
    let mut member = json!({"key": format!("-----BEGIN PRIVATE KEY-----\n{a}\n-----END PRIVATE KEY-----")});
    assert_eq!(Masking::secrets().mask(&mut member), 1);
    assert_eq!(member["key"], "-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----");
}

#[test]
fn a_value_shows_nothing_that_its_text_masks() {
    let masking = Masking::secrets();
    let token = format!("ghp_{}", "aB3dE6".repeat(6));
    for (value, shown) in [
        (json!({ (token.clone()): 1, "n": 2 }), json!({"***": 1, "n": 2})),
        (json!({ (token.clone()): 1, (format!("{token}x")): 2 }), json!({"***": 1, "*** (2)": 2})),
        (json!({"password": ["hunter2X9", ["letmein"]]}), json!({"password": ["***", ["***"]]})),
        (json!([[{"password": ["hunter2X9"]}]]), json!([[{"password": ["***"]}]])),
        (json!({"name": "DB_PASSWORD", "value": "letmein"}), json!({"name": "DB_PASSWORD", "value": "***"})),
        (json!({"password": {"value": "letmein"}}), json!({"password": {"value": "***"}})),
        (json!({"Authorization": "Bearer 0123456789abcdef"}), json!({"Authorization": "Bearer ***"})),
        (json!({"cookie": "lang=en; sid=abcd1234"}), json!({"cookie": "lang=en; sid=***"})),
        (json!({"password": "correct horse battery"}), json!({"password": "***"})),
        (json!({"json": "{\"api_key\":\"a b c\"}"}), json!({"json": "{\"api_key\":\"***\"}"})),
    ] {
        let mut given = value.clone();
        assert!(masking.mask(&mut given) > 0, "{value}");
        assert_eq!(given, shown);
        let text = masking.masked(&value.to_string()).0.into_owned();
        assert!(text.contains(MASK) && !text.contains("letmein") && !text.contains("hunter2X9"), "{text}");
    }
    for value in [
        json!({"password": null, "secret": false, "token": 4, "key": 17}),
        json!({"secret": {"secretName": "web-tls"}, "password": {"type": "string"}}),
        json!({"Idempotency-Key": "key-9e107d9d372bb6826bd81d3542a419d6", "token": "4bf92f3577b34da6a3ce929d0e0e4736"}),
        json!({"name": "REPLICAS", "value": "three"}),
        json!({"password": "required", "pod": "sk-checkout-7f9c8d5b4-x2z9q"}),
    ] {
        let mut given = value.clone();
        assert_eq!((masking.mask(&mut given), given), (0, value));
    }
}

#[test]
fn a_text_of_json_does_not_hide_a_secret_in_its_escapes() {
    for said in [
        "password: |\n  letmein",
        "{'password':['letmein']}",
        "SET PASSWORD 'letmein'",
        "password='bat''s letmein' host=db",
        "'cookie': ['sid=letmein1']",
    ] {
        let text = json!({"note": said}).to_string().replace('\'', "\\u0027");
        let (shown, count) = Masking::secrets().masked(&text);
        assert!(count > 0 && !shown.contains("letmein"), "{shown}");
        assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
    }
}

#[test]
fn personal_data_are_masked_where_their_kind_is_named_and_by_their_check_digits() {
    let all = [Personal::Email, Personal::Card, Personal::Iban, Personal::Phone, Personal::Ip];
    let (none, all) = (Masking::new(true, &[], &BTreeMap::new()), Masking::new(false, &all, &BTreeMap::new()));
    for (text, shown) in [
        ("by ada.lovelace+ops@mail.example.co.uk.", "by ***."),
        ("card 4111 1111 1111 1111 declined", "card *** declined"),
        ("card 4111 1111 1111 1112 declined", "card 4111 1111 1111 1112 declined"),
        ("order 1234567890123", "order 1234567890123"),
        ("to DE89 3704 0044 0532 0130 00 at once", "to *** at once"),
        ("to GB82WEST12345698765432", "to ***"),
        ("to GB82WEST12345698765433", "to GB82WEST12345698765433"),
        ("call +49 (30) 901820-17", "call ***"),
        ("from 192.0.2.17:443", "from ***:443"),
        ("from 2001:db8::8a2e:370:7334", "from ***"),
        ("by user%40example.com, user\\u0040example.com", "by ***, ***"),
        ("by o'brien@example.com and müller@example.com", "by *** and ***"),
        ("{\\nada@example.com}", "{\\n***}"),
        ("clone git@github.com:a/b.git", "clone git@github.com:a/b.git"),
        ("to de89370400440532013000 AT ONCE", "to *** AT ONCE"),
        ("to DE89 3704 0044 0532 0130 00 AT ONCE", "to *** AT ONCE"),
        ("commit de89370400440532013001", "commit de89370400440532013001"),
        ("dead::beef, a::b and fe80::1", "dead::beef, a::b and ***"),
        ("+12345678 rows", "+12345678 rows"),
        ("call +49309018201", "call ***"),
        ("version 1.2.3, 12:30:45 and +5 %", "version 1.2.3, 12:30:45 and +5 %"),
    ] {
        assert_eq!(all.masked(text).0, shown);
        assert_eq!(none.masked(text).0, text);
    }
}

#[tokio::test]
async fn nothing_of_the_corpus_leaves_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack/definitions");
    std::fs::create_dir_all(&pack).unwrap();
    let write = |name: &str, text: &str| std::fs::write(pack.join(name), text).unwrap();
    let tool = |name: &str, run: &str| {
        let head = format!("kind: tool\nname: {name}\ntitle: Says it\ndescription: Says it again.\ncategory: test\n");
        write(
            &format!("{name}.yaml"),
            &format!("{head}parameters: {{ text: {{ type: string, description: It. }} }}\nrun:\n{run}"),
        );
    };
    tool("say", "  action: template\n  text: \"heard: {{ text }}\"\n");
    tool("object", "  action: json\n  text: '{\"note\": {{ text | tojson }}}'\n");
    tool("fail", "  action: fail\n  message: \"no: {{ text }}\"\n");
    tool(
        "kept",
        "  action: pipeline\n  steps:\n    - as: first\n      run: { action: template, text: \"{{ text }}\" }\n    \
         - run: { action: template, text: \"{{ first }} {% if first == text %}equal{% endif %}\" }\n",
    );
    write(
        "note.yaml",
        "kind: resource\nname: note\ntitle: A note\ndescription: A note.\nuri: \"note://{text}\"\nmime_type: text/plain\n\
         parameters: { text: { type: string, description: It. } }\nrun: { action: template, text: \"note: {{ text }}\" }\n",
    );
    write(
        "ask.yaml",
        "kind: prompt\nname: ask\ntitle: Asks\ndescription: Asks.\narguments: { text: { type: string, description: It. } }\n\
         messages: [{ run: { action: template, text: \"about {{ text }}\" } }]\n",
    );
    let log = folder.path().join("server.log");
    std::fs::write(
        folder.path().join("masked.yaml"),
        "masking: { patterns: { customer: 'CUST-[0-9]{6}' } }\naudit: { output: log }\nlogging: { level: debug, output: server.log }\n",
    )
    .unwrap();
    let mut command = serve_command(folder.path());
    command.env_remove("TELEMETRYFLOW_MCP_LOG_LEVEL").arg("--pack").arg(folder.path().join("pack"));
    command.arg("--config").arg(folder.path().join("masked.yaml"));
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let (cases, _) = corpus();
    let own = Case { text: "bought by CUST-123456".into(), secrets: vec!["CUST-123456".into()], around: Vec::new() };
    let mut seen = Vec::new();
    for case in cases.iter().step_by(FILLINGS).chain([&own]) {
        let text = json!({"text": case.text});
        for tool in ["say", "object", "fail", "kept"] {
            let answer = client.request("tools/call", json!({"name": tool, "arguments": text})).await;
            seen.push((case, answer["result"].to_string()));
            assert!(answer["result"].to_string().contains(MASK), "{tool}: {answer}");
        }
        let answer = client.request("prompts/get", json!({"name": "ask", "arguments": text})).await;
        seen.push((case, answer["result"].to_string()));
        let uri = format!("note://{}", percent(&case.text));
        seen.push((
            case,
            client.request("resources/read", json!({"uri": uri})).await["result"]["contents"][0]["text"].to_string(),
        ));
    }
    drop(client);
    let shown = |case: &Case, text: &str| case.secrets.iter().any(|secret| text.contains(secret.as_str()));
    let leaks: Vec<_> = seen.iter().filter(|(case, text)| shown(case, text)).map(|(_, text)| text).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    // A kept value is compared as it is, and masked where it is shown.
    assert!(seen.iter().any(|(_, text)| text.contains("equal")), "not equal");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("tools/call"), "{log}");
    let leaks: Vec<_> = seen.iter().filter(|(case, _)| shown(case, &log)).map(|(case, _)| &case.text).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What is wrong with a request is told with the words of the request.
#[tokio::test]
async fn errors_about_arguments_do_not_echo_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(folder.path()));
    client.initialize("2025-11-25").await;
    let token = format!("ghp_{}", "aB3dE6".repeat(6));
    let query = |arguments: Value| json!({"name": "ch_query", "arguments": arguments});
    for (method, params) in [
        ("tools/call", json!({"name": token})),
        ("tools/call", query(json!({ (token.clone()): 1 }))),
        ("tools/call", query(json!({"sql": "select 1", "max_rows": token}))),
        ("tools/call", query(json!({"sql": "select 1", "params": token}))),
        ("prompts/get", json!({"name": token})),
        ("prompts/get", json!({"name": "tfo", "arguments": { (token.clone()): "1" }})),
        ("resources/read", json!({"uri": format!("note://{token}")})),
        ("resources/read", json!({"uri": format!("config://{token}")})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": token}, "argument": {"name": "a", "value": ""}}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": token}, "argument": {"name": "a", "value": ""}}),
        ),
        ("resources/subscribe", json!({"uri": format!("note://{token}")})),
        ("tools/list", json!({"cursor": token})),
        ("logging/setLevel", json!({"level": token})),
        (token.as_str(), json!({})),
    ] {
        let answer = client.request(method, params).await.to_string();
        let failed = answer.contains("\"error\"") || answer.contains("\"isError\":true");
        assert!(failed && !answer.contains(&token), "{method}: {answer}");
    }
}

/// A text of several lines is quoted in one, in which it has no form any more.
#[tokio::test]
async fn errors_do_not_echo_what_several_lines_of_an_argument_say_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = crate::support::client::in_working_folder(folder.path(), "core,files").await;
    let letters = "alphabravo";
    for text in [
        "id,password\n1,Zq7mXw2kLp9v",
        "- name: DB_PASSWORD\n  value: Zq7mXw2kLp9v",
        "passwords:\n- Zq7mXw2kLp9v\n- alphabravo",
        "kind: Secret\ndata:\n  db: Zq7mXw2kLp9v",
        "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u\nid,password\n1,Zq7mXw2kLp9v",
    ] {
        for (method, params) in [
            ("tools/call", json!({"name": "read_file", "arguments": {"path": text}})),
            ("tools/call", json!({"name": "list_directory", "arguments": {"path": text}})),
            ("tools/call", json!({"name": "echo", "arguments": {"message": [text]}})),
            ("tools/call", json!({"name": text})),
            ("tools/call", json!({"name": "echo", "arguments": { (text): 1 }})),
            ("prompts/get", json!({"name": text})),
            ("resources/read", json!({"uri": text})),
            (text, json!({})),
        ] {
            let answer = client.request(method, params).await.to_string();
            assert!(!answer.contains("Zq7m") && !answer.contains(letters), "{method}: {answer}");
        }
    }
}

/// The operator's own forms, and kinds of personal data, are those of errors about the protocol, of the log and of the audit log.
#[tokio::test]
async fn forms_of_the_operator_reach_errors_of_the_protocol_and_what_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "masking: { personal: [email], patterns: { customer: 'CUST-[0-9]{6}' } }\naudit: { output: audit.log }\n\
                    logging: { level: debug, output: server.log }\n";
    std::fs::write(folder.path().join("own.yaml"), settings).unwrap();
    let mut command = serve_command(folder.path());
    command.env_remove("TELEMETRYFLOW_MCP_LOG_LEVEL").arg("--config").arg(folder.path().join("own.yaml"));
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let shown = |text: &str| text.contains("CUST-123456") || text.contains("ada@example.com");
    for said in ["CUST-123456", "ada@example.com"] {
        for (method, params) in [
            ("tools/call", json!({"name": said})),
            ("tools/list", json!({"cursor": said})),
            ("prompts/get", json!({"name": said})),
            ("resources/read", json!({"uri": format!("note://{said}")})),
            (said, json!({})),
        ] {
            let answer = client.request(method, params).await.to_string();
            assert!(answer.contains("\"error\"") && answer.contains(MASK) && !shown(&answer), "{method}: {answer}");
        }
    }
    client.finish().await;
    for name in ["server.log", "audit.log"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains("tools/call") && !shown(&text), "{name}: {text}");
    }
}

/// rmcp quotes headers of a request that say something else than its body.
#[tokio::test]
async fn an_error_about_headers_does_not_echo_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(folder.path())).await;
    let token = format!("ghp_{}", "aB3dE6".repeat(6));
    for header in ["mcp-method", "mcp-name"] {
        let body = modern(json!({"name": "tfo", "arguments": {}}));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": body});
        let request = http_client().post(server.url()).header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json");
        let request = request.header("mcp-protocol-version", "2026-07-28");
        let (method, name) =
            if header == "mcp-method" { (token.as_str(), "tfo") } else { ("tools/call", token.as_str()) };
        let answer =
            request.header("mcp-method", method).header("mcp-name", name).body(body.to_string()).send().await.unwrap();
        let said = answer.text().await.unwrap();
        assert!(said.contains("\"error\"") && !said.contains(&token), "{header}: {said}");
    }
}

#[test]
fn a_form_that_cannot_be_used_is_refused_with_its_name() {
    let cli = crate::cli::Cli::new();
    for (form, said) in [("'['", "is no regular expression"), ("'a*'", "matches the empty text")] {
        cli.write("tfo-mcp.yaml", &format!("masking: {{ patterns: {{ mine: {form} }} }}\n"));
        let run = cli.run(&["info"]);
        assert!(run.code != 0 && run.stderr.contains("`mine`") && run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn around_is_read() {
    // The corpus says what stays: of forms with a name beside the secret it is the name.
    let (cases, _) = corpus();
    let masking = Masking::secrets();
    let named =
        cases.iter().filter(|case| case.text.starts_with("DB_PASSWORD") || case.text.starts_with("client_secret"));
    for case in named {
        let shown: Value = masking.masked(&case.text).0.into();
        assert!(shown.as_str().unwrap().starts_with(case.around[0].as_str()), "{shown}");
    }
}
