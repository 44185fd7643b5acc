//! `tfo-mcp migrate platform --guard`: the guard in the platform's PostgreSQL, and its key.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{
    super::{Outcome, bind, bootstrap, outcome::hinted, output},
    Arguments, failed,
};
use crate::{
    definition::{LogicalSource, shipped_rules},
    settings::{Backend, Loaded, Postgres},
    source::postgres::{
        GuardKey,
        migration::{self, Platform},
    },
};

/// The file of a key that was made here.
const KEY_FILE: &str = "guard.key";

pub(super) fn run(loaded: &Loaded, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let source = match bind::backend(loaded, LogicalSource::Platform) {
        (Backend::Postgres(postgres), setting) => Some((postgres, setting.unwrap_or_default())),
        _ => None,
    };
    let administrator = arguments.url.as_deref().filter(|url| !url.is_empty()).map(SecretString::from);
    let own = source.as_ref().map(|(postgres, _)| SecretString::from(postgres.url.expose()));
    let url = administrator.clone().or_else(|| own.clone()).ok_or_else(|| {
        hinted(
            "the source `platform` is no PostgreSQL, and no URL is given",
            "set `database.postgres_url`, or give the URL of an administrator",
        )
    })?;
    let reader = match (&arguments.reader, &own) {
        (Some(reader), _) => reader.clone(),
        (None, Some(own)) => migration::user(own).map_err(|error| anyhow::anyhow!(error))?,
        (None, None) => return Err(hinted("no role is named that reads through the guard", "name it with `--reader`")),
    };
    let run = (!arguments.print).then_some(administrator).flatten();
    if arguments.drop {
        return done(
            &migration::without_guard(&reader),
            run.as_ref(),
            "the guard is gone; take `guard_key` out of the settings",
        );
    }
    let (platform, _) = source.unzip();
    let tables = bootstrap::block_on(async { Platform::read(&url).await.map_err(failed) })?;
    // Only now: a key that is made stays.
    let (key, origin) = key(loaded, platform.as_ref(), run.is_some())?;
    let guard_key = GuardKey::new(&key).map_err(failed)?;
    let rules = (*shipped_rules()).clone().with(&bootstrap::catalog(loaded)?.tables);
    let guard = tables.guard(&guard_key, &reader, &rules);
    if guard.served.is_empty() {
        return Err(hinted(
            "none of the tables has an `organization_id`",
            "check that the URL names the platform's database",
        ));
    }
    output::say(&format!("{} tables are served to the role `{reader}`", guard.served.len()));
    if !guard.left_out.is_empty() {
        output::say(&format!("left out, since nothing says whose their rows are: {}", guard.left_out.join(", ")));
    }
    let told = match &origin {
        KeyOrigin::Setting => "the key is that of the setting `guard_key`".to_owned(),
        KeyOrigin::File(path) => format!(
            "the key is in {}: give it to the server as `guard_key` of the source, such as with \
             TELEMETRYFLOW_MCP_DATABASE__GUARD_KEY=\"$(cat {})\"",
            path.display(),
            path.display()
        ),
        KeyOrigin::Printed => {
            "the key stands at the top of the SQL: give it to the server as `guard_key` of the source, \
                               and keep the SQL like a password"
                .to_owned()
        }
    };
    let sql = match origin {
        KeyOrigin::Printed => format!("-- guard_key: {}\n{}", secrecy::ExposeSecret::expose_secret(&key), guard.sql),
        _ => guard.sql,
    };
    let outcome = done(&sql, run.as_ref(), &told)?;
    output::say(&format!("the server has to log in as `{reader}`; `tfo-mcp doctor` says whether both locks hold"));
    Ok(outcome)
}

/// Runs the SQL, or prints it.
fn done(sql: &str, run: Option<&SecretString>, told: &str) -> anyhow::Result<Outcome> {
    match run {
        Some(url) => bootstrap::block_on(async { migration::apply(url, sql).await.map_err(failed) })?,
        None => output::write(sql)?,
    }
    output::say(told);
    Ok(Outcome::Done)
}

/// Where the key is.
enum KeyOrigin {
    Setting,
    File(PathBuf),
    Printed,
}

/// The key of the settings, else the one that was made here before, else a new one. A new one is kept in a file
/// where nobody would see it otherwise.
fn key(loaded: &Loaded, source: Option<&Postgres>, keep: bool) -> anyhow::Result<(SecretString, KeyOrigin)> {
    let set = source.and_then(|postgres| postgres.guard_key.as_ref()).or(loaded.settings.database.guard_key.as_ref());
    if let Some(key) = set {
        return Ok((SecretString::from(key.expose()), KeyOrigin::Setting));
    }
    let path = loaded.data_dir.join(KEY_FILE);
    let unusable = |error: io::Error| {
        hinted(
            format!("the key in {} cannot be used: {error}", path.display()),
            "set `guard_key` of the source instead",
        )
    };
    match fs::read_to_string(&path) {
        Ok(text) => return Ok((SecretString::from(text.trim()), KeyOrigin::File(path))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(error)),
    }
    let key = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    if !keep {
        return Ok((SecretString::from(key), KeyOrigin::Printed));
    }
    store(&loaded.data_dir, &path, &key).map_err(unusable)?;
    Ok((SecretString::from(key), KeyOrigin::File(path)))
}

fn store(folder: &Path, path: &Path, key: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{key}")
}
