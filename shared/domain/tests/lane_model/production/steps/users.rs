//! Users and triggers of an app: they save, report, repeat what got no answer, and commit.

use domain::{SideIx, lane::Mode};

use super::{Action, Steps};
use crate::production::{
    app::{Caller, SyncStage},
    setup::TICK_MS,
    steps::admission::admit,
};

impl Steps<'_> {
    /// What an app does that has begun it.
    pub(super) fn callers(&mut self, side: SideIx) {
        match &self.state.apps[side].caller {
            Caller::None => self.report(side),
            Caller::Sync { stage: SyncStage::Sends, .. } => self.repeat(side),
            Caller::Reports | Caller::Sync { stage: SyncStage::IsExecuted, .. } => {}
            Caller::Sync { stage: SyncStage::MayCommit, change, .. } => {
                self.step(Action::Commits(side), |next| {
                    next.apps[side].commit(change);
                    next.apps[side].caller = Caller::None;
                });
            }
        }
    }

    pub(super) fn edit(&mut self, side: SideIx) {
        let (world, app) = (self.world, &self.state.apps[side]);
        if app.is_locked() || (world.setup.users_wait && !self.state.rests()) {
            return;
        }
        let Some(edit) = world.setup.edits_of(side).nth(app.edits_begun) else { return };
        let kind = world.app(side);
        let now = self.state.now.plus_ms(if world.setup.users_take_their_time { TICK_MS } else { 0 });
        if !self.may_be(now) {
            return;
        }
        if !edit.sync {
            self.step(Action::Saves(side, edit.value), |next| {
                next.now = now;
                let app = &mut next.apps[side];
                app.edits_begun += 1;
                let change = app.prepare(kind, edit.value, next.now);
                app.commit(&change);
                app.outbox.push_back(change);
            });
        } else if app.caller == Caller::None && app.outbox.is_empty() {
            // An app sends the changes of one record in their order.
            self.step(Action::SavesInTransaction(side, edit.value), |next| {
                next.now = now;
                let app = &mut next.apps[side];
                app.edits_begun += 1;
                let change = app.prepare(kind, edit.value, next.now);
                app.caller = Caller::Sync { change, accepted_at: None, stage: SyncStage::Sends };
                let told = admit(world, next, side, Mode::Sync);
                told.expect("no repeat of it can be in flight").tell(next, side);
            });
        }
    }

    fn report(&mut self, side: SideIx) {
        let world = self.world;
        if self.state.apps[side].outbox.is_empty() {
            return;
        }
        self.step_if(Action::Reports(side), |next| {
            next.apps[side].caller = Caller::Reports;
            admit(world, next, side, Mode::Committed)?.tell(next, side);
            Some(())
        });
    }

    fn repeat(&mut self, side: SideIx) {
        let world = self.world;
        self.step_if(Action::RepeatsItsCall(side), |next| {
            admit(world, next, side, Mode::Sync)?.tell(next, side);
            Some(())
        });
    }
}
