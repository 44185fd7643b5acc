//! What a SQLSTATE means, for errors that quote the data: PostgreSQL puts the value that does not fit into its text, and
//! a text of a row must not stand where we speak.
//!
//! Codes are those of PostgreSQL's appendix A. Errors about names, types, syntax, rights and resources quote the statement
//! alone and keep their text.

/// The text that stands in for the server's own; none where that quotes no data.
pub(super) fn instead(code: &str) -> Option<String> {
    let meaning = match code {
        super::error::NOT_SIGNED => "the organisation of this transaction is not signed by the server",
        "22P02" | "22P03" => "a value does not have the form of the type that it is cast to",
        "22007" => "a value is no date or time",
        "22008" => "a date or time is out of range",
        "22003" => "a number is out of range",
        "22012" => "a number is divided by zero",
        "22001" => "a text is longer than its type allows",
        "22004" | "22002" => "a value is null where none may be",
        "22011" => "a part of a text is taken outside of it",
        "22021" | "22P05" => "a text has characters that its encoding does not have",
        "22023" => "an argument of a function is not allowed",
        "2201B" => "a regular expression is not valid",
        "22025" | "22019" | "2200C" => "an escape in a pattern is not valid",
        "2202E" => "an array has a subscript that it cannot have",
        "22030" | "22031" | "22032" | "22033" | "22034" | "22035" | "22036" | "22037" | "22038" | "22039" | "2203A"
        | "2203B" | "2203C" | "2203D" | "2203E" | "2203F" | "2203G" => "a value is not the JSON that is wanted of it",
        _ => match code.get(..2)? {
            "22" => "the data do not fit what the statement does with them",
            "23" => "the data break a constraint",
            "21" | "42" | "25" | "26" | "28" | "2B" | "08" | "0A" | "3D" | "3F" | "40" | "53" | "54" | "55" | "57" => {
                return None;
            }
            // Also whatever a function raises with words of its own.
            _ => "the database failed while it ran the statement",
        },
    };
    Some(format!("{meaning} (SQLSTATE {code})"))
}

#[cfg(test)]
mod tests {
    use super::instead;

    #[test]
    fn only_errors_about_the_statement_keep_their_text() {
        for code in ["42703", "42P01", "42601", "25006", "57014", "53200"] {
            assert_eq!(instead(code), None, "{code}");
        }
        for code in ["22P02", "22012", "22XXX", "23505", "P0001", "XX000", "38000"] {
            assert!(instead(code).unwrap().ends_with(&format!("(SQLSTATE {code})")));
        }
    }
}
