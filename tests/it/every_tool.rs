//! Every tool that is shipped, packs too, against arguments made from its own input schema: each wrong type, each missing and an
//! unknown argument is refused by its name or said to be understood, and whatever else comes is answered.
//!
//! Nothing here knows a tool, except what must not happen by chance: processes of this machine are not ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};
use tfo_mcp::{check, definition::Definition, load};

use crate::support::client::{Client, serve_command};

/// The built binary with all toolsets and packs, in a folder of its own, in which alone its tools may change something.
struct Shop {
    client: Client,
    folder: tempfile::TempDir,
    tools: BTreeMap<String, Value>,
}

const SECRET: &str = "outside-7f3a9c";

/// Number of no process: the system counts to 4,194,304.
const NOBODY: i64 = 2_147_483_647;

fn packs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
    let mut packs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    packs.sort();
    packs
}

/// The names of definitions that are tools and toolsets.
fn defined(built_in: bool, packs: Vec<PathBuf>) -> (BTreeSet<String>, Vec<String>) {
    let request = load::Request { built_in, packs, files: Vec::new() };
    let checked = check::check(load::load(&request), check::Options { built_in });
    let (mut tools, mut toolsets) = (BTreeSet::new(), Vec::new());
    for located in &checked.definitions {
        match &located.definition {
            Definition::Toolset(toolset) => toolsets.push(toolset.name.0.clone()),
            Definition::Tool(tool) => drop(tools.insert(tool.name.0.clone())),
            _ => {}
        }
    }
    (tools, toolsets)
}

impl Shop {
    /// All of them: what is built in with all toolsets, and each pack that has tools.
    async fn all() -> Vec<Self> {
        let mut shops = vec![Self::open(true, Vec::new()).await];
        for pack in packs() {
            if !defined(false, vec![pack.clone()]).0.is_empty() {
                shops.push(Self::open(false, vec![pack]).await);
            }
        }
        assert!(shops.len() > 4, "{}", shops.len());
        shops
    }

    async fn open(built_in: bool, packs: Vec<PathBuf>) -> Self {
        let (names, toolsets) = defined(built_in, packs.clone());
        let folder = tempfile::tempdir().unwrap();
        for name in ["root", "data", "outside"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("outside/secret.txt"), SECRET).unwrap();
        let mut command = serve_command(&folder.path().join("data"));
        command.current_dir(folder.path().join("root"));
        command.stderr(Stdio::from(std::fs::File::create(folder.path().join("log")).unwrap()));
        if !toolsets.is_empty() {
            command.args(["--toolsets", &toolsets.join(",")]);
        }
        if !built_in {
            command.arg("--packs-only");
        }
        for pack in packs {
            command.arg("--pack").arg(pack);
        }
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let (mut tools, mut params) = (BTreeMap::new(), json!({}));
        loop {
            let page = client.result("tools/list", params).await;
            for tool in page["tools"].as_array().unwrap() {
                tools.insert(tool["name"].as_str().unwrap().to_owned(), tool["inputSchema"].clone());
            }
            match page.get("nextCursor") {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => break,
            }
        }
        let listed: BTreeSet<String> = tools.keys().cloned().collect();
        assert_eq!(listed, names, "what is defined is offered");
        Self { client, folder, tools }
    }

    /// The text of an error or of an answer, and which of them it is.
    fn said(answer: &Value) -> (bool, String) {
        if let Some(error) = answer.get("error") {
            return (true, error.to_string().replace("\\\"", "\""));
        }
        let texts = answer["result"]["content"].as_array().into_iter().flatten();
        let text: Vec<_> = texts.filter_map(|content| content["text"].as_str()).collect();
        (answer["result"]["isError"] == true, text.join("\n"))
    }

    async fn call(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
        Self::said(&self.client.request("tools/call", json!({"name": tool, "arguments": arguments})).await)
    }

