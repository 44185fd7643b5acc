//! Private keys: what stands between their first and their last line, however those are indented, prefixed or escaped.

use std::ops::Range;

use base64::Engine as _;
use regex::Captures;

use super::{MASK, Seen};

/// The line before a key: RFC 7468 and 1421, OpenPGP, SSH2, PuTTY; a space may be encoded as in an address.
pub(super) const BEGINS: &str = r"-{4,5}(?: |\+|%20)?BEGIN(?: |\+|%20)(?:[A-Z0-9]{2,10}(?: |\+|%20)){0,4}PRIVATE(?: |\+|%20)KEY(?:(?: |\+|%20)BLOCK)?(?: |\+|%20)?-{4,5}|Private-Lines: ?[0-9]+";

/// Longest key, in bytes: as long as a file that is read whole.
const LONGEST: usize = 16 << 20;

/// Shortest piece of a key that is known by itself, in characters.
const PIECE: usize = 16;

/// The places of the pieces of one key. What stands between them, as the prefixes of a log, stays.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(begins) = found.get(0) else { return (Vec::new(), 0) };
    let from = begins.end();
    let most = text.floor_char_boundary(text.len().min(from + LONGEST));
    let rest = text.get(from..most).unwrap_or_default();
    let ends = if begins.as_str().starts_with('P') {
        vec!["Private-MAC:", "Private-Hash:"]
    } else {
        vec!["-----END", "---- END"]
    };
    // Each search goes no further than what was found: a text may begin many keys and end none.
    let first = |rest: &str, signs: &[&str]| {
        signs.iter().fold(None, |found: Option<usize>, sign| {
            let within = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
            within.find(sign).or(found)
        })
    };
    let next = first(rest, &["----BEGIN", "---- BEGIN", "----+BEGIN", "----%20BEGIN", "Private-Lines:"]);
    let last = first(rest.get(..next.unwrap_or(rest.len())).unwrap_or_default(), &ends);
    let body = rest.get(..last.or(next).unwrap_or(rest.len())).unwrap_or_default();
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut held: Option<Range<usize>> = None;
    let mut gone = 0;
    let all = pieces(body);
    let least = all.len().saturating_sub(2);
    for (number, piece) in all.into_iter().enumerate() {
        let between = body.get(gone..piece.start).unwrap_or_default();
        let lines = between.matches('\n').count();
        // A key that was cut off ends where lines of something else begin.
        if last.is_none() && lines > 3 {
            break;
        }
        let written = body.get(piece.clone()).unwrap_or_default();
        let is_last = last.is_some() && number >= least && body.get(piece.end..).is_some_and(is_blank);
        let is_end = held.is_some() && (is_last || (written.len() == 5 && written.starts_with('=')));
        // Lines of a key that has its end are of it however short they are.
        let ended = body.get(piece.end..).unwrap_or_default();
        let alone = last.is_some()
            && is_blank(between)
            && !between.contains('{')
            && (is_last || ended.starts_with(['\n', '\r', '\\', '%']));
        if written == MASK || !(is_key(written) || is_end || alone) {
            continue;
        }
        let line = last.is_some() || places.is_empty() && held.is_none() || lines > 0 || is_blank(between);
        if !line {
            continue;
        }
        gone = piece.end;
        let piece = from + piece.start..from + piece.end;
        held = Some(match held {
            // Lines of one key are one place.
            Some(held) if text.get(held.end..piece.start).is_some_and(is_blank) => held.start..piece.end,
            Some(held) => {
                places.push(held);
                piece
            }
            None => piece,
        });
    }
    places.extend(held);
    (places, from + body.len())
}

/// Whether a piece is of a key, and no word.
fn is_key(piece: &str) -> bool {
    piece.len() >= PIECE && piece.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b"+/=".contains(&b))
}

/// Whether nothing can be read between two pieces: blanks, ends of lines and quotes, escaped or not.
fn is_blank(between: &str) -> bool {
    let plain = between.replace("\\n", "").replace("\\r", "").replace("\\t", "").replace("u000a", "");
    let plain = plain.replace("%0A", "").replace("%0a", "").replace("%0D", "").replace("%0d", "").replace("%20", "");
    !plain.chars().any(|c| c.is_alphanumeric() || c == '*')
}

/// What is written in the alphabet of base64, without escapes before it.
fn pieces(body: &str) -> Vec<Range<usize>> {
    let bytes = body.as_bytes();
    let encoded =
        |at: usize| matches!(bytes.get(at..at + 3), Some(b"%2B" | b"%2b" | b"%2F" | b"%2f" | b"%3D" | b"%3d"));
    let is_piece = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                at += 1;
                at += match bytes.get(at) {
                    Some(b'n' | b'r' | b't') => 1,
                    Some(b'u') => 5,
                    _ => 0,
                };
            }
            b'%' if !encoded(at) => at += 3,
            b'*' if body.get(at..).is_some_and(|rest| rest.starts_with(MASK)) => {
                pieces.push(at..at + MASK.len());
                at += MASK.len();
            }
            byte if is_piece(*byte) || encoded(at) => {
                let start = at;
                while bytes.get(at).is_some_and(|b| is_piece(*b)) || encoded(at) {
                    at += if encoded(at) { 3 } else { 1 };
                }
                pieces.push(start..at);
            }
            _ => at += 1,
        }
    }
    pieces
}

/// Whether a text in base64 that begins as PEM does holds a private key.
pub(super) fn is_private(seen: &Seen<'_>) -> bool {
    let head = seen.value.get(..64.min(seen.value.len() / 4 * 4)).unwrap_or_default();
    let head = base64::engine::general_purpose::STANDARD.decode(head).unwrap_or_default();
    String::from_utf8_lossy(&head).contains("PRIVATE")
}
