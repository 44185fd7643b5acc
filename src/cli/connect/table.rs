//! The clients that are known: `clients.yaml` as types, and where their files lie on this machine.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

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
    pub afterwards: String,
}

/// A file of a client, as the table writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    file: String,
    at: Vec<String>,
    /// The entry of a server at an address, where it differs in this file.
    #[serde(default)]
    pub http: Option<Map<String, Value>>,
}

/// A file of a client on this machine.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub path: PathBuf,
    /// The keys that lead to the servers.
    pub at: Vec<String>,
    pub http: Option<Map<String, Value>>,
}

/// Folders that the files lie in. Nothing is ever written outside of them.
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
    pub(super) fn hold(&self, path: &Path, scope: Scope) -> bool {
        let mut folders = vec![&self.project];
        if scope != Scope::Project {
            folders = vec![&self.home, &self.config, &self.support];
        }
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
            .map(|file| Place {
                path: PathBuf::from(folders.fill(&file.file)),
                at: file.at.iter().map(|key| folders.fill(key)).collect(),
                http: file.http.clone(),
            })
            .collect();
        let there = |place: &&Place| place.path.exists();
        let folder = |place: &&Place| place.path.parent().is_some_and(Path::is_dir);
        places.iter().find(there).or_else(|| places.iter().find(folder)).or_else(|| places.first()).cloned()
    }

    /// The template of a link, for a server that is started or one at an address.
    pub(super) fn link(&self, http: bool) -> Option<&str> {
        self.link.as_deref().or(self.link_http.as_deref().filter(|_| http))
    }
}

/// All clients by name.
pub(super) fn clients() -> anyhow::Result<IndexMap<String, Known>> {
    serde_yaml::from_str(include_str!("clients.yaml")).context("the table of clients cannot be read")
}
