//! What is kept of an output: its head and its tail, and how much lay between them.

use std::collections::VecDeque;

use crate::masking::Opened;

/// Which part of a head or a tail may be left out for a whole line.
const NEAR: usize = 4;
/// How much of what came before is known of a piece, in bytes: as long as a private key may be.
const BEFORE: usize = 128 << 10;
/// How much of what came after the head is looked through for what a manifest is of, in bytes: as long as one may be.
const MANIFEST: usize = 2 << 20;
/// How much of what came after the head is known, and longest word that is held back until it is at its end.
const AFTER: usize = 16 << 10;
/// Shortest word that may be the beginning of what has the form of a secret.
const WORD: usize = 8;

/// The head and the tail of a stream of bytes.
#[derive(Debug)]
pub struct Kept {
    most: usize,
    /// What stands open where that begins which is known of what was read before.
    opened: Opened,
    /// What was read before, as far as it tells what is in the head.
    before: Vec<u8>,
    head: Vec<u8>,
    /// What came behind the head, as far as it tells what is in that.
    after: Vec<u8>,
    /// The tail, and before it what tells what is in that.
    tail: VecDeque<u8>,
    /// What stands open where that begins; none: nothing is left out.
    left_open: Option<Opened>,
    total: u64,
}

/// A part of a stream, and what came before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What stands open where that begins which came before.
    pub opened: Opened,
    pub before: String,
    pub text: String,
    pub after: String,
}

