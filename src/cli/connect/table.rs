//! The clients that are known: `clients.yaml` as types, and where their files lie on this machine.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueEnum;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::load;

/// Which of a client's files a server is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    /// For you, in every project.
    User,
    /// For everybody who works in this folder; the file is usually shared.
    Project,
    /// For you, in this folder alone.
    Local,
}

impl Scope {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
            Self::Local => "local",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub title: String,
    pub files: IndexMap<Scope, Vec<File>>,
    pub stdio: Map<String, Value>,
    pub http: Map<String, Value>,
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(default)]
    pub inputs: Option<Vec<String>>,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    link_http: Option<String>,
    #[serde(default)]
    pub paste: Option<String>,
    /// Lists in the file that name servers which are switched off.
    #[serde(default)]
    off: Vec<Vec<String>>,
    pub afterwards: String,
    /// In place of it where the file is the project's, which a person has to allow first.
    #[serde(default)]
    pub afterwards_in_project: Option<String>,
}

/// A file of a client, as the table writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    file: String,
    at: Vec<String>,
    /// Variables that lead to it elsewhere, `{}` standing for their values.
    #[serde(default)]
    moved: IndexMap<String, String>,
    /// The entry of a server at an address, where it differs in this file.
    #[serde(default)]
    pub http: Option<Map<String, Value>>,
}

/// A file of a client on this machine.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub path: PathBuf,
    /// The folder that a variable named, and the variable.
    pub moved: Option<(PathBuf, String)>,
    /// The keys that lead to the servers.
    pub at: Vec<String>,
    pub http: Option<Map<String, Value>>,
}

impl File {
    /// Where a variable of this shell leads to: the file, the folder that it lies in, the variable.
    fn elsewhere(&self) -> Option<(PathBuf, PathBuf, String)> {
        self.moved.iter().find_map(|(variable, pattern)| {
            let named = std::env::var_os(variable).filter(|value| !value.is_empty())?;
            let named = std::path::absolute(named).ok()?;
            let path = PathBuf::from(pattern.replace("{}", &named.to_string_lossy()));
            let folder = if path == named { path.parent()?.to_owned() } else { named };
            Some((path, folder, variable.clone()))
        })
    }
}

/// Folders that the files lie in. Nothing is ever written outside of them, and of what a client's own variable names.
#[derive(Debug)]
pub(super) struct Folders {
    home: PathBuf,
    config: PathBuf,
    support: PathBuf,
    pub project: PathBuf,
}

impl Folders {
    pub(super) fn of_this_machine() -> anyhow::Result<Self> {
        let home = dirs::home_dir().context("there is no home folder: set HOME")?;
        let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = named.unwrap_or_else(|| home.join(".config"));
        let support = dirs::config_dir().unwrap_or_else(|| config.clone());
        let project = std::env::current_dir().context("the working folder cannot be told")?;
        Ok(Self { home, config, support, project })
    }

    /// The folder in which a client starts a server.
    pub(super) fn of(&self, scope: Scope) -> &Path {
        if scope == Scope::User { &self.home } else { &self.project }
    }

    /// Whether a path, links followed, lies in one of the folders that `scope` may touch.
    pub(super) fn hold(&self, path: &Path, place: &Place, scope: Scope) -> bool {
        let folders = match scope {
            Scope::Project => vec![&self.project],
            Scope::User | Scope::Local => {
                let named = place.moved.as_ref().map(|(folder, _)| folder);
                [&self.home, &self.config, &self.support].into_iter().chain(named).collect()
            }
        };
        folders.into_iter().any(|folder| {
            let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            path.starts_with(folder)
        })
    }

    fn fill(&self, text: &str) -> String {
        let names =
            [("home", &self.home), ("config", &self.config), ("support", &self.support), ("project", &self.project)];
        names.iter().fold(text.to_owned(), |text, (name, folder)| {
            text.replace(&format!("{{{name}}}"), &folder.to_string_lossy())
        })
    }
}

impl Known {
    /// The file of a scope: of several the first that is there, or whose folder is; else the first.
    pub(super) fn place(&self, scope: Scope, folders: &Folders) -> Option<Place> {
        let places: Vec<Place> = self
            .files
            .get(&scope)?
            .iter()
            .map(|file| {
                let elsewhere = file.elsewhere();
                Place {
                    path: elsewhere.as_ref().map_or_else(|| folders.fill(&file.file).into(), |(path, ..)| path.clone()),
                    moved: elsewhere.map(|(_, folder, variable)| (folder, variable)),
                    at: file.at.iter().map(|key| folders.fill(key)).collect(),
                    http: file.http.clone(),
                }
            })
            .collect();
        if let Some(moved) = places.iter().find(|place| place.moved.is_some()) {
            return Some(moved.clone());
        }
        let there = |place: &&Place| place.path.exists();
        let folder = |place: &&Place| place.path.parent().is_some_and(Path::is_dir);
        places.iter().find(there).or_else(|| places.iter().find(folder)).or_else(|| places.first()).cloned()
    }

    /// Every key that a template of this client writes.
    pub(super) fn words(&self) -> impl Iterator<Item = &String> {
        let others = self.files.values().flatten().filter_map(|file| file.http.as_ref());
        self.stdio.keys().chain(self.http.keys()).chain(others.flat_map(Map::keys))
    }

    /// The lists of a document that switch a server off, where they name it.
    pub(super) fn lists_that_switch_off(&self, document: &Value, name: &str, folders: &Folders) -> Vec<String> {
        let names = |list: &&Vec<String>| {
            let list = list.iter().try_fold(document, |value, key| value.get(folders.fill(key)));
            list.and_then(Value::as_array).is_some_and(|list| list.iter().any(|off| off == name))
        };
        self.off.iter().filter(names).filter_map(|list| list.last().cloned()).collect()
    }

    /// The template of a link, for a server that is started or one at an address.
    pub(super) fn link(&self, http: bool) -> Option<&str> {
        self.link.as_deref().or(self.link_http.as_deref().filter(|_| http))
    }
}

/// Files of all clients by which they start a server: those of a project by their path in it, those of a person by their own.
pub(in crate::cli) fn starting() -> Vec<PathBuf> {
    let (clients, folders) = (clients().unwrap_or_default(), Folders::of_this_machine().ok());
    let paths = |file: &File| match file.file.strip_prefix("{project}/") {
        Some(below) => vec![PathBuf::from(below)],
        None => {
            let own = folders.as_ref().map(|folders| folders.fill(&file.file).into());
            own.into_iter().chain(file.elsewhere().map(|(path, ..)| path)).collect()
        }
    };
    let files = clients.values().flat_map(|client| client.files.values().flatten());
    let all: BTreeSet<PathBuf> = files.flat_map(paths).collect();
    all.into_iter().collect()
}

/// All clients by name.
pub(super) fn clients() -> anyhow::Result<IndexMap<String, Known>> {
    load::plain(include_str!("clients.yaml")).context("the table of clients cannot be read")
}
