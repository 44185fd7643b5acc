//! Whose rows a call may read: from configuration or credentials, never from a model's free choice.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    Call, CallError, CallErrorKind, Ledger,
    document::{Organisation, Workspace},
    sources::Sources,
};
use crate::{
    catalog::{Access, Catalog},
    definition::{Action, LogicalSource},
    source::{Author, Limits, Query, SourceError},
    sql::Statement,
};

/// What the operator set about tenancy.
#[derive(Debug, Clone, Default)]
pub struct Tenancy {
    /// The organisation of calls without a credential.
    pub organization_id: Option<String>,
    pub workspace_id: Option<String>,
    pub user_id: Option<String>,
    /// Claims of calls without a credential, as `{{ claims.name }}` in statements.
    pub claims: Map<String, Value>,
    /// Whether a caller may name one of the organisations that it may see.
    pub allow_argument: bool,
}

/// Who calls, as the transport found out.
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// Organisations that the credential covers. None: there is no credential, configuration decides.
    pub organizations: Option<Vec<String>>,
    pub workspace_id: Option<String>,
    pub user_id: Option<String>,
    /// Who it is, for the audit log: a key's name or a token's subject. None: there is no credential.
    pub subject: Option<String>,
    /// What tells the credential apart from another of the same subject: the id of a key, the issuer of a token.
    pub credential: Option<String>,
    /// Scopes of the credential. None: there is no credential, nothing is refused for want of a scope.
    pub scopes: Option<Vec<String>>,
    /// Toolsets that the credential covers. None: all that the server offers.
    pub toolsets: Option<Vec<String>>,
    /// Further claims, as `{{ claims.name }}` in statements: always bound, never text.
    pub claims: Map<String, Value>,
}

impl Principal {
    /// Whether a credential says who calls. Then nothing of the configuration stands in for what it does not say.
    pub fn has_credential(&self) -> bool {
        self.subject.is_some() || self.organizations.is_some()
    }

    /// Whether a definition is there for this caller: it is in one of the toolsets of the credential, which has the scopes
    /// that it asks for.
    pub fn sees(&self, access: Access<'_>) -> bool {
        access.within(self.toolsets.as_deref()) && access.lacking(self.scopes.as_deref()).is_none()
    }

    /// Refuses a definition that asks for a scope which the credential lacks.
    pub fn permits(&self, name: &str, access: Access<'_>) -> Result<(), CallError> {
        let lacking = access.lacking(self.scopes.as_deref());
        lacking.map_or(Ok(()), |scope| {
            Err(CallError { scopes: access.scopes.to_vec(), ..CallError::lacking_scope(name, scope) })
        })
    }

    /// The tool that does something and that may be named to this caller.
    pub fn tool_that<'c>(&self, catalog: &'c Catalog, does: impl Fn(&Action) -> bool) -> Option<&'c str> {
        let found = catalog.tools.values().find(|entry| does(&entry.definition.run) && self.sees(entry.access()));
        found.map(|entry| &*entry.definition.name)
    }

    /// Whether it has a choice of organisations: a credential for one has none, and needs no argument for it.
    pub fn may_choose(&self) -> bool {
        !self.has_credential() || self.organizations.as_ref().is_some_and(|covered| covered.len() > 1)
    }

    /// What it may read, whoever it is: callers who have the same may be told the same.
    pub fn rights(&self) -> Value {
        let sorted = |names: &Option<Vec<String>>| {
            let mut names = names.clone();
            names.iter_mut().for_each(|names| names.sort());
            names
        };
        let (organizations, scopes) = (sorted(&self.organizations), sorted(&self.scopes));
        let (workspace, user, claims) = (&self.workspace_id, &self.user_id, &self.claims);
        json!([self.has_credential(), organizations, workspace, user, claims, scopes, sorted(&self.toolsets)])
    }

    /// To whom belongs what this caller leaves behind.
    pub fn owner(&self) -> Owner {
        let mut organizations = self.organizations.clone();
        organizations.iter_mut().for_each(|organizations| organizations.sort());
        Owner {
            credential: self.credential.clone(),
            subject: self.subject.clone(),
            organizations,
            workspace_id: self.workspace_id.clone(),
            user_id: self.user_id.clone(),
            claims: self.claims.clone(),
        }
    }
}

/// Who a caller is, for what outlives a request: a session, a task, the state of an interrupted call. Scopes and toolsets
/// are not part of it: they are asked anew with every request, and may grow.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Owner {
    credential: Option<String>,
    subject: Option<String>,
    organizations: Option<Vec<String>>,
    workspace_id: Option<String>,
    user_id: Option<String>,
    claims: Map<String, Value>,
}

