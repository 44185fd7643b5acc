//! Pieces of a file as they would be masked in the whole of it: what stands before a piece tells what in it is a secret.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

use encoding_rs::Encoding;

use super::{
    Content, FileError, Files, Read,
    decode::{Kind, decode},
    read::whole,
};
use crate::masking::{AROUND, Opened, WHOLE, has_mask};

/// How much of a file is looked through for the first line of a table.
const HEAD: u64 = 16 << 10;

/// How far before a piece it is looked for what stands open there, and how far behind it for what a manifest is of, in bytes.
const FAR: u64 = 64 << 20;
const MANIFEST: u64 = 2 << 20;

impl Files {
    /// Refuses bytes that say `***` where the file has what answers mask: they were made of such an answer, and would destroy that.
    pub(super) fn keeps_what_is_masked(&self, was: &[u8], new: &[u8], path: &str) -> Result<(), FileError> {
        if !self.masking.loses(was, new) {
            return Ok(());
        }
        Err(FileError::failed(format!(
            "`{path}` holds what answers show as `***`, and would hold `***` in its place; nothing was changed"
        ))
        .hint("replace other lines with `edit_file`, and leave masked ones out of its texts"))
    }

    /// The same where nobody knows what the file has.
    pub(super) fn holds_no_mask(&self, new: &[u8], path: &str) -> Result<(), FileError> {
        if !has_mask(new) {
            return Ok(());
        }
        Err(FileError::failed(format!(
            "`{path}` cannot be read whole, so that `***` may stand where it has a secret; nothing was changed"
        ))
        .hint("write another text than `***`, or move the file away first"))
    }

    /// What was read, masked by what stands around it. What is the whole file is masked where it leaves, unless it is seen in an
    /// encoding that is not its own: there a secret is written in other letters.
    pub(super) fn masked_by_its_file(
        &self,
        mut read: Read,
        mut file: File,
        kind: Kind,
        foreign: bool,
        path: &str,
    ) -> Result<Read, FileError> {
        if read.span.start == 0 && read.next.is_none() && !foreign {
            return Ok(read);
        }
        let failed = |error| FileError::of(path, &error);
        let Around { all, opened, before, piece, after } = around(&mut file, &read.span).map_err(failed)?;
        match (&mut read.content, kind) {
            (Content::Text(text), Kind::Text(encoding)) => {
                if let Some((shown, count)) = self.masking.bytes(&before, &piece, &after).filter(|_| foreign) {
                    (*text, read.masked) = (context(&shown, encoding), count);
                }
                let (before, after) = (context(&before, encoding), context(&after, encoding));
                let found = match all {
                    true => self.masking.of_whole(&before, text, &after),
                    false => self.masking.piece(&opened, &before, text, &after),
                };
                if let Some((shown, count)) = found {
                    (*text, read.masked) = (shown, read.masked + count);
                }
            }
            (Content::Bytes(bytes), _) => {
                let before = if all { before } else { self.masking.opened_before(&opened, before) };
                if let Some((shown, count)) = self.masking.bytes(&before, bytes, &after) {
                    (*bytes, read.masked) = (shown, count);
                }
            }
            (Content::Text(_), Kind::Bytes) => {}
        }
        Ok(read)
    }

    /// A file as one text, for an encoding in which lines have no bytes of their own; and how often it was masked because it is
    /// none of its own.
    pub(super) fn decoded(
        &self,
        file: File,
        size: u64,
        encoding: &'static Encoding,
        foreign: bool,
        path: &str,
    ) -> Result<(String, usize), FileError> {
        let bytes = whole(file, path, size)?;
        match self.masking.bytes(&[], &bytes, &[]).filter(|_| foreign) {
            Some((shown, count)) => Ok((context(&shown, encoding), count)),
            None => Ok((decode(&bytes, encoding, path)?, 0)),
        }
    }

    /// What was read of such a text.
    pub(super) fn masked_in(&self, mut read: Read, all: &str, count: usize) -> Read {
        read.masked = count;
        if let (Content::Text(text), true) = (&mut read.content, read.span.start > 0 || read.next.is_some()) {
            let at = |byte: u64| all.floor_char_boundary(usize::try_from(byte).unwrap_or(usize::MAX));
            let before = all.get(..at(read.span.start)).unwrap_or_default();
            let after = all.get(at(read.span.end)..).unwrap_or_default();
            let found = match all.len() as u64 <= WHOLE {
                true => self.masking.of_whole(before, text, after),
                false => self.masking.piece(&Opened::default(), before, text, after),
            };
            if let Some((shown, count)) = found {
                (*text, read.masked) = (shown, read.masked + count);
            }
        }
        read
    }
}

/// What stands around a piece of a file.
struct Around {
    /// Whether it is all of the file.
    all: bool,
    /// What stands open where that begins which is known of what stands before the piece.
    opened: Opened,
    before: Vec<u8>,
    piece: Vec<u8>,
    after: Vec<u8>,
}

/// The bytes of a piece, and those before and behind it as far as they tell something.
fn around(file: &mut File, span: &std::ops::Range<u64>) -> std::io::Result<Around> {
    let all = file.metadata()?.len() <= WHOLE;
    // Some letters have four bytes.
    let begins = if all { 0 } else { span.start.saturating_sub(AROUND as u64) / 4 * 4 };
    let mut bytes = |from: u64, length: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(length).read_to_end(&mut bytes).map(|_| bytes)
    };
    // Part by part: it may be long.
    let from = begins.saturating_sub(FAR);
    let mut opened = if from > 0 { Opened::far_behind(&bytes(0, HEAD)?) } else { Opened::default() };
    for at in (from..begins).step_by(1 << 20) {
        opened.take(&bytes(at, (begins - at).min(1 << 20))?);
    }
    Ok(Around {
        all,
        opened,
        before: bytes(begins, span.start - begins)?,
        piece: bytes(span.start, span.end - span.start)?,
        after: bytes(span.end, if all { WHOLE } else { MANIFEST })?,
    })
}

/// Bytes as a text, whatever of them is none.
fn context(bytes: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}
