//! Forms as they are looked for together: nearly the same, in a form that takes little time and memory to compile.
//!
//! A letter outside of ASCII is some bytes, whichever it is. So every text that has the form has the coarse one too, and few
//! others do.

use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_syntax::{
    Parser,
    hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Repetition},
};

/// Looks for forms at once; none if one of them cannot be read. `limit` and `states` bound what is compiled and the memory of a
/// look, in bytes.
pub(super) fn set<'f>(forms: impl Iterator<Item = &'f str>, limit: usize, states: usize) -> Option<RegexSet> {
    let coarse: Option<Vec<String>> =
        forms.map(|form| Some(coarse(&Parser::new().parse(form).ok()?).to_string())).collect();
    RegexSetBuilder::new(coarse?).size_limit(limit).dfa_size_limit(states).build().ok()
}

fn coarse(form: &Hir) -> Hir {
    match form.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => form.clone(),
        HirKind::Class(class) => of_class(class),
        HirKind::Repetition(times) => {
            Hir::repetition(Repetition { sub: Box::new(coarse(&times.sub)), ..times.clone() })
        }
        HirKind::Capture(capture) => coarse(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(coarse).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(coarse).collect()),
    }
}

/// A byte of ASCII, or as many others as there are.
fn of_class(class: &Class) -> Hir {
    let Class::Unicode(class) = class else { return Hir::class(class.clone()) };
    let mut ascii = ClassBytes::empty();
    for range in class.ranges().iter().filter(|range| range.start().is_ascii()) {
        let last = u8::try_from(range.end()).unwrap_or(0x7f).min(0x7f);
        ascii.push(ClassBytesRange::new(u8::try_from(range.start()).unwrap_or(last), last));
    }
    let ascii_alone = class.ranges().iter().all(|range| range.end().is_ascii());
    if ascii_alone {
        return Hir::class(Class::Bytes(ascii));
    }
    let others = Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(0x80, 0xff)])));
    let others = Hir::repetition(Repetition { min: 1, max: None, greedy: true, sub: Box::new(others) });
    Hir::alternation(vec![Hir::class(Class::Bytes(ascii)), others])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_form_has_its_coarse_one() {
        for (form, texts) in [
            (r"a[^b]c", ["aéc", "a\u{2003}c", "a😀c"]),
            (r"^[^\s,]{3,4}$", ["éèà", "日本語字", "xyzw"]),
            (r"(?i)pass\w+\s*[:=]\s+(?<v>\S+)", ["PASSwörd:\u{a0}é", "paſſwort = x", "passphrasé=\u{2003}日"]),
            (r"\w{2}(?-u:\b)é?", ["éA", "XY", "ÀxB"]),
            (r"(?s).é", ["\né", "éé", "xé"]),
        ] {
            let exact = regex::Regex::new(form).unwrap();
            let coarse = set([form].into_iter(), 1 << 20, 1 << 20).unwrap();
            for text in texts {
                assert!(exact.is_match(text) && coarse.is_match(text.as_bytes()), "{form} {text:?}");
            }
        }
        let coarse = set([r"gh[pous]_[A-Za-z0-9]{36}", r"[^\s]+@x"].into_iter(), 1 << 20, 1 << 20).unwrap();
        assert!(!coarse.is_match("ghp_1234 and nothing else, é".as_bytes()));
    }
}
