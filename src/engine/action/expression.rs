//! `expression`: an exact value, computed from the definition's expression or the caller's.

use serde_json::{Map, Value, json};

use super::super::{CallError, CallErrorKind, Produced};
use crate::{
    arithmetic::{Computed, Expression, Mistake},
    definition::ExpressionArguments,
};

/// The definition's own expression over the variables of the run.
pub(super) fn own(text: &str, variables: &Map<String, Value>) -> Result<Produced, CallError> {
    let expression = Expression::parse(text).map_err(CallError::definition)?;
    expression.evaluate(variables).map(shown).map_err(|mistake| told(CallErrorKind::Failed, mistake))
}

/// The caller's expression, which has no variables.
pub(super) fn of_call(arguments: ExpressionArguments) -> Result<Produced, CallError> {
    let text = arguments.expression.ok_or_else(|| CallError::invalid("`expression` is required"))?;
    let computed = Expression::parse(&text).and_then(|expression| expression.evaluate(&Map::new()));
    computed.map(shown).map_err(|mistake| told(CallErrorKind::InvalidArguments, mistake))
}

fn shown(computed: Computed) -> Produced {
    let Computed { text, value, exact } = computed;
    let shown = if exact { text.clone() } else { format!("≈ {text}") };
    let output = json!({ "text": text, "value": value, "exact": exact });
    Produced { structured: Some(output.clone()), output: Some(output), ..Produced::text(shown) }
}

fn told(kind: CallErrorKind, mistake: Mistake) -> CallError {
    let error = CallError::new(kind, mistake.message);
    match mistake.help {
        Some(help) => error.hint(help),
        None => error,
    }
}
