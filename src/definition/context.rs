//! Telemetry context types: which sections of evidence to collect, and what in them deserves attention.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Alternative, Example, Expression, Name, Next, Parameters, Period, StatedParameters, StatedSection, Template,
    source::SourceName, tree::Tree,
};

/// A telemetry context type: a named, bounded set of queries whose answers become one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("if" = json!({ "not": { "required": ["source"] } })), extend("then" = every_section_names_its_source()))]
pub struct Context {
    /// Name of the context type, as callers ask for it.
    pub name: Name,
    /// Group in which it is listed, such as `observability` or `kubernetes`.
    pub category: Name,
    /// One line for people.
    pub title: String,
    /// What questions it answers; helps a model to choose it.
    pub description: String,
    /// Other names under which it answers; the answer keeps the name asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Name>,
    /// Filters that a name stands for, by name: `db-monitoring-mariadb: { engine: mariadb }`. A call under that name has
    /// them without saying so, and cannot say otherwise. Names are those of `aliases`, and the own one.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub presets: IndexMap<String, IndexMap<String, Value>>,
    /// Words by which people look for it and that its texts do not say, such as `5xx`, `k8s` or `out of memory`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is listed and may be asked for by its name. Write `false` for one that a tool of its own collects
    /// (`with: { context_type: … }`), whose parameters no other tool can pass. Default: true.
    #[serde(default = "Context::default_listed")]
    pub listed: bool,
    /// The persona that reads it best.
    pub persona: Name,
    /// Logical source of the sections that name none. Default: every section names its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SourceName>")]
    pub source: Option<Name>,
    /// How far back it looks.
    #[serde(default)]
    pub window: Window,
    /// What a caller may narrow it by.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub parameters: Parameters,
    /// The parts of the evidence, run concurrently, each with a status of its own, in the order in which they are shown.
    /// Required, except with `composes`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<String, StatedSection>")]
    pub sections: IndexMap<String, Section>,
    /// The parameter with the names of other context types whose documents this one is made of, in order of importance:
    /// a bounded list of texts. It has no sections, highlights or summary of its own, and each type is collected for its
    /// window, with those of its other parameters that the type has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composes: Option<String>,
    /// The parameter that names the account that this is about where the server knows no user of the call. A call that
    /// comes from nobody and names nobody is refused, as one without a required parameter is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_account: Option<String>,
    /// Rules that turn rows into sentences worth reading first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
    /// Where a reader looks next, in order of importance; at most three are told, as calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Next>,
    /// One or two sentences over all sections. Default: the row count of each section.
    /// Variables: `sections`, `parameters`, `window`. `sections.x.filtered` is what the call narrowed the section by, to
    /// follow a noun, such as ` with service=cart`; a sentence about what is not there needs it. `sections.x.compared` is
    /// false where its data begin within or after the time that it is compared with, so that nothing before is no nought.
    /// `sections.x.ends_early` is true where its data, which come all the time, end long before the window does: a rate that
    /// fell is none. `sections.x.rows` are the rows that were read, of which fewer may be shown. `sections.x.total` is their
    /// number, `1000 or more` where there are more than were read, and `sections.x | tally('severity', 'equalto', 'critical')`
    /// that of those that pass a test, as `selectattr` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Template>,
    /// How long its document is kept for callers who ask the same and may read the same, whatever tool, prompt or resource
    /// shows it; equal calls at one time run once. For what changes seldom, not for evidence: a document from memory is of
    /// the moment that it names. One of which a part could not be read is not kept. At most `1h`. Default: nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Period>,
    /// Executable examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// What holds where the context type names no source.
fn every_section_names_its_source() -> Value {
    let own = json!({ "if": { "not": { "required": ["use"] } }, "then": { "required": ["source"] } });
    json!({ "properties": { "sections": { "additionalProperties": own } } })
}

impl Context {
    fn default_listed() -> bool {
        true
    }

    /// Whether the rows of a section are of now, whatever the window. What is made of rows of another section is of the time
    /// that those are of.
    pub fn is_current(&self, section: &Section) -> bool {
        let of_window = |alternative: &Alternative| alternative.sql.is_of_window();
        let of_now = |name: &String| self.sections.get(name).is_some_and(|other| self.is_current(other));
        section.current.unwrap_or_else(|| !section.query.iter().any(of_window) && section.after.0.iter().all(of_now))
    }
}

/// How far back a context looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Length of the window of a call that names none. Default: `1h`.
    #[serde(default = "Window::default_length")]
    pub default: Period,
    /// Longest window allowed. Default: `7d`.
    #[serde(default = "Window::max_length")]
    pub max: Period,
    /// How far before the window sections look, where that may be more than its length. Where data begin within that
    /// time, documents say so. Default: as far as the window is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_back: Option<Period>,
    /// Two objects among the parameters that each say a `start` and an `end`. Those of `a` are the window, those of `b` the
    /// one that it is compared with (`prev_from`, `prev_to`): without any, the window of `a` where `b` says something
    /// else, and the window before where it says nothing. Default: the window is that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<Sides>,
}

