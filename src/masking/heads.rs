//! What a program writes before each line of its log, by its form: neighbours may have another level, logger or thread, so that they
//! do not begin alike.

use std::sync::LazyLock;

use regex::Regex;

use super::names;

/// A time, a level, a part in brackets, a stream of a container; what ends one stands behind it.
const ITEM: &str = concat!(
    r"^(?<i>(?:[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]+)?)?",
    r"|[A-Z][a-z]{2} [ 0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?",
    r"|[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?",
    r"|[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?|1[0-9]{9}(?:[0-9]{3}|\.[0-9]+)?)(?:Z| ?[+-][0-9]{2}:?[0-9]{2}| UTC| [AP]M)?",
    r"|(?i:trace|debug?|dbug|dbg|info?|notice|warn(?:ing)?|wrn|erro?r?|crit(?:ical)?|fatal?|severe|fine(?:r|st)?|verbose|panic)",
    r"|std(?:out|err) [FP]|\[[^\]\n]{1,120}\]|\{[^}\s\x22]{1,80}\}|[0-9]+\|[\w.-]+ *\||[0-9]{1,3}(?:\.[0-9]{1,3}){3} - -)",
    r"(?:,|[:;|]?(?:[ \t\[]|$))"
);

/// What logs, before what ends that: a name of parts before a colon, and any before a sign between blanks.
const LOGGER: &str =
    r"^(?<n>[\w$@/][\w.$@/*-]*(?:::?[\w.$<>/-]+)*(?:\[[0-9]+\])?)(?:[ \t]+(?:---?|[-|:—])(?:[ \t]|$)|(?<c>:)(?: |$))";

/// A number of a process or thread, and what stands between parts.
const BETWEEN: &str = r"^(?:[0-9]{1,7}[ \t,]+|(?<s>---?|[-|:—])(?:[ \t]|$))";

/// Lines of a file as `git blame`, compilers and tests show them, and boxes.
const SHOWN: &str = concat!(
    r"^(?:\^?[0-9a-f]{6,40} (?:\S+ +)?\([^\n]{0,160}?[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [+-][0-9]{4} +[0-9]+\) ?",
    r"|[>=→]?[> ]{0,3} *[0-9]{1,7} +?[|│] ?|[ ]+[|│] |│ |>>> |\.\.\. |\$ )"
);

/// Where a time begins.
static TIME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}[T ]|[0-9]{2}:[0-9]{2}:[0-9]{2}").ok());

struct Forms {
    item: Regex,
    logger: Regex,
    between: Regex,
    shown: Regex,
}

static FORMS: LazyLock<Option<Forms>> = LazyLock::new(|| {
    let form = |form| Regex::new(form).ok();
    Some(Forms { item: form(ITEM)?, logger: form(LOGGER)?, between: form(BETWEEN)?, shown: form(SHOWN)? })
});

