//! Parameters: constraints that make sense, values that fit, descriptions, and names that the action reads.

use serde_json::Value;

use super::{explain::escape, jinja, next, sql, statements, templates};
use crate::{
    arithmetic::Expression,
    catalog::exact_schema,
    definition::{
        Action, Asks, CollectArguments, Context, Definition, Facts, Inside, Kind, Parameter, ParameterType, Parameters,
        SqlText, argument_names,
    },
    diagnostic::{Code, Diagnostic, did_you_mean, one_of},
    load::Document,
};

/// Under which names packs of earlier versions pass `start`, `end` and `service_name`.
pub(super) const EARLIER: [&str; 3] = ["from", "to", "service"];

/// Everything about the parameters of a definition.
pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let Some(parameters) = statements::parameters(definition) else { return };
    let key = statements::parameters_key(definition);
    for (name, parameter) in parameters {
        let pointer = format!("/{key}/{}", escape(name));
        // What came along from elsewhere is looked at there.
        if !document.has(&pointer) {
            continue;
        }
        let each = One { document, name, parameter, pointer };
        each.constraints(out);
        each.aliases(parameters, out);
        each.values(parameters, out);
        if matches!(definition.kind(), Kind::Tool | Kind::Prompt)
            && parameter.description.as_ref().is_none_or(|d| d.trim().is_empty())
        {
            let message = format!("the parameter `{name}` has no description");
            let help = "It is all that a model knows about it: say what it means, its unit and its effect.";
            out.push(document.finding(Code::MissingDescription, document.key_span(&each.pointer), message).help(help));
        }
        if matches!(definition.kind(), Kind::Context | Kind::Fragment | Kind::Parameters)
            && (sql::ENGINE_VARIABLES.contains(&name.as_str()) || name == crate::sql::claims::CLAIMS)
        {
            let message = format!("`{name}` is set by the engine in every statement");
            out.push(
                document
                    .finding(Code::ReservedName, document.key_span(&each.pointer), message)
                    .help("Choose another name."),
            );
        }
    }
    unread(document, definition, parameters, key, out);
    fixed_arguments(document, definition, out);
    example_arguments(document, definition, parameters, out);
    example_replies(document, definition, out);
}

struct One<'a> {
    document: &'a Document,
    name: &'a str,
    parameter: &'a Parameter,
    pointer: String,
}