    /// That it lives, saw no panic and touched nothing outside.
    async fn close(mut self) {
        assert_eq!(self.client.result("ping", json!({})).await, json!({}));
        let (_, code) = self.client.finish().await;
        assert_eq!(code, Some(0));
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert!(!log.contains("panicked"), "{log}");
        let secret = std::fs::read_to_string(self.folder.path().join("outside/secret.txt")).unwrap();
        assert_eq!(secret, SECRET);
        let beside: BTreeSet<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["data", "log", "outside", "root"].map(Into::into).into());
    }
}

/// The types that a schema takes. Empty: any.
fn types(schema: &Value) -> BTreeSet<String> {
    let of = |ty: &Value| ty.as_str().map(str::to_owned);
    match (&schema["type"], schema.get("anyOf").or(schema.get("oneOf"))) {
        (Value::Array(all), _) => all.iter().filter_map(of).collect(),
        (Value::Null, Some(any)) => any.as_array().into_iter().flatten().flat_map(types).collect(),
        (ty, _) => of(ty).into_iter().collect(),
    }
}

/// What stands for itself: numbers of nobody's process, and words that a closed list has although no schema says so.
fn known(name: &str) -> Option<Value> {
    match name {
        "pid" => Some(NOBODY.into()),
        "context_type" => Some("latency".into()),
        "start" | "end" => Some("2026-11-20T10:00:00Z".into()),
        _ => None,
    }
}

/// Arguments that a tool takes.
fn taken(schema: &Value, validator: &jsonschema::Validator) -> Value {
    let mut base = sample("", schema);
    for (name, of) in properties(schema) {
        if !validator.is_valid(&base) {
            base.as_object_mut().unwrap().entry(name).or_insert(sample(name, of));
        }
    }
    base
}

/// A value that a schema takes.
fn sample(name: &str, schema: &Value) -> Value {
    if let Some(known) = known(name) {
        return known;
    }
    if let Some(first) = schema.get("enum").and_then(|choices| choices.get(0)) {
        return first.clone();
    }
    if let Some(value) = schema.get("const").or(schema.get("default")).filter(|value| !value.is_null()) {
        return value.clone();
    }
    let ty = types(schema).into_iter().find(|ty| ty != "null");
    match ty.as_deref() {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => {
            required(schema).map(|(name, of)| (name.to_owned(), sample(name, of))).collect::<Map<_, _>>().into()
        }
        None if schema.get("$ref").is_some() => json!({}),
        _ => json!("x"),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, of)| (name.as_str(), of))
}

fn required(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let names = schema["required"].as_array();
    properties(schema).filter(move |(name, _)| names.is_some_and(|names| names.iter().any(|one| one == name)))
}

/// Values by their type. The text is none of any closed list, no number, time, list or object.
fn wrong(types: &BTreeSet<String>) -> Vec<(&'static str, Value)> {
    let has = |ty: &str| types.contains(ty);
    let all = [
        ("boolean", json!(true)),
        ("integer", json!(7_000_000_007_i64)),
        ("number", json!(2.5)),
        ("string", json!("no such thing, ever")),
        ("array", json!([["no such thing"], {"a": 1}])),
        ("object", json!({"no_such_thing": {"a": [1]}})),
    ];
    // A whole number is a number.
    let fits = |ty: &str| has(ty) || ty == "integer" && has("number");
    all.into_iter().filter(|(ty, _)| !types.is_empty() && !fits(ty)).collect()
}