/// Workspace and user of a call: those of its credential, or without one those of the configuration.
pub fn workspace_and_user<'a>(tenancy: &'a Tenancy, principal: &'a Principal) -> (Option<&'a str>, Option<&'a str>) {
    match principal.has_credential() {
        true => (principal.workspace_id.as_deref(), principal.user_id.as_deref()),
        false => (tenancy.workspace_id.as_deref(), tenancy.user_id.as_deref()),
    }
}

/// Claims of a call: those of its credential, or without one those of the configuration.
pub fn claims<'a>(tenancy: &'a Tenancy, principal: &'a Principal) -> &'a Map<String, Value> {
    if principal.has_credential() { &principal.claims } else { &tenancy.claims }
}

/// Refuses an argument that names somebody else than the credential does.
pub fn same(name: &str, argument: Option<&str>, own: Option<&str>) -> Result<(), CallError> {
    match argument {
        Some(_) if argument != own => {
            let message = format!("your credential does not cover the `{name}` that you named");
            Err(CallError::new(CallErrorKind::Forbidden, message).hint(format!("leave `{name}` out of the call")))
        }
        _ => Ok(()),
    }
}

/// Why no organisation could be told.
#[derive(Debug, Clone)]
pub enum Unresolved {
    /// Several exist and none is configured.
    Ambiguous(Vec<Organisation>),
    /// The credential covers several, and the call names none.
    Several(Vec<Organisation>, Remedy),
    /// The platform lists none.
    None,
    /// The list could not be read.
    Unreadable(SourceError),
    /// The caller named one that it may not see, or may not name any.
    Refused(String),
}

/// How somebody whose credential covers several organisations has one of them read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The call names it.
    Argument,
    /// The definition of the call has no argument for it.
    Credential,
    /// The operator lets calls name it.
    Setting,
}

/// Lists the organisations of the platform, and the workspaces of each; read once a minute at most.
#[derive(Default)]
pub struct Directory {
    cached: Mutex<Vec<Known>>,
    /// When a name could last not be read in time.
    unnamed: Mutex<Option<Instant>>,
}

/// What was read by which statement, and on whose behalf: a database may show nobody the list, and each organisation itself.
struct Known {
    read: Instant,
    statement: &'static str,
    organization_id: Option<String>,
    listed: Listed,
}

/// The organisations of the platform, or workspaces of one.
#[derive(Clone)]
struct Listed {
    organisations: Vec<Organisation>,
    /// There are not more of them.
    whole: bool,
}

impl Listed {
    fn in_use(self) -> Vec<Organisation> {
        self.organisations.into_iter().filter(|organisation| organisation.retired.is_none()).collect()
    }
}

/// What a list says of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Known,
    /// It has others, and all that there are.
    Others,
    /// It is empty, or the database shows this server nobody.
    Nobody,
}

/// Logical source that holds the list of organisations.
const SOURCE: &str = LogicalSource::Platform.as_str();
/// The platform's own table; only its public columns.
const ORGANISATIONS: &str = "SELECT organization_id, name, NULL AS owner, \
     CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN is_active THEN '' ELSE 'inactive' END AS retired \
     FROM organizations ORDER BY retired, name, organization_id";
/// Likewise. Of one organisation, by the lock of the source.
const WORKSPACES: &str = "SELECT workspace_id, name, organization_id AS owner, \
     CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN is_active THEN '' ELSE 'inactive' END AS retired \
     FROM workspaces ORDER BY retired, workspace_id";
/// What a list says of those that are not in use.
const RETIRED: [&str; 2] = ["deleted", "inactive"];
/// Most answers that are kept; callers may name whom they like.
const KNOWN: usize = 1000;
const FRESH: Duration = Duration::from_secs(60);
/// Longest wait for a name. It only decorates an answer, and must not use up the time of other sources.
const NAME_WAIT: Duration = Duration::from_millis(500);

impl Directory {
    /// An organisation with its name, where that can be read soon; not tried again for a minute where it cannot.
    async fn named(&self, id: &str, sources: &Sources, ledger: &Ledger) -> Organisation {
        let (known, listing) = self.look_up(id, None, sources, ledger).await;
        let (unknown, unseen) = (listing == Some(Listing::Others), listing == Some(Listing::Nobody));
        Organisation { id: id.to_owned(), unknown, unseen, ..known.unwrap_or_default() }
    }

    /// A workspace with its name, likewise.
    pub(super) async fn workspace(
        &self,
        id: &str,
        organization_id: &str,
        sources: &Sources,
        ledger: &Ledger,
    ) -> Workspace {
        let (known, listing) = self.look_up(id, Some(organization_id), sources, ledger).await;
        let Organisation { name, retired, .. } = known.unwrap_or_default();
        Workspace { id: id.to_owned(), name, unknown: listing == Some(Listing::Others), retired }
    }

