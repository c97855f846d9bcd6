//! Notes how the apps answer, for other processes, operators and mails. Rarely: a write that succeeds should pay nothing.

use domain::{SideId, Timestamp, side::Health};

use crate::ports::{Apps, Gauges, Ports, SyncMap};

/// Trouble is noted when this many calls in a row have failed, and each time that number has doubled.
const NOTED_FROM_CALLS: u32 = 4;
/// Time between two notes that an app answers, in milliseconds. The end of noted trouble is noted at once.
const NOTED_EVERY_MS: u64 = 20_000;

/// How the apps of both sides answered before an attempt.
pub(super) struct HealthBefore([Health; 2]);

impl HealthBefore {
    pub(super) fn of<P: Ports>(ports: &P, map: &SyncMap) -> Self {
        Self(map.sides.each_ref().map(|side| ports.apps().health(&side.id)))
    }

    /// Notes what the attempt has changed.
    pub(super) async fn note_change<P: Ports>(self, ports: &P, map: &SyncMap) {
        for ((before, side), end) in self.0.iter().zip(&map.sides).zip(&map.config.sides) {
            let mut now = ports.apps().health(&side.id);
            now.taken.retain(|entity, _| *entity == end.entity);
            if is_worth_a_note(before, &now, &end.entity)
                && let Err(error) = ports.lanes().note_health(&side.id, &now).await
            {
                tracing::warn!(side.id = %side.id, %error, "could not note how the app of a side answers");
            }
        }
    }
}

fn is_worth_a_note(before: &Health, now: &Health, entity: &str) -> bool {
    let calls = |health: &Health| health.trouble.as_ref().map_or(0, |trouble| trouble.calls);
    let spans = |health: &Health| {
        [health.answered_at, health.taken.get(entity).copied()].map(|at| at.map(|at| at.0 / NOTED_EVERY_MS))
    };
    match calls(now) {
        0 => calls(before) >= NOTED_FROM_CALLS || spans(now) != spans(before),
        calls_now => calls_now != calls(before) && calls_now >= NOTED_FROM_CALLS && calls_now.is_power_of_two(),
    }
}

/// Notes that a side reported what Tandem had written there, or a change of its own.
pub(crate) async fn note_report<P: Ports>(ports: &P, side: &SideId, is_own: bool) {
    let (known, at) = (ports.apps().health(side).reports, ports.now());
    ports.apps().note_report(side, is_own, at);
    let last = if is_own { known.echoed_at } else { known.changed_at };
    if last.is_some_and(|last| last.0 / NOTED_EVERY_MS == at.0 / NOTED_EVERY_MS) {
        return;
    }
    let mut noted = Health::default();
    noted.reports.note(is_own, at);
    if let Err(error) = ports.lanes().note_health(side, &noted).await {
        tracing::warn!(side.id = %side, %error, "could not note what a side reports");
    }
}

/// When the app of a side took a record of the entity last, as this process has seen it or any other has noted it.
pub(super) async fn last_taken<P: Ports>(ports: &P, side: &SideId, entity: &str) -> Option<Timestamp> {
    let seen = ports.apps().health(side);
    let noted = ports.lanes().noted_health(side).await.unwrap_or_else(|error| {
        tracing::warn!(side.id = %side, %error, "could not read how the app of a side answers; a record that fails alone is tried for longer");
        Health::default()
    });
    seen.taken.get(entity).max(noted.taken.get(entity)).copied()
}

#[cfg(test)]
mod tests {
    use domain::{ErrorClass, side::Trouble};

    use super::*;

    fn answered(at: u64) -> Health {
        let taken = [("accounts".to_owned(), Timestamp(at))].into();
        Health { taken, answered_at: Some(Timestamp(at)), ..Health::default() }
    }

    fn is_worth_a_note(before: &Health, now: &Health) -> bool {
        super::is_worth_a_note(before, now, "accounts")
    }

    fn troubled(calls: u32) -> Health {
        let trouble = Trouble { since: Timestamp(5), class: ErrorClass::Network, calls };
        Health { trouble: Some(trouble), ..answered(1) }
    }

    #[test]
    fn an_answer_is_noted_every_twenty_seconds_and_when_it_ends_a_trouble() {
        assert!(is_worth_a_note(&Health::default(), &answered(1)), "the first");
        assert!(!is_worth_a_note(&answered(1), &answered(19_999)));
        assert!(is_worth_a_note(&answered(19_999), &answered(20_000)));
        assert!(is_worth_a_note(&troubled(4), &answered(2)));
        assert!(!is_worth_a_note(&troubled(3), &answered(2)), "that trouble was not noted");
        assert!(!is_worth_a_note(&answered(1), &answered(1)), "no call was made");
        let refused = Health { answered_at: Some(Timestamp(20_000)), ..answered(1) };
        assert!(is_worth_a_note(&refused, &answered(20_001)), "none of this entity was taken in these 20 s");
    }

    #[test]
    fn a_trouble_is_noted_when_its_calls_have_doubled() {
        let noted = (1..=20).filter(|calls| is_worth_a_note(&troubled(calls - 1), &troubled(*calls)));
        assert_eq!(noted.collect::<Vec<_>>(), [4, 8, 16]);
        assert!(!is_worth_a_note(&troubled(4), &troubled(4)), "no call was made");
    }
}
