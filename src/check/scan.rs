//! The tokens of a SQL template: words, symbols and bound values with the quotes, comments, parentheses and
//! blocks around them. Knows enough of SQL's lexis to see where a placeholder would not be one, and no grammar.

use std::ops::Range;

use super::jinja::{Analysis, Content};

/// Operators that are more than one character.
const OPERATORS: [&str; 11] = ["->>", "->", "<=", ">=", "<>", "!=", "==", "||", "::", "@>", "<@"];

/// A scanned template.
#[derive(Debug, Default)]
pub(super) struct Scan<'t> {
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind<'t>,
    /// Bytes of the template.
    pub(super) range: Range<usize>,
    /// Open parentheses around it; of a parenthesis itself those outside of it.
    pub(super) parens: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind<'t> {
    Word(&'t str),
    /// A quoted identifier, without its quotes.
    Quoted(&'t str),
    /// A text or a number.
    Constant,
    Symbol(&'t str),
    /// A bound value; the name where it is a bare variable.
    Value(Option<String>),
    /// A spliced identifier.
    Identifier,
}

/// What is wrong with the lexis.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A value inside of something in which a database sees no placeholder.
    Hidden { range: Range<usize>, within: &'static str },
    /// Something that begins and does not end.
    Unclosed { range: Range<usize>, what: &'static str },
    /// A closing parenthesis without an opening one.
    Unopened { range: Range<usize> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Normal,
    Quote(char),
    LineComment,
    BlockComment,
    Dollar(String),
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::Normal => "the statement",
            State::Quote('\'') => "a quoted text",
            State::Quote(_) => "a quoted identifier",
            State::LineComment | State::BlockComment => "a comment",
            State::Dollar(_) => "a dollar-quoted text",
        }
    }
}

/// The position of the scanner, saved and restored around the branches of blocks.
#[derive(Debug, Clone)]
struct Cursor {
    state: State,
    /// Where the open quote or comment began.
    since: usize,
    /// Where the open parentheses stand.
    parens: Vec<usize>,
}

struct Scanner<'t> {
    text: &'t str,
    /// Whether `\` escapes inside quotes, as in ClickHouse.
    backslash: bool,
    at: Cursor,
    found: Scan<'t>,
    /// For every block around: depth, cursor before it, cursor after its first branch.
    blocks: Vec<(usize, Cursor, Option<Cursor>)>,
}

/// Reads the printed pieces of a template as SQL.
pub(super) fn scan<'t>(text: &'t str, analysis: &Analysis, backslash: bool) -> Scan<'t> {
    let at = Cursor { state: State::Normal, since: 0, parens: Vec::new() };
    let mut scanner = Scanner { text, backslash, at, found: Scan::default(), blocks: Vec::new() };
    for piece in &analysis.pieces {
        match &piece.content {
            Content::Text => scanner.text(piece.range.clone()),
            Content::Value(name) => scanner.value(TokenKind::Value(name.clone()), piece.range.clone()),
            Content::Identifier => scanner.value(TokenKind::Identifier, piece.range.clone()),
            Content::Branch => scanner.branch(piece.depth),
            Content::End => {
                if let Some((_, _, Some(after_first))) = scanner.blocks.pop() {
                    scanner.at = after_first;
                }
            }
        }
    }
    scanner.finish()
}

impl<'t> Scanner<'t> {
    fn branch(&mut self, depth: usize) {
        match self.blocks.last_mut() {
            Some((around, before, after_first @ None)) if *around == depth => {
                *after_first = Some(std::mem::replace(&mut self.at, before.clone()));
            }
            _ => self.blocks.push((depth, self.at.clone(), None)),
        }
    }

    fn value(&mut self, kind: TokenKind<'t>, range: Range<usize>) {
        if self.at.state != State::Normal {
            let within = self.at.state.name();
            return self.found.problems.push(Problem::Hidden { range, within });
        }
        self.push(kind, range);
    }

    fn push(&mut self, kind: TokenKind<'t>, range: Range<usize>) {
        let parens = self.at.parens.len();
        self.found.tokens.push(Token { kind, range, parens });
    }

