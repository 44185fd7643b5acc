//! How deep the tree of a template may be. It is walked, compiled and freed by recursion, by us and by minijinja, which
//! bounds what is nested by parentheses and blocks, and not what is nested by chains.

use minijinja::machinery::{Token, tokenize};

use super::Broken;

/// Words and signs that one `{{ … }}` or `{% … %}` may hold. A chain of operators or filters has two a link.
const LONGEST_TAG: usize = 2_000;

/// Branches that one template may have behind its `if`s: each is nested in the one before.
const MAX_ELIF: usize = 200;

/// Where a template, or an expression, would become too deep.
pub(super) fn too_deep(text: &str, is_expression: bool) -> Option<Broken> {
    let (mut length, mut branches, mut begins) = (0, 0, false);
    for (token, span) in tokenize(text, is_expression, Default::default()).map_while(Result::ok) {
        let elif = begins && matches!(token, Token::Ident("elif"));
        begins = matches!(token, Token::BlockStart);
        length = if begins || matches!(token, Token::VariableStart) { 0 } else { length + 1 };
        branches += usize::from(elif);
        let message = match () {
            () if length > LONGEST_TAG => format!("more than {LONGEST_TAG} words and signs in one expression"),
            () if branches > MAX_ELIF => format!("more than {MAX_ELIF} times `elif` in one template"),
            () => continue,
        };
        return Some(Broken { message, range: span.start_offset as usize..span.end_offset as usize });
    }
    None
}
