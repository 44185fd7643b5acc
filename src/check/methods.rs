//! Methods, which values of this language do not have: what is written in their place.

/// What methods of other languages are called here.
const METHODS: [(&str, &str); 12] = [
    ("startswith", "x is startingwith('…')"),
    ("endswith", "x is endingwith('…')"),
    ("contains", "'…' in x"),
    ("find", "'…' in x"),
    ("strip", "x | trim"),
    ("get", "x['…'] | default('…')"),
    ("keys", "x | list"),
    ("values", "x | items"),
    ("size", "x | length"),
    ("len", "x | length"),
    ("isdigit", "x is number"),
    ("append", "x + ['…']"),
];

/// The help for a method of this name; `filters` are those that exist.
pub(super) fn instead<'f>(name: &str, filters: impl IntoIterator<Item = &'f str>) -> String {
    let filter = filters.into_iter().find(|filter| *filter == name).map(|filter| format!("x | {filter}"));
    let known = || METHODS.iter().find(|(method, _)| *method == name).map(|(_, instead)| (*instead).to_owned());
    match filter.or_else(known) {
        Some(instead) => format!("write `{instead}`"),
        None => "values have no methods: filters stand behind `|`, tests behind `is`".to_owned(),
    }
}
