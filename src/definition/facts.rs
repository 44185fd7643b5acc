//! What is true of an action, whoever asks: what it reaches and reads, what it keeps, where it may stand.
//!
//! One exhaustive function, so that a new action says all of it in one place and nothing about it is written down
//! twice ([ADR 0025](../../docs/adr/0025-facts-of-actions.md)). Data only: what follows from a fact is for whoever asks.

mod texts;

use indexmap::IndexMap;
use serde_json::Value;

use texts::{http_texts, texts};

use super::{
    Action, CollectArguments, CommandRunArguments, CommandSessionArguments, CommandSessionsArguments, ExplainArguments,
    ExpressionArguments, FileEditArguments, FileListArguments, FileMoveArguments, FilePathArguments, FileReadArguments,
    FileSearchArguments, FileWriteArguments, HttpMethod, ListArguments, Name, PromptArguments, PromptPart,
    QueryArguments, SqlText, StatementArguments, StatusPart, Step, Subject, SystemInfoArguments, SystemKillArguments,
    SystemProcessesArguments, SystemPromptArguments, SystemWatchArguments, TablesArguments, Tenant, ValuesArguments,
    argument_names,
};

/// The variable under which texts and conditions see what the client can do.
pub const CLIENT: &str = "client";

/// The facts of one action. Those of the actions inside it are their own.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Its word in YAML.
    pub word: &'static str,
    pub reach: Reach,
    /// Which data it asks for.
    pub data: Data<'a>,
    /// It runs, or shows what could be read by, statements that callers write.
    pub callers_statements: bool,
    /// The statement that is written in it.
    pub statement: Option<Statement<'a>>,
    /// Its text templates, each with its JSON pointer below the action.
    pub texts: Vec<(String, &'a str)>,
    /// The expression over the variables that is written in it.
    pub expression: Option<&'a str>,
    /// The arguments that it reads by name.
    pub reads: Option<Reads>,
    /// Arguments that the definition fixes.
    pub fixed: Option<&'a IndexMap<String, Value>>,
    pub inside: Inside<'a>,
    pub keeps: Keeps<'a>,
    /// Its answer carries structured content.
    pub structured: bool,
    pub asks: Asks,
    /// It says something to the client before the call has ended: a question, a message, progress.
    pub tells: bool,
    pub place: Standing,
    /// What of the catalog it shows, which clients are told of when it changes.
    pub shows: &'static [Part],
    /// What it answers is of the moment or of the caller's own doing, or it does something beside its answer: an answer of
    /// before would not stand for it.
    pub fleeting: bool,
    /// The part of the server's state that it tells.
    pub status: Option<StatusPart>,
}

/// What an action does to the world. Annotations of tools follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    pub changes: Changes,
    /// It reaches beyond the systems that this server is set up for.
    pub outside: bool,
}

/// What an action changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Changes {
    #[default]
    Nothing,
    /// It adds, and takes nothing away.
    Adds,
    Destroys,
}

impl Reach {
    /// It computes, reads, or tells the client something.
    pub const READS: Self = Self { changes: Changes::Nothing, outside: false };

    /// It may destroy something of what this server is set up for.
    pub const DESTROYS: Self = Self { changes: Changes::Destroys, outside: false };

    /// The reach of two actions together.
    pub fn and(self, other: Self) -> Self {
        Self { changes: self.changes.max(other.changes), outside: self.outside || other.outside }
    }
}

/// Which data an action asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Data<'a> {
    None,
    /// One logical source.
    Source(&'a Name),
    /// Those of the contexts, or of lists, or which the caller chooses.
    Several,
}

/// A statement of an action.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    pub source: &'a Name,
    pub sql: &'a SqlText,
    pub tenant: Option<&'a Tenant>,
}

