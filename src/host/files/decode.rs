//! Bytes of a file as text and back: which encoding it is, and what to say when it is none.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::FileError;

/// Most bytes of a character.
pub(super) const LONGEST: usize = 4;

/// How a caller wants to see a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// As text if it is UTF-8 or begins with the mark of UTF-16, and as bytes if it is no text.
    Found,
    As(&'static Encoding),
    Bytes,
}

/// What a file turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text(&'static Encoding),
    Bytes,
}

impl Wanted {
    pub(super) fn of(encoding: Option<&str>) -> Result<Self, FileError> {
        let Some(name) = encoding else { return Ok(Self::Found) };
        if name.eq_ignore_ascii_case("base64") || name.eq_ignore_ascii_case("binary") {
            return Ok(Self::Bytes);
        }
        // The names of the web are taken, and those of editors that write them with an underscore.
        let known = Encoding::for_label_no_replacement(name.as_bytes())
            .or_else(|| Encoding::for_label_no_replacement(name.replace('_', "-").as_bytes()))
            .or_else(|| Encoding::for_label_no_replacement(name.replace(['_', '-'], "").as_bytes()));
        known.map(Self::As).ok_or_else(|| {
            FileError::invalid(format!("`encoding` is `{name}`, which is not known")).hint(
                "such as utf-8, utf-16le, iso-8859-1, windows-1252, shift_jis, gb18030, or base64 for the bytes themselves",
            )
        })
    }

    /// By the first bytes of the file.
    pub(super) fn kind(self, head: &[u8]) -> Kind {
        match self {
            Self::Bytes => Kind::Bytes,
            Self::As(encoding) => Kind::Text(encoding),
            Self::Found => match Encoding::for_bom(head) {
                // The mark of UTF-32, which nobody decodes here.
                Some(_) if head.starts_with(b"\xff\xfe\0\0") => Kind::Bytes,
                Some((encoding, _)) => Kind::Text(encoding),
                None if head.contains(&0) => Kind::Bytes,
                None => Kind::Text(UTF_8),
            },
        }
    }
}

/// Whether lines of the encoding end with a byte of their own.
pub(super) fn has_line_bytes(encoding: &'static Encoding) -> bool {
    encoding != UTF_16LE && encoding != UTF_16BE && encoding != encoding_rs::ISO_2022_JP
}

/// Whether nobody knows the encoding without its mark at the beginning.
pub(super) fn has_mark(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// The bytes of a text, with the mark of the encoding at the beginning or without.
pub(super) fn encode(text: &str, encoding: &'static Encoding, marked: bool) -> Result<Vec<u8>, FileError> {
    let marked = marked && (has_mark(encoding) || encoding == UTF_8);
    let whole = || marked.then_some('\u{feff}').into_iter().chain(text.chars());
    if has_mark(encoding) {
        let mut units = [0; 2];
        let mut bytes = Vec::with_capacity(2 * text.len() + 2);
        for character in whole() {
            let units = character.encode_utf16(&mut units).iter();
            bytes.extend(units.flat_map(|unit| match encoding == UTF_16LE {
                true => unit.to_le_bytes(),
                false => unit.to_be_bytes(),
            }));
        }
        return Ok(bytes);
    }
    if encoding == UTF_8 {
        return Ok(whole().collect::<String>().into_bytes());
    }
    let mut encoder = encoding.new_encoder();
    let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len()).unwrap_or(text.len());
    let mut bytes = Vec::with_capacity(room.saturating_add(LONGEST));
    let (done, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true);
    match done {
        encoding_rs::EncoderResult::Unmappable(character) => {
            let name = encoding.name().to_ascii_lowercase();
            let message = format!("`{character}` (U+{:04X}) cannot be written in {name}", u32::from(character));
            Err(FileError::invalid(message).hint("leave it out, or name another `encoding`, such as utf-8"))
        }
        _ => Ok(bytes),
    }
}

/// The text of the bytes.
pub(super) fn decode(bytes: &[u8], encoding: &'static Encoding, said: &str) -> Result<String, FileError> {
    let bytes = match Encoding::for_bom(bytes) {
        Some((found, length)) if found == encoding => bytes.get(length..).unwrap_or_default(),
        _ => bytes,
    };
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let name = encoding.name().to_ascii_lowercase();
    let where_it_ends = match std::str::from_utf8(bytes) {
        Err(error) if encoding == UTF_8 => format!(" from byte {} of what was read on", error.valid_up_to()),
        _ => String::new(),
    };
    Err(FileError::failed(format!("`{said}` is not text in {name}{where_it_ends}"))
        .hint("name its `encoding`, such as windows-1252, or read the bytes themselves with base64"))
}

/// The text of the beginning of a longer one, without the character that the end cuts, and how many bytes that is.
pub(super) fn decode_cut(bytes: &[u8], encoding: &'static Encoding, said: &str) -> Result<(String, usize), FileError> {
    let cuts =
        (0..LONGEST).filter_map(|less| bytes.get(..bytes.len().checked_sub(less)?)).filter(|cut| !cut.is_empty());
    let mut read = cuts.map(|cut| decode(cut, encoding, said).map(|text| (text, cut.len())));
    let first = read.next().unwrap_or_else(|| decode(bytes, encoding, said).map(|text| (text, bytes.len())));
    first.or_else(|error| read.find_map(Result::ok).ok_or(error))
}
