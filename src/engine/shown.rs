//! How cells are told: a number with as many digits as say something, and a name that is empty as such.
//!
//! Statements do not round what dictionaries of columns round: a small number would be nothing, and what is computed of a
//! rounded one is false. It knows columns by what definitions say of them, and no names.

use serde_json::Value;

use super::document::{Heading, SectionAnswer};

/// Significant digits that are left of a small number.
const SIGNIFICANT: i32 = 3;
/// More decimals than that no float has.
const MOST: i32 = 15;

/// Has the rows of sections as sentences and tables tell them. What other sections bind of them was bound as it came.
pub(super) fn tell(sections: &mut [SectionAnswer]) {
    for SectionAnswer { columns, rows, .. } in sections {
        if columns.iter().any(|column| column.decimals.is_some() || column.empty.is_some()) {
            rows.iter_mut().for_each(|row| told(row, columns));
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
