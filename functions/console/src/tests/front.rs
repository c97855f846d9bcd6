//! Sign-in, sessions, foreign forms, roles, and the headers of every reply.

use app::{
    admin::sessions::{IDLE_MS, MAX_AGE_MS},
    ports::{PortError, Role, Tokens},
};
use axum::http::Method;
use domain::MapState;

use super::harness::{Browser, FIRST_ADMIN, OWN_FORM};
use crate::{http::headers::ALL, pages::PAGES};

fn concrete(path: &str) -> String {
    path.replace("{map}", "customers").replace("{command}", "pause").replace("{name}", "x")
}

#[tokio::test]
async fn who_is_not_signed_in_comes_to_the_sign_in_and_back() {
    let nobody = Browser::with_map(MapState::Running).await.with_cookie(None);
    let answer = nobody.get("/maps/customers/errors?class=timeout").await;
    let to = answer.header("location").unwrap().to_owned();
    assert_eq!((answer.status, &*to), (303, "../../sign-in?to=maps%2Fcustomers%2Ferrors%3Fclass%3Dtimeout"));
    let page = nobody.get(&format!("/{}", to.trim_start_matches("../"))).await;
    let hidden = page.hidden_of("sign-in");
    let answer = nobody.send(Method::POST, "/sign-in", &OWN_FORM, &format!("{hidden}&token={FIRST_ADMIN}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("./maps/customers/errors?class=timeout")));
}

#[tokio::test]
async fn the_sign_in_leads_nowhere_else() {
    let nobody = Browser::new();
    for to in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "..%2F..%2Fx", "%5C%5Cevil.example"] {
        let body = format!("to={to}&token={FIRST_ADMIN}");
        let answer = nobody.send(Method::POST, "/sign-in", &OWN_FORM, &body).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("./")), "{to}");
        nobody.get(&format!("/sign-in?to={to}")).await.does_not_say(&["evil.example"]);
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_and_opens_nothing() {
    let nobody = Browser::new();
    for token in ["tnd_wrong", "", "tns_x", "%00", &"x".repeat(300)] {
        let answer = nobody.send(Method::POST, "/sign-in", &OWN_FORM, &format!("token={token}")).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, None), "{token}");
        answer.says(&["Nobody has this token"]);
    }
    assert!(nobody.world.tokens.sessions().is_empty());
}

