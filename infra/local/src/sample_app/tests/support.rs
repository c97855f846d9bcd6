//! A running app, and a stand-in for `sync-write`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::super::app::{App, SharedApp};
use super::super::flavor::{Dialect, FlavorName};
use super::super::settings::Settings;
use super::super::tandem::Patience;
use super::super::{Config, api, report, server};

pub(super) const SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdHM=";
pub(super) const API_KEY: &str = "key-of-the-tests";

/// Long enough for two busy cores. A test that waits so long has failed.
const TOO_LONG: Duration = Duration::from_secs(20);

/// An instruction for one call of the stand-in. Without one it answers `written`.
pub(super) enum Order {
    /// Answers with this status and body.
    Say(u16, Value),
    /// Cuts the connection.
    Cut,
    /// Waits for a signal, then answers `written`.
    Hold(oneshot::Receiver<()>),
}

/// The stand-in for `sync-write`.
pub(super) struct FakeTandem {
    pub(super) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    orders: Mutex<VecDeque<Order>>,
    calls: watch::Sender<Vec<Value>>,
}

impl FakeTandem {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { orders: Mutex::default(), calls: watch::Sender::new(Vec::new()) });
        let router = Router::new().route("/writes", post(take)).with_state(shared.clone());
        let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
        Self { url, shared, server }
    }

    /// Adds orders for the next calls, one for each.
    pub(super) fn next(&self, orders: impl IntoIterator<Item = Order>) {
        self.shared.orders.lock().unwrap().extend(orders);
    }

    /// Waits until there have been `count` calls, and returns all of them.
    pub(super) async fn calls(&self, count: usize) -> Vec<Value> {
        let mut calls = self.shared.calls.subscribe();
        let seen = tokio::time::timeout(TOO_LONG, calls.wait_for(|calls| calls.len() >= count)).await;
        seen.expect("calls in time").unwrap().clone()
    }

    /// The number of calls so far.
    pub(super) fn call_count(&self) -> usize {
        self.shared.calls.borrow().len()
    }
}

impl Drop for FakeTandem {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let write: Value = serde_json::from_str(&body).unwrap();
    let is_signed = Webhook::new(SECRET).unwrap().verify(body.as_bytes(), &headers).is_ok();
    if !is_signed || headers["webhook-id"] != write["id"].as_str().unwrap() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answer = axum::Json(json!({"id": write["id"], "status": "written"})).into_response();
    let order = shared.orders.lock().unwrap().pop_front();
    shared.calls.send_modify(|calls| calls.push(write));
    match order {
        None => answer,
        Some(Order::Say(status, body)) => (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response(),
        Some(Order::Cut) => server::dropped(),
        Some(Order::Hold(signal)) => {
            signal.await.ok();
            answer
        }
    }
}

/// A running app on its own port.
pub(super) struct TestApp {
    pub(super) app: SharedApp,
    pub(super) url: String,
    pub(super) config: Config,
    client: reqwest::Client,
    tasks: [JoinHandle<()>; 2],
}

impl TestApp {
    /// Starts an app that is not connected to Tandem.
    pub(super) async fn alone(flavor: FlavorName) -> Self {
        Self::open(config(flavor, Settings::default())).await
    }

    /// Starts an app that reports to `tandem`.
    pub(super) async fn with(flavor: FlavorName, tandem: &FakeTandem) -> Self {
        let settings = Settings { sync_write_url: Some(tandem.url.clone()), hmac_secret: Some(SECRET.to_owned()) };
        Self::open(config(flavor, settings)).await
    }

    pub(super) async fn open(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Arc::new(App::open(&config).unwrap());
        let tasks = [
            tokio::spawn(server::serve(listener, api::router(app.clone()), std::future::pending())),
            tokio::spawn(report::run_in_background(app.clone())),
        ];
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { app, url, config, client, tasks }
    }

    /// A request to any path of the app.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).timeout(TOO_LONG)
    }

    /// A request to the entity set of the data API, for all companies.
    pub(super) fn data(&self, method: &str, rest: &str) -> RequestBuilder {
        let path = format!("{}/{}{rest}", self.app.flavor.service, self.app.flavor.entity_set);
        let request = self.request(method.parse().unwrap(), &path).header("x-api-key", API_KEY);
        match self.app.flavor.dialect {
            Dialect::FinanceOperations => request.query(&[("cross-company", "true")]),
            Dialect::Dataverse => request,
        }
    }

    /// A request to a record of the data API. `key` is encoded for the path.
    pub(super) fn at(&self, method: &str, key: &str) -> RequestBuilder {
        let address = match self.app.flavor.dialect {
            Dialect::FinanceOperations => format!("(dataAreaId='usmf',CustomerAccount='{key}')"),
            Dialect::Dataverse => format!("(accountnumber='{key}')"),
        };
        self.data(method, &address)
    }

    /// Sets the name of a record over the data API. In `crm`, this creates a missing record.
    pub(super) async fn patch_name(&self, key: &str, name: &str) -> reqwest::Response {
        let field = self.app.flavor.fields[0].name;
        self.at("PATCH", key).json(&json!({field: name})).send().await.unwrap()
    }

    /// Posts to the app's own API. Returns status and body.
    pub(super) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self.request(Method::POST, path).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Edits a record as the page does.
    pub(super) async fn edit(&self, key: &str, fields: Value) -> (u16, Value) {
        self.post("/edit", json!({"key": key, "fields": fields})).await
    }

    /// Reads from the app's own API.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until an answer of the app's own API meets a condition, and returns it.
    pub(super) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let said = self.get(path).await;
                if is_so(&said) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(TOO_LONG, asked).await.expect("it should have become so")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        for end in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{end}", self.config.db.display())).ok();
        }
    }
}

/// The configuration of an app with its own database file and short timeouts.
pub(super) fn config(flavor: FlavorName, settings: Settings) -> Config {
    let file = format!("tandem-sample-app-{}.db", ulid::Ulid::generate());
    Config {
        flavor,
        port: 0,
        port_file: None,
        db: std::env::temp_dir().join(file),
        api_key: API_KEY.to_owned(),
        settings,
        map: "customers".to_owned(),
        other_name: if flavor == FlavorName::Finance { "crm" } else { "finance" }.to_owned(),
        parent_pid: None,
        patience: Patience {
            answer: Duration::from_secs(5),
            edit: Duration::from_secs(10),
            inline: Duration::from_secs(5),
            pause: Duration::from_millis(20),
        },
    }
}
