//! `tfo-mcp setup clickhouse` with an npm that does what real ones do on bad days.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ring::digest;
use tfo_mcp::source::embedded::{InstallError, Installer, Package, Step, library_path};

/// A small library instead of half a gigabyte.
const LIBRARY: &[u8] = b"\x7fELF pretends to be a library";

struct Setup {
    folder: tempfile::TempDir,
    installer: Installer,
}

fn sha512(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA512, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A package as npm packs it.
fn tarball(file: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in [("package/package.json", &b"{}"[..]), (file, content)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, content).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

impl Setup {
    /// With an npm that is this shell script; `$DEST` is where the tarball goes, `$GOOD` a whole one.
    fn new(script: &str) -> Self {
        Self::with_package(script, tarball("package/libchdb.so", LIBRARY))
    }

    fn with_package(script: &str, packed: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.tgz");
        fs::write(&good, &packed).unwrap();
        let npm = folder.path().join("npm");
        let script = format!(
            "#!/bin/sh\necho run >> '{log}'\nDEST=; while [ $# -gt 0 ]; do [ \"$1\" = --pack-destination ] && DEST=$2; shift; done\nGOOD='{good}'\n{script}\n",
            log = folder.path().join("log").display(),
            good = good.display(),
        );
        fs::write(&npm, script).unwrap();
        fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
        let package = Package {
            name: "@example/lib".into(),
            version: "1.2.3".into(),
            sha512: sha512(&packed).into(),
            tarball_bytes: packed.len() as u64,
            library_bytes: LIBRARY.len() as u64,
            library_sha512: sha512(LIBRARY).into(),
        };
        let installer = Installer { data_dir: folder.path().join("data"), package, npm: npm.into() };
        Self { folder, installer }
    }

    fn run(&self) -> Result<bool, InstallError> {
        self.installer.install(&mut |_| {}).map(|installed| installed.was_there)
    }

    fn library(&self) -> PathBuf {
        library_path(&self.installer.data_dir)
    }

    fn downloads(&self) -> usize {
        fs::read_to_string(self.folder.path().join("log")).map_or(0, |log| log.lines().count())
    }

    /// What is left beside the lock.
    fn left(&self) -> Vec<String> {
        let folder = self.library();
        let entries = fs::read_dir(folder.parent().unwrap()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "install.lock")
            .collect();
        names.sort();
        names
    }
}

const GOOD: &str = "cp \"$GOOD\" \"$DEST/lib-1.2.3.tgz\"";

#[test]
fn it_is_installed_once_and_repaired_when_it_is_damaged() {
    let setup = Setup::new(GOOD);
    let mut steps = Vec::new();
    let installed = setup.installer.install(&mut |step| steps.push(step)).unwrap();
    assert_eq!((installed.was_there, &installed.path), (false, &setup.library()));
    assert_eq!(fs::read(setup.library()).unwrap(), LIBRARY);
    assert_eq!(setup.left(), ["libchdb.so"]);
    let of = LIBRARY.len() as u64;
    assert!(matches!(steps[0], Step::Download { done: 0, .. }) && steps.contains(&Step::Unpack { done: of, of }));

    assert!(setup.run().unwrap());
    assert_eq!(setup.downloads(), 1);
    for damage in [&LIBRARY[..5], &[b'x'; LIBRARY.len()]] {
        fs::write(setup.library(), damage).unwrap();
        assert!(!setup.run().unwrap());
        assert_eq!(fs::read(setup.library()).unwrap(), LIBRARY);
    }
    assert_eq!(setup.downloads(), 3);
}

#[test]
fn a_changed_tarball_is_refused_and_removed() {
    let setup = Setup::new("head -c 100 \"$GOOD\" > \"$DEST/lib-1.2.3.tgz\"");
    let error = setup.run().unwrap_err();
    assert!(matches!(error, InstallError::Hash { .. }), "{error}");
    assert!(error.to_string().contains("SHA-512") && error.hint().contains("registry"));
    assert!(setup.left().is_empty(), "{:?}", setup.left());
}

#[test]
fn failures_of_npm_have_names() {
    let missing = Setup::new("");
    let installer = Installer { npm: missing.folder.path().join("no-npm").into(), ..missing.installer.clone() };
    let error = installer.install(&mut |_| {}).unwrap_err();
    assert!(matches!(error, InstallError::NpmMissing { .. }) && error.hint().contains("Node.js"), "{error}");

    let setup = Setup::new("echo 'npm error code ENOTFOUND' >&2; echo 'npm error network request failed' >&2; exit 1");
    let error = setup.run().unwrap_err();
    assert!(matches!(&error, InstallError::Network(text) if text.contains("request failed")), "{error}");

    let setup = Setup::new("echo 'npm error code ETARGET' >&2; exit 1");
    let error = setup.run().unwrap_err();
    assert!(matches!(&error, InstallError::Npm(text) if text.contains("ETARGET")), "{error}");

    let setup = Setup::new("echo 'npm error code ENOSPC' >&2; exit 1");
    let error = setup.run().unwrap_err();
    assert!(matches!(error, InstallError::Write { .. }) && error.hint().contains("disk is not full"), "{error}");

    let setup = Setup::new("kill -9 $$");
    assert!(matches!(setup.run().unwrap_err(), InstallError::Npm(_)));
    let setup = Setup::new("exit 0");
    let error = setup.run().unwrap_err();
    assert!(matches!(&error, InstallError::Npm(text) if text.contains("no tarball")), "{error}");
    assert!(setup.left().is_empty(), "{:?}", setup.left());
}

#[test]
fn a_package_without_the_library_is_refused() {
    for packed in [tarball("package/other.so", LIBRARY), tarball("package/libchdb.so", b"short"), b"no gzip".to_vec()] {
        let setup = Setup::with_package(GOOD, packed);
        let error = setup.run().unwrap_err();
        assert!(matches!(error, InstallError::Package(_)), "{error}");
        assert!(setup.left().is_empty(), "{:?}", setup.left());
    }
}

#[test]
fn what_an_interrupted_run_left_is_used_or_removed() {
    let setup = Setup::new(GOOD);
    let work = setup.library().parent().unwrap().join("download");
    fs::create_dir_all(work.join("cache")).unwrap();
    // A whole tarball: the download was done.
    fs::copy(setup.folder.path().join("good.tgz"), work.join("lib-1.2.3.tgz")).unwrap();
    fs::write(setup.library().with_extension("so.new"), "half").unwrap();
    assert!(!setup.run().unwrap());
    assert_eq!((setup.downloads(), setup.left()), (0, vec!["libchdb.so".to_owned()]));

    // Half a tarball: it was not.
    fs::remove_file(setup.library()).unwrap();
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("lib-1.2.3.tgz"), "half").unwrap();
    assert!(!setup.run().unwrap());
    assert_eq!((setup.downloads(), setup.left()), (1, vec!["libchdb.so".to_owned()]));
}

#[test]
fn too_little_room_is_said_before_anything_is_fetched() {
    let setup = Setup::new(GOOD);
    let mut installer = setup.installer.clone();
    installer.package.library_bytes = 1 << 60;
    let error = installer.install(&mut |_| {}).unwrap_err();
    assert!(matches!(error, InstallError::Room { .. }) && error.hint().contains("--data-dir"), "{error}");
    assert_eq!(setup.downloads(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let setup = Setup::new(GOOD);
    fs::write(&setup.installer.data_dir, "a file").unwrap();
    let error = setup.run().unwrap_err();
    assert!(
        matches!(&error, InstallError::Write { path, .. } if Path::new(path).starts_with(&setup.installer.data_dir)),
        "{error}"
    );
}

#[test]
fn runs_at_the_same_time_download_once() {
    let setup = Setup::new(&format!("sleep 0.3; {GOOD}"));
    let results: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| setup.run().unwrap())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|was_there| !**was_there).count(), 1);
    assert_eq!(setup.downloads(), 1);
}
