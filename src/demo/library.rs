//! Scenarios by name or by path, and what is wrong with a file, with its place.

use std::{ops::Range, path::Path, sync::Arc};

use anyhow::Context as _;
use include_dir::{Dir, include_dir};

use super::{
    event::Severity,
    fleet::NODES,
    infrastructure,
    scenario::{FactKind, Scenario},
    world::World,
};
use crate::{
    diagnostic::{Code, Diagnostic, SourceFile, did_you_mean},
    load::yaml,
};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/demo/scenarios");

impl Scenario {
    /// Names of the embedded scenarios, sorted.
    pub fn names() -> Vec<String> {
        let stems = SCENARIOS.files().filter_map(|file| file.path().file_stem());
        let mut names: Vec<String> = stems.map(|stem| stem.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// An embedded scenario.
    pub fn embedded(name: &str) -> anyhow::Result<Self> {
        let file = SCENARIOS
            .get_file(format!("{name}.yaml"))
            .with_context(|| format!("there is no scenario `{name}`; there are {}", Self::names().join(", ")))?;
        Self::named(&format!("{name}.yaml"), file.contents_utf8().context("the scenario is not UTF-8")?)
            .map_err(|findings| told(&findings))
    }

    /// Reads a scenario of any name and proves that everything it names exists in the world.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::read("scenario.yaml", text).map_err(|findings| told(&findings))
    }

    /// Reads the text of a file. A scenario is called as its file is.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn named(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let scenario = Self::read(path, text)?;
        let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if scenario.name == stem {
            return Ok(scenario);
        }
        let message = format!("the scenario in `{stem}.yaml` calls itself `{}`", scenario.name);
        let reader = Reader::new(path, text);
        Err(vec![reader.finding(Code::NameStem, "/name", message).help(format!("Write `name: {stem}`."))])
    }

    fn read(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let reader = Reader::new(path, text);
        if !reader.parsed.faults.is_empty() {
            let of = |fault: &yaml::Fault| {
                Diagnostic::new(Code::YamlSyntax, &reader.file, fault.span.clone(), fault.message.clone())
            };
            return Err(reader.parsed.faults.iter().map(of).collect());
        }
        let scenario: Self = serde_saphyr::from_str(text).map_err(|error| {
            let at = error.location().map_or(0..0, |at| reader.place(at.line() as usize, at.column() as usize));
            let message = error.without_snippet().to_string();
            vec![Diagnostic::new(Code::InvalidValue, &reader.file, at, message)]
        })?;
        let world = World::embedded()
            .map_err(|error| vec![Diagnostic::new(Code::Unreadable, &reader.file, 0..0, format!("{error:#}"))])?;
        let mut checker = Checker { reader: &reader, world, findings: Vec::new() };
        checker.scenario(&scenario);
        if checker.findings.is_empty() { Ok(scenario) } else { Err(checker.findings) }
    }
}

fn told(findings: &[Diagnostic]) -> anyhow::Error {
    let lines = findings.iter().map(|finding| {
        let (line, column) = finding.line_column();
        format!("{}:{line}:{column}: {}", finding.at.file.path, finding.message)
    });
    anyhow::anyhow!("{}", lines.collect::<Vec<_>>().join("\n"))
}

struct Reader {
    file: Arc<SourceFile>,
    parsed: yaml::Parsed,
}

impl Reader {
    fn new(path: &str, text: &str) -> Self {
        Self { file: SourceFile::new(path, text.to_owned()), parsed: yaml::parse(text) }
    }

    /// A finding at the value of a JSON pointer.
    fn finding(&self, code: Code, pointer: &str, message: String) -> Diagnostic {
        let span = self.parsed.root.find(pointer).map_or(0..0, |(_, node)| node.span.clone());
        Diagnostic::new(code, &self.file, span, message)
    }

    /// The rest of a word at a line and column, both from 1.
    fn place(&self, line: usize, column: usize) -> Range<usize> {
        let start = self.file.line_start(line);
        let rest = self.file.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let skipped: usize = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        let word = rest.get(skipped..).unwrap_or_default();
        let length = word.find([',', '}', ':', ' ']).unwrap_or(word.len());
        start + skipped..start + skipped + length.max(1)
    }
}

