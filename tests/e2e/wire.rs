//! The wire between the functions and the emulator, which can be cut: a request that never arrives, or an answer that is
//! lost, at any byte.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Rng;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle},
};

use crate::{requests::lambda, stack::World};

/// What goes over the wire: the journal, the queue, and the calls that wake others.
const SERVICES: [&str; 3] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_EVENTBRIDGE"];

/// Connections that are open, each a task that passes bytes.
type Connections = Arc<Mutex<Vec<AbortHandle>>>;

/// Passes everything on to the emulator, until it is cut.
pub(crate) struct Wire {
    url: String,
    connections: Connections,
    server: JoinHandle<()>,
}

impl Wire {
    /// A wire to the emulator.
    pub(crate) async fn to(emulator: &str) -> Self {
        let address = emulator.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let connections = Connections::default();
        let open = Arc::clone(&connections);
        let server = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let address = address.clone();
                let passing = tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(address).await {
                        let _cut = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.retain(|connection| !connection.is_finished());
                open.push(passing.abort_handle());
            }
        });
        Self { url, connections, server }
    }

    /// Cuts about half of the connections that are open, in the middle of whatever they carry; how many.
    pub(crate) fn cut(&self, rng: &mut Rng) -> usize {
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| !connection.is_finished());
        let cut: Vec<_> = open.iter().filter(|_| rng.happens(500)).collect();
        cut.iter().for_each(|connection| connection.abort());
        cut.len()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.server.abort();
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(AbortHandle::abort);
    }
}

/// Has these functions reach the emulator over this wire, or straight again.
pub(crate) async fn lay(world: &World, functions: &[&str], wire: Option<&Wire>) {
    for function in functions {
        let path = format!("functions/{}/configuration", world.stack.endpoints().functions[*function]);
        let config = lambda(world, Method::GET, &path, &Value::Null).await;
        let mut variables = config["Environment"]["Variables"].clone();
        for service in SERVICES {
            match wire {
                Some(wire) => variables[service] = wire.url.as_str().into(),
                None => drop(variables.as_object_mut().and_then(|all| all.remove(service))),
            }
        }
        lambda(world, Method::PUT, &path, &json!({"Environment": {"Variables": variables}})).await;
    }
}
