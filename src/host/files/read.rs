//! Reading a file, or a range of its lines or bytes, up to a cap.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
};

use encoding_rs::{Encoding, UTF_8};

use super::{
    Bounds, FileError, Files, WHOLE,
    decode::{Kind, LONGEST, Wanted, decode, decode_cut, has_line_bytes, has_mark},
};

/// Bytes by which a file is told to be text or not.
const HEAD: usize = 8 << 10;

/// What is read of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    pub unit: Unit,
    /// The first line (from 1) or byte (from 0); none: from the beginning.
    pub offset: Option<u64>,
    /// Most lines or bytes; none: as many as may be answered.
    pub limit: Option<u64>,
    /// Most characters of an answer with it, of which bytes that are no text take four for each three; none: as many as may be read.
    pub most: Option<usize>,
}

/// What a range counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Lines,
    Bytes,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub content: Content,
    /// What the range counts: of binary content it is bytes, whatever was asked.
    pub unit: Unit,
    /// The first and the last line or byte that is here; none: there is nothing.
    pub range: Option<(u64, u64)>,
    /// Bytes of the whole file.
    pub size: u64,
    /// Which bytes it was read from; of a text that is decoded whole, those of the text.
    pub span: std::ops::Range<u64>,
    /// How often something was masked because of what stands around it in the file.
    pub masked: usize,
    /// Where it goes on, if it does, and what is counted there.
    pub next: Option<(Unit, u64)>,
    /// The cap ended it, not the caller's limit.
    pub capped: bool,
}

/// Text, or what is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Files {
    /// Most bytes of an answer.
    pub fn max_read(&self) -> usize {
        self.max_read
    }

    /// Most bytes of a page of a file, of which an answer has at most so many characters.
    pub fn longest_page(&self, is_text: bool, most: Option<usize>) -> usize {
        let most = most.map(|most| if is_text { most } else { most / 4 * 3 });
        most.unwrap_or(self.max_read).clamp(1, self.max_read)
    }

    /// Reads a range of a file.
    pub fn read(&self, path: &str, encoding: Option<&str>, range: Range, bounds: &Bounds) -> Result<Read, FileError> {
        let wanted = Wanted::of(encoding)?;
        if range.unit == Unit::Lines && range.offset == Some(0) {
            return Err(
                FileError::invalid("`offset` is 0, and the first line is 1").hint("count bytes with `unit: bytes`")
            );
        }
        let place = self.place(path)?;
        let (mut file, meta) = self.open(&place, &self.own.now())?;
        let failed = |error| FileError::of(path, &error);
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        let again = file.try_clone().map_err(failed)?;
        let kind = wanted.kind(&head);
        let cap = self.longest_page(kind != Kind::Bytes, range.most);
        let reading = Reading { path, range, cap, bounds, size: meta.len() };
        let foreign = kind != Wanted::Found.kind(&head) && kind != Kind::Bytes;
        let read = match kind {
            Kind::Bytes => reading.bytes(file, None),
            Kind::Text(encoding) if range.unit == Unit::Bytes => reading.bytes(file, Some(encoding)),
            Kind::Text(encoding) if has_line_bytes(encoding) => {
                file.seek(SeekFrom::Start(0)).map_err(failed)?;
                reading.lines(BufReader::with_capacity(64 << 10, file), encoding, false)
            }
            Kind::Text(encoding) => {
                let (text, masked) = self.decoded(file, meta.len(), encoding, foreign, path)?;
                let read = reading.lines(text.as_bytes(), UTF_8, true)?;
                return Ok(self.masked_in(read, &text, masked));
            }
        };
        self.masked_by_its_file(read?, again, kind, foreign, path)
    }
}

/// All bytes of a file that is short enough to be kept.
pub(super) fn whole(mut file: File, said: &str, size: u64) -> Result<Vec<u8>, FileError> {
    let failed = |error| FileError::of(said, &error);
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(WHOLE)).unwrap_or_default());
    file.take(WHOLE + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 > WHOLE {
        true => Err(FileError::failed(format!("`{said}` has {size} bytes, and at most {WHOLE} are taken whole"))
            .hint("read it in parts with `unit: bytes`")),
        false => Ok(bytes),
    }
}

struct Reading<'a> {
    path: &'a str,
    range: Range,
    cap: usize,
    bounds: &'a Bounds,
    size: u64,
}

