//! An app that takes every write and does nothing: what is measured is Tandem.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// Is told the record key.
pub type Look = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A running app.
#[derive(Debug)]
pub struct App {
    /// Its address.
    pub url: String,
    last: Arc<Mutex<String>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    last: Arc<Mutex<String>>,
    look: Option<Look>,
}

impl App {
    /// Starts it. `look` is awaited before each answer, while the write is in flight.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(look: Option<Look>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let last = Arc::default();
        let shared = Shared { last: Arc::clone(&last), look };
        let router = Router::new().fallback(take).with_state(shared);
        let server = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { url, last, server })
    }

    /// The last record it was given.
    ///
    /// # Errors
    /// When there was none.
    pub fn last(&self) -> anyhow::Result<Value> {
        let last = self.last.lock().map(|last| last.clone()).unwrap_or_default();
        Ok(serde_json::from_str(&last)?)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Shared>, uri: Uri, body: String) -> StatusCode {
    // OData: `/accounts('C-1')`.
    if let (Some(look), Some(key)) = (&shared.look, uri.path().split('\'').nth(1)) {
        look(key.to_owned()).await;
    }
    if let Ok(mut last) = shared.last.lock() {
        *last = body;
    }
    StatusCode::NO_CONTENT
}
