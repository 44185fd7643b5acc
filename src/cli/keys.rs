//! `tfo-mcp keys`: the API keys of the HTTP transport.

use std::{collections::BTreeSet, fs, io, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bind, bootstrap, names,
    outcome::hinted,
    output,
};
use crate::{
    catalog::{Catalog, OWN_SQL},
    definition::Period,
    engine::{Engine, EngineOptions, listed, nearest, span},
    server::identity::keys::{self, Key},
    settings::Loaded,
};

/// Make, list, widen, narrow and revoke API keys of the HTTP transport
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Create(CreateArguments),
    /// List the keys, without their secrets
    List {
        /// Form of the list
        #[arg(long, value_enum, default_value_t)]
        format: Form,
    },
    /// Give a key scopes: running servers know within a second
    Grant(ScopeArguments),
    /// Take scopes from a key: running servers know within a second
    Withdraw(ScopeArguments),
    /// Revoke a key: it opens nothing from its next request on
    Revoke {
        /// Name of the key
        #[arg(add = names::of_keys())]
        name: String,
    },
}

/// Make a key and print it, once, on standard output
///
/// The key covers the organisations of `--organization UUID[,UUID…]`.
#[derive(Debug, Args)]
struct CreateArguments {
    /// What the key is called in lists and in the audit log
    #[arg(long, value_parser = name)]
    name: String,
    /// Workspace, for definitions that bind it
    #[arg(long, value_name = "UUID")]
    workspace: Option<uuid::Uuid>,
    /// User, for definitions that bind it
    #[arg(long, value_name = "UUID")]
    user: Option<uuid::Uuid>,
    /// Toolsets that the key opens; all unless given
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    toolset: Vec<String>,
    /// Scopes that the key has, for what asks for one, such as `sql.query` for statements of its own
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = scope)]
    scope: Vec<String>,
    /// What statements see as `{{ claims.NAME }}`; JSON, or a text
    #[arg(long, value_name = "NAME=VALUE", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// After how long the key ends, such as `90d`; never unless given
    #[arg(long, value_name = "PERIOD", value_parser = Period::parse)]
    expires: Option<Period>,
}

#[derive(Debug, Args)]
struct ScopeArguments {
    /// Name of the key
    #[arg(add = names::of_keys())]
    name: String,
    /// The scopes
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = scope, required = true)]
    scope: Vec<String>,
}

/// Longest name of a key, in characters.
const MAX_NAME: usize = 100;

/// A name that looks the same to everybody who reads it: in the list, in the audit log, in a file.
fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || " ._/:@+-".contains(c);
    if text.trim().is_empty() || text.trim() != text {
        return Err("a name is not empty and has no space around it".into());
    }
    if text.chars().count() > MAX_NAME || !text.chars().all(plain) || crate::template::clean(text) != text {
        return Err(format!("a name has up to {MAX_NAME} letters, digits, spaces and `._/:@+-`"));
    }
    Ok(text.to_owned())
}

/// A scope as RFC 6749 (3.3) allows it.
fn scope(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    match !text.is_empty() && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err("a scope is not empty and has no space, quote or backslash".into()),
    }
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("a name has letters, digits and `_`".into());
    }
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

/// The file of the keys: the one of the settings, else the one of the data directory.
pub(super) fn file(loaded: &Loaded) -> PathBuf {
    loaded.settings.auth.keys_file.clone().unwrap_or_else(|| loaded.data_dir.join("keys.yaml"))
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    // Here the flag says whose data the key opens: there may be several, which no setting takes.
    let loaded = bootstrap::settings(&SettingsArguments { organization: None, ..common.clone() })?;
    let path = file(&loaded);
    match &arguments.what {
        What::Create(create) => {
            check_names(&loaded, &create.toolset, &create.scope)?;
            let organizations = self::create(&path, common.organization.as_deref(), create)?;
            warn_of_unknown(&loaded, &organizations);
            Ok(Outcome::Done)
        }
        What::List { format } => list(&path, *format),
        What::Grant(grant) => {
            check_names(&loaded, &[], &grant.scope)?;
            change_scopes(&path, grant, |scopes| scopes.extend(grant.scope.iter().cloned()))
        }
        What::Withdraw(withdraw) => {
            change_scopes(&path, withdraw, |scopes| scopes.retain(|scope| !withdraw.scope.contains(scope)))
        }
        What::Revoke { name } => {
            let revoke = |keys: &mut Vec<Key>| {
                let before = keys.len();
                keys.retain(|key| key.name != *name);
                Ok(keys.len() < before)
            };
            match keys::change(&path, revoke).map_err(|error| at(&path, &error))? {
                true => output::say(&format!("revoked `{name}`; running servers know within a second")),
                false => return Err(unknown(name)),
            }
            Ok(Outcome::Done)
        }
    }
}

