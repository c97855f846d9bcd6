//! Read-modify-write. A `versioned` side gets the write only if its record did not change; a side that takes whole
//! records gets its own record merged with our fields.

use app::ports::{Applied, Call, FetchedRecord};
use domain::{
    ContentHash, ErrorClass, Failure, Record,
    failure::CallEffect,
    record::Image,
    side::{Capability, CreateMethod, SideConfig, UpdateMethod},
};
use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

use crate::{
    answer::Answer,
    connectors::{Connectors, concluded},
    limits::MAX_CONDITIONAL_WRITES,
    plan::{self, Condition, Request, Sends},
    secrets::Secrets,
    wire::Deadline,
};

/// How the app's record compares to what we want to write.
enum Look {
    /// It is as we want it: an earlier attempt arrived, or somebody else wrote the same.
    Done(Applied),
    /// It differs; we may write it while it still has this state.
    Differs(Known),
}

/// The record, as far as it is known.
struct Known {
    condition: Condition,
    /// Its fields, if they were read.
    record: Option<Record>,
}

impl<S: Secrets> Connectors<S> {
    /// Writes under `If-Match`, so that a call of ours that arrives late meets a changed `ETag` and is refused. When the
    /// record was changed meanwhile we look at it: either it already is what we want, or we try again with what we saw.
    pub(crate) async fn write_conditionally(
        &self,
        side: &SideConfig,
        call: &Call,
        deadline: &Deadline,
    ) -> Result<Applied, Failure> {
        let takes_whole = side.connector.update() == UpdateMethod::Put && call.image != Image::Absent;
        let etag = call.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()).filter(|_| !takes_whole);
        let mut known = match etag {
            Some(etag) => Known { condition: Condition::Unchanged(etag), record: None },
            None => match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                Look::Differs(known) => known,
            },
        };
        for _ in 0..MAX_CONDITIONAL_WRITES {
            let answer = self.send(side, &request(side, call, &known)?, deadline).await?;
            if !was_changed(side, call, &known.condition, &answer) {
                return concluded(side, call, &answer);
            }
            // The app certainly refused the write, so a failed read leaves nothing unknown.
            known = match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                // The record met our condition: the conflict has another cause, such as a duplicate name.
                Look::Differs(now) if now.condition == known.condition && answer.status == StatusCode::CONFLICT => {
                    return concluded(side, call, &answer);
                }
                Look::Differs(now) => now,
            };
        }
        let message = format!("the record kept changing: {MAX_CONDITIONAL_WRITES} writes met a newer version each");
        Err(Failure::new(ErrorClass::Conflict, CallEffect::NotApplied, Some("412".to_owned()), &message))
    }

    async fn look(&self, side: &SideConfig, call: &Call, deadline: &Deadline) -> Result<Look, Failure> {
        match (self.read_within(side, &call.record, deadline).await?, &call.image) {
            (None, Image::Absent) => Ok(Look::Done(Applied::default())),
            (None, Image::Present(_)) => Ok(Look::Differs(Known { condition: Condition::Missing, record: None })),
            (Some(found), Image::Present(wanted)) if holds(&found.record, wanted) => {
                let stored = side.connector.wants_stored_record.then_some(found.record);
                Ok(Look::Done(Applied { etag: found.etag, stored }))
            }
            (Some(found), _) => {
                let condition = match etag(&found) {
                    Ok(etag) => Condition::Unchanged(etag),
                    Err(_) if side.capability != Capability::Versioned => Condition::Always,
                    Err(failure) => return Err(failure),
                };
                Ok(Look::Differs(Known { condition, record: Some(found.record) }))
            }
        }
    }
}

/// The request that changes a record from its known state to the one we want.
fn request(side: &SideConfig, call: &Call, known: &Known) -> Result<Request, Failure> {
    let Image::Present(wanted) = &call.image else {
        return plan::write(side, call, Sends::Deletion, &known.condition);
    };
    let (is_missing, connector) = (known.condition == Condition::Missing, &side.connector);
    match (is_missing, connector.create(), connector.update()) {
        (true, CreateMethod::Post, _) => plan::write(side, call, Sends::New(wanted), &Condition::Always),
        (_, _, UpdateMethod::Put) => {
            let mut whole = known.record.clone().unwrap_or_default();
            whole.extend(wanted.clone());
            plan::write(side, call, Sends::Whole(&whole), &known.condition)
        }
        _ => plan::write(side, call, Sends::Change(wanted), &known.condition),
    }
}

/// Whether the precondition failed. Some apps answer a stale tag with 409, and an update of a record that
/// was deleted meanwhile with 404, instead of 412.
fn was_changed(side: &SideConfig, call: &Call, condition: &Condition, answer: &Answer) -> bool {
    let updates = call.image != Image::Absent && matches!(condition, Condition::Unchanged(_));
    let gone = updates && answer.is_absent(side.connector.protocol());
    matches!(answer.status, StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT) || gone
}

/// Whether all fields we write have the value we write, by the rules of the content hash: `10` is `10.0`, null is absent.
/// Fields that are not ours do not matter.
fn holds(found: &Record, wanted: &Record) -> bool {
    wanted.iter().all(|(name, value)| {
        ContentHash::of_value(found.get(name).unwrap_or(&Value::Null)) == ContentHash::of_value(value)
    })
}

fn etag(found: &FetchedRecord) -> Result<HeaderValue, Failure> {
    found.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()).ok_or_else(|| {
        let message = "the side is set to `versioned`, but the app sends no ETag with its records";
        Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, message)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_holds_what_we_want_when_our_fields_are_equal_by_value() {
        let found = json!({"a": 10.0, "b": "x", "other": true});
        let holds = |wanted: Value| holds(found.as_object().unwrap(), wanted.as_object().unwrap());
        assert!(holds(json!({"a": 10, "b": "x", "c": null})));
        assert!(holds(json!({})));
        assert!(!holds(json!({"a": 11})));
        assert!(!holds(json!({"a": "10"})));
        assert!(!holds(json!({"a": null})));
        assert!(!holds(json!({"c": ""})));
    }
}
