//! The world of the demo, compiled from `world.yaml`: organisations, services, operations and the calls inside them.
//!
//! The call graph is acyclic, so operations own their callees by reference count and nothing is looked up by name
//! while events are generated. There is one world in the program; events borrow their names from it.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use anyhow::{Context as _, anyhow, bail};
use uuid::Uuid;

use super::{offset::Offset, world_file as file};

/// Everything that exists.
#[derive(Debug)]
pub struct World {
    pub organizations: Vec<Organization>,
    pub services: Vec<Arc<Service>>,
    /// Operations that traffic enters by, with their share of it (sums to 1).
    pub entries: Vec<(Arc<Operation>, f64)>,
    pub operations: Vec<Arc<Operation>>,
    pub stores: Vec<Arc<Store>>,
}

/// A tenant and its habits.
#[derive(Debug)]
pub struct Organization {
    /// Position in the world's list.
    pub index: usize,
    pub id: Uuid,
    /// The three tenant columns as text.
    pub id_text: String,
    pub workspace_text: String,
    pub tenant_text: String,
    pub spec: file::Organization,
}

/// A piece of software that every organisation runs.
#[derive(Debug)]
pub struct Service {
    /// Position in the world's list.
    pub index: usize,
    pub name: String,
    pub spec: file::ServiceFacts,
    /// Its database with a connection pool.
    pub pool: Option<Arc<Store>>,
}

/// A database, cache, broker or third party.
#[derive(Debug)]
pub struct Store {
    pub name: String,
    pub spec: file::Store,
}

/// Something a service does when asked.
#[derive(Debug)]
pub struct Operation {
    pub service: Arc<Service>,
    /// Name of its entry span.
    pub name: String,
    /// Whether it is started by a message rather than by a request.
    pub consumer: bool,
    /// Own processing time, median nanoseconds.
    pub own: f64,
    pub errors: f64,
    pub message: String,
    pub attributes: Attributes,
    /// Attributes of a CLIENT span that calls it.
    pub client_name: String,
    pub client_attributes: Attributes,
    pub http: bool,
    pub steps: Vec<Step>,
}

/// Span attributes that never vary.
pub type Attributes = Vec<(String, String)>;

/// One thing an operation does.
#[derive(Debug)]
pub enum Step {
    Call { operation: Arc<Operation>, share: f64, optional: bool, retries: u32 },
    Store { store: Arc<Store>, name: String, share: f64, attributes: Attributes },
    Publish { store: Arc<Store>, name: String, consumers: Vec<Arc<Operation>>, attributes: Attributes },
    Work { name: String, time: f64 },
}

static WORLD: OnceLock<Result<World, String>> = OnceLock::new();

impl World {
    /// The embedded world.
    pub fn embedded() -> anyhow::Result<&'static World> {
        let world = WORLD.get_or_init(|| Self::parse(include_str!("world.yaml")).map_err(|error| format!("{error:#}")));
        world.as_ref().map_err(|error| anyhow!("the embedded `world.yaml` is wrong: {error}"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: file::World = serde_saphyr::from_str(text)?;
        let mut builder =
            Builder { stores: BTreeMap::new(), services: BTreeMap::new(), done: BTreeMap::new(), file: &file };
        for (name, spec) in &file.stores {
            builder.stores.insert(name, Arc::new(Store { name: name.clone(), spec: spec.clone() }));
        }
        let mut services = Vec::new();
        for (index, (name, spec)) in file.services.iter().enumerate() {
            let pool = spec.operations.values().flat_map(|operation| &operation.steps);
            let pool =
                pool.filter_map(|step| builder.stores.get(step.store.as_deref()?)).find(|s| s.spec.pool.is_some());
            let service =
                Arc::new(Service { index, name: name.clone(), spec: spec.facts.clone(), pool: pool.cloned() });
            builder.services.insert(name, Arc::clone(&service));
            services.push(service);
        }
        let mut operations = Vec::new();
        for (service, spec) in &file.services {
            for name in spec.operations.keys() {
                operations.push(builder.operation(service, name, 0)?);
            }
        }
        let weights: f64 = file.services.values().flat_map(|s| s.operations.values()).map(|o| o.weight).sum();
        let mut entries = Vec::new();
        for operation in &operations {
            let spec = file.services.get(&operation.service.name).and_then(|s| s.operations.get(&operation.name));
            let weight = spec.map_or(0.0, |spec| spec.weight);
            if weight > 0.0 {
                entries.push((Arc::clone(operation), weight / weights));
            }
        }
        let stores = builder.stores.into_values().collect();
        let organizations = file.organizations.into_iter().enumerate().map(|(i, spec)| Organization::new(i, spec));
        Ok(Self { organizations: organizations.collect(), services, entries, operations, stores })
    }

    /// The organisation with this code.
    pub fn organization(&self, code: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.spec.code == code)
    }

    pub fn service(&self, name: &str) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| service.name == name)
    }
}

impl Organization {
    fn new(index: usize, spec: file::Organization) -> Self {
        Self {
            index,
            id: spec.id,
            id_text: spec.id.to_string(),
            workspace_text: spec.workspace.to_string(),
            tenant_text: spec.tenant.to_string(),
            spec,
        }
    }
}

struct Builder<'f> {
    stores: BTreeMap<&'f str, Arc<Store>>,
    services: BTreeMap<&'f str, Arc<Service>>,
    done: BTreeMap<(String, String), Arc<Operation>>,
    file: &'f file::World,
}

