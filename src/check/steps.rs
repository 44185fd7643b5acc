//! Rules of steps, of content and of what is asked of the client: what may stand where, what is kept under which
//! name, and what the protocol does not let pass.

use base64::Engine as _;

use super::{
    form, kinds, sql,
    statements::{self, ActionSite, Within},
    tool_schemas,
};
use crate::{
    definition::{Action, Asks, CLIENT, Definition, Facts, Inside, Keeps, Period, Standing, Step, TaskSupport},
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// Codes that JSON-RPC and MCP give a meaning of their own.
const PROTOCOL_CODES: [i32; 10] = [-32002, -32700, -32600, -32601, -32602, -32603, -32042, -32020, -32021, -32022];

/// The range that JSON-RPC reserves.
const RESERVED: std::ops::RangeInclusive<i32> = -32768..=-32000;

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    if let Definition::Tool(tool) = definition {
        tool_schemas::check(document, tool, out);
    }
    let taken = statements::argument_names(definition);
    let mut rules = Rules { document, definition, taken, out };
    for site in statements::sites(definition) {
        rules.place(&site);
        rules.kept(&site);
        rules.content(&site);
        rules.values(&site);
    }
}

struct Rules<'a> {
    document: &'a Document,
    definition: &'a Definition,
    /// Names of arguments.
    taken: Vec<String>,
    out: &'a mut Vec<Diagnostic>,
}

