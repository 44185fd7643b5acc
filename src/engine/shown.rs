//! How cells are told: a number with as many digits as say something, a name that is empty as such, and of a long text its
//! begin, or both of its ends.
//!
//! Statements do not round what dictionaries of columns round: a small number would be nothing, and what is computed of a
//! rounded one is false. Nor do they cut texts: a text is masked while it is whole, since half of a secret looks like nothing.
//! It knows columns by what definitions say of them, and no names.

use serde_json::Value;

use super::{
    cut::head,
    document::{Heading, SectionAnswer},
};
use crate::{definition::Keep, masking::Masking};

/// Significant digits that are left of a small number.
const SIGNIFICANT: i32 = 3;
/// More decimals than that no float has.
const MOST: i32 = 15;
/// What stands where the middle of a text was.
const BETWEEN: &str = " … ";

/// Has the rows of sections as sentences and tables tell them. What other sections bind of them was bound as it came.
pub(super) fn tell(sections: &mut [SectionAnswer], masking: &Masking) {
    for SectionAnswer { columns, rows, masked, .. } in sections {
        if columns.iter().any(|column| column.decimals.is_some() || column.empty.is_some()) {
            rows.iter_mut().for_each(|row| told(row, columns));
        }
        *masked += rows.iter_mut().map(|row| shorten(row, columns, masking)).sum::<usize>();
    }
}

/// Cuts the long texts of a row, each as it may be shown. Says how many of them were masked.
fn shorten(row: &mut [Value], columns: &[Heading], masking: &Masking) -> usize {
    // Bytes are no fewer than characters.
    let long = |(cell, column): (&Value, &Heading)| cell.as_str().is_some_and(|text| text.len() > column.max_chars);
    if !row.iter().zip(columns).any(long) {
        return 0;
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut shown = [row.to_vec()];
    masking.rows(&names, &mut shown);
    let mut masked = 0;
    for ((cell, shown), column) in row.iter_mut().zip(shown.into_iter().flatten()).zip(columns) {
        if long((cell, column))
            && let Value::String(text) = shown
        {
            masked += usize::from(cell.as_str() != Some(text.as_str()));
            *cell = cut(text, column).into();
        }
    }
    masked
}

/// What is shown of a text that is too long. Cut once more it stays the same.
fn cut(text: String, column: &Heading) -> String {
    let end = |chars: usize| text.char_indices().nth(chars).map(|(at, _)| at);
    let Some(all) = end(column.max_chars) else { return text };
    match column.keep {
        Keep::Head => head(text, column.max_chars),
        Keep::Ends => {
            let room = column.max_chars.saturating_sub(BETWEEN.chars().count());
            let tail = room * 3 / 8;
            let from = text.chars().count() - tail;
            let (head, tail) = (end(room - tail).unwrap_or(all), end(from).unwrap_or(text.len()));
            let part = |range| text.get(range).unwrap_or_default();
            format!("{}{BETWEEN}{}", part(0..head).trim_end(), part(tail..text.len()).trim_start())
        }
    }
}

fn told(row: &mut [Value], columns: &[Heading]) {
    for (cell, column) in row.iter_mut().zip(columns) {
        if let (Some(empty), Some("")) = (&column.empty, cell.as_str()) {
            *cell = empty.as_str().into();
        }
        if let (Some(decimals), Some(number)) = (column.decimals, cell.as_f64().filter(|_| cell.is_f64())) {
            let told = rounded(number, i32::from(decimals), column.unit.as_deref() == Some("%"));
            *cell = whole(told).filter(|_| decimals == 0).map_or_else(|| told.into(), Value::from);
        }
    }
}

/// A float that is a whole number, as such: of a column without decimals it has none behind its point.
fn whole(number: f64) -> Option<i64> {
    // Beyond it floats are further apart than whole numbers.
    const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < MOST_WHOLE).then_some(number as i64)
}

/// A number with so many decimals, with more where fewer than three significant digits would be left of it, or where a share
/// that is not the whole would be said to be it.
fn rounded(number: f64, decimals: i32, share: bool) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let leading = number.abs().log10().floor() as i32;
    let decimals = decimals.max(SIGNIFICANT - 1 - leading);
    let to = |decimals: i32| format!("{number:.*}", usize::try_from(decimals).unwrap_or(0)).parse().unwrap_or(number);
    if decimals > MOST {
        return format!("{number:.2e}").parse().unwrap_or(number);
    }
    let whole = |rounded: f64| share && rounded == 100.0 && number != 100.0;
    (decimals..=MOST).map(to).find(|rounded| !whole(*rounded)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::ColumnType;

    #[test]
    fn no_number_that_is_something_is_told_as_nothing() {
        for (number, decimals, told) in [
            (20.0, 2, 20.0),
            (12.3456, 2, 12.35),
            (1234.5678, 2, 1234.57),
            (0.0004, 2, 0.0004),
            (0.000_333_333, 4, 0.000_333),
            (-0.012_345, 2, -0.0123),
            (4e-30, 4, 4e-30),
            (0.0, 2, 0.0),
        ] {
            assert_eq!(rounded(number, decimals, false), told, "{number}");
        }
        assert_eq!(rounded(99.999_94, 2, true), 99.9999, "something failed");
        assert_eq!(rounded(99.999_94, 2, false), 100.0);
    }

    #[test]
    fn a_long_text_is_masked_while_it_is_whole_and_cut_once() {
        let headed = |keep| Heading { max_chars: 40, keep, ..Heading::plain("text", ColumnType::Text) };
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        for (text, keep, shown, masked) in [
            ("x".repeat(40), Keep::Head, "x".repeat(40), 0),
            ("é".repeat(30), Keep::Head, "é".repeat(30), 0),
            ("é".repeat(41), Keep::Head, format!("{}…", "é".repeat(40)), 0),
            ("0123456789".repeat(5), Keep::Ends, "012345678901234567890123 … 7890123456789".into(), 0),
            (format!("{} {token} and more", "é".repeat(30)), Keep::Head, format!("{} *** and m…", "é".repeat(30)), 1),
            (
                format!("{}: {token}", "é".repeat(50)),
                Keep::Ends,
                format!("{} … {}: ***", "é".repeat(24), "é".repeat(8)),
                1,
            ),
        ] {
            let mut row = [json!(text)];
            let columns = [headed(keep)];
            assert_eq!(shorten(&mut row, &columns, Masking::secrets()), masked, "{text}");
            assert_eq!(row, [json!(shown)], "{text}");
            assert_eq!(shorten(&mut row, &columns, Masking::secrets()), 0);
            assert_eq!(row, [json!(shown)], "{text} once more");
        }
    }

    #[test]
    fn columns_say_how_their_cells_are_told() {
        let plain = || Heading::plain("c", ColumnType::Other);
        let columns =
            [Heading { empty: Some("(no name)".into()), ..plain() }, Heading { decimals: Some(2), ..plain() }, plain()];
        let mut row = [json!(""), json!(0.123456), json!(0.123456)];
        told(&mut row, &columns);
        assert_eq!(row, [json!("(no name)"), json!(0.123), json!(0.123456)]);
        let mut row = [json!("a"), json!(7), json!("")];
        told(&mut row, &columns);
        assert_eq!(row, [json!("a"), json!(7), json!("")]);
    }
}
