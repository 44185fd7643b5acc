//! SQL templates: what is printed is bound, the organisation is bound, there is one statement and it only reads.

use std::{collections::HashSet, ops::Range};

use super::{
    KnownTables, bounds, broken,
    include::Origins,
    jinja::{self, Analysis, Callee, Content, FeatureKind},
    sample,
    scan::{Problem, Scan, scan},
    sections, select,
    statements::{self, StatementSite},
    templates, tenancy,
};
use crate::{
    definition::{Definition, LogicalSource, Period},
    diagnostic::{Code, Diagnostic, Severity, did_you_mean, one_of},
    load::Document,
    sql::{
        Dialect,
        claims::CLAIMS,
        lint,
        rows::{COLUMN, ROWS},
    },
};

pub(super) use crate::sql::template::ENGINE_VARIABLES;

/// Filters that only SQL templates have.
const SQL_FILTERS: [&str; 5] = ["floor", "minus", "plus", "ident", COLUMN];

/// Words with which a statement that only reads may begin.
const READS: [&str; 9] = ["select", "with", "values", "explain", "show", "describe", "desc", "table", "pragma"];

/// Everything about the statements of a definition.
pub(super) fn check(
    document: &Document,
    definition: &Definition,
    origins: &Origins,
    tables: &KnownTables,
    out: &mut Vec<Diagnostic>,
) {
    let sites = statements::statements(definition);
    let at = Place { document, origins };
    for site in &sites {
        check_site(at, site, tables, out);
    }
    missing_dialects(at, &sites, out);
    if let Definition::Values(_) = definition {
        sites.iter().for_each(|site| value_column(document, site, out));
    }
}

/// A list of known values takes them from one column.
fn value_column(document: &Document, site: &StatementSite<'_>, out: &mut Vec<Diagnostic>) {
    let Ok(analysis) = jinja::template(site.text) else { return };
    let columns = select::columns(&scan(site.text, &analysis, true).tokens);
    if columns.complete && !columns.names.iter().any(|name| name == "value") {
        let message = "the statement answers no column `value`";
        out.push(
            document
                .finding(Code::InvalidValue, document.key_span(&site.pointer), message)
                .help("Name the column with the values: `SELECT service_name AS value, …`."),
        );
    }
}

/// Where findings about a statement stand: in the definition, or in a fragment that it includes.
#[derive(Clone, Copy)]
struct Place<'a> {
    document: &'a Document,
    origins: &'a Origins,
}

impl Place<'_> {
    fn finding(&self, site: &StatementSite<'_>, code: Code, part: Range<usize>, message: String) -> Diagnostic {
        self.origins.finding(self.document, &site.pointer, part, code, message)
    }

    /// The key of what was written at a pointer.
    fn key_span(&self, pointer: &str) -> Range<usize> {
        self.document.key_span(&self.origins.written(pointer))
    }
}

fn check_site(at: Place<'_>, site: &StatementSite<'_>, tables: &KnownTables, out: &mut Vec<Diagnostic>) {
    let analysis = match jinja::template(site.text) {
        Ok(analysis) => analysis,
        Err(broken) => {
            let help = broken::unclosed(site.text, &broken);
            let finding = at.finding(site, Code::TemplateSyntax, broken.range, broken.message);
            return out.push(help.into_iter().fold(finding, Diagnostic::help));
        }
    };
    let backslash = site.dialects().contains(&Dialect::ClickHouse);
    let scanned = scan(site.text, &analysis, backslash);
    let before = out.len();
    // A condition or an expression is judged in the statements that include it.
    let whole =
        !site.piece || scanned.tokens.iter().find(|token| !token.is_symbol("(")).is_some_and(|t| t.is_one_of(&READS));
    let mut rules = Rules { at, site, analysis: &analysis, scan: &scanned, out };
    rules.variables();
    let mut parsed = Vec::new();
    // Whatever else is said about a text that is not a statement would only repeat that.
    if rules.features() && rules.lexis() && whole && rules.shape() {
        rules.columns();
        parsed = rules.tenant(tables);
    }
    if !whole {
        return;
    }
    if !out.iter().skip(before).any(|diagnostic| diagnostic.severity == Severity::Error) {
        for (code, range, message, help) in bounds::check(site, &analysis, &scanned.tokens) {
            out.push(at.finding(site, code, range, message.to_owned()).help(help));
        }
        // The lint reads a rendered statement, which a broken template does not have.
        lint_site(at, site, &parsed, out);
    }
}

