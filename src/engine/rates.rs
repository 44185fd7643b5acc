//! How often callers may call: quotas of the operator and of definitions, each caller's own.
//!
//! A caller is who the server knows it to be: its credential, else the network that it comes from, else the one client
//! of a pipe. Callers of before give way to those of now, so that however many come, memory is bounded (docs/adr/0061).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use moka::{policy::EvictionPolicy, sync::Cache};

use super::{Call, CallError, CallErrorKind};
use crate::definition::Rate;

/// Most quotas that are remembered. Whoever was not seen for longest begins anew.
const MOST: u64 = 10_000;

/// What the operator set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateLimits {
    /// Of all calls of one caller.
    pub caller: Option<Rate>,
    /// Of calls of any one tool by one caller.
    pub tool: Option<Rate>,
    /// By tool.
    pub tools: BTreeMap<String, Rate>,
}

/// The quotas of an engine.
pub struct Rates {
    limits: RateLimits,
    quotas: Cache<Of, Arc<DefaultDirectRateLimiter>>,
}

/// Whose quota it is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Of {
    credential: Option<String>,
    caller: Option<Arc<str>>,
    tool: Option<String>,
    rate: Rate,
}

impl Rates {
    pub fn new(limits: RateLimits) -> Self {
        let quotas = Cache::builder().max_capacity(MOST).eviction_policy(EvictionPolicy::lru()).build();
        Self { limits, quotas }
    }

    /// Counts a call. One that the server lets go on as a task was counted when it began.
    ///
    /// # Errors
    /// `Limited`, with the time to wait.
    pub fn count(&self, call: &Call) -> Result<(), CallError> {
        let Some(rate) = self.limits.caller.filter(|_| !goes_on(call)) else { return Ok(()) };
        let whose = "`limits.caller_rate`, which the operator sets";
        self.take(call, None, rate).map_err(|wait| refused(wait, rate, "", whose))
    }

    /// Counts a call of a tool whose definition has a limit `of_its_own`.
    ///
    /// # Errors
    /// `Limited`, with the time to wait.
    pub fn count_tool(&self, call: &Call, tool: &str, of_its_own: Option<Rate>) -> Result<(), CallError> {
        let set = self.limits.tools.get(tool).map(|rate| (*rate, "`limits.tool_rates`, which the operator sets"));
        let own = || of_its_own.map(|rate| (rate, "`rate_limit` of its definition"));
        let any = || self.limits.tool.map(|rate| (rate, "`limits.tool_rate`, which the operator sets"));
        let Some((rate, whose)) = set.or_else(own).or_else(any).filter(|_| !goes_on(call)) else { return Ok(()) };
        self.take(call, Some(tool), rate).map_err(|wait| refused(wait, rate, &format!(" of `{tool}`"), whose))
    }

    /// Takes one of the quota; else how long until there is one.
    fn take(&self, call: &Call, tool: Option<&str>, rate: Rate) -> Result<(), Duration> {
        let of = Of {
            credential: call.principal.credential.clone(),
            caller: call.caller.clone(),
            tool: tool.map(str::to_owned),
            rate,
        };
        let quota = self.quotas.get_with(of, || Arc::new(RateLimiter::direct(quota(rate))));
        quota.check().map_err(|refused| refused.wait_time_from(quota.clock().now()))
    }
}

/// Whether it is the second half of a call that was counted: such a state never leaves the server. Whoever calls again with
/// answers may do so as often as it likes, so that counts.
fn goes_on(call: &Call) -> bool {
    let state = call.resume.as_ref().map(|resume| &resume.state);
    state.and_then(|state| state.get("as_task")).is_some_and(|as_task| as_task == true)
}

fn quota(rate: Rate) -> Quota {
    let each = (rate.per.0 / rate.calls.get()).max(Duration::from_nanos(1));
    // Never the default: that is of a period of nothing.
    Quota::with_period(each).unwrap_or_else(|| Quota::per_second(rate.calls)).allow_burst(rate.burst)
}

