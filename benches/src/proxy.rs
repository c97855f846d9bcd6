//! Stands between a function and the emulator, and notes every request to DynamoDB and SQS.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The header that names what is asked of DynamoDB.
const TARGET: &str = "x-amz-target";
/// What is noted: requests to DynamoDB and to SQS.
const NOTED: [&str; 2] = ["DynamoDB_20120810.", "AmazonSQS."];

/// One request, retries counted as requests of their own: they are paid for.
#[derive(Clone, Debug)]
pub struct Noted {
    /// What was asked, e.g. `GetItem`.
    pub operation: String,
    began: Instant,
    ended: Instant,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    /// Its address, for `AWS_ENDPOINT_URL`.
    pub url: String,
    noted: Arc<Mutex<Vec<Noted>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    to: String,
    client: reqwest::Client,
    noted: Arc<Mutex<Vec<Noted>>>,
}

impl Proxy {
    /// Starts one before the emulator at `to`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(to: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let noted = Arc::default();
        let client = reqwest::Client::builder().no_proxy().build()?;
        let shared = Shared { to: to.to_owned(), client, noted: Arc::clone(&noted) };
        let router = Router::new().fallback(pass).with_state(shared);
        let server = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { url, noted, server })
    }

    /// What was asked since the last call of this.
    pub fn take(&self) -> Vec<Noted> {
        self.noted.lock().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The longest chain of requests of which each began after the one before had ended.
#[must_use]
pub fn in_sequence(noted: &[Noted]) -> usize {
    let mut by_end: Vec<_> = noted.iter().collect();
    by_end.sort_by_key(|one| one.ended);
    let mut chain = 0;
    let mut free_from = None;
    for one in by_end {
        if free_from.is_none_or(|at| one.began >= at) {
            chain += 1;
            free_from = Some(one.ended);
        }
    }
    chain
}

fn operation(target: &str) -> Option<&str> {
    NOTED.iter().find_map(|service| target.strip_prefix(service))
}

async fn pass(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = headers.get(TARGET).and_then(|value| value.to_str().ok()).and_then(operation);
    let operation = target.map(str::to_owned);
    let began = Instant::now();
    let sent = shared.client.request(method, format!("{}{uri}", shared.to)).headers(headers).body(body).send().await;
    let answer = match sent {
        Ok(answer) => {
            let mut back = Response::builder().status(answer.status());
            if let Some(all) = back.headers_mut() {
                all.clone_from(answer.headers());
                all.remove("transfer-encoding");
            }
            answer.bytes().await.ok().and_then(|body| back.body(Body::from(body)).ok())
        }
        Err(_) => None,
    };
    if let (Some(operation), Ok(mut noted)) = (operation, shared.noted.lock()) {
        noted.push(Noted { operation, began, ended: Instant::now() });
    }
    answer.unwrap_or_else(|| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_side_by_side_are_one_step() {
        let start = Instant::now();
        let noted = |from: u64, to: u64| Noted {
            operation: String::new(),
            began: start + Duration::from_millis(from),
            ended: start + Duration::from_millis(to),
        };
        assert_eq!(in_sequence(&[]), 0);
        assert_eq!(in_sequence(&[noted(0, 5), noted(1, 3), noted(5, 9), noted(9, 12)]), 3);
        assert_eq!(in_sequence(&[noted(0, 2), noted(2, 4), noted(0, 4), noted(4, 6)]), 3);
    }
}
