//! Writes to a `versioned` side: only if the record is still as it was.

use app::ports::{Applied, Call, FetchedRecord};
use domain::{ContentHash, ErrorClass, Failure, Record, failure::CallEffect, record::Image, side::SideConfig};
use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

use crate::{
    answer::Answer,
    connectors::{Connectors, concluded},
    limits::MAX_CONDITIONAL_WRITES,
    plan::{self, Condition},
    secrets::Secrets,
    wire::Deadline,
};

/// How the app's record stands to what we want to write.
enum Look {
    /// It is as we want it: an earlier attempt arrived, or somebody else wrote the same.
    Done(Applied),
    /// It is not; it may be written if this still holds.
    Differs(Condition),
}

impl<S: Secrets> Connectors<S> {
    /// Writes under `If-Match`, so that a call of ours that arrives late meets a changed `ETag` and is refused. When the
    /// record was changed meanwhile we look at it: either it already is what we want, or we try again with what we saw.
    pub(crate) async fn write_versioned(
        &self,
        side: &SideConfig,
        call: &Call,
        deadline: &Deadline,
    ) -> Result<Applied, Failure> {
        let known = call.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok());
        let mut condition = match known {
            Some(etag) => Condition::Unchanged(etag),
            None => match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                Look::Differs(condition) => condition,
            },
        };
        for _ in 0..MAX_CONDITIONAL_WRITES {
            let request = plan::write(side, call, &condition)?;
            let answer = self.send(side, &request, deadline).await?;
            if !was_changed(side, call, &condition, &answer) {
                return concluded(side, call, &answer);
            }
            // The app refused for certain, so a failure to look leaves nothing unknown either.
            condition = match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                // The record is as we wanted it: the conflict is about something else, a duplicate name, say.
                Look::Differs(now) if now == condition && answer.status == StatusCode::CONFLICT => {
                    return concluded(side, call, &answer);
                }
                Look::Differs(now) => now,
            };
        }
        let message = format!("the record kept changing: {MAX_CONDITIONAL_WRITES} writes met a newer version each");
        Err(Failure::new(ErrorClass::Conflict, CallEffect::NotApplied, Some("412".to_owned()), &message))
    }

    async fn look(&self, side: &SideConfig, call: &Call, deadline: &Deadline) -> Result<Look, Failure> {
        let record = (call.entity.as_str(), call.key_field.as_str(), &call.key);
        match (self.read_within(side, record, deadline).await?, &call.image) {
            (None, Image::Absent) => Ok(Look::Done(Applied::default())),
            (None, Image::Present(_)) => Ok(Look::Differs(Condition::Missing)),
            (Some(found), Image::Present(wanted)) if holds(&found.record, wanted) => {
                Ok(Look::Done(Applied { etag: found.etag }))
            }
            (Some(found), _) => Ok(Look::Differs(Condition::Unchanged(etag(&found)?))),
        }
    }
}

/// Whether the record was not as the condition wants it. Some apps answer a stale tag with 409, and an update of a record that
/// was deleted meanwhile with 404, instead of 412.
fn was_changed(side: &SideConfig, call: &Call, condition: &Condition, answer: &Answer) -> bool {
    let updates = call.image != Image::Absent && matches!(condition, Condition::Unchanged(_));
    let gone = updates && answer.is_absent(side.connector.kind);
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
