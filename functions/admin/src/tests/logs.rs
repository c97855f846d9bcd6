//! The logs: errors, their groups and downloads, and the activity of maps.

use app::ports::Log;
use domain::{
    ErrorClass, RecordKey, Timestamp,
    log::{LogEvent, LoggedError, Order, Resolution, Resolved},
};
use serde_json::{Value, json};
use testkit::sample;

use super::harness::{Api, NOON};

fn noon() -> Timestamp {
    Timestamp::parse(NOON).unwrap()
}

/// Errors: three of C-1, one of C-2 with a formula for a message, one time-out of C-3.
async fn with_errors() -> Api {
    let api = Api::with_map().await;
    for (minute, unit, key, class) in [
        (1, 1, "C-1", ErrorClass::Application),
        (2, 1, "C-1", ErrorClass::Application),
        (3, 2, "C-1", ErrorClass::Application),
        (4, 3, "C-2", ErrorClass::Application),
        (5, 4, "C-3", ErrorClass::Timeout),
    ] {
        let mut error = sample::error(noon().plus_ms(minute * 60_000), unit, key, class);
        if key == "C-2" {
            error.message = "=cmd|'/c calc'!A0".to_owned();
        }
        assert_eq!(app::ports::AlertPorts::log(&*api.world).add_error(&LoggedError::new(error)).await, Ok(true));
    }
    api
}

fn keys(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn errors_are_listed_newest_first_and_filtered() {
    let api = with_errors().await;
    let all = api.get("/log/errors").await.json();
    assert_eq!(keys(&all), ["C-3", "C-2", "C-1", "C-1", "C-1"]);
    for (query, wanted) in [
        ("class=timeout", &["C-3"][..]),
        ("key=C-2", &["C-2"]),
        ("to=finance", &[]),
        ("map=customers&class=application&key=C-1", &["C-1", "C-1", "C-1"]),
        ("from=2026-11-23T12:04:00Z", &["C-3", "C-2"]),
        ("until=2026-11-23T12:02:00Z", &["C-1"]),
        ("resolved=true", &[]),
    ] {
        assert_eq!(keys(&api.get(&format!("/log/errors?{query}")).await.json()), wanted, "{query}");
    }
    let fingerprint = all["errors"][4]["fingerprint"].as_str().unwrap();
    let alike = api.get(&format!("/log/errors?fingerprint={fingerprint}")).await.json();
    assert_eq!(keys(&alike), ["C-1", "C-1", "C-1"]);
    for wrong in ["class=applicaton", "from=yesterday", "limit=0", "fingerprint=x", "map=A", "what=x", "until=1"] {
        let field = wrong.split('=').next().unwrap();
        api.get(&format!("/log/errors?{wrong}")).await.is_problem(400, "invalid_request", field);
    }
}

#[tokio::test]
async fn pages_have_every_error_once_whatever_their_size() {
    let api = with_errors().await;
    for limit in 1..=6 {
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = api.get(&format!("/log/errors?limit={limit}{next}")).await.json();
            let of_page = page["errors"].as_array().unwrap();
            assert!(of_page.len() <= limit);
            seen.extend(of_page.iter().map(|error| error["id"].as_str().unwrap().to_owned()));
            let Some(before) = page["next"].as_str() else { break };
            next = format!("&before={before}");
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!((seen.len(), once.len()), (5, 5), "pages of {limit}");
        assert!(seen.is_sorted_by(|one, other| one > other));
    }
}

#[tokio::test]
async fn counts_lead_from_maps_to_records() {
    let api = with_errors().await;
    let groups = |answer: Value| -> Vec<(String, u64, u64)> {
        let groups = answer["groups"].as_array().unwrap().clone();
        let number = |group: &Value, name: &str| group[name].as_u64().unwrap();
        let told = |group: &Value| {
            (group["value"].as_str().unwrap().to_owned(), number(group, "count"), number(group, "writes"))
        };
        groups.iter().map(told).collect()
    };
    let by = async |query: &str| groups(api.get(&format!("/log/errors/groups?{query}")).await.json());
    assert_eq!(by("by=map").await, [("customers".to_owned(), 5, 4)]);
    assert_eq!(by("by=leg").await, [("crm".to_owned(), 5, 4)]);
    assert_eq!(by("by=class").await, [("application".to_owned(), 4, 3), ("timeout".to_owned(), 1, 1)]);
    let messages = by("by=message&class=application").await;
    assert_eq!((messages.len(), messages[0].1, messages[0].2), (2, 3, 2), "attempts of one write are one write");
    let records = by(&format!("by=record&fingerprint={}", messages[0].0)).await;
    assert_eq!(records, [("C-1".to_owned(), 3, 2)]);
}

#[tokio::test]
async fn an_error_is_resolved_by_a_later_write_of_its_record() {
    let api = with_errors().await;
    let (map, key): (_, RecordKey) = ("customers".parse().unwrap(), "C-1".parse().unwrap());
    let at = noon().plus_ms(150_000);
    let over = Resolution { map, key, at, how: Resolved::Written, last: Vec::new() };
    assert_eq!(app::ports::AlertPorts::log(&*api.world).resolve(&over).await, Ok(2));
    assert_eq!(keys(&api.get("/log/errors?resolved=true").await.json()), ["C-1", "C-1"]);
    assert_eq!(keys(&api.get("/log/errors?resolved=false").await.json()), ["C-3", "C-2", "C-1"]);
}

#[tokio::test]
async fn a_download_is_complete_and_safe_to_be_opened() {
    let api = with_errors().await;
    let file = api.get("/log/errors/download?format=csv").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"errors.csv\""));
    let lines: Vec<_> = file.text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 5 + 1, "a header, five errors, nothing behind them");
    assert!(lines[2].contains("\"'=cmd|'/c calc'!A0\""), "{}", lines[2]);
    let file = api.get("/log/errors/download?format=jsonl&class=timeout").await;
    assert_eq!(file.header("content-type"), Some("application/x-ndjson"));
    let line: Value = serde_json::from_str(file.text.trim_end()).unwrap();
    assert_eq!((&line["key"], &line["class"]), (&json!("C-3"), &json!("timeout")));
    api.get("/log/errors/download?format=xml").await.is_problem(400, "invalid_request", "format: must be csv or jsonl");
}

