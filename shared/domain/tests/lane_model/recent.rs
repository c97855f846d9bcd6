//! The head's memory of write ids, by which a client's retry gets the answer of its original.

use crate::list::List;
use crate::setup::{EvictedIds, RecentRule};
use crate::state::{Answer, Id};

/// What became of a write, as far as its lane knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) enum Outcome {
    #[default]
    Queued,
    Applied,
    Refused,
    Skipped,
}

impl Outcome {
    pub(crate) fn answer(self) -> Answer {
        match self {
            Self::Applied => Answer::Applied,
            Self::Refused => Answer::Refused,
            Self::Queued | Self::Skipped => Answer::Queued,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Recent {
    /// The newest id ever evicted, when the rule asks for it.
    floor: Option<Id>,
    /// Those evicted, when the rule asks for them.
    kept: List<Id, 3>,
    /// Oldest first.
    ids: List<(Id, Outcome), 3>,
}

impl Recent {
    pub(crate) fn get(&self, id: Id) -> Option<Outcome> {
        self.ids.iter().find(|(known, _)| *known == id).map(|(_, outcome)| *outcome)
    }

    /// True when the id may be one that was evicted: nobody can tell what became of it.
    pub(crate) fn may_be_evicted(&self, id: Id) -> bool {
        self.floor.is_some_and(|floor| id <= floor) || self.kept.contains(&id)
    }

    pub(crate) fn remember(&mut self, id: Id, outcome: Outcome, rule: RecentRule) {
        if let Some(known) = self.ids.iter_mut().find(|(known, _)| *known == id) {
            known.1 = outcome;
            return;
        }
        self.ids.push((id, outcome));
        while self.ids.len() > rule.capacity {
            let newest = self.ids.len() - 1;
            let evictable = |(_, outcome): &(Id, Outcome)| !(rule.keeps_open && *outcome == Outcome::Queued);
            let Some(place) = self.ids[..newest].iter().position(evictable) else {
                break;
            };
            let (evicted, _) = self.ids.remove(place);
            match rule.evicted {
                EvictedIds::Forgotten => {}
                EvictedIds::RaiseFloor => self.floor = self.floor.max(Some(evicted)),
                EvictedIds::Kept => self.kept.push(evicted),
            }
        }
    }
}
