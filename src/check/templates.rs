//! Text templates and expressions: they parse, use what is set where they stand, and call what exists there.

use std::collections::{BTreeSet, HashMap};

use super::{
    absent, broken,
    jinja::{self, Analysis, Broken, Callee, FeatureKind},
    methods, next, sections,
    select::Columns,
    statements,
};
use crate::{
    definition::{Action, CLIENT, Context, Definition, Keeps},
    diagnostic::{Code, Diagnostic, all_of, did_you_mean},
    load::{Document, TemplateFile},
    template,
};

/// Functions that every template may call.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// Prompt templates (`prompts/*.md.j2`) and what is set in them.
const PROMPT_TEMPLATES: [(&str, &[&str]); 4] = [
    ("system", &["persona", "title", "context_type", "custom_prompt"]),
    ("context", &["context_type", "title", "window", "filters", "summary", "document"]),
    ("insight", &["context_type", "title", "window", "filters", "summary", "document", "insight", "question"]),
    ("instructions", &["contexts", "categories", "tools", "prompts"]),
];

/// Members of `window` in contexts, and in prompts.
const CONTEXT_WINDOW: [&str; 5] = ["from", "to", "hours", "ends_now", "before"];
const PROMPT_WINDOW: [&str; 3] = ["from", "to", "label"];

/// Members of the variable that tells what the client can do.
const ABILITIES: [&str; 4] = ["sampling", "elicitation", "roots", "tasks"];

/// Members of a section that highlights and summaries see.
const SECTION: [&str; 10] =
    ["title", "status", "message", "count", "total", "truncated", "rows", "filtered", "compared", "ends_early"];

/// Filters offered when one is misspelt; what exists is asked of the environment itself.
const FILTERS: [&str; 45] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "count",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "tally",
    "title",
    "tojson",
    "trim",
    "upper",
    "urlencode",
];
const TESTS: [&str; 17] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "in",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "odd",
    "startingwith",
    "true",
    "undefined",
];

/// A text template or expression of a document.
pub(super) struct Site<'a> {
    pub(super) document: &'a Document,
    pub(super) pointer: String,
    text: &'a str,
    expression: bool,
    /// Names that are set.
    variables: Vec<String>,
    /// Members of some of them; others may have any.
    members: Vec<(String, Vec<String>)>,
}

/// Everything about the text templates of a definition.
pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    check_actions(document, definition, out);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match definition {
        Definition::Context(context) => check_context(document, context, out),
        Definition::Persona(persona) => {
            let variables = words(&["context_type", "title"]);
            let pointer = "/prompt".to_owned();
            Site { document, pointer, text: &persona.prompt, expression: false, variables, members: Vec::new() }
                .check(out);
        }
        Definition::Insight(insight) => {
            let variables = words(&["context_type", "title", "window"]);
            let members = vec![("window".to_owned(), words(&PROMPT_WINDOW))];
            let pointer = "/task".to_owned();
            Site { document, pointer, text: &insight.task, expression: false, variables, members }.check(out);
        }
        _ => {}
    }
    for (n, example) in examples(definition).iter().enumerate() {
        for (m, text) in example.expect.holds.iter().enumerate() {
            let pointer = format!("/examples/{n}/expect/holds/{m}");
            let variables = words(&["text", "document"]);
            Site { document, pointer, text, expression: true, variables, members: Vec::new() }.check(out);
        }
    }
}

/// The texts and conditions of actions: what is set there are the arguments, what earlier steps keep, and what the
/// client can do.
fn check_actions(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let arguments = statements::argument_names(definition);
    for site in statements::sites(definition) {
        let mut variables = arguments.clone();
        let mut members: Vec<(String, Vec<String>)> = Vec::new();
        for (name, step) in &site.kept {
            variables.push((*name).to_owned());
            let error = step.optional.then(|| "error".to_owned());
            let known = output(&step.run).map(|known| known.into_iter().chain(error).collect());
            members.extend(known.map(|known| ((*name).to_owned(), known)));
        }
        if !variables.iter().any(|name| name == CLIENT) {
            variables.push(CLIENT.to_owned());
            members.push((CLIENT.to_owned(), ABILITIES.map(str::to_owned).to_vec()));
        }
        let here = |pointer, text, expression| {
            let (variables, members) = (variables.clone(), members.clone());
            Site { document, pointer, text, expression, variables, members }
        };
        let when = site.around().and_then(|(step, pointer)| Some((format!("{pointer}/when"), step.when.as_deref()?)));
        let mut texts: Vec<Site<'_>> = when.iter().map(|(pointer, when)| here(pointer.clone(), when, true)).collect();
        let below = site.action.facts().texts.into_iter();
        texts.extend(below.map(|(below, text)| here(format!("{}{below}", site.pointer), text, false)));
        let read: Vec<_> = texts.iter().filter_map(|text| Some((text, text.check(out)?))).collect();
        absent::check(&site.kept, when.map(|(_, when)| when), &read, out);
        absent::check_failed(&site.kept, &read, out);
    }
}

