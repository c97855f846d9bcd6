//! What is asked before a run: all problems at once, each with what to do. An error holds up a run that writes, unless whoever
//! starts it accepts its code.

mod ends;
mod lookups;
mod rows;
mod schema;

use std::collections::BTreeSet;

use domain::{
    Map, MapId, SideId,
    map::SideIx,
    side::{Mistake, Side},
    sync::{LegChoice, SyncChoice},
};
use futures::future::try_join;

use crate::{
    admin::{AdminPorts, sides::Level},
    error::AppError,
    ports::{ConfigStore, EntityDescription, Page},
};

/// Something that stands against a run, or may do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncProblem {
    /// [`Level::Error`]: records will fail, or harm is done. [`Level::Warning`]: some may fail, or it could not be found out.
    pub severity: Level,
    /// What kind of problem, for programs.
    pub code: &'static str,
    /// The side that it is about.
    pub side: SideId,
    /// The path of the setting that it is about: in the map, or, if it begins with `connector`, in the side.
    pub field: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// One end of a map, and what its app has told.
struct End<'a> {
    map: &'a Map,
    ix: SideIx,
    side: Option<Side>,
    description: Option<EntityDescription>,
    first_page: Option<Page>,
}

impl End<'_> {
    fn problem(&self, severity: Level, code: &'static str, message: String, fix: &str) -> SyncProblem {
        let side = self.map.config.side(self.ix).side.clone();
        SyncProblem { severity, code, side, field: None, message, fix: fix.to_owned() }
    }

    fn error(&self, code: &'static str, message: String, fix: &str) -> SyncProblem {
        self.problem(Level::Error, code, message, fix)
    }

    fn warning(&self, code: &'static str, message: String, fix: &str) -> SyncProblem {
        self.problem(Level::Warning, code, message, fix)
    }
}

impl SyncProblem {
    fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

/// Finds all problems of a run, those that hold it up first. `ahead`: maps whose runs end before it begins.
pub(super) async fn find_problems<P: AdminPorts>(
    ports: &P,
    map: &Map,
    choice: &SyncChoice,
    ahead: &[MapId],
) -> Result<Vec<SyncProblem>, AppError> {
    let load = async |ix: SideIx| ports.store().side(&map.config.side(ix).side).await;
    let (first, second) = try_join(load(SideIx::First), load(SideIx::Second)).await?;
    let end = |ix, side| End { map, ix, side, description: None, first_page: None };
    let (mut first, mut second) = (end(SideIx::First, first), end(SideIx::Second, second));
    let (mut problems, more) = futures::join!(ends::examine(ports, &mut first), ends::examine(ports, &mut second));
    problems.extend(more);
    for (from, to) in [(&first, &second), (&second, &first)] {
        problems.extend(rows::judge_keys(from));
        if matches!(choice.legs[from.ix], LegChoice::Off | LegChoice::ProposeDeletion) {
            continue;
        }
        problems.extend(schema::compare(from, to));
        problems.extend(rows::judge_values(from, to));
        problems.extend(lookups::find_unsynced(ports, to, ahead).await?);
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    Ok(problems)
}

/// The codes of the problems that would have held up a run that was let through, each once.
pub(super) fn accepted(problems: &[SyncProblem]) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.severity == Level::Error);
    errors.map(|problem| problem.code.to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The problems that hold up a run that writes, but for the accepted ones.
pub(super) fn blocking(problems: &[SyncProblem], despite: &[String]) -> Vec<Mistake> {
    let blocks = |problem: &&SyncProblem| {
        problem.severity == Level::Error && !despite.iter().any(|accepted| accepted == problem.code)
    };
    let told = problems.iter().filter(blocks).map(|SyncProblem { code, side, field, message, fix, .. }| {
        let setting = field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
        Mistake { field: (*code).to_owned(), message: format!("{side}{setting}: {message}. {fix}") }
    });
    told.collect()
}
