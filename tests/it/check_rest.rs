//! What is wrong in one place hides nothing that is wrong in another, and nothing false is said because of it.

use tfo_mcp::{
    check::{self, Options},
    diagnostic::Diagnostic,
    load::{self, Request},
};

/// The context type that README shows.
fn example() -> String {
    let readme = include_str!("../../README.md");
    let from = readme.find("kind: context\nname: slow-queries").unwrap();
    let text = &readme[from..];
    text[..text.find("```").unwrap()].to_owned()
}

/// README's with some of its texts replaced.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(example(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    })
}

fn findings(text: String) -> Vec<Diagnostic> {
    let request = Request { built_in: true, ..Request::default() };
    let loaded = load::load(&request).with_text("definitions/contexts/slow-queries.yaml", text);
    check::check(loaded, Options::default()).diagnostics
}

fn said(text: String) -> Vec<String> {
    findings(text).into_iter().map(|found| format!("{} {}", found.code.as_str(), found.message)).collect()
}

#[test]
fn a_wrong_value_hides_no_other_mistake_of_its_file() {
    assert_eq!(said(example()), Vec::<String>::new());
    let others = [("LIMIT {{ limit }}", "LIMIT {{ limt }}"), ("each: calls", "each: cals")];
    let rest = said(with(&others));
    assert_eq!(rest.len(), 2, "{rest:?}");
    for (right, wrong, found) in [
        ("default: 1h", "default: 1 hour", "TFO0015"),
        ("default: 1h", "default: 5", "TFO0013"),
        ("title: Slow database calls\n", "", "TFO0012"),
        ("title: Slow database calls", "title: 404", "TFO0013"),
        ("description: Which database calls take longest, and who makes them.", "description:", "TFO0013"),
        ("category: database", "category: My Databases", "TFO0015"),
        ("persona: latency-analyst", "persona: Latency Analyst", "TFO0015"),
        ("requires: [traces]", "requires: traces", "TFO0013"),
        ("severity: warning", "severity: warnin", "TFO0014"),
        ("type: string", "type: strng", "TFO0014"),
    ] {
        let mut all = said(with(&[&others[..], &[(right, wrong)]].concat()));
        let own = all.iter().position(|said| said.starts_with(found)).unwrap_or_else(|| panic!("{wrong}: {all:?}"));
        all.remove(own);
        assert_eq!(all, rest, "{wrong}");
    }
}

/// Where nothing can stand for what is wrong, what hangs on it is not looked at, and that is said.
#[test]
fn what_could_not_be_looked_at_is_named() {
    for (right, wrong) in [("type: string, ", ""), ("persona: latency-analyst", "persona: [latency-analyst]")] {
        let found = findings(with(&[(right, wrong), ("each: calls", "each: cals")]));
        let [only] = &found[..] else { panic!("{wrong}: {found:?}") };
        assert!(only.help.iter().any(|help| help.contains("when this is put right")), "{wrong}: {only:?}");
    }
}

#[test]
fn a_template_that_cannot_be_parsed_leaves_no_parameter_unread() {
    for (right, wrong) in [
        ("{% endif %}\n      GROUP", "\n      GROUP"),
        ("{{ row.service_name }}:", "{{ row.service_name }:"),
        ("when: row.p95_ms > 500", "when: row.p95_ms >"),
        ("ms.{% endif %}", "ms."),
    ] {
        let found = said(with(&[(right, wrong)]));
        assert!(matches!(&found[..], [only] if only.starts_with("TFO0050")), "{wrong}: {found:?}");
    }
}

#[test]
fn a_tab_is_found_where_it_stands() {
    for (right, wrong) in [
        ("\ntitle: Slow", "\n\ttitle: Slow"),
        ("\n  service: {", "\n\tservice: {"),
        ("\n    requires: [traces]", "\n\t  requires: [traces]"),
        ("\n      LIMIT", "\n\tLIMIT"),
        ("\n  - { each", "\n\t- { each"),
    ] {
        let text = with(&[(right, wrong)]);
        let line = text[..text.find('\t').unwrap()].matches('\n').count() + 1;
        let found = findings(text);
        let [only] = &found[..] else { panic!("{wrong:?}: {found:?}") };
        let (at, _) = only.at.file.line_column(only.at.span.start);
        let help = only.help.concat();
        assert!(at == line && help.contains("with spaces"), "{wrong:?}: line {at}: {only:?}");
    }
}
