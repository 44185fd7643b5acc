//! What the list of tools costs whoever reads it: `tfo-mcp list tools --tokens`.

use serde_json::{Value, json};

use super::{
    arguments::Form,
    bootstrap,
    outcome::hinted,
    output::{self, BOLD, DIM},
};
use crate::{catalog::Catalog, server, settings::Loaded};

/// Characters of ordinary tokenizers for one token of JSON, by which their number is told without any of them.
const BYTES_OF_A_TOKEN: usize = 4;

/// One toolset, and the tools that stand in it.
struct Group {
    name: String,
    title: String,
    offered: bool,
    tools: Vec<(String, usize)>,
}

/// Prints what each toolset adds to the list that a client reads, whether it is offered with these settings or not.
pub(super) fn print(loaded: &Loaded, offered: &Catalog, form: Form) -> anyhow::Result<()> {
    let Some(all) = bootstrap::all_definitions(loaded) else {
        return Err(hinted("definitions are broken", "`tfo-mcp validate` tells which, and why"));
    };
    let groups = groups(&all, offered);
    let list = tokens(server::listed_tools(offered).iter().map(|(_, bytes)| bytes + 1).sum());
    match form {
        Form::Json => output::json(&json!({
            "tokens": list,
            "toolsets": groups.iter().map(Group::to_value).collect::<Vec<_>>(),
        })),
        Form::Text => {
            let mut text: String = groups.iter().map(Group::text).collect::<Vec<_>>().join("\n");
            text += &format!(
                "\nAll that are offered: {list} tokens, which are bytes of the list as it is sent, divided by \
                 {BYTES_OF_A_TOKEN}.\n"
            );
            Ok(output::write(&text)?)
        }
    }
}

fn groups(all: &Catalog, offered: &Catalog) -> Vec<Group> {
    let sizes = server::listed_tools(all);
    let of = |toolset: Option<&str>| -> Vec<(String, usize)> {
        let stands = |name: &str| {
            all.tools.get(name).is_some_and(|tool| match toolset {
                Some(toolset) => tool.definition.toolsets.iter().any(|set| set.0 == toolset),
                None => tool.definition.toolsets.is_empty(),
            })
        };
        sizes.iter().filter(|(name, _)| stands(name)).cloned().collect()
    };
    let group = |name: &str, title: &str, tools: Vec<(String, usize)>| {
        let offered = tools.iter().any(|(name, _)| offered.tools.contains_key(name.as_str()));
        Group { name: name.into(), title: title.into(), offered, tools }
    };
    let sets = all.toolsets.values().map(|set| group(&set.name.0, &set.title, of(Some(&set.name.0))));
    let mut groups: Vec<Group> = sets.chain([group("none", "In no toolset", of(None))]).collect();
    groups.retain(|group| !group.tools.is_empty());
    groups
}

impl Group {
    /// With the comma behind each.
    fn tokens(&self) -> usize {
        tokens(self.tools.iter().map(|(_, bytes)| bytes + 1).sum())
    }

    fn text(&self) -> String {
        let off = if self.offered { "" } else { " (not offered)" };
        let mut text =
            format!("{BOLD}{}{BOLD:#}  {:>5} tokens{off}  {DIM}{}{DIM:#}\n", self.name, self.tokens(), self.title);
        let width = self.tools.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, bytes) in &self.tools {
            text += &format!("  {name:width$}  {:>5}\n", tokens(*bytes));
        }
        text
    }

    fn to_value(&self) -> Value {
        let tools = self.tools.iter().map(|(name, bytes)| json!({ "name": name, "tokens": tokens(*bytes) }));
        json!({
            "name": self.name, "title": self.title, "offered": self.offered, "tokens": self.tokens(),
            "tools": tools.collect::<Vec<_>>(),
        })
    }
}

fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(BYTES_OF_A_TOKEN)
}