impl One<'_> {
    fn at(&self, code: Code, key: &str, message: String) -> Diagnostic {
        let pointer = format!("{}/{key}", self.pointer);
        let present = self.document.value.pointer(&pointer).is_some();
        let span = if present { self.document.key_span(&pointer) } else { self.document.key_span(&self.pointer) };
        self.document.finding(code, span, message)
    }

    /// Other names that cannot be asked for.
    fn aliases(&self, parameters: &Parameters, out: &mut Vec<Diagnostic>) {
        for (n, alias) in self.parameter.aliases.iter().enumerate() {
            let taken = parameters
                .iter()
                .any(|(name, other)| name == alias || name != self.name && other.aliases.contains(alias));
            let message = match (taken, super::kinds::is_plain(alias)) {
                (false, true) => continue,
                (true, _) => format!("the alias `{alias}` already names a parameter"),
                (false, false) => format!("`{alias}` is not a name that every client takes"),
            };
            let span = self.document.span(&format!("{}/aliases/{n}", self.pointer));
            out.push(
                self.document.finding(Code::ParameterAlias, span, message).help("Remove it, or choose another name."),
            );
        }
    }

    fn constraints(&self, out: &mut Vec<Diagnostic>) {
        let Parameter { ty, items, minimum, maximum, min_length, max_length, pattern, choices, values_from, .. } =
            self.parameter;
        let name = self.name;
        let number = matches!(ty, ParameterType::Integer | ParameterType::Number);
        let text = matches!(ty, ParameterType::String);
        let list = *ty == ParameterType::Array;
        let only = |key: &str, given: bool, fits: bool, whom: &str| {
            let message = format!("`{key}` has no meaning for a parameter of type `{}`", ty.as_str());
            (given && !fits)
                .then(|| self.at(Code::Constraints, key, message).help(format!("it is for {whom}; remove it")))
        };
        out.extend(only("minimum", minimum.is_some(), number, "numbers"));
        out.extend(only("maximum", maximum.is_some(), number, "numbers"));
        out.extend(only("min_length", min_length.is_some(), text || list, "texts and lists"));
        out.extend(only("max_length", max_length.is_some(), text || list, "texts and lists"));
        out.extend(only("pattern", pattern.is_some(), text, "texts"));
        out.extend(only("items", items.is_some(), list, "lists"));
        out.extend(only("values_from", values_from.is_some(), text, "texts"));
        let (properties, from) = (&self.parameter.properties, self.parameter.properties_from);
        let objects = *items == Some(ParameterType::Object);
        let object = *ty == ParameterType::Object || objects;
        out.extend(only("properties", !properties.is_empty(), object, "objects"));
        out.extend(only("properties_from", from.is_some(), object, "objects"));
        if !properties.is_empty() && from.is_some() {
            let message = "the properties are given twice: by `properties` and by `properties_from`".to_owned();
            out.push(self.at(Code::Constraints, "properties_from", message).help("Remove one of the two."));
        }
        for (name, parameter) in properties {
            let pointer = format!("{}/properties/{}", self.pointer, escape(name));
            let each = One { document: self.document, name, parameter, pointer };
            each.constraints(out);
            each.aliases(properties, out);
            each.values(properties, out);
        }
        if list && items.is_none() {
            let message = format!("the array `{name}` does not say what its items are");
            out.push(self.at(Code::ArrayItems, "type", message).help("Add `items: string`, or another type."));
        }
        if *items == Some(ParameterType::Array) || objects && properties.is_empty() {
            let message = "the items of an array are simple values, or objects that say what they hold".to_owned();
            out.push(self.at(Code::Constraints, "items", message).help("Give objects `properties:`."));
        }
        if let (Some(least), Some(most)) = (minimum, maximum)
            && least > most
        {
            out.push(self.at(
                Code::Constraints,
                "minimum",
                format!("no number is at least {least} and at most {most}"),
            ));
        }
        if let (Some(least), Some(most)) = (min_length, max_length)
            && least > most
        {
            out.push(self.at(
                Code::Constraints,
                "min_length",
                format!("no length is at least {least} and at most {most}"),
            ));
        }
        if choices.as_ref().is_some_and(Vec::is_empty) {
            out.push(self.at(
                Code::Constraints,
                "enum",
                "no value is allowed: the list of choices is empty".to_owned(),
            ));
        }
        if choices.is_some() && values_from.is_some() {
            let message = "the choices are given twice: by `enum` and by `values_from`".to_owned();
            out.push(self.at(Code::Constraints, "values_from", message).help("Remove one of the two."));
        }
        if self.parameter.required && self.parameter.default.is_some() {
            let message = format!("`{name}` is required, so its default is never used");
            out.push(self.at(Code::Constraints, "default", message).help("Remove `required:` or `default:`."));
        }
        if let Some(pattern) = pattern
            && !pattern.is_right()
        {
            let message = format!("`{pattern}` is not a regular expression");
            let finding = self.at(Code::Constraints, "pattern", message);
            out.push(finding.help("`\\` escapes a character that has a meaning, such as `\\.` or `\\[`"));
        }
    }

    /// Defaults, choices and examples against the schema that clients are shown.
    fn values(&self, parameters: &Parameters, out: &mut Vec<Diagnostic>) {
        let schema = exact_schema(parameters);
        let Some(property) = schema.get("properties").and_then(|properties| properties.get(self.name)) else { return };
        let mut bare = property.clone();
        if let Value::Object(bare) = &mut bare {
            bare.remove("enum");
        }
        let default = self.parameter.default.iter().map(|value| ("default".to_owned(), value, property));
        let choices =
            self.parameter.choices.iter().flatten().enumerate().map(|(n, value)| (format!("enum/{n}"), value, &bare));
        let examples =
            self.parameter.examples.iter().enumerate().map(|(n, value)| (format!("examples/{n}"), value, property));
        for (key, value, schema) in default.chain(choices).chain(examples) {
            let Ok(validator) = jsonschema::options().should_validate_formats(true).build(schema) else { return };
            let Err(error) = validator.validate(value) else { continue };
            let span = self.document.span(&format!("{}/{key}", self.pointer));
            use jsonschema::error::ValidationErrorKind as Kind;
            let message = format!("{} does not fit `{}`", super::explain::describe(value), self.name);
            let of_type = matches!(error.kind(), Kind::Type { .. } | Kind::Format { .. })
                || matches!(error.kind(), Kind::Pattern { .. }) && self.parameter.pattern.is_none();
            let help = match error.kind() {
                Kind::Enum { .. } => {
                    let choices = self.parameter.choices.iter().flatten().filter_map(Value::as_str);
                    format!("`{}` is {}", self.name, one_of(choices, 12))
                }
                _ if of_type => format!("`{}` takes {}", self.name, phrase(self.parameter.ty)),
                _ => error.to_string(),
            };
            out.push(self.document.finding(Code::ValueMismatch, span, message).help(help));
        }
    }
}

