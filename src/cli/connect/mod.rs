//! `tfo-mcp connect`: this server in the configuration of a client, and one try of it.
//!
//! `table` knows the clients, `entry` says what is written in their words, `inputs` what they ask a person for, `edit`
//! changes their files in place, `write` replaces these, `trial` starts what was written, or calls it with what is `sent`.

mod diff;
mod edit;
mod entry;
mod inputs;
mod sent;
mod table;
mod trial;
mod write;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use anyhow::Context;
use base64::Engine as _;
use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    Outcome,
    arguments::SettingsArguments,
    bootstrap, names,
    outcome::hinted,
    output::{self, BAD, BOLD, DIM, GOOD},
};
use crate::{
    engine::{nearest, span},
    settings::ENV_PREFIX,
};
use diff::Line;
use edit::{Change, Format};
use entry::{Entry, Key, Target, Variable, Wanted};
pub(super) use table::starting;
use table::{Folders, Known, Place, Scope};

/// Connect a client: write this server into its configuration, and try it once
///
/// Without a CLIENT, lists those that are known. The client will start this program, with the settings that are given here as
/// flags; with `--url` it will call a server that runs. Comments and order of the file stay, a copy of it is kept beside it,
/// and a second run changes nothing.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The client
    #[arg(add = names::of_clients())]
    client: Option<String>,
    /// What the server is called in the client
    #[arg(long, default_value = "telemetryflow", value_parser = name)]
    name: String,
    /// Whose configuration is written [default: user]
    #[arg(long, value_enum)]
    scope: Option<Scope>,
    /// Address of a server that runs, such as `https://mcp.example.com/mcp`
    #[arg(long)]
    url: Option<String>,
    /// API key for it, written as it is into a file that only you may read
    #[arg(long, requires = "url", conflicts_with = "key_env")]
    key: Option<String>,
    /// Variable that holds the API key; the client reads it
    #[arg(long, requires = "url", value_name = "NAME", value_parser = variable_name)]
    key_env: Option<String>,
    /// Variable for the server that the client starts; without a value the client reads its own
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = variable, conflicts_with = "url")]
    env: Vec<Variable>,
    /// Print what belongs into the configuration, and write nothing
    #[arg(long, group = "instead")]
    print: bool,
    /// Show which lines of the file would change, and write nothing
    #[arg(long, group = "instead")]
    dry_run: bool,
    /// Print a link that adds the server when it is opened
    #[arg(long, group = "instead")]
    link: bool,
    /// Take the server out of the configuration
    #[arg(long, conflicts_with_all = ["url", "key", "key_env", "env", "print", "link"])]
    remove: bool,
}

fn name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match !text.is_empty() && text.len() <= 64 && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("a name has letters, digits, `-` and `_`, at most 64".into()),
    }
}

fn variable_name(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    match text.bytes().all(allowed) && text.bytes().next().is_some_and(|b| !b.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("a variable has letters, digits and `_`, and does not begin with a digit".into()),
    }
}

