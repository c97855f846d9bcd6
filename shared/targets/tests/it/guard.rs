//! Hosts and addresses that are not called.

use app::ports::Apps;
use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;
use targets::{Connectors, Guard};

use crate::{
    server::{Server, answer},
    setup::{Store, delete, side, sort},
};

async fn refusal(hosts: &[&str], allow_private: bool, base_url: &str, auth: serde_json::Value) -> String {
    let apps = Connectors::new(Guard::new(hosts, allow_private).unwrap(), Store::with(&["s3cret"])).unwrap();
    let failure = apps.write(&side("odata", base_url, json!({"auth": auth})), &delete()).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Network, CallEffect::NotApplied), "{failure:?}");
    failure.message
}

#[tokio::test]
async fn a_listed_name_that_leads_to_our_own_machine_is_refused_when_connecting() {
    let server = Server::start(|_| answer(204, "")).await;
    let none = json!({"kind": "none"});
    let url = format!("https://localhost:{}/", server.port);
    let says = refusal(&["localhost"], false, &url, none.clone()).await;
    assert_eq!(says, "`localhost` is not called: its address is loopback");

    for (url, wanted) in [
        (format!("https://127.0.0.1:{}/", server.port), "loopback"),
        (format!("https://[::1]:{}/", server.port), "loopback"),
        (format!("https://[::ffff:127.0.0.1]:{}/", server.port), "loopback"),
        ("https://169.254.169.254/latest/".to_owned(), "link-local"),
        ("https://10.0.0.1/".to_owned(), "private"),
        (format!("http://localhost:{}/", server.port), "only https"),
        ("https://erp.example/".to_owned(), "not on the list"),
    ] {
        let says = refusal(&["localhost", "127.0.0.1"], false, &url, none.clone()).await;
        assert!(says.contains(wanted), "{url}: {says}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn local_mode_calls_names_that_lead_to_this_machine() {
    let server = Server::start(|_| answer(204, "")).await;
    let apps = Connectors::new(Guard::new([""; 0], true).unwrap(), Store::default()).unwrap();
    let url = format!("http://localhost:{}/", server.port);
    apps.write(&side("odata", &url, json!({})), &delete()).await.unwrap();
    let says = refusal(&[], true, "http://169.254.169.254/latest/", json!({"kind": "none"})).await;
    assert!(says.contains("link-local"), "{says}");
}

#[tokio::test]
async fn tokens_are_asked_for_behind_the_same_guard() {
    let server = Server::start(|_| answer(204, "")).await;
    let auth = json!({"kind": "oauth2", "token_url": "http://169.254.169.254/token", "client_id": "x",
        "secret": "ssm:/key"});
    let says = refusal(&[], true, &server.url(), auth).await;
    assert!(says.contains("no token") && says.contains("169.254.169.254") && says.contains("link-local"), "{says}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn no_secret_is_read_for_a_host_that_is_not_allowed() {
    let store = Store::with(&["s3cret"]);
    let apps = Connectors::new(Guard::new(["erp.example"], false).unwrap(), store.clone()).unwrap();
    let auth = json!({"auth": {"kind": "basic", "user": "u", "secret": "ssm:/key"}});
    apps.write(&side("odata", "https://evil.test/", auth), &delete()).await.unwrap_err();
    assert_eq!(store.reads(), 0);
}
