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
        for content in &mut self.content {
            match content {
                Content::Text { text } => mask(text),
                Content::Embedded(resource) => match &mut resource.body {
                    Body::Text(text) => mask(text),
                    // A text that is asked for as bytes is no less a text.
                    Body::Blob(data) => {
                        let bytes = STANDARD.decode(data.as_bytes()).unwrap_or_default();
                        if let Ok(text) = String::from_utf8(bytes) {
                            let mut shown = text.clone();
                            mask(&mut shown);
                            if shown != text {
                                *data = STANDARD.encode(shown);
                            }
                        }
                    }
                },
                Content::Link { title, description, .. } => title.iter_mut().chain(description).for_each(&mut mask),
                Content::Image { .. } | Content::Audio { .. } => {}
            }
        }
        self.notes.iter_mut().for_each(mask);
        // They say what the texts say: nothing is counted twice.
        let again = self.structured.as_mut().map_or(0, |value| masking.mask(value));
        let meta = self.meta.iter_mut().flatten().map(|(_, value)| masking.mask(value)).sum::<usize>();
        let count = count.max(again + meta);
        if count > 0 {
            let what = counted(count, "text");
            self.notes.push(format!("Masked as `{MASK}` by its form (setting `masking`): {what}"));
        }
        self
    }
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