#[tokio::test]
async fn each_argument_of_each_tool_is_refused_by_its_name_or_said_to_be_understood() {
    let mut complaints = Vec::new();
    let (mut refused, mut understood) = (0, 0);
    for mut shop in Shop::all().await {
        complaints.extend(complain(&mut shop, &mut refused, &mut understood).await);
        shop.close().await;
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert!(refused > 500 && understood > 20, "{refused} refused, {understood} understood");
}

async fn complain(shop: &mut Shop, refused: &mut usize, understood: &mut usize) -> Vec<String> {
    let mut complaints = Vec::new();
    for (tool, schema) in shop.tools.clone() {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let base = taken(&schema, &validator);
        if !validator.is_valid(&base) {
            complaints.push(format!("{tool}: {base} is not what its schema takes"));
        }
        let with = |name: &str, value: Value| {
            let mut given = base.clone();
            given.as_object_mut().unwrap().insert(name.to_owned(), value);
            given
        };
        let mut cases: Vec<(String, Value, Option<Value>)> = Vec::new();
        for (name, of) in properties(&schema) {
            for (_, value) in wrong(&types(of)) {
                cases.push((name.to_owned(), with(name, value.clone()), Some(value)));
            }
            // What lies inside of objects and lists.
            for (inner, of) in properties(of) {
                for (_, value) in wrong(&types(of)) {
                    cases.push((inner.to_owned(), with(name, json!({ inner: value.clone() })), Some(value)));
                }
            }
            if of["additionalProperties"] == false {
                cases.push(("no_such_argument".to_owned(), with(name, json!({"no_such_argument": 1})), None));
            }
        }
        for (name, _) in required(&schema) {
            let mut given = base.clone();
            given.as_object_mut().unwrap().remove(name);
            cases.push((name.to_owned(), given, None));
        }
        cases.push(("no_such_argument".to_owned(), with("no_such_argument", json!(1)), None));
        for (name, given, value) in cases {
            if validator.is_valid(&given) {
                complaints.push(format!("{tool}: its schema takes {given}"));
            }
            let (is_error, said) = shop.call(&tool, &given).await;
            let named = said.contains(&format!("`{name}`"));
            // Before anything else: a client that knows no tasks cannot call it at all.
            if said.contains("runs as a task only") {
                continue;
            }
            let read = said.contains("is read as") || said.contains("was read as") || said.contains("taken as");
            match (is_error, named) {
                (_, true) if read && value.is_some() => *understood += 1,
                (true, true) => *refused += 1,
                _ => complaints.push(format!("{tool} {given}: {}", said.chars().take(400).collect::<String>())),
            }
        }
    }
    complaints
}

/// Texts that break what does not expect them.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "\u{0}",
    "\u{1b}[31m\u{7}\r\n",
    "\u{202e}\u{200b}\u{feff}",
    "😀👩‍👩‍👧‍👦é\u{301}",
    "../../../../outside/secret.txt",
    "/",
    "/dev/zero",
    "' OR 1=1 --",
    "{{ 7 * 7 }}{% for x in range(9) %}",
    "[SYSTEM] `x` ```",
    "%00%2e%2e%2f",
    "-1",
    "1e999",
    "9999-12-31T23:59:60Z",
    "-300000000000d",
    "now-99999999999999999999y",
    "(((((((((((((((((((((((((((((((((",
    "**/*{a,b}[!c]",
    "null",
    "\u{fffd}\u{10ffff}",
];

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop_oneof![Just(json!(0)), Just(json!(1)), Just(json!(-1)), Just(json!(0.5)), Just(json!(-0.0))],
        prop_oneof![Just(json!(i64::MIN)), Just(json!(i64::MAX)), Just(json!(u64::MAX)), Just(json!(1e308))],
        prop_oneof![Just(json!(-1e308)), Just(json!(5e-324)), Just(json!(9_007_199_254_740_993_i64))],
        // Above all that waits or counts.
        (1_000_000_i64..).prop_map(Value::from),
    ]
}

fn leaves() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        numbers(),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        (1_usize..200_000).prop_map(|length| Value::from("ä".repeat(length))),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let deep = (1_usize..90, any::<bool>()).prop_map(|(depth, lists)| {
        (0..depth).fold(json!(1), |inner, _| if lists { json!([inner]) } else { json!({ "a": inner }) })
    });
    let wide = (1_usize..5_000).prop_map(|length| Value::from(vec![json!("x"); length]));
    let nested = leaves().prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop_oneof![4 => leaves(), 4 => nested, 1 => deep, 1 => wide]
}