impl Kept {
    /// Keeps `most` bytes, half of them from the beginning.
    pub fn new(most: usize) -> Self {
        let (before, head, after, tail) = (Vec::new(), Vec::new(), Vec::new(), VecDeque::new());
        Self { most: most.max(2), opened: Opened::default(), before, head, after, tail, left_open: None, total: 0 }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.most / 2).saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        let behind = rest.get(..rest.len().min(MANIFEST.saturating_sub(self.after.len()))).unwrap_or_default();
        self.after.extend_from_slice(behind);
        let most = self.most_of_tail() + BEFORE;
        let (passed, rest) = rest.split_at_checked(rest.len().saturating_sub(most)).unwrap_or_default();
        let over = (self.tail.len() + rest.len()).saturating_sub(most);
        let over: Vec<u8> = self.tail.drain(..over.min(self.tail.len())).collect();
        if !over.is_empty() || !passed.is_empty() {
            let opened = self.left_open.get_or_insert_with(|| {
                let mut opened = self.opened.clone();
                [&self.before, &self.head].into_iter().for_each(|bytes| opened.take(bytes));
                opened
            });
            opened.take(&over);
            opened.take(passed);
        }
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
            let opened = self.opened.clone();
            return (Part { opened, before: text(&self.before), text: text(&whole), after: String::new() }, None);
        }
        // No half of a letter, and no half of a line where one ends nearby: a long line is worth more than its beginning.
        let whole = text(&self.head);
        let whole = whole.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let near = |part: &str, whole: &str| part.len() <= whole.len() / NEAR;
        let head = whole.rsplit_once('\n').filter(|(_, line)| near(line, whole)).map_or(whole, |(lines, _)| lines);
        // Of a letter that was cut the rest is left.
        let after = [whole.get(head.len()..).unwrap_or_default(), &text(&self.after)].concat();
        let head = head.to_owned();
        let tail = text(tail);
        let tail = tail.trim_start_matches(char::REPLACEMENT_CHARACTER);
        let (cut, tail) = tail.split_once('\n').filter(|(line, _)| near(line, tail)).unwrap_or(("", tail));
        let kept = (head.len() + tail.len()) as u64;
        // Where little is lost, the head tells more.
        let joins = all.len() as u64 + self.head.len() as u64 == self.total;
        let mut before = if joins { text(&[&self.before, &self.head, known].concat()) } else { text(known) };
        let opened = self.left_open.as_ref().filter(|_| !joins).unwrap_or(&self.opened).clone();
        before.push_str(cut);
        if !cut.is_empty() {
            before.push('\n');
        }
        let said = format!("… {} bytes are left out here …", self.total.saturating_sub(kept));
        let tail = Part { opened, before, text: tail.to_owned(), after: String::new() };
        (Part { opened: self.opened.clone(), before: text(&self.before), text: head, after }, Some((said, tail)))
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
        let (passed, all) = all.split_at_checked(all.len().saturating_sub(BEFORE))?;
        let end = all.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'))?;
        let lines = String::from_utf8_lossy(all.get(..end)?).into_owned();
        let lines = lines.trim_end();
        let begins = lines.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let (before, line) = lines.split_at_checked(begins)?;
        let part = || {
            // What lies before the tail is known to that.
            let of_tail = self.left_open.as_ref().and_then(|_| passed.get(self.head.len()..)).unwrap_or(passed);
            let mut opened = self.left_open.as_ref().unwrap_or(&self.opened).clone();
            opened.take(of_tail);
            Part { opened, before: before.to_owned(), text: line.to_owned(), after: String::new() }
        };
        (!line.is_empty()).then(part)
    }

    /// What is kept, as it is read: what comes then is told by what came before. As long as more may come, a word that is not at its
    /// end stays for the next time: it may be a secret but for its last sign, which has no form.
    #[must_use]
    pub fn read(&mut self, is_over: bool) -> Self {
        let unfinished = if is_over { Vec::new() } else { self.take_back() };
        let mut next = Self::new(self.most);
        let (opened, mut all) = match &self.left_open {
            Some(opened) => (opened, Vec::new()),
            None => (&self.opened, [self.before.as_slice(), &self.head].concat()),
        };
        all.extend(&self.tail);
        next.opened = opened.clone();
        let passed = all.len().saturating_sub(BEFORE);
        next.opened.take(all.get(..passed).unwrap_or_default());
        all.drain(..passed);
        next.before = all;
        next.take(&unfinished);
        std::mem::replace(self, next)
    }

    /// Takes the word away that is not at its end. One that is longer than any secret stays.
    fn take_back(&mut self) -> Vec<u8> {
        let all = || self.head.iter().chain(&self.tail).rev().take_while(|byte| !byte.is_ascii_whitespace());
        let length = all().take(AFTER + 1).count();
        let says = all().take(AFTER).any(u8::is_ascii_alphanumeric);
        let apart = self.total > (self.head.len() + self.tail.len()) as u64 && length >= self.tail.len();
        if !(WORD..=AFTER).contains(&length) || !says || apart {
            return Vec::new();
        }
        let of_tail = self.tail.len() - length.min(self.tail.len());
        let of_head = self.head.len() - (length - (self.tail.len() - of_tail));
        let mut word = self.head.split_off(of_head);
        word.extend(self.tail.split_off(of_tail));
        // Where it comes again, it does so as a whole.
        self.total -= word.len() as u64;
        self.after.truncate(usize::try_from(self.total).unwrap_or(usize::MAX).saturating_sub(self.head.len()));
        word
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
        let part = |before: &str, text: &str| {
            let [before, text, after] = [before, text, ""].map(str::to_owned);
            Part { opened: Opened::default(), before, text, after }
        };
        let before = format!("{}\nsecret\n", "ä".repeat(50));
        assert_eq!(kept.last_line(), Some(part(&before, "last")));
        drop(kept.read(false));
        assert_eq!((kept.text(), kept.total()), (String::new(), 0));
        kept.take(b" off");
        assert_eq!(kept.parts(), (part(&format!("{before}last\r\ncut"), " off"), None));
    }

    #[test]
    fn a_word_that_is_not_at_its_end_waits_for_it() {
        for most in [16, 64, 1000] {
            let mut kept = Kept::new(most);
            kept.take(b"id AKIAIOSFODNN7EXAMPL");
            let first = kept.read(false);
            assert_eq!((first.text().as_str(), kept.total()), ("id ", 19), "{most}");
            assert_eq!(kept.read(false).text(), "");
            kept.take(b"E ok");
            let second = kept.read(true);
            assert!(second.text().ends_with("E ok") && second.total() == 23, "{most}: {}", second.text());
            assert_eq!(second.parts().0.before, "id ");
        }
        // What is at its end, what is short, and what says nothing is not held back.
        for said in ["a long-enough-word\n", "50%", "........", "ready? [y/N] "] {
            let mut kept = Kept::new(1000);
            kept.take(said.as_bytes());
            assert_eq!(kept.read(false).text(), said);
        }
        let mut kept = Kept::new(1000);
        kept.take(b"the-last-word");
        assert_eq!(kept.read(true).text(), "the-last-word");
    }

    #[test]
    fn what_came_behind_the_head_is_known() {
        for piece in [1, 7, 100_000] {
            let mut kept = Kept::new(100);
            let all = [vec![b'a'; 45], b" SECRET".to_vec(), vec![b'b'; 50_000]].concat();
            all.chunks(piece).for_each(|bytes| kept.take(bytes));
            let (head, tail) = kept.parts();
            assert!(head.text.ends_with(" SECR") && head.after.starts_with("ETbbb"), "{piece}: {head:?}");
            assert!(head.after.len() <= MANIFEST && tail.unwrap().1.text.len() == 50, "{piece}");
        }
    }
}
