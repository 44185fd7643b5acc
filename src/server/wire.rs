//! Lines of JSON: cutting them from a byte stream within a limit, and answering the ones that are no message.
//!
//! JSON-RPC wants an error with the request's id wherever the id can be read. rmcp's own line transport drops
//! what it cannot read, so that two peers never answer each other's errors for ever; here that is prevented by
//! never answering a line that looks like a notification or a response.

use std::io;

use rmcp::{
    ErrorData,
    model::{
        CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientRequest, ConstString as _, ErrorCode,
        JsonObject, JsonRpcRequest, RequestId, RequestMetaObject,
    },
};
use serde::{
    Deserialize, Serialize,
    de::{Deserializer as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// What is kept of a line that is too long: enough to find its id, which clients write first.
pub const KEPT_OF_OVERSIZED: usize = 4 << 10;
/// Where clients write the method: before the parameters, which may be long.
const METHOD_WITHIN: usize = 256;
const TOOLS_CALL: &[u8] = br#""tools/call""#;
/// Buffers that grew beyond this are given back.
const KEPT_CAPACITY: usize = 1 << 20;

/// Lines of a byte stream.
#[derive(Debug)]
pub struct Lines<R> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The line is too long: the rest of it is dropped up to its end.
    oversized: bool,
    /// The line has been handed out; the next call starts a new one.
    done: bool,
    max: usize,
}

/// One step of reading.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its end; the last one may have had none.
    Whole(&'a [u8]),
    /// The beginning of a line that is longer than the limit.
    Oversized(&'a [u8]),
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `max` bytes.
    pub fn new(read: R, max: usize) -> Self {
        Self { read: BufReader::with_capacity(64 << 10, read), line: Vec::new(), oversized: false, done: false, max }
    }

    /// The next line. Cancel-safe: what was read before is kept in `self`.
    pub async fn next(&mut self) -> io::Result<Line<'_>> {
        if self.done {
            self.done = false;
            self.oversized = false;
            self.line.clear();
            self.line.shrink_to(KEPT_CAPACITY);
        }
        loop {
            let read = self.read.fill_buf().await?;
            let end_of_input = read.is_empty();
            let end_of_line = read.iter().position(|byte| *byte == b'\n');
            let text = read.get(..end_of_line.unwrap_or(read.len())).unwrap_or_default();
            if !self.oversized {
                if self.line.len() + text.len() > self.max {
                    self.oversized = true;
                    self.line.extend_from_slice(text.get(..KEPT_OF_OVERSIZED).unwrap_or(text));
                    self.line.truncate(KEPT_OF_OVERSIZED);
                } else {
                    self.line.extend_from_slice(text);
                }
            }
            let consumed = text.len() + usize::from(end_of_line.is_some());
            self.read.consume(consumed);
            if end_of_input && self.line.is_empty() {
                return Ok(Line::End);
            }
            if end_of_input || end_of_line.is_some() {
                self.done = true;
                let line = trimmed(&self.line);
                return Ok(if self.oversized { Line::Oversized(line) } else { Line::Whole(line) });
            }
        }
    }
}

/// A line without carriage return, byte order mark and surrounding blanks.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii()
}

/// A call of a tool, read in one pass.
///
/// rmcp reads a message by buffering it and trying every shape that there is, which costs more than all else that is
/// done for a small call. This takes the plain shape of the most frequent request and leaves everything else, also
/// everything that is wrong, to rmcp.
pub fn tool_call(line: &[u8]) -> Option<JsonRpcRequest<ClientRequest>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Message<'a> {
        jsonrpc: &'a str,
        id: RequestId,
        method: &'a str,
        params: Params,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        name: String,
        arguments: Option<JsonObject>,
        #[serde(rename = "_meta")]
        meta: Option<JsonObject>,
    }
    let beginning = line.get(..METHOD_WITHIN).unwrap_or(line);
    if !beginning.windows(TOOLS_CALL.len()).any(|bytes| bytes == TOOLS_CALL) {
        return None;
    }
    let message: Message<'_> = serde_json::from_slice(line).ok()?;
    if message.jsonrpc != "2.0" || message.method != CallToolRequestMethod::VALUE {
        return None;
    }
    let mut params = CallToolRequestParams::new(message.params.name);
    params.arguments = message.params.arguments;
    let mut request = CallToolRequest::new(params);
    if let Some(meta) = message.params.meta {
        request.extensions.insert(RequestMetaObject::from(meta));
    }
    Some(JsonRpcRequest::new(message.id, ClientRequest::CallToolRequest(request)))
}

