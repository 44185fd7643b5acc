//! Texts that are read otherwise than they are written: behind what stands before each line, and in the escapes of others.

use tfo_mcp::masking::{MASK, Masking};

use super::{Case, corpus};

/// What a program, a log or a remark writes before the lines of a text, by the number of the line.
fn written(number: usize, before: &str) -> String {
    before.replace("{n}", &format!("{:>6}", number + 1)).replace("{d}", &(number + 9).to_string())
}

const BEFORE: [&str; 20] = [
    "+",
    "-",
    "{n}\t",
    "{d}:",
    "src/app.conf:{d}:",
    "src/app.conf-{d}-",
    "a1b2c3d4 (Bob 2026-01-01 10:00:00 +0000 {n}) ",
    "Nov 20 12:00:{d} web-1 app[123]: ",
    "I1120 12:00:01.0000{d}       1 main.go:12] ",
    "2026-11-20T12:00:00.00{d}Z stdout F ",
    "2026-11-20 12:00:00,{d} INFO [main] c.e.App - ",
    "[pod/web-0/app] ",
    "web-1  | ",
    "> ",
    "# ",
    "// ",
    "; ",
    "REM ",
    "-- ",
    "\t",
];

fn shows(case: &Case, text: &str) -> bool {
    // A short word stands in what is written before a line too.
    case.secrets.iter().any(|secret| secret.len() > 5 && text.contains(secret.as_str()))
}