/// Arguments that an action reads by name.
#[derive(Debug, Clone, Copy)]
pub struct Reads {
    /// Their names: the fields of the type that the action reads them into.
    pub names: fn() -> Vec<String>,
    /// Its texts may name others.
    pub and_texts: bool,
}

/// Actions inside an action.
#[derive(Debug, Clone, Copy)]
pub enum Inside<'a> {
    Nothing,
    Steps(&'a [Step]),
    Questions(&'a IndexMap<String, Step>),
}

/// What a later step sees of an output that is kept.
#[derive(Debug, Clone, Copy)]
pub enum Keeps<'a> {
    /// There is none.
    Nothing,
    /// A text, or whatever the definition makes of it.
    Any,
    Members(&'static [&'static str]),
    /// An answer for each question.
    Answers(&'a IndexMap<String, Step>),
}

/// What an action asks of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    /// It may be a question of several.
    One,
    Several,
}

/// Where an action may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Anywhere,
    /// In a definition, not in a step.
    Outermost,
    /// Not in a resource.
    NotInResource,
    /// In a step of a tool that may be a task, which it makes one.
    StepOfTask,
}

/// A part of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The context type that the arguments fix, or any.
    Context,
    Contexts,
    Personas,
    Insights,
    /// The templates of prompts.
    Templates,
    /// Whatever has a number in the health of the server.
    Anything,
}