/// Members of what an action keeps; none where any may be.
fn output(action: &Action) -> Option<Vec<String>> {
    match action.facts().keeps {
        Keeps::Nothing | Keeps::Any => None,
        Keeps::Members(names) => Some(names.iter().map(|name| (*name).to_owned()).collect()),
        Keeps::Answers(questions) => Some(questions.keys().cloned().collect()),
    }
}

/// A prompt template file.
pub(super) fn check_file(template: &TemplateFile, out: &mut Vec<Diagnostic>) {
    let file = &template.file;
    let Some((_, variables)) = PROMPT_TEMPLATES.iter().find(|(name, _)| *name == template.name) else {
        let known = PROMPT_TEMPLATES.map(|(name, _)| name);
        let message = format!("no template `{}` is ever rendered", template.name);
        let mut finding = Diagnostic::new(Code::IgnoredFile, file, 0..0, message);
        if let Some(meant) = did_you_mean(&template.name, known) {
            finding = finding.help(format!("did you mean `{meant}.md.j2`?"));
        }
        return out.push(finding.help(format!("there are {}", all_of(known, 8))));
    };
    match jinja::template(&file.text) {
        Err(Broken { message, range }) => out.push(Diagnostic::new(Code::TemplateSyntax, file, range, message)),
        Ok(found) => {
            let mut report = |code, range, message, help: Vec<String>| {
                let mut finding = Diagnostic::new(code, file, range, message);
                finding.help = help;
                out.push(finding);
            };
            let variables: Vec<String> = variables.iter().map(|name| (*name).to_owned()).collect();
            let window = PROMPT_WINDOW.map(str::to_owned).to_vec();
            judge(&found, &variables, &[("window".to_owned(), window)], &mut report);
        }
    }
}

pub(super) fn examples(definition: &Definition) -> &[crate::definition::Example] {
    match definition {
        Definition::Tool(tool) => &tool.examples,
        Definition::Resource(resource) => &resource.examples,
        Definition::Prompt(prompt) => &prompt.examples,
        Definition::Context(context) => &context.examples,
        _ => &[],
    }
}

fn check_context(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    let parameters: Vec<String> = context.parameters.keys().cloned().collect();
    let window = || ("window".to_owned(), CONTEXT_WINDOW.map(str::to_owned).to_vec());
    for (name, section) in &context.sections {
        let pointer = format!("/sections/{}/when", super::explain::escape(name));
        // What came along from another definition is looked at there, here and below.
        if let Some(text) = section.when.as_ref().filter(|_| document.has(&pointer)) {
            let mut variables = parameters.clone();
            variables.push("window".to_owned());
            let members = vec![("window".to_owned(), vec!["hours".to_owned(), "ends_now".to_owned()])];
            Site { document, pointer, text, expression: true, variables, members }.check(out);
        }
    }
    let columns: HashMap<&str, Vec<String>> = context
        .sections
        .keys()
        .filter_map(|name| Some((name.as_str(), sections::shown_columns(context, name)?)))
        .collect();
    let members = vec![
        window(),
        ("parameters".to_owned(), parameters),
        ("sections".to_owned(), context.sections.keys().cloned().collect::<Vec<_>>()),
    ];
    let variables = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (each, texts) in next::rules(context).filter(|(_, texts)| texts.first().is_some_and(|t| document.has(&t.0))) {
        let mut variables = variables(&["sections", "parameters", "window"]);
        let mut members = members.clone();
        if let Some(each) = each {
            variables.push("row".to_owned());
            if let Some(names) = columns.get(each) {
                members.push(("row".to_owned(), names.clone()));
            }
        }
        for (pointer, text, expression) in texts {
            let (variables, members) = (variables.clone(), members.clone());
            let site = Site { document, pointer, text, expression, variables, members };
            let found = site.check(out);
            site.check_sections(context, found.as_ref(), out);
            if found.is_some() && !expression {
                site.check_counts(out);
            }
        }
    }
    if let Some(text) = &context.summary {
        let variables = variables(&["sections", "parameters", "window"]);
        let site = Site { document, pointer: "/summary".to_owned(), text, expression: false, variables, members };
        let found = site.check(out);
        site.check_sections(context, found.as_ref(), out);
        if found.is_some() {
            site.check_counts(out);
        }
    }
    check_columns(document, context, out);
}