/// Arguments of a tool: anything; what its schema takes with some of it replaced; or names of its own with anything.
fn arguments(schema: &Value) -> BoxedStrategy<Value> {
    let base: Map<String, Value> = properties(schema).map(|(name, of)| (name.to_owned(), sample(name, of))).collect();
    let few = sample("", schema);
    let names: Vec<String> = base.keys().cloned().chain(["no_such_argument".to_owned()]).collect();
    let named = proptest::collection::vec((proptest::sample::select(names), values()), 0..4).boxed();
    let put = |base: Map<String, Value>| {
        move |changes: Vec<(String, Value)>| {
            let mut given = base.clone();
            given.extend(changes);
            Value::Object(given)
        }
    };
    prop_oneof![
        1 => values(),
        3 => named.clone().prop_map(put(few.as_object().unwrap().clone())),
        3 => named.clone().prop_map(put(base)),
        2 => named.prop_map(put(Map::new())),
    ]
    .boxed()
}

/// Whether a value may be read as the number of a process that is there.
fn names_a_process(value: &Value) -> bool {
    let of = |number: f64| (-4_194_304.0..=4_194_304.0).contains(&number);
    match value {
        Value::Number(number) => number.as_f64().is_some_and(of),
        Value::String(text) => text.trim().parse().is_ok_and(of),
        Value::Bool(_) => true,
        Value::Array(items) => items.iter().any(names_a_process),
        Value::Object(object) => object.values().any(names_a_process),
        Value::Null => false,
    }
}

/// Cases of each tool.
const CASES: usize = 12;

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn fuzzed_arguments_of_each_tool_are_answered_and_nothing_panics() {
    let mut runner = TestRunner::new(Config::default());
    let mut tools = 0;
    for mut shop in Shop::all().await {
        tools += shop.tools.len();
        fuzz(&mut shop, &mut runner).await;
        too_deep(&mut shop).await;
        shop.close().await;
    }
    assert!(tools > 60, "{tools}");
}

async fn fuzz(shop: &mut Shop, runner: &mut TestRunner) {
    let mut calls = 0_usize;
    for (tool, schema) in shop.tools.clone() {
        println!("{tool}");
        let strategy = arguments(&schema);
        let ends = properties(&schema).any(|(name, _)| name == "pid");
        let mut sent = BTreeMap::new();
        while sent.len() < CASES {
            let given = strategy.new_tree(runner).unwrap().current();
            if ends && names_a_process(&given) {
                continue;
            }
            calls += 1;
            let params = json!({"name": tool, "arguments": given});
            shop.client
                .send_json(json!({"jsonrpc": "2.0", "id": calls, "method": "tools/call", "params": params}))
                .await;
            sent.insert(calls, given);
        }
        for (id, given) in sent {
            let answer = shop.client.answer_to(id).await;
            let shown = || format!("{tool} {}", given.to_string().chars().take(2000).collect::<String>());
            assert_eq!(answer["jsonrpc"], "2.0", "{}", shown());
            let (result, error) = (answer.get("result"), answer.get("error"));
            assert!(result.is_some() != error.is_some(), "{}: {answer}", shown());
            if let Some(error) = error {
                assert!(error["code"].is_i64() && error["message"].is_string(), "{}: {answer}", shown());
            }
            if let Some(result) = result {
                assert!(result["content"].is_array(), "{}: {answer}", shown());
            }
            let said = Shop::said(&answer).1;
            assert!(!said.contains("panicked"), "{}: {said}", shown());
        }
    }
    assert_eq!(calls, shop.tools.len() * CASES);
}

/// Deeper than anybody reads: one answer, whether the id was found or not.
async fn too_deep(shop: &mut Shop) {
    for depth in [1_000, 100_000] {
        let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":{{"name":"echo","arguments":{{"message":{deep}}}}}}}"#
        );
        shop.client.send(line).await;
        loop {
            let answer = shop.client.line().await.expect("the server lives");
            if answer.get("error").is_some() && (answer["id"] == "deep" || answer["id"].is_null()) {
                break;
            }
        }
    }
}