    /// An organisation, or a workspace of one, and what the list says of it. What is kept may be older than what is asked
    /// about: nothing is called unknown by it.
    async fn look_up(
        &self,
        id: &str,
        of: Option<&str>,
        sources: &Sources,
        ledger: &Ledger,
    ) -> (Option<Organisation>, Option<Listing>) {
        let began = Instant::now();
        match self.looked_up(id, self.listed(id, of, None, sources, ledger)).await {
            (None, Some(_)) => self.looked_up(id, self.listed(id, of, Some(began), sources, ledger)).await,
            found => found,
        }
    }

    async fn listed(
        &self,
        id: &str,
        of: Option<&str>,
        since: Option<Instant>,
        sources: &Sources,
        ledger: &Ledger,
    ) -> Result<Listed, SourceError> {
        if of.is_some() {
            return self.list(WORKSPACES, of, since, sources, NAME_WAIT, ledger).await;
        }
        let all = self.list(ORGANISATIONS, None, since, sources, NAME_WAIT, ledger).await?;
        match all.organisations.is_empty() {
            true => self.list(ORGANISATIONS, Some(id), since, sources, NAME_WAIT, ledger).await,
            false => Ok(all),
        }
    }

    async fn looked_up(
        &self,
        id: &str,
        listed: impl Future<Output = Result<Listed, SourceError>>,
    ) -> (Option<Organisation>, Option<Listing>) {
        let lately = |at: &Option<Instant>| at.is_some_and(|at| at.elapsed() < FRESH);
        if self.unnamed.lock().is_ok_and(|at| lately(&at)) {
            return (None, None);
        }
        match tokio::time::timeout(NAME_WAIT, listed).await {
            Ok(Ok(listed)) => {
                let known = listed.organisations.iter().find(|known| known.id.eq_ignore_ascii_case(id));
                let listing = match known {
                    Some(_) => Some(Listing::Known),
                    None if listed.organisations.is_empty() => Some(Listing::Nobody),
                    None => listed.whole.then_some(Listing::Others),
                };
                (known.cloned(), listing)
            }
            Ok(Err(_)) | Err(_) => {
                if let Ok(mut unnamed) = self.unnamed.lock() {
                    *unnamed = Some(Instant::now());
                }
                (None, None)
            }
        }
    }

    /// The organisations, on behalf of one of them as many as the database shows it; read since then where that is told.
    async fn list(
        &self,
        statement: &'static str,
        organization_id: Option<&str>,
        since: Option<Instant>,
        sources: &Sources,
        timeout: Duration,
        ledger: &Ledger,
    ) -> Result<Listed, SourceError> {
        if let Ok(mut cached) = self.cached.lock() {
            cached.retain(|known| known.read.elapsed() < FRESH);
            let asked =
                |known: &&Known| known.statement == statement && known.organization_id.as_deref() == organization_id;
            if let Some(known) = cached.iter().find(asked).filter(|known| since.is_none_or(|since| known.read >= since))
            {
                return Ok(known.listed.clone());
            }
            cached.retain(|known| !asked(&known));
        }
        let asked = Statement { sql: statement.to_owned(), binds: Vec::new() };
        let query = Query {
            statement: &asked,
            limits: Limits { timeout, max_rows: 1000, max_bytes: 1 << 20 },
            author: Author::Definition { organization_id },
            cancel: &CancellationToken::new(),
            id: None,
        };
        let read = Instant::now();
        let rows = ledger.ask_aside(SOURCE, sources.get(SOURCE)?.as_ref(), query).await?;
        let text = |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
        let list: Vec<Organisation> = rows
            .rows
            .iter()
            .filter(|row| match (row.get(2), organization_id) {
                (Some(serde_json::Value::String(owner)), Some(id)) => owner.eq_ignore_ascii_case(id),
                _ => true,
            })
            .filter_map(|row| {
                let retired = row.get(3).and_then(|value| value.as_str());
                Some(Organisation {
                    id: text(row.first())?,
                    name: text(row.get(1)),
                    retired: retired.and_then(|word| RETIRED.into_iter().find(|retired| *retired == word)),
                    ..Organisation::default()
                })
            })
            .collect();
        let list = Listed { organisations: list, whole: rows.truncated.is_none() };
        if let Ok(mut cached) = self.cached.lock() {
            if cached.len() >= KNOWN {
                cached.remove(0);
            }
            let organization_id = organization_id.map(str::to_owned);
            cached.push(Known { read, statement, organization_id, listed: list.clone() });
        }
        Ok(list)
    }
}

