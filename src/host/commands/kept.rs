//! What is kept of an output: its head and its tail, and how much lay between them.

use std::collections::VecDeque;

/// Which part of a head or a tail may be left out for a whole line.
const NEAR: usize = 4;

/// The head and the tail of a stream of bytes.
#[derive(Debug)]
pub struct Kept {
    most: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Kept {
    /// Keeps `most` bytes, half of them from the beginning.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(2), head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.most / 2).saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        let most = self.most - self.most / 2;
        let rest = rest.get(rest.len().saturating_sub(most)..).unwrap_or_default();
        let over = (self.tail.len() + rest.len()).saturating_sub(most);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// Bytes that came in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are not kept.
    pub fn lost(&self) -> u64 {
        self.total - (self.head.len() + self.tail.len()) as u64
    }

    /// The text, with a line where something is left out.
    pub fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.lost() == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        // No half of a letter, and no half of a line where one ends nearby: a long line is worth more than its beginning.
        let head = String::from_utf8_lossy(&self.head).into_owned();
        let head = head.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let head =
            head.rsplit_once('\n').filter(|(_, line)| line.len() <= head.len() / NEAR).map_or(head, |(lines, _)| lines);
        let tail = String::from_utf8_lossy(&tail).into_owned();
        let tail = tail.trim_start_matches(char::REPLACEMENT_CHARACTER);
        let tail =
            tail.split_once('\n').filter(|(line, _)| line.len() <= tail.len() / NEAR).map_or(tail, |(_, lines)| lines);
        let kept = (head.len() + tail.len()) as u64;
        format!("{head}\n… {} bytes are left out here …\n{tail}", self.total.saturating_sub(kept))
    }

    /// Forgets what is kept, as it was read.
    pub fn clear(&mut self) {
        *self = Self::new(self.most);
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
        kept.clear();
        assert_eq!((kept.text(), kept.total()), (String::new(), 0));
    }
}