/// Each text hides the secrets of its case, and says that it does.
fn all_are_hidden<'c>(texts: impl Iterator<Item = (&'c Case, String)>) {
    let masking = Masking::secrets();
    let mut wrong = Vec::new();
    for (case, text) in texts {
        let (shown, count) = masking.masked(&text);
        if shows(case, &shown) || count == 0 {
            wrong.push(shown.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_stands_before_lines_hides_nothing_that_they_say_together() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n'));
    all_are_hidden(lines.flat_map(|case| BEFORE.map(|before| (case, before))).map(|(case, before)| {
        let all = case.text.split('\n').enumerate().map(|(number, line)| written(number, before) + line + "\n");
        (case, all.collect())
    }));
}

/// What a program wrote above and below with another level, logger or thread, and what stands before each line.
const BESIDE: [(&str, &str, &str); 12] = [
    ("2026-11-20 12:00:00,100 - root - INFO - up", "2026-11-20 12:00:00,{d} - app.conf - DEBUG - ", ""),
    ("12:00:00.100 [main] INFO  c.e.App - up", "12:00:00.1{d} [http-1] DEBUG c.e.Conf - ", ""),
    ("2026-11-20 12:00:00,100 INFO  [main] c.e.App - up", "2026-11-20 12:00:00,{d} DEBUG [http-1] c.e.Conf - ", ""),
    ("2026-11-20 12:00:00 INFO  App:12 - up", "2026-11-20 12:00:{d} DEBUG Conf:33 - ", ""),
    ("[2026-11-20T12:00:00.1+0000] {a.py:1} INFO - up", "[2026-11-20T12:00:00.{d}+0000] {conf.py:33} DEBUG - ", ""),
    ("2026-11-20T12:00:00Z INFO up", "2026-11-20T12:00:{d}Z WARN ", ""),
    ("0|api  | up", "1|worker  | ", ""),
    ("12:00:00 web.1    | up", "12:00:{d} worker.1 | ", ""),
    ("2026-11-20T12:00:00.000000000Z stderr F boot", "2026-11-20T12:00:00.0000000{d}Z stdout F ", ""),
    ("   |", "{d} | ", ""),
    ("┌────┐", "│ ", " │"),
    ("$", "", "$"),
];

#[test]
fn neighbours_of_another_logger_level_or_thread_hide_nothing_either() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n')).step_by(super::FILLINGS);
    let lines = lines.flat_map(|case| BESIDE.map(|beside| (case, beside)));
    all_are_hidden(lines.map(|(case, (beside, before, behind))| {
        let all = case.text.split('\n').enumerate();
        let all = all.map(|(number, line)| written(number, before) + line + behind + "\n");
        (case, format!("{beside}\n{}{beside}\n", all.collect::<String>()))
    }));
}

/// What a program writes before the lines of another one, and what that wrote with another logger and level.
const OUTER: [&str; 12] = [
    "web-1  | ",
    "Nov 20 12:00:01 web-1 app[123]: ",
    "web-0 app ",
    "app.log:{d}:",
    "build\tRun\t2026-11-20T12:00:00.{d}Z ",
    "2026-11-20T12:00:00.{d}+00:00 app[web.1]: ",
    "#6 0.{d} ",
    "{n}\t",
    "# ",
    "> ",
    "+",
    "    ",
];
const INNER: [(&str, &str); 4] = [
    ("2026-11-20 12:00:00,100 - root - INFO - up", "2026-11-20 12:00:00,1{d} - a.b - DEBUG - "),
    ("2026-11-20 12:00:00.100 | INFO     | app:main:1 - up", "2026-11-20 12:00:00.1{d} | DEBUG    | conf:load:33 - "),
    ("INFO:root:up", "DEBUG:a.b:"),
    ("12:00:00.100 [main] INFO  c.e.App - up", "12:00:00.1{d} [http-1] DEBUG c.e.Conf - "),
];

#[test]
fn heads_are_taken_off_one_after_the_other() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n')).step_by(super::FILLINGS);
    let both = |case| OUTER.into_iter().flat_map(move |outer| INNER.map(|inner| (case, outer, inner)));
    all_are_hidden(lines.flat_map(both).map(|(case, outer, (beside, inner))| {
        let all = case.text.split('\n').map(|line| format!("{inner}{line}"));
        let all = std::iter::once(beside.to_owned()).chain(all).chain([beside.to_owned()]).enumerate();
        let text: String = all.map(|(number, line)| written(number, outer) + &written(number, &line) + "\n").collect();
        let of_a_diff = if outer == "+" { "@@ -0,0 +1,9 @@\n" } else { "" };
        (case, format!("{of_a_diff}{text}"))
    }));
}

/// What a program writes before each of its lines, and the line of another one that stands behind each of them.
const TURNS: [(&str, &str); 26] = [
    ("web-1  | ", "db-1   | ready"),
    ("[pod/web-0/app] ", "[pod/web-1/app] GET /"),
    ("web-0 app ", "web-1 app GET /"),
    ("Nov 20 12:00:01 web-1 app[123]: ", "Nov 20 12:00:01 web-1 cron[9]: run"),
    ("12:00:00.100 [main] DEBUG c.e.Conf - ", "12:00:00.100 [http-1] INFO  c.e.App - GET /"),
    ("2026-11-20T12:00:00.1Z stdout F ", "2026-11-20T12:00:00.1Z stderr F warn x"),
    ("build\tRun\t2026-11-20T12:00:00.1Z ", "lint\tRun\t2026-11-20T12:00:00.1Z ok"),
    ("a.yaml:{d}:", "b.yaml:{d}:x: 1"),
    ("#6 0.{d} ", "#7 0.{d} x"),
    // Their names differ by a number alone.
    ("worker-1-1  | ", "worker-1-2  | x"),
    ("app-1-web-1  | ", "app-2-web-1  | x"),
    ("0|api  | ", "1|api  | x"),
    ("ip-10-0-0-7 ", "ip-10-0-0-8 x"),
    ("Nov 20 12:00:01 ip-10-0-0-7 app[123]: ", "Nov 20 12:00:01 ip-10-0-0-8 app[123]: x"),
    ("10.0.0.7: ", "10.0.0.8: x"),
    ("10.0.0.7 | ", "10.0.0.8 | x"),
    ("[1] ", "[2] x"),
    ("[1] 10:47:00 [SUCCESS] ", "[2] 10:47:00 [SUCCESS] x"),
    ("0: ", "1: x"),
    ("[1,0]<stdout>:", "[1,1]<stdout>:x"),
    ("2026-11-20T12:00:00Z [12345] ", "2026-11-20T12:00:00Z [12346] x"),
    ("web-5-abc app ", "web-6-abc app x"),
    ("a-1.log:", "a-2.log:x"),
    ("a/v1/x.yaml:", "a/v2/x.yaml:x"),
    ("01-a.yaml:", "02-a.yaml:x"),
    ("k8s/10-db-2-a.yaml:3:", "k8s/10-db-3-a.yaml:3:x"),
];

/// What two loggers or threads of one program write before their lines, which come in turn.
const BOTH: [(&str, &str); 7] = [
    ("2026-11-20 12:00:00,1{d} - app.conf - DEBUG - ", "2026-11-20 12:00:00,1{d} - app.http - INFO - GET /"),
    ("12:00:00.1{d} [main] DEBUG c.e.Conf - ", "12:00:00.1{d} [http-1] INFO  c.e.App - GET /"),
    ("[2026-11-20 12:00:{d} +0000] [7] [DEBUG] ", "[2026-11-20 12:00:{d} +0000] [8] [INFO] GET /"),
    ("2026-11-20T12:00:00.1{d}Z\tDEBUG\tconf/conf.go:33\t", "2026-11-20T12:00:00.1{d}Z\tINFO\thttp/http.go:33\tx"),
    ("2026-11-20T12:00:00.1{d}Z DEBUG conf::load: ", "2026-11-20T12:00:00.1{d}Z  INFO http: GET /"),
    ("D, [2026-11-20T12:00:00.1{d} #1] DEBUG -- : ", "I, [2026-11-20T12:00:00.1{d} #2]  INFO -- : GET /"),
    ("DEBUG conf: ", "INFO http: GET /"),
];

#[test]
fn lines_of_loggers_in_turn_are_read_together_each_behind_what_stands_before_them() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n')).step_by(super::FILLINGS);
    let outer = ["", "web-1  | ", "Nov 20 12:00:01 web-1 app[123]: ", "app.log:{d}:", "# "];
    let both = |case| outer.into_iter().flat_map(move |outer| BOTH.map(|both| (case, outer, both)));
    all_are_hidden(lines.flat_map(both).map(|(case, outer, (own, other))| {
        let all = case.text.split('\n').enumerate().flat_map(|(number, line)| {
            [format!("{own}{line}"), other.to_owned()]
                .map(|line| written(number, outer) + &written(number, &line) + "\n")
        });
        (case, all.collect())
    }));
    // One line of another logger between them is enough.
    let text = "web-1  | 2026-11-20 12:00:00,101 - app.conf - DEBUG - - name: DB_PASSWORD\n\
        web-1  | 2026-11-20 12:00:00,101 - app.http - INFO - GET /\n\
        web-1  | 2026-11-20 12:00:00,101 - app.conf - DEBUG -   value: \"Zq7mXw2kLp9v\"\n";
    assert_eq!(Masking::secrets().masked(text).0, text.replace("Zq7mXw2kLp9v", MASK));
}

