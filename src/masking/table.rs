//! Tables within texts: a column that is named as a secret, or a value that its row names, as CSV, Markdown and terminals
//! write them.

use std::{borrow::Cow, ops::Range};

use regex::Captures;

use super::{MASK, named, tree};

/// A cell that is named as a secret, or one that its row may name: between separators, in the first line of a table.
pub(super) const HEADS: &str = concat!(
    r#"(?i)(?:^|[|│┃,;\t\n])[ "`*]*(?:(?:[a-z0-9_.-]+ ){0,3}[a-z0-9_.-]*"#,
    named::names!(),
    r#"(?:[_-]?[0-9]{1,2})?|value|setting_value|(?:[a-z]+ ){0,3}(?:access|api|secret|private) key)[ "`*]*(?:[|│┃,;\t\r\n]|$)"#
);

/// Longest first line of one, in bytes.
const HEAD: usize = 4 << 10;

/// Longest table that is read, in lines.
const LINES: usize = 10_000_000;

/// How many lines of one another that do not fit end a table.
const STRANGE: usize = 3;

/// The cells of the table in whose first line the name stands.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(found) = found.get(0) else { return (Vec::new(), 0) };
    // What it begins with may be the end of the line before.
    let word = found.as_str().find(|c: char| c.is_alphanumeric()).map_or(found.start(), |at| found.start() + at);
    let near = text.get(text.ceil_char_boundary(word.saturating_sub(HEAD))..word).unwrap_or_default();
    let begins = near.rfind('\n').map_or(word - near.len(), |at| word - near.len() + at + 1);
    let after = text.get(word..text.floor_char_boundary(text.len().min(word + HEAD))).unwrap_or_default();
    let ends = after.find('\n').map_or(word + after.len(), |at| word + at);
    let nothing = (Vec::new(), ends.max(found.start() + 1));
    let line = text.get(begins..ends).filter(|line| line.len() < HEAD).unwrap_or_default();
    let Some((sign, names)) = head(line) else { return nothing };
    // What passed, and no password, unless somebody is named beside it.
    const WHOSE: [&str; 8] = ["user", "login", "account", "host", "db", "database", "email", "mail"];
    let whose = |name: &String| WHOSE.iter().any(|known| name.to_ascii_lowercase().contains(known));
    let names: Vec<String> = match names.iter().any(whose) {
        true => names,
        false => names
            .into_iter()
            .map(|name| if name.eq_ignore_ascii_case("pass") { String::new() } else { name })
            .collect(),
    };
    let tells = |at: usize| names.get(at).is_some_and(|name| named::tells(name));
    let pairs = names.iter().any(|name| tree::is_value(name)) && names.iter().any(|name| tree::names_another(name));
    if !pairs && !(0..names.len()).any(tells) {
        return nothing;
    }
    let (mut places, mut at, mut strange) = (Vec::new(), ends + 1, 0);
    for number in 0..LINES {
        // Terminals frame the first line otherwise than the others.
        let sign = if sign == '┃' { '│' } else { sign };
        let Some((cells, next)) = record(text, at, sign) else { break };
        let first = cells.first().cloned().unwrap_or(at..at);
        let line = text.get(first.start.min(at)..next).unwrap_or_default();
        let framed = matches!(sign, '|' | '│' | '┃');
        let rule = framed && line.trim().chars().all(|c| "|-+: \t─━┼│┡┢┩╇┠├┤╂┨└┴┘╞╡═╪".contains(c));
        // A comment, or an empty line, of which the table goes on behind.
        let between = sign == ',' && number > 0 && (line.trim().is_empty() || line.starts_with('#')) && strange < STRANGE;
        if (rule && (number == 0 || sign != '|')) || between {
            strange += usize::from(between);
            at = next;
            continue;
        }
        // Behind the last sign of a line something else may stand. One cell more or less is a fault of the writer's.
        let fits = cells.len() == names.len() || (framed && cells.len() > names.len());
        let nearly = !framed && number > 0 && cells.len() > 1 && cells.len().abs_diff(names.len()) == 1;
        if !fits && (!nearly || strange >= STRANGE) {
            break;
        }
        strange = if fits { 0 } else { strange + 1 };
        // The first line of a table of this kind is followed by a rule.
        if sign == '|' && number == 0 {
            break;
        }
        let said =
            |cell: usize| Cow::Borrowed(cells.get(cell).and_then(|cell| text.get(cell.clone())).unwrap_or_default());
        for (cell, range) in cells.iter().enumerate() {
            let value = said(cell);
            let name = tree::name_of(&names, cell, &said);
            if value.contains(MASK) || named::tells(&value) {
                continue;
            }
            let of = named::places(&name, &value).into_iter();
            places.extend(of.map(|place| range.start + place.start..range.start + place.end));
        }
        at = next;
    }
    (places, at.max(nothing.1).min(text.len()))
}

