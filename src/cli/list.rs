//! `tfo-mcp list`: what a client would be offered.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap,
    outcome::hinted,
    output::{self, BOLD, DIM},
    packs,
    remote::Remote,
    tokens,
};
use crate::catalog::Catalog;

/// List what is offered to clients
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to list; without it everything
    #[arg(value_enum)]
    what: Option<What>,
    /// What each toolset adds to the list of tools that a client reads, in tokens; with `tools`
    #[arg(long, conflicts_with = "url")]
    tokens: bool,
    #[command(flatten)]
    remote: Remote,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Tools,
    Prompts,
    Resources,
    Contexts,
    Insights,
    Personas,
    Providers,
    Toolsets,
}

/// One line of a list.
struct Entry {
    name: String,
    title: String,
    /// Heading under which it is shown.
    group: String,
    /// Members of the JSON form besides these.
    more: Value,
}

type Lists = Vec<(What, Vec<Entry>)>;

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    if let (true, Some(what)) = (arguments.tokens, arguments.what.filter(|what| !matches!(what, What::Tools))) {
        let message = format!("the cost of {} is not counted", what.name());
        return Err(hinted(message, "it is counted of tools: `tfo-mcp list tools --tokens`"));
    }
    let lists: Lists = match arguments.remote.is_asked() {
        true => of_a_server(arguments)?,
        false => {
            let loaded = bootstrap::settings(common)?;
            packs::tell_unread(&loaded.settings.packs);
            let catalog = bootstrap::catalog(&loaded)?;
            if arguments.tokens {
                tokens::print(&loaded, &catalog, arguments.format)?;
                return Ok(Outcome::Done);
            }
            let wanted = |what: &What| arguments.what.is_none_or(|asked| asked == *what);
            let wanted = What::value_variants().iter().copied().filter(wanted);
            wanted.map(|what| (what, entries(&catalog, what))).collect()
        }
    };
    match (arguments.what, arguments.format) {
        (Some(_), Form::Text) => output::write(&lists.iter().map(|(_, entries)| text(entries)).collect::<String>())?,
        (Some(_), Form::Json) => {
            output::json(&lists.iter().flat_map(|(_, entries)| entries).map(object).collect::<Vec<_>>())?;
        }
        (None, Form::Text) => {
            let part = |(what, entries): &(What, Vec<Entry>)| {
                format!("{BOLD}{} ({}){BOLD:#}\n{}", what.name().to_uppercase(), entries.len(), text(entries))
            };
            output::write(&lists.iter().map(part).collect::<Vec<_>>().join("\n"))?;
        }
        (None, Form::Json) => {
            let all = lists.iter().map(|(what, entries)| (what.name(), entries.iter().map(object).collect()));
            output::json(&Value::Object(all.collect()))?;
        }
    }
    Ok(Outcome::Done)
}

/// What a server that runs offers to this credential.
fn of_a_server(arguments: &Arguments) -> anyhow::Result<Lists> {
    const OFFERED: [What; 3] = [What::Tools, What::Prompts, What::Resources];
    if let Some(what) = arguments.what.filter(|what| !OFFERED.contains(what)) {
        let message = format!("a server does not list its {}", what.name());
        return Err(hinted(message, "ask it for `tools`, `prompts` or `resources`, and its tools for the rest"));
    }
    arguments.remote.with(async |client| {
        let mut lists = Vec::new();
        for what in OFFERED.into_iter().filter(|what| arguments.what.is_none_or(|asked| asked == *what)) {
            let mut found = client.list(&what.name(), &what.name()).await?;
            if what == What::Resources {
                found.extend(client.list("resources/templates", "resourceTemplates").await?);
            }
            lists.push((what, found.into_iter().map(of_a_listing).collect()));
        }
        Ok(lists)
    })
}

