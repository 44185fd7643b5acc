//! Lines of JSON: cutting them from a byte stream within a limit, and answering the ones that are no message.
//!
//! JSON-RPC wants an error with the request's id wherever the id can be read. rmcp's own line transport drops
//! what it cannot read, so that two peers never answer each other's errors for ever; here that is prevented by
//! never answering a line that looks like a notification or a response. Two faults are mended. Half a character (a lone
//! surrogate), which JavaScript writes for a text that was cut inside an emoji, is read as U+FFFD, as browsers do. And
//! where an object belongs, what some languages write for one is read as one (`params`).

use std::{borrow::Cow, io};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientNotification, ClientRequest,
        ConstString as _, InitializeResultMethod, JsonObject, JsonRpcMessage, JsonRpcRequest, ProtocolVersion,
        RequestId, RequestMetaObject,
    },
    service::RxJsonRpcMessage,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use super::{
    ids::{IdScanner, readable},
    params,
};
use crate::masking::Masking;

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
    /// The line is too long: it is dropped up to its end, and only its id looked for.
    oversized: Option<IdScanner>,
    /// The line has been handed out; the next call starts a new one.
    done: bool,
    max: usize,
}

/// One step of reading.
#[derive(Debug)]
pub enum Line<'a> {
    /// A line without its end; the last one may have had none.
    Whole(&'a [u8]),
    /// A line that is longer than the limit.
    Oversized(&'a IdScanner),
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `max` bytes.
    pub fn new(read: R, max: usize) -> Self {
        Self { read: BufReader::with_capacity(64 << 10, read), line: Vec::new(), oversized: None, done: false, max }
    }

    /// The next line. Cancel-safe: what was read before is kept in `self`.
    pub async fn next(&mut self) -> io::Result<Line<'_>> {
        if self.done {
            self.done = false;
            self.oversized = None;
            self.line.clear();
            self.line.shrink_to(KEPT_CAPACITY);
        }
        loop {
            let read = self.read.fill_buf().await?;
            let end_of_input = read.is_empty();
            let end_of_line = read.iter().position(|byte| *byte == b'\n');
            let text = read.get(..end_of_line.unwrap_or(read.len())).unwrap_or_default();
            match &mut self.oversized {
                Some(scanner) => scanner.feed(text),
                None if self.line.len() + text.len() > self.max => {
                    let scanner = self.oversized.insert(IdScanner::of(without_mark(&self.line)));
                    scanner.feed(text);
                    self.line = Vec::new();
                }
                None => self.line.extend_from_slice(text),
            }
            let consumed = text.len() + usize::from(end_of_line.is_some());
            self.read.consume(consumed);
            if end_of_input && self.line.is_empty() && self.oversized.is_none() {
                return Ok(Line::End);
            }
            if end_of_input || end_of_line.is_some() {
                self.done = true;
                return Ok(match &self.oversized {
                    Some(scanner) => Line::Oversized(scanner),
                    None => Line::Whole(trimmed(&self.line)),
                });
            }
        }
    }
}

/// A line without carriage return, byte order mark and surrounding blanks.
pub fn trimmed(line: &[u8]) -> &[u8] {
    without_mark(line).trim_ascii()
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
}

/// A line as a message, and the line that says it: mended where that makes it one.
pub fn message(line: &[u8]) -> Option<(Cow<'_, [u8]>, RxJsonRpcMessage<RoleServer>)> {
    let read = |line: &[u8]| serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(line).ok();
    let mut line = Cow::Borrowed(line);
    let mut found = read(&line);
    if found.is_none()
        && let Some(whole) = mended(&line)
    {
        line = Cow::Owned(whole);
        found = read(&line);
    }
    if found.as_ref().is_none_or(is_misread)
        && let Ok(Value::Object(mut object)) = serde_json::from_slice(&line)
        && params::mend(&mut object)
        && let Ok(mended) = serde_json::to_vec(&object)
        && let Some(message) = read(&mended)
    {
        return Some((Cow::Owned(mended), message));
    }
    Some((line, found?))
}