/// The names of the columns of a line that is the first one of a table, and what stands between them.
fn head(line: &str) -> Option<(char, Vec<String>)> {
    let line = line.trim_end_matches('\r');
    let sign = ['│', '┃', '|', '\t', ',', ';'].into_iter().find(|sign| line.contains(*sign))?;
    // Words of a sentence have blanks behind their commas.
    if matches!(sign, ',' | ';') && (line.contains(", ") || line.contains("; ") || line.contains('(') || line.matches(' ').count() > 12) {
        return None;
    }
    let (cells, _) = record(line, 0, sign)?;
    let names: Vec<String> = cells.iter().map(|cell| line.get(cell.clone()).unwrap_or_default().to_owned()).collect();
    let word = |name: &String| {
        let name = name.trim_matches(['`', '*']);
        let blank = matches!(sign, '|' | '│' | '┃' | '\t');
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '#')
            && name.len() <= 64
            && name.chars().all(|c| c.is_alphanumeric() || "_.-#".contains(c) || (blank && " ()/%".contains(c)) || (c == ' ' && name.matches(' ').count() < 4))
    };
    let names = (names.len() > 1 && names.iter().all(word)).then_some(names)?;
    Some((sign, names.into_iter().map(|name| name.trim_matches(['`', '*']).to_owned()).collect()))
}

/// The cells of a record, without their quotes and the blanks around them, and where the next one begins.
fn record(text: &str, at: usize, sign: char) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let mut cells = Vec::new();
    let mut from = at;
    let end = loop {
        let rest = text.get(from..)?;
        let framed = matches!(sign, '|' | '│' | '┃');
        let quoted = !framed && rest.starts_with('"');
        // Quotes keep signs and ends of lines in a cell; two are one.
        let body = match quoted {
            true => {
                let mut close = 1;
                loop {
                    close += rest.get(close..)?.find('"')?;
                    if !rest.get(close + 1..)?.starts_with('"') {
                        break;
                    }
                    close += 2;
                }
                cells.push(from + 1..from + close);
                close + 1
            }
            false => 0,
        };
        let tail = rest.get(body..)?;
        let mut stop = tail.find([sign, '\n']).unwrap_or(tail.len());
        // Markdown writes one of a cell so.
        while sign == '|' && tail.get(..stop).is_some_and(|cell| cell.ends_with('\\')) && tail.get(stop..)?.starts_with('|') {
            stop += 1 + tail.get(stop + 1..)?.find([sign, '\n']).unwrap_or(tail.len() - stop - 1);
        }
        if !quoted {
            let cell = tail.get(..stop)?;
            let start = from + cell.len() - cell.trim_start().len();
            cells.push(start..(from + cell.trim_end().len()).max(start));
        }
        from += body + stop;
        if tail.get(stop..)?.starts_with(sign) {
            from += sign.len_utf8();
            continue;
        }
        break from;
    };
    // The sign also stands before the first cell of Markdown and behind the last.
    if matches!(sign, '|' | '│' | '┃') && rest.trim_start().starts_with(sign) {
        cells.remove(0);
        if cells.last().is_some_and(|last| last.is_empty()) {
            cells.pop();
        }
    }
    Some((cells, (end + 1).min(text.len())))
}

#[cfg(test)]
mod tests {
    use super::super::Masking;

    #[test]
    fn columns_that_are_named_as_secrets_are_masked_and_all_others_stay() {
        let masking = Masking::secrets();
        for (text, shown) in [
            ("id,password\n1,hunter2X9\n2,letmein\n", "id,password\n1,***\n2,***\n"),
            ("said\n\nname,value\npassword,letmein\nuser,app", "said\n\nname,value\npassword,***\nuser,app"),
            ("id,api_key,n\r\n1,\"let,me\"\"in\",3\r\n", "id,api_key,n\r\n1,\"***\",3\r\n"),
            ("\"id\",\"password\"\n\"1\",\"a\nb\"\nrest", "\"id\",\"password\"\n\"1\",\"***\"\nrest"),
            (
                "| id | password |\n|---:|---|\n| 1 | hunter2X9 |\n\nend",
                "| id | password |\n|---:|---|\n| 1 | *** |\n\nend",
            ),
            (
                " id | password \n----+----------\n  1 | letmein\n(1 row)",
                " id | password \n----+----------\n  1 | ***\n(1 row)",
            ),
            ("user\tpassword\napp\tletmein", "user\tpassword\napp\t***"),
        ] {
            assert_eq!(masking.masked(text).0, shown);
        }
        for text in [
            "user, password, token\nfoo, bar, baz",
            "SELECT id,\n  password,\n  token\nFROM t",
            "id,password\nname,secret",
            "name,value\nreplicas,three",
            "password,\nletmein,",
            "| password |\n| letmein |",
            "id,password\n1,required\n2,",
            "time,value\n2026-11-20,17",
        ] {
            assert_eq!(masking.masked(text).0, text);
        }
    }
}