/// The names of two parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// What is looked at.
    pub a: String,
    /// What it is compared with.
    pub b: String,
}

impl Window {
    fn default_length() -> Period {
        Period::from_secs(3600)
    }
    fn max_length() -> Period {
        Period::from_secs(7 * 86_400)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { default: Self::default_length(), max: Self::max_length(), looks_back: None, sides: None }
    }
}

/// One part of the evidence: a query and how its rows are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = Section::as_written)]
pub struct Section {
    /// Heading of the rows.
    pub title: String,
    /// Logical source whose database is asked. Default: that of the context type.
    #[schemars(with = "SourceName")]
    pub source: Name,
    /// 1 is shown first and shortened last. Default: its place among the sections.
    pub priority: u8,
    /// Most rows shown in a call that does not pass `max_items`, of a statement that takes `{{ limit }}`; one that does
    /// not is shown whole. Default: 20.
    #[serde(default = "Section::default_limit")]
    pub limit: u32,
    /// Whether all rows are read, up to `limits.max_rows` of the settings, though fewer are shown: highlights and the
    /// summary judge and count those that were read. Write `false` for single lines of a flood, such as the newest
    /// logs, whose number is then known as "20 or more". Default: true.
    #[serde(default = "Section::default_count_all")]
    pub count_all: bool,
    /// Whether it is shown up to `limit` even if `max_items` is smaller: a table of counts that would be false if
    /// it were cut. Default: false.
    #[serde(default)]
    pub whole: bool,
    /// The section is no part of the answer, but tells whether anything was recorded in the window, whatever the filters,
    /// and where the data lie if not. It selects, in one row, `newest`, the newest time in the window, `newest_before`,
    /// the newest before it, and `oldest_after`, the oldest after it, from rows between `around_from` and `around_to`:
    /// the window at first, and if it holds nothing the days around it, then all there is. Its title names the data:
    /// `Traces` becomes "Traces end at … UTC, before this window". As `places` it may select in which of 240 equal parts of
    /// the window there are any, as the bits of a hexadecimal number from the lowest on: beside `every` a hole is told, and
    /// where a quarter of the window or of the time before is lost, nothing is compared with that. Sections on the tables
    /// that it requires are about these data: where there are none in the window, nothing is said of their rows.
    /// Default: false.
    #[serde(default)]
    pub when_empty: bool,
    /// Tables of the kinds of data that its rows judge by, such as `[traces, logs]` where log lines are set against
    /// requests, each required by a section of the context with `when_empty`: where any of these is missing, begins or
    /// ends within the window, nothing is judged by its rows. Default: what it reads, where all of that is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<String>,
    /// Beside `when_empty`: its data happen now and then, such as events beside records that stand, and where none did, nothing
    /// is missing. That none were ever recorded is said all the same. Default: false.
    #[serde(default)]
    pub ends_only: bool,
    /// Beside `when_empty`: how far apart these data come where all is well, such as samples that are taken each minute.
    /// Where none came for three times as long, documents say that they are missing. Default: they are events, which need
    /// not happen; documents say when the last was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Period>,
    /// Whether its rows are records as they stand when they are read, whatever the window. Where the window does not end
    /// now, documents say as of when they are, and highlights about them have no severity. Default: where no statement of it
    /// binds an end of the window, and what it waits for is of now too. Write `true` where one binds the window only to say what
    /// became of a record in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// Whether its rows are shown. Write `false` for rows that other sections wait for or are joined with; what could
    /// not be read is told all the same. Default: true.
    #[serde(default = "Section::default_show")]
    pub show: bool,
    /// Sections that this one waits for, one or a list. Its statements bind their rows as lists of values:
    /// `{{ rows.objectives | column('service_name') }}`, of texts unless a type is named, as in
    /// `column('target_pct', 'number')`. Lists of one section have an item a row, in one order, so that several
    /// are a relation. Where the other could not be read, this one is not run.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub after: Names,
    /// Whether all that it waits for has to be there. Write `false` where some of it is enough: lists of a section that was
    /// left out, or could not be read, are then empty, and of the latter the section says so. Default: true.
    #[serde(default = "Section::default_needs_all")]
    pub needs_all: bool,
    /// Another section whose columns are shown beside these, row by row. Rows without a partner are kept, of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// Its rows belong to each other as parents and children: they are shown depth first, siblings in the order of the
    /// statement, with a column `depth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
    /// Its rows are deviations from the time before: in what a row is known again in `baseline: auto`, where the same hours of
    /// the day before are asked as well. Default: rows are known by their texts, and all are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
    /// The section is skipped unless this holds. Variables: the parameters, `window.hours`, and `window.ends_now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Ways to answer it, of which the first that fits is taken; of a single one write `sql` beside `title`.
    /// It fits where the source meets its requirements. What belongs to a single way stands in the section itself.
    pub query: Vec<Alternative>,
    /// How columns are shown. Columns that are not named here are shown as they come.
    #[serde(default)]
    pub columns: IndexMap<String, Column>,
}