/// One entry of a server's list, harmless on a terminal.
fn of_a_listing(more: Value) -> Entry {
    let text = |key: &str| more.get(key).and_then(Value::as_str).map(crate::template::clean);
    let described = || text("description")?.split(['.', '\n']).next().map(str::to_owned);
    let title = text("title").or_else(described).unwrap_or_default();
    let uri = text("uri").or_else(|| text("uriTemplate")).map(|uri| format!("{uri}  ")).unwrap_or_default();
    let name = text("name").unwrap_or_default();
    Entry { name, title: format!("{uri}{title}"), group: String::new(), more }
}

impl What {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn text(entries: &[Entry]) -> String {
    let mut out = String::new();
    let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let mut group = None;
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    for entry in sorted {
        if group != Some(&entry.group) && !entry.group.is_empty() {
            let gap = if out.is_empty() { "" } else { "\n" };
            out += &format!("{gap}{BOLD}{}{BOLD:#}\n", entry.group);
        }
        group = Some(&entry.group);
        out += &format!("  {:width$}  {DIM}{}{DIM:#}\n", entry.name, entry.title);
    }
    if entries.is_empty() { "  none\n".into() } else { out }
}

fn object(entry: &Entry) -> Value {
    let mut object = json!({ "name": entry.name, "title": entry.title });
    if let (Some(object), Some(more)) = (object.as_object_mut(), entry.more.as_object()) {
        object.extend(more.clone());
    }
    object
}

fn entries(catalog: &Catalog, what: What) -> Vec<Entry> {
    let entry = |name: &str, title: &str, group: &str, more: Value| Entry {
        name: name.to_owned(),
        title: title.to_owned(),
        group: group.to_owned(),
        more,
    };
    match what {
        What::Tools => (catalog.tools.values())
            .map(|tool| {
                let d = &tool.definition;
                let more = json!({
                    "category": d.category, "description": d.description, "toolsets": d.toolsets,
                    "input_schema": tool.input_schema, "output_schema": d.output_schema,
                });
                entry(&d.name, &d.title, &d.category, more)
            })
            .collect(),
        What::Prompts => (catalog.prompts.values())
            .map(|prompt| {
                let d = &prompt.definition;
                let arguments: Vec<Value> = d
                    .arguments
                    .iter()
                    .map(|(name, p)| json!({ "name": name, "description": p.description, "required": p.required }))
                    .collect();
                entry(
                    &d.name,
                    &d.title,
                    "",
                    json!({ "description": d.description, "toolsets": d.toolsets, "arguments": arguments }),
                )
            })
            .collect(),
        What::Resources => (catalog.resources.values())
            .map(|resource| {
                let d = &resource.definition;
                entry(
                    &d.name,
                    &format!("{}  {}", d.uri, d.title),
                    "",
                    json!({ "title": d.title, "uri": d.uri, "description": d.description, "toolsets": d.toolsets }),
                )
            })
            .collect(),
        What::Contexts => (catalog.contexts.values())
            .map(|context| {
                let d = &context.definition;
                let more = json!({
                    "category": d.category, "description": d.description, "aliases": d.aliases, "persona": d.persona,
                    "default_window": d.window.default, "max_window": d.window.max,
                });
                entry(&d.name, &d.title, &d.category, more)
            })
            .collect(),
        What::Insights => (catalog.insights.values())
            .map(|d| entry(&d.name, &d.title, "", json!({ "description": d.description })))
            .collect(),
        What::Personas => (catalog.personas.values()).map(|d| entry(&d.name, &d.title, "", json!({}))).collect(),
        What::Providers => (catalog.providers.values())
            .map(|d| entry(&d.name, &d.title, "", json!({ "base_url": d.base_url, "default_model": d.default_model })))
            .collect(),
        What::Toolsets => (catalog.toolsets.values())
            .map(|d| {
                let on = if d.default { "" } else { " (off by default)" };
                let more = json!({ "title": d.title, "description": d.description, "default": d.default });
                entry(&d.name, &format!("{}{on}", d.title), "", more)
            })
            .collect(),
    }
}
