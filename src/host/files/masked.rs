//! Pieces of a file as they would be masked in the whole of it: what stands before a piece tells what in it is a secret.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

use encoding_rs::Encoding;

use super::{
    Content, FileError, Files, Read, Unit,
    decode::{Kind, decode, has_line_bytes},
    read::whole,
};
use crate::masking::{AROUND, BEHIND, MASK};

impl Files {
    /// Refuses a text that says `***` where the file has what answers mask: it was made of such an answer, and would destroy that.
    pub(super) fn keeps_what_is_masked(&self, was: &str, new: &str, path: &str) -> Result<(), FileError> {
        let marks = |text: &str| text.matches(MASK).count();
        if marks(new) <= marks(was) || self.masking.masked(was).1 == 0 {
            return Ok(());
        }
        Err(FileError::failed(format!(
            "`{path}` holds what answers show as `***`, and would hold `***` in its place; nothing was changed"
        ))
        .hint("replace other lines with `edit_file`, and leave masked ones out of its texts"))
    }

    /// What was read, masked by what stands around it. What is the whole file is masked where it leaves.
    pub(super) fn masked_by_its_file(
        &self,
        mut read: Read,
        mut file: File,
        kind: Kind,
        unit: Unit,
        path: &str,
    ) -> Result<Read, FileError> {
        if read.span.start == 0 && read.next.is_none() {
            return Ok(read);
        }
        let failed = |error| FileError::of(path, &error);
        match (&mut read.content, kind) {
            (Content::Text(text), Kind::Text(encoding)) if unit == Unit::Lines && !has_line_bytes(encoding) => {
                let size = file.metadata().map_err(failed)?.len();
                let all = decode(&whole(file, path, size)?, encoding, path)?;
                let at = |byte: u64| all.floor_char_boundary(usize::try_from(byte).unwrap_or(usize::MAX));
                let before = all.get(..at(read.span.start)).unwrap_or_default();
                let after = all.get(at(read.span.end)..).unwrap_or_default();
                if let Some((shown, count)) = self.masking.piece(before, text, after) {
                    (*text, read.masked) = (shown, count);
                }
            }
            (Content::Text(text), Kind::Text(encoding)) => {
                let (before, after) = around(&mut file, &read.span).map_err(failed)?;
                let (before, after) = (context(&before, encoding), context(&after, encoding));
                if let Some((shown, count)) = self.masking.piece(&before, text, &after) {
                    (*text, read.masked) = (shown, count);
                }
            }
            (Content::Bytes(bytes), _) => {
                let (before, after) = around(&mut file, &read.span).map_err(failed)?;
                if let Some((shown, count)) = self.masking.bytes(&before, bytes, &after) {
                    (*bytes, read.masked) = (shown, count);
                }
            }
            (Content::Text(_), Kind::Bytes) => {}
        }
        Ok(read)
    }
}

/// The bytes before and behind a piece, as far as they tell something.
fn around(file: &mut File, span: &std::ops::Range<u64>) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    // An even number, since some letters have two bytes.
    let begins = span.start.saturating_sub(AROUND as u64) / 2 * 2;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    file.seek(SeekFrom::Start(begins))?;
    file.by_ref().take(span.start - begins).read_to_end(&mut before)?;
    file.seek(SeekFrom::Start(span.end))?;
    file.by_ref().take(BEHIND as u64).read_to_end(&mut after)?;
    Ok((before, after))
}

/// Bytes as a text that is looked at and never shown.
fn context(bytes: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}
