//! What stands open at a place of a text that is too long to be kept: the lines that what follows lies below, however far before.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    heads,
    lines::{self, Alike},
    messages, table,
};

/// How much is read at once, in bytes; a line that is longer is known by its beginning.
const AT_ONCE: usize = 64 << 10;

/// How much of the beginning of a line is known, in bytes, and how many lines may stand open.
const LINE: usize = 4 << 10;
const DEEP: usize = 64;

/// How much of the beginning of a text is looked through for the first line of a table, in bytes.
const HEAD: usize = 16 << 10;

/// What goes on until something ends it, whatever its lines begin with: a private key, a statement with its rows, a table of Markdown.
static BEGINS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let form = concat!(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        r"|(?m:^)(?:[ \t+#>|-]{0,64}(?i-u:insert into|replace into|copy) [^\n]{0,4000}|[^\n]{0,200}\|[^\n]{0,4000}\n[ ]*\|?[ :-]*--[-: |]*(?m:$))"
    );
    Regex::new(form).ok()
});

/// The lines that stand open where what was read of a text ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The beginning of the text.
    head: Vec<u8>,
    /// How far each is set in, and what it says: a name that what is set in below it belongs to.
    lines: Vec<(usize, String)>,
    /// What goes on until something ends it.
    begun: Option<String>,
    /// What was not looked at.
    next: Vec<u8>,
    /// The beginning of a line that is longer than what is read at once, and whether it has the name of a secret.
    long: Option<(String, bool)>,
    /// What stands before its lines: the sign of a diff, a number, the name of a file.
    alike: Alike,
    /// Whether it began so far within a longer text that nobody knows what stands open.
    unsure: bool,
}

/// What stands before a piece of a longer text, as far as it tells something.
pub(super) enum Before {
    /// The lines that stand open, and the beginning of the line that goes on.
    Lines(String),
    /// Nobody knows what stands open, and the line that goes on may be of a secret.
    Line,
    /// The same of all lines.
    All,
}

impl Opened {
    /// What stands open in a text of which only so much of the beginning is known, and not what follows that.
    pub fn far_behind(head: &[u8]) -> Self {
        let mut opened = Self { unsure: true, ..Self::default() };
        opened.begins(head);
        opened
    }