/// Refuses names that are nearly those of a toolset or a scope, and says of others that no definition knows them. The
/// definitions of a server elsewhere may be others than those here.
fn check_names(loaded: &Loaded, toolsets: &[String], scopes: &[String]) -> anyhow::Result<()> {
    if toolsets.is_empty() && scopes.is_empty() {
        return Ok(());
    }
    // What is wrong with definitions is not the matter here.
    let Some(catalog) = bootstrap::all_definitions(loaded) else { return Ok(()) };
    let known_toolsets: BTreeSet<&str> = catalog.toolsets.keys().map(String::as_str).collect();
    let known_scopes: BTreeSet<&str> = catalog.scopes().chain([OWN_SQL]).collect();
    for (what, names, known) in [("toolset", toolsets, &known_toolsets), ("scope", scopes, &known_scopes)] {
        for name in names.iter().filter(|name| !known.contains(name.as_str())) {
            let said = match what {
                "toolset" => format!("there is no toolset {}", span(name, 80)),
                _ => format!("no definition asks for the scope {}", span(name, 80)),
            };
            if let Some(near) = nearest(name, known.iter().copied()) {
                return Err(hinted(said, format!("did you mean `{near}`?")));
            }
            output::warning(&format!("{said}: it opens nothing here"));
            output::hint_line(&format!("known are {}", known.iter().copied().collect::<Vec<_>>().join(", ")));
        }
    }
    Ok(())
}

fn unknown(name: &str) -> anyhow::Error {
    hinted(format!("there is no key `{name}`"), "see the names with `tfo-mcp keys list`")
}

fn change_scopes(
    path: &std::path::Path,
    arguments: &ScopeArguments,
    change: impl FnOnce(&mut BTreeSet<String>),
) -> anyhow::Result<Outcome> {
    let changed = keys::change(path, |keys| {
        let Some(key) = keys.iter_mut().find(|key| key.name == arguments.name) else { return Ok(None) };
        let mut scopes = std::mem::take(&mut key.scopes).into_iter().collect();
        change(&mut scopes);
        key.scopes = scopes.into_iter().collect();
        Ok(Some(said(&key.scopes)))
    });
    let scopes = changed.map_err(|error| at(path, &error))?.ok_or_else(|| unknown(&arguments.name))?;
    output::say(&format!("`{}` has {scopes} now; running servers know within a second", arguments.name));
    Ok(Outcome::Done)
}

fn said(scopes: &[String]) -> String {
    match scopes {
        [] => "no scope".to_owned(),
        [one] => format!("the scope {one}"),
        several => format!("the scopes {}", several.join(",")),
    }
}

fn at(path: &std::path::Path, error: &io::Error) -> anyhow::Error {
    hinted(
        format!("the keys in {} cannot be used: {error}", path.display()),
        "the setting `auth.keys_file` names another file",
    )
}

/// Longest wait for the platform's list of organisations: the key is made already.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says which organisations of a key the platform does not list. Says nothing where it cannot be asked.
fn warn_of_unknown(loaded: &Loaded, organizations: &[String]) {
    let unasked = || {
        output::hint_line(
            "no platform could be asked whether it has that organisation: of one that is not there a key opens nothing",
        );
    };
    let Ok(sources) = bind::sources(loaded) else { return unasked() };
    let engine = Engine::new(Catalog::default(), sources, EngineOptions::default());
    let known = bootstrap::block_on(async {
        let known = tokio::time::timeout(PATIENCE, engine.organisations()).await;
        let _ = tokio::time::timeout(PATIENCE, engine.close()).await;
        Ok(known??)
    });
    let Ok(known) = known else { return unasked() };
    if known.is_empty() {
        unasked();
    }
    for id in organizations {
        // A list without anybody is one that this server may not read.
        if !known.is_empty() && !known.iter().any(|known| known.id.eq_ignore_ascii_case(id)) {
            output::warning(&format!("the platform lists no organisation {id}: the key opens nothing yet"));
            output::hint_line(&format!("it lists {}", listed(&known)));
        }
    }
}

