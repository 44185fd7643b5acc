//! Steps one after the other: what each shows is added to the answer, or kept for later steps.

use std::time::Instant;

use futures::future::join_all;
use serde_json::{Map, Value, json};

use super::{
    super::{CallError, CallErrorKind, Produced, texts},
    Flow, Of, Run, Saved, Waits,
    saved::{Before, Ended},
};
use crate::{
    catalog::{CompiledAction, CompiledStep, Verb},
    source::Rows,
    template::{clean, clean_value, message},
};

/// How much of what a step says that failed a note tells, in characters.
const TOLD: usize = 600;

impl Run<'_> {
    /// Runs the steps, or those that are left of a run that waited.
    pub(super) async fn pipeline(&mut self, steps: &[CompiledStep], saved: Option<Saved>) -> Result<Flow, CallError> {
        let Saved { step: first, before, kept, answers, .. } = saved.unwrap_or_default();
        for (name, value) in kept {
            self.keep(&name, value);
        }
        let mut ended = before.ended;
        let mut all = Produced::from(before);
        let waits = self.steps(steps, (first, answers), &mut all, &mut ended).await;
        // What failed before may be why.
        if let Some(waits) = waits.map_err(|error| error.after(&all.notes))? {
            return Ok(Flow::Waits(waits));
        }
        // What only computes says nothing by itself.
        all.is_error |= ended.failed > 0 && ended.answered == 0;
        all.wanting |= ended.failed > 0;
        Ok(Flow::Done(all))
    }

    /// Runs the steps from the `first` one on, which waited for these answers; some: one waits again.
    async fn steps(
        &mut self,
        steps: &[CompiledStep],
        (first, answers): (usize, Map<String, Value>),
        all: &mut Produced,
        ended: &mut Ended,
    ) -> Result<Option<Box<Waits>>, CallError> {
        let mut answers = Some(answers);
        let mut n = first;
        while let Some(step) = steps.get(n) {
            let together = steps.iter().skip(n + 1).take_while(|step| step.beside).count() + 1;
            if together > 1 {
                let together = steps.get(n..n + together).unwrap_or_default();
                self.together((n, together), all, ended).await?;
                n += together.len();
                continue;
            }
            n += 1;
            if !self.holds(step.when.as_deref())? {
                continue;
            }
            if let (true, CompiledAction::Leaf(leaf)) = (step.optional, &step.run) {
                let result = self.timed(leaf).await;
                self.take((n, step), result, all, ended)?;
                continue;
            }
            let n = n - 1;
            let keep = step.keep.as_deref();
            let answers = answers.take().filter(|_| n == first).unwrap_or_default();
            match self.step(&step.run, keep, answers).await? {
                Flow::Done(produced) => {
                    ended.answered += usize::from(asks(step) && !produced.is_error);
                    match keep {
                        Some(name) => self.keep(name, produced.into_output()),
                        None => all.add(self.beside(step, produced)),
                    }
                }
                Flow::Waits(waits) => {
                    // A task goes on behind the step that made it one.
                    let step = if waits.as_task { n + 1 } else { n };
                    let before = Before { ended: *ended, ..Before::from(std::mem::take(all)) };
                    return Ok(Some(Box::new(Waits { step, before, ..*waits })));
                }
            }
        }
        Ok(None)
    }

    /// Runs steps, of which one is the `first`, at the same time, each within what is left; what they show stands in their order.
    async fn together(
        &mut self,
        (first, steps): (usize, &[CompiledStep]),
        all: &mut Produced,
        ended: &mut Ended,
    ) -> Result<(), CallError> {
        let mut asked = Vec::with_capacity(steps.len());
        for (n, step) in steps.iter().enumerate() {
            if let (true, CompiledAction::Leaf(leaf)) = (self.holds(step.when.as_deref())?, &step.run) {
                asked.push(((first + n + 1, step), leaf));
            }
        }
        let began = Instant::now();
        let run = &*self;
        let results = join_all(asked.iter().map(|(_, leaf)| run.alone(leaf))).await;
        self.left = self.left.saturating_sub(began.elapsed());
        for ((step, _), result) in asked.into_iter().zip(results) {
            self.take(step, result, all, ended)?;
        }
        Ok(())
    }

    /// What became of the `n`th step, which may fail without the others.
    fn take(
        &mut self,
        (n, step): (usize, &CompiledStep),
        result: Result<Produced, CallError>,
        all: &mut Produced,
        ended: &mut Ended,
    ) -> Result<(), CallError> {
        let name = step.keep.as_deref();
        let answered = result.as_ref().is_ok_and(|produced| !produced.is_error);
        ended.answered += usize::from(answered && (step.optional || asks(step)));
        match (result, name) {
            (Ok(produced), _) if step.optional && produced.is_error => {
                ended.failed += 1;
                match name {
                    Some(name) => {
                        let told = texts(&produced.content);
                        all.notes.push(format!("`{name}` could not be done: {}", message(&told, TOLD)));
                        self.keep(name, json!({ "error": told }));
                    }
                    None => all.add(Produced { is_error: false, ..self.beside(step, produced) }),
                }
            }
            (Ok(produced), Some(name)) => self.keep(name, produced.into_output()),
            (Ok(produced), None) => all.add(self.beside(step, produced)),
            (Err(error), _) if step.optional && error.kind != CallErrorKind::Cancelled => {
                ended.failed += 1;
                let told = error.to_string();
                let what = name.map(|name| format!("`{name}`")).unwrap_or_else(|| format!("Step {n}"));
                let hint = error.hint.as_deref().map(|hint| format!(" (what to do: {hint})")).unwrap_or_default();
                all.notes.push(format!("{what} could not be done: {told}{hint}"));
                if let Some(name) = name {
                    self.keep(name, json!({ "error": told }));
                }
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
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

/// Whether a step learns something, instead of making something of what is known.
fn asks(step: &CompiledStep) -> bool {
    match &step.run {
        CompiledAction::Leaf(leaf) => leaf.asks(),
        CompiledAction::AskOne(_) | CompiledAction::AskSeveral(_) => true,
        CompiledAction::Task | CompiledAction::Pipeline(_) => false,
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
        self.wanting |= other.wanting;
        self.masked += other.masked;
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
