//! Embeds the built-in pack: the text of every file, and the value of every YAML file as JSON, so that a server
//! starts without parsing YAML. Uses the same reader as the server, so both see the same values.

#[path = "src/load/short.rs"]
mod short;
#[path = "src/load/yaml.rs"]
#[allow(dead_code)]
mod yaml;

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/load/short.rs");
    println!("cargo::rerun-if-changed=src/load/yaml.rs");
    println!("cargo::rerun-if-changed=src/load/yaml");
    let mut files = Vec::new();
    for folder in ["definitions", "personas", "prompts"] {
        if Path::new(folder).is_dir() {
            println!("cargo::rerun-if-changed={folder}");
            walk(Path::new(folder), &mut files)?;
        }
    }
    files.sort();
    let root = std::env::current_dir()?;
    let mut code = String::from(
        "/// Every file of the built-in pack, sorted by path.\npub static BUILT_IN: &[BuiltInFile] = &[\n",
    );
    // What is known of tables counts for a server whatever it loads.
    let mut tables = Vec::new();
    for path in files {
        let shown = path.to_string_lossy().replace('\\', "/");
        let json = if shown.ends_with(".yaml") { index(&fs::read_to_string(&path)?) } else { String::new() };
        if shown.starts_with("definitions/tables/") {
            tables.push(without_kind(&json));
        }
        let text = root.join(&path);
        let _ = writeln!(code, "    BuiltInFile {{ path: {shown:?}, text: include_str!({text:?}), json: {json:?} }},");
    }
    code.push_str("];\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("tables.json"), format!("[{}]", tables.join(",")))?;
    fs::write(out.join("built_in.rs"), code)
}

/// Nothing for a broken file: the server then reads the text and says what is wrong with it.
fn index(text: &str) -> String {
    let mut parsed = yaml::parse(text);
    short::write_out(&mut parsed);
    if parsed.faults.is_empty() { parsed.value.to_string() } else { String::new() }
}

/// A definition as the type of its kind has it.
fn without_kind(json: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    value.as_object_mut().map(|value| value.remove("kind"));
    value.to_string()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            walk(&path, files)?;
        } else if !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".md.j2")) {
            files.push(path);
        }
    }
    Ok(())
}