#[tokio::test]
async fn a_download_of_more_than_a_page_has_all_of_it() {
    let api = Api::with_map().await;
    for n in 0..2_500_u64 {
        let error = sample::error(noon().plus_ms(n / 3), u128::from(n), &format!("C-{n}"), ErrorClass::Conflict);
        app::ports::AlertPorts::log(&*api.world).add_error(&LoggedError::new(error)).await.unwrap();
    }
    let file = api.get("/log/errors/download?format=jsonl").await;
    let keys: std::collections::BTreeSet<_> = file.text.lines().map(|line| line.to_owned()).collect();
    assert_eq!((file.text.lines().count(), keys.len()), (2_500, 2_500));
}

#[tokio::test]
async fn every_change_of_a_map_is_a_line_with_who_and_why() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &json!({"reason": "go-live"})).await.json();
    api.post("/maps/customers/pause", &json!({"reason": "crm is down"})).await.json();
    let mut config = api.get("/maps/customers").await.json()["config"].clone();
    config["crossing_window_ms"] = json!(1_000);
    assert_eq!(api.put_if("/maps/customers", "*", &config).await.status, 200);
    api.post("/maps/customers/stop", &json!({"reason": "enough"})).await.json();
    for line in api.world.store.take_lines() {
        app::ports::AlertPorts::log(&*api.world).add_activity(&line).await.unwrap();
    }
    let told = api.get("/log/activity?map=customers").await.json();
    let mut lines: Vec<_> =
        told["lines"].as_array().unwrap().iter().filter(|line| line["map"] == "customers").collect();
    lines.sort_by_key(|line| line["what"]["epoch"].as_u64()); // the clock of this world stands still
    let states: Vec<_> = lines
        .iter()
        .filter(|line| line["what"]["kind"] == "state_changed")
        .map(|line| (&line["what"]["from"], &line["what"]["to"], &line["reason"], &line["actor"], &line["cause"]))
        .map(|(from, to, reason, actor, cause)| [from, to, reason, actor, cause].map(|text| text.as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ["NotRunning", "Running", "go-live", "first-admin", "operator"],
            ["Running", "Paused", "crm is down", "first-admin", "operator"],
            ["Paused", "Stopped", "enough", "first-admin", "operator"],
        ]
    );
    let changed = lines.iter().find(|line| line["what"]["kind"] == "map_changed").unwrap();
    let change = &changed["what"]["changes"][0];
    assert_eq!((&change["path"], &change["to"]), (&json!("crossing_window_ms"), &json!(1_000)));
    assert!(lines.iter().any(|line| line["what"]["kind"] == "map_created"));
    let sides = told["lines"].as_array().unwrap().iter().filter(|line| line["what"]["kind"] == "side_changed");
    assert_eq!(sides.count(), 2, "what concerns all maps is told with each of them");
}

#[tokio::test]
async fn what_an_operator_does_to_entries_is_logged_with_it() {
    let api = Api::with_map().await;
    assert!(api.world.lanes.take_log().is_empty());
    let said = |events: Vec<LogEvent>| -> Vec<String> {
        let lines = events.into_iter().filter_map(|event| match event {
            LogEvent::Activity(line) => Some(serde_json::to_value(line.what).unwrap()["command"].to_string()),
            LogEvent::Error(_) | LogEvent::Resolved(_) => None,
        });
        lines.collect()
    };
    super::entries::with_lane(&api, "C-1", &["Ada"], true).await;
    let command = json!({"command": "note", "entries": [{"key": "C-1", "seq": 1}], "reason": "asked sales"});
    assert_eq!(api.post("/maps/customers/entries", &command).await.json()["results"][0]["done"], true);
    assert_eq!(said(api.world.lanes.take_log()), ["\"note\""]);
}

#[tokio::test]
async fn what_could_not_be_logged_is_shown() {
    let api = Api::with_map().await;
    let at = noon();
    let id = domain::LogId::of(at, Order::Change(0), &[b"x"]);
    let failed =
        app::ports::FailedEvent { id, at, source: "L#m#k / H".into(), says: "the outbox cannot be read".into() };
    app::ports::AlertPorts::log(&*api.world).add_failed(&failed).await.unwrap();
    let told = api.get("/log/failed").await.json();
    assert_eq!((&told["events"][0]["source"], &told["events"][0]["at"]), (&json!("L#m#k / H"), &json!(NOON)));
    assert_eq!(told["batches"], 3);
}
