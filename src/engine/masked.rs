//! The way out: what an answer shows and nobody should read stands there as `***`, whatever made it.

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
                    Body::Blob(_) => {}
                },
                Content::Link { title, description, .. } => title.iter_mut().chain(description).for_each(&mut mask),
                Content::Image { .. } | Content::Audio { .. } => {}
            }
        }
        self.notes.iter_mut().for_each(mask);
        if let Some(value) = &mut self.structured {
            masking.mask(value);
        }
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
