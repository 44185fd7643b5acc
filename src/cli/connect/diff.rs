//! Which lines of a text differ from those of another, a comma at their end apart: it comes and goes with the next entry.

use std::collections::HashSet;

/// A line that is gone or new, with its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'t> {
    Gone(usize, &'t str),
    New(usize, &'t str),
}

/// Most pairs of lines that are compared; beyond that the middle counts as one change.
const MOST: usize = 4_000_000;

pub(super) fn lines<'t>(old: &'t str, new: &'t str) -> Vec<Line<'t>> {
    let (was, is): (HashSet<usize>, HashSet<usize>) = kept(old, new).into_iter().unzip();
    let gone = old.lines().enumerate().filter(|(n, _)| !was.contains(n));
    let come = new.lines().enumerate().filter(|(n, _)| !is.contains(n));
    gone.map(|(n, text)| Line::Gone(n + 1, text)).chain(come.map(|(n, text)| Line::New(n + 1, text))).collect()
}

/// The lines that stay, by their numbers in both texts, from 0.
pub(super) fn kept(old: &str, new: &str) -> Vec<(usize, usize)> {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| same(a, b)).count();
    let most = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(most).take_while(|(a, b)| same(a, b)).count();
    let (old_tail, new_tail) = (before.len() - tail, after.len() - tail);
    let old = before.get(head..old_tail).unwrap_or_default();
    let new = after.get(head..new_tail).unwrap_or_default();
    let middle = common(old, new).into_iter().map(|(a, b)| (head + a, head + b));
    let tail = (0..tail).map(|n| (old_tail + n, new_tail + n));
    (0..head).map(|n| (n, n)).chain(middle).chain(tail).collect()
}

fn same(left: &str, right: &str) -> bool {
    left.strip_suffix(',').unwrap_or(left) == right.strip_suffix(',').unwrap_or(right)
}

/// The longest common subsequence, as pairs of indices.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MOST {
        return Vec::new();
    }
    let width = new.len() + 1;
    let mut length = vec![0_usize; (old.len() + 1) * width];
    let at = |length: &[usize], a: usize, b: usize| length.get(a * width + b).copied().unwrap_or_default();
    for (a, left) in old.iter().enumerate().rev() {
        for (b, right) in new.iter().enumerate().rev() {
            let best = match same(left, right) {
                true => at(&length, a + 1, b + 1) + 1,
                false => at(&length, a + 1, b).max(at(&length, a, b + 1)),
            };
            if let Some(cell) = length.get_mut(a * width + b) {
                *cell = best;
            }
        }
    }
    let (mut a, mut b, mut pairs) = (0, 0, Vec::new());
    while let (Some(left), Some(right)) = (old.get(a), new.get(b)) {
        if same(left, right) {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if at(&length, a + 1, b) >= at(&length, a, b + 1) {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        assert_eq!(lines("a\nb\nc\n", "a\nb\nc\n"), []);
        assert_eq!(lines("{\n  1\n  secret\n  2\n}\n", "{\n  1,\n  secret\n  2\n  3\n}\n"), [Line::New(5, "  3")]);
        assert_eq!(lines("", "a\n"), [Line::New(1, "a")]);
    }
}