#[test]
fn lines_of_programs_in_turn_are_read_together_each() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n')).step_by(super::FILLINGS);
    all_are_hidden(lines.flat_map(|case| TURNS.map(|turn| (case, turn))).map(|(case, (own, other))| {
        let both = |(number, line)| format!("{}{line}\n{}\n", written(number, own), written(number, other));
        (case, case.text.split('\n').enumerate().map(both).collect())
    }));
    // What others say between is no value of a name.
    let text = "web-1  | password:\ndb-1   | started\nweb-1  | is required here\ndb-1   | done\n";
    assert_eq!(Masking::secrets().masked(text).0, text);
}

/// Each line is a member of its own object, or of its own line of `name=value`.
#[test]
fn what_lines_of_a_log_say_as_members_is_read_together() {
    let (cases, _) = corpus();
    let lines = cases.iter().filter(|case| case.text.contains('\n')).step_by(super::FILLINGS);
    let said = |line: &str| serde_json::Value::from(line).to_string();
    let written: [fn(String, String) -> String; 5] = [
        |_, whole| format!("  {whole},\n"),
        |line, _| format!("{{\"ts\":1,\"msg\":{line}}}\n"),
        |_, whole| format!("{{\"log\":{whole},\"stream\":\"stdout\"}}\n"),
        |line, _| format!("ts=1 level=info msg={line}\n"),
        |_, whole| format!("write(1, {whole}, 20) = 20\n"),
    ];
    all_are_hidden(lines.flat_map(|case| written.map(|written| (case, written))).map(|(case, written)| {
        let all = case.text.split('\n').map(|line| written(said(line), said(&format!("{line}\n"))));
        (case, all.collect())
    }));
}