/// Whether a message of ours was taken for one that nobody knows, which is what rmcp makes of other parameters.
fn is_misread(message: &RxJsonRpcMessage<RoleServer>) -> bool {
    match message {
        JsonRpcMessage::Request(request) => match &request.request {
            ClientRequest::CustomRequest(custom) => params::is_known(&custom.method),
            _ => false,
        },
        JsonRpcMessage::Notification(notification) => match &notification.notification {
            ClientNotification::CustomNotification(custom) => params::is_known(&custom.method),
            _ => false,
        },
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => false,
    }
}

/// The line with U+FFFD for each half of a character. None: there is none.
fn mended(line: &[u8]) -> Option<Vec<u8>> {
    let code = |at: usize| {
        let digits = line.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    // Outside of texts JSON has no backslash.
    while let Some(next) = line.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += next;
        at += match (code(at), code(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                let copy = mended.get_or_insert_with(|| line.to_vec());
                if let Some(half) = copy.get_mut(at..at + 6) {
                    half.copy_from_slice(b"\\uFFFD");
                }
                6
            }
            _ => 2,
        };
    }
    mended
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

/// The revision in which messages may come as a batch, and have to be taken as one.
pub const WITH_BATCHES: ProtocolVersion = ProtocolVersion::V_2025_03_26;

/// Most messages of a batch.
const LONGEST_BATCH: usize = 256;

/// A message of a batch as a line, or the answer to what is none.
pub type Element = Result<Vec<u8>, Vec<u8>>;

/// The messages of a batch. None: the line is none.
pub fn taken_apart(line: &[u8]) -> Option<Vec<Element>> {
    let read = |line: &[u8]| serde_json::from_slice::<Vec<Value>>(line).ok();
    let elements = read(line).or_else(|| read(&mended(line)?))?;
    let refused = |id: &Value, what: &str| {
        Err(error_line(id, &ErrorData::invalid_request(format!("Invalid Request: {what}"), None)))
    };
    if !(1..=LONGEST_BATCH).contains(&elements.len()) {
        let what = format!("a batch has 1 to {LONGEST_BATCH} messages, not {}", elements.len());
        return Some(vec![refused(&Value::Null, &what)]);
    }
    let each = elements.into_iter().map(|element| {
        let Value::Object(object) = &element else { return refused(&Value::Null, "a message is a JSON object") };
        if object.get("method").is_some_and(|method| method == InitializeResultMethod::VALUE) {
            let id = object.get("id").filter(|id| readable(id)).cloned().unwrap_or(Value::Null);
            return refused(&id, "`initialize` comes alone, not in a batch");
        }
        Ok(element.to_string().into_bytes())
    });
    Some(each.collect())
}

/// The answer to a line that is no message, or none where an answer could start a storm of errors.
pub fn answer_to_garbage(line: &[u8]) -> Option<Vec<u8>> {
    let (id, error) = match serde_json::from_slice::<Value>(line) {
        Err(error) => {
            let scanner = IdScanner::of(line);
            if scanner.is_response() {
                return None;
            }
            (scanner.id(), ErrorData::parse_error(format!("Parse error: {error}"), None))
        }
        Ok(Value::Object(object)) if unanswerable(&object) => return None,
        Ok(Value::Object(object)) => {
            let id = object.get("id").filter(|id| readable(id)).cloned().unwrap_or(Value::Null);
            (id, fault(&object))
        }
        Ok(Value::Array(_)) => (
            Value::Null,
            ErrorData::invalid_request(
                "Invalid Request: batches belong to sessions of 2025-03-26; send one message at a time",
                None,
            ),
        ),
        Ok(_) => (Value::Null, ErrorData::invalid_request("Invalid Request: a message is a JSON object", None)),
    };
    Some(error_line(&id, &error))
}

/// The answer to a line that is longer than the limit; none where it was a response.
pub fn answer_to_oversized(line: &IdScanner, max: usize) -> Option<Vec<u8>> {
    (!line.is_response()).then(|| error_line(&line.id(), &ErrorData::invalid_request(oversized(max), None)))
}

pub fn oversized(max: usize) -> String {
    format!("Invalid Request: the message is longer than {max} bytes (mcp.max_message_size)")
}

/// An error response as a line. JSON-RPC wants `id: null` where the id is not known.
pub fn error_line(id: &Value, error: &ErrorData) -> Vec<u8> {
    let error = &masked(error.clone());
    #[derive(Serialize)]
    struct Response<'a> {
        jsonrpc: &'static str,
        id: &'a Value,
        error: &'a ErrorData,
    }
    line_of(&Response { jsonrpc: "2.0", id, error }).unwrap_or_default()
}

