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
    for name in ["target", "leg"] {
        let query = format!("by={name}"); // `leg` is the deprecated name
        assert_eq!(by(&query).await, [("crm".to_owned(), 5, 4)], "{name}");
    }
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
async fn a_download_whose_time_is_up_says_where_the_rest_begins() {
    let api = Api::with_map().await;
    for n in 0..2_500_u64 {
        let class = if n % 2 == 0 { ErrorClass::Conflict } else { ErrorClass::Timeout };
        let error = sample::error(noon().plus_ms(n / 3), u128::from(n), &format!("C-{n}"), class);
        app::ports::AlertPorts::log(&*api.world).add_error(&LoggedError::new(error)).await.unwrap();
    }
    for format in ["jsonl", "csv"] {
        let (mut keys, mut path) = (Vec::new(), format!("/log/errors/download?format={format}"));
        for piece in 1..=3 {
            let file = api.get_until(&path, noon().plus_ms(1_000)).await;
            let mut lines: Vec<_> = file.text.lines().collect();
            let cut = if piece < 3 { lines.pop().unwrap() } else { "" };
            let errors = lines.into_iter().skip(usize::from(format == "csv"));
            keys.extend(errors.map(str::to_owned));
            assert_eq!(
                (keys.len(), cut.contains("cut") && cut.contains("ran out of time")),
                (1_000 * piece.min(2) + 500 * (piece / 3), piece < 3)
            );
            let before = cut.split("before=").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric));
            path = format!(
                "/log/errors/download?format={format}&before={}",
                before.into_iter().flatten().collect::<String>()
            );
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 2_500, "each error once");
    }
    let unhurried = api.get_until("/log/errors/download", noon().plus_ms(60_000)).await;
    assert_eq!(unhurried.text.lines().count(), 2_501);
}

