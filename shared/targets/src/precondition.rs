//! Read-modify-write. A `versioned` side gets a write under the condition that its record has not changed. A side that
//! takes only whole records gets its own record with our fields in it.

use app::ports::{Applied, Call, FetchedRecord, RecordAddress};
use domain::{
    ContentHash, ErrorClass, Failure, Record,
    failure::CallEffect,
    record::Image,
    side::{AppKind, Capability, CreateMethod, SideConfig, UpdateMethod},
};
use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

use crate::{
    answer::Answer,
    connectors::{Connectors, concluded},
    limits::MAX_CONDITIONAL_WRITES,
    odata,
    plan::{self, Condition, Request, Sends},
    secrets::Secrets,
    wire::Deadline,
};

/// How the app's record compares to the record that we want to write.
enum Look {
    /// It is equal: an earlier attempt arrived, or somebody else wrote the same.
    Done(Applied),
    /// It differs. We may write it as long as it has this state.
    Differs(Known),
}

/// The known state of the app's record.
struct Known {
    /// Where it is.
    at: RecordAddress,
    condition: Condition,
    /// Its fields, if they were read.
    record: Option<Record>,
}

impl<S: Secrets> Connectors<S> {
    /// Writes under `If-Match`, so that the app refuses a late call of ours when the `ETag` has changed since. If the
    /// app refuses this write because the record has changed, reads the record: it is equal already, or the write is
    /// tried again with its new state, at most [`MAX_CONDITIONAL_WRITES`] times.
    pub(crate) async fn write_conditionally(
        &self,
        side: &SideConfig,
        call: &Call,
        deadline: &Deadline,
    ) -> Result<Applied, Failure> {
        let takes_whole = side.connector.update() == UpdateMethod::Put && call.image != Image::Absent;
        let is_known = side.connector.find.is_none() && !takes_whole;
        let etag = call.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()).filter(|_| is_known);
        let mut known = match etag {
            Some(etag) => Known { at: call.record.clone(), condition: Condition::Unchanged(etag), record: None },
            None => match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                Look::Differs(known) => known,
            },
        };
        for _ in 0..MAX_CONDITIONAL_WRITES {
            let answer = self.send(side, &request(side, call, &known)?, deadline).await?;
            if !was_changed(side, call, &known, &answer) {
                return concluded(side, call, &answer);
            }
            // The app has certainly refused the write, so the outcome is known even if this read fails.
            known = match self.look(side, call, deadline).await? {
                Look::Done(applied) => return Ok(applied),
                // The record met our condition, so the answer has another cause, such as a duplicate name (409) or a
                // reference to a missing record (404).
                Look::Differs(now)
                    if now.condition == known.condition && answer.status != StatusCode::PRECONDITION_FAILED =>
                {
                    // The record is there, so its deletion was not done: the URL is wrong, say.
                    let is_denied = call.image == Image::Absent && answer.is_absent(&side.connector);
                    return if is_denied { Err(answer.failure()) } else { concluded(side, call, &answer) };
                }
                Look::Differs(now) => now,
            };
        }
        let message = format!("the record kept changing: {MAX_CONDITIONAL_WRITES} writes met a newer version each");
        Err(Failure::new(ErrorClass::Conflict, CallEffect::NotApplied, Some("412".to_owned()), &message))
    }

    async fn look(&self, side: &SideConfig, call: &Call, deadline: &Deadline) -> Result<Look, Failure> {
        match (self.read_within(side, &call.record, deadline).await?, &call.image) {
            (None, Image::Absent) => Ok(Look::Done(Applied { unchanged: true, ..Applied::default() })),
            (None, Image::Present(_)) => {
                Ok(Look::Differs(Known { at: call.record.clone(), condition: Condition::Missing, record: None }))
            }
            (Some((_, found)), Image::Present(wanted)) if holds(side.connector.kind, &found.record, wanted) => {
                let stored = side.connector.wants_stored_record.then_some(found.record);
                Ok(Look::Done(Applied { etag: found.etag, stored, unchanged: true }))
            }
            (Some((at, found)), _) => {
                let condition = match etag(&found) {
                    Ok(etag) => Condition::Unchanged(etag),
                    Err(_) if side.capability != Capability::Versioned => Condition::Always,
                    Err(failure) => return Err(failure),
                };
                Ok(Look::Differs(Known { at, condition, record: Some(found.record) }))
            }
        }
    }
}

/// Builds the request that changes a record from its known state to the one that we want.
fn request(side: &SideConfig, call: &Call, known: &Known) -> Result<Request, Failure> {
    let Image::Present(wanted) = &call.image else {
        return plan::write(side, call, &known.at, Sends::Deletion, &known.condition);
    };
    let (is_missing, connector) = (known.condition == Condition::Missing, &side.connector);
    match (is_missing, connector.create(), connector.update()) {
        (true, CreateMethod::Post, _) => plan::write(side, call, &known.at, Sends::New(wanted), &Condition::Always),
        (_, _, UpdateMethod::Put) => {
            let mut whole = known.record.clone().unwrap_or_default();
            whole.extend(wanted.clone());
            plan::write(side, call, &known.at, Sends::Whole(&whole), &known.condition)
        }
        _ => plan::write(side, call, &known.at, Sends::Change(wanted), &known.condition),
    }
}

