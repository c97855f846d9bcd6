//! `sync-write`'s use case: accept a write, and write it to the other app now or queue it.
//!
//! One write goes through *rounds*, each over the lane as it was read once (see `cas.rs`). Within a round it goes
//! through *steps*: decide by the lane and the map, then do what was decided. A step ends with the answer, or with the
//! reason why the write has to be decided again.

mod answer;
mod appended_entry;
mod known_map;

use domain::{
    MapConfig, MapState, Owner, RecordKey,
    id::EntryId,
    lane::{
        Admission, AdmitContext, Answer, Arrival, Claim, Echoes, Entry, Head, MarkerState, SkipReason, admit, claim,
        repeats_own_write, requeue_abandoned,
    },
    map::Intake,
};

pub use self::answer::{WithSideNames, WriteError};
pub(crate) use self::answer::{answer_queued, answer_standing, side_names};
use self::known_map::{Freshness, KnownMap};
use crate::{
    attempt::note_report,
    cas::{self, RetryCause, Round},
    ports::{Commit, CommitError, Config, JournalOp, LaneKey, Lanes, PortError, Ports},
    request::{WriteRequest, mistake},
};

/// How long a repeat of a write in flight waits for its answer, in milliseconds.
const WAIT_FOR_ANSWER_MS: u64 = 2_000;
/// How often it looks, in milliseconds.
const LOOK_EVERY_MS: u64 = 50;

/// Accepts a write.
///
/// # Errors
/// Nothing of the write was kept; the error says why.
pub async fn write<P: Ports>(ports: &P, request: &WriteRequest) -> Result<WithSideNames<Answer>, WriteError> {
    request.id.check_age(ports.now()).map_err(|says| WriteError::Invalid(mistake("id", says)))?;
    let lane = LaneKey { map: request.map.clone(), key: request.key.clone() };
    let (map, head) = futures::join!(ports.config().map(&request.map), ports.lanes().head(&lane));
    let map = map?.ok_or_else(|| WriteError::UnknownMap(request.map.clone()))?;
    let known = KnownMap::confirm_cached(ports, &request.map, map).await?;
    let sides = side_names(&known.map);
    let (lane, head) = match canonical_key(&known.map.config, &request.key)? {
        key if key == lane.key => (lane, head),
        key => {
            let lane = LaneKey { key, ..lane };
            let head = ports.lanes().head(&lane).await;
            (lane, head)
        }
    };
    let arrival = request.arrival(&known.map.config).map_err(WriteError::Invalid)?;
    let session = WriteSession {
        ports,
        request,
        lane: &lane,
        known,
        arrival,
        owner: Owner(ports.fresh_id()),
        entry: EntryId(ports.fresh_id()),
        view: Some(LaneView::of(head?)),
        unconfirmed: None,
        waited_ms: 0,
    };
    let answer = cas::retry(ports, cas::WRITE, session, |mut session| async move {
        let end = session.run_round().await?;
        Ok::<_, WriteError>(match end {
            RoundEnd::Answered(answer) => Round::Done(answer),
            RoundEnd::RetryCause(lost) => Round::Again(lost, session),
        })
    });
    Ok(WithSideNames { what: answer.await?, sides })
}

/// The one spelling of a record's key that names its lane.
pub(crate) fn canonical_key(map: &MapConfig, key: &RecordKey) -> Result<RecordKey, WriteError> {
    map.canonical_key(key).map_err(|says| WriteError::Invalid(mistake("key", says)))
}

/// A lane as it was read.
struct LaneView {
    head: Option<Head>,
    echoes: Echoes,
}

impl LaneView {
    fn of(read: Option<(Head, Echoes)>) -> Self {
        let (head, echoes) = read.unzip();
        Self { head, echoes: echoes.unwrap_or_default() }
    }
}

/// How a step ended.
enum Next {
    /// The caller gets this answer.
    Answer(Answer),
    /// The map was read again, or the owner of the write in flight was waited for: decide again.
    DecideAgain,
    /// A commit was not stored, or nobody knows whether it was: read the lane again.
    LaneLost(RetryCause),
}

impl Next {
    fn after(answer: Option<Answer>) -> Self {
        answer.map_or(Self::LaneLost(RetryCause::Stale), Self::Answer)
    }
}