struct Rules<'a> {
    at: Place<'a>,
    site: &'a StatementSite<'a>,
    analysis: &'a Analysis,
    scan: &'a Scan<'a>,
    out: &'a mut Vec<Diagnostic>,
}

impl Rules<'_> {
    fn finding(&self, code: Code, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.at.finding(self.site, code, range, message.into())
    }

    fn variables(&mut self) {
        let declared: Vec<&str> = self.site.parameters.keys().chain(&self.site.names).map(String::as_str).collect();
        let mut found = Vec::new();
        for variable in &self.analysis.variables {
            let name = variable.name.as_str();
            let (after, text) = (self.site.after, self.site.text);
            let own = after.is_empty() && declared.contains(&ROWS);
            if let (ROWS, Some(context), false) = (name, self.site.context, own) {
                let mut report = |code, range, message, help| found.push((code, range, message, help));
                sections::asked(context, after, text, self.analysis, variable, &mut report);
                continue;
            }
            // Which sections there are is known where a fragment is included.
            let in_piece = name == ROWS && self.site.piece;
            if in_piece || declared.contains(&name) || ENGINE_VARIABLES.contains(&name) || name == CLAIMS {
                continue;
            }
            let range = variable.range.start..variable.range.start + name.len();
            let mut finding = self.finding(Code::UndefinedVariable, range, format!("undefined variable `{name}`"));
            let known = declared.iter().copied().chain(ENGINE_VARIABLES);
            finding = match did_you_mean(name, known) {
                Some(meant) => finding.label(format!("did you mean `{meant}`?")),
                None => {
                    finding.help(format!("declare it under `parameters:`, or use {}", one_of(ENGINE_VARIABLES, 13)))
                }
            };
            self.out.push(finding);
        }
        for call in &self.analysis.calls {
            templates::judge_call(call, &SQL_FILTERS, &mut |code, range, message, help| {
                found.push((code, range, message, help));
            });
            let takes_period = call.what == Callee::Filter && matches!(call.name.as_str(), "floor" | "minus" | "plus");
            if takes_period && !call.arguments.iter().any(|text| Period::parse(text).is_ok() && !text.ends_with('w')) {
                let message = format!("`{}` takes a duration", call.name);
                let help = vec![format!("write `{{{{ from | {}('5m') }}}}`; units are ms, s, m, h and d", call.name)];
                found.push((Code::InvalidValue, call.range.clone(), message, help));
            }
        }
        for (code, range, message, help) in found {
            let mut finding = self.finding(code, range, message);
            finding.help = help;
            self.out.push(finding);
        }
        self.identifiers();
    }

    /// `| ident` stands alone behind a parameter whose choices are plain identifiers.
    fn identifiers(&mut self) {
        let plain = |text: &str| {
            let mut chars = text.chars();
            chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        for call in self.analysis.calls.iter().filter(|call| call.what == Callee::Filter && call.name == "ident") {
            let refuse = |message: String, help: &str| {
                self.finding(Code::UnsafeIdentifier, call.range.clone(), message).help(help)
            };
            let Some(name) = &call.prints_variable else {
                let help = "Write `{{ column | ident }}`, with the name of a parameter and nothing else.";
                let finding = refuse("`ident` is applied to something else than a parameter".to_owned(), help);
                self.out.push(finding);
                continue;
            };
            let Some(parameter) = self.site.parameters.get(name) else {
                let help = "An identifier comes from a parameter with `enum:`.";
                let finding = refuse(format!("`{name}` is not a declared parameter"), help);
                self.out.push(finding);
                continue;
            };
            let choices = parameter.choices.as_deref().unwrap_or_default();
            let bad = choices.iter().find(|choice| !choice.as_str().is_some_and(plain));
            let finding = if choices.is_empty() {
                let help =
                    format!("Give `{name}` the identifiers that may stand here: `enum: [service_name, span_name]`.");
                refuse(format!("the values of `{name}` are not limited to a list"), &help)
            } else if let Some(bad) = bad {
                let at = choices.iter().position(|choice| choice == bad).unwrap_or_default();
                let span = self.at.document.span(&format!("/parameters/{}/enum/{at}", super::explain::escape(name)));
                refuse(
                    format!("a choice of `{name}` is not a plain identifier"),
                    "Use letters, digits and `_`, not beginning with a digit.",
                )
                .related(&self.at.document.file, span, "this choice")
            } else if parameter.default.is_none() && !parameter.required {
                let help = format!("Give `{name}` a `default:`, or `required: true`.");
                refuse(format!("`{name}` may be left out, and then there is no identifier"), &help)
            } else {
                continue;
            };
            self.out.push(finding);
        }
    }

    /// Whether a key stands beside the statement in this definition.
    fn says(&self, key: &str) -> bool {
        self.at.document.has(&self.at.origins.written(&format!("{}/{key}", self.site.owner)))
    }

    /// Whether the text is shaped only by what shapes statements.
    fn features(&mut self) -> bool {
        for feature in &self.analysis.features {
            let what = match feature.kind {
                FeatureKind::Capture => "`{% set x %}…{% endset %}` captures text",
                FeatureKind::Macro => "a macro generates text",
                FeatureKind::Call => "a call block generates text",
                FeatureKind::FilterBlock => "a filter block changes text",
                FeatureKind::OtherTemplate => {
                    "a statement includes fragments by their name in quotes, and knows no import, extends or block"
                }
                FeatureKind::Autoescape => "`{% autoescape %}` has no meaning in SQL",
                FeatureKind::Do => "`{% do %}` has no meaning in SQL",
            };
            let finding = self
                .finding(Code::SqlFeature, first_line(self.site.text, feature.range.clone()), what)
                .help("Shape statements with `{% if %}` and `{% for %}`, print values with `{{ value }}`.");
            self.out.push(finding);
        }
        self.analysis.features.is_empty()
    }

    /// Whether every quote, comment and parenthesis that begins also ends.
    fn lexis(&mut self) -> bool {
        for problem in &self.scan.problems {
            let finding = match problem {
                Problem::Hidden { range, within: "a comment" } => self
                    .finding(Code::QuotedPlaceholder, range.clone(), "a value stands inside a comment of SQL")
                    .label("no placeholder is seen here")
                    .help("Remove it, or write a comment of the template: `{# … #}`."),
                Problem::Hidden { range, within } => self
                    .finding(Code::QuotedPlaceholder, range.clone(), format!("a value stands inside {within}"))
                    .label("no placeholder is seen here")
                    .help("Remove the quotes: a value is bound, never pasted. Build patterns in SQL: `concat('%', {{ text }}, '%')`."),
                Problem::Unclosed { range, what } => {
                    self.finding(Code::BrokenSql, range.clone(), format!("this {what} is never closed"))
                }
                Problem::Unopened { range } => {
                    self.finding(Code::BrokenSql, range.clone(), "this parenthesis was never opened")
                }
            };
            self.out.push(finding);
        }
        self.scan.problems.iter().all(|problem| matches!(problem, Problem::Hidden { .. }))
    }

    /// Whether there is one statement, and it reads.
    fn shape(&mut self) -> bool {
        let before = self.out.len();
        let tokens = &self.scan.tokens;
        if let Some(at) = tokens.iter().position(|token| token.is_symbol(";")) {
            let range = tokens.get(at).map(|token| token.range.clone()).unwrap_or_default();
            let finding = match tokens.get(at + 1) {
                Some(next) => self
                    .finding(Code::SeveralStatements, next.range.clone(), "a second statement begins here")
                    .help("Keep one; make another section or tool for the other."),
                None => self.finding(Code::BrokenSql, range, "a statement has no `;` at its end").help("Remove it."),
            };
            self.out.push(finding);
        }
        let Some(first) = tokens.iter().find(|token| !token.is_symbol("(")) else {
            let first = first_line(self.site.text, 0..self.site.text.len());
            let finding = self.finding(Code::BrokenSql, first, "there is no statement");
            self.out.push(finding);
            return false;
        };
        if !first.is_one_of(&READS) {
            let word = self.site.text.get(first.range.clone()).unwrap_or_default().to_owned();
            let finding = self
                .finding(
                    Code::WriteStatement,
                    first.range.clone(),
                    format!("a definition only reads, and this begins with `{word}`"),
                )
                .help("Begin with `SELECT`, or with `WITH … SELECT`.");
            self.out.push(finding);
        }
        let mut writes = Vec::new();
        for (index, window) in tokens.windows(3).enumerate() {
            let [before, word, after] = window else { continue };
            let behind = |at: usize| index.checked_sub(at).and_then(|at| tokens.get(at));
            // WITH x AS (DELETE FROM …), and WITH … DELETE FROM ….
            let begins = before.is_symbol("(") && behind(1).is_some_and(|t| t.is("as") || t.is("materialized"))
                || before.is_symbol(")") && before.parens == 0 && first.is("with");
            let writes_rows = word.is("insert") && after.is("into")
                || word.is("delete") && after.is("from")
                || word.is("merge") && after.is("into")
                || word.is("update") && after.name().is_some();
            if begins && writes_rows {
                writes.push((word, "this part of the statement writes"));
            } else if word.is("into")
                && word.parens == 0
                && first.is_one_of(&["select", "with"])
                && !before.is("insert")
                && !before.is("merge")
            {
                writes.push((word, "`INTO` stores rows"));
            } else if word.is("for") && after.is_one_of(&["update", "share", "no", "key"]) {
                writes.push((word, "this locks rows"));
            }
        }
        for (word, message) in writes {
            let finding =
                self.finding(Code::WriteStatement, word.range.clone(), message).help("Definitions only read.");
            self.out.push(finding);
        }
        self.out.iter().skip(before).all(|finding| finding.code != Code::WriteStatement)
    }

    fn columns(&mut self) {
        let only_postgres = self.site.dialects() == [Dialect::Postgres];
        let unnamed = select::columns(&self.scan.tokens).unnamed;
        for found in unnamed.into_iter().filter(|found| !(only_postgres && found.postgres_names_it)) {
            let finding = self
                .finding(
                    Code::UnaliasedColumn,
                    first_line(self.site.text, found.range),
                    "a bound value is selected without a name",
                )
                .help("Name it: `{{ from }} AS window_start`.");
            self.out.push(finding);
        }
    }

    /// The dialects in which the proof has had every text of the statement parsed.
    fn tenant(&mut self, tables: &KnownTables) -> Vec<Dialect> {
        let owned = LogicalSource::holds_tenants(self.site.source);
        if self.says("tenant") {
            let organisation = Content::Value(Some("organization_id".to_owned()));
            let reason = if !owned {
                Some(format!("`{}` holds no tenants' rows, so nothing has to be declared", self.site.source))
            } else if self.analysis.pieces.iter().any(|piece| piece.content == organisation) {
                Some("the statement binds `organization_id` after all".to_owned())
            } else {
                None
            };
            if let Some(reason) = reason {
                let span = self.at.key_span(&format!("{}/tenant", self.site.owner));
                let finding = self.at.document.finding(Code::NeedlessTenant, span, reason).help("Remove `tenant:`.");
                self.out.push(finding);
            }
        }
        // Of several statements it is said that they are several.
        if !owned || self.scan.tokens.is_empty() || self.scan.tokens.iter().any(|token| token.is_symbol(";")) {
            return Vec::new();
        }
        let mut parsed = Vec::new();
        let mut said = Vec::new();
        let none = HashSet::new();
        let in_workspaces = tables.in_workspaces.get(self.site.source).unwrap_or(&none);
        let proved = self.site.dialects().iter().flat_map(|dialect| {
            let proof =
                tenancy::prove(self.site.text, *dialect, self.site.tenant.is_some(), &tables.rules, in_workspaces);
            parsed.extend(proof.parsed.then_some(*dialect));
            proof.findings
        });
        let mut meant = false;
        for found in proved {
            let forgotten = found.code == Code::UnboundWorkspace;
            if forgotten && self.at.origins.says(self.at.document, &self.site.pointer, found.range.start, "workspace") {
                meant = true;
                continue;
            }
            if said.contains(&found) {
                continue;
            }
            let range = first_line(self.site.text, found.range.clone());
            let finding = self.finding(found.code, range, found.message.clone()).label(found.label);
            self.out.push(found.help.iter().fold(finding, Diagnostic::help));
            said.push(found);
        }
        if self.says("workspace") && !meant {
            let span = self.at.key_span(&format!("{}/workspace", self.site.owner));
            let message = "every table here that belongs to workspaces is narrowed";
            self.out
                .push(self.at.document.finding(Code::NeedlessWorkspace, span, message).help("Remove `workspace:`."));
        }
        parsed
    }
}

