//! Lines of a text of which each is a member of an object of JSON or of a line of `name=value`, as containers and programs write
//! their logs: together they say what none says alone.

use std::sync::LazyLock;

use regex::Regex;

use super::{escapes, reading::Reading};

/// What a line of a log says.
static SAID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:"(?i:log|msg|message|line|body|event|text)"\s*:\s*|(?:^|[ \t])(?:msg|message|log)=|(?:write|read|sendto)\([0-9]+, )"(?<v>(?:[^"\\\n]|\\[^\n])*)"|^[ \t]*"(?<w>(?:[^"\\\n]|\\[^\n])*)",?\s*$"#).ok()
});

/// What a line says that is an object of JSON.
pub(super) fn said(line: &str) -> Option<&str> {
    let found = SAID.as_ref().filter(|_| line.starts_with('{'))?.captures(line)?;
    found.name("v").map(|said| said.as_str())
}

/// What neighbouring lines say so.
pub(super) fn reading(text: &str) -> Reading {
    let mut reading = Reading::default();
    let Some(form) = SAID.as_ref().filter(|_| [":\"", "=\"", " \"", "\n\""].iter().any(|sign| text.contains(sign)))
    else {
        return reading;
    };
    let (mut at, mut lines, mut gone) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let said = form.captures(line).and_then(|found| found.name("v").or(found.name("w")));
        if let Some(said) = said {
            if gone {
                reading.part();
            }
            (lines, gone) = (lines + 1, false);
            escapes::escaped(&mut reading, text, at + said.start()..at + said.end());
            if !said.as_str().ends_with(r"\n") {
                reading.push("\n", at + said.end()..at + said.end());
            }
        } else {
            gone = lines > 0;
        }
        at += line.len();
    }
    if lines > 1 { reading } else { Reading::default() }
}