/// The organisation of a call.
pub async fn organisation(
    tenancy: &Tenancy,
    directory: &Directory,
    sources: &Sources,
    call: &Call,
    argument: Option<&str>,
    timeout: Duration,
) -> Result<Organisation, Unresolved> {
    if argument.is_some() && !tenancy.allow_argument {
        return Err(Unresolved::Refused("this server does not let callers name an organisation".into()));
    }
    let named = |id| directory.named(id, sources, &call.ledger);
    let nothing = Vec::new();
    let covered = match &call.principal.organizations {
        None if call.principal.has_credential() => Some(&nothing),
        covered => covered.as_ref(),
    };
    let organisation = match (covered, argument, tenancy.organization_id.as_deref()) {
        (Some(covered), Some(id), _) if covered.iter().any(|c| c == id) => Ok(named(id).await),
        (Some(_), Some(_), _) => {
            Err(Unresolved::Refused("your credential does not cover the organisation that you named".into()))
        }
        (Some(covered), None, _) => match covered.as_slice() {
            [only] => Ok(named(only).await),
            [] => Err(Unresolved::Refused("your credential covers no organisation".into())),
            several => {
                let mut choices = Vec::with_capacity(several.len());
                for id in several {
                    choices.push(named(id).await);
                }
                let remedy = match (tenancy.allow_argument, call.ledger.may_name()) {
                    (true, true) => Remedy::Argument,
                    (true, false) => Remedy::Credential,
                    (false, _) => Remedy::Setting,
                };
                Err(Unresolved::Several(choices, remedy))
            }
        },
        (None, Some(id), _) | (None, None, Some(id)) => Ok(named(id).await),
        (None, None, None) => {
            match directory.list(ORGANISATIONS, None, None, sources, timeout, &call.ledger).await.map(Listed::in_use) {
                Ok(mut list) if list.len() == 1 => list.pop().ok_or(Unresolved::None),
                Ok(list) if list.is_empty() => Err(Unresolved::None),
                Ok(list) => Err(Unresolved::Ambiguous(list)),
                Err(error) => Err(Unresolved::Unreadable(error)),
            }
        }
    };
    if let Ok(organisation) = &organisation {
        call.ledger.may_read(&organisation.id);
    }
    organisation
}

impl super::Engine {
    /// The organisation of a call that names none, for the operator's eyes.
    ///
    /// # Errors
    /// Why none can be told.
    pub async fn organisation_of(&self, call: &Call) -> Result<Organisation, Unresolved> {
        let timeout = self.options.tool_timeout;
        organisation(&self.options.tenancy, &self.directory, &self.sources, call, None, timeout).await
    }

    /// All active organisations of the platform, for the operator's eyes.
    ///
    /// # Errors
    /// The platform does not answer.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, SourceError> {
        let ledger = Ledger::default();
        let listed =
            self.directory.list(ORGANISATIONS, None, None, &self.sources, self.options.tool_timeout, &ledger).await?;
        Ok(listed.in_use())
    }
}

/// Organisations with their names, for a sentence.
pub fn listed(organisations: &[Organisation]) -> String {
    let name = |organisation: &Organisation| {
        let name = organisation.name.as_deref().unwrap_or("unnamed");
        format!("{} ({})", crate::template::one_line(name, 80), crate::template::one_line(&organisation.id, 80))
    };
    let names: Vec<String> = organisations.iter().take(20).map(name).collect();
    let more = organisations.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

impl Unresolved {
    /// What happened and what to do, as two sentences.
    pub fn explain(&self) -> (String, String) {
        match self {
            Unresolved::Ambiguous(list) => (
                format!("no organisation is set, and there are {}: {}", list.len(), listed(list)),
                "the operator sets `tenancy.organization_id` (or `serve --organization ID`) to one of them".into(),
            ),
            Unresolved::Several(list, remedy) => (
                format!("your credential covers {} organisations: {}", list.len(), listed(list)),
                match remedy {
                    Remedy::Argument => "name one of them with `organization_id`".into(),
                    Remedy::Credential => "this takes no `organization_id`: use a credential for one of them".into(),
                    Remedy::Setting => "the operator sets `tenancy.allow_argument`, so that a call names one with \
                              `organization_id`, or gives out a credential for one of them"
                        .into(),
                },
            ),
            Unresolved::None => (
                "no organisation is set, and the platform lists none".into(),
                "the operator sets `tenancy.organization_id`, or loads data, such as with `tfo-mcp demo`".into(),
            ),
            Unresolved::Unreadable(error) => (
                format!(
                    "no organisation is set, and the list of organisations cannot be read: {}",
                    super::error::told(error.clone())
                ),
                error.hint.clone().unwrap_or_else(|| {
                    "the operator sets `tenancy.organization_id`; for data without organisations any UUID will do"
                        .into()
                }),
            ),
            Unresolved::Refused(why) => (why.clone(), "leave the organisation out of the call".into()),
        }
    }
}