/// Whether the precondition failed. Some apps answer a stale tag with 409, and an update of a record that
/// was deleted meanwhile with 404, instead of 412. Finance & Operations answers 400 to both a missing record and a duplicate.
fn was_changed(side: &SideConfig, call: &Call, known: &Known, answer: &Answer) -> bool {
    let updates = call.image != Image::Absent && known.condition != Condition::Missing;
    let gone = (updates || known.record.is_some()) && answer.is_absent(&side.connector);
    let made = known.condition == Condition::Missing && answer.is_duplicate(&side.connector);
    matches!(answer.status, StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT) || gone || made
}

/// Whether all fields that we write have our values already. Other fields do not matter.
fn holds(kind: AppKind, found: &Record, wanted: &Record) -> bool {
    wanted.iter().all(|(name, value)| match name.strip_suffix("@odata.bind") {
        Some(lookup) => odata::refers_to(found, lookup, value),
        None => is_same(kind, found.get(name).unwrap_or(&Value::Null), value),
    })
}

/// Whether two values are equal by the rules of the content hash: `10` equals `10.0`, and null equals a missing field.
/// A number may also come as text, as from CAP.
fn is_same(kind: AppKind, found: &Value, wanted: &Value) -> bool {
    let same = |found: &Value| ContentHash::of_value(found) == ContentHash::of_value(wanted);
    // Finance & Operations stores a blank text instead of null, and Dataverse null instead of a blank text.
    let blank = |value: &Value| value.is_null() || value == "";
    let blanks = matches!(kind, AppKind::FinanceOperations | AppKind::Dataverse) && blank(found) && blank(wanted);
    blanks || same(found) || wanted.is_number() && number_in(found).as_ref().is_some_and(same)
}

/// The number in a text, if JSON would write it so: `007` is no number.
fn number_in(value: &Value) -> Option<Value> {
    value.as_str()?.parse().ok().map(Value::Number)
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
        let holds = |wanted: Value| holds(AppKind::Odata, found.as_object().unwrap(), wanted.as_object().unwrap());
        assert!(holds(json!({"a": 10, "b": "x", "c": null})));
        assert!(holds(json!({})));
        assert!(!holds(json!({"a": 11})));
        assert!(!holds(json!({"a": "10"})));
        assert!(!holds(json!({"a": null})));
        assert!(!holds(json!({"c": ""})));
        let found = json!({"a": "10.00", "b": "010", "c": "10 "});
        let holds =
            |wanted: Value| super::holds(AppKind::Odata, found.as_object().unwrap(), wanted.as_object().unwrap());
        assert!(holds(json!({"a": 10})));
        for other in [json!({"a": 11}), json!({"a": "10"}), json!({"b": 10}), json!({"c": 10})] {
            assert!(!holds(other));
        }
    }

    #[test]
    fn a_reference_holds_when_it_leads_to_the_record_we_bind() {
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let holds = |found: Value, wanted: Value| {
            let wanted = json!({"primarycontactid@odata.bind": wanted});
            super::holds(AppKind::Dataverse, found.as_object().unwrap(), wanted.as_object().unwrap())
        };
        let bound = json!({"_primarycontactid_value": guid.to_uppercase()});
        let free = json!({"_primarycontactid_value": null});
        assert!(holds(bound.clone(), json!(format!("/contacts({guid})"))));
        assert!(holds(free.clone(), Value::Null) && holds(json!({}), Value::Null));
        assert!(!holds(bound.clone(), Value::Null) && !holds(free, json!(format!("/contacts({guid})"))));
        assert!(!holds(bound.clone(), json!("/contacts(00000000-d9cb-469f-a165-70867728950e)")));
        assert!(!holds(bound, json!("/contacts(number='7')")), "nobody knows which record that is");
    }

    #[test]
    fn dynamics_apps_do_not_tell_no_text_and_a_blank_one_apart() {
        let holds = |kind, found: Value, wanted: Value| {
            super::holds(kind, json!({"a": found}).as_object().unwrap(), json!({"a": wanted}).as_object().unwrap())
        };
        for kind in [AppKind::FinanceOperations, AppKind::Dataverse] {
            assert!(holds(kind, json!(""), Value::Null) && holds(kind, Value::Null, json!("")));
            assert!(!holds(kind, json!("x"), Value::Null) && !holds(kind, json!(""), json!(0)));
        }
        assert!(!holds(AppKind::Odata, json!(""), Value::Null));
    }
}