/// Looks for what a scenario names and the world has not.
struct Checker<'a> {
    reader: &'a Reader,
    world: &'static World,
    findings: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn scenario(&mut self, scenario: &Scenario) {
        let codes: Vec<&str> = self.world.organizations.iter().map(|known| known.spec.code.as_str()).collect();
        self.known("organisation", &codes, &scenario.organization, "/organization");
        for (n, name) in scenario.blast_radius.iter().enumerate() {
            self.service(name, &format!("/blast_radius/{n}"));
        }
        self.effects(scenario);
        let lists = [
            ("changes", scenario.changes.iter().map(|c| c.service.as_str()).collect::<Vec<_>>()),
            ("metrics", scenario.metrics.iter().map(|m| m.service.as_str()).collect()),
            ("logs", scenario.logs.iter().map(|l| l.service.as_str()).collect()),
            ("alerts", scenario.alerts.iter().map(|a| a.service.as_str()).collect()),
            ("anomalies", scenario.anomalies.iter().map(|a| a.service.as_str()).collect()),
            ("kubernetes_events", scenario.kubernetes_events.iter().map(|e| e.service.as_str()).collect()),
            ("pods", scenario.pods.iter().map(|p| p.service.as_str()).collect()),
        ];
        for (list, services) in lists {
            for (n, service) in services.into_iter().enumerate() {
                self.service(service, &format!("/{list}/{n}/service"));
            }
        }
        for (n, line) in scenario.logs.iter().enumerate() {
            self.severity(&line.severity, &format!("/logs/{n}/severity"));
        }
        let entries: Vec<String> =
            self.world.entries.iter().map(|(o, _)| format!("{} {}", o.service.name, o.name)).collect();
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        for (n, traffic) in scenario.traffic.iter().enumerate() {
            self.known("entry", &entries, &traffic.entry, &format!("/traffic/{n}/entry"));
        }
        for (n, audit) in scenario.audits.iter().enumerate() {
            self.known("deed", &infrastructure::actions(), &audit.action, &format!("/audits/{n}/action"));
        }
        for (n, effect) in scenario.nodes.iter().enumerate().filter(|(_, effect)| !(1..=NODES).contains(&effect.node)) {
            let message = format!("there is no node {}; there are {NODES}", effect.node);
            self.findings.push(self.reader.finding(Code::InvalidValue, &format!("/nodes/{n}/node"), message));
        }
        self.facts(scenario);
    }

    fn effects(&mut self, scenario: &Scenario) {
        let stores: Vec<&str> = self.world.stores.iter().map(|store| store.name.as_str()).collect();
        for (n, effect) in scenario.effects.iter().enumerate() {
            let at = |rest: &str| format!("/effects/{n}/{rest}");
            self.service(&effect.service, &at("service"));
            let own = self.world.operations.iter().filter(|operation| operation.service.name == effect.service);
            let own: Vec<&str> = own.map(|operation| operation.name.as_str()).collect();
            if let Some(name) = effect.operation.as_ref().filter(|_| !own.is_empty()) {
                self.known(&format!("operation of `{}`", effect.service), &own, name, &at("operation"));
            }
            if let Some(wait) = &effect.wait {
                self.known("store", &stores, &wait.store, &at("wait/store"));
            }
            if let Some(store) = &effect.store {
                self.known("store", &stores, &store.name, &at("store/name"));
            }
            if let Some(log) = &effect.log {
                self.severity(&log.severity, &at("log/severity"));
            }
        }
    }

    fn facts(&mut self, scenario: &Scenario) {
        for (n, fact) in scenario.facts.iter().enumerate() {
            if let Some(service) = &fact.service {
                self.service(service, &format!("/facts/{n}/service"));
            }
            let (complete, needs) = match fact.kind {
                FactKind::Quiet => (true, ""),
                FactKind::Origin => (fact.service.is_some(), "`service`"),
                FactKind::Time => (fact.at.is_some() && fact.within.is_some(), "`at` and `within`"),
                _ => (fact.is.is_some(), "`is`"),
            };
            if !complete {
                let message = format!("a fact of this kind needs {needs}");
                self.findings.push(self.reader.finding(Code::MissingField, &format!("/facts/{n}/kind"), message));
            }
        }
    }

    fn service(&mut self, name: &str, pointer: &str) {
        let known: Vec<&str> = self.world.services.iter().map(|service| service.name.as_str()).collect();
        self.known("service", &known, name, pointer);
    }

    fn severity(&mut self, word: &str, pointer: &str) {
        if Severity::parse(word).is_none() {
            let message = format!("`{word}` is no severity; write INFO, WARN, ERROR or FATAL");
            self.findings.push(self.reader.finding(Code::UnknownChoice, pointer, message));
        }
    }

    fn known(&mut self, what: &str, known: &[&str], name: &str, pointer: &str) {
        if known.contains(&name) {
            return;
        }
        let finding = self.reader.finding(Code::UnknownReference, pointer, format!("there is no {what} `{name}`"));
        self.findings.push(match did_you_mean(name, known.iter().copied()) {
            Some(meant) => finding.help(format!("Did you mean `{meant}`?")),
            None => finding.help(format!("There are: {}.", known.join(", "))),
        });
    }
}
