//! Actions in their compiled form: everything that a run needs, with templates and conditions behind their keys.
//!
//! The engine runs [`CompiledAction`] alone and never looks at the definition that it came from.

use std::sync::OnceLock;

use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{CompiledRequest, CompiledSql, Compiler, texts::Texts};
use crate::definition::{
    Action, CommandVerb, FileVerb, Kind, Listed, LogLevel, LogicalSource, Output, PromptPart, Role, StatusPart, Step,
    Subject, SystemVerb,
};

/// An action with its texts compiled: what contains others or waits for the client, and all the rest.
pub enum CompiledAction {
    Pipeline(Vec<CompiledStep>),
    Task,
    /// `elicit`, `elicit.url`, `sample` or `roots` by itself: its output is the answer.
    AskOne(CompiledQuestion),
    /// `ask`: its output holds an answer per question.
    AskSeveral(IndexMap<String, CompiledQuestion>),
    Leaf(Leaf),
}

impl CompiledAction {
    /// The services that it asks.
    pub(super) fn services(&self) -> Vec<&str> {
        match self {
            Self::Leaf(Leaf { verb: Verb::Http(request), .. }) => vec![request.service.as_str()],
            Self::Pipeline(steps) => steps.iter().flat_map(|step| step.run.services()).collect(),
            _ => Vec::new(),
        }
    }
}

/// An action that runs by itself from its beginning to its end.
pub struct Leaf {
    /// It takes a connection of a source, which others wait for.
    pub asks_data: bool,
    pub verb: Verb,
}

impl Leaf {
    /// Whether it asks a source, a service, the host or a program, instead of making something of what is known.
    pub fn asks(&self) -> bool {
        self.asks_data || self.verb.reaches_out()
    }

    /// The statement that is written in it, and its source.
    pub fn statement(&self) -> Option<(&str, &CompiledSql)> {
        match &self.verb {
            Verb::Sql { source, sql, .. } => Some((source, sql)),
            _ => None,
        }
    }
}

/// What a leaf does.
pub enum Verb {
    Template(Text),
    Json(Text),
    /// `_meta` of the result.
    Meta(Text),
    /// The definition's own expression; none: that of the call.
    Expression(Option<String>),
    Sql {
        source: String,
        sql: CompiledSql,
        output: Output,
    },
    SqlQuery {
        source: String,
        output: Output,
    },
    SqlExplain {
        with: IndexMap<String, Value>,
    },
    ContextCollect {
        with: IndexMap<String, Value>,
    },
    CatalogList {
        of: Subject,
        with: IndexMap<String, Value>,
    },
    ValuesList {
        with: IndexMap<String, Value>,
    },
    TablesSearch {
        with: IndexMap<String, Value>,
    },
    PromptBuild {
        part: PromptPart,
        with: IndexMap<String, Value>,
    },
    File {
        verb: FileVerb,
        with: IndexMap<String, Value>,
    },
    Command {
        verb: CommandVerb,
        /// The words that the definition writes, each an argument.
        argv: Vec<Text>,
        with: IndexMap<String, Value>,
    },
    System {
        verb: SystemVerb,
        with: IndexMap<String, Value>,
    },
    Http(Box<CompiledRequest>),
    Image {
        data: Text,
        mime_type: String,
    },
    Audio {
        data: Text,
        mime_type: String,
    },
    Embed {
        uri: Option<Text>,
        mime_type: Option<String>,
        body: CompiledBody,
    },
    Link(Box<CompiledLink>),
    Log {
        level: LogLevel,
        logger: Option<String>,
        message: Text,
    },
    Progress {
        progress: f64,
        total: Option<f64>,
        message: Option<Text>,
    },
    Delay(Text),
    Announce {
        lists: Vec<Listed>,
        resources: Vec<Text>,
    },
    Fail {
        message: Text,
        code: Option<i32>,
    },
    Status {
        of: StatusPart,
    },
}

