//! How a sentence is told of which a value is not known: what is only there to name it is left out.
//!
//! `5 deadlocks (UNKNOWN before)` says five deadlocks, and that something is unknown is said once, by the document. It works
//! on the author's text around a mark, and never on a value.

/// In place of a value that there is not: a control character, which no value keeps.
pub(super) const MARK: char = '\u{5}';
/// What a sentence says in place of it.
const UNKNOWN: &str = "unknown";
/// The word that makes an unknown figure one of the time before.
const BEFORE: &str = "before";

/// A rendered text without its marks. Values in it begin and end with control characters.
pub(super) fn told(rendered: &str) -> String {
    let mut told = String::with_capacity(rendered.len());
    let mut rest = rendered;
    while let Some((before, after)) = rest.split_once(MARK) {
        told.push_str(before);
        rest = match in_parentheses(&told, after) {
            Some((keep, after)) => {
                told.truncate(keep);
                after
            }
            None => {
                told.push_str(UNKNOWN);
                without_unit(after)
            }
        };
    }
    told + rest
}

/// Where the text before a remark in parentheses ends that only says that the time before is unknown, and what follows it.
fn in_parentheses<'t>(before: &str, after: &'t str) -> Option<(usize, &'t str)> {
    let (said, begin) = before.rsplit_once('(')?;
    let (end, behind) = after.split_once(')')?;
    let only = |text: &str| !text.contains(|c: char| "()".contains(c) || c.is_control() && !c.is_whitespace());
    let words = |text: &str| text.split_whitespace().count();
    let is_of_before = [begin, end].iter().any(|text| text.split_whitespace().any(|word| word == BEFORE));
    let is_short = words(begin) + words(end) <= 5;
    (only(begin) && only(end) && is_of_before && is_short).then(|| (said.trim_end().len(), behind))
}

/// What follows, without a unit between the figure and the word that says of when it is: ` ms before`.
fn without_unit(after: &str) -> &str {
    let mut words = after.split_whitespace();
    let (unit, then) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_unit = unit.chars().count() <= 5 && unit != BEFORE && !unit.ends_with([',', '.', ':', ';', ')']);
    match after.strip_prefix(' ').and_then(|after| after.strip_prefix(unit)) {
        Some(behind) if is_unit && then.starts_with(BEFORE) => behind,
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_there_to_name_what_is_unknown_is_left_out() {
        for (text, said) in [
            ("had 5 deadlocks (? before)", "had 5 deadlocks"),
            ("waited (? s before), 6 times", "waited, 6 times"),
            ("Unhealthy × 4 (before ?), last", "Unhealthy × 4, last"),
            ("5 % (\u{2}7\u{3} failed, ? before)", "5 % (\u{2}7\u{3} failed, unknown before)"),
            ("\u{2}f(x\u{3} before ?)", "\u{2}f(x\u{3} before unknown)"),
            ("is 20 ms behind, ? ms before", "is 20 ms behind, unknown before"),
            ("(retries: ?)", "(retries: unknown)"),
            ("on record (? now)", "on record (unknown now)"),
            ("? before, ? % before", "unknown before, unknown before"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(told(&text.replace('?', "\u{5}")), said);
        }
    }
}