#[tokio::test]
async fn a_page_begins_where_the_one_before_ended_though_errors_arrive() {
    let api = with_errors().await;
    let mut seen = Vec::new();
    let mut path = "/log/errors?limit=2".to_owned();
    for minute in 10.. {
        let page = api.get(&path).await.json();
        seen.extend(keys(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/log/errors?limit=2&before={next}");
        let newer = sample::error(noon().plus_ms(minute * 60_000), u128::from(minute), "C-9", ErrorClass::Application);
        app::ports::AlertPorts::log(&*api.world).add_error(&LoggedError::new(newer)).await.unwrap();
    }
    assert_eq!(seen, ["C-3", "C-2", "C-1", "C-1", "C-1"]);
}

#[tokio::test]
async fn counting_ends_after_so_many_lines_whether_they_match_or_not() {
    let api = Api::with_map().await;
    for n in 0..20_001_u64 {
        let key = if n == 0 { "rare" } else { "C-1" };
        let error = sample::error(noon().plus_ms(n), u128::from(n), key, ErrorClass::Conflict);
        app::ports::AlertPorts::log(&*api.world).add_error(&LoggedError::new(error)).await.unwrap();
    }
    let read = async |query: &str| {
        let before = api.world.log.reads();
        let told = api.get(&format!("/log/errors/groups?{query}")).await.json();
        (told["groups"].as_array().unwrap().len(), told["complete"] == true, api.world.log.reads() - before)
    };
    let (groups, complete, reads) = read("key=rare").await;
    assert_eq!((groups, complete), (0, false), "the oldest is out of sight");
    assert!(reads < 300, "{reads} reads for 20,000 lines");
    assert!(!read("by=record").await.1);
    let (groups, complete, _) = read("key=rare&until=2026-11-23T12:00:10Z").await;
    assert_eq!((groups, complete), (1, true));
}

#[tokio::test]
async fn an_operator_resolves_what_nothing_resolves_by_itself() {
    let api = with_errors().await;
    let because = json!({"reason": "the nightly batch was repeated"});
    let resolve = async |query: &str| api.post(&format!("/log/errors/resolve?{query}"), &because).await;
    resolve("class=timeout").await.is_problem(400, "invalid_request", "map: must be named");
    let nothing = api.post("/log/errors/resolve?map=customers", &json!({"reason": ""})).await;
    nothing.is_problem(400, "invalid_request", "reason");
    let viewer = api.as_role(app::ports::Role::Viewer).await;
    assert_eq!(viewer.post("/log/errors/resolve?map=customers", &because).await.status, 403);
    let query = "map=customers&key=C-1&until=2026-11-23T12:03:00Z";
    assert_eq!(resolve(query).await.json(), json!({"resolved": 2, "more": false}));
    assert_eq!(resolve(query).await.json(), json!({"resolved": 0, "more": false}));
    let resolved = api.get("/log/errors?resolved=true").await.json();
    assert_eq!(keys(&resolved), ["C-1", "C-1"]);
    let error = &resolved["errors"][0];
    assert_eq!((&error["resolved_by"], &error["resolved_at"]), (&json!("operator"), &json!(NOON)));
    let lines = api.get("/log/activity?map=customers").await.json();
    let [line] = &lines["lines"].as_array().unwrap()[..] else { panic!("one line, not {lines:#}") };
    assert_eq!((&line["actor"], &line["reason"]), (&json!("first-admin"), &because["reason"]));
    let what =
        json!({"kind": "errors_resolved", "count": 2, "filter": "key=C-1&map=customers&until=2026-11-23T12:03:00Z"});
    assert_eq!(line["what"], what);
}

#[tokio::test]
async fn the_logs_of_a_map_that_was_deleted_are_shown_with_the_others() {
    let api = with_errors().await;
    assert_eq!(api.send(axum::http::Method::DELETE, "/maps/customers", &[("if-match", "*")], None).await.status, 204);
    assert_eq!(api.get("/log/errors").await.json()["errors"], json!([]), "the stream has not told of it");
    for line in api.world.store.take_lines() {
        app::ports::AlertPorts::log(&*api.world).add_activity(&line).await.unwrap();
    }
    assert_eq!(keys(&api.get("/log/errors").await.json()).len(), 5);
    let lines = api.get("/log/activity").await.json();
    assert!(lines["lines"].as_array().unwrap().iter().any(|line| line["what"]["kind"] == "map_deleted"));
}

#[tokio::test]
async fn a_file_has_all_that_is_known_of_an_error() {
    let api = Api::with_map().await;
    let mut error = sample::error(noon(), 1, "C-1", ErrorClass::Application);
    error.happened_at = Some(noon().plus_ms(1));
    error.entry = Some(domain::EntryId(10));
    error.message = "refused".to_owned();
    let log = app::ports::AlertPorts::log(&*api.world);
    log.add_error(&LoggedError::new(error.clone())).await.unwrap();
    log.resolve_these(&error.map, &[(error.id, error.class)], noon().plus_ms(2), Resolved::Archived).await.unwrap();
    let file = api.get("/log/errors/download").await.text;
    let lines: Vec<_> = file.lines().map(|line| line.split(',').collect::<Vec<_>>()).collect();
    let view = &api.get("/log/errors").await.json()["errors"][0];
    let jsonl: Value = serde_json::from_str(&api.get("/log/errors/download?format=jsonl").await.text).unwrap();
    assert_eq!(view, &jsonl);
    for (name, value) in [
        ("happened_at", "2026-11-23T12:00:00.001Z"),
        ("entry", &*domain::EntryId(10).to_string()),
        ("resolved_at", "2026-11-23T12:00:00.002Z"),
        ("resolved_by", "archived"),
    ] {
        let column = lines[0].iter().position(|column| *column == name).unwrap();
        assert_eq!((lines[1][column], view[name].as_str()), (value, Some(value)), "{name}");
    }
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

#[tokio::test]
async fn what_could_not_be_logged_is_dismissed_with_a_reason_by_whom_the_log_names() {
    let admin = Api::with_map().await;
    let api = admin.as_role(app::ports::Role::Operator).await;
    for n in 0..3 {
        let at = noon().plus_ms(n);
        let id = domain::LogId::of(at, Order::Change(0), &[b"x"]);
        let (source, says) = (format!("L#m#k{n} / H"), "cannot be read".to_owned());
        let failed = app::ports::FailedEvent { id, at, source, says };
        app::ports::AlertPorts::log(&*api.world).add_failed(&failed).await.unwrap();
    }
    let first = api.get("/log/failed?limit=2").await.json();
    let (id, next) = (first["events"][1]["id"].as_str().unwrap(), first["next"].as_str().unwrap());
    assert_eq!((first["events"].as_array().unwrap().len(), &first["events"][1]["source"]), (2, &json!("L#m#k1 / H")));
    let rest = api.get(&format!("/log/failed?before={next}")).await.json();
    assert_eq!((&rest["events"][0]["source"], rest.get("next")), (&json!("L#m#k0 / H"), None));
    let path = format!("/log/failed/{id}/dismiss");
    api.post(&path, &json!({"reason": " "})).await.is_problem(400, "invalid_request", "reason");
    assert_eq!(api.post(&path, &json!({"reason": "written by hand"})).await.status, 204);
    api.post(&path, &json!({"reason": "again"})).await.is_problem(404, "failed_event_not_found", "");
    let left = api.get("/log/failed").await.json();
    let left: Vec<_> = left["events"].as_array().unwrap().iter().map(|event| &event["source"]).collect();
    assert_eq!(left, ["L#m#k2 / H", "L#m#k0 / H"]);
    let lines = api.get("/log/activity").await.json();
    let line = &lines["lines"][0];
    assert_eq!((&line["actor"], &line["reason"]), (&json!("the operator"), &json!("written by hand")));
    let what = json!({
        "kind": "failed_event_dismissed", "event": id, "source": "L#m#k1 / H", "says": "cannot be read",
    });
    assert_eq!(line["what"], what);
}
