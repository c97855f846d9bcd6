//! Writes under `If-Match`, as the connectors make them (`targets/src/precondition.rs`): a call that comes late meets a changed
//! tag and has no effect. Whoever meets one looks at the record: it is as wanted, or it is written with the tag that was seen.

use app::ports::{Applied, Call};
use domain::{
    ContentHash, Failure, RecordKey,
    failure::{CallEffect, ErrorClass},
    record::Image,
    side::Side,
};
use serde_json::Value;

use super::{
    Effect, FakeApp, FakeApps,
    calls::{Condition, failed},
};

/// So often is a write tried with the tag that was seen last.
const TRIES: u32 = 3;
const SAYS_STALE: &str = "simulated: the tag is stale";

/// The record as a look finds it.
enum Look {
    /// As it is wanted.
    Holds(Applied),
    /// It may be written while it stays as it is.
    Differs(Condition),
}

/// The answer to a stale tag: apps do not agree which one that is.
pub(super) fn stale(version: u64) -> Failure {
    let code = if version.is_multiple_of(2) { "412" } else { "409" };
    Failure::new(ErrorClass::Conflict, CallEffect::NotApplied, Some(code.to_owned()), SAYS_STALE)
}

impl FakeApp {
    pub(super) fn meets(&self, key: &RecordKey, condition: Condition) -> bool {
        match condition {
            Condition::Always => true,
            Condition::Unchanged(version) => self.version(key) == version && self.image(key) != Image::Absent,
            Condition::Missing => self.image(key) == Image::Absent,
        }
    }
}

impl FakeApps {
    pub(super) async fn write_if_unchanged(&self, side: &Side, call: &Call) -> Result<Applied, Failure> {
        let mut condition = match call.etag.as_ref().and_then(|etag| etag.parse().ok()) {
            Some(version) => Condition::Unchanged(version),
            None => match self.look(side, call).await? {
                Look::Holds(applied) => return Ok(applied),
                Look::Differs(condition) => condition,
            },
        };
        for _ in 0..TRIES {
            match self.request(side, call, condition).await {
                Err(failure) if failure.message == SAYS_STALE => {}
                done => return done,
            }
            condition = match self.look(side, call).await? {
                Look::Holds(applied) => return Ok(applied),
                Look::Differs(condition) => condition,
            };
        }
        Err(failed(ErrorClass::Conflict, CallEffect::NotApplied, "simulated: the record kept changing"))
    }

    async fn look(&self, side: &Side, call: &Call) -> Result<Look, Failure> {
        self.world.turn_at("Apps.write").await;
        if self.roll().is_some() {
            return Err(failed(ErrorClass::Unavailable, CallEffect::NotApplied, "simulated: 503"));
        }
        let key = &call.record.key;
        let look = self.with(&side.id, |app| {
            let (found, version) = (app.image(key), app.version(key));
            if holds(&found, &call.image) {
                app.held.push(Effect { key: key.clone(), entry: call.entry, version: call.version, row: version });
                let etag = (found != Image::Absent).then(|| version.to_string());
                return Look::Holds(Applied { etag, stored: app.stored(key), unchanged: true });
            }
            Look::Differs(if found == Image::Absent { Condition::Missing } else { Condition::Unchanged(version) })
        });
        self.world.turn_at("Apps.write").await;
        Ok(look)
    }
}

fn holds(found: &Image, wanted: &Image) -> bool {
    match (found, wanted) {
        (Image::Present(found), Image::Present(wanted)) => wanted.iter().all(|(name, value)| {
            ContentHash::of_value(found.get(name).unwrap_or(&Value::Null)) == ContentHash::of_value(value)
        }),
        (found, wanted) => found == wanted,
    }
}