/// Parameters that nothing reads.
fn unread(document: &Document, definition: &Definition, parameters: &Parameters, key: &str, out: &mut Vec<Diagnostic>) {
    let mut read: Vec<String> = Vec::new();
    let mut by_name = None;
    match definition {
        Definition::Context(context) => match read_by_context(context) {
            Some(names) => read = names,
            // What cannot be parsed may read anything.
            None => return,
        },
        // Others read them.
        Definition::Parameters(_) => return,
        _ => {
            for site in statements::sites(definition) {
                let facts = site.action.facts();
                if let Some(reads) = facts.reads {
                    let names = (reads.names)();
                    if matches!(site.within, statements::Within::Definition) && !reads.and_texts {
                        by_name.get_or_insert_with(Vec::new).extend(names.iter().cloned());
                    }
                    let earlier = EARLIER.into_iter().filter(|_| names.iter().any(|name| name == "start"));
                    read.extend(earlier.map(str::to_owned));
                    read.extend(names);
                }
                // Others are filters of context types, which `references` knows.
                if matches!(site.action, Action::ContextCollect { .. }) {
                    read.extend(parameters.keys().cloned());
                }
                let condition = site.around().and_then(|(step, _)| step.when.as_deref()).map(jinja::expression);
                let texts = facts.texts.into_iter().map(|(_, text)| jinja::template(text));
                for found in condition.into_iter().chain(texts) {
                    let Ok(found) = found else { return };
                    read.extend(found.variables.into_iter().map(|variable| variable.name));
                }
                if let Some(expression) = facts.expression {
                    let Ok(expression) = Expression::parse(expression) else { return };
                    read.extend(expression.variables().map(str::to_owned));
                }
            }
            for site in statements::statements(definition) {
                if jinja::template(site.text).is_err() {
                    return;
                }
                read.extend(sql::used_names(site.text));
            }
        }
    }
    // A name that no template can say is a finding of its own.
    for name in parameters.keys().filter(|name| !read.contains(name) && super::kinds::is_plain(name)) {
        let (own, used) = (format!("/{key}/{}", escape(name)), format!("/{key}/use"));
        let span = document.key_span(if document.has(&own) { &own } else { &used });
        let mut finding =
            document.finding(Code::UnreadParameter, span, format!("nothing reads the parameter `{name}`"));
        let known = by_name.as_deref().unwrap_or_default();
        let known = known.iter().map(String::as_str);
        if let Some(meant) = did_you_mean(name, known.clone()) {
            finding = finding.label(format!("did you mean `{meant}`?"));
        }
        finding = match by_name.is_some() {
            true => finding.help(format!("the action reads {}", one_of(known, 16))),
            false => finding.help("Use it, or remove it: a caller would set it in vain."),
        };
        out.push(finding);
    }
}

/// None: one of its templates cannot be parsed.
fn read_by_context(context: &Context) -> Option<Vec<String>> {
    let mut read = Vec::new();
    let mut broken = false;
    let mut parameters_of = |text: &str, expression: bool| {
        let found = if expression { jinja::expression(text) } else { jinja::template(text) };
        broken |= found.is_err();
        for variable in found.map(|found| found.variables).unwrap_or_default() {
            match (variable.name.as_str(), variable.attributes.first()) {
                ("parameters", Some(name)) => read.push(name.clone()),
                _ => read.push(variable.name),
            }
        }
    };
    for section in context.sections.values() {
        section.when.iter().for_each(|text| parameters_of(text, true));
        for alternative in &section.query {
            // What its rows are weighed by is a statement of its own.
            let weighed = alternative.sampled.as_ref().and_then(|sampled| sampled.sql.as_ref());
            let texts = std::iter::once(&alternative.sql).chain(weighed).flat_map(SqlText::texts);
            texts.for_each(|text| parameters_of(text, false));
        }
    }
    for (_, text, expression) in next::rules(context).flat_map(|(_, texts)| texts) {
        parameters_of(text, expression);
    }
    context.summary.iter().for_each(|text| parameters_of(text, false));
    // What it is made of may read any of them.
    if context.composes.is_some() {
        read.extend(context.parameters.keys().cloned());
    }
    (!broken).then_some(read)
}

