//! An app that wants a token against cross-site requests, as SAP's OData services do.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use app::ports::{Applied, Apps};
use domain::failure::CallEffect;
use serde_json::json;

use crate::{
    server::{Reply, Seen, Server, answer},
    setup::{address, local, side, upsert},
};

/// Refuses changes without the token that it gave out last. A token is good for `uses` changes.
async fn sap(uses: u32) -> Server {
    let (issued, used) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    Server::start(move |seen: &Seen| {
        let header = |name, value: &str| (name, value.to_owned());
        let token = format!("token-{}", issued.load(Ordering::Relaxed));
        if seen.method == "GET" && seen.header("x-csrf-token") == Some("Fetch") {
            let next = issued.fetch_add(1, Ordering::Relaxed) + 1;
            used.store(0, Ordering::Relaxed);
            let headers = vec![
                ("x-csrf-token", format!("token-{next}")),
                header("set-cookie", "sap-usercontext=sap-client=100; path=/"),
                ("set-cookie", format!("SAP_SESSIONID=s{next}; HttpOnly; Secure")),
            ];
            return Reply::Answer(200, headers, "{}".to_owned());
        }
        let session = format!("sap-usercontext=sap-client=100; SAP_SESSIONID=s{}", issued.load(Ordering::Relaxed));
        let valid = seen.header("x-csrf-token") == Some(&token) && seen.header("cookie") == Some(&session);
        if seen.method == "GET" || valid && used.fetch_add(1, Ordering::Relaxed) < uses {
            return answer(204, "");
        }
        Reply::Answer(403, vec![header("x-csrf-token", "Required")], "CSRF token validation failed".to_owned())
    })
    .await
}

#[tokio::test]
async fn a_token_is_fetched_when_it_is_asked_for_kept_and_renewed() {
    let server = sap(2).await;
    let (side, connectors) = (side("odata", &server.url(), json!({})), local());
    for _ in 0..3 {
        assert_eq!(connectors.write(&side, &upsert(json!({"name": "Ada"}))).await, Ok(Applied::default()));
    }
    let wanted = [
        "PATCH", "GET", "PATCH", // asked for, fetched, written
        "PATCH", // kept
        "PATCH", "GET", "PATCH", // over, renewed
    ];
    assert_eq!(server.methods(), wanted);
    assert_eq!(server.seen()[1].path, "/data/");
}

#[tokio::test]
async fn an_app_that_gives_no_token_out_is_asked_once_and_the_write_was_not_applied() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => answer(200, "{}"),
        _ => Reply::Answer(403, vec![("x-csrf-token", "Required".to_owned())], String::new()),
    })
    .await;
    let side = side("odata", &server.url(), json!({}));
    let failure = local().write(&side, &upsert(json!({"name": "Ada"}))).await.unwrap_err();
    assert_eq!(failure.effect, CallEffect::NotApplied);
    assert_eq!(server.methods(), ["PATCH", "GET"]);
}

#[tokio::test]
async fn a_read_needs_no_token() {
    let server =
        Server::start(|_| Reply::Answer(403, vec![("x-csrf-token", "Required".to_owned())], String::new())).await;
    let side = side("odata", &server.url(), json!({}));
    assert!(local().read(&side, &address("C-1")).await.is_err());
    assert_eq!(server.methods(), ["GET"]);
}