impl Action {
    /// What is true of this action.
    pub fn facts(&self) -> Facts<'_> {
        let text = |word, text| Facts { texts: texts(&[("text", Some(text))]), ..Facts::of(word, Reach::READS) };
        let encoded = |word, data| Facts { texts: texts(&[("data", Some(data))]), ..Facts::of(word, Reach::READS) };
        let silent = |word| Facts { keeps: Keeps::Nothing, fleeting: true, ..Facts::of(word, Reach::READS) };
        let question = |word, members| Facts {
            asks: Asks::One,
            tells: true,
            keeps: Keeps::Members(members),
            ..Facts::of(word, Reach::READS)
        };
        match self {
            Self::Template { text: template } => text("template", template),
            Self::Json { text: template } => Facts { structured: true, ..text("json", template) },
            Self::Meta { text: template } => text("meta", template),
            Self::Expression { expression } => Facts {
                expression: expression.as_deref(),
                reads: expression.is_none().then_some(Reads::only::<ExpressionArguments>()),
                keeps: Keeps::Members(&["text", "value", "exact"]),
                structured: true,
                ..Facts::of("expression", Reach::READS)
            },
            Self::Sql { source, sql, tenant, .. } => Facts {
                data: Data::Source(source),
                statement: Some(Statement { source, sql, tenant: tenant.as_ref() }),
                reads: Some(Reads { and_texts: true, ..Reads::only::<StatementArguments>() }),
                ..rows("sql")
            },
            Self::SqlQuery { source, .. } => Facts {
                data: Data::Source(source),
                callers_statements: true,
                reads: Some(Reads::only::<QueryArguments>()),
                ..rows("sql.query")
            },
            Self::SqlExplain { with } => Facts {
                keeps: Keeps::Members(&["text", "tables", "steps", "advice"]),
                structured: true,
                ..callers::<ExplainArguments>("sql.explain", with)
            },
            Self::ContextCollect { with } => Facts {
                keeps: Keeps::Members(&["text", "document"]),
                // In another form it answers with text only, and the form is the caller's unless it is fixed here.
                structured: with.get("format").is_some_and(|format| format == "json"),
                shows: &[Part::Context],
                ..collects::<CollectArguments>("context.collect", with)
            },
            Self::CatalogList { of, with } => Facts {
                data: Data::None,
                shows: match of {
                    Subject::Contexts => &[Part::Contexts],
                    Subject::Personas => &[Part::Personas],
                    Subject::Insights => &[Part::Insights],
                },
                ..collects::<ListArguments>("catalog.list", with)
            },
            Self::ValuesList { with } => collects::<ValuesArguments>("values.list", with),
            Self::TablesSearch { with } => callers::<TablesArguments>("tables.search", with),
            Self::PromptBuild { part, with } => {
                let system = *part == PromptPart::System;
                let names =
                    if system { argument_names::<SystemPromptArguments> } else { argument_names::<PromptArguments> };
                Facts {
                    data: if system { Data::None } else { Data::Several },
                    reads: Some(Reads { names, and_texts: false }),
                    shows: match part {
                        PromptPart::Context => &[Part::Templates, Part::Context],
                        PromptPart::System => &[Part::Templates, Part::Context, Part::Personas],
                        PromptPart::Insight => &[Part::Templates, Part::Context, Part::Insights],
                        PromptPart::Full => &[Part::Templates, Part::Context, Part::Personas, Part::Insights],
                    },
                    ..collects::<PromptArguments>("prompt.build", with)
                }
            }
            Self::FileRead { with } => files::<FileReadArguments>("file.read", with, READS_FILE, Changes::Nothing),
            Self::FileWrite { with } => files::<FileWriteArguments>("file.write", with, WRITES, Changes::Destroys),
            Self::FileEdit { with } => files::<FileEditArguments>("file.edit", with, EDITS, Changes::Destroys),
            Self::FileList { with } => files::<FileListArguments>("file.list", with, LISTS, Changes::Nothing),
            Self::FileCreateDirectory { with } => {
                files::<FilePathArguments>("file.create_directory", with, MAKES, Changes::Adds)
            }
            Self::FileMove { with } => files::<FileMoveArguments>("file.move", with, MOVES, Changes::Destroys),
            Self::FileInfo { with } => files::<FilePathArguments>("file.info", with, TELLS, Changes::Nothing),
            Self::FileSearch { with } => files::<FileSearchArguments>("file.search", with, FINDS, Changes::Nothing),
            Self::CommandRun { argv, with } => {
                let texts = argv.iter().enumerate().map(|(n, text)| (format!("/argv/{n}"), text.as_str())).collect();
                let outside = Reach { changes: Changes::Destroys, outside: true };
                Facts { texts, tells: true, ..host::<CommandRunArguments>("command.run", Some(with), RUNS, outside) }
            }
            Self::CommandSessions {} => {
                host::<CommandSessionsArguments>("command.sessions", None, &["text", "sessions"], Reach::READS)
            }
            Self::CommandOutput { with } => {
                host::<CommandSessionArguments>("command.output", Some(with), RUNS, Reach::READS)
            }
            Self::CommandTerminate { with } => {
                host::<CommandSessionArguments>("command.terminate", Some(with), RUNS, Reach::DESTROYS)
            }
            Self::SystemInfo { with } => host::<SystemInfoArguments>("system.info", Some(with), IS, Reach::READS),
            Self::SystemProcesses { with } => {
                host::<SystemProcessesArguments>("system.processes", Some(with), &["text", "processes"], Reach::READS)
            }
            Self::SystemKill { with } => {
                host::<SystemKillArguments>("system.kill", Some(with), &["text", "killed"], Reach::DESTROYS)
            }
            Self::SystemWatch { with } => {
                let members = &["text", "samples", "measures"];
                Facts { tells: true, ..host::<SystemWatchArguments>("system.watch", Some(with), members, Reach::READS) }
            }
            Self::HttpRequest { method, path, query, headers, json, form, .. } => {
                let changes = if *method == HttpMethod::Get { Changes::Nothing } else { Changes::Destroys };
                Facts {
                    reach: Reach { changes, outside: true },
                    texts: http_texts(path, query, headers, json.as_ref(), form.as_ref()),
                    ..rows("http.request")
                }
            }
            Self::Pipeline { steps } => Facts {
                inside: Inside::Steps(steps),
                structured: steps.iter().any(|step| step.keep.is_none() && step.run.facts().structured),
                place: Standing::Outermost,
                ..Facts::of("pipeline", Reach::READS)
            },
            Self::Image { data, .. } => encoded("image", data),
            Self::Audio { data, .. } => encoded("audio", data),
            Self::Embed { uri, text, blob, .. } => Facts {
                texts: texts(&[("uri", uri.as_ref()), ("text", text.as_ref()), ("blob", blob.as_ref())]),
                ..Facts::of("embed", Reach::READS)
            },
            Self::Link { uri, name, title, description, .. } => Facts {
                texts: texts(&[
                    ("uri", Some(uri)),
                    ("name", Some(name)),
                    ("title", title.as_ref()),
                    ("description", description.as_ref()),
                ]),
                place: Standing::NotInResource,
                ..Facts::of("link", Reach::READS)
            },
            Self::Log { message, .. } => {
                Facts { texts: texts(&[("message", Some(message))]), tells: true, ..silent("log") }
            }
            Self::Progress { message, .. } => {
                Facts { texts: texts(&[("message", message.as_ref())]), tells: true, ..silent("progress") }
            }
            Self::Delay { period } => Facts { texts: texts(&[("for", Some(period))]), ..silent("delay") },
            Self::Task {} => Facts { place: Standing::StepOfTask, ..silent("task") },
            Self::Elicit { message, .. } => {
                let texts = texts(&[("message", Some(message))]);
                Facts { texts, ..question("elicit", &["action", "content"]) }
            }
            Self::ElicitUrl { message, url } => {
                let texts = texts(&[("message", Some(message)), ("url", Some(url))]);
                Facts { texts, ..question("elicit.url", &["action"]) }
            }
            Self::Sample { messages, system_prompt, .. } => {
                let said = messages.iter().enumerate();
                let said = said.map(|(n, message)| (format!("/messages/{n}/text"), message.text.as_str()));
                let texts = said.chain(texts(&[("system_prompt", system_prompt.as_ref())])).collect();
                Facts { texts, ..question("sample", &["text", "content", "role", "model", "stop_reason"]) }
            }
            Self::Roots {} => question("roots", &["roots"]),
            Self::Ask { questions } => Facts {
                inside: Inside::Questions(questions),
                keeps: Keeps::Answers(questions),
                asks: Asks::Several,
                tells: true,
                ..Facts::of("ask", Reach::READS)
            },
            Self::Announce { resources, .. } => {
                let uris = resources.iter().enumerate();
                let texts = uris.map(|(n, uri)| (format!("/resources/{n}"), uri.as_str())).collect();
                Facts { texts, ..silent("announce") }
            }
            Self::Fail { message, .. } => {
                Facts { texts: texts(&[("message", Some(message))]), fleeting: false, ..silent("fail") }
            }
            Self::Status { of } => Facts {
                reads: Some(Reads { names: Vec::new, and_texts: false }),
                fleeting: true,
                status: Some(*of),
                // What is wrong with the definitions is announced where it becomes known.
                shows: match of {
                    StatusPart::Health => &[Part::Anything],
                    StatusPart::Config | StatusPart::Definitions => &[],
                },
                ..Facts::of("status", Reach::READS)
            },
        }
    }

    /// Whether something holds of the action or of one inside it.
    pub fn any(&self, holds: &mut impl FnMut(&Facts<'_>) -> bool) -> bool {
        let facts = self.facts();
        if holds(&facts) {
            return true;
        }
        match facts.inside {
            Inside::Nothing => false,
            Inside::Steps(steps) => steps.iter().any(|step| step.run.any(holds)),
            Inside::Questions(questions) => questions.values().any(|step| step.run.any(holds)),
        }
    }

    /// What the action and those inside it do to the world.
    pub fn reach(&self) -> Reach {
        let mut all = Reach::READS;
        self.any(&mut |facts| {
            all = all.and(facts.reach);
            false
        });
        all
    }

    /// Whether the action or one inside it says something to the client before the call has ended.
    pub fn tells(&self) -> bool {
        self.any(&mut |facts| facts.tells)
    }

    /// Whether the action or one inside it asks a source.
    pub fn asks_data(&self) -> bool {
        self.any(&mut |facts| facts.data != Data::None)
    }

    /// Whether the action or one inside it runs commands.
    pub fn runs_commands(&self) -> bool {
        self.any(&mut |facts| facts.word == "command.run")
    }
}