#[test]
fn each_side_of_a_diff_is_read() {
    let masking = Masking::secrets();
    for (text, shown) in [
        (
            "@@ -1,2 +1,2 @@\n - name: DB_PASSWORD\n-  value: hunter2X9\n+  value: letmein77\n+  b: c\n",
            "@@ -1,2 +1,2 @@\n - name: DB_PASSWORD\n-  value: ***\n+  value: ***\n+  b: c\n",
        ),
        (
            "@@ -1,3 +1,3 @@\n kind: Secret\n data:\n-  db: aHVudGVyMlg5\n+  db: bGV0bWVpbjc3\n@@ -9 +9 @@\n-a\n+b\n",
            "@@ -1,3 +1,3 @@\n kind: Secret\n data:\n-  db: ***\n+  db: ***\n@@ -9 +9 @@\n-a\n+b\n",
        ),
        (
            "@@@ -1,2 -1,2 +1,3 @@@\n  a: 1\n++- name: DB_PASSWORD\n +  value: hunter2X9\n- foo: 1\n",
            "@@@ -1,2 -1,2 +1,3 @@@\n  a: 1\n++- name: DB_PASSWORD\n +  value: ***\n- foo: 1\n",
        ),
        ("@@ -1 +1 @@\n-id,password\n-1,letmein\n-2,hunter2\n", "@@ -1 +1 @@\n-id,password\n-1,***\n-2,***\n"),
    ] {
        assert_eq!(masking.masked(text).0, shown);
    }
}

