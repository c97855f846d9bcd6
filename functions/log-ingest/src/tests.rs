//! Golden events: the same files that `cargo lambda invoke --data-file` takes.

use std::{path::PathBuf, sync::Arc};

use app::ports::{Log, Ports};
use domain::{
    ErrorClass,
    log::{LogEvent, Resolution, Resolved},
    side::Capability,
};
use lambda_http::{Request, request::LambdaRequest};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::{config::Config, stream, url};

fn event(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn world() -> Arc<SimWorld> {
    SimWorld::new(1, sample::running(Capability::Idempotent))
}

#[tokio::test]
async fn a_batch_is_logged_and_what_cannot_be_read_is_put_aside() {
    let world = world();
    let event = event("log-ingest-stream.json");
    for time in 1..=3 {
        assert_eq!(stream::handle(&*world, &event).await, json!({"batchItemFailures": []}), "delivered {time} times");
    }
    let errors = world.log.all_errors();
    let classes: Vec<_> = errors.iter().map(|error| error.event.class).collect();
    assert_eq!(classes, [ErrorClass::Application, ErrorClass::Timeout], "each once, though delivered three times");
    assert_eq!(world.log.all_activities().len(), 1);
    let failed = world.log.failed(None, 10).await.unwrap();
    assert!(failed.iter().all(|failed| failed.source == "L#customers#C-2 / H"), "{failed:?}");
    let published = world.events.take();
    assert_eq!((published[0].source, published[0].kind), ("tandem.map", "Map State Changed"));
}

#[tokio::test]
async fn a_batch_that_cannot_be_stored_comes_again_from_where_it_failed() {
    let world = world();
    world.log.set_failing(1_000);
    let told = stream::handle(&*world, &event("log-ingest-stream.json")).await;
    assert_eq!(told, json!({"batchItemFailures": [{"itemIdentifier": "100000000"}]}));
    world.log.set_failing(0);
    assert_eq!(stream::handle(&*world, &event("log-ingest-stream.json")).await, json!({"batchItemFailures": []}));
    assert_eq!(world.log.all_errors().len(), 2);
    assert_eq!(stream::handle(&*world, &json!({"Records": [{"dynamodb": 1}]})).await, json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn errors_and_their_end_in_one_batch_are_resolved_though_the_index_lags() {
    let world = world();
    world.log.set_index_lags(true);
    let at = world.now();
    let errors: Vec<_> = (0..6).map(|n| sample::error(at, n, "C-1", ErrorClass::Application)).collect();
    let other = sample::error(at, 9, "C-2", ErrorClass::Application);
    let last = errors[2..].iter().map(|error| (error.id, error.class)).collect();
    let (map, key) = (errors[0].map.clone(), errors[0].key.clone().unwrap());
    let over = Resolution { map, key, at, how: Resolved::Written, last };
    let all = errors.into_iter().chain([other]).map(|error| LogEvent::Error(Box::new(error)));
    let events: Vec<_> = all.chain([LogEvent::Resolved(over)]).collect();
    let done = app::ingest::ingest(&*world, &events).await.unwrap();
    assert_eq!(done.resolved, 6, "the head named but four of them");
    let open = world.log.all_errors().into_iter().filter(|error| error.resolved.is_none());
    assert_eq!(open.map(|error| error.event.key.unwrap().to_string()).collect::<Vec<_>>(), ["C-2"]);
}

async fn answer(world: &SimWorld, request: &Request) -> (u16, Value) {
    let answer = url::answer(world, request).await;
    (answer.status, answer.body)
}

fn post(body: String) -> Request {
    let mut event = event("log-ingest-errors-ndjson.json");
    event["body"] = Value::String(body);
    Request::from(serde_json::from_value::<LambdaRequest>(event).unwrap())
}

#[tokio::test]
async fn each_reported_line_has_its_own_answer() {
    let world = world();
    let request: LambdaRequest = serde_json::from_value(event("log-ingest-errors-ndjson.json")).unwrap();
    let (status, told) = answer(&world, &Request::from(request)).await;
    assert_eq!(status, 207);
    let lines: Vec<_> =
        told["results"].as_array().unwrap().iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(lines, ["logged", "refused", "refused", "duplicate"]);
    assert_eq!((&told["results"][1]["field"], &told["results"][2]["field"]), (&json!("map"), &json!("body")));
    let [error] = &world.log.all_errors()[..] else { panic!("one of them is new") };
    assert_eq!((error.event.message.as_str(), error.event.at), ("The nightly batch failed", world.now()));
    let array = r#"[{"id": "erp-9", "map": "customers", "side": "crm", "message": "again"}]"#;
    assert_eq!(answer(&world, &post(array.to_owned())).await.0, 200);
}

#[tokio::test]
async fn many_lines_are_stored_some_at_the_same_time_and_answered_in_their_order() {
    let world = world();
    // Every third has the id of the line before it.
    let id = |n: u32| if n % 3 == 2 { n - 1 } else { n };
    let line = |n: u32| json!({"id": id(n).to_string(), "map": "customers", "side": "crm", "message": "x"}).to_string();
    let mut lines: Vec<_> = (0..90).map(line).collect();
    lines[40] = "7".to_owned();
    let (status, told) = answer(&world, &post(lines.join("\n"))).await;
    assert_eq!(status, 207);
    let results = told["results"].as_array().unwrap();
    for (n, result) in (0..).zip(results) {
        let wanted = match n {
            40 => "refused",
            n if n % 3 == 2 && n != 41 => "duplicate",
            _ => "logged",
        };
        assert_eq!((&result["line"], &result["status"]), (&json!(n + 1), &json!(wanted)));
    }
    assert_eq!(world.log.all_errors().len(), 60, "each id once: line 42 is the first of its own");
    let most = world.log.added_at_once();
    assert!((2..=16).contains(&most), "{most} at the same time");
}

#[tokio::test]
async fn bad_lines_are_named_with_their_field() {
    let world = world();
    let line = |more: Value| {
        let mut line = json!({"id": "e", "map": "customers", "side": "crm", "message": "x"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    for (body, field) in [
        (line(json!({"at": "2099-01-01T00:00:00Z"})), "at"),
        (line(json!({"at": "tomorrow"})), "at"),
        (line(json!({"side": "erp"})), "side"),
        (line(json!({"class": "applicaton"})), "class"),
        (line(json!({"id": ""})), "id"),
        (line(json!({"id": "a\nb"})), "id"),
        (line(json!({"message": " "})), "message"),
        (line(json!({"key": ""})), "key"),
        (line(json!({"colour": "red"})), "colour"),
        ("7".to_owned(), "line"),
    ] {
        let (status, told) = answer(&world, &post(body.clone())).await;
        assert_eq!((status, &told["results"][0]["field"]), (207, &json!(field)), "{body}: {told}");
    }
    assert!(world.log.all_errors().is_empty());
    let many = vec![line(json!({})); 1_001].join("\n");
    for (body, says) in [(many, "1001 lines"), (String::new(), "no lines"), ("[1,".to_owned(), "no JSON array")] {
        let (status, told) = answer(&world, &post(body)).await;
        assert_eq!(status, 400);
        assert!(told["errors"][0]["message"].as_str().unwrap().contains(says), "{told}");
    }
}

#[tokio::test]
async fn an_answer_says_what_is_allowed_and_when_to_come_again() {
    let world = world();
    let mut event = event("log-ingest-errors-ndjson.json");
    event["requestContext"]["http"]["method"] = json!("GET");
    let get = Request::from(serde_json::from_value::<LambdaRequest>(event).unwrap());
    let told = url::answer(&*world, &get).await.response();
    assert_eq!((&told["statusCode"], &told["headers"]["allow"]), (&json!(405), &json!("POST")), "{told}");
    assert_eq!(told["headers"]["content-type"], "application/problem+json");
}

/// What happened is logged though no rule can be read; and a rule that cannot be read for long does not hold up the log.
#[tokio::test]
async fn a_batch_that_cannot_be_judged_is_logged_and_comes_again_for_a_minute() {
    let world = world();
    world.alerts.set_unreadable(true);
    let mut batch = event("log-ingest-stream.json");
    let delivered = |batch: &mut Value, seconds_ago: u64| {
        for record in batch["Records"].as_array_mut().unwrap() {
            record["dynamodb"]["ApproximateCreationDateTime"] = json!(world.now().0 / 1_000 - seconds_ago);
        }
    };
    delivered(&mut batch, 5);
    let told = stream::handle(&*world, &batch).await;
    assert_eq!(told, json!({"batchItemFailures": [{"itemIdentifier": "100000000"}]}));
    assert_eq!((world.log.all_errors().len(), world.log.all_activities().len()), (2, 1), "all of it is logged");
    delivered(&mut batch, 61);
    assert_eq!(stream::handle(&*world, &batch).await, json!({"batchItemFailures": []}), "no schedule waits for that");
    world.alerts.set_failing(1_000);
    world.alerts.set_unreadable(false);
    let told = stream::handle(&*world, &batch).await;
    assert_eq!(
        told,
        json!({"batchItemFailures": [{"itemIdentifier": "100000000"}]}),
        "a store that is down is waited for"
    );
    let line = r#"{"id": "erp-9", "map": "customers", "side": "crm", "message": "again"}"#;
    assert_eq!(answer(&world, &post(line.to_owned())).await.0, 200, "what is logged is answered so");
}

#[tokio::test]
async fn a_reported_error_counts_for_rules_at_once() {
    let world = world();
    world.alerts.put_rule(sample::rule(2));
    let line = |id: u8| json!({"id": id.to_string(), "map": "customers", "side": "crm", "message": "x"}).to_string();
    answer(&world, &post([line(1), line(1)].join("\n"))).await;
    assert_eq!(world.map().map.state.as_str(), "Running", "the same event twice is one");
    answer(&world, &post(line(2))).await;
    assert_eq!(world.map().map.state.as_str(), "Paused");
}

#[test]
fn callers_are_known_and_settings_are_checked() {
    let with = |pairs: &'static [(&str, &str)]| {
        Config::from_lookup(move |name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let config = with(&[("TANDEM_TABLE", "t"), ("TANDEM_HMAC_PARAMETER", "/p")]).unwrap();
    assert_eq!(config.alerts.retention_days, 90);
    let wrong = with(&[("TANDEM_CALLER_AUTH", "none"), ("TANDEM_LOG_RETENTION_DAYS", "long")]).unwrap_err();
    for name in ["TANDEM_TABLE", "hmac or iam", "TANDEM_LOG_RETENTION_DAYS"] {
        assert!(wrong.contains(name), "{wrong}");
    }
}
