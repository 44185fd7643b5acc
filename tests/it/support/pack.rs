//! Catalogs from definitions written in a test.

use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check,
    diagnostic::Severity,
    load,
};

/// The pack of everything that a client can be asked and told, without the built-in one.
pub fn conformance() -> Catalog {
    alone(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/conformance"))
}

/// A pack without the built-in one; panics on any error.
pub fn alone(pack: std::path::PathBuf) -> Catalog {
    let packs = vec![pack];
    let request = load::Request { built_in: false, packs, files: Vec::new() };
    let checked = check::check(load::load(&request), check::Options { built_in: false });
    let errors: Vec<_> = checked.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let (definitions, templates) = checked.into_parts();
    let (catalog, problems) = Catalog::compile(definitions, &templates, &CatalogOptions::default());
    assert_eq!(problems, []);
    catalog
}

/// Compiles the built-in pack overlaid with definition files (relative path, text); panics on any error.
pub fn catalog(files: &[(&str, &str)], options: &CatalogOptions) -> Catalog {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let packs = if files.is_empty() { Vec::new() } else { vec![folder.path().to_owned()] };
    compiled(packs, options)
}

/// Compiles the built-in pack overlaid with folders; panics on any error.
pub fn with_packs(packs: Vec<std::path::PathBuf>) -> Catalog {
    compiled(packs, &CatalogOptions::default())
}

fn compiled(packs: Vec<std::path::PathBuf>, options: &CatalogOptions) -> Catalog {
    let request = load::Request { built_in: true, packs, files: Vec::new() };
    let checked = check::check(load::load(&request), check::Options { built_in: false });
    let errors: Vec<_> = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let (definitions, templates) = checked.into_parts();
    let (catalog, problems) = Catalog::compile(definitions, &templates, options);
    assert_eq!(problems, []);
    catalog
}
