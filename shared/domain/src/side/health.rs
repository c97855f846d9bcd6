//! How the app of a side answers: what one function has seen of it, or what all of them have noted.

use serde::{Deserialize, Serialize};

use crate::{
    failure::{ErrorClass, Failure},
    id::SideId,
    time::Timestamp,
};

/// How the app of a side answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it took a record last.
    pub taken_at: Option<Timestamp>,
    /// When it answered about a record last, by taking or by refusing it.
    pub answered_at: Option<Timestamp>,
    /// Calls that failed for a reason of the whole side.
    pub trouble: Option<Trouble>,
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
    pub fn note_call(&mut self, failure: Option<&Failure>, at: Timestamp) {
        match failure {
            None => (self.taken_at, self.answered_at, self.trouble) = (Some(at), Some(at), None),
            Some(failure) if !failure.is_side_wide() => (self.answered_at, self.trouble) = (Some(at), None),
            // It answers, and has too much to do.
            Some(failure) if failure.class == ErrorClass::Throttled => {}
            Some(failure) => {
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
        } else {
            self.answered_at = self.answered_at.max(noted.answered_at);
            self.taken_at = self.taken_at.max(noted.taken_at);
        }
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
        health.note_call(None, Timestamp(1));
        assert_eq!((health.taken_at, health.current_trouble()), (Some(Timestamp(1)), None));
        for (at, class) in [(2, ErrorClass::Timeout), (3, ErrorClass::Throttled), (4, ErrorClass::Network)] {
            health.note_call(Some(&failure(class)), Timestamp(at));
        }
        let trouble = Trouble { since: Timestamp(2), class: ErrorClass::Network, calls: 2 };
        assert_eq!(health.current_trouble(), Some(&trouble));
        health.note_call(Some(&failure(ErrorClass::Application)), Timestamp(5));
        assert_eq!((health.taken_at, health.answered_at), (Some(Timestamp(1)), Some(Timestamp(5))));
        assert_eq!(health.current_trouble(), None);
    }

    #[test]
    fn what_functions_have_noted_is_one_story() {
        let noted = |taken, answered, since: Option<Timestamp>| Health {
            taken_at: taken,
            answered_at: answered,
            trouble: since.map(|since| Trouble { since, class: ErrorClass::Network, calls: 4 }),
        };
        let at = |ms| Some(Timestamp(ms));
        let mut all = noted(at(1), at(1), None);
        all.merge(&noted(at(1), at(1), at(5)));
        all.merge(&noted(None, None, at(7)));
        assert_eq!(all.current_trouble().map(|trouble| trouble.since), at(5), "it began with the first");
        all.merge(&noted(at(3), at(3), None));
        assert_eq!((all.taken_at, all.current_trouble().is_some()), (at(3), true), "an answer from before it");
        all.merge(&noted(at(3), at(8), None));
        assert_eq!((all.taken_at, all.current_trouble()), (at(3), None));
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