fn refused(wait: Duration, rate: Rate, what: &str, whose: &str) -> CallError {
    // Whoever waits so long is early by nothing.
    let wait = Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
    // Never less than there is to wait.
    let seconds = (wait.as_secs_f64() * 10.0).ceil() / 10.0;
    let message = format!("too many calls{what}: one caller may make {rate} ({whose})");
    let hint = format!("wait {seconds:.1} s and call again, and ask for more with one call instead of often");
    CallError { retry_after: Some(wait), ..CallError::new(CallErrorKind::Limited, message).hint(hint) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Principal, Resume};

    fn of(caller: &str) -> Call {
        Call { caller: Some(caller.into()), ..Call::default() }
    }

    fn rates(limits: RateLimits) -> Rates {
        Rates::new(limits)
    }

    fn rate(text: &str) -> Option<Rate> {
        Some(Rate::parse(text).unwrap())
    }

    #[test]
    fn each_caller_has_its_own_quota_and_is_told_how_long_to_wait() {
        let rates = rates(RateLimits { caller: rate("2/1h"), ..RateLimits::default() });
        assert!(rates.count(&of("one")).is_ok() && rates.count(&of("one")).is_ok());
        let refused = rates.count(&of("one")).unwrap_err();
        assert_eq!(refused.kind, CallErrorKind::Limited);
        let wait = refused.retry_after.unwrap();
        assert!(wait > Duration::from_secs(1700) && wait <= Duration::from_secs(1801), "{wait:?}");
        assert!(refused.message.contains("2/1h (`limits.caller_rate`"), "{refused}");
        assert!(refused.hint.unwrap().starts_with("wait 1"));
        assert!(rates.count(&of("other")).is_ok());
        // Two issuers may know somebody of the same name.
        let principal = Principal { credential: Some("issuer".into()), ..Principal::default() };
        assert!(rates.count(&Call { principal, ..of("one") }).is_ok());
        // What goes on as a task was counted when it began; answers that nobody asked for open nothing.
        let with = |state: serde_json::Value| Call { resume: Some(Resume { state, ..Resume::default() }), ..of("one") };
        assert!(rates.count(&with(serde_json::json!({ "as_task": true }))).is_ok());
        assert!(rates.count(&with(serde_json::Value::Null)).is_err());
        assert!(rates.count(&with(serde_json::json!({ "as_task": false }))).is_err());
    }

    #[test]
    fn the_limit_of_a_tool_is_the_operators_else_its_own_else_that_of_all() {
        let tools = BTreeMap::from([("set".to_owned(), Rate::parse("3/1h").unwrap())]);
        let rates = rates(RateLimits { caller: None, tool: rate("1/1h"), tools });
        for (tool, own, most, whose) in [
            ("set", "1/1h", 3, "limits.tool_rates"),
            ("own", "2/1h", 2, "rate_limit"),
            ("any", "", 1, "limits.tool_rate`"),
        ] {
            let own = Rate::parse(own).ok();
            for _ in 0..most {
                rates.count_tool(&of("one"), tool, own).unwrap();
            }
            let refused = rates.count_tool(&of("one"), tool, own).unwrap_err();
            assert!(refused.message.contains(tool) && refused.message.contains(whose), "{refused}");
        }
        let none = Rates::new(RateLimits::default());
        assert!((0..1000).all(|_| none.count(&of("one")).is_ok() && none.count_tool(&of("one"), "t", None).is_ok()));
        assert_eq!(none.quotas.entry_count(), 0);
    }

    #[test]
    fn the_wait_is_told_whole() {
        let rate = Rate::parse("1/1s").unwrap();
        for (milliseconds, told) in [(138, "0.2 s"), (99, "0.1 s"), (0, "0.1 s"), (1999, "2.0 s"), (60_000, "60.1 s")] {
            let hint = refused(Duration::from_millis(milliseconds), rate, "", "").hint.unwrap();
            assert!(hint.starts_with(&format!("wait {told} and")), "{milliseconds}: {hint}");
        }
    }

    #[test]
    fn a_quota_is_regained() {
        let rates = rates(RateLimits { caller: rate("1000/1s burst 1"), ..RateLimits::default() });
        rates.count(&of("one")).unwrap();
        let regained = Duration::from_secs(30);
        let since = std::time::Instant::now();
        while rates.count(&of("one")).is_err() {
            assert!(since.elapsed() < regained, "it is regained after a millisecond");
        }
    }

    /// Many callers, and those who make up callers, take no memory without end.
    #[test]
    fn callers_of_before_give_way() {
        let rates = rates(RateLimits { caller: rate("1/1h"), ..RateLimits::default() });
        for n in 0..MOST * 3 {
            rates.count(&of(&n.to_string())).unwrap();
        }
        rates.quotas.run_pending_tasks();
        assert!(rates.quotas.entry_count() <= MOST, "{}", rates.quotas.entry_count());
        assert!(rates.count(&of(&(MOST * 3 - 1).to_string())).is_err(), "who came last is known");
    }
}
