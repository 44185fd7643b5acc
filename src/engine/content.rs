//! What a call shows: texts, images, sounds, contents of resources and links to them.

use serde_json::{Map, Value};

use crate::definition::Role;

/// What is to be said beside an answer, as one text behind it.
pub fn noted(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| format!("Note: {}.", notes.join("; ")))
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    Text {
        text: String,
        /// What it is joined of was masked before, each part by itself: the whole is not looked through again, since a table is
        /// no text in which a value may go on in the next cell.
        #[serde(default, skip_serializing_if = "is_not")]
        masked: bool,
    },
    /// Base64.
    Image { data: String, mime_type: String },
    /// Base64.
    Audio { data: String, mime_type: String },
    /// The content of a resource.
    Embedded(ResourceContent),
    /// A resource that the client may read.
    Link {
        uri: String,
        name: String,
        title: Option<String>,
        description: Option<String>,
        mime_type: Option<String>,
        /// What is for the client's program alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meta: Option<Map<String, Value>>,
    },
}

/// The content of a resource.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ResourceContent {
    pub uri: String,
    pub mime_type: Option<String>,
    pub body: Body,
    /// What is for the client's program alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

/// Text or binary.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Text(String),
    /// Base64.
    Blob(String),
}

impl ResourceContent {
    /// Bytes of what it shows.
    pub fn bytes(&self) -> usize {
        match &self.body {
            Body::Text(text) | Body::Blob(text) => text.len(),
        }
    }
}

impl Content {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), masked: false }
    }

    /// A text whose parts were masked before they were joined.
    pub(super) fn of_masked(text: String) -> Self {
        Self::Text { text, masked: true }
    }

    /// Bytes of what it shows.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            Self::Image { data, .. } | Self::Audio { data, .. } => data.len(),
            Self::Embedded(content) => content.bytes(),
            Self::Link { uri, .. } => uri.len(),
        }
    }

    /// The text of it; none for what is not text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } | Self::Embedded(ResourceContent { body: Body::Text(text), .. }) => Some(text),
            _ => None,
        }
    }
}

fn is_not(flag: &bool) -> bool {
    !flag
}

/// All that is text, joined by empty lines.
pub fn texts<'a>(content: impl IntoIterator<Item = &'a Content>) -> String {
    content.into_iter().filter_map(Content::as_text).collect::<Vec<_>>().join("\n\n")
}

/// The answer of a tool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub content: Vec<Content>,
    /// The same as a value, for programs; a long answer is shortened in it.
    pub structured: Option<Value>,
    /// What was made of arguments whose meaning was not plain, where the content does not say it.
    pub notes: Vec<String>,
    /// What is for the client's program and its views alone.
    pub meta: Option<Map<String, Value>>,
    pub is_error: bool,
}

impl Answer {
    /// All text of the answer.
    pub fn text(&self) -> String {
        texts(&self.content)
    }
}

/// The messages of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptAnswer {
    pub description: String,
    pub messages: Vec<(Role, Content)>,
    pub meta: Option<Map<String, Value>>,
    /// Nothing that it is about could be read; the messages say so.
    pub is_error: bool,
}

/// The content of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceAnswer {
    pub contents: Vec<ResourceContent>,
    pub meta: Option<Map<String, Value>>,
    pub ttl: Option<crate::definition::Period>,
    pub cache_scope: crate::definition::CacheScope,
}
