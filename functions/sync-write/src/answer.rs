//! Answers as JSON.

use app::{
    error::{AppError, AppSays, ResourceKind},
    lookup::WriteStatus,
    problem::Problem,
    write::{WithSideNames, WriteError},
};
use domain::{
    SideId, SideIx, WriteId,
    failure::CallEffect,
    lane::{Answer, Crossing, StepFailure},
};
use serde_json::{Value, json};

/// A status and a body.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn problem(problem: Problem) -> Self {
        let (status, headers) = (problem.status, problem.headers.clone());
        Self { status, body: serde_json::to_value(problem).unwrap_or_default(), headers }
    }

    pub(crate) fn error(error: &AppError) -> Self {
        if let Some(internal) = error.internal() {
            tracing::error!(error = %internal, "could not serve a request");
        }
        Self::problem(error.into())
    }

    fn ok(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    pub(crate) fn is_problem(&self) -> bool {
        self.status >= 400
    }
}

/// The answer to a write.
pub(crate) fn answer_write(id: WriteId, told: Result<WithSideNames<Answer>, WriteError>) -> Reply {
    match told {
        Err(error) => Reply::error(&error.into()),
        Ok(WithSideNames { what, sides }) => match refusal(&what, &sides) {
            Some(error) => Reply::error(&error),
            None => describe_answer(id, &what, &sides),
        },
    }
}

/// What became of a write.
pub(crate) fn answer_status(id: WriteId, told: Result<WithSideNames<WriteStatus>, WriteError>) -> Reply {
    let WithSideNames { what, sides } = match told {
        Ok(told) => told,
        Err(error) => return Reply::error(&error.into()),
    };
    match what {
        WriteStatus::Unknown => Reply::error(&AppError::NotFound(ResourceKind::Write)),
        WriteStatus::InFlight(version) => Reply::ok(200, json!({"id": id, "status": "in_flight", "version": version})),
        WriteStatus::Known(answer) => Reply { status: 200, ..describe_answer(id, &answer, &sides) },
    }
}

fn refusal(answer: &Answer, sides: &[SideId; 2]) -> Option<AppError> {
    match answer {
        Answer::Refused { to, class, code, message } => {
            let (side, code, message) = (sides[to.at()].clone(), code.clone(), message.clone());
            Some(AppError::Refused(AppSays { side, class: *class, code, message }))
        }
        Answer::Unavailable { failure: StepFailure { to, failure, .. }, outcome_unknown } => {
            let (side, code, message) = (sides[to.at()].clone(), failure.code.clone(), failure.message.clone());
            let says = AppSays { side, class: failure.class, code, message };
            Some(AppError::NotKept { says, outcome_unknown: *outcome_unknown })
        }
        Answer::Written { .. }
        | Answer::Skipped(_)
        | Answer::Queued { .. }
        | Answer::Parked { .. }
        | Answer::Archived { .. } => None,
    }
}

fn failed_call(StepFailure { at, failure, .. }: &StepFailure, side: &SideId) -> Value {
    let outcome = match failure.effect {
        CallEffect::Refused => "refused",
        CallEffect::NotApplied => "not_applied",
        CallEffect::Unknown => "unknown",
    };
    let (class, code, message) = (failure.class, &failure.code, &failure.message);
    json!({"side": side, "at": at.to_string(), "class": class, "code": code, "message": message, "outcome": outcome})
}

fn describe_answer(id: WriteId, answer: &Answer, sides: &[SideId; 2]) -> Reply {
    let side = |ix: SideIx| &sides[ix.at()];
    let mut body = json!({ "id": id });
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            body[name] = value;
        }
    };
    let crossed = |crossing: &Option<Crossing>| crossing.map_or(Value::Null, |crossing| json!(crossing));
    let failed =
        |step: &Option<StepFailure>| step.as_ref().map_or(Value::Null, |step| failed_call(step, side(step.to)));
    let status = match answer {
        // No entry id here: a repeat must get the same answer, and the lane's short memory does not keep it.
        Answer::Written { entry: _, version, crossing, write_back_pending } => {
            set("status", "written".into());
            set("version", json!(version));
            set("crossing", crossed(crossing));
            set("write_back", if *write_back_pending { "pending".into() } else { Value::Null });
            200
        }
        Answer::Skipped(reason) => {
            set("status", "skipped".into());
            set("reason", json!(reason));
            200
        }
        Answer::Queued { entry, version, ahead, crossing, failure } => {
            set("status", "queued".into());
            set("entry", json!(entry));
            set("version", json!(version));
            set("ahead", (*ahead).into());
            set("crossing", crossed(crossing));
            set("failure", failed(failure));
            202
        }
        Answer::Parked { entry, version, half_written, failure } => {
            set("status", "parked".into());
            set("entry", json!(entry));
            set("version", json!(version));
            set("half_written", (*half_written).into());
            set("failure", failed(failure));
            202
        }
        Answer::Archived { version, cause } => {
            set("status", "archived".into());
            set("version", json!(version));
            set("reason", json!(cause));
            200
        }
        Answer::Refused { to, class, code, message } => {
            set("status", "refused".into());
            set(
                "failure",
                json!({"side": side(*to), "class": class, "code": code, "message": message, "outcome": "refused"}),
            );
            422
        }
        Answer::Unavailable { failure, .. } => {
            set("status", "not_kept".into());
            set("failure", failed(&Some(failure.clone())));
            503
        }
    };
    Reply::ok(status, body)
}