/// The answer to a line that is no message, or none where an answer could start a storm of errors.
pub fn answer_to_garbage(line: &[u8]) -> Option<Vec<u8>> {
    let (id, error) = match serde_json::from_slice::<Value>(line) {
        Err(error) => (Value::Null, ErrorData::parse_error(format!("Parse error: {error}"), None)),
        Ok(Value::Object(object)) if unanswerable(&object) => return None,
        Ok(Value::Object(object)) => {
            let id = object.get("id").filter(|id| readable(id)).cloned().unwrap_or(Value::Null);
            (id, fault(&object))
        }
        Ok(Value::Array(_)) => {
            (Value::Null, ErrorData::invalid_request("Invalid Request: batches are not supported", None))
        }
        Ok(_) => (Value::Null, ErrorData::invalid_request("Invalid Request: a message is a JSON object", None)),
    };
    Some(error_line(&id, &error))
}

/// The answer to a line that is longer than the limit.
pub fn answer_to_oversized(beginning: &[u8], max: usize) -> Vec<u8> {
    let message = format!("Invalid Request: the message is longer than {max} bytes (mcp.max_message_size)");
    error_line(&id_in(beginning), &ErrorData::new(ErrorCode::INVALID_REQUEST, message, None))
}

/// An error response as a line. JSON-RPC wants `id: null` where the id is not known.
pub fn error_line(id: &Value, error: &ErrorData) -> Vec<u8> {
    #[derive(Serialize)]
    struct Response<'a> {
        jsonrpc: &'static str,
        id: &'a Value,
        error: &'a ErrorData,
    }
    line_of(&Response { jsonrpc: "2.0", id, error }).unwrap_or_default()
}

/// A message as a line.
pub fn line_of(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(256);
    serde_json::to_writer(&mut line, message)?;
    line.push(b'\n');
    Ok(line)
}

/// Notifications are never answered, and neither is what can only be meant as a response.
fn unanswerable(object: &Map<String, Value>) -> bool {
    let notification = !object.contains_key("id")
        && object.get("method").is_some_and(Value::is_string)
        && object.get("jsonrpc").is_some_and(|version| version == "2.0");
    let response = !object.contains_key("method") && (object.contains_key("result") || object.contains_key("error"));
    notification || response
}

