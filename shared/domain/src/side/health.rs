//! How the app of a side answers: what one function has seen of it, or what all of them have noted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reports;
use crate::{
    failure::{ErrorClass, Failure},
    id::SideId,
    time::Timestamp,
};

/// How the app of a side answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it took a record last, by entity: an app may work for one of its entities, and fail for another.
    pub taken: BTreeMap<String, Timestamp>,
    /// When it answered about a record last, by taking or by refusing it.
    pub answered_at: Option<Timestamp>,
    /// Calls that failed for a reason of the whole side.
    pub trouble: Option<Trouble>,
    /// What its reports tell of Tandem's own writes.
    pub reports: Reports,
}

/// How a write ended, as far as it tells of the app.
#[derive(Clone, Copy, Debug)]
pub enum CallEnding<'a> {
    /// The app took a record of this entity.
    Taken(&'a str),
    /// The app answered, and nothing had to be written.
    NothingToWrite,
    /// The write failed.
    Failed(&'a Failure),
}

/// Calls in a row that failed for a reason of the whole side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When the first of them failed.
    pub since: Timestamp,
    /// The class of the last failure.
    pub class: ErrorClass,
    /// How many they were when this was noted.
    pub calls: u32,
}

impl Health {
    /// Notes how a call ended.
    pub fn note_call(&mut self, ending: CallEnding<'_>, at: Timestamp) {
        match ending {
            CallEnding::Taken(entity) => {
                self.taken.insert(entity.to_owned(), at);
                (self.answered_at, self.trouble) = (Some(at), None);
            }
            CallEnding::NothingToWrite => (self.answered_at, self.trouble) = (Some(at), None),
            CallEnding::Failed(failure) if !failure.is_side_wide() => {
                (self.answered_at, self.trouble) = (Some(at), None);
            }
            // It answers, and has too much to do.
            CallEnding::Failed(failure) if failure.class == ErrorClass::Throttled => {}
            CallEnding::Failed(failure) => {
                let trouble = self.trouble.get_or_insert(Trouble { since: at, class: failure.class, calls: 0 });
                trouble.class = failure.class;
                trouble.calls = trouble.calls.saturating_add(1);
            }
        }
    }

    /// Adds what another function has noted.
    pub fn merge(&mut self, noted: &Self) {
        if let Some(trouble) = &noted.trouble {
            if self.current_trouble().is_none() {
                self.trouble = Some(trouble.clone());
            }
        } else if let Some(answered) = noted.answered_at {
            let is_newest = self.answered_at.is_none_or(|known| known < answered);
            if is_newest && noted.taken.values().any(|taken| *taken == answered) {
                self.reports.note_taken(answered);
            }
            self.answered_at = self.answered_at.max(noted.answered_at);
            for (entity, at) in &noted.taken {
                let known = self.taken.entry(entity.clone()).or_default();
                *known = (*known).max(*at);
            }
        } else {
            let reports = [(true, noted.reports.echoed_at), (false, noted.reports.changed_at)];
            reports
                .into_iter()
                .filter_map(|(is_own, at)| Some((is_own, at?)))
                .for_each(|(is_own, at)| self.reports.note(is_own, at));
        }
    }

    /// When it took a record of any entity last.
    #[must_use]
    pub fn taken_at(&self) -> Option<Timestamp> {
        self.taken.values().max().copied()
    }

    /// The trouble that no answer has ended.
    #[must_use]
    pub fn current_trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref().filter(|trouble| self.answered_at.is_none_or(|answered| answered < trouble.since))
    }
}

