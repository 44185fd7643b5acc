//! The way out: what an answer shows and nobody should read stands there as `***`, whatever made it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use serde_json::{Map, Value};

use super::{Body, CallError, Content, Produced, document::Document};
use crate::{
    masking::{MASK, Masking},
    source::Rows,
    template::counted,
};

/// Shortest word of what was asked that is known again in what is said of it, in bytes.
const SHORTEST: usize = 4;

impl Rows {
    /// The rows as they may be shown, and how much is masked in them: each cell by itself and by its column, before they are joined
    /// to a text in which a value could go on in the next cell.
    pub(super) fn shown(&self, masking: &Masking) -> (Self, usize) {
        let mut shown = self.clone();
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let mut count = masking.rows(&columns, &mut shown.rows);
        shown.columns.iter_mut().for_each(|column| count += mask(masking, &mut column.name));
        (shown, count)
    }
}

impl Document {
    /// The document as it may be shown, and how much is masked in it: every text by itself, cells by their columns.
    pub(super) fn masked(&self, masking: &Masking) -> (Self, usize) {
        let mut shown = self.clone();
        let mut count = 0;
        for section in &mut shown.sections {
            let columns: Vec<&str> = section.columns.iter().map(|column| column.name.as_str()).collect();
            count += section.masked + masking.rows(&columns, &mut section.rows);
            let heads = section.columns.iter_mut().flat_map(|column| [&mut column.name, &mut column.title]);
            let said = section.message.iter_mut().chain(&mut section.hint).chain(&mut section.note);
            let told = section.remarks.iter_mut().chain(&mut section.partial).chain(&mut section.usual);
            count += heads.chain(said).chain(told).map(|text| mask(masking, text)).sum::<usize>();
            count += section.narrowed.by.iter_mut().map(|(name, value)| masking.named(name, value)).sum::<usize>();
        }
        count += shown.filters.iter_mut().map(|(name, value)| masking.named(name, value)).sum::<usize>();
        let organisation = shown.organisation.iter_mut().flat_map(|of| std::iter::once(&mut of.id).chain(&mut of.name));
        let workspace = shown.workspace.iter_mut().flat_map(|of| std::iter::once(&mut of.id).chain(&mut of.name));
        let said = std::iter::once(&mut shown.summary).chain(&mut shown.notes).chain(&mut shown.beyond);
        let said = said.chain(shown.highlights.iter_mut().map(|remark| &mut remark.text));
        let absent =
            shown.absent.iter_mut().flat_map(|of| [&mut of.value, &mut of.text].into_iter().chain(&mut of.meant));
        let links = shown.links.iter_mut().flat_map(|link| [&mut link.name, &mut link.of, &mut link.address]);
        let texts = organisation.chain(workspace).chain(said).chain(absent).chain(links);
        count += texts.map(|text| mask(masking, text)).sum::<usize>();
        for next in &mut shown.next {
            count += mask(masking, &mut next.why);
            count += next.arguments.iter_mut().map(|(name, value)| masking.named(name, value)).sum::<usize>();
        }
        (shown, count)
    }
}

/// Masks a text, and says how often.
fn mask(masking: &Masking, text: &mut String) -> usize {
    let (masked, found) = masking.masked(text);
    if found > 0 {
        *text = masked.into_owned();
    }
    found
}

impl Produced {
    /// Without what nobody should read, and with a note of how much that is.
    pub(super) fn masked(mut self, masking: &Masking) -> Self {
        let mut count = 0;
        let mut mask = |text: &mut String| count += mask(masking, text);
        let mut blobs = 0;
        for content in &mut self.content {
            match content {
                Content::Text { masked: true, .. } => {}
                Content::Text { text, .. } => mask(text),
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
            mask(masking, text);
        }
        self
    }

    /// Without what is masked in texts of several lines that were asked for: in one line they have no form any more.
    pub(super) fn without_what_was_asked(mut self, masking: &Masking, of: &str, asked: &Map<String, Value>) -> Self {
        let mut texts = vec![of];
        let mut values: Vec<&Value> = asked.values().collect();
        texts.extend(asked.keys().map(String::as_str));
        while let Some(value) = values.pop() {
            match value {
                Value::String(text) => texts.push(text),
                Value::Array(items) => values.extend(items),
                Value::Object(members) => {
                    texts.extend(members.keys().map(String::as_str));
                    values.extend(members.values());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        for text in texts.into_iter().filter(|text| text.trim().contains('\n')) {
            let places = masking.places(text);
            let parts = places.iter().filter_map(|place| text.get(place.clone())).flat_map(str::split_whitespace);
            for part in parts.filter(|part| part.len() >= SHORTEST) {
                for said in std::iter::once(&mut self.message).chain(&mut self.hint) {
                    *said = said.replace(part, MASK);
                    // A text that is long ends within it.
                    let ends = part
                        .char_indices()
                        .skip(SHORTEST)
                        .map(|(end, _)| format!("{}…", part.get(..end).unwrap_or_default()));
                    let cut = ends.filter(|end| said.contains(end.as_str())).last();
                    *said = cut.map_or_else(|| said.clone(), |end| said.replace(&end, &format!("{MASK}…")));
                }
            }
        }
        self
    }
}