impl Verb {
    /// Whether it asks a service, the host or a program. Sources are known by [`Leaf::asks_data`].
    fn reaches_out(&self) -> bool {
        match self {
            Self::Http(_) | Self::File { .. } | Self::Command { .. } | Self::System { .. } => true,
            Self::Template(_)
            | Self::Json(_)
            | Self::Meta(_)
            | Self::Expression(_)
            | Self::Sql { .. }
            | Self::SqlQuery { .. }
            | Self::SqlExplain { .. }
            | Self::ContextCollect { .. }
            | Self::CatalogList { .. }
            | Self::ValuesList { .. }
            | Self::TablesSearch { .. }
            | Self::PromptBuild { .. }
            | Self::Image { .. }
            | Self::Audio { .. }
            | Self::Embed { .. }
            | Self::Link(_)
            | Self::Log { .. }
            | Self::Progress { .. }
            | Self::Delay(_)
            | Self::Announce { .. }
            | Self::Fail { .. }
            | Self::Status { .. } => false,
        }
    }
}

/// A text to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// Nothing in it is a template.
    Fixed(String),
    /// Key of the template in [`super::Catalog::templates`].
    Template(String),
}

/// A step of a pipeline.
pub struct CompiledStep {
    pub keep: Option<String>,
    /// Key of the condition.
    pub when: Option<String>,
    /// It runs together with the one before.
    pub beside: bool,
    /// The others go on if it fails.
    pub optional: bool,
    pub run: CompiledAction,
}

/// What an embedded resource holds.
pub enum CompiledBody {
    Text(Text),
    Blob(Text),
}

/// A link to a resource.
pub struct CompiledLink {
    pub uri: Text,
    pub name: Text,
    pub title: Option<Text>,
    pub description: Option<Text>,
    pub mime_type: Option<String>,
}

/// Something that a client is asked.
pub struct CompiledQuestion {
    /// Key of the condition.
    pub when: Option<String>,
    pub asks: Asks,
}

/// What is asked.
pub enum Asks {
    Form { message: Text, schema: Schema },
    Url { message: Text, url: Text },
    Sample { messages: Vec<(Role, Text)>, system_prompt: Option<Text>, max_tokens: u32, temperature: Option<f32> },
    Roots,
}

/// A JSON Schema of a definition, compiled once.
pub struct Schema {
    pub source: Map<String, Value>,
    validator: OnceLock<Result<Validator, String>>,
}

impl Schema {
    pub fn new(source: Map<String, Value>) -> Self {
        Self { source, validator: OnceLock::new() }
    }

    /// # Errors
    /// What is wrong with the schema.
    pub fn validator(&self) -> Result<&Validator, &str> {
        let built = self.validator.get_or_init(|| compile(&self.source));
        built.as_ref().map_err(String::as_str)
    }
}

/// Compiles a JSON Schema (2020-12 unless it says otherwise).
///
/// # Errors
/// What is wrong with it.
pub fn compile(schema: &Map<String, Value>) -> Result<Validator, String> {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&Value::Object(schema.clone())).map_err(|error| error.to_string())
}

