//! The one table of codes. A code never changes its meaning; a new kind of finding gets a new number.
//!
//! `docs/diagnostics.md` is printed from here ([`reference`]) and compared by a test.

use std::fmt::Write as _;

use super::Severity;

/// What a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub code: &'static str,
    /// The name in kebab case.
    pub name: &'static str,
    pub severity: Severity,
    /// What is wrong, and why it matters.
    pub meaning: &'static str,
    /// An example of how it is put right.
    pub fix: &'static str,
}

macro_rules! rules {
    ($($variant:ident $code:literal $name:literal $severity:ident $meaning:literal $fix:literal)*) => {
        /// The code of a finding, such as `TFO0011`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($variant),* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            pub const fn rule(self) -> &'static Rule {
                match self {
                    $(Code::$variant => &Rule {
                        code: $code, name: $name, severity: Severity::$severity, meaning: $meaning, fix: $fix,
                    }),*
                }
            }

            pub const fn as_str(self) -> &'static str {
                self.rule().code
            }
        }
    };
}

rules! {
    // Files and YAML.
    Unreadable "TFO0001" "unreadable-file" Error
        "A file or folder cannot be read: it does not exist, permission is denied, or links lead in a circle."
        "Correct the path, the permissions or the link."
    TooLarge "TFO0002" "file-too-large" Error
        "A file is larger than 1 MiB. A definition of that size is a mistake, such as data that was put into a folder of definitions."
        "Move data out of the pack, or split the definition."
    NotUtf8 "TFO0003" "not-utf8" Error
        "A file is not UTF-8 text."
        "Save it as UTF-8: `iconv -f latin1 -t utf-8 old.yaml > new.yaml`."
    YamlSyntax "TFO0004" "yaml-syntax" Error
        "A file is not YAML. Nothing else of it could be checked."
        "Put text with special characters in quotes: `title: \"Errors: the last hour\"`."
    DuplicateKey "TFO0005" "duplicate-key" Error
        "A key stands twice in one mapping; only one of the two could count."
        "Remove one of them."
    YamlFeature "TFO0006" "yaml-feature" Error
        "A file uses a part of YAML that definitions do not have: tags, merge keys, keys that are not text, several documents, or aliases that grow without bounds."
        "Write the value out."
    IgnoredFile "TFO0007" "ignored-file" Warning
        "A file lies in a folder of definitions but is not read because of its name."
        "Rename `latency.yml` to `latency.yaml`."
    EmptyPack "TFO0008" "empty-pack" Error
        "A pack holds nothing: none of the folders `definitions`, `personas` and `prompts` has a file that is read."
        "Name the folder that contains `definitions/`, not `definitions/` itself."

    // Shape: what the JSON Schema of a kind says.
    UnknownKind "TFO0010" "unknown-kind" Error
        "The first key of a definition says what it defines: `kind: tool`. It is missing or not one of the known kinds."
        "Write `kind: context` as the first line."
    UnknownField "TFO0011" "unknown-field" Error
        "A key is not part of the language. It would have no effect."
        "Correct the spelling: `statment:` → `statement:`."
    MissingField "TFO0012" "missing-field" Error
        "A required key is missing."
        "Add it; the schema and the editor say what it means."
    WrongType "TFO0013" "wrong-type" Error
        "A value has another type than the key takes, such as a number where text is expected."
        "Write durations and sizes with a unit (`5s`, `64KiB`) and put text that looks like a number in quotes."
    UnknownChoice "TFO0014" "unknown-choice" Error
        "A value is not one of the words that the key takes."
        "Use one of the words of the message."
    InvalidValue "TFO0015" "invalid-value" Error
        "A value has the right type but breaks a rule of the key: a pattern, a bound, a length."
        "Correct the value as the message says."

    // Names.
    NameStem "TFO0020" "name-is-not-stem" Error
        "`name` differs from the name of the file. One definition a file, found by its name, is a rule of every pack."
        "Rename the file or the definition: `latency.yaml` holds `name: latency`."
    DuplicateName "TFO0021" "duplicate-name" Error
        "Two definitions of one kind in one pack have the same name."
        "Rename one of them."
    MissingOverride "TFO0022" "missing-override" Error
        "A definition has the name of one in an earlier pack and does not say that it replaces it."
        "Add `override: true`, or choose another name."
    OverridesNothing "TFO0023" "overrides-nothing" Error
        "A definition says `override: true`, but no earlier pack has a definition of that kind and name."
        "Correct the name, or remove `override: true`."
    AliasCollision "TFO0024" "alias-collision" Error
        "An alias of a context type is also the name or an alias of another, so that one of the two could never be asked for."
        "Remove the alias from one of them."

    // References.
    UnknownReference "TFO0030" "unknown-reference" Error
        "A definition names a persona, provider, toolset, context type, insight or list of known values that no pack defines."
        "Correct the name, or add the definition."
    UnknownSection "TFO0031" "unknown-section" Error
        "A highlight or template names a section that the context does not have."
        "Use a key of `sections:`."
    UnknownSource "TFO0032" "unknown-source" Error
        "A query names a source that does not exist. Definitions know four: `telemetry`, `platform`, `analytics`, `state`."
        "Write `source: telemetry`."
    FallbackPersona "TFO0033" "fallback-persona" Error
        "A catalog needs exactly one persona with `fallback: true`."
        "Set `fallback: true` on one persona, and on no other."
    UnusedPersona "TFO0034" "unused-persona" Warning
        "No context type names this persona, and it is not the fallback."
        "Name it in the context type that it reads best, or delete it."
    UnknownArgument "TFO0035" "unknown-argument" Error
        "An argument in `with:` or in an example is one that the action or the definition does not read."
        "Use one of the arguments of the message."
    FallbackLoop "TFO0036" "fallback-loop" Error
        "The fallbacks of providers lead in a circle."
        "Remove `fallback:` from one of them."
    ModelList "TFO0037" "model-list" Error
        "The models of a provider do not agree with each other: two have the same identifier, or the default model is not among them."
        "Add the model to `models:`, or correct `default_model:`."
    UnknownColumn "TFO0038" "unknown-column" Error
        "A highlight, a summary or `columns:` names a column that no statement of the section selects."
        "Use a name behind `AS` in the statement."
    AbsentSection "TFO0039" "absent-section" Error
        "A template reads a section, or the output of a step, that is left out when its `when:` does not hold, or what the output of a step does not have when that failed, without asking whether it is there."
        "Write `{% if sections.rules is defined %}…{% endif %}`; of a step, `{% if rules is defined %}…{% endif %}`; of an `optional` one, `{% if rules.rows is defined %}…{% endif %}`."

    // Parameters.
    ValueMismatch "TFO0040" "value-does-not-fit" Error
        "A default, an allowed value or an example does not fit the type, the choices or the bounds of its parameter."
        "Correct the value: a parameter of type `integer` has `default: 10`, not `default: \"10\"`."
    ArrayItems "TFO0041" "array-without-items" Error
        "An array does not say what its items are. Some clients refuse a tool whose schema has an array without items."
        "Add `items: string`."
    MissingDescription "TFO0042" "missing-description" Error
        "A parameter of a tool or an argument of a prompt has no description. It is all that a model knows about it."
        "Add `description:` with meaning, unit and effect."
    UnreadParameter "TFO0043" "unread-parameter" Error
        "The action does not read a parameter that is declared, so a caller would set it in vain."
        "Correct the name, use the parameter in the template or statement, or remove it."
    Constraints "TFO0044" "contradictory-constraints" Error
        "The constraints of a parameter contradict each other or its type."
        "Remove one of them, such as `minimum:` from a parameter of type `string`."
    PeriodOrder "TFO0045" "period-order" Error
        "A shorter bound is longer than the longer one: the default window exceeds the longest window, or the smallest span the largest."
        "Swap them, or raise `max:`."
    ReservedName "TFO0046" "reserved-name" Error
        "A parameter has the name of a variable that the engine sets in every statement."
        "Choose another name."

    ParameterAlias "TFO0047" "parameter-alias" Error
        "An alias of a parameter is the name or an alias of another, or is not a name that every client takes."
        "Remove it, or choose another: letters, digits and `_`, not beginning with a digit."

    // Templates.
    TemplateSyntax "TFO0050" "template-syntax" Error
        "A Jinja template or expression cannot be parsed."
        "Close every `{% if %}` with `{% endif %}`; an expression (`when:`) has no braces around it."
    UndefinedVariable "TFO0051" "undefined-variable" Error
        "A template uses a variable that is not set there."
        "Correct the name, or declare the parameter."
    UnknownFilter "TFO0052" "unknown-filter" Error
        "A template uses a filter, test, function or method that does not exist there. Values have no methods."
        "Correct the name: the message says which is meant, or names some of those that exist. They are those of Jinja, and a few of this language."
    TemplateFeature "TFO0053" "template-feature" Error
        "A template includes, imports or extends another. Texts of definitions stand alone; SQL alone includes fragments."
        "Write the text out."
    RowsCounted "TFO0054" "rows-counted" Warning
        "A sentence counts or adds up the rows of a section. Where there are more rows than were read, the number is too small and does not say so."
        "Write `{{ sections.active.total }}`, or `{{ sections.active | tally('severity', 'equalto', 'critical') }}` for some of them; let SQL add up."

    // SQL.
    SqlFeature "TFO0060" "sql-template-feature" Error
        "A SQL template captures or generates text (`{% set x %}…{% endset %}`, macros, filter blocks, imports). Captured text would escape the binding of values."
        "Use `{% if %}`, `{% for %}`, `{{ value }}` and `{% include \"NAME\" %}` of a fragment only."
    QuotedPlaceholder "TFO0061" "quoted-placeholder" Error
        "A `{{ value }}` stands inside quotes or a comment. It becomes a placeholder, which a database does not see there."
        "Write `name = {{ name }}`, without quotes; build patterns in SQL: `concat('%', {{ text }}, '%')`."
    UnsafeIdentifier "TFO0062" "unsafe-identifier" Error
        "`| ident` splices a name into a statement. That is allowed only for a bare parameter with a list of choices (`enum:`) that are plain identifiers."
        "Give the parameter `enum: [service_name, operation_name]` and write `{{ column | ident }}`."
    UnboundTenant "TFO0063" "unbound-tenant" Error
        "A statement on tenants' data does not always bind `organization_id`: rows of other organisations could be answered."
        "Add `WHERE organization_id = {{ organization_id }}` outside of every `{% if %}`, or say `tenant: { none: why }`."
    SeveralStatements "TFO0064" "several-statements" Error
        "A SQL text holds more than one statement."
        "Keep one; make another section for the other."
    WriteStatement "TFO0065" "write-statement" Error
        "A statement writes. Definitions only read, and the database would refuse it."
        "Begin with `SELECT` or `WITH … SELECT`."
    UnaliasedColumn "TFO0066" "unaliased-column" Error
        "A bound value is selected as a column without a name. Its name would differ from backend to backend."
        "Write `{{ from }} AS window_start`."
    BrokenSql "TFO0067" "broken-sql" Error
        "A SQL text is empty, or a quote, comment or parenthesis is never closed."
        "Close it."
    SqlLint "TFO0068" "sql-lint" Warning
        "A parser of the dialect finds a mistake in the statement. Parsers know less than databases, so this is a warning; `validate --live` asks the database."
        "Correct the statement as the message says."
    MissingDialect "TFO0069" "missing-dialect" Warning
        "A statement is written per dialect, but not for every backend that the source may be bound to."
        "Add the missing text, such as `sqlite:` beside `postgres:` for the source `platform`."
    NeedlessTenant "TFO0070" "needless-tenant" Warning
        "`tenant: { none: … }` says that no tenant's rows are read, but the statement binds `organization_id`, or the source holds no tenants' data."
        "Remove `tenant:`."

    UnboundPart "TFO0071" "unbound-part" Error
        "A table that holds tenants' rows is read without being confined to the organisation. Its column has to equal `{{ organization_id }}` in a condition of its own of `WHERE`, `PREWHERE` or the `ON` that joins it, or the table has to be joined, on that column or on its path, to one that is confined. Each `SELECT` is judged by itself."
        "Add `AND t.organization_id = {{ organization_id }}`, not beside an `OR`, not inside `NOT`, `CASE`, `HAVING` or the select list; the `ON` of an outer join confines only the side that may be missing."

    RefusedStatement "TFO0072" "refused-statement" Error
        "A database that the settings bind refuses to plan a statement (`validate --live`)."
        "Correct the statement, or name what it needs under `requires:`."

    FoldedRollup "TFO0073" "folded-rollup" Error
        "A statement reads a rollup that adds up rows of several organisations: its sorting key lacks the organisation, so that a merge leaves sums of all under the identifier of one."
        "Read what has the organisation in its key: `logs` for `logs_1h`, `metrics_1m` for `metrics_5m`, `traces` for `service_error_rates_1h`."
    UnprovenTenant "TFO0074" "unproven-tenant" Error
        "It cannot be proved that a statement on tenants' data reads the organisation's rows only: it is not understood, or reads what no condition confines, such as a dictionary, a table behind `IN` or a table function."
        "Name each table behind `FROM` or `JOIN` and confine it, or say `tenant: { none: why }`."

    FragmentUse "TFO0075" "fragment-use" Error
        "A statement includes a fragment that does not exist, is of another source, includes itself or stands too deep, or the fragments of a query make more alternatives of it than sixteen."
        "Write `{% include \"name\" %}` with the name of a fragment of the same source."

    UnboundWorkspace "TFO0076" "unbound-workspace" Warning
        "A table whose rows belong to workspaces is read without being narrowed to the caller's, so that rows of other workspaces of the organisation count. Lists of `kind: tables` say which tables these are; joined by `id` to one that is narrowed, a table is narrowed too."
        "Add `{% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %}`, or say `workspace: { none: why }`."
    NeedlessWorkspace "TFO0077" "needless-workspace" Warning
        "`workspace: { none: … }` says that rows of all workspaces are meant, but every table that belongs to workspaces is narrowed to the caller's."
        "Remove `workspace:`."
    UnknownUse "TFO0078" "unknown-use" Error
        "`use:` names a parameter that no dictionary (`kind: parameters`) has, or a section that no context type has, that uses itself or that others use too deep."
        "Write `parameters: { use: [service] }` with a name of a dictionary, `use: service-health.alerts` with a context type and its section."
    SectionOrder "TFO0079" "section-order" Error
        "A section waits for itself, asks for rows of a section that it does not wait for, or is joined with one that it cannot be joined with."
        "Write `after: objectives` where the statement has `rows.objectives`; let no two sections wait for each other."

    // Tools and resources.
    UriTemplate "TFO0080" "uri-template" Error
        "The URI of a resource is malformed, or its variables are not the parameters."
        "Declare a parameter for each variable: `telemetry://context/{context_type}{?time_range}`."
    DuplicateUri "TFO0081" "duplicate-uri" Error
        "Two resources have the same URI."
        "Change one of them."
    Annotations "TFO0082" "annotations" Error
        "The annotations of a tool contradict its action or each other. Clients decide by them whether a person is asked first."
        "Left out, they follow from the actions: a tool that runs `sql` is shown as read-only."
    Portability "TFO0083" "tool-schema-portability" Error
        "The input schema of a tool uses something that widespread clients refuse."
        "Use names of letters, digits, `_` and `-`, at most 64; give every array its `items:`."
    InputSchema "TFO0084" "input-schema" Error
        "The `input_schema` of a tool is not a JSON Schema of an object, or stands beside `parameters`."
        "Write `type: object` at its top; keep one of `parameters` and `input_schema`."
    OutputSchema "TFO0085" "output-schema" Error
        "The `output_schema` of a tool is not a JSON Schema of an object, or nothing in the tool answers with structured content."
        "Write `type: object` at its top, and let `run:` be, or show, an action `json`, `sql`, `sql.query`, or `context.collect` with `format: json`."

    LongDescription "TFO0086" "long-description" Warning
        "A description is longer than 1,024 characters. Interfaces of OpenAI and Azure refuse every request that carries such a tool, and other clients cut it, or make tools of prompts and resources as well."
        "Say first what it does and when to use it, and leave out what the parameters say by themselves."
    OpenObject "TFO0087" "open-object" Warning
        "A parameter is an object that does not say what it holds. Clients that turn schemas into closed ones leave nothing that could be passed in it, and some refuse the tool."
        "Name what it holds under `properties:`, or take a list of texts."
    OpenWindow "TFO0088" "open-window" Warning
        "A section's statement on `telemetry` does not bind both ends of the window. It reads more than its document says, and more than it needs."
        "Write `timestamp >= {{ from }} AND timestamp < {{ to }}`."
    UnorderedRows "TFO0089" "unordered-rows" Warning
        "A section's statement has a `LIMIT` and no `ORDER BY`: which rows are left differs from call to call."
        "Order by what matters most, with a column at the end that tells all rows apart."

    // Steps and what is asked of the client.
    MisplacedAction "TFO0090" "misplaced-action" Error
        "An action stands where it cannot be run: a pipeline in a pipeline, something else than a question in `ask`, a link in a resource, a task where there is none."
        "Write the steps of the inner pipeline into the outer one."
    UnkeptAnswer "TFO0091" "unkept-answer" Error
        "A step asks the client and does not keep the answer, so that it would be shown as it is."
        "Add `as: answer` to the step, and use `{{ answer.content }}` in a later one."
    KeptName "TFO0092" "kept-name" Error
        "The name under which a step keeps its output is taken, cannot be used in templates, or the step has no output."
        "Choose another name behind `as:`."
    EmbeddedContent "TFO0093" "embedded-content" Error
        "What is embedded has no content or two, or lacks the URI or the media type that only a resource can leave out."
        "Give one of `text:` and `blob:`, and outside of resources `uri:` and `mime_type:`."
    Base64 "TFO0094" "base64" Error
        "A text that stands for binary content is not base64."
        "Encode it: `base64 -w0 picture.png`."
    FormSchema "TFO0095" "form-schema" Error
        "The schema of a form is not one that MCP allows: a flat object of texts, numbers, booleans and choices. Clients refuse to show anything else."
        "Split nested objects into properties of the form."
    ErrorCode "TFO0096" "error-code" Error
        "The code of a protocol error lies in the range that JSON-RPC reserves, and is none of those that have a meaning there."
        "Use a positive number, or `-32602` for wrong arguments and `-32603` for a failure."
    ProgressOrder "TFO0097" "progress-order" Error
        "The progress of a later step is not greater than that of an earlier one, or greater than the total. Clients drop such messages."
        "Let `progress:` grow from step to step."
    HttpRequest "TFO0098" "http-request" Error
        "A request over HTTP has two bodies, a body that its method does not have, or a header that is not a definition's to write."
        "Keep one of `json:` and `form:` with a method other than GET, and leave credentials to the settings of the service."
    KeptAnswer "TFO0099" "kept-answer" Error
        "`cache:` stands on a tool whose answer cannot be kept, because an action of it changes something, speaks to the client, or is about the moment or the caller; or an answer would be kept for more than an hour."
        "Remove `cache:`, or write a shorter lifetime: `cache: 30s`."
    SecretColumn "TFO0100" "secret-column" Error
        "A statement names a column that nobody may see, or reads a table that nobody may read. Lists of `kind: tables` name them under `private:` and `hidden:`; columns that are called as secrets are (`password`, `api_key`) count too."
        "Leave it out, or read a column that is not withheld."
    OptionWord "TFO0101" "option-word" Warning
        "A parameter is a whole word of a command's `argv:`, or begins one. A value such as `--output=/etc/passwd` would be an option of the program, not the text that was meant."
        "Put `--` before it, `--name={{ name }}` around it, or give the parameter `enum:` or a `pattern:` that does not begin with `-`."
    TakenName "TFO0102" "taken-name" Warning
        "A parameter of a tool has a name that some clients cannot pass: a keyword of Python, which agents that write code would have to use as a name, or one that a framework keeps for itself."
        "Call it otherwise, such as `service_name`, and let the old name be one of its `aliases:`."
    HiddenCharacter "TFO0103" "hidden-character" Warning
        "A character that nobody sees: a mark of direction, a soft hyphen, a zero width space. A text shows something else than it holds, and a name is another than it seems."
        "Remove it; it was mostly copied with the text."
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The page `docs/diagnostics.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Generated from src/diagnostic/code.rs: `UPDATE=1 cargo test --test it check::diagnostics_page` -->\n\
         # Diagnostics\n\n\
         What `tfo-mcp validate` finds. A code keeps its meaning for ever. Errors keep a definition from being served; \
         warnings do not.\n\n\
         | code | name | severity | meaning | example of a fix |\n|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let Rule { code, name, severity, meaning, fix } = code.rule();
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(page, "| {code} | {name} | {} | {} | {} |", severity.as_str(), cell(meaning), cell(fix));
    }
    page
}
