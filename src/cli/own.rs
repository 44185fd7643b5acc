//! What belongs to the server itself: every file that settings name, and those that it keeps without being told.
//!
//! Not among them are packs, which their authors write with these very tools.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{bind, keys};
use crate::{
    definition::LogicalSource,
    settings::{AuditOutput, Backend, FILE_NAME, Loaded, TRUSTED},
    source::embedded::named_library,
};

/// Files and folders that tools neither read nor change. Some may not be there yet.
pub(super) fn own(loaded: &Loaded) -> Vec<PathBuf> {
    let settings = &loaded.settings;
    let data = &loaded.data_dir;
    let mut own = loaded.files.clone();
    // Settings of the next start, and which of them are trusted.
    let home = dirs::config_dir().map(|home| home.join("tfo-mcp"));
    own.extend(home.iter().flat_map(|home| [home.clone(), home.join(FILE_NAME), home.join(TRUSTED)]));
    // The files in it are named too, for somebody may open the folder itself.
    own.extend([data.clone(), data.join(FILE_NAME), data.join("clickhouse"), data.join("libchdb"), keys::file(loaded)]);
    let http = &settings.server.http;
    own.extend([&http.tls_certificate, &http.tls_key, &settings.logging.output].into_iter().flatten().cloned());
    own.extend(settings.http.services.values().filter_map(|service| service.ca_file.clone()));
    if let Some(AuditOutput::File(file)) = &settings.audit.output {
        own.push(file.clone());
    }
    for name in LogicalSource::ALL {
        match bind::backend(loaded, name).0 {
            Backend::Sqlite(sqlite) => own.push(bind::sqlite_file(loaded, name, &sqlite)),
            Backend::EmbeddedClickhouse(embedded) => {
                // It is loaded as soon as it is there.
                own.push(named_library(data, embedded.library.as_deref()));
                own.extend([embedded.path, embedded.library].into_iter().flatten());
            }
            Backend::Clickhouse(_) | Backend::Postgres(_) => {}
        }
    }
    own
}

/// The program of this server, which commands and file tools leave as it is: whoever replaced it would be run at the next start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    /// First itself, then the name by which it was started, which may be a link or lead through one.
    pub names: Vec<PathBuf>,
    /// Where the next start looks for its name before it comes to it.
    pub before: Vec<PathBuf>,
    /// Folders in which its libraries are looked for before those of the system.
    pub libraries: Vec<PathBuf>,
    /// Libraries that are loaded into it before all others.
    pub preloaded: Vec<PathBuf>,
}

pub(super) fn program() -> Program {
    let Some(itself) = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok()) else {
        return Program::default();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::args_os().next().map(PathBuf::from);
    // What is linked as a whole loads nothing.
    let is_loaded = std::fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.contains("/ld-"));
    let said = |name| std::env::var(name).ok().filter(|_| is_loaded);
    let lists = ["LD_PRELOAD", "LD_AUDIT"].into_iter().filter_map(said).collect::<Vec<_>>();
    let libraries = said("LD_LIBRARY_PATH").map(|list| libraries(&list, &itself)).unwrap_or_default();
    let preloaded = lists.iter().flat_map(|list| preloaded(list, &itself, &libraries)).collect();
    let named = named.map(|name| named_by(&name, &path)).unwrap_or_default();
    Program { libraries, preloaded, ..Program::of(itself, named) }
}

/// The folders of a list of a loader. An empty part of it is the working folder.
fn libraries(list: &str, program: &Path) -> Vec<PathBuf> {
    if list.is_empty() {
        return Vec::new();
    }
    list.split([':', ';']).filter_map(|folder| loaded(if folder.is_empty() { "." } else { folder }, program)).collect()
}

/// The files of a list of a loader. Those without a folder are looked for in those of libraries.
fn preloaded(list: &str, program: &Path, libraries: &[PathBuf]) -> Vec<PathBuf> {
    let names = list.split([':', ' ']).filter(|name| !name.is_empty());
    let files = |name: &str| match name.contains('/') {
        true => loaded(name, program).into_iter().collect::<Vec<_>>(),
        false => libraries.iter().map(|folder| folder.join(name)).collect(),
    };
    names.flat_map(files).collect()
}

/// A path as a loader reads it, which may begin where the program lies.
fn loaded(path: &str, program: &Path) -> Option<PathBuf> {
    let origin = program.parent()?.to_str()?;
    std::path::absolute(path.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)).ok()
}

impl Program {
    /// `named` are the places where it is looked for, one after the other.
    fn of(itself: PathBuf, mut named: Vec<PathBuf>) -> Self {
        let is_it = |name: &PathBuf| name.canonicalize().is_ok_and(|real| real == itself);
        // In none of them: it was not started by that name from here.
        let found = named.iter().position(is_it).unwrap_or(named.len());
        let rest = named.split_off(found);
        let before = if rest.is_empty() { Vec::new() } else { named };
        let names = rest.into_iter().filter(|name| *name != itself && is_it(name)).collect::<Vec<_>>();
        Self { names: std::iter::once(itself.clone()).chain(names).collect(), before, ..Self::default() }
    }
}