enum RoundEnd {
    Answered(Answer),
    RetryCause(RetryCause),
}

/// One write, from its arrival to its answer.
struct WriteSession<'a, P: Ports> {
    ports: &'a P,
    request: &'a WriteRequest,
    lane: &'a LaneKey,
    known: KnownMap,
    arrival: Arrival,
    owner: Owner,
    entry: EntryId,
    /// The lane as it was read; `None`: it must be read again.
    view: Option<LaneView>,
    /// A claim of the lane that was sent to the store, and whose answer was not a success. It may be stored all the same.
    unconfirmed: Option<(Head, Entry)>,
    waited_ms: u64,
}

impl<P: Ports> WriteSession<'_, P> {
    async fn run_round(&mut self) -> Result<RoundEnd, WriteError> {
        loop {
            match self.step().await? {
                Next::Answer(answer) => return Ok(RoundEnd::Answered(answer)),
                Next::DecideAgain => {}
                Next::LaneLost(lost) => {
                    self.view = None;
                    return Ok(RoundEnd::RetryCause(lost));
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Next, WriteError> {
        let view = match self.view.take() {
            Some(view) => view,
            None => LaneView::of(self.ports.lanes().head(self.lane).await?),
        };
        if self.is_ours(&view) {
            return Ok(Next::after(self.execute_claimed().await));
        }
        if self.known.is_old(self.ports.now()) {
            self.read_map(Freshness::MayBeCached).await?;
        }
        match self.decide(&view).await? {
            Admission::InFlight => self.wait_for_owner(view).await,
            // A cached map may lack a cut that was made a moment ago. This write comes after that command, so it is not
            // part of the backlog that the cut takes along.
            Admission::Append { .. } if self.must_know_the_cut() => {
                self.read_map(Freshness::JustRead).await?;
                self.view = Some(view);
                Ok(Next::DecideAgain)
            }
            admission => self.apply(&view, admission).await,
        }
    }

    /// Whether the lane is claimed by this write: its claim was stored, though the answer to the commit said otherwise.
    /// The SDK repeats a conditional write whose answer was lost, and the repeat fails on the success of the first.
    fn is_ours(&self, view: &LaneView) -> bool {
        self.unconfirmed.is_some() && view.head.as_ref().is_some_and(|head| head.held_by(self.owner))
    }

    fn must_know_the_cut(&self) -> bool {
        self.known.map.state == MapState::CatchingUp && self.known.may_be_cached()
    }

    async fn read_map(&mut self, freshness: Freshness) -> Result<(), WriteError> {
        self.known = KnownMap::read(self.ports, &self.lane.map, freshness).await?;
        self.arrival = self.request.arrival(&self.known.map.config).map_err(WriteError::Invalid)?;
        Ok(())
    }

    async fn decide(&self, view: &LaneView) -> Result<Admission, WriteError> {
        let marker = match &view.head {
            Some(head) if !head.idle() => self.ports.lanes().marker(&self.lane.map, self.request.id).await?,
            _ => None,
        };
        let context = AdmitContext {
            map: self.known.map(),
            sides: self.known.sides(),
            now: self.ports.now(),
            owner: self.owner,
            lease_ms: self.known.durations().lease_ms,
        };
        let arrival = self.arrival.clone();
        Ok(admit(view.head.as_ref(), &view.echoes, marker.as_ref(), arrival, self.entry, context)?)
    }

    /// Does what the admission says.
    async fn apply(&mut self, view: &LaneView, admission: Admission) -> Result<Next, WriteError> {
        let expected = view.head.as_ref().map_or(0, |head| head.version);
        let lanes = self.ports.lanes();
        self.note_report(view, &admission).await;
        match admission {
            Admission::Repeat(answer) => Ok(Next::Answer(answer)),
            Admission::Queued(marker) => {
                Ok(Next::after(answer_queued(self.ports, self.lane, view.head.as_ref(), &marker).await?))
            }
            Admission::InFlight => Ok(Next::LaneLost(RetryCause::Stale)),
            Admission::Skip(reason) => {
                if reason == SkipReason::Stopped {
                    lanes.count_skipped(self.known.map()).await?;
                }
                Ok(Next::Answer(Answer::Skipped(reason)))
            }
            Admission::Echo(noted, reason) => {
                let commit = lanes.note_echo(self.lane, &view.echoes, &noted).await;
                Ok(match was_stored(commit)? {
                    Ok(()) => Next::Answer(Answer::Skipped(reason)),
                    Err(lost) => Next::LaneLost(lost),
                })
            }
            Admission::Execute { head, entry } => {
                let commit = Commit { head: (*head).clone(), expected, ops: Vec::new() };
                self.unconfirmed = Some((*head, *entry));
                match was_stored(lanes.commit(self.lane, commit).await)? {
                    Ok(()) => Ok(Next::after(self.execute_claimed().await)),
                    Err(lost) => Ok(Next::LaneLost(lost)),
                }
            }
            Admission::Append { head, entry } => {
                let marker = entry.marker(&self.lane.key, MarkerState::Open);
                let ops = vec![JournalOp::Append((*entry).clone(), marker)];
                let commit = Commit { head: (*head).clone(), expected, ops };
                match was_stored(lanes.commit(self.lane, commit).await)? {
                    Ok(()) => Ok(Next::Answer(self.answer_appended(*head, *entry).await)),
                    Err(lost) => Ok(Next::LaneLost(lost)),
                }
            }
        }
    }

    /// Notes, at most every 20 s, whether the origin reports what Tandem writes.
    async fn note_report(&self, view: &LaneView, admission: &Admission) {
        let Some(origin) = self.arrival.origin else { return };
        let config = &self.known.map().config;
        let repeats = |head: &Head| repeats_own_write(head, origin, &self.arrival, config, self.ports.now());
        let is_own = match admission {
            Admission::Echo(_, SkipReason::Echo) => true,
            Admission::Execute { .. } | Admission::Append { .. } => view.head.as_ref().is_some_and(repeats),
            _ => return,
        };
        note_report(self.ports, &config.side(origin).side, is_own).await;
    }

    /// The write is in flight already. If its function died, this one goes on with it; else it waits for the answer.
    async fn wait_for_owner(&mut self, view: LaneView) -> Result<Next, WriteError> {
        if let Some(head) = &view.head {
            if self.known.intake() != Intake::Write {
                if self.try_requeue(head).await {
                    return Ok(Next::DecideAgain);
                }
            } else if self.waited_ms < WAIT_FOR_ANSWER_MS
                && let Some(answer) = self.try_take_over(head).await
            {
                return Ok(Next::Answer(answer));
            }
        }
        if self.waited_ms >= WAIT_FOR_ANSWER_MS {
            return Err(WriteError::InProgress);
        }
        self.ports.sleep(LOOK_EVERY_MS).await;
        self.waited_ms += LOOK_EVERY_MS;
        Ok(Next::DecideAgain)
    }

    /// Takes over a write whose function died, now that its caller has come again: the next sweep may be a minute away.
    /// `None`: the lease has not ended, or somebody else was faster.
    async fn try_take_over(&mut self, head: &Head) -> Option<Answer> {
        let (now, durations) = (self.ports.now(), self.known.durations());
        let Claim::Taken { head: taken, entry } =
            claim(head, None, self.known.map(), &self.lane.key, self.owner, now, durations)
        else {
            return None;
        };
        let commit = Commit::of(Some(head), (*taken).clone(), Vec::new());
        self.ports.lanes().commit(self.lane, commit).await.ok()?;
        self.unconfirmed = Some((*taken, *entry));
        self.execute_claimed().await
    }

    /// Moves a write whose function died into the journal: its map does not write now, so nobody would go on with it.
    /// Whether it is there now.
    async fn try_requeue(&self, head: &Head) -> bool {
        let Some((next, entry, effects)) = requeue_abandoned(head, &self.lane.key, self.ports.now()) else {
            return false;
        };
        // Whoever changed the lane in the meantime has done this, or goes on with the write.
        let stored = self.ports.lanes().commit(self.lane, Commit::of(Some(head), next, effects)).await.is_ok();
        if stored && self.known.map.state.queues() {
            self.send_pointer(&entry).await;
        }
        stored
    }
}

/// Whether a commit was stored. A caller that learns "nothing was kept" may roll back, so that must be true: as long as
/// nobody knows what became of the commit, the lane is read again.
fn was_stored(commit: Result<(), CommitError>) -> Result<Result<(), RetryCause>, PortError> {
    cas::stored(commit)
}
