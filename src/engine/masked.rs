//! The way out: what an answer shows and nobody should read stands there as `***`, whatever made it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Body, CallError, Content, Produced};
use crate::{
    masking::{MASK, Masking},
    template::counted,
};

impl Produced {
    /// Without what nobody should read, and with a note of how much that is.
    pub(super) fn masked(mut self, masking: &Masking) -> Self {
        let mut count = 0;
        let mut mask = |text: &mut String| {
            let (masked, found) = masking.masked(text);
            if found > 0 {
                *text = masked.into_owned();
                count += found;
            }
        };
        let mut blobs = 0;
        for content in &mut self.content {
            match content {
                Content::Text { text } => mask(text),
                Content::Embedded(resource) => {
                    mask(&mut resource.uri);
                    match &mut resource.body {
                        Body::Text(text) => mask(text),
                        Body::Blob(data) => blobs += blob(data, masking),
                    }
                }
                Content::Link { uri, name, title, description, .. } => {
                    [uri, name].into_iter().chain(title).chain(description).for_each(&mut mask);
                }
                Content::Image { .. } | Content::Audio { .. } => {}
            }
        }
        self.notes.iter_mut().for_each(mask);
        // They say what the texts say: nothing is counted twice.
        let again = self.structured.as_mut().map_or(0, |value| masking.mask(value));
        let meta = self.meta.iter_mut().flatten().map(|(_, value)| masking.mask(value)).sum::<usize>();
        let count = (count + blobs).max(again + meta) + self.masked;
        if count > 0 {
            let what = counted(count, "text");
            self.notes.push(format!("Masked as `{MASK}` by its form (setting `masking`): {what}"));
        }
        self
    }
}

/// Masks bytes: a text that is asked for as such is no less a text, whatever encoding it has. Says how often.
fn blob(data: &mut String, masking: &Masking) -> usize {
    let bytes = STANDARD.decode(data.as_bytes()).unwrap_or_default();
    let masked = match std::str::from_utf8(&bytes) {
        Ok(text) => Some(masking.masked(text))
            .filter(|(_, found)| *found > 0)
            .map(|(text, found)| (text.into_owned().into_bytes(), found)),
        Err(_) => None,
    };
    // UTF-16 of letters of ASCII is UTF-8 too.
    let Some((shown, found)) = masked.or_else(|| masking.bytes(&[], &bytes, &[])) else { return 0 };
    *data = STANDARD.encode(shown);
    found
}

impl CallError {
    /// Without what nobody should read.
    pub(super) fn masked(mut self, masking: &Masking) -> Self {
        for text in std::iter::once(&mut self.message).chain(&mut self.hint) {
            let (masked, found) = masking.masked(text);
            if found > 0 {
                *text = masked.into_owned();
            }
        }
        self
    }
}
