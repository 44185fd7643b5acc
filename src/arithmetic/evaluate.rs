//! From an expression and its variables to a value.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::{
    Computed, Mistake,
    number::Number,
    parse::{Function, Node, Operator},
};

enum Value {
    Number(Number),
    Truth(bool),
}

pub(super) fn computed(root: &Node, variables: &Map<String, Json>) -> Result<Computed, Mistake> {
    Ok(match value(root, variables)? {
        Value::Number(number) => {
            let (text, value, exact) = number.written();
            Computed { text, value, exact }
        }
        Value::Truth(truth) => Computed { text: truth.to_string(), value: truth.into(), exact: true },
    })
}

fn value(node: &Node, variables: &Map<String, Json>) -> Result<Value, Mistake> {
    match node {
        Node::Number(number) => Ok(Value::Number(number.clone())),
        Node::Truth(truth) => Ok(Value::Truth(*truth)),
        Node::Variable(path) => variable(path, variables),
        Node::Negated(inner) => number(inner, variables).map(|inner| Value::Number(inner.negated())),
        Node::Percent(inner) => number(inner, variables)?.percent().map(Value::Number),
        Node::Not(inner) => truth(inner, variables).map(|inner| Value::Truth(!inner)),
        Node::Binary(operator, left, right) => {
            let left = value(left, variables)?;
            apply(*operator, left, value(right, variables)?)
        }
        Node::Chain(first, rest) => chain(first, rest, variables),
        Node::Call(function, arguments) => {
            let values = arguments.iter().map(|argument| number(argument, variables)).collect::<Result<_, _>>()?;
            call(*function, values).map(Value::Number)
        }
    }
}

/// What stands between operators of one rank. What cannot matter is not computed.
fn chain(first: &Node, rest: &[(Operator, Node)], variables: &Map<String, Json>) -> Result<Value, Mistake> {
    let mut left = value(first, variables)?;
    for (operator, right) in rest {
        left = match (operator, left) {
            (Operator::And, Value::Truth(false)) => return Ok(Value::Truth(false)),
            (Operator::Or, Value::Truth(true)) => return Ok(Value::Truth(true)),
            (_, left) => apply(*operator, left, value(right, variables)?)?,
        };
    }
    Ok(left)
}

fn apply(operator: Operator, left: Value, right: Value) -> Result<Value, Mistake> {
    let compared = |fits: fn(Ordering) -> bool, left: Value, right: Value| {
        Ok(Value::Truth(fits(as_number(left)?.compare(&as_number(right)?))))
    };
    match operator {
        Operator::Plus => as_number(left)?.plus(as_number(right)?),
        Operator::Minus => as_number(left)?.minus(as_number(right)?),
        Operator::Times => as_number(left)?.times(as_number(right)?),
        Operator::Divide => as_number(left)?.divided_by(as_number(right)?),
        Operator::Remainder => as_number(left)?.remainder(as_number(right)?),
        Operator::Power => as_number(left)?.power(as_number(right)?),
        // The left side decided already where it could.
        Operator::And => return Ok(Value::Truth(as_truth(left)? && as_truth(right)?)),
        Operator::Or => return Ok(Value::Truth(as_truth(left)? || as_truth(right)?)),
        Operator::Equal => return equal(left, right).map(Value::Truth),
        Operator::Unequal => return equal(left, right).map(|equal| Value::Truth(!equal)),
        Operator::Less => return compared(Ordering::is_lt, left, right),
        Operator::Greater => return compared(Ordering::is_gt, left, right),
        Operator::AtMost => return compared(Ordering::is_le, left, right),
        Operator::AtLeast => return compared(Ordering::is_ge, left, right),
    }
    .map(Value::Number)
}

fn number(node: &Node, variables: &Map<String, Json>) -> Result<Number, Mistake> {
    as_number(value(node, variables)?)
}

fn truth(node: &Node, variables: &Map<String, Json>) -> Result<bool, Mistake> {
    as_truth(value(node, variables)?)
}

fn as_number(value: Value) -> Result<Number, Mistake> {
    match value {
        Value::Number(number) => Ok(number),
        Value::Truth(truth) => Err(Mistake::new(format!("`{truth}` is no number"))
            .help("compute with numbers, and join what is true or false with `and`, `or` and `not`")),
    }
}

fn as_truth(value: Value) -> Result<bool, Mistake> {
    match value {
        Value::Truth(truth) => Ok(truth),
        Value::Number(number) => Err(Mistake::new(format!("{} is neither true nor false", number.written().0))
            .help("compare it, such as `x > 0`")),
    }
}

fn equal(left: Value, right: Value) -> Result<bool, Mistake> {
    match (left, right) {
        (Value::Truth(left), Value::Truth(right)) => Ok(left == right),
        (Value::Number(left), Value::Number(right)) => Ok(left.compare(&right) == Ordering::Equal),
        (Value::Truth(_), Value::Number(_)) | (Value::Number(_), Value::Truth(_)) => {
            Err(Mistake::new("a number is compared with what is true or false").help("compare two numbers"))
        }
    }
}

fn variable(path: &str, variables: &Map<String, Json>) -> Result<Value, Mistake> {
    let mut steps = path.split('.');
    let first = steps.next().and_then(|name| variables.get(name));
    let found = steps.fold(first, |inner, name| inner?.get(name));
    let what = match found {
        Some(Json::Number(number)) => return signed(&number.to_string()).map(Value::Number),
        Some(Json::Bool(truth)) => return Ok(Value::Truth(*truth)),
        None => {
            let known: Vec<String> = variables.keys().map(|name| format!("`{name}`")).collect();
            let help = match known.is_empty() {
                true => "write the number itself".to_owned(),
                false => format!("there are {}", known.join(", ")),
            };
            return Err(Mistake::new(format!("`{path}` is not known")).help(help));
        }
        Some(Json::Null) => "was not passed",
        Some(Json::String(_)) => "is a text",
        Some(Json::Array(_)) => "is a list",
        Some(Json::Object(_)) => "is an object",
    };
    Err(Mistake::new(format!("`{path}` {what}")).help("pass a number, or true or false"))
}

fn call(function: Function, values: Vec<Number>) -> Result<Number, Mistake> {
    let several = values.len();
    let mut values = values.into_iter();
    let wrong = || {
        Mistake::new(format!("`{}` takes {}", function.as_str(), function.takes()))
            .help(format!("such as `{}`", function.example()))
    };
    let first = values.next().ok_or_else(wrong)?;
    if !function.fits(several) {
        return Err(wrong());
    }
    match function {
        Function::Abs => Ok(first.absolute()),
        Function::Floor => Ok(first.floor()),
        Function::Ceil => Ok(first.ceiling()),
        Function::Sqrt => first.square_root(),
        Function::Exp => first.exponential(),
        Function::Ln => first.logarithm(f64::ln),
        Function::Log10 => first.logarithm(f64::log10),
        Function::Log2 => first.logarithm(f64::log2),
        Function::Round => match values.next() {
            Some(places) => first.round(&places),
            None => first.round(&Number::read("0")?),
        },
        Function::Min => Ok(values.fold(first, |least, next| if next.compare(&least).is_lt() { next } else { least })),
        Function::Max => Ok(values.fold(first, |most, next| if next.compare(&most).is_gt() { next } else { most })),
    }
}

fn signed(text: &str) -> Result<Number, Mistake> {
    match text.strip_prefix('-') {
        Some(text) => Number::read(text).map(Number::negated),
        None => Number::read(text),
    }
}
