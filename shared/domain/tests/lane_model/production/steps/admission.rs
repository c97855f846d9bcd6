//! A call of an app arrives, and is decided by the production function.

use domain::{
    ContentHash, EntryId, Owner, SideIx, Timestamp, WriteId,
    lane::{Admission, AdmitContext, Answer, Arrival, MarkerState, Mode, admit as decide},
    limits::BOUNCES_WITHIN_MS,
};

use crate::production::{
    app::{Caller, Report, SyncStage, image},
    setup::{Mutant, World},
    state::{Executor, Running, State},
};

pub(super) const OWNER: Owner = Owner(1);
/// Ends before any transaction must.
pub(super) const LEASE_MS: u64 = BOUNCES_WITHIN_MS / 2;

/// What a caller is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Its change stands.
    Taken,
    /// It rolls back.
    Refused,
    /// Nothing yet: its attempt is running.
    Nothing,
    /// It is to come again.
    Again,
}

impl Told {
    pub(super) fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Refused { .. } | Answer::Unavailable { .. } => Self::Refused,
            Answer::Written { .. }
            | Answer::Skipped(_)
            | Answer::Queued { .. }
            | Answer::Parked { .. }
            | Answer::Archived { .. } => Self::Taken,
        }
    }

    /// What the app of this side does about it.
    pub(super) fn tell(self, state: &mut State, side: SideIx) {
        let app = &mut state.apps[side];
        match (&mut app.caller, self) {
            (_, Self::Nothing) | (Caller::None, _) => {}
            (Caller::Reports, Self::Again) => app.caller = Caller::None,
            (Caller::Reports, Self::Taken | Self::Refused) => {
                app.outbox.pop_front();
                app.caller = Caller::None;
            }
            (Caller::Sync { stage, .. }, Self::Again) => *stage = SyncStage::Sends,
            (Caller::Sync { stage, .. }, Self::Taken) => *stage = SyncStage::MayCommit,
            (Caller::Sync { .. }, Self::Refused) => app.caller = Caller::None,
        }
    }
}

/// The app of this side calls, with its transaction or its oldest report. `None`: it is to come again.
pub(super) fn admit(world: &World<'_>, state: &mut State, side: SideIx, mode: Mode) -> Option<Told> {
    let report = match &state.apps[side].caller {
        Caller::Sync { change, .. } => change.clone(),
        Caller::Reports | Caller::None => state.apps[side].outbox.front()?.clone(),
    };
    let arrival = arrival(world, side, mode, &report);
    let id = arrival.id;
    let mut head = state.head.clone();
    if let Some(memory) = head.as_mut().map(|head| &mut head.sides[side]) {
        match world.setup.mutant {
            Mutant::ReportsHaveNoPlace => memory.last_reported_seq = 0,
            Mutant::ReportsHaveNoTime => memory.last_reported_at = state.now,
            Mutant::BouncesAreNotCounted => memory.bounces = 0,
            _ => {}
        }
    }
    let entry = EntryId(u128::from(head.as_ref().map_or(1, |head| head.next_seq)));
    let context = AdmitContext {
        map: world.map(state.paused),
        sides: world.sides(),
        now: state.now,
        owner: OWNER,
        lease_ms: LEASE_MS,
    };
    let marker = state.markers.iter().find(|marker| marker.id == id).cloned();
    let admission = decide(head.as_ref(), &state.echoes, marker.as_ref(), arrival, entry, context);
    let told = match admission.expect("ids are used once and not forgotten") {
        Admission::Repeat(answer) => Told::of(&answer),
        Admission::Queued(_) | Admission::Skip(_) => Told::Taken,
        Admission::InFlight => return None,
        Admission::Echo(echoes, _) => {
            state.echoes = echoes;
            Told::Taken
        }
        Admission::Execute { head, entry } => {
            note_acceptance(state, side);
            state.head = Some(*head);
            let running = Running::new(world, state, Executor::Caller(side), *entry);
            state.attempt = Some(running);
            if let Caller::Sync { stage, .. } = &mut state.apps[side].caller {
                *stage = SyncStage::IsExecuted;
            }
            Told::Nothing
        }
        Admission::Append { head, entry } => {
            note_acceptance(state, side);
            state.markers.extend(entry.marker(&super::lane::key(), MarkerState::Open));
            state.head = Some(*head);
            state.journal.push(*entry);
            Told::Taken
        }
    };
    Some(told)
}

fn note_acceptance(state: &mut State, side: SideIx) {
    let app = &mut state.apps[side];
    if let Caller::Sync { accepted_at, .. } = &mut app.caller {
        *accepted_at = Some(state.now);
    } else if let Some(report) = app.outbox.front_mut() {
        report.is_admitted = true;
    }
}

fn arrival(world: &World<'_>, side: SideIx, mode: Mode, report: &Report) -> Arrival {
    let image_now = image(side, report.value);
    Arrival {
        id: write_id(side, report.number, report.at),
        body: ContentHash::of(&image_now),
        origin: Some(side),
        shape: side,
        mode,
        image: image_now,
        before: world.app(side).says_before.then(|| image(side, report.before)),
        base: None,
        version: None,
        committed_at: Some(report.at),
    }
}

fn write_id(side: SideIx, number: u64, at: Timestamp) -> WriteId {
    let in_app = u128::from(number) * 2 + side.at() as u128;
    WriteId::made((u128::from(at.0) << 80) + in_app)
}
