//! Reads sections again against another time, where data reach back so far, and finds out since when what is old is so.
//!
//! What rows and rules mean by it is said in `news`.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use futures::future::join_all;
use time::Duration;

use super::Run;
use crate::{
    catalog::SectionEntry,
    definition::Severity,
    engine::{
        document::{Document, SectionAnswer},
        news::{self, Again, News, Old, Rows},
        order::{Order, with_awaited},
        recorded::{self, Recorded},
        scene::Scene,
        wanted::compares,
        window::{Baseline, TimeWindow},
    },
};

/// How often a section is read to find out since when something is so: a day of hours is halved so often.
const PROBES: usize = 5;

/// A row that is bad against the other time and not against the window before.
struct Candidate {
    rule: usize,
    key: String,
    row: minijinja::Value,
    /// How many windows before it was found to be so, and how many before not.
    bad: i32,
    good: i32,
}

impl Run<'_> {
    /// What sections of which something bad may be said answer against a second time, where data reach back so far.
    pub(super) async fn again(&self, deadline: Instant) -> Option<Again> {
        let baseline = self.wanted.second?;
        let window = baseline.of(self.window);
        let names = news::asked_again(self.wanted.entry);
        if names.is_empty() || !self.reaches(window, deadline).await {
            return None;
        }
        let definition = &self.wanted.entry.definition;
        let reach = definition.sections.keys().map(String::as_str).filter(|name| news::is_reach(definition, name));
        let reach = with_awaited(definition, reach);
        let started = Instant::now();
        // What ran before those hours and ended is known as well.
        let (now, then) = (self.against(self.window, baseline), self.against(window, Baseline::Previous));
        let (mut answers, there) = tokio::join!(now.all(&names, deadline), then.all(&reach, deadline));
        answers.extend(there);
        Some(Again { window, answers, took: started.elapsed() })
    }

    /// What is usual and what is old, of all that may be called bad.
    pub(super) async fn news(&self, again: &Again, document: &Document, deadline: Instant) -> News {
        let entry = self.wanted.entry;
        let rules = &entry.definition.highlights;
        let scene = Scene::of(document, self.wanted);
        let mut news = News {
            usual: rules.iter().map(|_| HashSet::new()).collect(),
            old: rules.iter().map(|_| Vec::new()).collect(),
        };
        let mut unknown: HashMap<&str, Vec<(usize, String)>> = HashMap::new();
        let mut candidates: HashMap<&str, Vec<Candidate>> = HashMap::new();
        for (each, section, then) in judged(again, document) {
            let known = news::known(&entry.definition, each);
            let (here, there) = (Rows::of(known, section), Rows::of(known, then));
            let bad = rules.iter().zip(&entry.highlights).enumerate();
            let bad =
                bad.filter(|(_, (rule, _))| rule.each.as_deref() == Some(each) && rule.severity != Severity::Info);
            let bad: Vec<_> = bad.map(|(at, (rule, keys))| (at, rule.max as usize, keys)).collect();
            let firing = |rows: &Rows<'_>| -> Vec<HashSet<String>> {
                let of = |keys, key: &str| rows.record(key).is_some_and(|row| scene.fires(self.catalog, keys, row));
                bad.iter().map(|(_, _, keys)| rows.keys.iter().filter(|key| of(keys, key)).cloned().collect()).collect()
            };
            let (now, also) = (firing(&here), firing(&there));
            // Rules about the same rows are degrees of one thing: what is bad by any of them stands.
            let any = |of: &[HashSet<String>], key: &String| of.iter().any(|keys| keys.contains(key));
            for ((at, max, _), (now_bad, then_bad)) in bad.iter().zip(now.iter().zip(&also)) {
                // Where deviations are left out, the others stand.
                for key in now_bad.iter().filter(|key| known.is_none() && !any(&also, key)) {
                    match (there.has(key), there.more()) {
                        (true, _) if there.has_before(key) => {
                            if let Some(of) = news.usual.get_mut(*at) {
                                of.insert(key.clone());
                            }
                        }
                        (false, false) => unknown.entry(each).or_default().push((*at, key.clone())),
                        _ => {}
                    }
                }
                let old = there.keys.iter().filter(|key| then_bad.contains(*key) && !any(&now, key));
                let old = old.take(*max).filter_map(|key| {
                    let row = there.record(key)?.clone();
                    Some(Candidate { rule: *at, key: key.clone(), row, bad: 0, good: i32::MAX })
                });
                candidates.entry(each).or_default().extend(old);
            }
        }
        // The answer is there already: what is asked besides gets half of the time that is left.
        let deadline = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
        let usual = unknown.into_iter().map(|(each, rows)| self.so_too(again, each, rows, deadline));
        // Since when it is so is asked of the same sections: where there is no time for one answer, there is none to wait for.
        let enough = deadline.saturating_duration_since(Instant::now()) >= again.took;
        let old = candidates.into_iter().filter(|(_, rows)| enough && !rows.is_empty());
        let old = old.map(|(each, rows)| self.dated(again, &scene, each, rows, deadline));
        let (usual, old) = tokio::join!(join_all(usual), join_all(old));
        for (rule, key) in usual.into_iter().flatten() {
            if let Some(of) = news.usual.get_mut(rule) {
                of.insert(key);
            }
        }
        for candidate in old.into_iter().flatten() {
            let since = self.window.from - self.window.length() * candidate.bad;
            if let Some(of) = news.old.get_mut(candidate.rule) {
                of.push(Old { row: candidate.row, since });
            }
        }
        news
    }

    /// The rows that are gone at these hours of the day before too: they were there, and nothing of them is read now or
    /// then.
    async fn so_too(
        &self,
        again: &Again,
        each: &str,
        rows: Vec<(usize, String)>,
        deadline: Instant,
    ) -> Vec<(usize, String)> {
        let run = self.against(again.window, Baseline::Previous);
        let Some(answer) = run.one(each, deadline).await else { return Vec::new() };
        let there = Rows::of(None, &answer);
        rows.into_iter().filter(|(_, key)| there.has(key)).collect()
    }

    /// The rows that were so in the window before already, with how far back they are.
    async fn dated(
        &self,
        again: &Again,
        scene: &Scene,
        each: &str,
        mut rows: Vec<Candidate>,
        deadline: Instant,
    ) -> Vec<Candidate> {
        let window = self.window;
        let known = news::known(&self.wanted.entry.definition, each);
        let between = (window.from - again.window.to).as_seconds_f64() / window.length().as_seconds_f64();
        let last = (between as i32).max(1);
        rows.iter_mut().for_each(|row| row.good = last + 1);
        // Volumes differ by the hour: each hour has its own day before, where data reach back so far.
        let day = self.wanted.second.unwrap_or_default();
        let baseline = match self.reaches(day.of(again.window), deadline).await {
            true => day,
            false => Baseline::Of(again.window),
        };
        for probe in 0..PROBES {
            let open = rows.iter().find(|row| row.good - row.bad > 1);
            let Some(back) = open.map(|row| if probe == 0 { 1 } else { row.bad + (row.good - row.bad) / 2 }) else {
                break;
            };
            let then = earlier(window, window.length() * back);
            let answer = match then {
                Some(then) => self.against(then, baseline).one(each, deadline).await,
                None => None,
            };
            let found = answer.as_ref().map(|answer| Rows::of(known, answer));
            for row in &mut rows {
                let Some(keys) = self.wanted.entry.highlights.get(row.rule) else { continue };
                let then = found.as_ref().and_then(|found| found.record(&row.key));
                match then.is_some_and(|then| scene.fires(self.catalog, keys, then)) {
                    true => row.bad = row.bad.max(back),
                    false if back > row.bad => row.good = row.good.min(back),
                    false => {}
                }
            }
            // What was not so in the window before is not old, whatever it is.
            rows.retain(|row| row.bad > 0);
            if found.is_none() {
                break;
            }
        }
        rows
    }

    /// Reads sections again whose data begin within the time that they were compared with: a part of it is no measure, so
    /// that they are compared with a time before the data begin, which is unknown. What waits for them is read again too.
    pub(super) async fn without_part(&self, recorded: &[Recorded], sections: &mut [SectionAnswer], deadline: Instant) {
        let compared = self.baseline.of(self.window);
        // What a caller compares is compared as it was asked for.
        if self.wanted.entry.definition.window.sides.is_some() {
            return;
        }
        let entries = self.wanted.entry.sections.iter().filter(|entry| compares(&entry.definition));
        let instead = entries.filter_map(|entry| {
            let then = recorded::without_part(entry, recorded, self.window, compared)?;
            Some((entry.name.as_str(), Baseline::Of(then)))
        });
        let instead: HashMap<&str, Baseline> = instead.collect();
        if instead.is_empty() {
            return;
        }
        let definition = &self.wanted.entry.definition;
        let awaits = |name: &str| with_awaited(definition, [name]).iter().any(|name| instead.contains_key(name));
        let read: HashSet<&str> = sections.iter().map(|section| section.name.as_str()).collect();
        let anew: Vec<&str> =
            definition.sections.keys().map(String::as_str).filter(|name| read.contains(name) && awaits(name)).collect();
        let names = with_awaited(definition, anew.iter().copied());
        let answers = Run { instead: Some(&instead), ..*self }.all(&names, deadline).await;
        for answer in answers.into_iter().filter(|answer| anew.contains(&answer.name.as_str())) {
            if let Some(section) = sections.iter_mut().find(|section| section.name == answer.name) {
                *section = answer;
            }
        }
    }

    /// What a section is compared with.
    pub(super) fn baseline_of(&self, entry: &SectionEntry) -> Baseline {
        let instead = self.instead.and_then(|instead| instead.get(entry.name.as_str()));
        instead.copied().unwrap_or(self.baseline)
    }

    /// Whether there are data of a window, from its beginning on.
    async fn reaches(&self, window: TimeWindow, deadline: Instant) -> bool {
        let length = window.length();
        let begin = TimeWindow { from: window.from - length, to: window.from + length / 8 };
        let sections = self.wanted.entry.sections.iter().filter(|entry| entry.definition.when_empty);
        let sections = sections.map(|entry| self.section(entry, begin, begin, deadline));
        join_all(sections).await.iter().flatten().any(recorded::holds)
    }

    /// The same collection of another time.
    fn against(&self, window: TimeWindow, baseline: Baseline) -> Self {
        Run { window, baseline, again: None, instead: None, ..*self }
    }

    /// The answers of some sections, all that they wait for among them.
    async fn all(&self, names: &HashSet<&str>, deadline: Instant) -> Vec<SectionAnswer> {
        let entries = &self.wanted.entry.sections;
        let order = Order::of(entries);
        let asked = entries.iter().filter(|entry| names.contains(entry.name.as_str()));
        join_all(asked.map(|entry| self.in_turn(&order, entry, deadline))).await.into_iter().flatten().collect()
    }

    /// The answer of one section, unless it could not be read.
    async fn one(&self, name: &str, deadline: Instant) -> Option<SectionAnswer> {
        let names = with_awaited(&self.wanted.entry.definition, [name]);
        let answers = self.all(&names, deadline).await;
        answers.into_iter().find(|answer| answer.name == name && !answer.status.is_problem())
    }
}

/// The sections that answered both times, as they are and against the other time.
fn judged<'d>(
    again: &'d Again,
    document: &'d Document,
) -> impl Iterator<Item = (&'d str, &'d SectionAnswer, &'d SectionAnswer)> {
    document.sections.iter().filter(|section| !section.status.is_problem()).filter_map(|section| {
        let then = again.answer(&section.name)?;
        Some((section.name.as_str(), section, then))
    })
}

fn earlier(window: TimeWindow, by: Duration) -> Option<TimeWindow> {
    Some(TimeWindow { from: window.from.checked_sub(by)?, to: window.to.checked_sub(by)? })
}
