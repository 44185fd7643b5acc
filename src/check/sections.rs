//! Sections that wait for others or are joined with them: what they name exists, and none waits for itself.

use super::{
    explain::escape,
    jinja::{self, Analysis, Callee, Variable},
    scan::scan,
    select::{self, Columns},
    templates::{self, suggestion},
};
use crate::{
    definition::{Alternative, Context, Join, News, Section, SqlText, Tree},
    diagnostic::{Code, Diagnostic, all_of},
    load::Document,
    sql::{
        rows::{COLUMN, ROWS, TYPES},
        template::mentions,
    },
};

pub(super) fn check(document: &Document, context: &Context, out: &mut Vec<Diagnostic>) {
    for (name, section) in &context.sections {
        let at = format!("/sections/{}", escape(name));
        for (n, other) in section.after.0.iter().enumerate() {
            let pointer = match document.value.pointer(&format!("{at}/after/{n}")) {
                Some(_) => format!("{at}/after/{n}"),
                None => format!("{at}/after"),
            };
            out.extend(named(document, context, &pointer, other));
        }
        if section.when_empty && !(section.after.is_empty() && section.join.is_none()) {
            let message = "a section that tells where the data lie waits for none and is joined with none";
            out.push(document.finding(Code::SectionOrder, document.key_span(&at), message));
        }
        out.extend(section.query.iter().find_map(|way| all_the_same(document, &at, way)));
        out.extend(section.paired.iter().enumerate().find_map(|(n, table)| {
            let tells = |other: &Section| other.when_empty && other.source == section.source && other.tables().any(|of| of == table);
            let known = context.sections.values().any(tells);
            let at = document.span(&format!("{at}/paired/{n}"));
            let message = format!("no section with `when_empty` tells where the data of `{table}` lie");
            (!known).then(|| {
                document.finding(Code::SectionOrder, at, message).help(format!(
                    "Add one that requires `{table}`, such as `bounds_{table}: {{ use: … }}`: without it nobody knows whether these data are missing."
                ))
            })
        }));
        if let Some(through) = waits_for_itself(context, name) {
            let message = match through == *name {
                true => format!("`{name}` waits for itself"),
                false => format!("`{name}` waits for `{through}`, which waits for `{name}`"),
            };
            let finding = document.finding(Code::SectionOrder, document.key_span(&format!("{at}/after")), message);
            out.push(finding.help("Take one of them out of `after:`."));
        }
        if let Some(join) = &section.join {
            check_join(document, context, name, join, out);
        }
        if let Some(news) = &section.news {
            check_news(document, context, name, news, out);
        }
        if let Some(tree) = &section.tree {
            check_tree(document, context, name, tree, out);
        }
    }
    if context.parameters.contains_key(ROWS) && context.sections.values().any(|section| !section.after.is_empty()) {
        let message = format!("`{ROWS}` is the rows of sections that others wait for");
        let span = document.key_span(&format!("/parameters/{ROWS}"));
        out.push(document.finding(Code::ReservedName, span, message).help("Give the parameter another name."));
    }
}

/// A statement of which a sample is to be read, and that reads all rows whatever the sample is.
fn all_the_same(document: &Document, at: &str, way: &Alternative) -> Option<Diagnostic> {
    let sampled = way.sampled.as_ref()?;
    let reads_all = |sql: &SqlText| match sql {
        SqlText::Any(text) => !mentions(text, "sample"),
        SqlText::PerDialect(texts) => texts.values().any(|text| !mentions(text, "sample")),
    };
    let what = match (reads_all(&way.sql), sampled.sql.as_ref().is_some_and(reads_all)) {
        (true, _) => "the statement".to_owned(),
        (false, true) => format!("the fragment `{}`", sampled.weigh),
        (false, false) => return None,
    };
    let message = format!("{what} reads all rows: it has no condition on `sample`");
    let finding = document.finding(Code::InvalidValue, document.key_span(&format!("{at}/query")), message);
    Some(finding.help("Include `sampled` behind the conditions of its rows, and multiply counts by `one_of`."))
}

/// Whether another section can be waited for or joined with.
fn named(document: &Document, context: &Context, pointer: &str, other: &str) -> Option<Diagnostic> {
    match context.sections.get(other) {
        None => {
            let mut finding = unknown(document, pointer, other);
            finding.help = suggestion(other, names(context), "the sections are");
            Some(finding)
        }
        Some(other) if other.when_empty => {
            let message = "a section that tells where the data lie has no rows for others";
            Some(document.finding(Code::SectionOrder, document.span(pointer), message))
        }
        Some(_) => None,
    }
}

fn unknown(document: &Document, pointer: &str, name: &str) -> Diagnostic {
    document.finding(Code::UnknownSection, document.span(pointer), format!("there is no section `{name}`"))
}

