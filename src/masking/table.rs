//! Tables within texts: a column that is named as a secret, or a value that its row names, as CSV, Markdown and terminals
//! write them.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use regex::Captures;

use super::{MASK, named, names, tree};

/// A cell that is named as a secret, or one that its row may name: between separators, in the first line of a table.
pub(super) const HEADS: &str = concat!(
    r#"(?i)(?:^|[|│┃┌┬,;\t\n])[ "`*─━]*(?:[a-z0-9_.() -]*(?:"#,
    names::names!(),
    r#"|(?:access|secret|api|private|auth) key)"#,
    names::behind!(),
    r#"|value|setting_value)[ "`*)─━]*(?:[|│┃┬┐,;\t\r\n]|$)"#
);

/// Longest first line of one, in bytes.
const HEAD: usize = 4 << 10;

/// How many lines with other cells, remarks and empty ones may stand in a table one after the other.
const ODD: usize = 16;

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
    let whose = names.iter().any(|name| WHOSE.iter().any(|known| name.to_ascii_lowercase().contains(known)));
    let told = |name: String| if !whose && name.eq_ignore_ascii_case("pass") { String::new() } else { name };
    let names: Vec<String> = names.into_iter().map(told).collect();
    let tells = |at: usize| names.get(at).is_some_and(|name| names::tells(name));
    let pairs = names.iter().any(|name| tree::is_value(name)) && names.iter().any(|name| tree::names_another(name));
    if !pairs && !(0..names.len()).any(tells) {
        return nothing;
    }
    let (mut places, mut at) = (Vec::new(), ends + 1);
    let (mut odd, mut remarked) = (0, false);
    for number in 0_usize.. {
        // Terminals frame the first line otherwise than the others.
        let sign = if sign == '┃' { '│' } else { sign };
        let Some((cells, next)) = record(text, at, sign) else { break };
        let first = cells.first().cloned().unwrap_or(at..at);
        let line = text.get(first.start.min(at)..next).unwrap_or_default();
        let rule = (sign == '│' || sign == '|' && number == 0)
            && line.trim().chars().all(|c| "|-+: \t─━│┼├┤└┴┘┡╇┩╞╪╡".contains(c));
        if rule {
            at = next;
            continue;
        }
        let framed = matches!(sign, '|' | '│');
        // Behind the last sign of a line something else may stand.
        let other = cells.len() < names.len() || (!framed && cells.len() > names.len());
        // A line that somebody wrote into a table ends none, and words of a sentence have blanks behind their commas.
        let remark = line.trim().is_empty() || line.starts_with('#');
        let sentence =
            matches!(sign, ',' | ';') && !line.contains('"') && line.contains([',', ';']) && is_sentence(line);
        if (other && framed) || (sentence && (other || odd > 0)) || (other && !remark && cells.len() < 2) {
            break;
        }
        if other {
            odd += 1;
            // Behind a remark another table may begin.
            let another = remarked && !remark && head(line.trim_end()).is_some();
            if odd > ODD || another {
                break;
            }
            remarked = remark;
            if !remark {
                let beside = |at: usize| {
                    let of = (at + cells.len()).saturating_sub(names.len());
                    of.min(at)..of.max(at) + 1
                };
                let of: BTreeSet<usize> = (0..names.len()).filter(|at| tells(*at)).flat_map(beside).collect();
                let cells = of.into_iter().filter_map(|at| cells.get(at));
                places.extend(cells.flat_map(|cell| {
                    let value = text.get(cell.clone()).unwrap_or_default();
                    let of = if value == MASK { Vec::new() } else { named::places("password", value) };
                    of.into_iter().map(|place| cell.start + place.start..cell.start + place.end)
                }));
            }
            at = next;
            continue;
        }
        (odd, remarked) = (0, false);
        // The first line of a table of this kind is followed by a rule.
        if sign == '|' && number == 0 {
            break;
        }
        let said =
            |cell: usize| Cow::Borrowed(cells.get(cell).and_then(|cell| text.get(cell.clone())).unwrap_or_default());
        for (cell, range) in cells.iter().enumerate() {
            let value = said(cell);
            let name = tree::name_of(&names, cell, &said);
            if value == MASK || names::is_name(&value) {
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
    // ClickHouse writes names into the frame.
    if let Some(frame) = line.trim().strip_prefix('┌') {
        let names = frame.trim_end_matches('┐').split('┬').map(|name| name.trim_matches(['─', '━', ' ']).to_owned());
        return Some(('│', names.filter(|name| !name.is_empty()).collect()));
    }
    let sign = ['│', '┃', '|', '\t', ',', ';'].into_iter().find(|sign| line.contains(*sign))?;
    // Words of a sentence have blanks behind their commas.
    if matches!(sign, ',' | ';') && is_sentence(line) {
        return None;
    }
    let (cells, _) = record(line, 0, sign)?;
    let names: Vec<String> = cells.iter().map(|cell| line.get(cell.clone()).unwrap_or_default().to_owned()).collect();
    let word = |name: &String| {
        let name = name.trim_matches(['`', '*']);
        let (open, closed) = (name.matches('(').count(), name.matches(')').count());
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '#')
            && name.len() <= 64
            && open == closed
            && name.chars().all(|c| c.is_alphanumeric() || "_.-# ()/%".contains(c))
    };
    // The column of numbers of a table often has no name.
    let unnamed = usize::from(names.len() > 2 && sign != '\t' && names.first().is_some_and(String::is_empty));
    let names = (names.len() > 1 && names.iter().skip(unnamed).all(word)).then_some(names)?;
    Some((sign, names.into_iter().map(|name| name.trim_matches(['`', '*']).to_owned()).collect()))
}

/// Whether signs between words are those of a sentence or a statement.
fn is_sentence(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    line.contains(", ") || line.contains("; ") || (first.eq_ignore_ascii_case("select") && line.contains(' '))
}

/// The first line of a table in the beginning of a text, whose columns or rows tell of secrets, with the rule below it. `said` is a line
/// without what stands before it, in several ways.
pub(super) fn first_line<'t>(text: &'t str, said: &dyn Fn(&'t str) -> [&'t str; 3]) -> Option<&'t str> {
    let mut at = 0;
    let lines = text.get(..text.floor_char_boundary(4 * HEAD))?.split_inclusive('\n').map(|line| {
        at += line.len();
        (at - line.len(), line.trim_end())
    });
    // Remarks may be many.
    let lines = lines.filter(|(_, line)| line.len() < HEAD && !said(line).iter().all(|line| line.starts_with('#')));
    let mut lines = lines.take(11).peekable();
    let tells = |line: &str| {
        // A member of JSON has tabs as escapes.
        let names = head(&line.replace(r"\t", "\t")).map(|(_, names)| names).unwrap_or_default();
        names.iter().any(|name| names::tells(name) || tree::is_value(name))
    };
    while let Some((begins, line)) = lines.next() {
        if said(line).iter().any(|line| tells(line)) {
            // The rule of a table of Markdown is of it.
            let is_rule = |below: &str| below.contains('-') && below.chars().all(|c| "|-+: \t".contains(c));
            let rule = lines.peek().filter(|(_, below)| said(below).iter().any(|below| is_rule(below)));
            return text.get(begins..rule.map_or(begins + line.len(), |(at, rule)| at + rule.len()));
        }
    }
    None
}

