//! What the pages say.

use app::ports::{Queues, Role};
use domain::{EntryId, MapState};

use super::harness::Browser;

const EVIL: &str = "<script>alert(1)</script>";
const TAMED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;";

/// Lets six writes wait in the queue of `customers`.
async fn queue_six(browser: &Browser) {
    let map = app::ports::ConfigStore::map(&browser.world.store, &"customers".parse().unwrap()).await.unwrap().unwrap();
    let pointer = |seq: u64| app::ports::Pointer { key: "C-1".parse().unwrap(), seq, entry: EntryId(u128::from(seq)) };
    browser.world.queues.send(&map, &(1..=6).map(pointer).collect::<Vec<_>>()).await.unwrap();
}

#[tokio::test]
async fn without_a_map_the_overview_names_the_first_steps() {
    let admin = Browser::new().signed_in(super::harness::FIRST_ADMIN).await;
    admin.get("/").await.says(&["There is no map yet", "initial sync"]);
}

#[tokio::test]
async fn the_first_line_says_what_is_wrong_and_the_worst_comes_first() {
    let admin = Browser::with_map(MapState::Running).await;
    admin.get("/").await.says(&["<h1>Nothing is wrong", "since <time"]);

    admin.add_map("orders", MapState::CatchingUp).await;
    admin.get("/").await.says(&["<h1>orders is catching up."]);

    admin.add_map("vendors", MapState::Paused).await;
    admin.get("/").await.says(&[
        "<h1>vendors is paused, since",
        "<b>kim</b> paused vendors: crm release",
        "nothing is lost",
    ]);

    admin.add_incident("A business rule blocks all changes").await;
    let overview = admin.get("/").await;
    overview.says(&[
        "<h1>customers has errors: 10 errors from",
        "(8 min ago)",
        "crm says: “A business rule blocks all changes” (9 of 10).",
        "The alert setting <b>crm refuses</b> paused the map at",
        "Nobody has acknowledged it yet.",
    ]);
    let place = |text: &str| overview.text.find(text).unwrap();
    assert!(place("./maps/customers\"") < place("./maps/vendors\""), "those that need somebody come first");
    assert!(place("./maps/vendors\"") < place("./maps/orders\""));
}

#[tokio::test]
async fn the_overview_shows_what_waits_and_is_filtered_by_its_address() {
    let admin = Browser::with_map(MapState::Paused).await;
    admin.add_map("orders", MapState::Running).await;
    queue_six(&admin).await;
    admin.add_error(5, 1, "C-1", "no").await;
    let all = admin.get("/").await;
    all.says(&["6 writes wait", "2 maps", "<a href=\"./maps/customers/errors\">1</a>", "❚❚"]);
    let paused = admin.get("/?state=Paused").await;
    paused.says(&["1 map", "<option value=\"Paused\" selected>", "./maps/customers\""]);
    paused.does_not_say(&["./maps/orders\""]);
    admin.get("/?name=ord").await.does_not_say(&["value=\"customers\""]);
    admin.get("/?name=nothing").await.says(&["No map matches."]);
}

#[tokio::test]
async fn errors_are_shown_by_cause_and_then_one_by_one() {
    let admin = Browser::with_map(MapState::Running).await;
    for (minutes, unit, key) in [(1, 1, "C-1"), (2, 2, "C-2"), (3, 3, "C-3")] {
        admin.add_error(minutes, unit, key, "the rule blocks it").await;
    }
    admin.add_error(4, 4, "C-4", "another matter").await;
    let causes = admin.get("/maps/customers/errors").await;
    causes.says(&["2 causes", "<div class=\"big\">3</div>", "the rule blocks it", "another matter", "finance → crm"]);
    let link = causes
        .text
        .split("href=\"")
        .find(|link| link.starts_with("../../maps/customers/errors/list?fingerprint="))
        .unwrap();
    let list = admin.get(&link.split('"').next().unwrap()[5..]).await;
    list.says(&["C-1", "C-2", "C-3", "unresolved"]);
    list.does_not_say(&["C-4"]);
    let one = admin.get("/maps/customers/errors/list?key=C-2&class=application").await;
    one.says(&["C-2", "<option value=\"application\" selected>"]);
    one.does_not_say(&["<code>C-1</code>"]);
    let file = admin.get("/maps/customers/errors/download?format=csv&key=C-2").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"errors.csv\""));
    assert_eq!(file.text.lines().count(), 2);
}

#[tokio::test]
async fn a_long_list_comes_page_by_page_and_keeps_its_filter() {
    let admin = Browser::with_map(MapState::Running).await;
    for n in 0..120 {
        admin.add_error(n, u128::from(n), &format!("C-{n:03}"), "the same").await;
    }
    let (mut seen, mut path) = (Vec::new(), "/maps/customers/errors/list?class=application".to_owned());
    loop {
        let page = admin.get(&path).await;
        seen.extend(page.text.split("<code>C-").skip(1).map(|rest| rest[..3].to_owned()));
        assert!(seen.len() <= 120);
        let Some((before, _)) = page.text.split_once("\">Next page") else { break };
        let query = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
        assert!(query.contains("class=application"), "{query}");
        path = format!("/maps/customers/errors/list{query}");
    }
    let wanted: Vec<_> = (0..120).map(|n| format!("{n:03}")).collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn what_others_have_written_is_shown_and_never_run() {
    let admin = Browser::with_map(MapState::Running).await;
    admin.add_error(1, 1, "C-1", EVIL).await;
    admin.add_error(2, 2, "\"><img-src=x>", "no").await;
    admin.add_incident(EVIL).await;
    let operator = admin.as_role(Role::Operator, EVIL).await;
    operator.submit("/commands/pause?map=customers", "/commands/pause", &format!("reason={EVIL}")).await;
    for path in [
        "/",
        "/maps/customers",
        "/maps/customers/errors",
        "/maps/customers/errors/list",
        "/maps/customers/queue",
        "/commands/resume?map=customers",
        "/?name=%3Cscript%3Ealert(1)%3C/script%3E&state=%22%3E%3Cimg%20src=x%3E",
        "/maps/customers/errors?key=%22%3E%3Cimg-src=x%3E",
        "/maps/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/sign-in?to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let page = operator.get(path).await;
        page.does_not_say(&[EVIL, "\"><img", "<img"]);
        assert_eq!(page.text.matches("<script").count(), 1, "{path}");
    }
    operator.get("/maps/customers/errors").await.says(&[TAMED]);
    operator.get("/maps/customers").await.says(&[TAMED]);
}

#[tokio::test]
async fn no_page_is_large() {
    let admin = Browser::with_map(MapState::Paused).await;
    for n in 0..60 {
        admin.add_map(&format!("map-{n}"), MapState::Running).await;
        admin.add_error(n, u128::from(n), &format!("C-{n}"), &format!("cause {n}")).await;
    }
    let overview = admin.get("/").await;
    overview.says(&["61 maps", "the first 50 are shown"]);
    for path in ["/", "/maps/customers/errors", "/maps/customers/errors/list"] {
        let bytes = admin.get(path).await.text.len();
        assert!(bytes < 100 * 1024, "{path} has {bytes} bytes");
    }
}