impl Builder<'_> {
    /// Compiles an operation after its callees. `depth` ends a cycle with an error instead of a stack overflow.
    fn operation(&mut self, service: &str, name: &str, depth: usize) -> anyhow::Result<Arc<Operation>> {
        let key = (service.to_owned(), name.to_owned());
        if let Some(operation) = self.done.get(&key) {
            return Ok(Arc::clone(operation));
        }
        if depth > 32 {
            bail!("the calls of `{service} {name}` form a cycle");
        }
        let spec = self.file.services.get(service).and_then(|s| s.operations.get(name));
        let spec = spec.with_context(|| format!("there is no operation `{service} {name}`"))?;
        let mut steps = Vec::new();
        for step in &spec.steps {
            steps.push(self.step(step, depth).with_context(|| format!("in `{service} {name}`"))?);
        }
        let owner = self.services.get(service).with_context(|| format!("there is no service `{service}`"))?;
        let names = Names::of(service, name);
        let operation = Arc::new(Operation {
            service: Arc::clone(owner),
            name: name.to_owned(),
            consumer: spec.consumes.is_some() || spec.kind == file::EntryKind::Consumer,
            own: spec.own.0 as f64,
            errors: spec.errors,
            message: spec.message.clone(),
            attributes: names.server,
            client_name: names.client_name,
            client_attributes: names.client,
            http: names.http,
            steps,
        });
        self.done.insert(key, Arc::clone(&operation));
        Ok(operation)
    }

    fn step(&mut self, step: &file::Step, depth: usize) -> anyhow::Result<Step> {
        match (&step.call, &step.store, &step.publish, &step.work) {
            (Some(call), None, None, None) => {
                let (service, name) = call.split_once(' ').context("`call` is a service and an operation")?;
                let operation = self.operation(service, name, depth + 1)?;
                Ok(Step::Call { operation, share: step.share, optional: step.optional, retries: step.retries })
            }
            (None, Some(name), None, None) => {
                let store = self.stores.get(name.as_str()).with_context(|| format!("there is no store `{name}`"))?;
                let store = Arc::clone(store);
                let statement = step.statement.clone().context("`store` needs a `statement`")?;
                let (name, attributes) = store_names(&store, &statement);
                Ok(Step::Store { store, name, share: step.share, attributes })
            }
            (None, None, Some(topic), None) => self.publish(topic, depth),
            (None, None, None, Some(work)) => {
                Ok(Step::Work { name: work.clone(), time: step.time.unwrap_or(Offset(1_000_000)).0 as f64 })
            }
            _ => bail!("a step is exactly one of `call`, `store`, `publish` and `work`"),
        }
    }

    fn publish(&mut self, topic: &str, depth: usize) -> anyhow::Result<Step> {
        let mut names = Vec::new();
        for (service, spec) in &self.file.services {
            let consuming = spec.operations.iter().filter(|(_, spec)| spec.consumes.as_deref() == Some(topic));
            names.extend(consuming.map(|(name, _)| (service.clone(), name.clone())));
        }
        let mut consumers = Vec::new();
        for (service, name) in names {
            consumers.push(self.operation(&service, &name, depth + 1)?);
        }
        let broker = self.stores.values().find(|store| store.spec.system == "kafka").context("there is no broker")?;
        let attributes = pairs(&[
            ("messaging.system", "kafka"),
            ("messaging.destination.name", topic),
            ("messaging.operation", "publish"),
        ]);
        Ok(Step::Publish { store: Arc::clone(broker), name: format!("publish {topic}"), consumers, attributes })
    }
}

/// Names and attributes that follow from an operation's name: `GET /path`, `Service/Method` or `process topic`.
struct Names {
    http: bool,
    server: Attributes,
    client_name: String,
    client: Attributes,
}

impl Names {
    fn of(service: &str, name: &str) -> Self {
        if let Some(topic) = name.strip_prefix("process ") {
            let server = pairs(&[
                ("messaging.system", "kafka"),
                ("messaging.destination.name", topic),
                ("messaging.operation", "process"),
            ]);
            return Self { http: false, server, client_name: String::new(), client: Vec::new() };
        }
        if let Some((method, route)) = name.split_once(' ') {
            let server = pairs(&[("http.request.method", method), ("http.route", route), ("url.scheme", "https")]);
            let client = pairs(&[
                ("http.request.method", method),
                ("server.address", service),
                ("server.port", "8080"),
                ("peer.service", service),
            ]);
            return Self { http: true, server, client_name: method.to_owned(), client };
        }
        let (rpc, method) = name.split_once('/').unwrap_or((service, name));
        let common = [("rpc.system", "grpc"), ("rpc.service", rpc), ("rpc.method", method)];
        let mut client = pairs(&common);
        client.extend(pairs(&[("server.address", service), ("peer.service", service)]));
        Self { http: false, server: pairs(&common), client_name: name.to_owned(), client }
    }
}

fn store_names(store: &Store, statement: &str) -> (String, Attributes) {
    let verb = statement.split([' ', '.']).next().unwrap_or(statement);
    let port = store.spec.port.to_string();
    let place =
        [("server.address", store.name.as_str()), ("server.port", port.as_str()), ("peer.service", &store.name)];
    if store.spec.system == "http" {
        let path = statement.split_once(' ').map_or("/", |(_, path)| path);
        let mut attributes = pairs(&[("http.request.method", verb), ("url.path", path)]);
        attributes.extend(pairs(&place));
        return (verb.to_owned(), attributes);
    }
    let mut attributes = pairs(&[
        ("db.system", &store.spec.system),
        ("db.name", &store.name),
        ("db.operation", verb),
        ("db.statement", statement),
    ]);
    attributes.extend(pairs(&place));
    (format!("{verb} {}", store.name), attributes)
}

fn pairs(list: &[(&str, &str)]) -> Attributes {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