#[test]
fn texts_in_the_escapes_of_others_are_read() {
    let masking = Masking::secrets();
    let (cases, _) = corpus();
    let mut wrong = Vec::new();
    for case in &cases {
        let quoted = case.text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        let shown = masking.masked(&format!("t=1 msg=\"{quoted}\" level=info")).0.into_owned();
        if shows(case, &shown) {
            wrong.push(shown);
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    for said in [
        r#"{"password":["letmein","hunter2X9"]}"#,
        r#"{"name":"DB_PASSWORD","value":"letmein"}"#,
        r#"{"kind":"Secret","stringData":{"db":"letmein"}}"#,
        r#"[["password","letmein"]]"#,
        r#"{"columns":["id","password"],"rows":[[1,"letmein"]]}"#,
        r#"variable "db_password" { default = "letmein" }"#,
        r#"<input type="text" name="password" value="letmein">"#,
        "ALTER ROLE app WITH PASSWORD 'letmein'",
        "CREATE USER app IDENTIFIED BY 'letmein'",
        "define('DB_PASSWORD', 'letmein');",
        "INSERT INTO users (id, password) VALUES (1, 'letmein')",
        "postgres://app:letmein@db/app",
    ] {
        let percent: String = said
            .bytes()
            .map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'_' => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            })
            .collect();
        let entities = said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (named, numbered) =
            (entities.replace('"', "&quot;"), entities.replace('"', "&#34;").replace('\'', "&#39;"));
        for text in [
            format!("GET /x?q={percent}&b=1 HTTP/1.1"),
            format!("GET /x?q={}&b=1 HTTP/1.1", percent.replace("%20", "+")),
            format!("<m> {named} </m>"),
            format!("<m> {numbered} </m>"),
            format!("<m> {} </m>", numbered.replace('&', "&amp;")),
            format!("time,msg,n\n1,\"{}\",2\n", said.replace('"', "\"\"")),
            format!("msg: '{}'\nnext: 1", said.replace('\'', "''")),
        ] {
            let (shown, count) = masking.masked(&text);
            assert!(count > 0 && !shown.contains("letmein") && shown.contains(MASK), "{text} -> {shown}");
        }
    }
    // What is written around a secret stays.
    for (text, shown) in [
        (r#"msg="said \"password=hunter2X9\" twice" n=1"#, r#"msg="said \"password=***\" twice" n=1"#),
        ("GET /x?q=%5B%5B%22password%22%2C%22hunter2X9%22%5D%5D", "GET /x?q=%5B%5B%22password%22%2C%22***%22%5D%5D"),
        ("<m>{&#34;password&#34;:&#34;hunter2X9&#34;}</m>", "<m>{&#34;password&#34;:&#34;***&#34;}</m>"),
        ("a,\"x \"\"password\"\": \"\"hunter2X9\"\" y\",b\n", "a,\"x \"\"password\"\": \"\"***\"\" y\",b\n"),
    ] {
        assert_eq!(masking.masked(text).0, shown);
    }
}

/// What neighbouring lines begin with is not what they say, and names no value of the line below.
#[test]
fn reading_lines_otherwise_masks_nothing_else() {
    let masking = Masking::secrets();
    for text in [
        "2026-11-20 12:00:00,1 - root - INFO - token\n2026-11-20 12:00:00,2 - a.b - DEBUG - expired\n",
        "12:00:00 [main] INFO c.A - checking password:\n12:00:01 [x] DEBUG c.B - done in 12 ms\n",
        "{\"msg\":\"password:\",\"n\":1}\n{\"msg\":\"request done\",\"n\":2}\n",
        "/// this assert will pass:\n/// assert_eq!(one, with_name(\"x\"));\n",
        "/// To pass:\n///  - a signal mask, use [`io_uring_enter_sigmask`].\n///  - an argument\n",
        "   235\t        if self._username and self._password:\n   236\t            return\n",
        "    let output = digest();\n    let secret =\n        hmac::Key::try_new(0, secret)?;\n    let mut n: u32 = 0;\n    let m = 1;\n",
        "[signing_key]: crate::signer::SigningKey\n[choose_scheme]: crate::signer::SigningKey::choose\n",
        "# id,count\n# 1,letters\n# the password is required:\n# see below\n",
        "@@ -1 +1 @@\n-    password: String,\n+    password: Option<String>,\n     token: &str,\n",
        "GET /search?q=password%20manager&lang=en HTTP/1.1",
        "GET /a?next=%2Fdashboard%3Ftoken%3Dexpired HTTP/1.1",
        "say(\"it's \\\"token\\\" or \\\"key\\\"\")",
        "INSERT INTO notes VALUES ('it''s a secret', 'b')",
    ] {
        assert_eq!(masking.masked(text).0, text);
    }
}

/// A text as somebody writes it within another one, by the name of how.
fn wrapped(said: &str) -> Vec<(&'static str, String)> {
    let coded = |code: fn(u32) -> String| -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || " \n-_.,:".contains(c);
        said.chars().map(|c| if plain(c) { c.to_string() } else { code(u32::from(c)) }).collect()
    };
    let form: String = said
        .bytes()
        .map(|b| match b {
            b' ' => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let escaped = said.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n");
    let coloured: String = said.split('\n').map(|line| format!("\u{1b}[32m+{line}\u{1b}[m\n")).collect();
    let mut all = vec![
        ("form", format!("a=1&m={form}&b=2")),
        ("first of a form", format!("m={form}&b=2")),
        ("entities", format!("<m>\n{}\n</m>", coded(|code| format!("&#{code};")))),
        ("hexadecimal entities", format!("<m>\n{}\n</m>", coded(|code| format!("&#x{code:X};")))),
        ("program", format!("$m = '{escaped}';\n")),
        ("colours", format!("@@ -1 +1 @@\n{coloured}")),
    ];
    if !said.contains(['"', '\t']) {
        all.push(("copy", format!("1\t{}\n2\tx\n", said.replace('\\', r"\\").replace('\n', r"\n"))));
    }
    all
}

#[test]
fn each_form_is_known_however_a_web_a_program_or_a_terminal_writes_it() {
    let (cases, _) = corpus();
    let masking = Masking::secrets();
    let mut wrong = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for case in cases.iter().step_by(super::FILLINGS) {
        for (how, text) in wrapped(&case.text) {
            let shown = masking.masked(&text).0.into_owned();
            if shows(case, &shown) {
                wrong.entry(how).or_default().push(shown);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
