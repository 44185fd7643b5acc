//! Prompts from personas, the shared templates and live context.

use minijinja::{Value as Jinja, context};

use super::{
    Call, CallError, CallErrorKind, Content, Engine, Produced, cut::Movable, document::Document, render,
    wanted::Wanted, window::stamp,
};
use crate::{
    catalog::{Catalog, insight_key, persona_key, prompt_template_key},
    definition::{Insight, PromptArguments, PromptPart, SystemArguments},
    template::{Flavour, jinja},
};

impl Engine {
    /// `prompt.build`.
    pub(super) async fn run_prompt(
        &self,
        catalog: &Catalog,
        part: PromptPart,
        arguments: PromptArguments,
        movable: Movable,
        notes: &[String],
        call: &Call,
    ) -> Result<Produced, CallError> {
        let PromptArguments { collect, insight_type, question, system: of_system } = &arguments;
        let wanted = self.wanted(catalog, collect, notes)?;
        let system = match part {
            PromptPart::System => return system(catalog, &wanted, of_system).map(Produced::text),
            PromptPart::Full => Some(system(catalog, &wanted, of_system)?),
            PromptPart::Context | PromptPart::Insight => None,
        };
        let insight = insight(catalog, insight_type.as_deref())?;
        let max_chars = self.max_chars(collect.max_chars);
        let mut document = self.collect(catalog, wanted, call).await?;
        document.bounded(movable.with(collect.max_chars, &self.options));
        let masking = &self.options.masking;
        let (shown, mut masked) = document.masked(masking);
        let mut mask = |text: &str| {
            let (text, count) = masking.masked(text);
            masked += count;
            text.into_owned()
        };
        let live = match part {
            PromptPart::Context => prompt(catalog, "context", (&shown, &mut mask), max_chars, Vec::new())?,
            PromptPart::Insight | PromptPart::Full | PromptPart::System => {
                let insight = match insight {
                    Some(insight) => described(catalog, insight, &shown)?,
                    None => Jinja::from(()),
                };
                let question = jinja(question);
                let variables = vec![("insight".to_owned(), insight), ("question".to_owned(), question)];
                prompt(catalog, "insight", (&shown, &mut mask), max_chars, variables)?
            }
        };
        let text = match system {
            Some(system) => format!("{}\n\n{live}", mask(system.trim_end())),
            None => live,
        };
        let is_error = document.status.is_failure();
        let content = vec![Content::of_masked(text)];
        Ok(Produced { content, document: Some(document), is_error, masked, ..Produced::default() })
    }
}

/// Persona, important instructions, custom instructions.
fn system(catalog: &Catalog, wanted: &Wanted<'_>, arguments: &SystemArguments) -> Result<String, CallError> {
    let definition = &wanted.entry.definition;
    let asked = arguments.persona.as_deref();
    let persona = catalog
        .persona(asked.or(Some(&definition.persona)))
        .ok_or_else(|| CallError::definition("the catalog has neither the persona nor a fallback persona"))?;
    let variables = context! { context_type => wanted.name, title => definition.title.as_str() };
    let described = catalog
        .templates
        .render(Flavour::Plain, &persona_key(&persona.name), variables)
        .map_err(CallError::definition)?;
    let variables = context! {
        persona => described.trim(),
        title => definition.title.as_str(),
        context_type => wanted.name,
        custom_prompt => arguments.custom_prompt.as_deref(),
    };
    render_template(catalog, "system", variables)
}

/// The insight of a call; none where it asks a question of its own.
fn insight<'a>(catalog: &'a Catalog, name: Option<&str>) -> Result<Option<&'a Insight>, CallError> {
    let Some(name) = name else { return Ok(None) };
    let known = catalog.insights.keys().map(String::as_str);
    let unknown = || CallError::unknown(CallErrorKind::InvalidArguments, "insight type", name, known);
    catalog.insights.get(name).map(Some).ok_or_else(unknown)
}

fn described(catalog: &Catalog, insight: &Insight, document: &Document) -> Result<Jinja, CallError> {
    let variables = context! { context_type => document.context_type.as_str(), title => document.title.as_str(), window => window(document) };
    let task = catalog
        .templates
        .render(Flavour::Plain, &insight_key(&insight.name), variables)
        .map_err(CallError::definition)?;
    Ok(context! { title => insight.title.as_str(), task => task.trim(), outline => insight.outline.clone() })
}

/// Stands for the document in a prompt while the rest of that is masked.
const HERE: &str = "\u{f0000}";

/// A prompt around a document, which is masked already; `mask` masks the rest. The document gets what that leaves of the budget.
fn prompt(
    catalog: &Catalog,
    template: &str,
    (document, mask): (&Document, &mut impl FnMut(&str) -> String),
    max_chars: usize,
    more: Vec<(String, Jinja)>,
) -> Result<String, CallError> {
    let variables = |body: &str| -> Jinja {
        let own = [
            ("context_type", Jinja::from(document.context_type.as_str())),
            ("title", Jinja::from(document.title.as_str())),
            ("window", window(document)),
            ("filters", Jinja::from(render::filters(&document.filters))),
            ("summary", Jinja::from(document.summary.as_str())),
            ("document", Jinja::from(body)),
        ];
        Jinja::from_pairs(own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(more.iter().cloned()))
    };
    let frame = mask(&render_template(catalog, template, variables(HERE))?);
    let body = render::body(document, max_chars.saturating_sub(frame.chars().count()));
    Ok(frame.replace(HERE, &body).trim().to_owned())
}

fn window(document: &Document) -> Jinja {
    let window = &document.window;
    context! { from => stamp(window.from), to => stamp(window.to), label => window.label() }
}

fn render_template(catalog: &Catalog, name: &str, variables: Jinja) -> Result<String, CallError> {
    let text = catalog.templates.render(Flavour::Plain, &prompt_template_key(name), variables);
    text.map(|text| text.trim().to_owned()).map_err(CallError::definition)
}
