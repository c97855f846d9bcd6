//! The app's own JSON API, for its page and for tests. The switches break the data API only, never this one.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::{App, SharedApp};
use super::edit::{self, Edit, NotSaved, Saved};
use super::record::{Fields, Row};
use super::settings::Settings;
use super::switches::{All, Change};
use super::{assets, calls, odata, outbox, page, store};

/// Most rows of the outbox that `GET /outbox` lists.
const REPORTS_MAX: u32 = 1_000;

/// The routes of an app. Everything else goes to the data API.
pub(super) fn router(app: SharedApp) -> Router {
    Router::new()
        .route("/", get(page::whole))
        .route("/live", get(page::live))
        .route("/app.css", get(assets::css))
        .route("/app.js", get(assets::js))
        .route("/healthz", get(|| async { "ok" }))
        .route("/edit", post(edit))
        .route("/delete", post(delete))
        .route("/records", get(records))
        .route("/records/{key}", get(record))
        .route("/calls", get(list_calls))
        .route("/outbox", get(list_outbox))
        .route("/switches", get(get_switches).post(set_switches))
        .route("/settings", post(set_settings))
        .fallback(odata::handle)
        .with_state(app)
}

/// A failure of the app's database. The answer is 500.
pub(super) struct Broken(rusqlite::Error);

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "could not use the database; the call gets 500");
        refused(StatusCode::INTERNAL_SERVER_ERROR, "could not use the database")
    }
}

/// A JSON body. Unlike axum's extractor, it refuses an unreadable body in JSON, too.
struct Body<T>(T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused(rejection.status(), &rejection.body_text())),
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"ok": false, "error": error}))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    key: String,
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteBody {
    key: String,
}

async fn edit(State(app): State<SharedApp>, Body(body): Body<EditBody>) -> Response {
    answer(edit::save(app, Edit { key: body.key, change: Some(body.fields) }).await)
}

async fn delete(State(app): State<SharedApp>, Body(body): Body<DeleteBody>) -> Response {
    answer(edit::save(app, Edit { key: body.key, change: None }).await)
}

fn answer(ended: Result<Saved, NotSaved>) -> Response {
    match ended {
        Ok(Saved { id, tandem, message }) => {
            Json(json!({"ok": true, "id": id, "tandem": tandem, "message": message})).into_response()
        }
        Err(NotSaved { status, error, problem }) => {
            (status, Json(json!({"ok": false, "error": error, "problem": problem}))).into_response()
        }
    }
}

/// Selects a page of the records: at most `limit` of those whose key comes after `after`. Without both, it is all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordsQuery {
    limit: Option<u32>,
    after: Option<String>,
}

/// Lists records in order of their keys. The header `Link` names the next page, as in many REST apps.
async fn records(State(app): State<SharedApp>, Query(query): Query<RecordsQuery>) -> Result<Response, Broken> {
    let limit = query.limit.map_or(u32::MAX, |limit| limit.max(1));
    let mut rows = app.store.run(|db| store::page(db, query.after.as_deref(), 0, limit.saturating_add(1)))?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let records: Vec<_> = rows.iter().map(|(key, row)| record_json(key, row)).collect();
    let mut response = Json(records).into_response();
    if let (true, Some((last, _))) = (has_more, rows.last()) {
        let link = format!("</records?limit={limit}&after={}>; rel=\"next\"", odata::encode(last));
        response.headers_mut().extend(HeaderValue::from_str(&link).ok().map(|link| (LINK, link)));
    }
    Ok(response)
}

async fn record(State(app): State<SharedApp>, Path(key): Path<String>) -> Result<Response, Broken> {
    let row = app.store.run(|db| store::load(db, &key))?;
    Ok(match row.fields {
        Some(_) => Json(record_json(&key, &row)).into_response(),
        None => refused(StatusCode::NOT_FOUND, "there is no such record"),
    })
}

fn record_json(key: &str, row: &Row) -> Value {
    json!({"key": key, "fields": row.fields, "version": row.version})
}

#[derive(Deserialize)]
struct CallsQuery {
    key: Option<String>,
}

async fn list_calls(
    State(app): State<SharedApp>,
    Query(query): Query<CallsQuery>,
) -> Result<Json<Vec<calls::Call>>, Broken> {
    Ok(Json(app.store.run(|db| calls::list(db, query.key.as_deref()))?))
}

async fn list_outbox(State(app): State<SharedApp>) -> Result<Json<Vec<outbox::Report>>, Broken> {
    Ok(Json(app.store.run(|db| outbox::list(db, REPORTS_MAX))?))
}

async fn get_switches(State(app): State<SharedApp>) -> Json<All> {
    Json(app.switches.get())
}

async fn set_switches(State(app): State<SharedApp>, Body(change): Body<Change>) -> Json<All> {
    app.switches.set(&change);
    Json(app.switches.get())
}

async fn set_settings(
    State(app): State<SharedApp>,
    headers: HeaderMap,
    Body(settings): Body<Settings>,
) -> Result<Response, Broken> {
    if !is_owner(&app, &headers) {
        return Ok(refused(StatusCode::UNAUTHORIZED, "the header x-api-key is missing or wrong"));
    }
    if let Err(problem) = settings.check() {
        return Ok(refused(StatusCode::BAD_REQUEST, &problem));
    }
    app.store.transaction(|tx| settings.save(tx))?;
    app.reports_wait.notify_one();
    Ok(Json(json!({"ok": true})).into_response())
}

fn is_owner(app: &App, headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key.as_bytes() == app.api_key.as_bytes())
}
