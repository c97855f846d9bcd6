//! Errors that the apps report themselves: `POST /errors`.

use app::{
    error::AppError,
    ingest::{LineResult, lines, reported},
    ports::AlertPorts,
    problem::{self, Problem},
};
use callers::Callers;
use lambda_http::{Request, RequestExt, http::Method, request::LambdaRequest};
use lambda_runtime::Error;
use serde_json::{Value, json};

use crate::stream::tell;

/// Serves one request.
pub(crate) async fn handle<P: AlertPorts>(callers: &Callers, ports: &P, event: Value) -> Result<Value, Error> {
    let request: LambdaRequest = serde_json::from_value(event)
        .map_err(|error| format!("the event is neither of a stream nor of a function URL: {error}"))?;
    let request = Request::from(request);
    let answer = match callers.check(&request).await {
        Err(problem) => told(*problem),
        Ok(()) => answer(ports, &request).await,
    };
    tracing::info!(http.method = %request.method(), http.status = answer.status, "request served");
    Ok(answer.response())
}

/// What a request is answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Answer {
    /// As Lambda takes it.
    pub(crate) fn response(self) -> Value {
        let kind = if self.status >= 400 { problem::MEDIA_TYPE } else { "application/json" };
        let mut headers = json!({ "content-type": kind, "cache-control": "no-store" });
        for (name, value) in self.headers {
            headers[name] = Value::String(value);
        }
        let body = self.body.to_string();
        json!({ "statusCode": self.status, "headers": headers, "body": body, "isBase64Encoded": false })
    }
}

/// Serves a request whose caller is known.
pub(crate) async fn answer<P: AlertPorts>(ports: &P, request: &Request) -> Answer {
    let path = request.raw_http_path().trim_end_matches('/');
    if path != "/errors" {
        return refused(&AppError::UnknownRoute);
    }
    if request.method() != Method::POST {
        return refused(&AppError::MethodNotAllowed { allow: "POST".to_owned() });
    }
    let read = match lines(request.body()) {
        Ok(read) => read,
        Err(mistake) => return refused(&AppError::Invalid(vec![mistake])),
    };
    match reported(ports, read).await {
        Err(error) => refused(&AppError::Port(error)),
        Ok((results, done)) => {
            tell(&done, results.len());
            let all = results.iter().all(|result| matches!(result, LineResult::Logged(_) | LineResult::Duplicate));
            let results: Vec<_> = results.iter().enumerate().map(|(at, result)| line(at + 1, result)).collect();
            let status = if all { 200 } else { 207 };
            Answer { status, headers: Vec::new(), body: json!({ "results": results }) }
        }
    }
}

fn line(number: usize, result: &LineResult) -> Value {
    match result {
        LineResult::Logged(id) => json!({ "line": number, "status": "logged", "id": id }),
        LineResult::Duplicate => json!({ "line": number, "status": "duplicate" }),
        LineResult::Refused(mistake) => {
            json!({ "line": number, "status": "refused", "field": mistake.field, "message": mistake.message })
        }
        LineResult::NotStored => {
            json!({ "line": number, "status": "not_stored", "message": "could not be stored; send it again" })
        }
    }
}

fn refused(error: &AppError) -> Answer {
    if let Some(internal) = error.internal() {
        tracing::error!(error = %internal, "could not serve a request");
    }
    told(error.into())
}

fn told(mut problem: Problem) -> Answer {
    let headers = std::mem::take(&mut problem.headers);
    Answer { status: problem.status, headers, body: serde_json::to_value(problem).unwrap_or_default() }
}