impl Trouble {
    /// What is wrong, for people: `crm has not answered since 2026-11-27T10:31:05.000Z (network)`.
    #[must_use]
    pub fn describe(&self, side: &SideId) -> String {
        let what = match self.class {
            ErrorClass::Auth => "has refused our credentials",
            ErrorClass::OtherHttp => "has sent answers that are not its own",
            ErrorClass::Network
            | ErrorClass::Timeout
            | ErrorClass::Unavailable
            | ErrorClass::Throttled
            | ErrorClass::Application
            | ErrorClass::BadRequest
            | ErrorClass::Conflict
            | ErrorClass::Mapping => "has not answered",
        };
        format!("{side} {what} since {} ({})", self.since, self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::CallEffect;

    fn failure(class: ErrorClass) -> Failure {
        Failure::new(class, CallEffect::NotApplied, None, "no")
    }

    #[test]
    fn trouble_lasts_until_the_app_answers_and_counts_its_calls() {
        let mut health = Health::default();
        health.note_call(CallEnding::Taken("accounts"), Timestamp(1));
        assert_eq!((health.taken_at(), health.current_trouble()), (Some(Timestamp(1)), None));
        for (at, class) in [(2, ErrorClass::Timeout), (3, ErrorClass::Throttled), (4, ErrorClass::Network)] {
            health.note_call(CallEnding::Failed(&failure(class)), Timestamp(at));
        }
        let trouble = Trouble { since: Timestamp(2), class: ErrorClass::Network, calls: 2 };
        assert_eq!(health.current_trouble(), Some(&trouble));
        health.note_call(CallEnding::Failed(&failure(ErrorClass::Application)), Timestamp(5));
        assert_eq!((health.taken_at(), health.answered_at), (Some(Timestamp(1)), Some(Timestamp(5))));
        assert_eq!(health.current_trouble(), None);
    }

    #[test]
    fn what_was_taken_is_known_by_entity_and_what_needed_no_write_was_not_taken() {
        let mut health = Health::default();
        health.note_call(CallEnding::Failed(&failure(ErrorClass::Network)), Timestamp(1));
        health.note_call(CallEnding::NothingToWrite, Timestamp(2));
        assert_eq!((health.taken_at(), health.answered_at, &health.trouble), (None, Some(Timestamp(2)), &None));
        health.note_call(CallEnding::Taken("orders"), Timestamp(3));
        health.note_call(CallEnding::Taken("accounts"), Timestamp(4));
        let known = |entity| health.taken.get(entity).map(|at| at.0);
        assert_eq!(["orders", "accounts", "items"].map(known), [Some(3), Some(4), None]);
        let (taken, answered_at) = ([("orders".to_owned(), Timestamp(7))].into(), Some(Timestamp(1)));
        let mut all = Health { taken, answered_at, ..Health::default() };
        all.merge(&health);
        assert_eq!(all.taken.values().map(|at| at.0).collect::<Vec<_>>(), [4, 7]);
    }

    #[test]
    fn what_functions_have_noted_is_one_story() {
        let noted = |taken: Option<Timestamp>, answered, since: Option<Timestamp>| Health {
            taken: taken.map(|at| ("accounts".to_owned(), at)).into_iter().collect(),
            answered_at: answered,
            trouble: since.map(|since| Trouble { since, class: ErrorClass::Network, calls: 4 }),
            reports: Reports::default(),
        };
        let at = |ms| Some(Timestamp(ms));
        let mut all = noted(at(1), at(1), None);
        all.merge(&noted(at(1), at(1), at(5)));
        all.merge(&noted(None, None, at(7)));
        assert_eq!(all.current_trouble().map(|trouble| trouble.since), at(5), "it began with the first");
        all.merge(&noted(at(3), at(3), None));
        assert_eq!((all.taken_at(), all.current_trouble().is_some()), (at(3), true), "an answer from before it");
        all.merge(&noted(at(3), at(8), None));
        assert_eq!((all.taken_at(), all.current_trouble()), (at(3), None));
        all.merge(&noted(None, None, at(9)));
        assert_eq!(all.current_trouble().map(|trouble| trouble.since), at(9));
    }

    #[test]
    fn people_are_told_since_when_and_of_what_kind_it_is() {
        let trouble = |class| Trouble { since: Timestamp(1_795_428_000_000), class, calls: 4 };
        let crm: SideId = "crm".parse().unwrap();
        let said =
            [ErrorClass::Network, ErrorClass::Auth, ErrorClass::OtherHttp].map(|class| trouble(class).describe(&crm));
        assert!(said[0].starts_with("crm has not answered since 20") && said[0].ends_with("(network)"), "{}", said[0]);
        assert!(said[1].starts_with("crm has refused our credentials since "), "{}", said[1]);
        assert!(said[2].starts_with("crm has sent answers that are not its own since "), "{}", said[2]);
    }
}