impl Rules<'_> {
    fn say(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: &str) {
        self.out.push(self.document.finding(code, self.document.span(pointer), message).help(help));
    }

    /// What may stand where.
    fn place(&mut self, site: &ActionSite<'_>) {
        let at = format!("{}/action", site.pointer);
        let resource = matches!(self.definition, Definition::Resource(_));
        let facts = site.action.facts();
        if matches!(site.within, Within::Question(_)) && facts.asks != Asks::One {
            let help = "A question is `elicit`, `elicit.url`, `sample` or `roots`.";
            self.say(Code::MisplacedAction, &at, "this asks the client nothing", help);
        } else {
            match facts.place {
                Standing::Anywhere => {}
                Standing::Outermost if matches!(site.within, Within::Definition) => {}
                Standing::Outermost => {
                    let help = "Write its steps into the outer one, each with its `when:`.";
                    self.say(Code::MisplacedAction, &at, "a pipeline stands in a pipeline", help);
                }
                Standing::NotInResource if !resource => {}
                Standing::NotInResource => {
                    let help = "Write the URI into a text, or list the other resource.";
                    self.say(Code::MisplacedAction, &at, "the content of a resource holds no links", help);
                }
                Standing::StepOfTask => {
                    let tool = matches!(self.definition, Definition::Tool(tool) if tool.task != TaskSupport::None);
                    if !tool {
                        let help = "Add `task: optional` to the tool, or remove the step.";
                        self.say(Code::MisplacedAction, &at, "nothing here can go on as a task", help);
                    } else if !matches!(site.within, Within::Step(_)) {
                        let help = "Make it a step of a pipeline, behind what is done before.";
                        self.say(Code::MisplacedAction, &at, "a task needs something to go on with", help);
                    }
                }
            }
        }
        let empty = match facts.inside {
            Inside::Steps([]) => Some("steps"),
            Inside::Questions(questions) if questions.is_empty() => Some("questions"),
            Inside::Nothing | Inside::Steps(_) | Inside::Questions(_) => None,
        };
        if let Some(key) = empty {
            let at = format!("{}/{key}", site.pointer);
            self.say(Code::InvalidValue, &at, "must not be empty", "Without them the action does nothing.");
        }
        if let Inside::Steps(steps) = facts.inside {
            self.progress(&site.pointer, steps);
            self.together(&site.pointer, steps);
        }
    }

    /// Steps that run together, of which none waits for the client, and none keeps what another keeps.
    fn together(&mut self, pointer: &str, steps: &[Step]) {
        for (first, together) in statements::groups(steps) {
            for (n, step) in together.iter().enumerate() {
                let at = format!("{pointer}/steps/{}", first + n);
                if first + n == 0 && step.beside {
                    let help = "Remove `beside:`, or write the step behind another.";
                    self.say(Code::MisplacedAction, &format!("{at}/beside"), "the first step has none before it", help);
                }
                let facts = step.run.facts();
                let waits = facts.asks != Asks::Nothing || facts.place == Standing::StepOfTask;
                if waits && (together.len() > 1 || step.optional) {
                    let key = if step.optional { "optional" } else { "run/action" };
                    let help = "Ask in a step of its own, before or after those that run together.";
                    self.say(Code::MisplacedAction, &format!("{at}/{key}"), "this step waits for the client", help);
                }
                let names = together.iter().take(n).filter_map(|earlier| earlier.keep.as_ref());
                if step.keep.as_ref().is_some_and(|name| names.into_iter().any(|earlier| earlier == name)) {
                    let message = "a step that runs together with it keeps its output under this name";
                    self.say(Code::KeptName, &format!("{at}/as"), message, "Choose another name.");
                }
            }
        }
    }

    /// Names behind `as:`.
    fn kept(&mut self, site: &ActionSite<'_>) {
        let Some((step, around)) = site.around() else { return };
        let Some(name) = &step.keep else {
            if site.action.facts().asks != Asks::Nothing && matches!(site.within, Within::Step(_)) {
                let at = format!("{}/action", site.pointer);
                let help = "Add `as:` beside `run:`, and use the answer in a later step.";
                self.say(Code::UnkeptAnswer, &at, "the answer of the client is not kept", help);
            }
            return;
        };
        let at = format!("{around}/as");
        let name = &**name;
        if matches!(site.within, Within::Question(_)) {
            let help = "Remove `as:`; the answer stands under the name of the question.";
            return self.say(Code::KeptName, &at, "a question is kept under its own name", help);
        }
        if let Facts { word, keeps: Keeps::Nothing, .. } = site.action.facts() {
            let message = format!("`{word}` has no output that could be kept");
            return self.say(Code::KeptName, &at, message, "Remove `as:`.");
        }
        if !kinds::is_plain(name) {
            let message = format!("`{name}` is not a name that a template can use");
            return self.say(Code::KeptName, &at, message, "Use letters, digits and `_`, not beginning with a digit.");
        }
        let why = if site.kept.iter().any(|(kept, _)| *kept == name) {
            "an earlier step keeps its output under this name"
        } else if self.taken.iter().any(|taken| taken == name) {
            "an argument has this name"
        } else if name == CLIENT || sql::ENGINE_VARIABLES.contains(&name) {
            "the engine sets a variable of this name"
        } else {
            return;
        };
        self.say(Code::KeptName, &at, format!("`{name}` is taken: {why}"), "Choose another name.");
    }

    /// Content beyond text.
    fn content(&mut self, site: &ActionSite<'_>) {
        let pointer = &site.pointer;
        match site.action {
            Action::Image { data, .. } | Action::Audio { data, .. } => self.base64(&format!("{pointer}/data"), data),
            Action::Embed { uri, mime_type, text, blob } => {
                let action = format!("{pointer}/action");
                match (text, blob) {
                    (Some(_), Some(_)) => {
                        let help = "Keep one of the two.";
                        self.say(Code::EmbeddedContent, &format!("{pointer}/blob"), "the content is given twice", help);
                    }
                    (None, None) => {
                        let help = "Add `text:`, or `blob:` for what is binary.";
                        self.say(Code::EmbeddedContent, &action, "there is no content", help);
                    }
                    (_, Some(blob)) => self.base64(&format!("{pointer}/blob"), blob),
                    (Some(_), None) => {}
                }
                if !matches!(self.definition, Definition::Resource(_)) {
                    for (key, missing) in [("uri", uri.is_none()), ("mime_type", mime_type.is_none())] {
                        if missing {
                            let help = format!("Add `{key}:`. Only a resource has one of its own.");
                            self.say(Code::EmbeddedContent, &action, format!("`{key}` is missing"), &help);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn base64(&mut self, pointer: &str, text: &str) {
        if text.contains("{{") || text.contains("{%") {
            return;
        }
        let packed: String = text.split_whitespace().collect();
        if let Err(error) = base64::engine::general_purpose::STANDARD.decode(&packed) {
            let message = format!(
                "this is not base64: {}",
                crate::diagnostic::lower_first(error.to_string().trim_end_matches('.'))
            );
            self.say(Code::Base64, pointer, message, "Encode the file: `base64 -w0 picture.png`.");
        }
    }

    /// Values that the protocol or the engine does not take.
    fn values(&mut self, site: &ActionSite<'_>) {
        let pointer = &site.pointer;
        match site.action {
            Action::Elicit { schema, .. } => form::check(self.document, &format!("{pointer}/schema"), schema, self.out),
            Action::Fail { code: Some(code), .. } if RESERVED.contains(code) && !PROTOCOL_CODES.contains(code) => {
                let message = format!("{code} is reserved by JSON-RPC");
                let help = "Use a number outside of -32768 to -32000, or one with a meaning: -32602, -32603.";
                self.say(Code::ErrorCode, &format!("{pointer}/code"), message, help);
            }
            Action::Delay { period } if !period.contains("{{") && !period.contains("{%") => {
                if let Err(error) = Period::parse(period.trim()) {
                    let help = "Write a number and a unit: `50ms`, `2s`, or `{{ seconds }}s`.";
                    self.say(Code::InvalidValue, &format!("{pointer}/for"), error, help);
                }
            }
            Action::Progress { progress, total: Some(total), .. } if progress > total => {
                let message = format!("{progress} of {total} is more than there is");
                self.say(Code::ProgressOrder, &format!("{pointer}/progress"), message, "Raise `total:`.");
            }
            _ => {}
        }
    }

    /// Progress grows from step to step; steps with a condition may stand for each other.
    fn progress(&mut self, pointer: &str, steps: &[Step]) {
        let mut last: Option<f64> = None;
        for (n, step) in steps.iter().enumerate().filter(|(_, step)| step.when.is_none()) {
            let Action::Progress { progress, .. } = &*step.run else { continue };
            if let Some(before) = last.filter(|before| progress <= before) {
                let at = format!("{pointer}/steps/{n}/run/progress");
                let message = format!("the progress does not grow: {before} was told before");
                self.say(Code::ProgressOrder, &at, message, "Use a greater number.");
            }
            last = Some(*progress);
        }
    }
}
