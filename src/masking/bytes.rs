//! Bytes that are a text, whatever encoding they have: a secret in them is one of ASCII.

use super::{MASK, Masking, pieces::within};

/// Bytes by which others are told to be text or not.
const HEAD: usize = 64 << 10;

/// How a letter is written: in so many bytes, of which one tells it if it is one of ASCII and the others are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    width: usize,
    telling: usize,
}

const BYTE: Unit = Unit { width: 1, telling: 0 };

/// UTF-32 and UTF-16, the least significant byte first or last, and the mark of each. Longer marks begin with shorter ones.
const WIDE: [(Unit, &[u8]); 4] = [
    (Unit { width: 4, telling: 0 }, b"\xff\xfe\0\0"),
    (Unit { width: 4, telling: 3 }, b"\0\0\xfe\xff"),
    (Unit { width: 2, telling: 0 }, b"\xff\xfe"),
    (Unit { width: 2, telling: 1 }, b"\xfe\xff"),
];

impl Masking {
    /// A piece of a text of bytes, masked as it would be in the whole of it, and how often that was. `before` has a multiple of
    /// four bytes more than the beginning of the text. None: there is nothing to mask, or it is no text.
    pub fn bytes(&self, before: &[u8], piece: &[u8], after: &[u8]) -> Option<(Vec<u8>, usize)> {
        let whole = [before, piece, after].concat();
        let (text, unit) = letters(&whole)?;
        let Unit { width, telling } = unit;
        let places: Vec<_> =
            self.places(&text).into_iter().map(|place| place.start * width..place.end * width).collect();
        let places = within(&places, before.len()..before.len() + piece.len());
        if places.is_empty() {
            return None;
        }
        let (mut shown, mut at) = (Vec::with_capacity(piece.len()), 0);
        for place in &places {
            shown.extend_from_slice(piece.get(at..place.start).unwrap_or_default());
            for star in MASK.bytes() {
                shown.extend((0..width).map(|at| if at == telling { star } else { 0 }));
            }
            at = place.end;
        }
        shown.extend_from_slice(piece.get(at..).unwrap_or_default());
        Some((shown, places.len()))
    }

    /// Whether bytes that are to take the place of others were made of an answer that masked those, so that `***` would stand
    /// where a secret is, whatever encoding either has.
    pub fn loses(&self, was: &[u8], new: &[u8]) -> bool {
        // Most have no asterisk, whatever encoding they have: then nothing is read letter by letter.
        if !new.contains(&b'*') {
            return false;
        }
        match (letters(was), letters(new)) {
            (Some((was, _)), Some((new, _))) => self.loses_a_secret(&was, &new),
            _ => false,
        }
    }
}

/// Whether bytes hold a text with a mask where a value stands.
pub fn has_mask(bytes: &[u8]) -> bool {
    bytes.contains(&b'*') && letters(bytes).is_some_and(|(text, _)| super::written::has_mask(&text))
}

/// The letters of a text, as many bytes for each letter so that places are counted alike. What is no character of UTF-8 and, where
/// letters are wide, none of ASCII is one that no form has; frames of tables are those of Markdown there.
fn letters(bytes: &[u8]) -> Option<(String, Unit)> {
    let unit = unit(bytes)?;
    if unit == BYTE {
        let parts = bytes.utf8_chunks();
        let text = parts.fold(String::with_capacity(bytes.len()), |text, part| {
            text + part.valid() + &"~".repeat(part.invalid().len())
        });
        return Some((text, unit));
    }
    Some((
        bytes
            .chunks(unit.width)
            .map(|group| letter(group, unit).or_else(|| frame(group, unit)).unwrap_or('~'))
            .collect(),
        unit,
    ))
}

/// The letter of ASCII that some bytes are.
fn letter(group: &[u8], unit: Unit) -> Option<char> {
    let letter = group.get(unit.telling).filter(|letter| letter.is_ascii())?;
    let others = group.iter().enumerate().all(|(at, byte)| at == unit.telling || *byte == 0);
    (others && group.len() == unit.width).then(|| char::from(*letter))
}

/// The sign of Markdown for one that frames a table, in letters that are wide.
fn frame(group: &[u8], unit: Unit) -> Option<char> {
    let high = unit.telling.checked_sub(1).unwrap_or(1);
    let others = group.iter().enumerate().all(|(at, byte)| at == unit.telling || at == high || *byte == 0);
    match (*group.get(high).filter(|_| others)?, *group.get(unit.telling)?) {
        (0x25, 0x02 | 0x03) => Some('|'),
        (0x25, 0x00 | 0x01) => Some('-'),
        (0x25, ..0x80) => Some('+'),
        _ => None,
    }
}

/// How the letters of a text are written. None: it is no text.
fn unit(bytes: &[u8]) -> Option<Unit> {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    let steering = |byte: u8| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(&byte);
    let marked = WIDE.iter().find(|(_, mark)| head.starts_with(mark)).map(|(unit, _)| *unit);
    let wide = || {
        let mostly = |unit: Unit| {
            let plain =
                |group: &&[u8]| letter(group, unit).or_else(|| frame(group, unit)).is_some_and(|c| !steering(c as u8));
            head.len() >= 4 && head.chunks(unit.width).filter(plain).count() * unit.width * 2 > head.len()
        };
        WIDE.iter().map(|(unit, _)| *unit).find(|unit| mostly(*unit))
    };
    let plain = head.iter().filter(|byte| steering(**byte)).count() * 10 <= head.len();
    marked.or_else(|| head.contains(&0).then(wide).flatten()).or(plain.then_some(BYTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_masked_in_its_own_encoding() {
        let masking = Masking::secrets();
        let wide = |text: &str, unit: Unit| -> Vec<u8> {
            let bytes = |letter: u32| match unit.telling {
                0 => letter.to_le_bytes()[..unit.width].to_vec(),
                _ => letter.to_be_bytes()[4 - unit.width..].to_vec(),
            };
            text.chars().flat_map(|c| bytes(u32::from(c))).collect()
        };
        let latin = b"name=caf\xe9\nDB_PASSWORD=hunter2X9\nend".to_vec();
        assert_eq!(masking.bytes(&[], &latin, &[]).unwrap().0, b"name=caf\xe9\nDB_PASSWORD=***\nend".to_vec());
        for (unit, mark) in WIDE {
            let (text, shown) = ("a=é\nDB_PASSWORD=hunter2X9\nend", "a=é\nDB_PASSWORD=***\nend");
            assert_eq!(masking.bytes(&[], &wide(text, unit), &[]).unwrap().0, wide(shown, unit));
            let marked = |text| [mark.to_vec(), wide(text, unit)].concat();
            assert_eq!(masking.bytes(&[], &marked(text), &[]).unwrap().0, marked(shown));
            assert!(masking.loses(&marked(text), &wide(shown, unit)) && masking.loses(&marked(text), shown.as_bytes()));
            assert!(has_mask(&wide(shown, unit)) && !has_mask(&wide(text, unit)));
        }
        // Its name lies before the piece.
        let (before, piece) = latin.split_at(22);
        assert_eq!(masking.bytes(before, piece, &[]).unwrap().0, b"***\nend".to_vec());
        let mut binary = vec![0; 400];
        binary.extend_from_slice(b"password=hunter2X9");
        assert_eq!(masking.bytes(&[], &binary, &[]), None);
        assert_eq!(masking.bytes(&[], b"caf\xe9", &[]), None);
    }
}