impl Facts<'_> {
    /// An action that computes and shows something, until it says otherwise.
    fn of(word: &'static str, reach: Reach) -> Self {
        Self {
            word,
            reach,
            data: Data::None,
            callers_statements: false,
            statement: None,
            texts: Vec::new(),
            expression: None,
            reads: None,
            fixed: None,
            inside: Inside::Nothing,
            keeps: Keeps::Any,
            structured: false,
            asks: Asks::Nothing,
            tells: false,
            place: Standing::Anywhere,
            shows: &[],
            fleeting: false,
            status: None,
        }
    }
}

impl Reads {
    fn only<T: schemars::JsonSchema>() -> Self {
        Self { names: argument_names::<T>, and_texts: false }
    }
}

/// Answers with rows.
fn rows(word: &'static str) -> Facts<'static> {
    Facts {
        keeps: Keeps::Members(&["text", "rows", "columns", "truncated"]),
        structured: true,
        ..Facts::of(word, Reach::READS)
    }
}

/// Reads what there is by arguments, some of which the definition may fix.
fn collects<'a, T: schemars::JsonSchema>(word: &'static str, with: &'a IndexMap<String, Value>) -> Facts<'a> {
    let reads = Some(Reads::only::<T>());
    Facts { data: Data::Several, reads, fixed: Some(with), ..Facts::of(word, Reach::READS) }
}

/// Shows what a statement of the caller could read, such as samples.
fn callers<'a, T: schemars::JsonSchema>(word: &'static str, with: &'a IndexMap<String, Value>) -> Facts<'a> {
    Facts { callers_statements: true, ..collects::<T>(word, with) }
}

/// What later steps see of what was done with files.
const READS_FILE: &[&str] = &["text", "next_offset"];
const WRITES: &[&str] = &["text", "bytes"];
const EDITS: &[&str] = &["text", "replacements", "diff"];
const LISTS: &[&str] = &["text", "entries", "truncated"];
const MAKES: &[&str] = &["text", "created"];
const MOVES: &[&str] = &["text"];
const TELLS: &[&str] = &["text", "type", "size", "modified", "mode"];
const FINDS: &[&str] = &["text", "matches", "truncated"];

/// What later steps see of commands and of the machine.
const RUNS: &[&str] = &["text", "output", "exit_code", "ended", "session_id"];
const IS: &[&str] = &["text", "os", "cpu", "memory", "disk", "network", "process"];

/// Asks or changes something of this machine.
fn host<'a, T: schemars::JsonSchema>(
    word: &'static str,
    with: Option<&'a IndexMap<String, Value>>,
    keeps: &'static [&'static str],
    reach: Reach,
) -> Facts<'a> {
    let (reads, keeps) = (Some(Reads::only::<T>()), Keeps::Members(keeps));
    Facts { reads, keeps, fixed: with, fleeting: true, ..Facts::of(word, reach) }
}

/// Touches files below the folders of the settings, which no other system is asked for.
fn files<'a, T: schemars::JsonSchema>(
    word: &'static str,
    with: &'a IndexMap<String, Value>,
    keeps: &'static [&'static str],
    changes: Changes,
) -> Facts<'a> {
    let (reads, keeps) = (Some(Reads::only::<T>()), Keeps::Members(keeps));
    Facts { reads, keeps, fixed: Some(with), fleeting: true, ..Facts::of(word, Reach { changes, outside: false }) }
}