/// Keys of `columns:` that no statement selects.
fn check_columns(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    for (name, section) in &context.sections {
        let Some(known) = sections::section_columns(context, name) else { continue };
        let has = |name: &str| known.iter().any(|known| known == name);
        if section.when_empty && !(has("newest") && (has("newest_before") || has("oldest_after"))) {
            let pointer = format!("/sections/{}/when_empty", super::explain::escape(name));
            if !document.has(&pointer) {
                continue;
            }
            let message =
                "a section that tells where the data lie selects `newest`, and `newest_before` or `oldest_after`"
                    .to_owned();
            out.push(document.finding(Code::UnknownColumn, document.key_span(&pointer), message));
        }
        for column in section.columns.keys().filter(|column| !known.contains(column)) {
            let pointer =
                format!("/sections/{}/columns/{}", super::explain::escape(name), super::explain::escape(column));
            if !document.has(&pointer) {
                continue;
            }
            let message = format!("no statement of `{name}` selects `{column}`");
            let mut finding = document.finding(Code::UnknownColumn, document.key_span(&pointer), message);
            if let Some(meant) = did_you_mean(column, known.iter().map(String::as_str)) {
                finding = finding.label(format!("did you mean `{meant}`?"));
            } else {
                finding = finding.help(format!("it selects {}", all_of(known.iter().map(String::as_str), 12)));
            }
            out.push(finding);
        }
    }
}

/// The names of all columns of several statements; none if one of them is not known.
pub(super) fn all_columns(columns: impl Iterator<Item = Columns>) -> Option<Vec<String>> {
    let mut names = BTreeSet::new();
    for column in columns {
        if !column.complete {
            return None;
        }
        names.extend(column.names);
    }
    Some(names.into_iter().collect())
}

impl Site<'_> {
    fn check(&self, out: &mut Vec<Diagnostic>) -> Option<Analysis> {
        let read = if self.expression { jinja::expression(self.text) } else { jinja::template(self.text) };
        let found = match read {
            Ok(found) => found,
            Err(broken) => {
                out.push(broken::syntax(self.document, &self.pointer, self.text, self.expression, broken));
                return None;
            }
        };
        let mut report = |code, range, message, help: Vec<String>| {
            let span = self.document.text_span(&self.pointer, range);
            let mut finding = self.document.finding(code, span, message);
            finding.help = help;
            out.push(finding);
        };
        judge(&found, &self.variables, &self.members, &mut report);
        Some(found)
    }

    /// Numbers of rows in a sentence that can be read.
    fn check_counts(&self, out: &mut Vec<Diagnostic>) {
        for range in jinja::counted(self.text) {
            let message = "this counts the rows that were read, and there may be more";
            let span = self.document.text_span(&self.pointer, range);
            out.push(
                self.document
                    .finding(Code::RowsCounted, span, message)
                    .help("write `{{ sections.x.total }}`, which is a number, or `1000 or more`")
                    .help("some of them: `{{ sections.x | tally('severity', 'equalto', 'critical') }}`; a sum: in SQL"),
            );
        }
    }

    /// `sections.name.member`, and sections that may be left out.
    fn check_sections(&self, context: &Context, found: Option<&Analysis>, out: &mut Vec<Diagnostic>) {
        let Some(found) = found else { return };
        let asked = |name: &str| {
            let of =
                |v: &&jinja::Variable| v.name == "sections" && v.attributes.first().is_some_and(|first| first == name);
            found.variables.iter().filter(of).any(|variable| variable.optional)
        };
        let mut reported = BTreeSet::new();
        for variable in found.variables.iter().filter(|variable| variable.name == "sections") {
            let Some((name, rest)) = variable.attributes.split_first() else { continue };
            if !context.sections.contains_key(name) {
                continue;
            }
            let span = || self.document.text_span(&self.pointer, variable.range.clone());
            if sections::may_be_left_out(context, name) && !asked(name) && reported.insert(name) {
                let message = format!("the section `{name}` is left out when its `when:` does not hold");
                out.push(
                    self.document
                        .finding(Code::AbsentSection, span(), message)
                        .help(format!("ask first: `sections.{name} is defined`")),
                );
            }
            if let Some(member) = rest.first().filter(|member| !SECTION.contains(&member.as_str())) {
                let message = format!("a section has no `{member}`");
                let help = did_you_mean(member, SECTION).map_or_else(
                    || format!("it has {}", all_of(SECTION, 8)),
                    |meant| format!("did you mean `{meant}`?"),
                );
                out.push(self.document.finding(Code::UndefinedVariable, span(), message).help(help));
            }
        }
    }
}

