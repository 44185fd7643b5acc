//! Catalogs from definitions written in a test.

use indexmap::IndexMap;
use tfo_mcp::{
    catalog::{Catalog, CatalogOptions},
    check,
    definition::Definition,
    diagnostic::Severity,
    load,
};

/// What a catalog is compiled of: definitions, and the texts of prompts.
type Parts = (Vec<Definition>, IndexMap<String, String>);

/// The pack of everything that a client can be asked and told, without the built-in one.
pub fn conformance() -> Catalog {
    alone(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/conformance"))
}

/// A pack without the built-in one; panics on any error.
pub fn alone(pack: std::path::PathBuf) -> Catalog {
    let (definitions, templates) = checked(false, vec![pack]);
    compiled(definitions, &templates, &CatalogOptions::default())
}

/// Compiles the built-in pack overlaid with definition files (relative path, text); panics on any error.
pub fn catalog(files: &[(&str, &str)], options: &CatalogOptions) -> Catalog {
    let (definitions, templates) = overlaid(files);
    compiled(definitions, &templates, options)
}

/// What that is compiled of.
pub fn overlaid<T: AsRef<str>>(files: &[(T, T)]) -> Parts {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path.as_ref());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_ref()).unwrap();
    }
    let packs = if files.is_empty() { Vec::new() } else { vec![folder.path().to_owned()] };
    checked(true, packs)
}

/// Compiles the built-in pack overlaid with folders; panics on any error.
pub fn with_packs(packs: Vec<std::path::PathBuf>) -> Catalog {
    let (definitions, templates) = checked(true, packs);
    compiled(definitions, &templates, &CatalogOptions::default())
}

fn checked(built_in: bool, packs: Vec<std::path::PathBuf>) -> Parts {
    let request = load::Request { built_in, packs, files: Vec::new() };
    let checked = check::check(load::load(&request), check::Options { built_in: false });
    let errors: Vec<_> = checked.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    checked.into_parts()
}

/// Panics on anything that cannot be compiled.
pub fn compiled(
    definitions: Vec<Definition>,
    templates: &IndexMap<String, String>,
    options: &CatalogOptions,
) -> Catalog {
    let (catalog, problems) = Catalog::compile(definitions, templates, options);
    assert_eq!(problems, []);
    catalog
}