/// The cells of a record, without their quotes and the blanks around them, and where the next one begins.
fn record(text: &str, at: usize, sign: char) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let mut cells = Vec::new();
    let mut from = at;
    let end = loop {
        let rest = text.get(from..)?;
        let quoted = !matches!(sign, '|' | '│' | '┃') && rest.starts_with('"');
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
        // Markdown writes a sign of a cell behind a backslash.
        let mut ends = tail.match_indices([sign, '\n']).map(|(at, _)| at);
        let plain = |at: &usize| {
            !(sign == '|'
                && tail.get(..*at).is_some_and(|cell| cell.ends_with('\\'))
                && tail.get(*at..).is_some_and(|rest| rest.starts_with('|')))
        };
        let stop = ends.find(plain).unwrap_or(tail.len());
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
    // ClickHouse numbers its rows before the frame.
    let number = cells.first().and_then(|cell| text.get(cell.clone())?.strip_suffix('.'));
    if sign == '│' && number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())) {
        cells.remove(0);
        cells.pop_if(|last| Range::is_empty(last));
    }
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
    fn a_table_is_read_to_its_end_however_many_lines_it_has() {
        let rows: String = (0..120_000).map(|n| format!("{n},hunter2X9\n")).collect();
        let text = format!("id,password\n{rows}");
        assert!(!Masking::secrets().masked(&text).0.contains("hunter2X9"));
    }

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
            ("t (UTC),password\n2026-11-20 10:00:00,hunter2X9\n", "t (UTC),password\n2026-11-20 10:00:00,***\n"),
            ("id,user id,any(password)\n1,2,hunter2X9\n", "id,user id,any(password)\n1,2,***\n"),
            (
                "User name,Access key ID,Secret access key\nbob,one,hunter2X9",
                "User name,Access key ID,Secret access key\nbob,one,***",
            ),
            (
                "   ┌─user─┬─password──┐\n1. │ bob  │ hunter2X9 │\n   └──────┴───────────┘\nend",
                "   ┌─user─┬─password──┐\n1. │ bob  │ *** │\n   └──────┴───────────┘\nend",
            ),
            ("┌─password─┐\n│ letmein  │\n└──────────┘", "┌─password─┐\n│ ***  │\n└──────────┘"),
            (
                "COPY users (id, password) FROM stdin;\n1\thunter2X9\n2\t\\N\n\\.\n3\tx",
                "COPY users (id, password) FROM stdin;\n1\t***\n2\t\\N\n\\.\n3\tx",
            ),
            (",id,password\n0,1,hunter2X9\n", ",id,password\n0,1,***\n"),
            ("id,password\n1, hunter2X9\n2, letmein\n", "id,password\n1, ***\n2, ***\n"),
            (
                "id,password,n\n1,hunter2X9,2\n\n# said\n2,letmein\n3,letmein,4,5\n6,letmein,7\n",
                "id,password,n\n1,***,2\n\n# said\n***,***\n3,***,***,5\n6,***,7\n",
            ),
            (
                "| id | password |\n|---|---|\n| a \\| b | hunter2X9 |\n",
                "| id | password |\n|---|---|\n| a \\| b | *** |\n",
            ),
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
            "SELECT id,password\nFROM users,accounts",
            "login(user,password)\nsend(one,two)",
            "id,password\n\nwhat follows, is a sentence",
        ] {
            assert_eq!(masking.masked(text).0, text);
        }
    }
}
