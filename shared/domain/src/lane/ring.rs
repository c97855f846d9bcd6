//! Short memories of final answers. An id that falls out of one is kept without its answer for as long as clocks may
//! differ. Then it raises a floor: nobody can tell whether an id at or below the floor is a repeat.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{LaneVersion, Outcome, SkipReason};
use crate::{
    id::WriteId,
    limits::{MAX_FORGOTTEN_IDS, MAX_ID_SKEW_MS, RECENT_ANSWERS},
    map::{PerSide, SideIx},
    record::ContentHash,
    time::Timestamp,
};

/// At or below these, nobody can tell a repeat from a new write. One for each kind of caller: the first side, the second side,
/// neither. One app whose clock runs ahead must not make the other's ids look old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Floors([u128; 3]);

/// Ids above the floors whose answers fell out of a memory, for each kind of caller. Servers of one app differ in their clocks, and
/// ids of one millisecond have no order: so a floor rises only to what was made longer ago than clocks may differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenIds([BTreeSet<u128>; 3]);

fn at(origin: Option<SideIx>) -> usize {
    origin.map_or(2, SideIx::at)
}

impl Floors {
    fn covers(self, origin: Option<SideIx>, id: WriteId) -> bool {
        id.value() <= self.0[at(origin)]
    }
}

impl ForgottenIds {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeSet::is_empty)
    }

    fn covers(&self, origin: Option<SideIx>, id: WriteId) -> bool {
        self.0[at(origin)].contains(&id.value())
    }

    fn note(&mut self, floors: &mut Floors, origin: Option<SideIx>, id: u128) {
        let (floor, ids) = (&mut floors.0[at(origin)], &mut self.0[at(origin)]);
        ids.insert(id);
        let made_at = |id: u128| id >> 80;
        let newest = ids.last().map_or(0, |newest| made_at(*newest));
        let is_old = |id: u128| made_at(id) + u128::from(MAX_ID_SKEW_MS) < newest;
        while let Some(oldest) = ids.first().copied()
            && (is_old(oldest) || oldest <= *floor || ids.len() > MAX_FORGOTTEN_IDS)
        {
            *floor = (*floor).max(oldest);
            ids.remove(&oldest);
        }
    }
}

/// A final answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Final {
    /// The caller's id, all 128 bits.
    pub id: u128,
    /// Who sent it.
    pub origin: Option<SideIx>,
    /// Fingerprint of the request.
    pub body: ContentHash,
    /// Its place in the lane.
    pub seq: u64,
    /// The answer.
    pub outcome: Outcome,
}

/// The last final answers of a lane, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    answers: Vec<Final>,
    floors: Floors,
    /// Stored apart, for most lanes have none.
    #[serde(skip)]
    forgotten: ForgottenIds,
}

impl Recent {
    /// The answer given to an id.
    #[must_use]
    pub fn get(&self, id: WriteId) -> Option<&Final> {
        self.answers.iter().find(|known| known.id == id.value())
    }

    /// All answers, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Final> {
        self.answers.iter()
    }

    /// Whether an id is so old that its answer may have been forgotten.
    #[must_use]
    pub fn too_old(&self, origin: Option<SideIx>, id: WriteId) -> bool {
        self.floors.covers(origin, id) || self.forgotten.covers(origin, id)
    }

    /// The ids that fell out and are told apart yet.
    #[must_use]
    pub fn forgotten_ids(&self) -> &ForgottenIds {
        &self.forgotten
    }

    /// Puts back what was stored apart.
    pub fn restore_forgotten_ids(&mut self, ids: ForgottenIds) {
        self.forgotten = ids;
    }

    /// Knows nothing of the time before: ids that were made by now are too old.
    #[must_use]
    pub(super) fn from_now_on(now: Timestamp) -> Self {
        Self { floors: Floors([u128::from(now.0) << 80; 3]), ..Self::default() }
    }

    /// Notes a final answer; the oldest falls out.
    pub fn note(&mut self, answer: Final) {
        self.answers.retain(|known| known.id != answer.id);
        self.answers.push(answer);
        while self.answers.len() > RECENT_ANSWERS {
            let gone = self.answers.remove(0);
            self.forgotten.note(&mut self.floors, gone.origin, gone.id);
        }
    }
}

/// A report for which nothing is to be done: the echo of a write of Tandem's, or one that a waiting copy covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The id of the report.
    pub id: u128,
    /// Who reported.
    pub origin: SideIx,
    /// Fingerprint of the request.
    pub body: ContentHash,
    /// The entry it echoed, or that covers it.
    pub version: LaneVersion,
    /// A waiting copy of the record as it is covers it; it need not be an echo.
    pub covered: bool,
    /// What was reported.
    pub content: ContentHash,
}