/// Makes the key, prints it, and answers the organisations that it opens.
fn create(
    path: &std::path::Path,
    organizations: Option<&str>,
    create: &CreateArguments,
) -> anyhow::Result<Vec<String>> {
    let organizations = organizations.unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty());
    let organizations: Vec<String> = organizations
        .map(|id| {
            let hint = "write `--organization UUID[,UUID…]`, the `organization_id` of the platform's `organizations`";
            let uuid = uuid::Uuid::parse_str(id).map_err(|_| hinted(format!("`{id}` is no UUID"), hint))?;
            Ok(uuid.to_string())
        })
        .collect::<anyhow::Result<_>>()?;
    if organizations.is_empty() {
        return Err(hinted(
            "a key needs an organisation whose data it opens",
            "write `--organization UUID[,UUID…]`, the `organization_id` of the platform's `organizations`",
        ));
    }
    let created = keys::generate()?;
    let now = OffsetDateTime::now_utc().replace_nanosecond(0)?;
    let expires = match create.expires {
        None => None,
        Some(period) => Some(
            time::Duration::try_from(period.0)
                .ok()
                .and_then(|period| now.checked_add(period))
                .ok_or_else(|| hinted("`--expires` lies too far ahead", "write a shorter period, or none"))?,
        ),
    };
    let key = Key {
        name: create.name.clone(),
        id: created.id.clone(),
        sha256: created.sha256.clone(),
        created: now,
        expires,
        organizations: organizations.clone(),
        workspace: create.workspace.map(|id| id.to_string()),
        user: create.user.map(|id| id.to_string()),
        toolsets: (!create.toolset.is_empty()).then(|| create.toolset.clone()),
        scopes: create.scope.clone(),
        claims: create.claim.iter().cloned().collect::<Map<_, _>>(),
    };
    let taken = keys::change(path, |keys| {
        let taken = keys.iter().any(|other| other.name == key.name);
        if !taken {
            keys.push(key);
        }
        Ok(taken)
    });
    if taken.map_err(|error| at(path, &error))? {
        return Err(hinted(
            format!("there is a key `{}` already", create.name),
            "choose another name, or revoke it first with `tfo-mcp keys revoke`",
        ));
    }
    if let Err(error) = shown(&created.secret) {
        let back = keys::change(path, |keys| {
            keys.retain(|key| key.id != created.id);
            Ok(())
        });
        back.map_err(|error| at(path, &error))?;
        let hint = "run it where standard output can be read: the key is shown this one time";
        return Err(hinted(format!("the key could not be shown, and was taken back: {error}"), hint));
    }
    output::say(&format!("this is the only time that the key is shown; its fingerprint is in {}", path.display()));
    Ok(organizations)
}

/// Shows a key to whoever reads standard output.
fn shown(secret: &str) -> io::Result<()> {
    use std::os::{fd::AsFd, unix::fs::MetadataExt};
    let out = fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()?;
    // Also what is opened in place of a standard output that was closed.
    if fs::metadata("/dev/null").is_ok_and(|null| out.rdev() == null.rdev() && out.file_type() == null.file_type()) {
        return Err(io::Error::other("nobody reads standard output"));
    }
    output::write(&format!("{secret}\n"))
}

fn list(path: &std::path::Path, format: Form) -> anyhow::Result<Outcome> {
    let now = OffsetDateTime::now_utc();
    let keys = keys::read(path).map_err(|error| at(path, &error))?;
    let date = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    if format == Form::Json {
        let shown: Vec<Value> = keys
            .iter()
            .map(|key| {
                let mut shown = json!(key);
                if let Some(shown) = shown.as_object_mut() {
                    shown.shift_remove("sha256");
                    shown.insert("expired".into(), key.expired(now).into());
                }
                shown
            })
            .collect();
        output::json(&shown)?;
        return Ok(Outcome::Done);
    }
    if keys.is_empty() {
        output::say(&format!("there are no keys in {}", path.display()));
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            let ends = match key.expires {
                None => "never ends".to_owned(),
                Some(at) if key.expired(now) => format!("ended {}", date(at)),
                Some(at) => format!("ends {}", date(at)),
            };
            let id = format!("{}{}", keys::PREFIX, key.id);
            let toolsets = match &key.toolsets {
                None => "all toolsets".to_owned(),
                Some(names) => format!("toolsets {}", names.join(",")),
            };
            let mut row = vec![key.name.clone(), id, key.organizations.join(","), ends, said(&key.scopes), toolsets];
            let bound = [("workspace", &key.workspace), ("user", &key.user)].into_iter();
            let bound = bound.filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
            let claims = key.claims.iter().map(|(name, value)| format!("{name}={value}"));
            let further: Vec<String> = bound.chain(claims).collect();
            row.push(further.join(" "));
            row
        })
        .collect();
    output::write(&format!("{}\n", output::columns(&rows)))?;
    if keys.iter().any(|key| !key.expired(now) && !key.scopes.iter().any(|scope| scope == OWN_SQL)) {
        output::hint_line(&format!(
            "tools that take a caller's own SQL want the scope `{OWN_SQL}`: `tfo-mcp keys grant NAME --scope {OWN_SQL}`"
        ));
    }
    Ok(Outcome::Done)
}
