//! Content beyond text: images, sounds, contents of resources, links; and what of it a resource can hold.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::{
    super::{Body, CallError, CallErrorKind, Cap, Content, Cut, Limit, Produced, ResourceContent, noted},
    Of, Run,
};
use crate::{
    catalog::{CompiledBody, CompiledLink, Text},
    definition::Resource,
};

impl Run<'_> {
    pub(super) fn embed(
        &self,
        uri: Option<&Text>,
        mime_type: Option<&String>,
        body: &CompiledBody,
    ) -> Result<Content, CallError> {
        let own = match self.of {
            Of::Resource(entry, uri) => Some((uri, &entry.definition.mime_type)),
            Of::Tool(_) | Of::Prompt(_) => None,
        };
        let uri = match (uri, own) {
            (Some(uri), _) => self.text(uri)?,
            (None, Some((uri, _))) => uri.to_owned(),
            (None, None) => return Err(CallError::definition("what it embeds has no `uri`")),
        };
        let mime_type = mime_type.or(own.map(|(_, mime_type)| mime_type)).cloned();
        let body = match body {
            CompiledBody::Text(text) => Body::Text(self.text(text)?),
            CompiledBody::Blob(blob) => Body::Blob(base64(self.text(blob)?)?),
        };
        let meta = self.meta_of(&uri);
        Ok(Content::Embedded(ResourceContent { uri, mime_type, body, meta }))
    }

    /// What a resource says to the client's program, wherever it is shown: without it a view is drawn otherwise.
    fn meta_of(&self, uri: &str) -> Option<Map<String, Value>> {
        let caller = &self.call.principal;
        let (entry, _) = self.catalog.resource(uri, caller.toolsets.as_deref())?;
        entry.definition.meta.clone().filter(|_| caller.permits(uri, entry.access()).is_ok())
    }

    pub(super) fn link(&self, link: &CompiledLink) -> Result<Content, CallError> {
        let uri = self.text(&link.uri)?;
        Ok(Content::Link {
            meta: self.meta_of(&uri),
            uri,
            name: self.text(&link.name)?,
            title: self.optional(link.title.as_ref())?,
            description: self.optional(link.description.as_ref())?,
            mime_type: link.mime_type.clone(),
        })
    }
}

/// Base64 without the line breaks that an author may have written.
pub(super) fn base64(text: String) -> Result<String, CallError> {
    let text = match text.contains(char::is_whitespace) {
        true => text.split_whitespace().collect(),
        false => text,
    };
    match base64::engine::general_purpose::STANDARD.decode(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CallError::definition(format!("its binary content is not base64: {error}"))),
    }
}

impl Produced {
    /// Holds texts to the longest answer in characters, or to what was `given` where that is longer: who hears its own
    /// text again is not surprised by it. What is cut says so, and no value stands in for it.
    ///
    /// # Errors
    /// The value of an answer is `promised`, and too long.
    pub(super) fn bounded(
        mut self,
        longest: usize,
        promised: bool,
        given: &Map<String, Value>,
    ) -> Result<Self, CallError> {
        let whole = self.content.iter().filter_map(Content::as_text).map(|text| text.chars().count()).sum::<usize>();
        if whole <= longest {
            return Ok(self);
        }
        let most = serde_json::to_string(given).map_or(0, |text| text.chars().count()).max(longest);
        if whole <= most {
            return Ok(self);
        }
        let mut left = most;
        for content in &mut self.content {
            let (Content::Text { text, .. } | Content::Embedded(ResourceContent { body: Body::Text(text), .. })) =
                content
            else {
                continue;
            };
            let chars = text.chars().count();
            if let Some((end, _)) = text.char_indices().nth(left) {
                text.truncate(end);
                close(text);
            }
            left = left.saturating_sub(chars);
        }
        let cut = Cut::new(Cap::Tokens, Limit::Chars(most));
        if promised && self.structured.is_some() {
            let message = format!("the answer has {whole} characters: {}", cut.why());
            return Err(CallError::new(CallErrorKind::Failed, message).hint(cut.cap.what_to_do()));
        }
        self.structured = None;
        self.content.retain(|content| content.as_text().is_none_or(|text| !text.is_empty()));
        // Its own number is told where it is the one that cuts.
        let why = match most > longest {
            true => {
                format!("an answer of this server is no longer than what it was given, or than `{}`", cut.cap.name())
            }
            false => cut.why(),
        };
        self.notes.push(format!("{most} of {whole} characters are shown: {why}; {}", cut.cap.what_to_do()));
        Ok(self)
    }
}

/// Ends a fence that a cut left open: what follows is no part of it.
fn close(text: &mut String) {
    let mut open = None;
    for line in text.lines() {
        let marks = line.bytes().take_while(|byte| *byte == b'`').count();
        match open {
            None if marks >= 3 => open = Some(marks),
            Some(begun) if marks >= begun && marks == line.len() => open = None,
            _ => {}
        }
    }
    if let Some(marks) = open {
        text.push('\n');
        text.push_str(&"`".repeat(marks));
    }
}

/// What a resource shows as its contents: texts joined, binaries under its own URI unless they name another. What is to be said
/// beside them ends its text, or stands in one of its own where its text is data.
pub(in super::super) fn as_resource(
    mut content: Vec<Content>,
    notes: &[String],
    uri: &str,
    of: &Resource,
) -> Vec<ResourceContent> {
    const PROSE: [&str; 2] = ["text/plain", "text/markdown"];
    let mut note = noted(notes);
    if PROSE.contains(&of.mime_type.as_str()) {
        content.extend(note.take().map(Content::text));
    }
    let mut contents: Vec<ResourceContent> = Vec::new();
    let (mime_type, meta) = (&of.mime_type, &of.meta);
    let of = |mime_type: String, body| {
        let (uri, mime_type, meta) = (uri.to_owned(), Some(mime_type), meta.clone());
        ResourceContent { uri, mime_type, body, meta }
    };
    // The content that further texts are joined to.
    let mut joined: Option<usize> = None;
    for piece in content {
        let text = match piece {
            Content::Image { data, mime_type } | Content::Audio { data, mime_type } => {
                contents.push(of(mime_type, Body::Blob(data)));
                continue;
            }
            Content::Embedded(embedded) => {
                let meta = if embedded.uri == uri { meta.clone() } else { embedded.meta };
                contents.push(ResourceContent { meta, ..embedded });
                continue;
            }
            Content::Text { text, .. } => text,
            Content::Link { uri, .. } => uri,
        };
        match joined.and_then(|at| contents.get_mut(at)) {
            Some(ResourceContent { body: Body::Text(before), .. }) => {
                before.push_str("\n\n");
                before.push_str(&text);
            }
            _ => {
                joined = Some(contents.len());
                contents.push(of(mime_type.clone(), Body::Text(text)));
            }
        }
    }
    if contents.is_empty() {
        // A client takes a resource without contents for one that does not exist.
        contents.push(of(mime_type.clone(), Body::Text(String::new())));
    }
    contents.extend(note.map(|note| of("text/plain".to_owned(), Body::Text(note))));
    contents
}
