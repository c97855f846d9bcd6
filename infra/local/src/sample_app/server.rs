//! The listener. Unlike axum's own, it can cut a connection instead of answering.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// Time that calls under way have to end when the app stops.
const STOP_WAIT: Duration = Duration::from_secs(3);
/// Time between two checks of the parent process.
const PARENT_POLL: Duration = Duration::from_millis(500);

/// Marks a response that the server must not send.
#[derive(Debug, Clone)]
struct Dropped;

/// A response that makes the server cut the connection.
pub(super) fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}

/// Serves until `stop` ends, then waits at most [`STOP_WAIT`] for calls under way.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve_connection(&graceful, stream, router.clone()),
                // The process may be out of file descriptors, for example. The next connection may succeed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    drop(tokio::time::timeout(STOP_WAIT, graceful.shutdown()).await);
}

fn serve_connection(graceful: &GracefulShutdown, stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {});
            match response.extensions().get::<Dropped>() {
                None => Ok(response),
                Some(Dropped) => Err("the connection is cut on purpose"),
            }
        }
    });
    let _unused = stream.set_nodelay(true);
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        let _cut_or_closed = watched.await;
    });
}

/// Returns on SIGTERM, on Ctrl-C, and when the parent process has ended.
pub(super) async fn stopped(parent_pid: Option<u32>) {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let orphaned = async {
        match parent_pid {
            // An orphan gets another parent. This check needs neither a file nor a signal.
            Some(pid) => {
                while std::os::unix::process::parent_id() == pid {
                    tokio::time::sleep(PARENT_POLL).await;
                }
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        () = interrupted => {}
        () = orphaned => {}
    }
}

/// Writes the port atomically: a reader sees either no file or the whole number.
pub(super) fn write_port_file(path: &Path, port: u16) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, format!("{port}\n"))
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("cannot write the port to {}", path.display()))
}