/// A text per dialect for some of the backends of a source only.
fn missing_dialects(at: Place<'_>, sites: &[StatementSite<'_>], out: &mut Vec<Diagnostic>) {
    let mut owners: Vec<&str> =
        sites.iter().filter(|site| site.dialect.is_some()).map(|site| site.owner.as_str()).collect();
    owners.dedup();
    for owner in owners {
        let of_owner: Vec<_> = sites.iter().filter(|site| site.owner == owner).collect();
        // What a fragment lacks is said of the fragment.
        if of_owner.iter().any(|site| at.origins.includes(&site.pointer)) {
            continue;
        }
        let Some(source) = of_owner.first().map(|site| site.source) else { continue };
        let written: Vec<Dialect> = of_owner.iter().filter_map(|site| site.dialect).collect();
        let wanted = LogicalSource::dialects_of(source);
        for dialect in wanted.iter().filter(|dialect| !written.contains(dialect)) {
            let span = at.key_span(&format!("{owner}/sql"));
            let message = format!("there is no text for {dialect}, to which `{source}` may be bound");
            out.push(at.document.finding(Code::MissingDialect, span, message).help(format!("Add `{dialect}:`.")));
        }
        for dialect in written.iter().filter(|dialect| !wanted.is_empty() && !wanted.contains(dialect)) {
            let span = at.key_span(&format!("{owner}/sql/{dialect}"));
            let message = format!("`{source}` is never bound to {dialect}");
            let help = format!("it is bound to {}", one_of(wanted.iter().map(|dialect| dialect.as_str()), 3));
            out.push(at.document.finding(Code::MissingDialect, span, message).label("never used").help(help));
        }
    }
}

