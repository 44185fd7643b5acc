//! `tfo-mcp docs`: a page for each context type, with what it says of the data that are bound; or proves that the pages
//! are up to date.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;

use super::{Outcome, arguments::SettingsArguments, bootstrap, generated::Folder, outcome::hinted, output};
use crate::{
    catalog::{index, page},
    definition::{Context, Example},
    engine::{Call, Engine, Format},
};

/// Write a page about each context type, with an answer from the data that are bound
///
/// The answer is that to the first of its `examples:`. Those of the built-in types are written for the data that
/// `tfo-mcp demo` loads.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder to write to
    #[arg(default_value = "docs/contexts")]
    dir: PathBuf,
    /// Write nothing; exit with 1 if a page is missing, not up to date, or of no type
    #[arg(long)]
    check: bool,
}

pub(super) fn run(common: &SettingsArguments, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let pages = bootstrap::with_engine(common, async |engine| {
        let catalog = engine.catalog();
        let mut pages = BTreeMap::from([("README.md".to_owned(), index(&catalog))]);
        for entry in catalog.contexts.values() {
            let context = &entry.definition;
            let mut text = page(context);
            if let Some(example) = context.examples.iter().find(|example| !example.expect.error) {
                text += &answer(engine, context, example).await?;
            }
            pages.insert(format!("{}.md", context.name), text);
        }
        Ok(pages)
    })?;
    let folder = Folder {
        path: &arguments.dir,
        files: pages,
        ending: ".md",
        left_over: "is about no context type",
        remedy: format!("run `tfo-mcp docs {}` on the demo's data", arguments.dir.display()),
    };
    folder.run(arguments.check)
}

/// What a person reads first of the answer to an example.
async fn answer(engine: &Engine, context: &Context, example: &Example) -> anyhow::Result<String> {
    let asked = engine.collect_example(&context.name, example, &Call::default()).await;
    let document = asked.map_err(|error| anyhow::anyhow!("`{}`: {}", context.name, error.to_text()))?;
    if document.status.is_problem() {
        let hint = "`tfo-mcp demo` loads the data for which the examples are written";
        return Err(hinted(format!("`{}`: {}", context.name, document.summary), hint));
    }
    let text = engine.render(&document, Format::Markdown, None);
    let shown = text.lines().scan(false, |ended, line| {
        *ended |= line.starts_with("## ") && line != "## Highlights";
        (!*ended).then_some(line)
    });
    let shown = shown.collect::<Vec<_>>().join("\n");
    let mut command = format!("tfo-mcp context {}", context.name);
    for (name, value) in &example.arguments {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command += &format!(" {}", output::quoted(&format!("{name}={value}")));
    }
    Ok(format!(
        "\n## On the demo's data\n\n{}:\n\n```sh\n{command}\n```\n\n```text\n{}\n```\n",
        example.title,
        shown.trim()
    ))
}