fn names(context: &Context) -> impl Iterator<Item = &str> {
    context.sections.iter().filter(|(_, section)| !section.when_empty).map(|(name, _)| name.as_str())
}

/// A section that this one waits for and that waits for this one.
fn waits_for_itself(context: &Context, name: &str) -> Option<String> {
    let after = |name: &str| context.sections.get(name).map(|section| section.after.0.as_slice()).unwrap_or_default();
    after(name)
        .iter()
        .find(|through| {
            let mut seen = vec![through.as_str()];
            let mut at = 0;
            while let Some(next) = seen.get(at).copied() {
                if next == name {
                    return true;
                }
                let further: Vec<&str> = after(next).iter().map(String::as_str).filter(|n| !seen.contains(n)).collect();
                seen.extend(further);
                at += 1;
            }
            false
        })
        .cloned()
}

fn check_join(document: &Document, context: &Context, name: &str, join: &Join, out: &mut Vec<Diagnostic>) {
    let at = format!("/sections/{}/join", escape(name));
    let other = format!("{at}/section");
    if let Some(finding) = named(document, context, &other, &join.section) {
        return out.push(finding);
    }
    let refused =
        |pointer: &str, message: String| document.finding(Code::SectionOrder, document.span(pointer), message);
    if join.section == name {
        return out.push(refused(&other, format!("`{name}` is joined with itself")));
    }
    if context.sections.get(&join.section).is_some_and(|section| section.join.is_some()) {
        let message = format!("`{}` is joined with another section itself", join.section);
        out.push(refused(&other, message).help("Join both with a third, or write one of the joins in SQL."));
    }
    let (here, there) = (section_columns(context, name), section_columns(context, &join.section));
    for (section, columns) in [(name, &here), (join.section.as_str(), &there)] {
        let Some(columns) = columns.as_ref().filter(|columns| !columns.contains(&join.on)) else { continue };
        let message = format!("no statement of `{section}` selects `{}`", join.on);
        let mut finding = document.finding(Code::UnknownColumn, document.span(&format!("{at}/on")), message);
        finding.help = suggestion(&join.on, columns.iter().map(String::as_str), "it selects");
        out.push(finding);
    }
    let (here, there) = (here.unwrap_or_default(), there.unwrap_or_default());
    let found_in = here.iter().chain(&there).any(|column| column == Join::FOUND_IN);
    let both = there.iter().filter(|column| **column != join.on && here.contains(column)).map(String::as_str);
    let both: Vec<&str> = both.chain(found_in.then_some(Join::FOUND_IN)).collect();
    if !both.is_empty() {
        let message = format!("two columns of the joined rows are called {}", all_of(both, 6));
        out.push(refused(&other, message).help("Give one of them another name with `AS`."));
    }
}

/// What deviations are known by is selected; what had data is told by a section of one column that is here too, and that
/// nobody else asks.
fn check_news(document: &Document, context: &Context, name: &str, news: &News, out: &mut Vec<Diagnostic>) {
    let at = format!("/sections/{}/news", escape(name));
    let here = section_columns(context, name);
    let mut missing = |key: &str, column: &str| {
        let Some(here) = here.as_ref().filter(|here| !here.iter().any(|known| known == column)) else { return };
        let message = format!("no statement of `{name}` selects `{column}`");
        let mut finding = document.finding(Code::UnknownColumn, document.span(&format!("{at}/{key}")), message);
        finding.help = suggestion(column, here.iter().map(String::as_str), "it selects");
        out.push(finding);
    };
    news.of.0.iter().for_each(|column| missing("of", column));
    let Some(reach) = &news.reach else { return };
    if let Some(column) = section_columns(context, reach).as_ref().and_then(|there| there.first()) {
        missing("reach", column);
    }
    let pointer = format!("{at}/reach");
    out.extend(named(document, context, &pointer, reach));
    let asks = |section: &Section| {
        section.after.has(reach) || section.join.as_ref().is_some_and(|join| join.section == *reach)
    };
    if reach == name || context.sections.values().any(asks) {
        let message = format!("`{reach}` is read of another time, so that no other section can wait for it");
        out.push(document.finding(Code::SectionOrder, document.span(&pointer), message));
    }
}

