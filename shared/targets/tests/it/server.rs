//! A small HTTP/1.1 server whose misbehaviour is under control down to the byte.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// As sent, not decoded.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A proper answer; the connection stays open.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The same with a body of bytes.
    Bytes(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The same after some time.
    Late(Duration, Box<Reply>),
    /// These bytes, then the end of the connection.
    Raw(&'static str),
    /// The connection is closed without a word.
    Close,
    /// The connection is reset without a word.
    Reset,
    /// Nothing, for as long as the caller waits.
    Silence,
}

/// An answer without headers of its own.
pub(crate) fn answer(status: u16, body: impl ToString) -> Reply {
    Reply::Answer(status, Vec::new(), body.to_string())
}

/// An answer with an `ETag`.
pub(crate) fn tagged(status: u16, etag: impl ToString, body: impl ToString) -> Reply {
    Reply::Answer(status, vec![("ETag", etag.to_string())], body.to_string())
}

/// How an `OData` app says that there is no such record.
pub(crate) fn no_such_record(status: u16) -> Reply {
    answer(status, r#"{"error": {"code": "0x80040217", "message": "account Does Not Exist"}}"#)
}

/// A server on a free port of this machine, until the test's runtime ends.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    handler: Box<dyn Fn(&Seen) -> Reply + Send + Sync>,
    seen: Mutex<Vec<Seen>>,
    connections: Mutex<usize>,
}

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { handler: Box::new(handler), seen: Mutex::default(), connections: Mutex::default() };
        let state = Arc::new(state);
        tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/data/", self.port)
    }

    /// Everything that arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The only request that arrived.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }

    /// Methods of all that arrived, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.method).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        *state.connections.lock().unwrap() += 1;
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(seen) = receive(&mut stream, &mut buffer).await {
        let reply = (state.handler)(&seen);
        state.seen.lock().unwrap().push(seen);
        if !respond(&mut stream, reply).await {
            return;
        }
    }
}

/// Whether the connection stays open.
async fn respond(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Late(time, reply) => {
            tokio::time::sleep(time).await;
            Box::pin(respond(stream, *reply)).await
        }
        Reply::Answer(status, headers, body) => {
            Box::pin(respond(stream, Reply::Bytes(status, headers, body.into_bytes()))).await
        }
        Reply::Bytes(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head += &format!("{name}: {value}\r\n");
            }
            let mut whole = (head + "\r\n").into_bytes();
            if status != 204 {
                whole.extend(body);
            }
            stream.write_all(&whole).await.is_ok()
        }
        Reply::Raw(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            false
        }
        Reply::Close => false,
        Reply::Reset => {
            let _ = stream.set_zero_linger();
            false
        }
        Reply::Silence => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            false
        }
    }
}

async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let head_bytes = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer).await?;
    };
    let head = String::from_utf8(buffer.drain(..head_bytes).collect()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        fill(stream, buffer).await?;
    }
    Some(Seen { method, path, headers, body: buffer.drain(..length).collect() })
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}
