//! What happens before a handler: routes, tokens, roles, bodies.

use app::ports::{PortError, Role};
use axum::http::Method;
use serde_json::json;

use super::harness::{Api, FIRST_ADMIN, side_config};
use crate::{http::extract::MAX_BODY_BYTES, routes::ROUTES};

fn concrete(path: &str) -> String {
    path.replace("{side}", "x").replace("{map}", "x").replace("{token}", "x")
}

#[tokio::test]
async fn health_and_the_document_need_no_token() {
    let nobody = Api::new().with_token(None);
    assert_eq!(nobody.get("/healthz").await.json(), json!({"status": "ok"}));
    assert_eq!(nobody.get("/openapi.json").await.status, 200);
    assert_eq!(nobody.send(Method::HEAD, "/healthz", &[], None).await.status, 200);
}

#[tokio::test]
async fn every_other_route_wants_a_token_before_it_reads_anything() {
    let api = Api::new();
    for token in [
        None,
        Some("tnd_unknown"),
        Some("nonsense"),
        Some(""),
        Some("tnd_"),
        Some(&*format!("tnd_{}", "x".repeat(200))),
    ] {
        for route in ROUTES.iter().filter(|route| route.role.is_some()) {
            let malformed = Some("{".to_owned());
            let answer = api.with_token(token).send(route.method.clone(), &concrete(route.path), &[], malformed).await;
            assert_eq!(answer.status, 401, "{} {} with {token:?}", route.method, route.path);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"tandem\""));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

#[tokio::test]
async fn only_the_bearer_scheme_is_known() {
    let api = Api::new().with_token(None);
    for (value, status) in [
        (format!("Bearer {FIRST_ADMIN}"), 200),
        (format!("bearer  {FIRST_ADMIN}"), 200),
        (format!("Basic {FIRST_ADMIN}"), 401),
        (FIRST_ADMIN.to_owned(), 401),
        ("Bearer".to_owned(), 401),
    ] {
        let answer = api.send(Method::GET, "/sides", &[("authorization", &value)], None).await;
        assert_eq!(answer.status, status, "{value}");
    }
}

#[tokio::test]
async fn a_role_opens_what_it_is_for_and_nothing_more() {
    let api = Api::new();
    for role in Role::ALL {
        let caller = api.as_role(role).await;
        for route in &ROUTES {
            let answer = caller.send(route.method.clone(), &concrete(route.path), &[], None).await;
            match route.role.filter(|needs| *needs > role) {
                None => {
                    assert!(answer.status != 401 && answer.status != 403, "{role:?} {} {}", route.method, route.path)
                }
                Some(needs) => {
                    answer.is_problem(403, "forbidden", &format!("Authorization: needs the role {}", needs.as_str()));
                }
            }
        }
    }
}

#[tokio::test]
async fn who_may_do_what_is_written_down_here_once_more() {
    let needs = |method: Method, path: &str| ROUTES.iter().find(|r| r.method == method && r.path == path).unwrap().role;
    for (method, path, role) in [
        (Method::GET, "/healthz", None),
        (Method::GET, "/openapi.json", None),
        (Method::GET, "/tokens", Some(Role::Admin)),
        (Method::POST, "/tokens", Some(Role::Admin)),
        (Method::DELETE, "/tokens/{token}", Some(Role::Admin)),
        (Method::PUT, "/sides/{side}", Some(Role::Admin)),
        (Method::DELETE, "/sides/{side}", Some(Role::Admin)),
        (Method::PUT, "/maps/{map}", Some(Role::Admin)),
        (Method::DELETE, "/maps/{map}", Some(Role::Admin)),
        (Method::POST, "/config/apply", Some(Role::Admin)),
        (Method::POST, "/sides/{side}/test", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/run", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/stop", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/pause", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/resume", Some(Role::Operator)),
        (Method::POST, "/commands/{command}", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/entries", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/errors/retry-all", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/errors/hold-all", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/archive/{id}/recover", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/archive/recover-all", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/conflicts/{id}/reverse", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/syncs", Some(Role::Operator)),
        (Method::POST, "/syncs", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/syncs/check", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/syncs/{run}/deletions/{decision}", Some(Role::Operator)),
        (Method::POST, "/maps/{map}/syncs/{run}/{command}", Some(Role::Operator)),
        (Method::POST, "/log/failed/{event}/dismiss", Some(Role::Operator)),
        (Method::PUT, "/rules/{rule}", Some(Role::Operator)),
        (Method::DELETE, "/rules/{rule}", Some(Role::Operator)),
        (Method::POST, "/rules/{rule}/test", Some(Role::Operator)),
        (Method::PUT, "/groups/{group}", Some(Role::Operator)),
        (Method::DELETE, "/groups/{group}", Some(Role::Operator)),
        (Method::POST, "/incidents/{incident}/acknowledge", Some(Role::Operator)),
        (Method::DELETE, "/mail/flagged/{address}", Some(Role::Operator)),
    ] {
        assert_eq!(needs(method.clone(), path), role, "{method} {path}");
    }
    assert_eq!(ROUTES.iter().filter(|route| route.role == Some(Role::Viewer)).count(), 35, "the others only look");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::new();
    for path in ["/", "/nothing", "/sides/", "/sides/x/y/z", "/healthz/", "/SIDES"] {
        api.get(path).await.is_problem(404, "unknown_route", "");
    }
    for (method, path, allow) in [
        (Method::POST, "/sides", "GET"),
        (Method::PATCH, "/sides/x", "GET, PUT, DELETE"),
        (Method::DELETE, "/healthz", "GET"),
        (Method::OPTIONS, "/tokens", "GET, POST"),
        (Method::GET, "/maps/x/run", "POST"),
    ] {
        let answer = api.send(method, path, &[], None).await;
        answer.is_problem(405, "method_not_allowed", "");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn a_body_must_be_of_a_kind_that_is_read() {
    let api = Api::with_map().await;
    for kind in ["text/plain", "application/xml", "", "application/jsonx"] {
        let answer =
            api.send(Method::PUT, "/sides/x", &[("content-type", kind)], Some(side_config().to_string())).await;
        answer.is_problem(415, "unsupported_media_type", "Content-Type: must be application/json");
        let answer = api.send(Method::POST, "/config/plan", &[("content-type", kind)], Some("{}".to_owned())).await;
        answer.is_problem(415, "unsupported_media_type", "Content-Type: must be application/json or application/yaml");
        let answer = api.send(Method::POST, "/sides/crm/test", &[("content-type", kind)], Some("{}".to_owned())).await;
        answer.is_problem(415, "unsupported_media_type", "Content-Type");
    }
    let charset = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(api.send(Method::PUT, "/sides/x", &charset, Some(side_config().to_string())).await.status, 201);
    api.send(Method::PUT, "/sides/x", &[], Some("{}".to_owned())).await.is_problem(415, "unsupported_media_type", "");
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let api = Api::new();
    let mut config = side_config();
    config["connector"]["base_url"] = json!("x".repeat(MAX_BODY_BYTES));
    api.put("/sides/x", &config).await.is_problem(413, "body_too_large", "body: has more than 1048576 bytes");
}

#[tokio::test]
async fn every_mistake_in_a_body_is_named_with_its_field() {
    let api = Api::new();
    let kind = [("content-type", "application/json")];
    for (body, says) in [
        ("", "body: EOF"),
        ("{", "body: EOF"),
        ("[1]", "body: must be an object"),
        ("7", "body: invalid type"),
        ("nonsense", "body: expected"),
        ("{} {}", "body: missing field `connector`"),
        (r#"{"connector": {"kind": "odata", "base_url": "https://x/"}} x"#, "body: trailing characters"),
        (r#"{"connector": {"kind": "soap", "base_url": "https://x/"}}"#, "connector.kind: unknown variant `soap`"),
        (r#"{"connector": {"kind": "odata", "base_url": 7}}"#, "connector.base_url: invalid type"),
        (r#"{"connector": {"kind": "odata"}}"#, "connector: missing field `base_url`"),
        (
            r#"{"connector": {"kind": "odata", "base_url": "https://x/", "colour": 1}}"#,
            "connector.colour: unknown field",
        ),
        (r#"{"connector": {"kind": "odata", "base_url": "https://x/"}, "capabilty": 1}"#, "capabilty: unknown field"),
        (
            r#"{"connector": {"kind": "odata", "base_url": "https://x/", "auth": {"kind": "api_key", "header": "k", "secret": "hunter2"}}}"#,
            "connector.auth: must be a reference",
        ),
        (
            r#"{"connector": {"kind": "odata", "base_url": "ftp://x/"}, "connect_timeout_ms": 1}"#,
            "connector.base_url: must be an http(s) URL",
        ),
    ] {
        let answer = api.send(Method::PUT, "/sides/x", &kind, Some(body.to_owned())).await;
        answer.is_problem(400, "invalid_request", says);
        assert!(!answer.text.contains("hunter2"), "a secret is not repeated");
    }
    assert_eq!(api.get("/sides").await.json(), json!({"sides": []}), "nothing was written");
}

#[tokio::test]
async fn a_name_in_the_path_is_checked() {
    let api = Api::new();
    for path in ["/sides/Finance", "/sides/-x", "/sides/a%20b", "/sides/%C3%A4", &format!("/sides/{}", "x".repeat(64))]
    {
        api.get(path).await.is_problem(400, "invalid_request", "side: must be 1 to 63 characters");
    }
    api.get("/maps/a%2Fb").await.is_problem(400, "invalid_request", "map: ");
    api.get("/maps/%FF").await.is_problem(400, "invalid_request", "path: is not UTF-8");
}

#[tokio::test]
async fn a_store_that_fails_is_told_apart_from_a_mistake_and_its_words_stay_inside() {
    let api = Api::new();
    api.world.tokens.fail(Some(PortError::Transient("table tandem-x throttled".into())));
    let answer = api.with_token(Some("tnd_other")).get("/sides").await;
    answer.is_problem(503, "unavailable", "");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.text.contains("tandem-x"));
    assert_eq!(api.get("/sides").await.status, 200, "the first admin's token is not looked up");
}
