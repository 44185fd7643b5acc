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
    let number = |node: &Node| number(node, variables);
    Ok(Value::Number(match node {
        Node::Number(number) => number.clone(),
        Node::Truth(truth) => return Ok(Value::Truth(*truth)),
        Node::Variable(path) => return variable(path, variables),
        Node::Negated(inner) => number(inner)?.negated(),
        Node::Percent(inner) => number(inner)?.percent()?,
        Node::Not(inner) => return Ok(Value::Truth(!truth(inner, variables)?)),
        Node::Binary(operator, left, right) => match operator {
            Operator::Plus => number(left)?.plus(number(right)?)?,
            Operator::Minus => number(left)?.minus(number(right)?)?,
            Operator::Times => number(left)?.times(number(right)?)?,
            Operator::Divide => number(left)?.divided_by(number(right)?)?,
            Operator::Remainder => number(left)?.remainder(number(right)?)?,
            Operator::Power => number(left)?.power(number(right)?)?,
            // What cannot matter is not computed.
            Operator::And => return Ok(Value::Truth(truth(left, variables)? && truth(right, variables)?)),
            Operator::Or => return Ok(Value::Truth(truth(left, variables)? || truth(right, variables)?)),
            Operator::Equal => return Ok(Value::Truth(equal(left, right, variables)?)),
            Operator::Unequal => return Ok(Value::Truth(!equal(left, right, variables)?)),
            Operator::Less => return Ok(Value::Truth(number(left)?.compare(&number(right)?) == Ordering::Less)),
            Operator::Greater => return Ok(Value::Truth(number(left)?.compare(&number(right)?) == Ordering::Greater)),
            Operator::AtMost => return Ok(Value::Truth(number(left)?.compare(&number(right)?) != Ordering::Greater)),
            Operator::AtLeast => return Ok(Value::Truth(number(left)?.compare(&number(right)?) != Ordering::Less)),
        },
        Node::Call(function, arguments) => {
            let values = arguments.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            call(*function, values)?
        }
    }))
}

fn number(node: &Node, variables: &Map<String, Json>) -> Result<Number, Mistake> {
    match value(node, variables)? {
        Value::Number(number) => Ok(number),
        Value::Truth(truth) => Err(Mistake::new(format!("`{truth}` is no number")).help(
            "compute with numbers, and join what is true or false \
                 with `and`, `or` and `not`",
        )),
    }
}

fn truth(node: &Node, variables: &Map<String, Json>) -> Result<bool, Mistake> {
    match value(node, variables)? {
        Value::Truth(truth) => Ok(truth),
        Value::Number(number) => Err(Mistake::new(format!("{} is neither true nor false", number.written().0))
            .help("compare it, such as `x > 0`")),
    }
}

fn equal(left: &Node, right: &Node, variables: &Map<String, Json>) -> Result<bool, Mistake> {
    Ok(match (value(left, variables)?, value(right, variables)?) {
        (Value::Truth(left), Value::Truth(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left.compare(&right) == Ordering::Equal,
        (Value::Truth(_), Value::Number(_)) | (Value::Number(_), Value::Truth(_)) => {
            return Err(Mistake::new("a number is compared with what is true or false").help("compare two numbers"));
        }
    })
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