/// What the lint says about the statement, with all and without optional parameters, in each dialect. In those of
/// `parsed` our parser is known to read it.
fn lint_site(at: Place<'_>, site: &StatementSite<'_>, parsed: &[Dialect], out: &mut Vec<Diagnostic>) {
    let mut said: Vec<String> = Vec::new();
    let rendered = site
        .dialects()
        .iter()
        .flat_map(|dialect| sample::render(site, *dialect).into_iter().map(|sql| (*dialect, sql)));
    for (dialect, statement) in rendered {
        let finding = match statement {
            Ok(_) if parsed.contains(&dialect) => None,
            Ok(sql) => lint::unparsed(dialect, &sql).map(|finding| unparsed(at, site, finding)),
            // What an earlier step keeps cannot be made up.
            Err(_) if !site.names.is_empty() => None,
            Err(error) => {
                let message = format!("cannot be rendered: {}", error.message);
                Some(at.finding(site, Code::TemplateSyntax, error.range.unwrap_or_default(), message))
            }
        };
        if let Some(finding) = finding.filter(|finding| !said.contains(&finding.message)) {
            said.push(finding.message.clone());
            out.push(finding);
        }
    }
}

/// A finding of the parser. It counts lines of the rendered statement, which are those of the template: there the
/// word that it stumbled over is looked for.
fn unparsed(at: Place<'_>, site: &StatementSite<'_>, finding: lint::Unparsed) -> Diagnostic {
    let range = finding.at.and_then(|(line, word)| {
        let start: usize = site.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let column = site.text.get(start..)?.lines().next()?.find(&word)?;
        Some(start + column..start + column + word.len())
    });
    let diagnostic = match range {
        Some(range) => at.finding(site, Code::SqlLint, range, finding.message),
        None => at.document.finding(Code::SqlLint, at.key_span(&site.pointer), finding.message),
    };
    diagnostic.help("if the database accepts it (`tfo-mcp validate --live` asks it), ignore this")
}

/// The part of a range on its first line.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    range.start..range.start + part.lines().next().unwrap_or_default().trim_end().len()
}

/// Names of the parameters that any of the statements uses.
pub(super) fn used_names(text: &str) -> Vec<String> {
    let Ok(analysis) = jinja::template(text) else { return Vec::new() };
    analysis.variables.into_iter().map(|variable| variable.name).collect()
}