impl Echo {
    /// Why nothing is to be done.
    #[must_use]
    pub fn reason(&self) -> SkipReason {
        if self.covered { SkipReason::Covered } else { SkipReason::Echo }
    }
}

/// The last echoes of a lane. They are kept apart from the head's `version`: an echo often comes while the write it
/// echoes is still in flight, and must not make that write's own compare-and-set fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echoes {
    noted: Vec<Echo>,
    floors: Floors,
    /// The generation of the lane that `newest` speaks of.
    generation: u64,
    /// The newest entry that each side reported as an echo. It reports in the order of its changes: it has seen
    /// everything before, too.
    newest: PerSide<u64>,
    /// How many were noted of each side, ever.
    count: PerSide<u64>,
    /// What the last of them reported.
    last: PerSide<Option<ContentHash>>,
    /// Stored apart, for most lanes have none.
    #[serde(skip)]
    forgotten: ForgottenIds,
}

impl Echoes {
    /// The echo with this id.
    #[must_use]
    pub fn get(&self, id: WriteId) -> Option<&Echo> {
        self.noted.iter().find(|known| known.id == id.value())
    }

    /// Whether an id is so old that it may have been forgotten.
    #[must_use]
    pub fn too_old(&self, origin: SideIx, id: WriteId) -> bool {
        self.floors.covers(Some(origin), id) || self.forgotten.covers(Some(origin), id)
    }

    /// The ids that fell out and are told apart yet.
    #[must_use]
    pub fn forgotten_ids(&self) -> &ForgottenIds {
        &self.forgotten
    }

    /// Puts back what was stored apart.
    pub fn restore_forgotten_ids(&mut self, ids: ForgottenIds) {
        self.forgotten = ids;
    }

    /// These and one more; the oldest falls out.
    #[must_use]
    pub fn with(&self, echo: Echo) -> Self {
        let mut more = self.clone();
        if more.generation != echo.version.generation {
            (more.generation, more.newest) = (echo.version.generation, PerSide::default());
        }
        if !echo.covered {
            more.newest[echo.origin] = more.newest[echo.origin].max(echo.version.seq);
        }
        more.count[echo.origin] += 1;
        more.last[echo.origin] = Some(echo.content);
        more.noted.push(echo);
        while more.noted.len() > RECENT_ANSWERS {
            let gone = more.noted.remove(0);
            more.forgotten.note(&mut more.floors, Some(gone.origin), gone.id);
        }
        more
    }

    /// The newest entry of this generation that a side reported as an echo; 0: none.
    #[must_use]
    pub fn newest(&self, generation: u64, side: SideIx) -> u64 {
        if self.generation == generation { self.newest[side] } else { 0 }
    }

    /// How many were noted of a side, ever.
    #[must_use]
    pub fn count(&self, side: SideIx) -> u64 {
        self.count[side]
    }

    /// What the last one of a side reported.
    #[must_use]
    pub fn last(&self, side: SideIx) -> Option<ContentHash> {
        self.last[side]
    }