/// How long what stands before a line is, in bytes, and how long without a sign at its end that may be that of a list; 0: nothing of
/// these forms does.
pub(super) fn head(line: &str) -> (usize, usize) {
    let Some(forms) = FORMS.as_ref() else { return (0, 0) };
    if let Some(shown) = forms.shown.find(line) {
        return (shown.end(), shown.end());
    }
    let rest = |at: usize| line.get(at..).unwrap_or_default();
    let blanks = |at: usize| rest(at).len() - rest(at).trim_start_matches([' ', '\t']).len();
    // Where it goes on, where what the line says begins, the same without the sign before that, and whether one stands there.
    let (mut at, mut end, mut sure, mut between) = (0, 0, 0, true);
    loop {
        if let Some(found) = forms.item.captures(rest(at)) {
            let item = found.name("i").map_or("", |item| item.as_str());
            let behind = at + item.len();
            let behind = behind + usize::from(rest(behind).starts_with([',', ':', ';', '|']));
            end = behind + blanks(behind).min(1);
            (at, sure, between) =
                (behind + blanks(behind), end, item.ends_with('|') || rest(behind - 1).starts_with(['|', ',']));
            continue;
        }
        if end == 0 && !rest(at).starts_with(|c: char| c.is_ascii_digit()) {
            return (0, 0);
        }
        let logger = forms.logger.captures(rest(at)).filter(|_| end > 0);
        if let (Some(found), Some(whole)) = (&logger, logger.as_ref().and_then(|found| found.get(0))) {
            let name = found.name("n").map_or("", |name| name.as_str());
            let parts = name.contains(['.', ':', '/', '[']) || is_of_a_line(rest(at + whole.end()));
            // Behind a sign between parts it may be what the line says: a name and its value, or a cell.
            let said = between && (found.name("c").is_some() || whole.as_str().trim_end().ends_with('|'));
            if !said && !names::tells(name) && (parts || found.name("c").is_none()) {
                at += whole.end();
                (end, sure, between) = (at, at, true);
                continue;
            }
        }
        let found = forms.between.captures(rest(at));
        let Some((found, whole)) = found.as_ref().and_then(|found| Some((found, found.get(0)?))) else {
            return (end, sure);
        };
        let sign = found.name("s").is_some();
        // A row of a table begins and ends with one.
        let row = whole.as_str().starts_with('|') && line.ends_with('|');
        if sign && (between || row) {
            return (end, sure);
        }
        at += whole.end();
        if sign {
            (end, between) = (at, true);
        }
    }
}

/// How much of the beginning of a line stands before a time, in bytes: all of it where there is none.
pub(super) fn before_a_time(head: &str) -> usize {
    TIME.as_ref().and_then(|time| time.find(head)).map_or(head.len(), |found| found.start())
}

/// Whether what stands behind a word and a colon is the beginning of a text of several lines: no mapping has two names in one line.
fn is_of_a_line(behind: &str) -> bool {
    let word = behind.trim_start_matches(|c: char| c.is_alphanumeric() || "_-\"".contains(c));
    let named = word.len() < behind.len();
    let table = behind.starts_with("| ") && behind.trim_end().ends_with('|');
    let cells = word.starts_with([',', ';']) && !word.get(1..).is_some_and(|next| next.starts_with(' '));
    table || named && (cells || word.trim_end() == ":" || word.starts_with(": "))
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn what_stands_before_a_line_of_a_log_is_known_by_its_form() {
        for line in [
            "2026-11-20 12:00:00,101 - app.conf - DEBUG - §- name: DB_PASSWORD",
            "2026-11-20 12:00:00,101 - app.conf - DEBUG - §  value: x",
            "2026-11-20 12:00:00,100 INFO  [main] c.e.App - §starting",
            "12:00:00.102 [main] DEBUG c.e.Conf - §  value: x",
            "2026-11-20 12:00:00 DEBUG Conf:33 - §- name: A",
            "2026-11-20 12:00:00.100 | DEBUG    | conf:load:33 - §- name: A",
            "[2026-11-20T12:00:00.1+0000] {conf.py:33} DEBUG - §- name: A",
            "2026-11-20 12:00:00.100 DEBUG 1 --- [   http-nio-1] c.e.conf.Conf    : §  value: x",
            "1|worker  | §- name: A",
            "12:00:00 worker.1 | §  value: x",
            "2026,DEBUG,§- name: A",
            "2026-11-20T12:00:00.000000001Z stderr P §  value: x",
            "a1b2c3d4 deploy/b.yaml (Bob (he) 2026-01-01 10:00:00 +0000  2) §  value: x",
            " 9 | §- name: A",
            "> 10 | §  value: x",
            "2026-11-20T12:00:00Z DEBUG conf: §kind: Secret",
            "2026-11-20T12:00:00Z DEBUG conf: §id,password",
            "2026-11-20T12:00:00Z DEBUG §password: x",
            "[12:00:00 DBG] §  value: x",
            "§password: x",
            "§- name: A",
            "§  10: x",
            "§1,hunter2",
            "§| id | password |",
        ] {
            assert_eq!(head(&line.replace('§', "")).0, line.find('§').unwrap(), "{line}");
        }
    }
}
