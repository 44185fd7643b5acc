//! `tfo-mcp info`: version, paths and the settings that are in force, with where each came from.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap,
    output::{self, BOLD, DIM},
};
use crate::settings::{Loaded, Origin, keys, without_effect};

/// Show version, paths and the settings in force with their origin
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also show settings that nobody set
    #[arg(long)]
    all: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let loaded = bootstrap::settings(common)?;
    let settings: Vec<(String, Value, &Origin)> = effective(&loaded)
        .into_iter()
        .map(|(key, value)| {
            let origin = loaded.origin(&key);
            (key, value, origin)
        })
        .filter(|(_, _, origin)| arguments.all || arguments.format == Form::Json || **origin != Origin::Default)
        .collect();
    match arguments.format {
        Form::Json => {
            let settings = with_origin(settings);
            output::json(&json!({
                "version": env!("CARGO_PKG_VERSION"),
                "executable": std::env::current_exe().ok(),
                "data_dir": loaded.data_dir,
                "settings_files": loaded.files,
                "settings": settings,
                "notices": loaded.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }))?;
        }
        Form::Text => output::write(&text(&loaded, settings))?,
    }
    Ok(Outcome::Done)
}

/// The settings in force with their origins, without secrets.
pub(super) fn settings(loaded: &Loaded) -> Value {
    let settings = effective(loaded).into_iter().map(|(key, value)| {
        let origin = loaded.origin(&key);
        (key, value, origin)
    });
    let version = env!("CARGO_PKG_VERSION");
    json!({ "version": version, "settings_files": loaded.files, "settings": with_origin(settings) })
}

fn with_origin<'l>(settings: impl IntoIterator<Item = (String, Value, &'l Origin)>) -> Map<String, Value> {
    let shown =
        |(key, value, origin): (String, Value, &Origin)| (key, json!({ "value": value, "origin": origin.to_string() }));
    settings.into_iter().map(shown).collect()
}

fn text(loaded: &Loaded, settings: Vec<(String, Value, &Origin)>) -> String {
    let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    let mut out = format!("{BOLD}tfo-mcp {}{BOLD:#}\n", env!("CARGO_PKG_VERSION"));
    let paths = [
        ("executable", std::env::current_exe().map_or("unknown".into(), |path| path.display().to_string())),
        ("data directory", loaded.data_dir.display().to_string()),
        ("settings files", if files.is_empty() { "none".into() } else { files.join(", ") }),
    ];
    let rows: Vec<Vec<String>> = paths.into_iter().map(|(name, path)| vec![format!("  {name}"), path]).collect();
    out += &output::columns(&rows);
    out += &format!("\n\n{BOLD}Settings{BOLD:#}\n");
    if settings.is_empty() {
        out += "  all defaults: see `tfo-mcp info --all`\n";
    }
    let rows: Vec<Vec<String>> = settings
        .into_iter()
        .map(|(key, value, origin)| {
            let vain = if without_effect(&key) { ", without effect in this version" } else { "" };
            vec![format!("  {key}"), show(&value), format!("({origin}{vain})")]
        })
        .collect();
    out += &output::columns(&rows);
    if !loaded.notices.is_empty() {
        out += &format!("\n\n{BOLD}Notes{BOLD:#}\n");
        out += &loaded.notices.iter().map(|notice| format!("  {notice}")).collect::<Vec<_>>().join("\n");
    }
    out += &format!("\n\n{DIM}`tfo-mcp doctor` says whether the sources answer.{DIM:#}");
    out
}

/// Every setting by key, defaults included; a setting without a value is null. Secrets are `***`.
fn effective(loaded: &Loaded) -> Vec<(String, Value)> {
    let settings = serde_json::to_value(&loaded.settings).unwrap_or_default();
    let mut all: Vec<(String, Value)> = Vec::new();
    let known = keys();
    let extra = loaded.origins.keys().filter(|key| !known.contains(key));
    for key in known.iter().chain(extra) {
        let value = settings.pointer(&format!("/{}", key.replace('.', "/"))).cloned().unwrap_or_default();
        // Sources and providers are objects: each value of theirs has an origin and a line of its own.
        let below = format!("{key}.");
        if !value.is_object() || !known.iter().chain(loaded.origins.keys()).any(|other| other.starts_with(&below)) {
            all.push((key.clone(), value));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "not set".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Object(members) if members.is_empty() => "none".into(),
        Value::Array(items) => items.iter().map(show).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
