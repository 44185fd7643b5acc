//! From text to an expression, by recursive descent whose depth is bounded.

use std::ops::Range;

use super::{LONGEST, Mistake, number::Number};

/// Deepest nesting of parentheses, signs and powers.
const DEEPEST: usize = 24;

#[derive(Debug)]
pub(super) enum Node {
    Number(Number),
    Truth(bool),
    /// A name, or a path such as `share.value`.
    Variable(String),
    Negated(Box<Node>),
    Not(Box<Node>),
    Percent(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// Operators of one rank from left to right: as long as the text, where a tree would be as deep.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    Power,
    And,
    Or,
    Equal,
    Unequal,
    Less,
    Greater,
    AtMost,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Exp,
    Floor,
    Ln,
    Log10,
    Log2,
    Max,
    Min,
    Round,
    Sqrt,
}

impl Function {
    const ALL: [Self; 11] = [
        Self::Abs,
        Self::Ceil,
        Self::Exp,
        Self::Floor,
        Self::Ln,
        Self::Log10,
        Self::Log2,
        Self::Max,
        Self::Min,
        Self::Round,
        Self::Sqrt,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Ceil => "ceil",
            Self::Exp => "exp",
            Self::Floor => "floor",
            Self::Ln => "ln",
            Self::Log10 => "log10",
            Self::Log2 => "log2",
            Self::Max => "max",
            Self::Min => "min",
            Self::Round => "round",
            Self::Sqrt => "sqrt",
        }
    }

    pub(super) fn fits(self, values: usize) -> bool {
        match self {
            Self::Max | Self::Min => values > 0,
            Self::Round => values == 1 || values == 2,
            _ => values == 1,
        }
    }

    pub(super) fn takes(self) -> &'static str {
        match self {
            Self::Max | Self::Min => "one value or more",
            Self::Round => "one or two values",
            _ => "one value",
        }
    }

    pub(super) fn example(self) -> String {
        match self {
            Self::Max | Self::Min => format!("{}(1, 2, 3)", self.as_str()),
            Self::Round => "round(1.005, 2)".to_owned(),
            _ => format!("{}(2)", self.as_str()),
        }
    }
}

/// Operators as they are written, the longer first.
const SYMBOLS: [(&str, Symbol); 20] = [
    ("**", Symbol::Operator(Operator::Power)),
    ("==", Symbol::Operator(Operator::Equal)),
    ("!=", Symbol::Operator(Operator::Unequal)),
    ("<>", Symbol::Operator(Operator::Unequal)),
    ("<=", Symbol::Operator(Operator::AtMost)),
    (">=", Symbol::Operator(Operator::AtLeast)),
    ("=", Symbol::Operator(Operator::Equal)),
    ("<", Symbol::Operator(Operator::Less)),
    (">", Symbol::Operator(Operator::Greater)),
    ("^", Symbol::Operator(Operator::Power)),
    ("+", Symbol::Operator(Operator::Plus)),
    ("-", Symbol::Operator(Operator::Minus)),
    ("−", Symbol::Operator(Operator::Minus)),
    ("*", Symbol::Operator(Operator::Times)),
    ("×", Symbol::Operator(Operator::Times)),
    ("/", Symbol::Operator(Operator::Divide)),
    ("÷", Symbol::Operator(Operator::Divide)),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    (",", Symbol::Comma),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Operator(Operator),
    /// `%`, and whether it touches what stands before it.
    Percent {
        touches: bool,
    },
    Open,
    Close,
    Comma,
    Number,
    /// A name or a word.
    Word,
    Not,
    True,
    False,
}

#[derive(Debug, Clone)]
struct Token {
    symbol: Symbol,
    range: Range<usize>,
}

/// Names or paths, and where the text has them.
pub(super) type Variables = Vec<(String, Range<usize>)>;

/// The expression, and where it names which variables.
pub(super) fn expression(text: &str) -> Result<(Node, Variables), Mistake> {
    if text.len() > LONGEST {
        return Err(
            Mistake::new(format!("the expression is longer than {LONGEST} characters")).help("compute it in parts")
        );
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, variables: Vec::new() };
    if parser.tokens.is_empty() {
        return Err(Mistake::new("there is no expression").help("write one, such as `2 * (3 + 4)`"));
    }
    let root = parser.or()?;
    match parser.peek() {
        None => Ok((root, parser.variables)),
        Some(token) => Err(parser.misplaced(token)),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let spaces = length(char::is_whitespace);
        if spaces > 0 {
            at += spaces;
            continue;
        }
        let (symbol, length) = if rest.starts_with(|c: char| c.is_ascii_digit())
            || rest.starts_with('.') && rest.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            (Symbol::Number, number(rest))
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let length = length(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            (word(rest.get(..length).unwrap_or_default()), length)
        } else if rest.starts_with('%') {
            (Symbol::Percent { touches: tokens.last().is_some_and(|token| token.range.end == at) }, 1)
        } else if let Some((written, symbol)) = SYMBOLS.iter().find(|(written, _)| rest.starts_with(written)) {
            (*symbol, written.len())
        } else {
            let strange: String = rest.chars().take(1).collect();
            let range = at..at + strange.len();
            return Err(Mistake::new(format!("`{strange}` has no meaning here"))
                .help("write numbers, names, `+ - * / % ^`, parentheses, comparisons, `and`, `or` and `not`")
                .at(range));
        };
        tokens.push(Token { symbol, range: at..at + length });
        at += length;
    }
    Ok(tokens)
}

