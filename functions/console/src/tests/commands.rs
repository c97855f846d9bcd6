//! Run, pause, resume and stop: asked before, and done to the maps as they were shown.

use app::ports::{ConfigStore, Role};
use axum::http::Method;
use domain::MapState;

use super::harness::{Browser, OWN_FORM};

async fn state(browser: &Browser, map: &str) -> MapState {
    browser.world.store.map(&map.parse().unwrap()).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_link_only_asks() {
    let admin = Browser::with_map(MapState::Running).await;
    let page = admin.get("/commands/pause?map=customers").await;
    page.says(&[
        "<h1>Pause customers?</h1>",
        "kept in order",
        "Undo: </strong>resume. Nothing is lost.",
        "name=\"reason\"",
        "required",
        "As a call of the API",
    ]);
    assert_eq!(state(&admin, "customers").await, MapState::Running);
}

#[tokio::test]
async fn a_map_is_paused_resumed_stopped_and_run_with_a_reason() {
    let operator = Browser::with_map(MapState::Running).await.as_role(Role::Operator, "ann").await;
    for (command, fields, wanted) in [
        ("pause", "reason=crm+release", MapState::Paused),
        ("resume", "reason=done&backlog=catch_up", MapState::CatchingUp),
        ("stop", "reason=no+more", MapState::Stopped),
        ("run", "reason=again", MapState::Running),
    ] {
        let (page, to) = (format!("/commands/{command}?map=customers"), format!("/commands/{command}"));
        let answer = operator.submit(&page, &to, fields).await;
        let back = format!("../maps/customers?done={command}");
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*back)), "{command}: {answer:?}");
        assert_eq!(state(&operator, "customers").await, wanted);
        operator.get(&back[2..]).await.says(&["Done: ", "<b>ann</b>"]);
    }
}

#[tokio::test]
async fn the_choices_of_a_resume_name_what_they_do() {
    let admin = Browser::with_map(MapState::Paused).await;
    let page = admin.get("/commands/resume?map=customers").await;
    page.says(&[
        "What becomes of the 0 queued writes?",
        "value=\"catch_up\" required checked",
        "value=\"discard\"",
        "90 days",
    ]);
    let wrong = admin.submit("/commands/resume?map=customers", "/commands/resume", "reason=x&backlog=burn").await;
    assert_eq!(wrong.status, 400);
    let skipped =
        admin.submit("/commands/resume?map=customers", "/commands/resume", "reason=x&backlog=skip_to_live").await;
    assert_eq!(skipped.status, 303);
    let map = admin.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    assert!(map.cut.is_some());
}

#[tokio::test]
async fn without_a_reason_the_question_comes_back_with_what_was_chosen() {
    let admin = Browser::with_map(MapState::Running).await;
    let answer = admin.submit("/commands/pause?map=customers", "/commands/pause", "reason=+").await;
    assert_eq!(answer.status, 400);
    answer.says(&["must say why", "aria-invalid=\"true\"", "<h1>Pause customers?</h1>"]);
    assert_eq!(state(&admin, "customers").await, MapState::Running);
}

#[tokio::test]
async fn a_map_that_changed_since_the_page_was_opened_is_left_alone() {
    let admin = Browser::with_map(MapState::Paused).await;
    let hidden = admin.get("/commands/resume?map=customers").await.hidden_of("commands/resume");
    let other = admin.as_role(Role::Operator, "ann").await;
    assert_eq!(other.submit("/commands/stop?map=customers", "/commands/stop", "reason=no+more").await.status, 303);
    let late = admin.send(Method::POST, "/commands/resume", &OWN_FORM, &format!("{hidden}&reason=x")).await;
    assert_eq!(late.status, 409);
    late.says(&[
        "Not done for every map",
        "somebody changed it after this page was opened",
        "cannot resume",
        "Stopped",
    ]);
    assert_eq!(state(&admin, "customers").await, MapState::Stopped);
}

#[tokio::test]
async fn several_maps_are_switched_together_and_those_that_cannot_are_told_apart() {
    let admin = Browser::with_map(MapState::Running).await;
    admin.add_map("orders", MapState::Running).await;
    admin.add_map("vendors", MapState::Stopped).await;
    admin.add_map("others", MapState::Running).await;
    let page = "/commands/pause?map=customers&map=orders&map=vendors";
    admin.get(page).await.says(&["<h1>Pause 2 maps?</h1>", "1 map cannot pause", "Pause 2 maps</button>"]);
    let answer = admin.submit(page, "/commands/pause", "reason=crm+release").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("../?done=pause")));
    for (map, wanted) in [
        ("customers", MapState::Paused),
        ("orders", MapState::Paused),
        ("vendors", MapState::Stopped),
        ("others", MapState::Running),
    ] {
        assert_eq!(state(&admin, map).await, wanted, "{map}");
    }
}

#[tokio::test]
async fn what_names_no_map_or_no_command_does_nothing() {
    let admin = Browser::with_map(MapState::Running).await;
    admin.get("/commands/pause").await.says(&["No map is chosen"]);
    for (path, status) in [
        ("/commands/delete?map=customers", 404),
        ("/commands/pause?map=none", 404),
        ("/commands/pause?map=A%20B", 400),
        (&*format!("/commands/pause?{}", "map=customers&".repeat(51)), 400),
    ] {
        assert_eq!(admin.get(path).await.status, status, "{path}");
    }
    let form = admin.get("/").await.hidden_of("sign-out");
    for body in ["reason=x", "reason=x&shown=customers", "reason=x&shown=customers+x", "reason=x&shown=+0"] {
        let answer = admin.send(Method::POST, "/commands/pause", &OWN_FORM, &format!("{form}&{body}")).await;
        assert_eq!(answer.status, 400, "{body}");
    }
    assert_eq!(state(&admin, "customers").await, MapState::Running);
}
