//! Sharing out a budget of characters among the rows of sections.

/// What a section costs: its frame once, and each of its rows.
pub struct Cost {
    pub frame: usize,
    pub rows: Vec<usize>,
}

/// How much of a section is kept: none where its frame did not fit, else the number of its first rows.
pub type Kept = Option<usize>;

/// Rows that every section gets before a more important one gets its rest.
const FIRST: usize = 5;

/// Shares out a budget among sections in order of importance.
///
/// Frames come first, the most important ones if not all fit; then up to five rows each; then the rest of the most
/// important section, and so on. Rows are kept from the first on without gaps.
pub fn share(budget: usize, sections: &[Cost]) -> Vec<Kept> {
    let mut left = budget;
    let mut kept: Vec<Kept> = sections
        .iter()
        .map(|section| {
            left = left.checked_sub(section.frame)?;
            Some(0)
        })
        .collect();
    for bound in [FIRST, usize::MAX] {
        for (section, kept) in sections.iter().zip(&mut kept) {
            let Some(count) = kept else { continue };
            for row in section.rows.iter().take(bound).skip(*count) {
                match left.checked_sub(*row) {
                    Some(rest) => left = rest,
                    None => break,
                }
                *count += 1;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(frame: usize, rows: &[usize]) -> Cost {
        Cost { frame, rows: rows.to_vec() }
    }

    #[test]
    fn every_section_gets_some_rows_before_the_first_gets_all() {
        let sections = [cost(10, &[10; 30]), cost(10, &[10; 30])];
        assert_eq!(share(220, &sections), [Some(15), Some(5)]);
        assert_eq!(share(10_000, &sections), [Some(30), Some(30)]);
        assert_eq!(share(15, &sections), [Some(0), None]);
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded(budget in 0usize..2000, sections in prop::collection::vec((0usize..200, prop::collection::vec(1usize..300, 0..40)), 0..6)) {
            let sections: Vec<Cost> = sections.into_iter().map(|(frame, rows)| Cost { frame, rows }).collect();
            let spent: usize = share(budget, &sections)
                .iter()
                .zip(&sections)
                .filter_map(|(kept, section)| kept.map(|n| section.frame + section.rows.iter().take(n).sum::<usize>()))
                .sum();
            prop_assert!(spent <= budget);
        }
    }
}
