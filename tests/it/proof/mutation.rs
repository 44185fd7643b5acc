//! Messages that are close to what clients send, and a judge of what each deserves.
//!
//! The judge reads a message as JSON-RPC 2.0 says, not as the server does.

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::{Value, json};

/// What a message deserves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A request with a readable id: exactly one answer with that id.
    One(String),
    /// A request that is answered when the connection ends, and at once if it is refused: at most one.
    AtMostOne(String),
    /// Anything else: no answer with an id of ours.
    Nothing,
}

/// Produces the same messages for the same seed.
pub struct Mutations {
    random: SmallRng,
    corpus: Vec<Value>,
    next: u64,
}

/// Bytes that JSON and its readers care about.
const SHARP: &[u8] = b"{}[]\",:\\0-9eE.+ntf\x00\x1f\x7f\x80\xc3\xff\xef\xbb\xbf u";

impl Mutations {
    /// From what clients send in transcripts, and one good request of every method in both eras.
    pub fn new(seed: u64) -> Self {
        let mut corpus: Vec<Value> = good();
        for entry in std::fs::read_dir("tests/fixtures/transcripts").unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            corpus.extend(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()));
        }
        // Both end the session, which is not what is looked for here.
        corpus.retain(|message| message["method"] != "shutdown");
        Self { random: SmallRng::seed_from_u64(seed), corpus, next: 0 }
    }

    /// The next message, on one line.
    pub fn next(&mut self) -> Vec<u8> {
        let mut message = self.fresh();
        let depth = self.random.random_range(0..4);
        for _ in 0..depth {
            self.change(&mut message);
        }
        let mut line = message.to_string().into_bytes();
        match self.random.random_range(0..10) {
            0..4 => {}
            4..8 => {
                for _ in 0..self.random.random_range(1..5) {
                    self.damage(&mut line);
                }
            }
            8 => {
                let at = self.random.random_range(0..=line.len());
                line.truncate(at);
            }
            _ => {
                let other = self.fresh().to_string().into_bytes();
                let at = self.random.random_range(0..=line.len());
                line.splice(at..at, other);
            }
        }
        line.retain(|byte| *byte != b'\n' && *byte != b'\r');
        if judge(&line) == Due::Nothing && ends_or_cancels(&line) { self.next() } else { line }
    }

    /// A message of the corpus under an id of its own.
    fn fresh(&mut self) -> Value {
        let mut message = self.corpus[self.random.random_range(0..self.corpus.len())].clone();
        self.next += 1;
        if let Some(object) = message.as_object_mut()
            && object.contains_key("id")
        {
            let id = match self.random.random_range(0..2) {
                0 => json!(format!("m{}-{:x}", self.next, self.random.random::<u32>())),
                _ => json!(1_000_000_000 + self.next),
            };
            object.insert("id".into(), id);
        }
        message
    }

    /// Changes one value somewhere inside, or a key.
    fn change(&mut self, value: &mut Value) {
        let into = self.random.random_range(0..5) > 0;
        match value {
            Value::Object(object) if into && !object.is_empty() => {
                let at = self.random.random_range(0..object.len());
                let key = object.keys().nth(at).unwrap().clone();
                match self.random.random_range(0..8) {
                    0 => drop(object.remove(&key)),
                    1 => {
                        let taken = object.remove(&key).unwrap();
                        object.insert(format!("{key}x"), taken);
                    }
                    _ => self.change(object.get_mut(&key).unwrap()),
                }
            }
            Value::Array(list) if into && !list.is_empty() => {
                let at = self.random.random_range(0..list.len());
                self.change(&mut list[at]);
            }
            other => *other = self.junk(),
        }
    }

    fn junk(&mut self) -> Value {
        match self.random.random_range(0..14) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(1.5e300),
            4 => json!(u64::MAX),
            5 => json!(""),
            6 => json!("\u{0}\u{1b}[2J\u{202e}"),
            7 => json!([]),
            8 => json!({}),
            9 => json!("x".repeat(self.random.random_range(1..5000))),
            10 => json!([[[[[[[[{"a": [1]}]]]]]]]]),
            11 => json!("../../etc/passwd"),
            12 => json!("2026-07-28"),
            _ => json!("' OR 1=1 --"),
        }
    }

    fn damage(&mut self, line: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let at = self.random.random_range(0..line.len());
        let byte = SHARP[self.random.random_range(0..SHARP.len())];
        match self.random.random_range(0..4) {
            0 => line[at] = byte,
            1 => line.insert(at, byte),
            2 => drop(line.remove(at)),
            _ => {
                let end = (at + self.random.random_range(1..20)).min(line.len());
                let piece = line[at..end].to_vec();
                line.splice(at..at, piece);
            }
        }
    }
}

/// What a message deserves, read as JSON-RPC 2.0 says.
pub fn judge(line: &[u8]) -> Due {
    let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    let Ok(Value::Object(message)) = serde_json::from_slice(text) else { return Due::Nothing };
    let id = match message.get("id") {
        Some(Value::String(id)) => format!("{id:?}"),
        Some(Value::Number(id)) if id.is_i64() || id.is_u64() => id.to_string(),
        // 1.0 is the integer 1, and a server may read it as such or refuse it.
        Some(Value::Number(id)) => return Due::AtMostOne(id.as_f64().map(|id| id.to_string()).unwrap_or_default()),
        _ => return Due::Nothing,
    };
    // Looks like a response: never answered, or two peers could answer each other for ever.
    if !message.contains_key("method") && (message.contains_key("result") || message.contains_key("error")) {
        return Due::Nothing;
    }
    if message.get("method").is_some_and(|method| method == "subscriptions/listen") || twice(text) {
        return Due::AtMostOne(id);
    }
    Due::One(id)
}

/// Whether a key of the message stands twice at the top: which of two ids is meant is anybody's guess.
fn twice(text: &[u8]) -> bool {
    use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
    struct Keys<'a>(&'a mut Vec<String>);
    impl<'de> Visitor<'de> for Keys<'_> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                self.0.push(key);
            }
            Ok(())
        }
    }
    let mut keys = Vec::new();
    let _ = serde_json::Deserializer::from_slice(text).deserialize_map(Keys(&mut keys));
    let all = keys.len();
    keys.sort();
    keys.dedup();
    keys.len() < all
}

/// A message that ends the session or takes back requests, which would be no failure of the server.
fn ends_or_cancels(line: &[u8]) -> bool {
    line.windows(22).any(|bytes| bytes == b"notifications/cancelle")
}

/// One good request of every method; in the later era with its metadata.
fn good() -> Vec<Value> {
    let methods = [
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "list_context_types", "arguments": {"query": "latency"}})),
        (
            "tools/call",
            json!({"name": "collect_telemetry_context", "arguments": {"context_type": "latency", "time_range": "1h"}}),
        ),
        ("tools/call", json!({"name": "pg_query", "arguments": {"sql": "SELECT 1", "max_rows": 5}})),
        ("tools/call", json!({"name": "nope", "arguments": {}})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "analyze", "arguments": {"context_type": "latency"}})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "catalog://contexts"})),
        ("resources/subscribe", json!({"uri": "catalog://contexts"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "analyze"}, "argument": {"name": "context_type", "value": "l"}}),
        ),
        ("logging/setLevel", json!({"level": "error"})),
        ("ping", json!({})),
        ("server/discover", json!({})),
        ("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})),
        ("tasks/get", json!({"taskId": "none"})),
    ];
    let mut all = Vec::new();
    for (method, params) in methods {
        all.push(json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": params}));
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "it", "version": "1"},
        });
        all.push(json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": params}));
    }
    all
}