#[tokio::test]
async fn the_store_knows_a_session_by_its_hash_alone() {
    let admin = Browser::with_map(MapState::Running).await;
    let [stored] = &admin.world.tokens.sessions()[..] else { panic!("one session") };
    assert!(stored.len() == 64 && !stored.contains("tns_"));
    // A secret that was read from the table opens nothing, and neither does a token.
    for cookie in [format!("__Host-tandem={stored}"), format!("__Host-tandem={FIRST_ADMIN}")] {
        assert_eq!(admin.with_cookie(Some(cookie)).get("/").await.status, 303);
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_a_shift() {
    let idle = Browser::with_map(MapState::Running).await;
    idle.world.pass_ms(IDLE_MS - 1);
    assert_eq!(idle.get("/").await.status, 200);
    idle.world.pass_ms(IDLE_MS - 1);
    assert_eq!(idle.get("/").await.status, 200, "it was used in the meantime");
    idle.world.pass_ms(IDLE_MS);
    assert_eq!(idle.get("/").await.status, 303);

    let busy = Browser::with_map(MapState::Running).await;
    for _ in 0..MAX_AGE_MS / (IDLE_MS / 2) - 1 {
        busy.world.pass_ms(IDLE_MS / 2);
        assert_eq!(busy.get("/").await.status, 200);
    }
    busy.world.pass_ms(IDLE_MS / 2);
    assert_eq!(busy.get("/").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_with_the_sign_out() {
    let admin = Browser::with_map(MapState::Running).await;
    let operator = admin.as_role(Role::Operator, "ann").await;
    assert_eq!(operator.get("/").await.status, 200);
    assert_eq!(admin.world.tokens.delete_token("id-operator").await, Ok(true));
    assert_eq!(operator.get("/").await.status, 303, "the token was taken back");

    let answer = admin.submit("/", "/sign-out", "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("./sign-in")));
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(admin.get("/").await.status, 303, "the cookie of before opens nothing");
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let admin = Browser::with_map(MapState::Running).await;
    let hidden = admin.get("/commands/pause?map=customers").await.hidden_of("commands/pause");
    let body = format!("{hidden}&reason=x");
    let form = "application/x-www-form-urlencoded";
    for headers in [
        &[("content-type", form), ("sec-fetch-site", "cross-site")][..],
        &[("content-type", form), ("sec-fetch-site", "same-site")],
        &[("content-type", form), ("origin", "https://evil.example")],
        &[("content-type", form), ("origin", "null")],
        &[("content-type", "text/plain"), ("sec-fetch-site", "same-origin")],
    ] {
        let answer = admin.send(Method::POST, "/commands/pause", headers, &body).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        answer.says(&["Nothing was changed"]);
    }
    let other = admin.as_role(Role::Operator, "ann").await.get("/commands/pause?map=customers").await;
    let without_token = "shown=customers+0&reason=x".to_owned();
    for body in [without_token, format!("{}&reason=x", other.hidden_of("commands/pause"))] {
        assert_eq!(admin.send(Method::POST, "/commands/pause", &OWN_FORM, &body).await.status, 403, "{body}");
    }
    admin.get("/maps/customers").await.says(&["Running"]);
    // Browsers that say nothing of their own are held by the token alone; the sign-in has none yet.
    let silent = [("content-type", form)];
    assert_eq!(admin.send(Method::POST, "/commands/pause", &silent, &body).await.status, 303);
    let signing_in = format!("token={FIRST_ADMIN}");
    assert_eq!(admin.send(Method::POST, "/sign-in", &silent, &signing_in).await.status, 403);
    let own = [("content-type", form), ("origin", "https://console.example")];
    assert_eq!(admin.send(Method::POST, "/sign-in", &own, &signing_in).await.status, 303);
}

#[tokio::test]
async fn a_role_opens_what_it_is_for_and_sees_no_button_for_more() {
    let admin = Browser::with_map(MapState::Running).await;
    for role in Role::ALL {
        let person = admin.as_role(role, "somebody").await;
        let token = person.get("/").await.hidden_of("sign-out");
        for page in PAGES.iter().filter(|page| page.path != "/sign-out") {
            let answer = person.send(page.method.clone(), &concrete(page.path), &OWN_FORM, &token).await;
            let may = page.role.is_none_or(|needs| needs <= role);
            assert_eq!(answer.status != 403, may, "{role:?} {} {}", page.method, page.path);
        }
        let overview = person.get("/").await;
        let map = person.get("/maps/customers").await;
        assert_eq!(overview.text.contains("commands/"), role >= Role::Operator);
        assert_eq!(map.text.contains("commands/"), role >= Role::Operator);
    }
}

#[tokio::test]
async fn who_only_looks_can_neither_ask_for_a_command_nor_give_one() {
    let viewer = Browser::with_map(MapState::Running).await.as_role(Role::Viewer, "eve").await;
    let token = viewer.get("/").await.hidden_of("sign-out");
    for method in [Method::GET, Method::POST] {
        let body = format!("{token}&shown=customers+0&reason=x");
        assert_eq!(viewer.send(method, "/commands/pause?map=customers", &OWN_FORM, &body).await.status, 403);
    }
    viewer.get("/maps/customers").await.says(&["Running"]);
}

#[tokio::test]
async fn every_reply_is_strict_and_pages_are_not_kept() {
    let admin = Browser::with_map(MapState::Running).await;
    for (path, status) in [
        ("/", 200),
        ("/sign-in", 200),
        ("/nothing", 404),
        ("/maps/none", 404),
        ("/maps/customers?before=x", 400),
        ("/assets/x", 404),
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        for (name, value) in ALL {
            assert_eq!(answer.headers.get(&name), Some(&value), "{path}");
        }
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        // The policy forbids it, and so nothing may need it.
        answer.does_not_say(&["style=", "<style", "onclick", "javascript:", "http://", "https://"]);
        assert_eq!(answer.text.matches("<script").count(), 1, "{path}");
    }
    let policy = admin.get("/").await.header("content-security-policy").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("data:"));
}

#[tokio::test]
async fn the_assets_are_kept_for_ever_under_the_name_of_their_content() {
    let page = Browser::new().get("/sign-in").await;
    for ending in ["css", "js", "svg"] {
        let name = page.text.split('"').find(|text| text.ends_with(&format!(".{ending}"))).unwrap();
        let answer = Browser::new().get(name.trim_start_matches('.')).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.header("cache-control").unwrap().contains("immutable"));
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_without_its_words() {
    let admin = Browser::with_map(MapState::Running).await;
    admin.world.tokens.fail(Some(PortError::Transient("table-9 is throttled".to_owned())));
    let answer = admin.get("/").await;
    assert_eq!(answer.status, 503);
    answer.does_not_say(&["table-9"]);
}