impl Compiler<'_> {
    pub(super) fn action(&mut self, kind: Kind, name: &str, key: &str, action: &Action) -> CompiledAction {
        let mut at = Place { compiler: self, kind, name };
        let verb = match action {
            Action::Pipeline { steps } => {
                let steps = steps.iter().enumerate();
                return CompiledAction::Pipeline(steps.map(|(n, step)| at.step(&format!("{key}/{n}"), step)).collect());
            }
            Action::Task {} => return CompiledAction::Task,
            Action::Elicit { .. } | Action::ElicitUrl { .. } | Action::Sample { .. } | Action::Roots {} => {
                return match at.question(key, None, action) {
                    Some(question) => CompiledAction::AskOne(question),
                    None => CompiledAction::AskSeveral(IndexMap::new()),
                };
            }
            Action::Ask { questions } => {
                let asked = questions.iter().filter_map(|(question, step)| {
                    let key = format!("{key}/{question}");
                    Some((question.clone(), at.question(&key, step.when.as_deref(), &step.run)?))
                });
                return CompiledAction::AskSeveral(asked.collect());
            }
            Action::Template { text } => Verb::Template(at.text(key, text)),
            Action::Json { text } => Verb::Json(at.text(key, text)),
            Action::Meta { text } => Verb::Meta(at.text(key, text)),
            Action::Expression { expression } => Verb::Expression(expression.clone()),
            Action::Sql { source, sql, tenant, output, workspace: _ } => {
                let tenant = tenant.is_none() && LogicalSource::holds_tenants(source);
                let sql = at.compiler.sql(kind, name, key, sql, tenant);
                Verb::Sql { source: source.0.clone(), sql, output: output.clone() }
            }
            Action::SqlQuery { source, output } => Verb::SqlQuery { source: source.0.clone(), output: output.clone() },
            Action::SqlExplain { with } => Verb::SqlExplain { with: with.clone() },
            Action::ContextCollect { with } => Verb::ContextCollect { with: with.clone() },
            Action::CatalogList { of, with } => Verb::CatalogList { of: *of, with: with.clone() },
            Action::ValuesList { with } => Verb::ValuesList { with: with.clone() },
            Action::TablesSearch { with } => Verb::TablesSearch { with: with.clone() },
            Action::PromptBuild { part, with } => Verb::PromptBuild { part: *part, with: with.clone() },
            Action::FileRead { with } => Verb::File { verb: FileVerb::Read, with: with.clone() },
            Action::FileWrite { with } => Verb::File { verb: FileVerb::Write, with: with.clone() },
            Action::FileEdit { with } => Verb::File { verb: FileVerb::Edit, with: with.clone() },
            Action::FileList { with } => Verb::File { verb: FileVerb::List, with: with.clone() },
            Action::FileCreateDirectory { with } => Verb::File { verb: FileVerb::CreateDirectory, with: with.clone() },
            Action::FileMove { with } => Verb::File { verb: FileVerb::Move, with: with.clone() },
            Action::FileInfo { with } => Verb::File { verb: FileVerb::Info, with: with.clone() },
            Action::FileSearch { with } => Verb::File { verb: FileVerb::Search, with: with.clone() },
            Action::CommandRun { argv, with } => {
                let argv = argv.iter().enumerate().map(|(n, text)| at.text(&format!("{key}/argv/{n}"), text)).collect();
                Verb::Command { verb: CommandVerb::Run, argv, with: with.clone() }
            }
            Action::CommandSessions {} => command(CommandVerb::Sessions, &IndexMap::new()),
            Action::CommandOutput { with } => command(CommandVerb::Output, with),
            Action::CommandTerminate { with } => command(CommandVerb::Terminate, with),
            Action::SystemInfo { with } => Verb::System { verb: SystemVerb::Info, with: with.clone() },
            Action::SystemProcesses { with } => Verb::System { verb: SystemVerb::Processes, with: with.clone() },
            Action::SystemKill { with } => Verb::System { verb: SystemVerb::Kill, with: with.clone() },
            Action::SystemWatch { with } => Verb::System { verb: SystemVerb::Watch, with: with.clone() },
            Action::HttpRequest { .. } => match at.request(key, action) {
                Some(request) => Verb::Http(Box::new(request)),
                None => return CompiledAction::Pipeline(Vec::new()),
            },
            Action::Image { data, mime_type } => Verb::Image { data: at.text(key, data), mime_type: mime_type.clone() },
            Action::Audio { data, mime_type } => Verb::Audio { data: at.text(key, data), mime_type: mime_type.clone() },
            Action::Embed { uri, mime_type, text, blob } => Verb::Embed {
                uri: at.optional(key, "uri", uri),
                mime_type: mime_type.clone(),
                body: match blob {
                    Some(blob) => CompiledBody::Blob(at.text(key, blob)),
                    None => CompiledBody::Text(at.text(key, text.as_deref().unwrap_or_default())),
                },
            },
            Action::Link { uri, name, title, description, mime_type } => Verb::Link(Box::new(CompiledLink {
                uri: at.text(&format!("{key}/uri"), uri),
                name: at.text(&format!("{key}/name"), name),
                title: at.optional(key, "title", title),
                description: at.optional(key, "description", description),
                mime_type: mime_type.clone(),
            })),
            Action::Log { level, logger, message } => {
                Verb::Log { level: *level, logger: logger.clone(), message: at.text(key, message) }
            }
            Action::Progress { progress, total, message } => {
                let message = at.optional(key, "message", message);
                Verb::Progress { progress: *progress, total: *total, message }
            }
            Action::Delay { period } => Verb::Delay(at.text(key, period)),
            Action::Announce { lists, resources } => Verb::Announce {
                lists: lists.clone(),
                resources: resources.iter().enumerate().map(|(n, uri)| at.text(&format!("{key}/{n}"), uri)).collect(),
            },
            Action::Fail { message, code } => Verb::Fail { message: at.text(key, message), code: *code },
            Action::Status { of } => Verb::Status { of: *of },
        };
        CompiledAction::Leaf(Leaf { asks_data: action.asks_data(), verb })
    }
}

