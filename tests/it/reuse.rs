//! `use:`: sections of other context types and parameters of dictionaries, and where mistakes in them are found.

use tfo_mcp::{
    check::{self, Checked, Options},
    definition::{Context, Definition, SqlText},
    diagnostic::{self, Diagnostic},
    load::{self, Request},
};

fn checked(files: &[(&str, String)]) -> Checked {
    let loaded = load::load(&Request { built_in: true, ..Request::default() });
    let loaded = files.iter().fold(loaded, |loaded, (path, text)| loaded.with_text(path, text.clone()));
    check::check(loaded, Options::default())
}

fn own(checked: &Checked) -> String {
    let own: Vec<Diagnostic> =
        checked.diagnostics.iter().filter(|found| found.at.file.path.starts_with("definitions/")).cloned().collect();
    diagnostic::render_all(&own, false)
}

fn context(checked: &Checked, name: &str) -> Context {
    let found = checked.definitions.iter().find_map(|located| match &located.definition {
        Definition::Context(context) if context.name.0 == name => Some(context.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{}", own(checked)))
}

fn file(name: &str, rest: &str) -> (&'static str, String) {
    let head = "category: observability\ntitle: Queues\ndescription: Which queues grow, and who fills them.\n\
                persona: latency-analyst\n";
    let path = Box::leak(format!("definitions/{name}.yaml").into_boxed_str());
    (path, format!("kind: context\nname: {name}\n{head}{rest}"))
}

fn parameters() -> (&'static str, String) {
    let text = "kind: parameters\nname: queues\nparameters:\n  queue: { type: string, description: Only this queue. }\n  \
                broker: { type: string, description: Only this broker. }\n";
    ("definitions/queues.yaml", text.to_owned())
}

const DONOR: &str = r#"parameters:
  use: [queue, broker]
  depth: { type: integer, description: At least so many., default: 10 }
sections:
  queues:
    title: Queues
    source: analytics
    limit: 5
    when: window.hours < 100
    query:
      - sql: |
          SELECT name, depth, age_ms FROM queues
          WHERE depth >= {{ depth }} {% if queue %}AND name = {{ queue }}{% endif %}
          ORDER BY depth DESC, name LIMIT {{ limit }}
    columns:
      depth: { title: waiting }
      age_ms: { title: oldest, unit: ms }
  brokers:
    title: Brokers
    source: analytics
    query:
      - sql: "SELECT count(*) AS brokers FROM brokers{% if broker %} WHERE name = {{ broker }}{% endif %}"
highlights:
  - { each: queues, when: row.depth > parameters.depth * 10, say: "{{ row.name }} is full" }
  - { each: queues, when: sections.brokers.count == 0, say: "{{ row.name }} has no broker" }
  - { when: sections.queues is defined and sections.queues.count > 3, say: Many queues wait }
"#;

#[test]
fn a_section_comes_with_what_it_needs_and_says_itself_what_is_said_of_it() {
    let user = file(
        "backlog",
        "parameters:\n  use: [broker]\n  queue: { type: string, description: The one queue. }\nsections:\n  waiting:\n    \
         { use: donor.queues, limit: 9, priority: 2, columns: { age_ms: { title: age, unit: ms } } }\n  brokers: { use: donor.brokers }\n\
         highlights:\n  - { when: sections.brokers.count == 0, say: No broker }\n",
    );
    let again = file("again", "sections:\n  full: { use: backlog.waiting, highlights: false, title: Full queues }\n");
    let checked = checked(&[parameters(), file("donor", DONOR), user, again]);
    assert_eq!(own(&checked), "");
    let donor = context(&checked, "donor");
    assert_eq!(donor.parameters.keys().collect::<Vec<_>>(), ["queue", "broker", "depth"]);
    let user = context(&checked, "backlog");
    let (given, taken) = (&donor.sections["queues"], &user.sections["waiting"]);
    assert_eq!((&taken.query, &taken.title, &taken.when), (&given.query, &given.title, &given.when));
    assert_eq!((taken.limit, taken.priority, given.limit, given.priority), (9, 2, 5, 1));
    let titles = |name: &str| taken.columns[name].title.as_deref();
    assert_eq!((titles("depth"), titles("age_ms")), (Some("waiting"), Some("age")));
    // Its own description wins, and `depth` came along; of the rules only those about the rows alone.
    assert_eq!(user.parameters.keys().collect::<Vec<_>>(), ["broker", "queue", "depth"]);
    assert_eq!(user.parameters["queue"].description.as_deref(), Some("The one queue."));
    let said: Vec<_> = user.highlights.iter().map(|rule| (rule.each.as_deref(), rule.say.as_str())).collect();
    assert_eq!(said, [(None, "No broker"), (Some("waiting"), "{{ row.name }} is full")]);
    let again = context(&checked, "again");
    assert_eq!((again.sections["full"].limit, again.sections["full"].title.as_str()), (9, "Full queues"));
    assert_eq!(again.parameters.keys().collect::<Vec<_>>(), ["queue", "depth"]);
    assert_eq!(again.parameters["queue"].description.as_deref(), Some("The one queue."));
    assert!(again.highlights.is_empty());
}

#[test]
fn a_rule_about_a_used_section_is_said_once_where_it_is_written_and_comes_along() {
    let user = file(
        "backlog",
        "sections:\n  waiting: { use: donor.queues, highlights: false }\nhighlights:\n  - { each: waiting, when: \
         row.depth > 3, say: \"{{ row.name }} waits\" }\n",
    );
    let again = file("again", "sections:\n  full: { use: backlog.waiting }\n");
    let checked = checked(&[parameters(), file("donor", DONOR), user, again]);
    assert_eq!(own(&checked), "");
    let said = |name: &str| -> Vec<(Option<String>, String)> {
        let found = context(&checked, name);
        let rules = found.highlights.iter();
        rules.map(|rule| (rule.each.as_ref().map(ToString::to_string), rule.say.as_str().to_owned())).collect()
    };
    let rule = |each: &str| vec![(Some(each.to_owned()), "{{ row.name }} waits".to_owned())];
    assert_eq!((said("backlog"), said("again")), (rule("waiting"), rule("full")));
}

#[test]
fn a_pack_replaces_what_others_use() {
    let user = file("backlog", "sections: { alerts: { use: service-health.alerts } }\n");
    let donor = file(
        "service-health",
        "override: true\nparameters: { use: [service] }\nsections:\n  alerts:\n    title: Other alerts\n    source: \
         analytics\n    query: [{ sql: \"SELECT {{ service }} AS service\" }]\n",
    );
    let dictionary = "kind: parameters\nname: own\nparameters:\n  service: { type: string, description: Mine. }\n";
    let checked = checked(&[user, donor, ("definitions/own.yaml", dictionary.to_owned())]);
    let found = context(&checked, "backlog");
    assert_eq!(found.sections["alerts"].query[0].sql, SqlText::Any("SELECT {{ service }} AS service".to_owned()));
    assert_eq!(found.parameters["service"].description.as_deref(), Some("Mine."));
}

/// A mistake in a section is told once and where it was written; one that only its user makes names both.
#[test]
fn a_mistake_is_found_where_it_was_written() {
    let broken = DONOR.replace("{% if queue %}", "{% if queu %}").replace("row.depth >", "row.deep >");
    let user = file("backlog", "sections:\n  waiting: { use: donor.queues }\n  brokers: { use: donor.brokers }\n");
    let all = checked(&[parameters(), file("donor", &broken), user]);
    insta::assert_snapshot!(own(&all));
    let user = file(
        "backlog",
        "parameters:\n  depth: { type: string, enum: [few, many], description: How many. }\nsections:\n  waiting: { use: \
         donor.queues }\n",
    );
    let spliced = DONOR.replace("ORDER BY depth", "ORDER BY {{ depth | ident }}").replace(
        "{ type: integer, description: At least so many., default: 10 }",
        "{ type: string, enum: [depth, name], default: name, description: By what. }",
    );
    let all = checked(&[parameters(), file("donor", &spliced), user]);
    insta::assert_snapshot!(own(&all));
}

/// A section with its statement in itself is the one with a list of one way, and has the source of its type and its place.
#[test]
fn what_is_left_out_of_a_section_is_written_in() {
    let long = "sections:\n  first:\n    title: First\n    source: telemetry\n    priority: 1\n    query:\n      - requires: \
                [jobs]\n        tenant: { none: the same for everybody }\n        sql: SELECT 1 AS one\n  second:\n    title: \
                Second\n    source: analytics\n    priority: 2\n    query: [{ sql: SELECT 2 AS two }]\n";
    let short = "source: telemetry\nsections:\n  first:\n    title: First\n    requires: [jobs]\n    tenant: { none: the same for \
                 everybody }\n    sql: SELECT 1 AS one\n  second:\n    title: Second\n    source: analytics\n    sql: SELECT 2 AS two\n";
    let checked = checked(&[file("long", long), file("short", short)]);
    assert_eq!(own(&checked), "");
    assert_eq!(context(&checked, "long").sections, context(&checked, "short").sections);
}

/// Every field of a way may stand in the section, and is told of at the place where it is written.
#[test]
fn mistakes_in_what_is_written_shorter_are_found_where_they_are() {
    let schema = tfo_mcp::check::schema::of(tfo_mcp::definition::Kind::Context);
    let fields = schema.pointer("/$defs/Alternative/properties").unwrap().as_object().unwrap();
    assert!(fields.len() >= 9);
    for field in fields.keys() {
        assert!(schema.pointer(&format!("/$defs/Section/properties/{field}")).is_some(), "{field}");
        let rest = match field.as_str() {
            "sql" => String::new(),
            field => format!("    {field}: {{ odd: 1 }}\n"),
        };
        let text = format!("source: telemetry\nsections:\n  rows:\n    title: Rows\n{rest}    sql: SELECT 1 AS one\n");
        let said = own(&checked(&[file("odd", &text)]));
        assert!(!said.contains("unknown field `sql`") && !said.contains(&format!("unknown field `{field}`")), "{said}");
        assert!(field == "sql" || said.contains(&format!("    {field}: {{ odd: 1 }}")), "{field}: {said}");
    }
    for wrong in [
        // No source, neither here nor there; no statement; both; a misspelt field; a wrong name in the statement; no such source.
        "sections:\n  rows:\n    title: Rows\n    sql: SELECT 1 AS one\n",
        "source: telemetry\nsections:\n  rows:\n    title: Rows\n",
        "source: telemetry\nsections:\n  rows:\n    title: Rows\n    sql: SELECT 1 AS one\n    query: [{ sql: SELECT 2 AS two }]\n",
        "source: telemetry\nsections:\n  rows:\n    title: Rows\n    requries: [traces]\n    sql: SELECT 1 AS one\n",
        "source: telemetry\nsections:\n  rows:\n    title: Rows\n    sql: |\n      SELECT service_name FROM traces\n      WHERE \
         organization_id = {{ organisation_id }}\n",
        "source: telemetri\nsections:\n  rows:\n    title: Rows\n    sql: SELECT 1 AS one\n",
    ] {
        insta::assert_snapshot!(own(&checked(&[file("wrong", wrong)])));
    }
}
