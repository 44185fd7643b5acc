//! Who may use a definition: the toolsets that it is in, and the scopes that it asks for.

use crate::definition::{Action, Name};

/// What a credential needs for statements of its own, whatever the definition that takes them says: reading all that
/// an organisation has is more than using what somebody defined.
pub const OWN_SQL: &str = "sql.query";

/// What a tool, a prompt or a resource says about its callers.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    pub toolsets: &'a [Name],
    /// Scopes that a credential must carry.
    pub scopes: &'a [String],
}

impl<'a> Access<'a> {
    /// Whether it is in one of the toolsets. None: all that is offered is meant.
    pub fn within(self, toolsets: Option<&[String]>) -> bool {
        toolsets.is_none_or(|wanted| self.toolsets.iter().any(|set| wanted.contains(&set.0)))
    }

    /// The first scope that a credential lacks. None: there is no credential, nothing is asked for.
    pub fn lacking(self, scopes: Option<&[String]>) -> Option<&'a str> {
        let scopes = scopes?;
        self.scopes.iter().find(|scope| !scopes.contains(scope)).map(String::as_str)
    }
}

/// The scopes that a definition asks for: those that it names, and those that its actions demand by themselves.
pub(super) fn demanded<'a>(mut named: Vec<String>, actions: impl IntoIterator<Item = &'a Action>) -> Vec<String> {
    let own = actions.into_iter().any(|action| action.any(&mut |facts| facts.callers_statements));
    if own && !named.iter().any(|scope| scope == OWN_SQL) {
        named.push(OWN_SQL.to_owned());
    }
    named
}