/// Variables, calls and features of a text template.
fn judge(
    found: &Analysis,
    variables: &[String],
    members: &[(String, Vec<String>)],
    report: &mut dyn FnMut(Code, std::ops::Range<usize>, String, Vec<String>),
) {
    for variable in &found.variables {
        if !variables.contains(&variable.name) {
            let help = suggestion(&variable.name, variables.iter().map(String::as_str), "set here are");
            let end = variable.range.start + variable.name.len();
            let message = format!("undefined variable `{}`", variable.name);
            report(Code::UndefinedVariable, variable.range.start..end, message, help);
            continue;
        }
        let known = members.iter().find(|(name, _)| *name == variable.name);
        let (Some((_, known)), Some(member)) = (known, variable.attributes.first()) else { continue };
        if known.contains(member) || variable.optional {
            continue;
        }
        let candidates = known.iter().map(String::as_str);
        let (code, message, intro) = match variable.name.as_str() {
            "row" => (Code::UnknownColumn, format!("no statement of the section selects `{member}`"), "it selects"),
            "sections" => (Code::UnknownSection, format!("there is no section `{member}`"), "the sections are"),
            name => (Code::UndefinedVariable, format!("`{name}` has no `{member}`"), "it has"),
        };
        report(code, variable.range.clone(), message, suggestion(member, candidates, intro));
    }
    for call in &found.calls {
        judge_call(call, &[], report);
    }
    for feature in &found.features {
        if feature.kind == FeatureKind::OtherTemplate {
            let message = "a template of a definition stands alone".to_owned();
            let help = vec!["Write the text out instead of including it.".to_owned()];
            report(Code::TemplateFeature, feature.range.clone(), message, help);
        }
    }
}

/// A filter, test, function or method that does not exist. `extra` are filters of the place.
pub(super) fn judge_call(
    call: &jinja::Call,
    extra: &[&str],
    report: &mut dyn FnMut(Code, std::ops::Range<usize>, String, Vec<String>),
) {
    if call.what == Callee::Method {
        let help = methods::instead(&call.name, FILTERS.iter().chain(extra).copied());
        return report(Code::UnknownFilter, call.range.clone(), format!("unknown method `{}`", call.name), vec![help]);
    }
    let (what, known): (_, Vec<&str>) = match call.what {
        Callee::Filter => ("filter", FILTERS.iter().chain(extra).copied().collect()),
        Callee::Test => ("test", TESTS.to_vec()),
        Callee::Function | Callee::Method => ("function", FUNCTIONS.to_vec()),
    };
    let exists = known.contains(&call.name.as_str())
        || match call.what {
            Callee::Function | Callee::Method => false,
            _ => template::evaluate(&format!("{:?} is {what}", call.name), minijinja::Value::from(())).unwrap_or(false),
        };
    if !exists {
        let help = suggestion(&call.name, known, &format!("{what}s are"));
        report(Code::UnknownFilter, call.range.clone(), format!("unknown {what} `{}`", call.name), help);
    }
}

/// Did-you-mean, or the list of what there is.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, intro: &str) -> Vec<String> {
    let known: Vec<&str> = known.into_iter().collect();
    match did_you_mean(word, known.iter().copied()) {
        Some(meant) => vec![format!("did you mean `{meant}`?")],
        None if known.is_empty() => Vec::new(),
        None => vec![format!("{intro} {}", all_of(known, 20))],
    }
}