    fn text(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let Some(rest) = self.text.get(at..range.end) else { return };
            at += match self.at.state.clone() {
                State::Normal => self.normal(rest, at),
                State::LineComment => self.until(rest, "\n"),
                State::BlockComment => self.until(rest, "*/"),
                State::Dollar(tag) => self.until(rest, &tag),
                State::Quote(quote) => self.quoted(rest, at, quote),
            };
        }
    }

    /// Skips to the end of what is open; returns the bytes taken.
    fn until(&mut self, rest: &str, end: &str) -> usize {
        match rest.find(end) {
            Some(found) => {
                self.at.state = State::Normal;
                found + end.len()
            }
            None => rest.len(),
        }
    }

    fn quoted(&mut self, rest: &'t str, at: usize, quote: char) -> usize {
        let mut chars = rest.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            if c == '\\' && self.backslash {
                chars.next();
            } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
                self.at.state = State::Normal;
                let end = at + index + c.len_utf8();
                let kind = match quote {
                    '\'' => TokenKind::Constant,
                    _ => TokenKind::Quoted(self.text.get(self.at.since + 1..end - 1).unwrap_or_default()),
                };
                self.push(kind, self.at.since..end);
                return index + c.len_utf8();
            }
        }
        rest.len()
    }

    fn normal(&mut self, rest: &'t str, at: usize) -> usize {
        let Some(first) = rest.chars().next() else { return 1 };
        let size = |accept: fn(char) -> bool| rest.find(|c: char| !accept(c)).unwrap_or(rest.len());
        let open = |scanner: &mut Self, state: State| {
            scanner.at.state = state;
            scanner.at.since = at;
        };
        match first {
            '\'' | '"' | '`' => {
                open(self, State::Quote(first));
                1
            }
            '-' if rest.starts_with("--") => {
                open(self, State::LineComment);
                2
            }
            '/' if rest.starts_with("/*") => {
                open(self, State::BlockComment);
                2
            }
            '$' if dollar_tag(rest).is_some() => {
                let tag = dollar_tag(rest).unwrap_or_default().to_owned();
                let taken = tag.len();
                open(self, State::Dollar(tag));
                taken
            }
            '(' => {
                self.push(TokenKind::Symbol("("), at..at + 1);
                self.at.parens.push(at);
                1
            }
            ')' => {
                if self.at.parens.pop().is_none() {
                    self.found.problems.push(Problem::Unopened { range: at..at + 1 });
                }
                self.push(TokenKind::Symbol(")"), at..at + 1);
                1
            }
            c if c.is_whitespace() => size(char::is_whitespace),
            c if c.is_ascii_digit() => {
                let taken = size(|c| c.is_alphanumeric() || c == '.' || c == '_');
                self.push(TokenKind::Constant, at..at + taken);
                taken
            }
            c if c.is_alphabetic() || c == '_' => {
                let taken = size(|c| c.is_alphanumeric() || c == '_' || c == '$');
                self.push(TokenKind::Word(rest.get(..taken).unwrap_or_default()), at..at + taken);
                taken
            }
            c => {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                let taken = operator.map_or(c.len_utf8(), |operator| operator.len());
                self.push(TokenKind::Symbol(rest.get(..taken).unwrap_or_default()), at..at + taken);
                taken
            }
        }
    }

    fn finish(mut self) -> Scan<'t> {
        let since = self.at.since;
        match &self.at.state {
            State::Normal | State::LineComment => {}
            State::Dollar(tag) => {
                let range = since..since + tag.len();
                self.found.problems.push(Problem::Unclosed { range, what: "dollar quote" });
            }
            State::BlockComment => {
                self.found.problems.push(Problem::Unclosed { range: since..since + 2, what: "comment" });
            }
            State::Quote(_) => self.found.problems.push(Problem::Unclosed { range: since..since + 1, what: "quote" }),
        }
        for at in std::mem::take(&mut self.at.parens) {
            self.found.problems.push(Problem::Unclosed { range: at..at + 1, what: "parenthesis" });
        }
        self.found
    }
}

/// The `$tag$` that opens a dollar-quoted text of PostgreSQL.
fn dollar_tag(rest: &str) -> Option<&str> {
    let inner = rest.get(1..)?;
    let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let numbered = inner.starts_with(|c: char| c.is_ascii_digit());
    (inner.get(end..)?.starts_with('$') && !numbered).then(|| rest.get(..end + 2)).flatten()
}

impl Token<'_> {
    /// Whether it is this word, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind, TokenKind::Symbol(found) if found == symbol)
    }

    /// The name that a word or quoted identifier stands for.
    pub(super) fn name(&self) -> Option<&str> {
        match self.kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::jinja, *};

    fn run(text: &str) -> (Vec<String>, Vec<Problem>) {
        let scan = scan(text, &jinja::template(text).unwrap(), false);
        (scan.tokens.iter().map(|token| text[token.range.clone()].to_owned()).collect(), scan.problems)
    }

    #[test]
    fn values_are_seen_where_a_database_sees_them() {
        let (tokens, problems) = run("a = {{ b }} -- {# no #} it's\n AND \"c\" /* ' */ = 'x''y' || $t$ ' $t$");
        assert_eq!(tokens, ["a", "=", "{{ b }}", "AND", "\"c\"", "=", "'x''y'", "||"]);
        assert_eq!(problems, []);
        for (text, within) in [
            ("a = '{{ b }}'", "a quoted text"),
            ("\"{{ b }}\"", "a quoted identifier"),
            ("x -- {{ b }}\n", "a comment"),
            ("$$ {{ b }} $$", "a dollar-quoted text"),
        ] {
            assert!(matches!(run(text).1.as_slice(), [Problem::Hidden { within: w, .. }] if *w == within), "{text}");
        }
    }

    #[test]
    fn branches_continue_from_where_their_block_began() {
        let (_, problems) = run("SELECT ({% if a %}b){% else %}c){% endif %} FROM x");
        assert_eq!(problems, []);
        let (_, problems) = run("SELECT '{% if a %}b'{% endif %}");
        assert_eq!(problems, []);
        assert!(matches!(run("SELECT (").1.as_slice(), [Problem::Unclosed { what: "parenthesis", .. }]));
        assert!(matches!(run("SELECT 'a").1.as_slice(), [Problem::Unclosed { what: "quote", .. }]));
    }
}