fn variable(text: &str) -> Result<Variable, String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value.to_owned())));
    Ok(Variable { name: variable_name(name)?, value })
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let clients = table::clients()?;
    let folders = Folders::of_this_machine()?;
    let Some(name) = &arguments.client else { return list(&clients, &folders) };
    let known = clients.get(name).ok_or_else(|| {
        let hint = match nearest(name, clients.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("clients: {}", clients.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        hinted(format!("there is no client {} here", span(name, 80)), hint)
    })?;
    let job = Job { arguments, known, folders, wanted: wanted(common, arguments)? };
    job.run()
}

/// The clients by name, with what they are called.
pub(super) fn titles() -> anyhow::Result<Vec<(String, String)>> {
    Ok(table::clients()?.into_iter().map(|(name, known)| (name, known.title)).collect())
}

/// The clients, and the files of those that are here.
fn list(clients: &indexmap::IndexMap<String, Known>, folders: &Folders) -> anyhow::Result<Outcome> {
    let rows: Vec<Vec<String>> = clients
        .iter()
        .map(|(name, known)| {
            let scopes = known.files.keys().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
            let file = known.place(Scope::User, folders).map(|place| place.path.display().to_string());
            let file = match &known.paste {
                Some(_) => "printed, to paste".to_owned(),
                None => file.unwrap_or_default(),
            };
            vec![format!("  {name}"), known.title.clone(), scopes, file]
        })
        .collect();
    output::write(&output::columns(&rows))?;
    Ok(Outcome::Done)
}

/// What was typed, as something that a client can be given.
fn wanted(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Wanted> {
    let target = match &arguments.url {
        Some(url) => {
            super::client::address(url)?;
            let key = arguments.key.clone().map(Key::Literal);
            let key = key.or_else(|| arguments.key_env.clone().map(Key::Named));
            Target::Http { url: url.clone(), key }
        }
        None => {
            let program = std::env::current_exe().context("cannot find the running program")?;
            let command = program.to_str().context("the path of this program is not UTF-8")?.to_owned();
            let mut args = vec!["serve".to_owned()];
            args.extend(common.typed()?);
            Target::Stdio { command, args, env: arguments.env.clone() }
        }
    };
    Ok(Wanted { name: arguments.name.clone(), target })
}

struct Job<'a> {
    arguments: &'a Arguments,
    known: &'a Known,
    folders: Folders,
    wanted: Wanted,
}

impl Job<'_> {
    fn run(&self) -> anyhow::Result<Outcome> {
        if self.arguments.link {
            return self.link();
        }
        let scope = self.arguments.scope.unwrap_or(Scope::User);
        let known = self.known;
        let place = known.place(scope, &self.folders).ok_or_else(|| {
            let scopes = known.files.keys().map(|scope| format!("`{}`", scope.name())).collect::<Vec<_>>();
            hinted(
                format!("{} has no file of the scope `{}`", known.title, scope.name()),
                format!("scopes: {}", scopes.join(", ")),
            )
        })?;
        let paste = known.paste.as_ref().filter(|_| self.arguments.scope.is_none() && !self.arguments.remove);
        if self.arguments.print || paste.is_some() {
            return self.print(&place, paste);
        }
        let path = write::target(&place.path)
            .with_context(|| format!("the file `{}` cannot be used", place.path.display()))?;
        if let Some((_, variable)) = &place.moved {
            output::say(&format!("`{variable}` is set: {} keeps its settings there", known.title));
        }
        if !self.folders.hold(&path, &place, scope) {
            return Err(hinted(
                format!(
                    "`{}` leads to `{}`, outside of the folders of {}",
                    place.path.display(),
                    path.display(),
                    known.title
                ),
                "change that file by hand: `--print` shows the entry",
            ));
        }
        let old = write::read(&path)?;
        self.change(scope, &Place { path, ..place }, &old)
    }

    fn print(&self, place: &Place, paste: Option<&String>) -> anyhow::Result<Outcome> {
        let entry = self.wanted.entry(self.known, place.http.as_ref(), None)?;
        let text = inputs::with(Format::of(&place.path), "", place, &self.wanted.name, &entry, self.known)?;
        output::write(&text)?;
        match paste {
            Some(paste) => output::hint_line(&format!("paste it: {paste}")),
            None => output::hint_line(&format!("it belongs into {}", place.path.display())),
        }
        Ok(Outcome::Done)
    }

    fn link(&self) -> anyhow::Result<Outcome> {
        let http = matches!(self.wanted.target, Target::Http { .. });
        let Some(link) = self.known.link(http) else {
            let all = table::clients()?;
            let able = all.iter().filter(|(_, known)| known.link(http).is_some()).map(|(name, _)| format!("`{name}`"));
            return Err(hinted(
                format!("{} opens no link that adds such a server", self.known.title),
                format!("these do: {}", able.collect::<Vec<_>>().join(", ")),
            ));
        };
        let whole = ["@BASE64@", "@JSON@"].iter().any(|entry| link.contains(entry));
        let mut entry = self.wanted.entry(self.known, None, None)?;
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let text = Value::Object(entry.value.clone()).to_string();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&text);
        let url = match &self.wanted.target {
            Target::Http { url, .. } => url.as_str(),
            Target::Stdio { .. } => "",
        };
        let mut named = Map::from_iter([("name".to_owned(), json!(self.wanted.name))]);
        named.append(&mut entry.value);
        if !entry.inputs.is_empty() {
            named.insert("inputs".to_owned(), entry.inputs.iter().map(inputs::asked_for).collect());
        }
        let link = link
            .replace("@NAME@", &encoded(&self.wanted.name))
            .replace("@URL@", &encoded(url))
            .replace("@BASE64@", &encoded(&base64))
            .replace("@JSON@", &encoded(&Value::Object(named).to_string()));
        output::write(&link)?;
        if !whole && matches!(self.wanted.target, Target::Http { key: Some(_), .. }) {
            output::warning(&format!(
                "a link of {} holds no key: without one the server refuses its calls",
                self.known.title
            ));
            output::hint_line("give the client the header `Authorization: Bearer KEY`, or connect it without `--link`");
        }
        Ok(Outcome::Done)
    }

    /// Changes the file, and tries what is in it then.
    fn change(&self, scope: Scope, place: &Place, file: &write::Text) -> anyhow::Result<Outcome> {
        let old = file.text.as_str();
        let shown = place.path.display();
        let name = &self.wanted.name;
        let format = Format::of(&place.path);
        let broken = |error: anyhow::Error| {
            let hint = "put it right, or add the entry by hand: `--print` shows it";
            hinted(format!("`{shown}` cannot be read: {error:#}"), hint)
        };
        let document = format.read(old).map_err(broken)?;
        let existing = edit::find(&document, &place.at, name).and_then(Value::as_object);
        if self.arguments.remove {
            return self.remove(place, file, existing);
        }
        let entry = self.wanted.entry(self.known, place.http.as_ref(), existing)?;
        self.judge_sharing(scope, place)?;
        let new = inputs::with(format, old, place, name, &entry, self.known)
            .with_context(|| format!("`{shown}` cannot be changed"))?;
        if self.arguments.dry_run {
            return show(old, &new, &place.path);
        }
        if new == old {
            output::say(&format!("{shown}: `{name}` is there already"));
        } else {
            let backup = write::replace(&place.path, &file.with(new), self.wanted.secret() && scope != Scope::Project)?;
            let kept = backup.map(|path| format!("; what was there before is in {}", path.display()));
            output::say(&format!("{shown}: `{name}` written{}", kept.unwrap_or_default()));
        }
        entry.remarks.iter().for_each(|remark| output::warning(remark));
        let off = self.known.lists_that_switch_off(&document, name, &self.folders);
        for list in &off {
            output::warning(&format!(
                "`{list}` in the same file names `{name}`: {} leaves it out until you take it from that list",
                self.known.title
            ));
        }
        self.unseen();
        let outcome = self.try_it(scope, place, &entry)?;
        if outcome == Outcome::Done && off.is_empty() {
            let of_project = self.known.afterwards_in_project.as_ref().filter(|_| scope == Scope::Project);
            output::hint_line(of_project.unwrap_or(&self.known.afterwards));
        }
        Ok(outcome)
    }

    /// A file of the project is seen by others.
    fn judge_sharing(&self, scope: Scope, place: &Place) -> anyhow::Result<()> {
        if scope != Scope::Project {
            return Ok(());
        }
        match &self.wanted.target {
            Target::Http { key: Some(Key::Literal(_)), .. } => Err(hinted(
                format!("`{}` is shared with everybody who works here, and a key is yours alone", place.path.display()),
                "name the variable that holds it with `--key-env NAME`, or use `--scope user`",
            )),
            Target::Stdio { env, .. } if env.iter().any(|variable| variable.value.is_some()) => {
                output::warning(&format!(
                    "{} is shared with everybody who works here: values that are secret belong there as `--env NAME`",
                    place.path.display()
                ));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Settings of this shell that the client will know nothing of.
    fn unseen(&self) {
        let Target::Stdio { env, .. } = &self.wanted.target else { return };
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut unseen: Vec<String> = names
            .filter(|name| name.starts_with(ENV_PREFIX) && !env.iter().any(|variable| variable.name == *name))
            .collect();
        unseen.sort();
        if !unseen.is_empty() {
            output::warning(&format!("set here, and unknown to the client: {}", unseen.join(", ")));
            output::hint_line("`--env NAME` lets the client pass it on, `--env NAME=VALUE` writes it into the file");
        }
    }

    fn remove(
        &self,
        place: &Place,
        file: &write::Text,
        existing: Option<&Map<String, Value>>,
    ) -> anyhow::Result<Outcome> {
        let old = file.text.as_str();
        let shown = place.path.display();
        let name = &self.wanted.name;
        let Some(existing) = existing else {
            output::say(&format!("{shown}: there is no `{name}`"));
            return Ok(Outcome::Done);
        };
        let format = Format::of(&place.path);
        let mut new = format.apply(old, &Change { at: &place.at, name, value: None })?;
        if let Some(at) = &self.known.inputs {
            new = inputs::without(format, &new, at, name, existing)?;
        }
        if self.arguments.dry_run {
            return show(old, &new, &place.path);
        }
        let backup = write::replace(&place.path, &file.with(new), false)?;
        let kept = backup.map(|path| format!("; what was there before is in {}", path.display()));
        output::say(&format!("{shown}: `{name}` taken out{}", kept.unwrap_or_default()));
        Ok(Outcome::Done)
    }

    fn try_it(&self, scope: Scope, place: &Place, entry: &Entry) -> anyhow::Result<Outcome> {
        // Values that a person put into the entry; those that the client fills in are not known here.
        let strings = entry.value.values().filter_map(Value::as_object).flatten();
        let more: BTreeMap<String, String> = strings
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .filter(|(_, value)| !value.contains('{'))
            .collect();
        let folder: PathBuf = self.folders.of(scope).to_owned();
        let template = place.http.as_ref().unwrap_or(&self.known.http);
        let headers = match self.wanted.target {
            Target::Http { .. } => sent::headers(&entry.value, template, self.known, &self.wanted.name),
            Target::Stdio { .. } => Ok(Vec::new()),
        };
        if let (Err(missing), true) = (&headers, self.known.inputs.is_some()) {
            output::say(&format!("not tried: {missing:#}; the client asks for it when it starts the server"));
            return Ok(Outcome::Done);
        }
        let tried =
            headers.and_then(|headers| bootstrap::block_on(trial::run(&self.wanted.target, &headers, &more, &folder)));
        Ok(match tried {
            Ok(tried) => {
                let tools = if tried.tools == 1 { "1 tool".to_owned() } else { format!("{} tools", tried.tools) };
                output::say(&format!(
                    "{GOOD}tried{GOOD:#}: {} {} answers after {} ms with {tools}",
                    tried.greeting.name,
                    tried.greeting.version,
                    tried.greeting.after.as_millis()
                ));
                if matches!(self.wanted.target, Target::Stdio { .. }) {
                    output::hint_line("no database was asked: `tfo-mcp doctor`, with the same settings, asks them");
                }
                Outcome::Done
            }
            Err(error) => {
                output::say(&format!("{BAD}tried{BAD:#}: it does not work yet: {error:#}"));
                if let Some(hint) = super::outcome::hint_of(&error) {
                    output::hint_line(hint);
                }
                if matches!(self.wanted.target, Target::Stdio { .. }) {
                    output::hint_line("`tfo-mcp doctor`, with the same settings, says more");
                }
                Outcome::Findings
            }
        })
    }
}

/// The lines that differ, without those around them: they may hold secrets of other servers.
fn show(old: &str, new: &str, path: &std::path::Path) -> anyhow::Result<Outcome> {
    let mut out = format!("{BOLD}{}{BOLD:#}\n", path.display());
    if old == new {
        out += "  nothing would change\n";
    }
    for line in diff::lines(old, new) {
        match line {
            Line::Gone(n, text) => writeln!(out, "{DIM}{n:>5}{DIM:#} {BAD}- {text}{BAD:#}")?,
            Line::New(n, text) => writeln!(out, "{DIM}{n:>5}{DIM:#} {GOOD}+ {text}{GOOD:#}")?,
        }
    }
    output::write(&out)?;
    Ok(Outcome::Done)
}
