//! What a call does when it lands.

use crate::setup::{Setup, Target};
use crate::state::{App, ErrorDisposition, LateCall, State};
use crate::violation::Violation;

/// Lands `call` at its target, and says whether that breaks a promise.
pub(crate) fn land(setup: &Setup, state: &mut State, call: LateCall) -> Option<Violation> {
    let LateCall { seq, entry, side, value } = call;
    let fate = state.entry(entry).fate;
    let app = state.app_mut(side);
    match setup.target {
        Target::Idempotent if app.has_received(entry) => return None,
        Target::Versioned if app.is_at_or_past(seq) => return None,
        _ => {}
    }
    let newest = app.newest;
    app.value = value;
    app.version = app.version.max(seq);
    app.received |= 1 << entry;
    app.newest = newest.max(entry as i8);
    match fate {
        _ if (entry as i8) < newest => Some(Violation::OldAfterNew { side, entry, newest }),
        ErrorDisposition::Refused => Some(Violation::RefusedTookEffect { side, entry }),
        ErrorDisposition::Skipped if !setup.skipped_may_land => Some(Violation::SkippedTookEffect { side, entry }),
        _ => None,
    }
}

impl App {
    pub(crate) fn has_received(&self, entry: u8) -> bool {
        self.received >> entry & 1 == 1
    }

    pub(crate) fn is_at_or_past(&self, seq: i8) -> bool {
        seq <= self.version
    }
}
