//! Actions: the engine's verbs. A tool, a resource or a prompt message runs exactly one.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    HttpColumn, HttpFailure, HttpJson, HttpMethod, HttpNote, HttpPath, HttpShape, HttpValue, Listed, LogLevel, Name,
    Output, RowsPointer, SampleMessage, SqlText, Step, Template, Tenant, Workspace, source::SourceName,
};

/// What is done when the definition is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", deny_unknown_fields)]
// Few, and each stands alone in its definition: a box would save nothing and stand in every pattern.
#[allow(clippy::large_enum_variant)]
pub enum Action {
    /// Renders a text from the arguments.
    #[serde(rename = "template")]
    Template {
        /// The text. Variables: the parameters by name.
        text: Template,
    },
    /// Renders a JSON value. Shown by a tool, it is the structured content of the answer, the last one if there are
    /// several, and a text beside it.
    #[serde(rename = "json")]
    Json {
        /// The value in JSON: `{"celsius": {{ celsius }}, "place": {{ place | tojson }}}`. Variables: the parameters by
        /// name.
        text: Template,
    },
    /// Renders a JSON object that becomes `_meta` of the result: for the client's program and its views, not for the model.
    /// Of several the keys are put together, and the later one wins.
    #[serde(rename = "meta")]
    Meta {
        /// The object in JSON: `{"example.com/unit": {{ unit | tojson }}}`. Variables: the parameters by name.
        text: Template,
    },
    /// Computes an exact value from numbers: `+ - * / % ^`, parentheses, `min`, `max`, `abs`, `round`, `floor`, `ceil`, `sqrt`,
    /// `exp`, `ln`, `log10` and `log2`; comparisons and `and`, `or`, `not` answer true or false. `15%` is 0.15. Output: `text`,
    /// `value`, and `exact`, which is false where a root or a logarithm was rounded.
    #[serde(rename = "expression")]
    Expression {
        /// The expression, such as `errors / requests * 100`. Names are the parameters and outputs kept so far. Default: the
        /// parameter `expression`, which has no names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expression: Option<String>,
    },
    /// Runs one statement that is written here and answers with its rows, as text and as structured content.
    /// Parameters `time_range`, or `start` and `end`, set the window that the statement sees as `from` and `to`.
    #[serde(rename = "sql")]
    Sql {
        /// Logical source whose database is asked.
        #[schemars(with = "SourceName")]
        source: Name,
        /// The statement.
        sql: SqlText,
        /// Why the statement does not bind `organization_id`, for tables that hold no tenant's data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Tenant>,
        /// Why tables whose rows belong to workspaces are read without `workspace_id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace: Option<Workspace>,
        /// How the rows are answered.
        #[serde(default)]
        output: Output,
    },
    /// Runs one read-only statement that the caller wrote: parameters `sql`, `params` and `max_rows`.
    /// The database enforces that nothing is written, and every table is bound to the caller's organisation.
    #[serde(rename = "sql.query")]
    SqlQuery {
        /// Logical source whose database is asked.
        #[schemars(with = "SourceName")]
        source: Name,
        /// How the rows are answered.
        #[serde(default)]
        output: Output,
    },
    /// Says what a statement of the caller would read and do, and does not run it: parameters `source`, `sql`, `params`,
    /// `organization_id`. It is bound and judged as by `sql.query`. Output: `text`, `tables`, `steps`, `advice`.
    #[serde(rename = "sql.explain")]
    SqlExplain {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Collects a telemetry context: parameters `context_type`, `time_range` or `start` and `end`, `baseline`, `service_name`,
    /// `filters`, `max_items`, `format`, `max_chars`, `organization_id`, `workspace_id`, `user_id`.
    /// With `format: json` the document is the structured content as well.
    #[serde(rename = "context.collect")]
    ContextCollect {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists what the catalog holds: parameters `category`, `query`, `format`.
    #[serde(rename = "catalog.list")]
    CatalogList {
        /// What is listed.
        of: Subject,
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists what exists in the data: parameters `of` (a list of known values; all of them without), `query`, `service_name`,
    /// `time_range` or `start` and `end`, `max_items`, `organization_id`.
    #[serde(rename = "values.list")]
    ValuesList {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Searches the tables that statements of callers may read: parameters `source`, `query`, `schema`, `table`, `page`,
    /// `organization_id`. One table is described whole, with its columns, keys, rows, keys of maps and samples.
    #[serde(rename = "tables.search")]
    TablesSearch {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Builds a prompt: the parameters of `context.collect`, and `insight_type`, `question`, `custom_prompt`,
    /// `persona`.
    #[serde(rename = "prompt.build")]
    PromptBuild {
        /// Which prompt.
        part: PromptPart,
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Reads a file below the folders of `files.roots`: parameters `path`, `encoding`, `unit`, `offset`, `limit`. Text is
    /// decoded; anything else is answered as binary content. Output: `text`, `next_offset` where there is more.
    #[serde(rename = "file.read")]
    FileRead {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Writes a whole file at once or not at all: parameters `path`, `content`, `create_dirs`. Output: `text`, `bytes`.
    #[serde(rename = "file.write")]
    FileWrite {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Replaces a text in a file, exactly as often as is expected: parameters `path`, `old_text`, `new_text`,
    /// `expected_replacements`, `dry_run`. Output: `text`, `replacements`, `diff`.
    #[serde(rename = "file.edit")]
    FileEdit {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists a folder: parameters `path`, `recursive`, `include_hidden`. Output: `text`, `entries`, `truncated`.
    #[serde(rename = "file.list")]
    FileList {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Makes a folder and those above it: parameter `path`. Output: `text`, `created`.
    #[serde(rename = "file.create_directory")]
    FileCreateDirectory {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Moves or renames a file or a folder: parameters `path`, `destination`, `overwrite`. Output: `text`.
    #[serde(rename = "file.move")]
    FileMove {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Tells what a path is: parameter `path`. Output: `text`, `type`, `size`, `modified`, `mode`.
    #[serde(rename = "file.info")]
    FileInfo {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Searches names by a glob and contents by a regular expression, without what `.gitignore` leaves out: parameters
    /// `path`, `pattern`, `content`, `context_lines`, `include_hidden`, `max_results`. Output: `text`, `matches`, `truncated`.
    #[serde(rename = "file.search")]
    FileSearch {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Runs a program below the folders of `commands.roots`, confined, with a deadline, and ended with all that came of it:
    /// parameters `command`, `args`, `working_dir`, `timeout` (seconds), `background`. There is no shell, unless `with:` says
    /// `shell: true`: then `command` is a text for `/bin/sh`. Output: `text`, `output`, `exit_code`, `ended`, `session_id`.
    #[serde(rename = "command.run")]
    CommandRun {
        /// The command line, one item a word: each is a template that becomes exactly one argument, whatever is put in, and none where it
        /// renders to nothing. The first is the program. Default: the parameters `command` and `args`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        argv: Vec<Template>,
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists the commands that run in the background, and those that ended of late. Output: `text`, `sessions`.
    #[serde(rename = "command.sessions")]
    CommandSessions {},
    /// Tells what a command in the background has said since it was read last: parameter `session_id`. Output: `text`, `output`,
    /// `exit_code`, `ended`.
    #[serde(rename = "command.output")]
    CommandOutput {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Ends a command in the background, and all that came of it: parameter `session_id`. Output: `text`, `ended`.
    #[serde(rename = "command.terminate")]
    CommandTerminate {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Tells how this machine is: parameter `include`, a list of `os`, `cpu`, `memory`, `disk`, `network`, `process` (the server
    /// itself). Output: `text`, and each part by its name.
    #[serde(rename = "system.info")]
    SystemInfo {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists processes of this machine, the busiest first: parameter `filter`, a part of the name. Output: `text`, `processes`.
    #[serde(rename = "system.processes")]
    SystemProcesses {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Ends a process of this machine: it gets a moment, then it is killed. Parameter `pid`. Off where commands are off.
    /// Output: `text`, `killed`.
    #[serde(rename = "system.kill")]
    SystemKill {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Watches this machine for a while: parameters `duration` and `interval` in seconds. Answers the least, the mean and the
    /// most of processors, memory, disks and network. Output: `text`, `samples`, `measures`.
    #[serde(rename = "system.watch")]
    SystemWatch {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Asks a service of the settings (`http.services`) over HTTP for JSON, and answers with rows. Nothing that a caller says
    /// chooses the host, adds a part to the path, or a name to the query and the headers.
    #[serde(rename = "http.request")]
    HttpRequest {
        /// Name of the service, under which the operator sets up where it is.
        service: Name,
        /// Default: `GET`. Anything else counts as a change.
        #[serde(default)]
        method: HttpMethod,
        /// Path below the address of the service: `/api/v1/label/{{ label }}/values`. It is written unencoded.
        path: HttpPath,
        /// What stands behind `?`, by name. Default: nothing.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        query: IndexMap<String, HttpValue>,
        /// Headers by name. Those of the settings win; credentials stand there alone. Default: none.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        headers: IndexMap<String, Template>,
        /// A body in JSON. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<HttpJson>,
        /// A body as of a form, by name, instead of `json`. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<IndexMap<String, HttpValue>>,
        /// JSON pointer to the rows: an array of them, or one object. `*` stands for every element. Default: the whole answer.
        #[serde(default)]
        rows: RowsPointer,
        /// Columns by name, each with the JSON pointer of its value below the row; `2/metric` begins two levels above the row,
        /// and `1#` is the key one level above. Default: the members of the rows.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        columns: IndexMap<String, HttpColumn>,
        /// Other rows and columns for answers of other forms; the first that fits is taken. Default: none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shapes: Vec<HttpShape>,
        /// JSON pointers to what the service says when it failed, such as `/error`, and states: `{ at: /status, unless: success }`. Default: none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fails: Vec<HttpFailure>,
        /// JSON pointers to texts, or arrays of them, that the service says beside the rows, such as its warnings; of `true` the
        /// name is told. Sentences of the definition's own where something stands: `{ at: /more, says: there are more }`. Default:
        /// none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<HttpNote>,
        /// How the rows are answered.
        #[serde(default)]
        output: Output,
    },
    /// Runs steps one after the other. What a step shows is added to the answer; a step with `as` keeps its output
    /// for later steps instead; one with `beside` runs together with the one before. Variables: the parameters by name, the outputs kept so far, and `client`
    /// (`client.sampling`, `client.elicitation.form`, `client.elicitation.url`, `client.roots`, `client.tasks`).
    #[serde(rename = "pipeline")]
    Pipeline {
        /// The steps, in order.
        steps: Vec<Step>,
    },
    /// Shows an image.
    #[serde(rename = "image")]
    Image {
        /// The image in base64.
        data: Template,
        /// Media type, such as `image/png`.
        mime_type: String,
    },
    /// Shows a sound.
    #[serde(rename = "audio")]
    Audio {
        /// The sound in base64.
        data: Template,
        /// Media type, such as `audio/wav`.
        mime_type: String,
    },
    /// Shows the content of a resource (MCP embedded resource). One of `text` and `blob` is given. Run by a resource,
    /// it is that resource's content, and `blob` makes it binary.
    #[serde(rename = "embed")]
    Embed {
        /// URI of the content. Default: the URI that is read, for a resource; required elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uri: Option<Template>,
        /// Media type, such as `text/plain`. Default: that of the resource; required elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The content as text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Template>,
        /// The content in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blob: Option<Template>,
    },
    /// Shows a link to a resource that the client may read (MCP resource link).
    #[serde(rename = "link")]
    Link {
        /// URI of the resource.
        uri: Template,
        /// Name of the resource.
        name: Template,
        /// One line for people. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Template>,
        /// What it holds. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Template>,
        /// Media type. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    /// Sends a log message to the client, if the client asked for messages of this level.
    #[serde(rename = "log")]
    Log {
        /// How important it is.
        level: LogLevel,
        /// Name of the logger. Default: the name of the definition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logger: Option<String>,
        /// The message.
        message: Template,
    },
    /// Tells the client how far the call is, if the client asked to be told.
    #[serde(rename = "progress")]
    Progress {
        /// How much is done; grows from step to step.
        progress: f64,
        /// How much there is to do. Default: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<f64>,
        /// What is being done. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Template>,
    },
    /// Waits, such as between looks at something that changes.
    #[serde(rename = "delay")]
    Delay {
        /// How long: a duration such as `50ms`, or a template of one, such as `{{ seconds }}s`. The call's timeout goes
        /// on counting.
        #[serde(rename = "for")]
        period: Template,
    },
    /// Lets the call go on as a task from here, if the client knows tasks: what comes before is done, and the client
    /// asked, while it waits for the answer of the call. Default of a tool with `task`: from the start.
    #[serde(rename = "task")]
    Task {},
    /// Asks the person in front of the client to fill in a form (MCP elicitation). Output: `action` (`accept`,
    /// `decline` or `cancel`) and `content`, which satisfies the schema when accepted and is empty otherwise.
    #[serde(rename = "elicit")]
    Elicit {
        /// What is asked, for the person.
        message: Template,
        /// JSON Schema of the form: an object of texts, numbers, booleans and enumerations, as MCP prescribes.
        schema: serde_json::Map<String, serde_json::Value>,
    },
    /// Asks the person in front of the client to visit a URL (MCP elicitation). Output: `action`.
    #[serde(rename = "elicit.url")]
    ElicitUrl {
        /// Why, for the person.
        message: Template,
        /// Where to go.
        url: Template,
    },
    /// Asks the client's language model (MCP sampling). Output: `text`, `content` (the blocks of the
    /// message), `role`, `model`, `stop_reason`.
    #[serde(rename = "sample")]
    Sample {
        /// The conversation.
        messages: Vec<SampleMessage>,
        /// What the model is told first. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system_prompt: Option<Template>,
        /// Most tokens of the answer. Default: 1000.
        #[serde(default = "default_tokens")]
        max_tokens: u32,
        /// Sampling temperature. Default: the client's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        temperature: Option<f32>,
    },
    /// Asks which folders the client works in (MCP roots). Output: `roots`, each with `uri` and `name`.
    #[serde(rename = "roots")]
    Roots {},
    /// Asks several things at once. Output: one per question, under its name.
    #[serde(rename = "ask")]
    Ask {
        /// The questions by name: `elicit`, `elicit.url`, `sample` or `roots`. Each may have a condition.
        questions: IndexMap<String, Step>,
    },
    /// Announces to every client that listens that something changed.
    #[serde(rename = "announce")]
    Announce {
        /// Lists that changed. Default: none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lists: Vec<Listed>,
        /// URIs of resources whose content changed. Default: none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        resources: Vec<Template>,
    },
    /// Ends the call with an error that the model reads.
    #[serde(rename = "fail")]
    Fail {
        /// What went wrong and what to do.
        message: Template,
        /// Ends the call with a protocol error of this code instead, which the client's program sees and the model does not.
        /// Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
    },
    /// Tells how this server is.
    #[serde(rename = "status")]
    Status {
        /// Which part.
        of: StatusPart,
    },
}

fn default_tokens() -> u32 {
    1000
}

/// A part of this server's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusPart {
    /// The settings, without secrets.
    Config,
    /// Sources, connections, catalog.
    Health,
    /// What is wrong with the definitions, and which version of them is served.
    Definitions,
}

/// What `catalog.list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Telemetry context types.
    Contexts,
    /// Analyst personas.
    Personas,
    /// Insights.
    Insights,
}

/// Which prompt `prompt.build` builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptPart {
    /// Persona, important instructions, custom instructions.
    System,
    /// The collected context under a heading, as live data.
    Context,
    /// The collected context and the task and outline of an insight, or the caller's question.
    Insight,
    /// System prompt, then the insight prompt: all in one text, for clients with no system role.
    Full,
}
