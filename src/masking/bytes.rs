//! Bytes that are a text, whatever encoding they have: a secret in them is one of ASCII.

use super::{MASK, Masking, pieces::within};

/// Bytes by which others are told to be text or not.
const HEAD: usize = 64 << 10;

/// How a letter is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    /// Two bytes, the significant one first or last.
    Big,
    Little,
}

impl Masking {
    /// A piece of a text of bytes, masked as it would be in the whole of it, and how often that was. `before` has an even number
    /// of bytes more than the beginning of the text. None: there is nothing to mask, or it is no text.
    pub fn bytes(&self, before: &[u8], piece: &[u8], after: &[u8]) -> Option<(Vec<u8>, usize)> {
        let whole = [before, piece, after].concat();
        let unit = unit(&whole)?;
        // One character for each unit, so that places are counted alike.
        let letter = |byte: u8| if byte.is_ascii() { char::from(byte) } else { '~' };
        let text: String = match unit {
            Unit::Byte => whole.iter().map(|byte| letter(*byte)).collect(),
            Unit::Big | Unit::Little => whole.chunks(2).map(|pair| wide(pair, unit)).collect(),
        };
        let width = if unit == Unit::Byte { 1 } else { 2 };
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
                match unit {
                    Unit::Byte => shown.push(star),
                    Unit::Big => shown.extend([0, star]),
                    Unit::Little => shown.extend([star, 0]),
                }
            }
            at = place.end;
        }
        shown.extend_from_slice(piece.get(at..).unwrap_or_default());
        Some((shown, places.len()))
    }
}

fn wide(pair: &[u8], unit: Unit) -> char {
    match (pair, unit) {
        ([0, low], Unit::Big) | ([low, 0], Unit::Little) if low.is_ascii() => char::from(*low),
        _ => '~',
    }
}

/// How the letters of a text are written. None: it is no text.
fn unit(bytes: &[u8]) -> Option<Unit> {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let most = |count: usize| head.len() >= 4 && count * 5 >= head.len() / 2 * 4;
    let (even, odd) = (zeros(0), zeros(1));
    if head.starts_with(b"\xff\xfe") || (most(odd) && even * 10 < head.len()) {
        return Some(Unit::Little);
    }
    if head.starts_with(b"\xfe\xff") || (most(even) && odd * 10 < head.len()) {
        return Some(Unit::Big);
    }
    let steering = head.iter().filter(|byte| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(byte)).count();
    (steering * 10 <= head.len()).then_some(Unit::Byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_masked_in_its_own_encoding() {
        let masking = Masking::secrets();
        let wide = |text: &str, unit: Unit| -> Vec<u8> {
            let both = |unit16: u16| if unit == Unit::Big { unit16.to_be_bytes() } else { unit16.to_le_bytes() };
            text.encode_utf16().flat_map(both).collect()
        };
        let latin = b"name=caf\xe9\nDB_PASSWORD=hunter2X9\nend".to_vec();
        assert_eq!(masking.bytes(&[], &latin, &[]).unwrap().0, b"name=caf\xe9\nDB_PASSWORD=***\nend".to_vec());
        for unit in [Unit::Little, Unit::Big] {
            let (text, shown) = ("a=é\nDB_PASSWORD=hunter2X9\nend", "a=é\nDB_PASSWORD=***\nend");
            assert_eq!(masking.bytes(&[], &wide(text, unit), &[]).unwrap().0, wide(shown, unit));
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