impl Section {
    /// The tables that any way to answer it requires, and those of which it requires columns.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let required = self.query.iter().flat_map(|way| &way.requires);
        required.map(|name| name.split('.').next().unwrap_or(name))
    }

    /// The source may be that of the context type.
    fn as_written(schema: &mut Schema) {
        Alternative::or_one_way(schema);
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|field| field != "source");
        }
    }
    fn default_limit() -> u32 {
        20
    }
    fn default_count_all() -> bool {
        true
    }
    fn default_needs_all() -> bool {
        true
    }
    fn default_show() -> bool {
        true
    }
}

/// How deviations are known again against another time, and which things there were then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// Columns, one or a list, that say in what a row deviates, without numbers: rows with the same texts are the same
    /// deviation.
    pub of: Names,
    /// A section of one column, read for this alone, whose rows say what had data in the time that is compared with, and
    /// in the one before that. This section has the column too. Deviations that are none from that time are left out and
    /// told in the summary, except of what is not among those rows. Default: all rows are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
}

/// Names, of sections of the same context or of columns: one, or a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Names(pub Vec<String>);

impl Names {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Names {
    fn from(names: OneOrMany) -> Self {
        Self(match names {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        })
    }
}

impl JsonSchema for Names {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Names, of sections of the same context or of columns: one, or a list.",
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minLength": 1,
            "minItems": 1,
        })
    }
}

/// Another section to be shown beside this one. Each row has the columns of its partners there, which have the same
/// value in a column, and a column `found_in`: `both`, `only here`, `only there` with the names of the two sections in
/// place of `here` and `there`, or `not known` where rows of the other were not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The other section.
    pub section: String,
    /// The column by which rows belong together; both sections select it.
    pub on: String,
}

impl Join {
    /// The column that says in which of the two sections a row was found.
    pub const FOUND_IN: &'static str = "found_in";
}

/// How a column is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Heading. Default: the column's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Unit of the values, shown in the heading, such as `ms`, `%` or `req/s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the value means, where the heading does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Decimals with which numbers are shown that are no whole ones. One of which fewer than three significant digits would be
    /// left is shown with three, so that a statement need not round. Default: as they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// What is shown for an empty text, such as `(no name)`. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
    /// Longest text shown, in characters; the rest is replaced by `…`. Default: 300. Statements leave the cut to it: what is cut
    /// before it is masked may be half of a secret, which nothing knows for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// What of a longer text is shown. Default: `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// What of a long text is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Its begin.
    #[default]
    Head,
    /// Its begin and its end, where a chain of exceptions names its cause.
    Ends,
}

/// A rule that turns rows into a sentence worth reading first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Highlight {
    /// The section whose rows are tested one by one as `row`. Without it the rule is tested once over `sections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When the sentence is said. Variables: `row`, `sections`, `parameters`, `window` with `from`, `to`, `hours`,
    /// `ends_now`, whether it ends now, so that records of now are of it, and `before`, what the time that it is compared
    /// with is called, to follow "the".
    pub when: Expression,
    /// How bad it is. Default: `info`.
    #[serde(default)]
    pub severity: Severity,
    /// The sentence.
    pub say: Template,
    /// At most so many sentences of this rule. Default: 3.
    #[serde(default = "Highlight::default_max")]
    pub max: u32,
}

impl Highlight {
    fn default_max() -> u32 {
        3
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Act now.
    Critical,
    /// Look soon.
    Warning,
    /// Worth knowing.
    #[default]
    Info,
}