/// An error without what nobody should read: it says what was asked, and nobody knows what that is.
pub fn masked(mut error: ErrorData) -> ErrorData {
    let masking = Masking::of_process();
    if let (Cow::Owned(shown), 1..) = masking.masked(&error.message) {
        error.message = shown.into();
    }
    if let Some(data) = &mut error.data {
        masking.mask(data);
    }
    error
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &'static [u8], max: usize) -> Vec<String> {
        let mut lines = Lines::new(input, max);
        let mut read = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::Whole(line) => read.push(String::from_utf8_lossy(line).into_owned()),
                Line::Oversized(line) => read.push(format!("oversized {}", line.id())),
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
        assert_eq!(lines(b"1234\n12345\n123\n", 4).await, ["1234", "oversized null", "123"]);
        assert_eq!(lines(b"12345", 4).await, ["oversized null"]);
        let python = br#"{"method":"tools/call","params":{},"jsonrpc":"2.0","id":7}"#;
        assert_eq!(lines(python, 4).await, ["oversized 7"], "some clients write the id last");
    }

    #[test]
    fn a_batch_is_taken_apart() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        assert!(taken_apart(ping.as_bytes()).is_none());
        assert!(taken_apart(b"[").is_none());
        for (line, lines, says) in [
            (format!(" [{ping}, {ping}]"), 2, None),
            (format!("[{ping}, 5, []]"), 1, Some("a message is a JSON object")),
            ("[]".into(), 0, Some("a batch has 1 to 256 messages, not 0")),
            (format!("[{}1]", "1,".repeat(256)), 0, Some("not 257")),
            (r#"[{"jsonrpc":"2.0","id":7,"method":"initialize"}]"#.into(), 0, Some("comes alone")),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud83d"}}]"#.into(), 1, None),
        ] {
            let batch = taken_apart(line.as_bytes()).unwrap();
            assert_eq!(batch.iter().filter(|element| element.is_ok()).count(), lines, "{line}");
            let refused = batch.into_iter().find_map(Result::err).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(refused.is_some(), says.is_some(), "{line}");
            assert!(says.is_none_or(|says| refused.unwrap().contains(says)), "{line}");
        }
    }

    #[test]
    fn garbage_is_answered_with_its_id_where_that_can_be_read() {
        for (line, answer) in [
            (r#"{bad"#, Some((-32700, "null"))),
            (r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":"\ud83d"}}"#, Some((-32700, "7"))),
            (r#"{"jsonrpc":"2.0","id":7,"result":{"a":"\ud83d"}}"#, None),
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
    fn half_a_character_is_mended_and_nothing_else() {
        for (line, expected) in [
            (r#"{"a":"cut \ud83d"}"#, Some(r#"{"a":"cut \uFFFD"}"#)),
            (r#"{"a":"\uDC00\ud83d\ude00\ud83d\n"}"#, Some(r#"{"a":"\uFFFD\ud83d\ude00\uFFFD\n"}"#)),
            (r#"{"\ud83dx":1}"#, Some(r#"{"\uFFFDx":1}"#)),
            (r#"{"a":"\\ud83d"}"#, None),
            (r#"{"a":"\ud83d\ude00"}"#, None),
            (r#"{"a":"\u12"#, None),
            (r#"{"a":"\"#, None),
            (r#"{"a":"\u+123"}"#, None),
        ] {
            let got = mended(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(got.as_deref(), expected, "{line}");
        }
    }
}