    fn begins(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    /// Goes on with what follows in the text.
    pub fn take(&mut self, bytes: &[u8]) {
        if !self.unsure {
            self.begins(bytes);
        }
        for part in bytes.chunks(AT_ONCE) {
            self.next.extend_from_slice(part);
            if self.next.len() >= AT_ONCE {
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let next = std::mem::take(&mut self.next);
        let last = next.iter().rposition(|byte| *byte == b'\n');
        let (whole, rest) = next.split_at_checked(last.map_or(0, |last| last + 1)).unwrap_or_default();
        // Letters of two bytes are read as those of one.
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "");
        if !whole.is_empty() {
            let mut lines = text(whole);
            if let Some((begun, _)) = self.long.take() {
                lines.insert_str(0, &begun);
            }
            self.lines_of(&lines);
        }
        if rest.len() < AT_ONCE {
            self.next = rest.to_vec();
            return;
        }
        let rest = text(rest);
        let (begun, tells) = self.long.take().unwrap_or_else(|| (cut(&rest).to_owned(), false));
        let tells = tells || lines::tells(&rest);
        self.long = Some((begun, tells));
    }

    /// Looks at whole lines, from the last one back to one that is not set in: what stands before that is not open any more, but for
    /// what a manifest is of.
    fn lines_of(&mut self, text: &str) {
        let (mut open, mut least) = (Vec::<(usize, &str)>::new(), usize::MAX);
        self.alike.take(text.lines());
        let alike = self.alike.clone();
        let is_kind = |line: &str| is_kind(said(line, &alike));
        for line in text.lines().rev() {
            let own = said(line, &alike);
            let said = own.trim_start_matches([' ', '\t', '-']);
            let set_in = own.len() - said.len();
            if own.starts_with("---") && said.trim().is_empty() {
                (self.lines, least) = (Vec::new(), 0);
                break;
            }
            let kind = said.starts_with("kind:") && !open.iter().any(|(at, line)| *at <= set_in && is_kind(line));
            if said.trim().is_empty() || said.starts_with('#') || set_in >= least && !(set_in == least && kind) {
                continue;
            }
            open.push((set_in, line));
            least = set_in;
            self.unsure &= set_in > 0;
            // What a manifest is of may stand further before.
            if set_in == 0 && (kind || !text.contains("kind:")) {
                break;
            }
        }
        let kinds: Vec<usize> = open.iter().filter(|(_, line)| is_kind(line)).map(|(at, _)| *at).collect();
        self.lines.retain(|(at, line)| *at < least || *at == least && is_kind(line) && !kinds.contains(at));
        self.lines.extend(open.iter().rev().map(|(at, line)| (*at, cut(line).to_owned())));
        let deep = self.lines.len().saturating_sub(DEEP);
        self.lines.drain(..deep);
        let may = ["PRIVATE KEY", "INTO ", "into ", "COPY ", "copy ", "|--", "| --", "|:-", "| :-"];
        let ends = |begun: &str, line: &str| match begun {
            key if key.contains("-----BEGIN") => line.contains("-----END"),
            table if table.contains('\n') => !line.contains('|'),
            _ => line.ends_with(';') || line == "\\.",
        };
        let own = |line| own(line, &alike);
        let begins = BEGINS.as_ref().filter(|_| may.iter().any(|sign| text.contains(sign)));
        let begun = begins.and_then(|begins| {
            let all: Vec<&str> = text.lines().collect();
            let said = all.iter().map(|line| own(line)).collect::<Vec<_>>().join("\n");
            let found = begins.find_iter(&said).last()?;
            let before = said.get(..found.start())?.matches('\n').count();
            let lines = all.get(before..=before + found.as_str().matches('\n').count())?;
            // What stands behind it in its line may end it.
            let rest = said.get(found.end()..)?.trim_start_matches([';', '\n', '\r']);
            Some((lines.join("\n"), rest.lines().any(|line| ends(found.as_str(), line))))
        });
        match begun {
            Some((begun, ended)) => self.begun = Some(begun).filter(|_| !ended),
            None => {
                let ended = |begun: &String| text.lines().any(|line| ends(begun, own(line)));
                self.begun = self.begun.take().filter(|begun| !ended(begun));
            }
        }
    }

    /// What stands before what follows.
    pub(super) fn before(&self) -> Before {
        let mut all = self.clone();
        if all.long.is_none() {
            let end = all.next.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            let whole = all.next.drain(..end).collect::<Vec<u8>>();
            all.lines_of(&String::from_utf8_lossy(&whole).replace('\0', ""));
        }
        if all.unsure {
            return Before::All;
        }
        if all.long.as_ref().is_some_and(|(_, tells)| *tells) {
            return Before::Line;
        }
        let head = String::from_utf8_lossy(&all.head).replace('\0', "");
        let mut alike = Alike::default();
        alike.take(head.lines().take(DEEP));
        let own = |line| [line, own(line, &alike), line.get(alike.before(line)..).unwrap_or_default()];
        let table = table::first_line(&head, &own).map(str::to_owned).into_iter();
        let lines = table.chain(all.lines.into_iter().map(|(_, line)| line)).chain(all.begun);
        let mut said: String = lines.map(|line| line + "\n").collect();
        if all.long.is_none() {
            said += &String::from_utf8_lossy(&all.next);
        }
        Before::Lines(said)
    }

    /// Whether nothing was passed.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What ends what a program writes before its lines: behind a time a machine, a program, a file and its line stand there.
const ENDS: [&str; 4] = ["]: ", "] ", "| ", "\t"];

/// A line without what lines beside it begin with too, and without what a program writes before each line of its log.
fn said<'t>(line: &'t str, alike: &Alike) -> &'t str {
    if let Some(said) = messages::said(line) {
        return said;
    }
    let shared = alike.before(line);
    let own = line.get(shared..).is_some_and(|own| own.starts_with("| ") && shared > 0);
    let before = shared + if own { 2 } else { 0 };
    let behind = |at: usize| {
        let further = line.get(at..before).is_some_and(|behind| ENDS.iter().any(|end| behind.ends_with(end)));
        if further { before } else { at }
    };
    let at = match heads::head(line).1 {
        0 => heads::before_a_time(line.get(..before).unwrap_or_default()),
        // A sign of a list stands behind a file and its line.
        known if known > before && line.get(..before).is_some_and(|head| head.ends_with('\t')) => before,
        known if behind(known) == known => return line.get(known..).unwrap_or_default(),
        known => behind(known),
    };
    let own = line.get(at..).unwrap_or_default();
    let at = at + if own.starts_with("| ") && own.len() < line.len() { 2 } else { 0 };
    let own = line.get(at..).unwrap_or_default();
    line.get(behind(at + heads::head(own).1)..).unwrap_or_default()
}

/// The same without a sign that is no list's, before the first line of a table or a statement.
fn own<'t>(line: &'t str, alike: &Alike) -> &'t str {
    let own = said(line, alike).trim_start_matches('\t');
    own.strip_prefix("- ").or(own.strip_prefix("-- ")).unwrap_or(own)
}

