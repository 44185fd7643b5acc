//! Steps one after the other: what each shows is added to the answer, or kept for later steps.

use serde_json::{Map, Value, json};

use super::{
    super::{CallError, Produced, texts},
    Flow, Of, Run, Saved, Waits,
};
use crate::{
    catalog::{CompiledAction, CompiledStep, Verb},
    source::Rows,
    template::{clean, clean_value},
};

impl Run<'_> {
    /// Runs the steps, or those that are left of a run that waited.
    pub(super) async fn pipeline(&mut self, steps: &[CompiledStep], saved: Option<Saved>) -> Result<Flow, CallError> {
        let Saved { step: first, shown, structured, meta, kept, answers, .. } = saved.unwrap_or_default();
        for (name, value) in kept {
            self.keep(&name, value);
        }
        let mut all = Produced { structured, meta, ..Produced::of(shown) };
        // Of the step at which the run waited.
        let mut answers = Some(answers);
        for (n, step) in steps.iter().enumerate().skip(first) {
            if !self.holds(step.when.as_deref())? {
                continue;
            }
            let keep = step.keep.as_deref();
            let answers = answers.take().filter(|_| n == first).unwrap_or_default();
            match self.step(&step.run, keep, answers).await? {
                Flow::Done(produced) => match keep {
                    Some(name) => self.keep(name, produced.into_output()),
                    None => all.add(self.beside(step, produced)),
                },
                Flow::Waits(waits) => {
                    // A task goes on behind the step that made it one.
                    let step = if waits.as_task { n + 1 } else { n };
                    let Produced { content: shown, structured, meta, .. } = all;
                    let waits = Waits { step, shown, structured, meta, ..*waits };
                    return Ok(Flow::Waits(Box::new(waits)));
                }
            }
        }
        Ok(Flow::Done(all))
    }

    /// What a step shows beside others: its value would stand for their texts as well, where clients show a model the
    /// structured content instead of the text. It is kept where the definition says so.
    fn beside(&self, step: &CompiledStep, produced: Produced) -> Produced {
        let promised = matches!(self.of, Of::Tool(entry) if entry.output_schema.is_some());
        match promised || matches!(&step.run, CompiledAction::Leaf(leaf) if matches!(leaf.verb, Verb::Json(_))) {
            true => produced,
            false => Produced { structured: None, ..produced },
        }
    }

    fn keep(&mut self, name: &str, value: Value) {
        self.kept.insert(name.to_owned(), value.clone());
        self.variables.insert(name.to_owned(), value);
        self.shown.take();
    }
}

impl Produced {
    fn add(&mut self, other: Self) {
        self.content.extend(other.content);
        self.document = other.document.or(self.document.take());
        self.structured = other.structured.or(self.structured.take());
        self.notes.extend(other.notes);
        self.meta = match (self.meta.take(), other.meta) {
            (Some(mut all), Some(more)) => {
                all.extend(more);
                Some(all)
            }
            (before, more) => more.or(before),
        };
        self.is_error |= other.is_error;
    }

    /// What later steps see of it.
    fn into_output(self) -> Value {
        if let Some(output) = self.output {
            return output;
        }
        let text = texts(&self.content);
        match (self.rows, self.document, self.content.as_slice()) {
            (Some(rows), ..) => of_rows(rows, text),
            (_, Some(document), _) => json!({ "text": text, "document": clean_value(&document.to_value()) }),
            (_, _, [one]) if one.as_text().is_none() => json!(one),
            _ => Value::String(text),
        }
    }
}

fn of_rows(rows: Rows, text: String) -> Value {
    let columns: Vec<String> = rows.columns.into_iter().map(|column| clean(&column.name)).collect();
    let of_row = |row: Vec<Value>| {
        Value::Object(columns.iter().cloned().zip(row.iter().map(clean_value)).collect::<Map<_, _>>())
    };
    let truncated = rows.truncated.is_some();
    let rows: Vec<Value> = rows.rows.into_iter().map(of_row).collect();
    json!({ "text": text, "rows": rows, "columns": columns, "truncated": truncated })
}
