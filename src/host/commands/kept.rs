//! What is kept of an output: its head and its tail, and how much lay between them.

use std::collections::VecDeque;

/// Which part of a head or a tail may be left out for a whole line.
const NEAR: usize = 4;
/// How much of what came before is known of a piece, in bytes: as long as a private key may be.
const BEFORE: usize = 128 << 10;

/// The head and the tail of a stream of bytes.
#[derive(Debug)]
pub struct Kept {
    most: usize,
    /// What was read before, as far as it tells what is in the head.
    before: Vec<u8>,
    head: Vec<u8>,
    /// The tail, and before it what tells what is in that.
    tail: VecDeque<u8>,
    total: u64,
}

/// A part of a stream, and what came before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub before: String,
    pub text: String,
}

impl Kept {
    /// Keeps `most` bytes, half of them from the beginning.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(2), before: Vec::new(), head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.most / 2).saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        let most = self.most_of_tail() + BEFORE;
        let rest = rest.get(rest.len().saturating_sub(most)..).unwrap_or_default();
        let over = (self.tail.len() + rest.len()).saturating_sub(most);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    fn most_of_tail(&self) -> usize {
        self.most - self.most / 2
    }

    /// Bytes that came in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are not kept.
    pub fn lost(&self) -> u64 {
        self.total - (self.head.len() + self.tail.len().min(self.most_of_tail())) as u64
    }

    /// The text in one part, or in two with a line between them of what is left out. What is not kept is between them.
    pub fn parts(&self) -> (Part, Option<(String, Part)>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all: Vec<u8> = self.tail.iter().copied().collect();
        let (known, tail) = all.split_at_checked(all.len().saturating_sub(self.most_of_tail())).unwrap_or_default();
        if self.lost() == 0 {
            let whole = [self.head.as_slice(), tail].concat();
            return (Part { before: text(&self.before), text: text(&whole) }, None);
        }
        // No half of a letter, and no half of a line where one ends nearby: a long line is worth more than its beginning.
        let head = text(&self.head);
        let head = head.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let near = |part: &str, whole: &str| part.len() <= whole.len() / NEAR;
        let head =
            head.rsplit_once('\n').filter(|(_, line)| near(line, head)).map_or(head, |(lines, _)| lines).to_owned();
        let tail = text(tail);
        let tail = tail.trim_start_matches(char::REPLACEMENT_CHARACTER);
        let (cut, tail) = tail.split_once('\n').filter(|(line, _)| near(line, tail)).unwrap_or(("", tail));
        let kept = (head.len() + tail.len()) as u64;
        // Where little is lost, the head tells more.
        let joins = all.len() as u64 + self.head.len() as u64 == self.total;
        let mut before = if joins { text(&[self.head.as_slice(), known].concat()) } else { text(known) };
        before.push_str(cut);
        if !cut.is_empty() {
            before.push('\n');
        }
        let said = format!("… {} bytes are left out here …", self.total.saturating_sub(kept));
        let tail = Part { before, text: tail.to_owned() };
        (Part { before: text(&self.before), text: head }, Some((said, tail)))
    }

    /// The text, with a line where something is left out.
    pub fn text(&self) -> String {
        match self.parts() {
            (whole, None) => whole.text,
            (head, Some((said, tail))) => format!("{}\n{said}\n{}", head.text, tail.text),
        }
    }

    /// The last whole line that says something, after what came before it; none: there is none.
    pub fn last_line(&self) -> Option<Part> {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let all = [self.head.as_slice(), &tail].concat();
        let all = all.get(all.len().saturating_sub(BEFORE)..).unwrap_or_default();
        let end = all.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'))?;
        let lines = String::from_utf8_lossy(all.get(..end)?).into_owned();
        let lines = lines.trim_end();
        let begins = lines.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let (before, line) = lines.split_at_checked(begins)?;
        (!line.is_empty()).then(|| Part { before: before.to_owned(), text: line.to_owned() })
    }

    /// What is kept, as it is read: what comes then is told by what came before.
    #[must_use]
    pub fn read(&mut self) -> Self {
        let mut next = Self::new(self.most);
        let all = self.before.iter().chain(&self.head).chain(&self.tail).copied();
        let length = self.before.len() + self.head.len() + self.tail.len();
        next.before = all.skip(length.saturating_sub(BEFORE)).collect();
        std::mem::replace(self, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_and_the_tail_are_kept_however_it_arrives() {
        for piece in [1, 3, 7, 1000] {
            let all: Vec<u8> = (0..200).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
            let mut kept = Kept::new(100);
            all.chunks(piece).for_each(|bytes| kept.take(bytes));
            assert_eq!((kept.total(), kept.lost()), (all.len() as u64, all.len() as u64 - 100));
            let text = kept.text();
            assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 198\nline 199\n"), "{text}");
            assert!(text.contains("bytes are left out here") && text.len() < 160, "{text}");
        }
        // Lines that are longer than what is kept.
        for (said, begins, ends) in [
            (format!("{} final error: disk full\n", "x".repeat(1000)), "xxxx", "final error: disk full\n"),
            (format!("head\n{}THEEND", "A".repeat(1000)), "head\nAAAA", "AATHEEND"),
            (format!("{}\nthe end\n", "ä".repeat(1001)), "ää", "ä\nthe end\n"),
        ] {
            let mut kept = Kept::new(99);
            kept.take(said.as_bytes());
            let text = kept.text();
            assert!(text.starts_with(begins) && text.ends_with(ends) && text.len() > 100, "{text}");
            assert!(!text.contains(char::REPLACEMENT_CHARACTER), "{text}");
        }
        let mut kept = Kept::new(100);
        kept.take("ä".repeat(50).as_bytes());
        assert_eq!((kept.text(), kept.lost()), ("ä".repeat(50), 0));
        assert_eq!(kept.last_line(), None);
        kept.take(b"\nsecret\nlast\r\ncut");
        let part = |before: &str, text: &str| Part { before: before.to_owned(), text: text.to_owned() };
        let before = format!("{}\nsecret\n", "ä".repeat(50));
        assert_eq!(kept.last_line(), Some(part(&before, "last")));
        drop(kept.read());
        assert_eq!((kept.text(), kept.total()), (String::new(), 0));
        kept.take(b" off");
        assert_eq!(kept.parts(), (part(&format!("{before}last\r\ncut"), " off"), None));
    }
}
