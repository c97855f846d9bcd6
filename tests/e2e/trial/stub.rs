//! An OData app of a few lines, whose answers a test can replace one by one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The entity set.
const LIST: &str = "Things";

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) key: String,
    /// What follows the path.
    pub(crate) query: String,
    /// As it was sent, digit by digit.
    pub(crate) body: String,
    /// The tag that the record must still have.
    pub(crate) if_match: Option<String>,
}

impl Asked {
    /// Which page of the list it asks for; `None`: it is about something else.
    pub(crate) fn page(&self) -> Option<usize> {
        let is_list = self.method == "GET" && self.key == LIST;
        is_list.then(|| self.query.strip_prefix("page=").and_then(|page| page.parse().ok()).unwrap_or(1))
    }
}

/// An answer that is not the app's usual one.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, media type, body.
    Http(u16, &'static str, String),
    /// The connection ends without a word.
    Cut,
}

/// What takes the place of usual answers.
type Habit = Box<dyn Fn(&Asked) -> Option<Reply> + Send + Sync>;

struct State {
    records: BTreeMap<String, Value>,
    asked: Vec<Asked>,
    habit: Habit,
    takes_whole: bool,
    /// What a user of the app saves before the next `PUT` arrives.
    saved_meanwhile: Option<(String, Value)>,
}

/// A running app. It ends with the test program.
#[derive(Clone)]
pub(crate) struct Stub {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Stub {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}/data/", listener.local_addr().expect("it has an address"));
        let state = State {
            records: BTreeMap::new(),
            asked: Vec::new(),
            habit: Box::new(|_| None),
            takes_whole: false,
            saved_meanwhile: None,
        };
        let stub = Self { url, state: Arc::new(Mutex::new(state)) };
        let serving = stub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stub = serving.clone();
                tokio::spawn(async move { stub.serve(stream).await });
            }
        });
        stub
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these answers take the place of the usual ones.
    pub(crate) fn answers(&self, habit: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) {
        self.state().habit = Box::new(habit);
    }

    /// From now on it answers as usual.
    pub(crate) fn is_well(&self) {
        self.answers(|_| None);
    }

    /// From now on it takes whole records only: `PUT` replaces a record that still has its tag, `POST` makes one, `PATCH` is refused.
    pub(crate) fn takes_whole_records(&self) {
        self.state().takes_whole = true;
    }

    /// A user of the app saves a record before the next `PUT` arrives.
    pub(crate) fn is_edited_meanwhile(&self, key: &str, record: Value) {
        self.state().saved_meanwhile = Some((key.to_owned(), record));
    }

    pub(crate) fn record(&self, key: &str) -> Option<Value> {
        self.state().records.get(key).cloned()
    }

    pub(crate) fn put(&self, key: &str, record: Value) {
        self.state().records.insert(key.to_owned(), record);
    }

    /// Everything but reads, in its order.
    pub(crate) fn writes(&self) -> Vec<Asked> {
        self.state().asked.iter().filter(|asked| asked.method != "GET").cloned().collect()
    }

    /// Writes of one record.
    pub(crate) fn writes_of(&self, key: &str) -> Vec<Asked> {
        self.writes().into_iter().filter(|asked| asked.key == key).collect()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let (head, body) = loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    break (head.to_owned(), body.to_owned());
                }
            }
            let mut more = [0; 16_384];
            match stream.read(&mut more).await {
                Ok(read @ 1..) => bytes.extend_from_slice(&more[..read]),
                _ => return,
            }
        };
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let if_match = head
            .lines()
            .find_map(|line| Some(line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("if-match"))?.1));
        let asked = Asked {
            method: method.to_owned(),
            key: key_in(path),
            query: query_in(path),
            body,
            if_match: if_match.map(str::to_owned),
        };
        let (reply, tag) = {
            let mut state = self.state();
            state.asked.push(asked.clone());
            if asked.method == "PUT"
                && let Some((key, record)) = state.saved_meanwhile.take()
            {
                state.records.insert(key, record);
            }
            let tag = state.records.get(&asked.key).filter(|_| state.takes_whole).map(tag);
            let reply = (state.habit)(&asked).unwrap_or_else(|| match state.takes_whole {
                true => whole(&mut state.records, &asked),
                false => usual(&mut state.records, &asked),
            });
            (reply, tag)
        };
        if let Reply::Http(status, kind, body) = reply {
            let length = body.len();
            let tag = tag.filter(|_| asked.method == "GET").map(|tag| format!("etag: {tag}\r\n")).unwrap_or_default();
            let answer = format!(
                "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{tag}location: http://127.0.0.1/login\r\nconnection: close\r\n\r\n{body}"
            );
            // Whoever asked may be gone.
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    }
}

/// The key in `…/Things('C-1')`, or `…/Things/C-1`.
fn key_in(path: &str) -> String {
    let url = Url::parse(&format!("http://stub{path}")).expect("a path");
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned();
    let last = percent_decode_str(&last).decode_utf8_lossy().into_owned();
    last.split_once("('").map_or(last.clone(), |(_, rest)| rest.trim_end_matches("')").to_owned())
}

fn query_in(path: &str) -> String {
    path.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned())
}

/// The tag of a record as it is.
fn tag(record: &Value) -> String {
    format!(
        "\"{:016x}\"",
        record.to_string().bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(31) ^ u64::from(byte))
    )
}

/// An app that takes whole records.
fn whole(records: &mut BTreeMap<String, Value>, asked: &Asked) -> Reply {
    let said = |status, says: &str| Reply::Http(status, "application/json", json!({ "message": says }).to_string());
    let stored = records.get(&asked.key).map(tag);
    match asked.method.as_str() {
        "PATCH" => said(405, "no such method"),
        "PUT" if stored.is_none() => said(404, "no such record"),
        "PUT" if asked.if_match.is_some() && asked.if_match != stored => said(412, "it was changed"),
        "PUT" | "POST" => {
            let mut record: Value = serde_json::from_str(&asked.body).unwrap_or_default();
            let key = record.as_object_mut().and_then(|record| record.remove("key"));
            let key = key.as_ref().and_then(Value::as_str).unwrap_or(&asked.key).to_owned();
            records.insert(key, record);
            Reply::Http(204, "", String::new())
        }
        _ => usual(records, asked),
    }
}

fn usual(records: &mut BTreeMap<String, Value>, asked: &Asked) -> Reply {
    let absent = || {
        Reply::Http(404, "application/json", json!({"error": {"code": "none", "message": "no such thing"}}).to_string())
    };
    match asked.method.as_str() {
        "GET" if asked.page().is_some() => {
            let row = |(key, record): (&String, &Value)| {
                let mut row = record.clone();
                row["key"] = json!(key);
                row
            };
            let rows: Vec<Value> = records.iter().map(row).collect();
            Reply::Http(200, "application/json", json!({ "value": rows }).to_string())
        }
        "GET" => match records.get(&asked.key) {
            Some(record) => {
                let mut record = record.clone();
                record["key"] = json!(asked.key);
                Reply::Http(200, "application/json", record.to_string())
            }
            None => absent(),
        },
        "DELETE" => match records.remove(&asked.key) {
            Some(_) => Reply::Http(204, "", String::new()),
            None => absent(),
        },
        _ => {
            let change: Value = serde_json::from_str(&asked.body).unwrap_or_default();
            let record = records.entry(asked.key.clone()).or_insert_with(|| json!({}));
            for (name, value) in change.as_object().into_iter().flatten() {
                record[name] = value.clone();
            }
            Reply::Http(204, "", String::new())
        }
    }
}