fn is_kind(own: &str) -> bool {
    own.trim_start_matches([' ', '\t', '-']).starts_with("kind:")
}

/// The beginning of a line.
fn cut(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LINE)).unwrap_or_default()
}

/// What a manifest is of, in what follows a piece of it: the names of one may stand in the order of their letters.
pub(super) fn kind_behind(after: &str) -> Option<&str> {
    let lines = after.lines().take_while(|line| !line.starts_with("---"));
    let mut alike = Alike::default();
    alike.take(after.lines().take(DEEP));
    lines.into_iter().find(|line| is_kind(said(line, &alike)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Opened {
        let mut opened = Opened::default();
        text.as_bytes().chunks(1000).for_each(|bytes| opened.take(bytes));
        opened
    }

    #[test]
    fn what_lies_below_a_line_is_told_by_it_however_far_it_stands_before() {
        for (head, row, open) in [
            (
                "kind: Secret\nmetadata: {name: x}\nstringData:\n",
                "  k: alphabravo\n",
                "kind: Secret\nstringData:\n  k: alphabravo\n",
            ),
            ("a: 1\npasswords:\n", "- alpha\n", "passwords:\n- alpha\n"),
            (
                "items:\n  - kind: Secret\n    data:\n",
                "      k: alpha\n",
                "items:\n  - kind: Secret\n    data:\n      k: alpha\n",
            ),
            ("kind: Secret\ndata:\n  a: b\n---\nkind: A\ndata:\n", "  k: alpha\n", "kind: A\ndata:\n  k: alpha\n"),
            ("{\n \"passwords\": [\n", "  \"alpha\",\n", "{\n \"passwords\": [\n  \"alpha\",\n"),
            ("INSERT INTO t (password) VALUES\n", "('alpha'),\n", "('alpha'),\nINSERT INTO t (password) VALUES\n"),
            ("a\n| id | word |\n|---|---|\n", "| 1 | alpha |\n", "| 1 | alpha |\n| id | word |\n|---|---|\n"),
            ("passwords:\n- a\nport: 1\n", "# alpha\n", "port: 1\n"),
            (
                "12:00:00 INFO kind: Secret\n12:00:00 INFO data:\n",
                "12:00:01 INFO   k: alpha\n",
                "12:00:00 INFO kind: Secret\n12:00:00 INFO data:\n12:00:01 INFO   k: alpha\n",
            ),
            ("+a: 1\n+kind: Secret\n+data:\n", "+  k: alpha\n", "+kind: Secret\n+data:\n+  k: alpha\n"),
            (
                "web-1  | kind: Secret\nweb-1  | data:\n",
                "web-1  |   k: alpha\n",
                "web-1  | kind: Secret\nweb-1  | data:\nweb-1  |   k: alpha\n",
            ),
            ("# passwords:\n", "# - alpha\n", "# passwords:\n# - alpha\n"),
            ("a.yaml:1:a: b\na.yaml:2:passwords:\n", "a.yaml:12:- alpha\n", "a.yaml:2:passwords:\na.yaml:12:- alpha\n"),
            (
                "     1\tkind: Secret\n     2\tdata:\n",
                "123456\t  k: alpha\n",
                "     1\tkind: Secret\n     2\tdata:\n123456\t  k: alpha\n",
            ),
        ] {
            for times in [1, 30_000] {
                let Before::Lines(said) = opened(&(head.to_owned() + &row.repeat(times))).before() else { panic!() };
                assert_eq!(said, open);
            }
        }
        let mut long = opened(&format!("a\n{{\"passwords\":[{}", "\"alpha\",".repeat(30_000)));
        assert!(matches!(long.before(), Before::Line));
        long.take("]}\nb\n".repeat(20_000).as_bytes());
        assert!(matches!(long.before(), Before::Lines(said) if said == "b\n"));
        let mut far = Opened::far_behind(b"a: 1\n");
        far.take("- alpha\n".repeat(20_000).as_bytes());
        assert!(matches!(far.before(), Before::All));
        far.take(b"b: 1\nc");
        assert!(matches!(far.before(), Before::Lines(said) if said == "b: 1\nc"));
    }

    #[test]
    fn what_stands_open_is_known_behind_what_a_program_writes_before_its_lines() {
        use super::super::Masking;
        let kinds = [
            ("id,password\n", "{n},alphabravo\n"),
            ("id\tpassword\n", "{n}\talphabravo\n"),
            ("| id | password |\n|---|---|\n", "| {n} | alphabravo |\n"),
            (" id | password\n----+----------\n", " {n} | alphabravo\n"),
            ("+----+----------+\n| id | password |\n+----+----------+\n", "| {n} | alphabravo |\n"),
            ("┌─user─┬─password───┐\n", "│ bob  │ alphabravo │\n"),
            ("INSERT INTO u (id, password) VALUES\n", "({n}, 'alphabravo'),\n"),
            ("COPY users (id, password) FROM stdin;\n", "{n}\talphabravo\n"),
            ("kind: Secret\nstringData:\n", "  k{n}: alphabravo\n"),
            ("passwords:\n", "- alphabravo\n"),
        ];
        let heads = [
            "web-1  | ",
            "2026-11-20 12:00:00,100 - a.b - DEBUG - ",
            "web-1  | 2026-11-20 12:00:00,100 - a.b - DEBUG - ",
            "2026-11-20T12:00:00Z INFO ",
            "2026-11-20T12:00:00.100Z\tDEBUG\tconf.go:33\t",
            "I1120 12:00:00.1 1 conf.go:33] ",
            "Nov 20 12:00:01 web-1 docker[1]: web-1  | ",
            "{m}\t",
            "s.txt:{n}:",
            "# ",
            "+",
            "> > ",
            "{",
        ];
        let all = heads.iter().flat_map(|head| kinds.map(|(first, row)| (*head, first, row)));
        let shown = all.filter(|(head, first, row)| {
            let written = |(n, line): (usize, &str)| match *head {
                "{" => serde_json::json!({"ts": n, "msg": line}).to_string() + "\n",
                head => format!("{}{line}\n", head.replace("{n}", &n.to_string()).replace("{m}", &format!("{n:>6}"))),
            };
            let rows: String = (0..1000).map(|n| row.replace("{n}", &n.to_string())).collect();
            let text: String = format!("{first}{rows}").lines().enumerate().map(written).collect();
            let (before, piece) = text.split_at(text.ceil_char_boundary(text.len() - 2000));
            let (far, near) = before.split_at(before.ceil_char_boundary(before.len() - 2000));
            let mut opened = Opened::default();
            opened.take(far.as_bytes());
            let shown = Masking::secrets().piece(&opened, near, piece, "");
            shown.is_none_or(|(shown, _)| shown.contains("alphabravo"))
        });
        assert_eq!(shown.collect::<Vec<_>>(), []);
    }
}