fn readable(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

/// What is wrong with an object that is no message.
fn fault(object: &Map<String, Value>) -> ErrorData {
    let invalid = |what: &str| ErrorData::invalid_request(format!("Invalid Request: {what}"), None);
    if object.get("jsonrpc").is_none_or(|version| version != "2.0") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    match object.get("method") {
        None => return invalid("`method` is missing"),
        Some(method) if !method.is_string() => return invalid("`method` must be a string"),
        Some(_) => {}
    }
    // rmcp reads signed integers only; a larger one can still be echoed.
    if object.get("id").is_some_and(|id| !readable(id) || id.as_u64().is_some_and(|id| i64::try_from(id).is_err())) {
        return invalid("`id` must be a string or an integer of 64 bits");
    }
    if object.contains_key("result") || object.contains_key("error") {
        return invalid("a request has neither `result` nor `error`");
    }
    match object.get("params") {
        Some(Value::Object(params)) if params.get("_meta").is_some_and(|meta| !meta.is_object()) => {
            ErrorData::invalid_params("Invalid params: `_meta` must be an object", None)
        }
        None | Some(Value::Object(_)) => invalid("a key is there twice"),
        Some(_) => invalid("`params` must be an object"),
    }
}

/// The id at the top level of the beginning of a JSON object.
fn id_in(beginning: &[u8]) -> Value {
    struct Ids<'a>(&'a mut Value);
    impl<'de> Visitor<'de> for Ids<'_> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<String>()? {
                if key == "id" {
                    *self.0 = map.next_value()?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(())
        }
    }
    let mut id = Value::Null;
    // Ends in an error where the beginning breaks off; the id may have been read by then.
    let _ = serde_json::Deserializer::from_slice(beginning).deserialize_map(Ids(&mut id));
    if readable(&id) { id } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &'static [u8], max: usize) -> Vec<String> {
        let mut lines = Lines::new(input, max);
        let mut read = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::Whole(line) => read.push(String::from_utf8_lossy(line).into_owned()),
                Line::Oversized(line) => read.push(format!("oversized {}", String::from_utf8_lossy(line))),
                Line::End => return read,
            }
        }
    }

    #[tokio::test]
    async fn lines_end_with_lf_crlf_or_the_input() {
        assert_eq!(lines(b"a\r\n\n \t\nb\n\xEF\xBB\xBFc", 10).await, ["a", "", "", "b", "c"]);
        assert_eq!(lines(b"", 10).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_of_exactly_the_limit_is_whole() {
        assert_eq!(lines(b"1234\n12345\n123\n", 4).await, ["1234", "oversized 12345", "123"]);
        assert_eq!(lines(b"12345", 4).await, ["oversized 12345"]);
    }

    #[test]
    fn garbage_is_answered_with_its_id_where_that_can_be_read() {
        for (line, answer) in [
            (r#"{bad"#, Some((-32700, "null"))),
            (r#"{"jsonrpc":"2.0","id":1,"method":"x"} {}"#, Some((-32700, "null"))),
            (r#"[]"#, Some((-32600, "null"))),
            (r#"5"#, Some((-32600, "null"))),
            (r#"{}"#, Some((-32600, "null"))),
            (r#"{"id":1,"method":"ping"}"#, Some((-32600, "1"))),
            (r#"{"jsonrpc":"2.0","id":"a"}"#, Some((-32600, "\"a\""))),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some((-32600, "null"))),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some((-32600, "null"))),
            (r#"{"jsonrpc":"2.0","id":2,"method":"ping","result":{}}"#, Some((-32600, "2"))),
            (r#"{"jsonrpc":"2.0","method":"x","params":[]}"#, None),
            (r#"{"jsonrpc":"2.0","id":3,"result":{},"error":{}}"#, None),
        ] {
            let answered = answer_to_garbage(line.as_bytes())
                .map(|line| serde_json::from_slice::<Value>(&line).unwrap())
                .map(|v| (v["error"]["code"].as_i64().unwrap(), v["id"].to_string()));
            assert_eq!(answered, answer.map(|(code, id)| (code, id.to_owned())), "{line}");
        }
    }

    /// Whatever the short way reads, rmcp reads the same; and it reads the calls that clients send.
    #[test]
    fn tool_calls_are_read_as_rmcp_reads_them() {
        type Message = rmcp::service::RxJsonRpcMessage<rmcp::RoleServer>;
        for (line, short) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#, true),
            (
                r#"{"method":"tools/call","params":{"arguments":{"z":1,"a":[{}]},"name":"\u00e4"},"jsonrpc":"2.0","id":"x"}"#,
                true,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"a","arguments":null,"_meta":{"progressToken":7}}}"#,
                true,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","requestState":"s"}}"#, false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"result":{}}"#, false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, false),
            (r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"a"}}"#, false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#, false),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"a"}}"#, false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"name":"tools/call"}}"#, false),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#, false),
        ] {
            let read = tool_call(line.as_bytes());
            assert_eq!(read.is_some(), short, "{line}");
            if let Some(read) = read {
                let rmcp = serde_json::from_str::<Message>(line).unwrap();
                assert_eq!(format!("{:?}", Message::Request(read)), format!("{rmcp:?}"));
            }
        }
    }

    #[test]
    fn the_id_of_a_broken_off_object_is_found() {
        for (beginning, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"#, "7"),
            (r#"{"id":"x","params":{"a":""#, "\"x\""),
            (r#"{"params":{"id":5,"a":""#, "null"),
            (r#"{"id":1.5,"a":""#, "null"),
            (r#"[1,"#, "null"),
        ] {
            assert_eq!(id_in(beginning.as_bytes()).to_string(), id, "{beginning}");
        }
    }
}