impl Reading<'_> {
    /// A range of bytes, as text where there is an encoding.
    fn bytes(&self, mut file: File, encoding: Option<&'static Encoding>) -> Result<Read, FileError> {
        let failed = |error| FileError::of(self.path, &error);
        // Lines of what has none are not counted.
        let by_bytes = self.range.unit == Unit::Bytes;
        let offset = self.range.offset.filter(|_| by_bytes).unwrap_or(0);
        let limit = self.range.limit.filter(|_| by_bytes).unwrap_or(u64::MAX);
        if offset > 0 && offset >= self.size {
            return Err(self.beyond(offset, "byte", self.size));
        }
        // Half of a letter and half of the next one are two others.
        if encoding.is_some_and(has_mark) && !offset.is_multiple_of(2) {
            let message = format!("`offset` is {offset}, and each character of `{}` begins at an even byte", self.path);
            return Err(FileError::invalid(message).hint("begin one byte earlier"));
        }
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let cap = self.cap as u64;
        let mut bytes = Vec::new();
        file.by_ref().take(limit.min(cap)).read_to_end(&mut bytes).map_err(failed)?;
        let mut more = [0];
        let goes_on = file.read(&mut more).map_err(failed)? > 0;
        let (content, length) = match encoding {
            None => {
                let length = bytes.len();
                (Content::Bytes(bytes), length)
            }
            Some(encoding) => {
                let text = match goes_on {
                    true => decode_cut(&bytes, encoding, self.path),
                    false => decode(&bytes, encoding, self.path).map(|text| (text, bytes.len())),
                };
                let (text, length) = text.map_err(|error| match offset {
                    _ if goes_on && bytes.len() < LONGEST => {
                        error.hint(format!("a character has up to {LONGEST} bytes: raise `limit`"))
                    }
                    0 => error,
                    _ => error.hint("begin at the first byte of a character, or name the `encoding` of the file"),
                })?;
                (Content::Text(text), length)
            }
        };
        let end = offset + length as u64;
        Ok(Read {
            range: (length > 0).then(|| (offset, end - 1)),
            content,
            unit: Unit::Bytes,
            size: self.size,
            span: offset..end,
            masked: 0,
            next: goes_on.then_some((Unit::Bytes, end)),
            capped: goes_on && limit > cap,
        })
    }

    /// A range of lines. What is longer than the cap is cut inside a line, and goes on by bytes.
    /// `decoded`: the bytes are not those of the file, which cannot go on by them.
    fn lines(
        &self,
        mut from: impl std::io::BufRead,
        encoding: &'static Encoding,
        decoded: bool,
    ) -> Result<Read, FileError> {
        let failed = |error| FileError::of(self.path, &error);
        let first = self.range.offset.unwrap_or(1);
        let limit = self.range.limit.unwrap_or(u64::MAX);
        let (mut before, mut at) = (0_u64, 1_u64);
        while at < first {
            self.bounds.check()?;
            let skipped = self.skip_line(&mut from)?;
            if skipped == 0 {
                return Err(self.beyond(first, "line", at - 1));
            }
            before += skipped;
            at += 1;
        }
        let mut bytes: Vec<u8> = Vec::new();
        let mut lines = 0;
        let mut next = None;
        let (mut capped, mut cut) = (false, false);
        loop {
            self.bounds.check()?;
            let room = (self.cap - bytes.len()) as u64;
            let began = bytes.len();
            if lines == limit || room == 0 {
                let goes_on = !from.fill_buf().map_err(failed)?.is_empty();
                next = goes_on.then_some((Unit::Lines, first + lines));
                capped = goes_on && lines != limit;
                break;
            }
            let read = from.by_ref().take(room).read_until(b'\n', &mut bytes).map_err(failed)? as u64;
            if read == 0 {
                break;
            }
            if bytes.last() == Some(&b'\n') || from.fill_buf().map_err(failed)?.is_empty() {
                lines += 1;
                continue;
            }
            capped = true;
            if began > 0 {
                bytes.truncate(began);
                next = Some((Unit::Lines, first + lines));
            } else if decoded {
                let message = format!("line {first} of `{}` is longer than one answer holds", self.path);
                return Err(FileError::failed(message).hint("read it by `unit: bytes`"));
            } else {
                lines = 1;
                cut = true;
            }
            break;
        }
        if lines == 0 && first > 1 && limit > 0 {
            return Err(self.beyond(first, "line", first - 1));
        }
        let mut span = before..before + bytes.len() as u64;
        let text = match cut {
            true => {
                let (text, length) = decode_cut(&bytes, encoding, self.path)?;
                next = Some((Unit::Bytes, before + length as u64));
                span.end = before + length as u64;
                text
            }
            false => decode(&bytes, encoding, self.path)?,
        };
        Ok(Read {
            content: Content::Text(text),
            unit: Unit::Lines,
            range: (lines > 0).then(|| (first, first + lines - 1)),
            size: self.size,
            span,
            masked: 0,
            next,
            capped,
        })
    }

    /// Passes a line without keeping it: it may be longer than memory, and take longer than the call has.
    fn skip_line(&self, from: &mut impl std::io::BufRead) -> Result<u64, FileError> {
        let mut skipped = 0;
        loop {
            self.bounds.check()?;
            let available = match from.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(FileError::of(self.path, &error)),
            };
            let end = available.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(available.len(), |end| end + 1);
            from.consume(used);
            skipped += used as u64;
            if end.is_some() || used == 0 {
                return Ok(skipped);
            }
        }
    }

    fn beyond(&self, offset: u64, what: &str, there_are: u64) -> FileError {
        let s = if there_are == 1 { "" } else { "s" };
        FileError::invalid(format!("`offset` is {offset}, and `{}` has {there_are} {what}{s}", self.path))
    }
}