/// The length of the number at the beginning of a text.
fn number(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len())
    };
    let follows = |at: usize, fits: &dyn Fn(char) -> bool| text.get(at..).is_some_and(|rest| rest.starts_with(fits));
    let mut end = digits(0);
    if follows(end, &|c| c == '.') && follows(end + 1, &|c| c.is_ascii_digit()) {
        end = digits(end + 1);
    }
    if follows(end, &|c| c == 'e' || c == 'E') {
        let sign = usize::from(follows(end + 1, &|c| c == '+' || c == '-'));
        if follows(end + 1 + sign, &|c| c.is_ascii_digit()) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

fn word(word: &str) -> Symbol {
    match word {
        "and" => Symbol::Operator(Operator::And),
        "or" => Symbol::Operator(Operator::Or),
        // `15% of 200`.
        "of" => Symbol::Operator(Operator::Times),
        "not" => Symbol::Not,
        "true" => Symbol::True,
        "false" => Symbol::False,
        _ => Symbol::Word,
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    variables: Variables,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).cloned()
    }

    fn operator(&mut self, of: &[Operator]) -> Option<Operator> {
        match self.peek()?.symbol {
            Symbol::Operator(operator) if of.contains(&operator) => {
                self.next += 1;
                Some(operator)
            }
            _ => None,
        }
    }

    fn take(&mut self, symbol: Symbol) -> bool {
        let found = self.peek().is_some_and(|token| token.symbol == symbol);
        self.next += usize::from(found);
        found
    }

    fn written(&self, token: &Token) -> &'t str {
        self.text.get(token.range.clone()).unwrap_or_default()
    }

    fn misplaced(&self, token: Token) -> Mistake {
        let help = match token.symbol {
            Symbol::Comma => "write numbers without separators, such as `1000`",
            _ => "write an operator between two values",
        };
        let message = format!("`{}` stands where an operator or the end is expected", self.written(&token));
        Mistake::new(message).help(help).at(token.range)
    }

    /// One level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        if self.depth == DEEPEST {
            return Err(Mistake::new("the expression is nested too deep").help("compute it in parts"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Operators of one rank, from left to right.
    fn chain(&mut self, of: &[Operator], side: fn(&mut Self) -> Result<Node, Mistake>) -> Result<Node, Mistake> {
        let first = side(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(of) {
            rest.push((operator, side(self)?));
        }
        Ok(chained(first, rest))
    }

    fn or(&mut self) -> Result<Node, Mistake> {
        self.chain(&[Operator::Or], Self::and)
    }

    fn and(&mut self) -> Result<Node, Mistake> {
        self.chain(&[Operator::And], Self::not)
    }

    fn not(&mut self) -> Result<Node, Mistake> {
        match self.take(Symbol::Not) {
            true => self.deeper(|parser| Ok(Node::Not(parser.not()?.into()))),
            false => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Result<Node, Mistake> {
        use Operator::{AtLeast, AtMost, Equal, Greater, Less, Unequal};
        const ALL: [Operator; 6] = [Equal, Unequal, Less, Greater, AtMost, AtLeast];
        let left = self.sum()?;
        let Some(operator) = self.operator(&ALL) else { return Ok(left) };
        let right = self.sum()?;
        match self.operator(&ALL) {
            None => Ok(Node::Binary(operator, left.into(), right.into())),
            Some(_) => Err(Mistake::new("a comparison is of two values at a time").help("write `a < b and b < c`")),
        }
    }

    fn sum(&mut self) -> Result<Node, Mistake> {
        let first = self.product()?;
        let mut rest = Vec::new();
        let mut percentages = matches!(first, Node::Percent(_));
        while let Some(operator) = self.operator(&[Operator::Plus, Operator::Minus]) {
            let right = self.product()?;
            // Pocket calculators take 10 % of what stands before; mathematics adds a tenth.
            if matches!(right, Node::Percent(_)) && !percentages {
                let sign = if operator == Operator::Plus { '+' } else { '-' };
                return Err(Mistake::new(format!("`{sign}` with a percentage may mean two things"))
                    .help(format!("write `x * (1 {sign} 10%)` to change x by 10 %, or `x {sign} 0.1`")));
            }
            percentages &= matches!(right, Node::Percent(_));
            rest.push((operator, right));
        }
        Ok(chained(first, rest))
    }

    fn product(&mut self) -> Result<Node, Mistake> {
        let first = self.sign()?;
        let mut rest = Vec::new();
        loop {
            let operator = match self.peek().map(|token| token.symbol) {
                Some(Symbol::Operator(operator @ (Operator::Times | Operator::Divide))) => operator,
                Some(Symbol::Percent { .. }) => Operator::Remainder,
                _ => return Ok(chained(first, rest)),
            };
            self.next += 1;
            rest.push((operator, self.sign()?));
        }
    }

    fn sign(&mut self) -> Result<Node, Mistake> {
        match self.operator(&[Operator::Minus, Operator::Plus]) {
            Some(Operator::Minus) => self.deeper(|parser| Ok(Node::Negated(parser.sign()?.into()))),
            Some(_) => self.deeper(Self::sign),
            None => self.power(),
        }
    }

    fn power(&mut self) -> Result<Node, Mistake> {
        let base = self.percentage()?;
        match self.operator(&[Operator::Power]) {
            Some(power) => self.deeper(|parser| Ok(Node::Binary(power, base.into(), parser.sign()?.into()))),
            None => Ok(base),
        }
    }

    /// A value, and the `%` that belongs to it: one that touches it and has no value behind it.
    fn percentage(&mut self) -> Result<Node, Mistake> {
        let value = self.value()?;
        let behind = self.tokens.get(self.next + 1).map(|token| token.symbol);
        let begins = matches!(
            behind,
            Some(Symbol::Number | Symbol::Word | Symbol::Open | Symbol::True | Symbol::False | Symbol::Not)
        );
        match self.peek().map(|token| token.symbol) {
            Some(Symbol::Percent { touches: true }) if !begins => {
                self.next += 1;
                Ok(Node::Percent(value.into()))
            }
            _ => Ok(value),
        }
    }

    fn value(&mut self) -> Result<Node, Mistake> {
        let Some(token) = self.peek() else {
            return Err(Mistake::new("something is missing at the end").help("write a value behind the last operator"));
        };
        self.next += 1;
        let written = self.written(&token);
        match token.symbol {
            Symbol::Number => Number::read(written).map(Node::Number).map_err(|mistake| mistake.at(token.range)),
            Symbol::True => Ok(Node::Truth(true)),
            Symbol::False => Ok(Node::Truth(false)),
            Symbol::Open => {
                let inner = self.deeper(Self::or)?;
                self.closed(token.range)?;
                Ok(inner)
            }
            Symbol::Word if self.take(Symbol::Open) => {
                let function =
                    Function::ALL.into_iter().find(|function| function.as_str() == written).ok_or_else(|| {
                        let known: Vec<&str> = Function::ALL.iter().map(|function| function.as_str()).collect();
                        Mistake::new(format!("there is no function `{written}`"))
                            .help(format!("functions are {}", known.join(", ")))
                            .at(token.range.clone())
                    })?;
                let mut arguments = Vec::new();
                if !self.peek().is_some_and(|token| token.symbol == Symbol::Close) {
                    arguments.push(self.deeper(Self::or)?);
                    while self.take(Symbol::Comma) {
                        arguments.push(self.deeper(Self::or)?);
                    }
                }
                self.closed(token.range)?;
                Ok(Node::Call(function, arguments))
            }
            Symbol::Word => {
                self.variables.push((written.to_owned(), token.range));
                Ok(Node::Variable(written.to_owned()))
            }
            Symbol::Operator(_) | Symbol::Percent { .. } | Symbol::Close | Symbol::Comma | Symbol::Not => {
                Err(Mistake::new(format!("`{written}` stands where a value is expected"))
                    .help("write a number, a name or a parenthesis")
                    .at(token.range))
            }
        }
    }

    fn closed(&mut self, opened: Range<usize>) -> Result<(), Mistake> {
        match (self.take(Symbol::Close), self.peek()) {
            (true, _) => Ok(()),
            (false, None) => Err(Mistake::new("a `)` is missing").help("close every parenthesis").at(opened)),
            (false, Some(token)) => Err(self.misplaced(token)),
        }
    }
}

fn chained(first: Node, rest: Vec<(Operator, Node)>) -> Node {
    if rest.is_empty() { first } else { Node::Chain(first.into(), rest) }
}