/// Keys of `with:` that the action does not read.
fn fixed_arguments(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    for (pointer, action) in statements::actions(definition) {
        let Facts { reads: Some(reads), fixed: Some(with), .. } = action.facts() else { continue };
        let known = (reads.names)();
        let reads = |name: &str| known.iter().any(|known| known == name) || EARLIER.contains(&name);
        for name in with.keys().filter(|name| !reads(name)) {
            let span = document.key_span(&format!("{pointer}/with/{}", escape(name)));
            let mut finding =
                document.finding(Code::UnknownArgument, span, format!("the action reads no argument `{name}`"));
            finding.help = templates::suggestion(name, known.iter().map(String::as_str), "it reads");
            out.push(finding);
        }
    }
}

/// Arguments of examples that the definition does not declare.
fn example_arguments(document: &Document, definition: &Definition, parameters: &Parameters, out: &mut Vec<Diagnostic>) {
    if matches!(definition, Definition::Tool(tool) if tool.input_schema.is_some()) {
        // Its own schema says what it takes, and `test` tries it.
        return;
    }
    let collect = argument_names::<CollectArguments>();
    for (n, example) in templates::examples(definition).iter().enumerate() {
        if example.expect.error {
            // An example of an error may well be about its arguments.
            continue;
        }
        let mut known: Vec<&str> = parameters.keys().map(String::as_str).collect();
        let alias = |name: &String| parameters.values().any(|parameter| parameter.aliases.contains(name));
        // What may stand beside such an object is known to the whole catalogue only, and `test` tries it.
        let beside = parameters.values().any(|parameter| parameter.properties_from.is_some());
        let earlier = |name: &String| definition.kind() == Kind::Context && EARLIER.contains(&name.as_str());
        if definition.kind() == Kind::Context {
            known.extend(collect.iter().map(String::as_str));
        }
        let unknown = |name: &&String| !(known.contains(&name.as_str()) || alias(name) || earlier(name) || beside);
        for name in example.arguments.keys().filter(unknown) {
            let span = document.key_span(&format!("/examples/{n}/arguments/{}", escape(name)));
            let mut finding = document.finding(Code::UnknownArgument, span, format!("there is no parameter `{name}`"));
            finding.help = templates::suggestion(name, known.iter().copied(), "parameters are");
            out.push(finding);
        }
        for (name, parameter) in parameters.iter().filter(|(_, parameter)| parameter.required) {
            let given = |name: &String| example.arguments.contains_key(name);
            if !given(name) && !parameter.aliases.iter().any(given) {
                let span = document.key_span(&format!("/examples/{n}/title"));
                let message = format!("the example does not pass `{name}`, which is required");
                out.push(document.finding(Code::UnknownArgument, span, message));
            }
        }
    }
}

/// Replies of examples to what nobody asks.
fn example_replies(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    let sites = statements::sites(definition);
    let known: Vec<&str> = sites.iter().flat_map(questions).collect();
    for (n, example) in templates::examples(definition).iter().enumerate() {
        for name in example.replies.keys().filter(|name| !known.contains(&name.as_str())) {
            let span = document.key_span(&format!("/examples/{n}/replies/{}", escape(name)));
            let mut finding = document.finding(Code::UnknownArgument, span, format!("nobody asks `{name}`"));
            finding.help = templates::suggestion(name, known.iter().copied(), "questions are");
            out.push(finding);
        }
    }
}

/// The names of the questions that an action asks.
fn questions<'d>(site: &statements::ActionSite<'d>) -> Vec<&'d str> {
    let Facts { asks, inside, .. } = site.action.facts();
    match (asks, inside, site.within) {
        (_, Inside::Questions(questions), _) => questions.keys().map(String::as_str).collect(),
        (Asks::One, _, statements::Within::Definition | statements::Within::Step(_)) => {
            vec![site.around().and_then(|(step, _)| step.keep.as_deref()).unwrap_or("answer")]
        }
        (Asks::One, _, statements::Within::Question(_)) | (Asks::Nothing | Asks::Several, ..) => Vec::new(),
    }
}

fn phrase(ty: ParameterType) -> &'static str {
    match ty {
        ParameterType::String => "text",
        ParameterType::Integer => "a whole number",
        ParameterType::Number => "a number",
        ParameterType::Boolean => "`true` or `false`",
        ParameterType::Array => "a list",
        ParameterType::Object => "a mapping",
        ParameterType::TimeRange => "a look-back such as `15m`, `1h` or `7d`",
        ParameterType::Timestamp => "a time in RFC 3339 such as `2026-11-20T10:00:00Z`, in quotes",
        ParameterType::Uuid => "a UUID",
    }
}