/// The columns that a tree reads are selected, and those that it adds are not.
fn check_tree(document: &Document, context: &Context, name: &str, tree: &Tree, out: &mut Vec<Diagnostic>) {
    let at = format!("/sections/{}/tree", escape(name));
    let Some(columns) = section_columns(context, name) else { return };
    for (key, column) in tree.reads().filter(|(_, column)| !columns.iter().any(|known| known == column)) {
        let message = format!("no statement of `{name}` selects `{column}`");
        let span = document.span(&format!("{at}/{key}"));
        let mut finding = document.finding(Code::UnknownColumn, span, message);
        finding.help = suggestion(column, columns.iter().map(String::as_str), "it selects");
        out.push(finding);
    }
    if let Some(twice) = Tree::COLUMNS.into_iter().find(|added| columns.iter().any(|column| column == added)) {
        let message = format!("two columns of the tree are called `{twice}`");
        let finding = document.finding(Code::SectionOrder, document.key_span(&at), message);
        out.push(finding.help("Give the column of the statement another name with `AS`."));
    }
}

/// The names of the columns of a section; none where they are not all known.
pub(super) fn section_columns(context: &Context, name: &str) -> Option<Vec<String>> {
    let section = context.sections.get(name)?;
    let texts = section.query.iter().flat_map(|alternative| match &alternative.sql {
        SqlText::Any(text) => vec![text.as_str()],
        SqlText::PerDialect(texts) => texts.values().map(String::as_str).collect(),
    });
    templates::all_columns(texts.map(|text| {
        let Ok(analysis) = jinja::template(text) else { return Columns::default() };
        select::columns(&scan(text, &analysis, true).tokens)
    }))
}

/// The columns of a section as it is shown, those of a section that it is joined with behind its own.
pub(super) fn shown_columns(context: &Context, name: &str) -> Option<Vec<String>> {
    let mut columns = section_columns(context, name)?;
    if let Some(join) = context.sections.get(name).and_then(|section| section.join.as_ref()) {
        columns.extend(section_columns(context, &join.section)?);
        columns.push(Join::FOUND_IN.to_owned());
    }
    if let Some(tree) = context.sections.get(name).and_then(|section| section.tree.as_ref()) {
        columns.retain(|column| *column != tree.parent);
        columns.extend(Tree::COLUMNS.map(str::to_owned));
    }
    Some(columns)
}

/// Whether a document may lack a section, because its condition or that of one that it waits for does not hold.
pub(super) fn may_be_left_out(context: &Context, name: &str) -> bool {
    let mut seen = vec![name];
    let mut at = 0;
    while let Some(section) = seen.get(at).and_then(|name| context.sections.get(*name)) {
        if section.when.is_some() || section.when_empty {
            return true;
        }
        // One that does not need all goes on without those that were left out.
        let needed = section.after.0.iter().filter(|_| section.needs_all);
        let further: Vec<&str> = needed.map(String::as_str).filter(|n| !seen.contains(n)).collect();
        seen.extend(further);
        at += 1;
    }
    false
}

/// What is wrong with `rows.objectives | column('name')` in a statement of a section that waits for `after`.
pub(super) fn asked(
    context: &Context,
    after: &[String],
    text: &str,
    analysis: &Analysis,
    rows: &Variable,
    report: &mut dyn FnMut(Code, std::ops::Range<usize>, String, Vec<String>),
) {
    let Some(section) = rows.attributes.first() else {
        let message = format!("`{ROWS}` stands for the rows of no section");
        let help = vec![format!("write `{{{{ {ROWS}.objectives | {COLUMN}('service_name') }}}}`")];
        return report(Code::UndefinedVariable, rows.range.clone(), message, help);
    };
    if !after.contains(section) {
        let message = format!("the section does not wait for `{section}`");
        return match context.sections.contains_key(section) {
            true => {
                let help = vec![format!("write `after: {section}` beside its `query:`")];
                report(Code::SectionOrder, rows.range.clone(), message, help);
            }
            false => {
                let help = suggestion(section, after.iter().map(String::as_str), "it waits for");
                report(Code::UnknownSection, rows.range.clone(), format!("there is no section `{section}`"), help);
            }
        };
    }
    // The filter behind it, if that is what stands there: anything else cannot be bound, and is found by trying.
    let behind = analysis.calls.iter().find(|call| {
        let between = text.get(rows.range.end..call.range.start).unwrap_or("x");
        call.what == Callee::Filter && call.name == COLUMN && between.trim() == "|"
    });
    let Some(call) = behind else { return };
    let columns = section_columns(context, section);
    if let (Some(column), Some(columns)) = (call.arguments.first(), columns)
        && !columns.contains(column)
    {
        let message = format!("no statement of `{section}` selects `{column}`");
        let help = suggestion(column, columns.iter().map(String::as_str), "it selects");
        report(Code::UnknownColumn, call.range.clone(), message, help);
    }
    if let Some(ty) = call.arguments.get(1).filter(|ty| !TYPES.contains(&ty.as_str())) {
        let help = suggestion(ty, TYPES, "types are");
        report(Code::InvalidValue, call.range.clone(), format!("`{ty}` is not a type of items"), help);
    }
}
