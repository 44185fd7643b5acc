//! The id of a message that cannot be read, or is too long to be kept.
//!
//! Its client waits for an answer with that id until its own timeout. Clients write the id first, or, as the Python SDK
//! does, last: so the top level of what may be JSON is looked at a byte at a time, in little memory, and whatever stands
//! inside its texts and its inner objects is passed over, be it right or wrong.

use serde_json::Value;

/// Longest id that is looked for.
const LONGEST: usize = 1024;

/// Looks for the id of a message, piece by piece.
#[derive(Debug, Default)]
pub struct IdScanner {
    depth: u32,
    in_text: bool,
    escaped: bool,
    /// What has been read of a key of the top level, or of the value of `id`.
    token: Vec<u8>,
    /// The key whose value is being read.
    key: Option<Key>,
    ids: Vec<Value>,
    method: bool,
    outcome: bool,
    /// The object has ended.
    ended: bool,
    /// It is no single object.
    lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    Other,
}

impl IdScanner {
    pub fn of(bytes: &[u8]) -> Self {
        let mut scanner = Self::default();
        scanner.feed(bytes);
        scanner
    }

    /// The next piece of the message.
    pub fn feed(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.step(*byte));
    }

    /// The id of a request; null where there is none to be read, or more than one.
    pub fn id(&self) -> Value {
        match self.ids.as_slice() {
            [id] if !self.lost && !self.is_response() => id.clone(),
            _ => Value::Null,
        }
    }

    /// Whether it can only be meant as a response, which is never answered.
    pub fn is_response(&self) -> bool {
        self.outcome && !self.method
    }

    fn step(&mut self, byte: u8) {
        if self.in_text {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            // Kept, too: `1 2` is no 12.
            b' ' | b'\t' | b'\r' | b'\n' => self.keep(byte),
            _ if self.ended => self.lost = true,
            b'{' if self.depth == 0 => self.depth = 1,
            _ if self.depth == 0 => self.lost = true,
            b'"' => {
                self.in_text = true;
                self.keep(byte);
            }
            b'{' | b'[' => {
                // No value of these is an id.
                self.keep(byte);
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.ended = self.depth == 0;
                if self.ended {
                    self.end_of_value();
                }
            }
            b':' if self.depth == 1 && self.key.is_none() => self.end_of_key(),
            b',' if self.depth == 1 => self.end_of_value(),
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.key != Some(Key::Other) && self.token.len() <= LONGEST {
            self.token.push(byte);
        }
    }

    fn end_of_key(&mut self) {
        let name = self.token.trim_ascii();
        self.method |= name == b"\"method\"";
        self.outcome |= name == b"\"result\"" || name == b"\"error\"";
        self.key = Some(if name == b"\"id\"" { Key::Id } else { Key::Other });
        self.token.clear();
    }

    fn end_of_value(&mut self) {
        if self.key == Some(Key::Id) {
            let id = serde_json::from_slice(&self.token).ok().filter(readable);
            self.ids.push(id.unwrap_or_default());
            self.ids.truncate(2);
        }
        self.key = None;
        self.token.clear();
    }
}

/// Whether a value can be echoed as the id of a request.
pub fn readable(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_beside_whatever_is_wrong() {
        for (message, id) in [
            (&br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"#[..], "7"),
            (br#"{"id":"x","params":{"a":""#, "\"x\""),
            (br#"{"method":"a","params":{"a":"\ud83d"},"jsonrpc":"2.0","id":7}"#, "7"),
            (b"{\"id\":7,\"params\":{\"a\":\"\xff\"}}", "7"),
            (b"{\"params\":{\"a\":\"\xff\"},\"id\" : -8 }", "-8"),
            (br#"{"params":1e999,"id":"a \" b"}"#, "\"a \\\" b\""),
            (br#"{"params":[[{"id":5}]],"id":6}"#, "6"),
            (br#"{"a":"\\","id":6,"b":x}"#, "6"),
            (br#"{"params":{"id":5,"a":""#, "null"),
            (br#"{"a":"\"id\":5","b":"#, "null"),
            (br#"{"id":1.5,"a":""#, "null"),
            (br#"{"id":[1],"a":""#, "null"),
            (br#"{"id":{"a":1},"a":""#, "null"),
            (br#"{"id":7"#, "null"),
            (br#"{"id":1 2,"a":"#, "null"),
            (b"{ \"id\"\t: 12\r\n ,\"a\":", "12"),
            (br#"{"id":1,"id":2,"a":"#, "null"),
            (br#"{"id":1,"method":"x"} {}"#, "null"),
            (br#"[1,"#, "null"),
            (br#"{bad"#, "null"),
            (br#"}}"#, "null"),
            (b"", "null"),
        ] {
            let shown = String::from_utf8_lossy(message);
            assert_eq!(IdScanner::of(message).id().to_string(), id, "{shown}");
            let mut pieces = IdScanner::default();
            message.chunks(1).for_each(|piece| pieces.feed(piece));
            assert_eq!(pieces.id().to_string(), id, "{shown}, piece by piece");
        }
    }

    #[test]
    fn a_response_is_told_from_a_request() {
        for (message, response) in [
            (r#"{"id":1,"result":{"a":"\ud83d"}}"#, true),
            (r#"{"id":1,"error":{"#, true),
            (r#"{"id":1,"method":"a","params":{"result":1,"b":"#, false),
            (r#"{"id":1,"params":{"error":1}"#, false),
        ] {
            assert_eq!(IdScanner::of(message.as_bytes()).is_response(), response, "{message}");
        }
    }

    #[test]
    fn little_is_kept_of_a_long_message() {
        let mut scanner = IdScanner::default();
        scanner.feed(br#"{"id":""#);
        scanner.feed(&[b'x'; 100_000]);
        scanner.feed(br#"","method":"x"}"#);
        assert_eq!(scanner.id(), Value::Null);
        assert!(scanner.token.capacity() <= 2 * (LONGEST + 1), "{}", scanner.token.capacity());
    }
}