fn command(verb: CommandVerb, with: &IndexMap<String, Value>) -> Verb {
    Verb::Command { verb, argv: Vec::new(), with: with.clone() }
}

/// Where an action is compiled.
pub(super) struct Place<'c, 'o, 'd> {
    compiler: &'c mut Compiler<'o>,
    kind: Kind,
    name: &'d str,
}

impl Place<'_, '_, '_> {
    pub(super) fn text(&mut self, key: &str, text: &str) -> Text {
        if !["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
            // As the template engine does with the last line break.
            let text = text.strip_suffix('\n').unwrap_or(text);
            return Text::Fixed(text.to_owned());
        }
        self.compiler.template(self.kind, self.name, key, text);
        Text::Template(key.to_owned())
    }

    fn optional(&mut self, key: &str, part: &str, text: &Option<String>) -> Option<Text> {
        text.as_ref().map(|text| self.text(&format!("{key}/{part}"), text))
    }

    fn condition(&mut self, key: &str, expression: Option<&str>) -> Option<String> {
        let key = format!("{key}/when");
        expression.map(|expression| {
            self.compiler.condition(self.kind, self.name, &key, expression);
            key
        })
    }

    fn step(&mut self, key: &str, step: &Step) -> CompiledStep {
        CompiledStep {
            keep: step.keep.as_ref().map(|name| name.0.clone()),
            when: self.condition(key, step.when.as_deref()),
            beside: step.beside,
            optional: step.optional,
            run: self.compiler.action(self.kind, self.name, key, &step.run),
        }
    }

    fn question(&mut self, key: &str, when: Option<&str>, action: &Action) -> Option<CompiledQuestion> {
        let asks = match action {
            Action::Elicit { message, schema } => {
                let schema = self.compiler.schema(self.kind, self.name, schema);
                Asks::Form { message: self.text(key, message), schema }
            }
            Action::ElicitUrl { message, url } => {
                Asks::Url { message: self.text(key, message), url: self.text(&format!("{key}/url"), url) }
            }
            Action::Sample { messages, system_prompt, max_tokens, temperature } => Asks::Sample {
                messages: messages
                    .iter()
                    .enumerate()
                    .map(|(n, message)| (message.role, self.text(&format!("{key}/{n}"), &message.text)))
                    .collect(),
                system_prompt: self.optional(key, "system", system_prompt),
                max_tokens: *max_tokens,
                temperature: *temperature,
            },
            Action::Roots {} => Asks::Roots,
            Action::Template { .. }
            | Action::Json { .. }
            | Action::Meta { .. }
            | Action::Expression { .. }
            | Action::Sql { .. }
            | Action::SqlQuery { .. }
            | Action::SqlExplain { .. }
            | Action::ContextCollect { .. }
            | Action::CatalogList { .. }
            | Action::ValuesList { .. }
            | Action::TablesSearch { .. }
            | Action::PromptBuild { .. }
            | Action::FileRead { .. }
            | Action::FileWrite { .. }
            | Action::FileEdit { .. }
            | Action::FileList { .. }
            | Action::FileCreateDirectory { .. }
            | Action::FileMove { .. }
            | Action::FileInfo { .. }
            | Action::FileSearch { .. }
            | Action::CommandRun { .. }
            | Action::CommandSessions {}
            | Action::CommandOutput { .. }
            | Action::CommandTerminate { .. }
            | Action::SystemInfo { .. }
            | Action::SystemProcesses { .. }
            | Action::SystemKill { .. }
            | Action::SystemWatch { .. }
            | Action::HttpRequest { .. }
            | Action::Pipeline { .. }
            | Action::Image { .. }
            | Action::Audio { .. }
            | Action::Embed { .. }
            | Action::Link { .. }
            | Action::Log { .. }
            | Action::Progress { .. }
            | Action::Delay { .. }
            | Action::Task {}
            | Action::Ask { .. }
            | Action::Announce { .. }
            | Action::Fail { .. }
            | Action::Status { .. } => {
                let message = "a question of `ask` is `elicit`, `elicit.url`, `sample` or `roots`";
                self.compiler.problem(self.kind, self.name, message);
                return None;
            }
        };
        Some(CompiledQuestion { when: self.condition(key, when), asks })
    }
}