    /// The sides that reported an echo of this entry.
    #[must_use]
    pub fn of(&self, version: LaneVersion) -> Vec<SideIx> {
        let echoed = |side: &SideIx| {
            self.noted.iter().any(|echo| echo.version == version && echo.origin == *side && !echo.covered)
        };
        SideIx::BOTH.into_iter().filter(echoed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> WriteId {
        ulid::Ulid((1_000 << 80) + n).to_string().parse().unwrap()
    }

    fn done(n: u128, origin: Option<SideIx>) -> Final {
        Final { id: id(n).value(), origin, body: ContentHash(0), seq: 1, outcome: Outcome::Written { crossing: None } }
    }

    /// An id that was made at this time.
    fn made_at(ms: u64, n: u128) -> WriteId {
        WriteId::made((u128::from(ms) << 80) + n)
    }

    fn note(recent: &mut Recent, id: WriteId, origin: Option<SideIx>) {
        recent.note(Final { id: id.value(), ..done(1, origin) });
    }

    #[test]
    fn an_answer_that_fell_out_is_too_old_for_its_own_kind_of_caller() {
        let mut recent = Recent::default();
        for n in 1..=16 {
            recent.note(done(n, Some(SideIx::First)));
        }
        assert!(recent.get(id(1)).is_some() && !recent.too_old(Some(SideIx::First), id(1)));
        recent.note(done(17, Some(SideIx::Second)));
        assert!(recent.get(id(1)).is_none());
        assert!(recent.too_old(Some(SideIx::First), id(1)) && !recent.too_old(Some(SideIx::First), id(2)));
        assert!(!recent.too_old(Some(SideIx::Second), id(1)) && !recent.too_old(None, id(1)));
    }

    #[test]
    fn ids_within_the_skew_are_told_apart_however_many_and_in_any_order() {
        let mut recent = Recent::default();
        let ids = (0..400_u64).map(|n| made_at(MAX_ID_SKEW_MS + n * 7_919 % 401, u128::from(n)));
        for id in ids.clone() {
            assert!(!recent.too_old(None, id), "{id} is new");
            note(&mut recent, id, None);
        }
        for id in ids {
            assert!(recent.get(id).is_some() || recent.too_old(None, id), "{id} came before");
        }
    }

    #[test]
    fn an_id_that_is_older_than_clocks_may_differ_is_below_the_floor_with_all_before_it() {
        let mut recent = Recent::default();
        let old = made_at(1_000, 5);
        note(&mut recent, old, None);
        for n in 0..16 {
            note(&mut recent, made_at(1_000 + MAX_ID_SKEW_MS, n), None);
        }
        let before = made_at(1_000, 4);
        assert!(recent.too_old(None, old) && !recent.too_old(None, before));
        note(&mut recent, made_at(2_000 + MAX_ID_SKEW_MS, 0), None);
        for n in 0..16 {
            note(&mut recent, made_at(3_000 + MAX_ID_SKEW_MS, n), None);
        }
        assert!(recent.too_old(None, old) && recent.too_old(None, before), "the floor has risen");
        assert!(recent.forgotten_ids().0[2].len() <= 17);
    }

    #[test]
    fn the_floor_never_falls_and_the_ids_above_it_are_bounded() {
        let mut recent = Recent::default();
        let count = MAX_FORGOTTEN_IDS as u128 + 100;
        for n in (0..count).rev() {
            note(&mut recent, made_at(7, n), None);
        }
        assert!(recent.too_old(None, made_at(7, count - 1)) && recent.forgotten_ids().0[2].len() <= MAX_FORGOTTEN_IDS);
    }

    #[test]
    fn echoes_are_remembered_with_the_entry_they_echoed() {
        let mut echoes = Echoes::default();
        for n in 1..=17 {
            let (version, content) = (LaneVersion { generation: 5, seq: n as u64 }, ContentHash(1));
            let (origin, body) = (SideIx::Second, ContentHash(0));
            echoes = echoes.with(Echo { id: id(n).value(), origin, body, version, covered: false, content });
        }
        assert!(echoes.get(id(1)).is_none() && echoes.too_old(SideIx::Second, id(1)));
        assert_eq!(echoes.of(LaneVersion { generation: 5, seq: 17 }), [SideIx::Second]);
        assert_eq!(echoes.of(LaneVersion { generation: 5, seq: 1 }), []);
        assert_eq!((echoes.newest(5, SideIx::Second), echoes.newest(6, SideIx::Second)), (17, 0));
        assert_eq!((echoes.count(SideIx::Second), echoes.count(SideIx::First)), (17, 0));
        assert_eq!((echoes.last(SideIx::Second), echoes.last(SideIx::First)), (Some(ContentHash(1)), None));
    }

    #[test]
    fn sixteen_echoes_are_remembered_and_one_that_is_covered_says_nothing_of_what_was_seen() {
        let echo = |n: u64, covered: bool| {
            let (version, content) = (LaneVersion { generation: 5, seq: n }, ContentHash(n));
            let (origin, body) = (SideIx::First, ContentHash(0));
            Echo { id: id(u128::from(n)).value(), origin, body, version, covered, content }
        };
        let echoes = (1..=16).fold(Echoes::default(), |echoes, n| echoes.with(echo(n, n > 3)));
        assert!(echoes.get(id(1)).is_some() && !echoes.too_old(SideIx::First, id(1)));
        assert_eq!(echoes.newest(5, SideIx::First), 3);
        assert_eq!(
            (echoes.get(id(3)).unwrap().reason(), echoes.get(id(4)).unwrap().reason()),
            (SkipReason::Echo, SkipReason::Covered,)
        );
        let later = LaneVersion { generation: 6, seq: 1 };
        let anew = echoes.with(Echo { version: later, ..echo(17, false) });
        assert_eq!((anew.newest(6, SideIx::First), anew.newest(5, SideIx::First)), (1, 0));
        assert_eq!(anew.of(later), [SideIx::First]);
    }
}