/// Where a program may stand that was started by a name: there, or by a name alone in any folder that is looked through.
fn named_by(name: &Path, path: &OsStr) -> Vec<PathBuf> {
    let absolute = |path: PathBuf| std::path::absolute(path).ok();
    match name.components().count() {
        1 if !name.is_absolute() => {
            std::env::split_paths(path).filter_map(|folder| absolute(folder.join(name))).collect()
        }
        _ => absolute(name.to_owned()).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::settings::{Inputs, load};

    /// Settings that are paths and not the server's own, and why.
    const OTHERS: [(&str, &str); 3] =
        [("packs", "written with these tools"), ("roots", "opened by them"), ("read_only_roots", "opened by them")];

    #[test]
    fn what_would_be_started_in_the_place_of_the_program_stands_before_it() {
        let room = tempfile::tempdir().unwrap();
        let root = room.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        for folder in ["a", "b", "c"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("real"), "x").unwrap();
        std::os::unix::fs::symlink("../real", at("b/tfo-mcp")).unwrap();
        let named = |folders: &[&str]| folders.iter().map(|folder| at(folder).join("tfo-mcp")).collect::<Vec<_>>();
        let program = Program::of(at("real"), named(&["a", "none", "b", "c"]));
        assert_eq!(program.names, [at("real"), at("b/tfo-mcp")]);
        assert_eq!(program.before, named(&["a", "none"]));
        // It was started by another name, or from elsewhere.
        let program = Program::of(at("real"), named(&["a", "c"]));
        assert!(program.names == [at("real")] && program.before.is_empty(), "{program:?}");
        assert!(Program::of(at("real"), vec![at("real")]).before.is_empty());
    }

    #[test]
    fn lists_of_a_loader_are_read_as_it_reads_them() {
        let (here, program) = (std::env::current_dir().unwrap(), Path::new("/opt/t/bin/tfo-mcp"));
        let found = libraries("/opt/x/lib::$ORIGIN/../lib;rel:", program);
        let named = ["/opt/x/lib".into(), here.clone(), "/opt/t/bin/../lib".into(), here.join("rel"), here.clone()];
        assert_eq!(found, named);
        // One that is empty as a whole names nothing.
        assert!(libraries("", program).is_empty());
        let found = preloaded("/a/p.so one.so:./two.so", program, &["/lib1".into(), "/lib2".into()]);
        assert_eq!(found, ["/a/p.so".into(), "/lib1/one.so".into(), "/lib2/one.so".into(), here.join("two.so")]);
    }

    #[test]
    fn every_file_that_settings_name_is_the_servers_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tfo-mcp.yaml");
        let text = "
            data_dir: /own/data_dir
            server: { http: { tls_certificate: /own/tls_certificate, tls_key: /own/tls_key } }
            auth: { keys_file: /own/keys_file }
            logging: { output: /own/output }
            audit: { output: /own/File }
            http: { services: { one: { url: 'https://example.com', ca_file: /own/ca_file } } }
            sources:
              telemetry: { type: embedded-clickhouse, path: /own/path, library: /own/library }
              platform: { type: sqlite, path: /own/platform }
              analytics: { type: sqlite, path: /own/analytics }
        ";
        fs::write(&file, text).unwrap();
        let loaded = load(&Inputs { config: Some(file.clone()), ..Inputs::default() }).unwrap();
        let own: BTreeSet<PathBuf> = super::own(&loaded).into_iter().collect();
        assert!(own.contains(&file), "{own:?}");
        // Those of the configuration folder are looked for by their own names, whatever they are links to.
        let home = dirs::config_dir().unwrap().join("tfo-mcp");
        assert!(own.contains(&home.join("trusted.json")) && own.contains(&home.join(FILE_NAME)), "{own:?}");
        for kept in ["platform", "analytics", "data_dir/state.sqlite", "data_dir/tfo-mcp.yaml", "data_dir/clickhouse"] {
            assert!(own.contains(&Path::new("/own").join(kept)), "{kept}: {own:?}");
        }
        // Whoever adds a path to the settings says whose it is, here.
        let mut fields = BTreeSet::new();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/settings")).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            // Where settings are told apart by `deny_unknown_fields` they are those of files.
            for section in
                text.split("#[serde(deny_unknown_fields").skip(1).chain(text.split("enum AuditOutput").skip(1))
            {
                let fields_of = section.split("\n}").next().unwrap().lines().filter(|line| line.contains("PathBuf"));
                let name =
                    |line: &str| line.trim().trim_start_matches("pub ").split([':', '(']).next().unwrap().to_owned();
                fields.extend(fields_of.map(name));
            }
        }
        assert!(fields.len() > 10, "{fields:?}");
        for field in fields {
            let named = own.contains(&Path::new("/own").join(&field));
            let other = OTHERS.iter().any(|(other, _)| *other == field);
            assert!(named != other, "`{field}` is a path of the settings: is it the server's own?");
        }
    }
}
