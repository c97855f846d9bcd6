//! Up to 100 writes in one request: records in parallel, the writes of one record in their order.

use std::collections::BTreeMap;

use app::{Ports, error::AppError, request::WriteRequest, write::write};
use domain::limits::{MAX_BATCH_WRITES, MAX_BODY_BYTES};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::answer::{Reply, answer_write};

/// Records written at the same time by one request.
const RECORDS_AT_ONCE: usize = 16;

/// Takes a batch: one answer for each write, in the order of the request. A write with a mistake does not stop others.
pub(crate) async fn batch<P: Ports>(ports: &P, mut request: Value) -> Result<Reply, AppError> {
    let Some(fields) = request.as_object_mut() else { return Err(AppError::mistake("body", "must be an object")) };
    let Some(Value::Array(writes)) = fields.remove("writes") else {
        return Err(AppError::mistake("writes", "must be a list of writes"));
    };
    if let Some(other) = fields.keys().next() {
        return Err(AppError::mistake(other, "is not known here: a batch has `writes` only"));
    }
    if writes.is_empty() || writes.len() > MAX_BATCH_WRITES {
        return Err(AppError::mistake("writes", &format!("must be 1 to {MAX_BATCH_WRITES} writes")));
    }
    let mut replies: Vec<Option<Reply>> = Vec::new();
    let mut lanes: BTreeMap<_, Vec<(usize, WriteRequest)>> = BTreeMap::new();
    for (at, write) in writes.into_iter().enumerate() {
        replies.push(None);
        match read(at, write) {
            Ok(write) => lanes.entry((write.map.clone(), write.key.clone())).or_default().push((at, write)),
            Err(error) => replies[at] = Some(Reply::error(&error)),
        }
    }
    let runs = lanes.into_values().map(|lane| async move {
        let mut answers = Vec::with_capacity(lane.len());
        for (at, request) in lane {
            answers.push((at, answer_write(request.id, write(ports, &request).await)));
        }
        answers
    });
    let mut runs = stream::iter(runs).buffer_unordered(RECORDS_AT_ONCE);
    while let Some(answers) = runs.next().await {
        for (at, reply) in answers {
            replies[at] = Some(reply);
        }
    }
    let answers = replies.into_iter().flatten().map(|reply| json!({"status_code": reply.status, "answer": reply.body}));
    let answers: Vec<_> = answers.collect();
    Ok(Reply { status: 200, body: json!({ "answers": answers }), headers: Vec::new() })
}

fn read(at: usize, write: Value) -> Result<WriteRequest, AppError> {
    // The limit is of one write; its length as sent is not known here, and differs only by blanks.
    if write.to_string().len() > MAX_BODY_BYTES {
        return Err(AppError::TooLarge { limit_bytes: MAX_BODY_BYTES });
    }
    WriteRequest::from_value(write).map_err(|mistakes| {
        let inside = |mut mistake: domain::side::Mistake| {
            let inner = std::mem::take(&mut mistake.field);
            mistake.field = if inner.is_empty() { format!("writes[{at}]") } else { format!("writes[{at}].{inner}") };
            mistake
        };
        AppError::Invalid(mistakes.into_iter().map(inside).collect())
    })
}
