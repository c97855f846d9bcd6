//! Golden events: the same files that `cargo lambda invoke --data-file` takes.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use app::{
    ingest::ingest,
    ports::{Alerts, Ports},
};
use domain::{ErrorClass, log::LogEvent, side::Capability};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::handler::handle;

fn event(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn world() -> Arc<SimWorld> {
    SimWorld::new(1, sample::running(Capability::Idempotent))
}

#[tokio::test]
async fn each_minute_what_is_due_is_done() {
    let world = world();
    world.alerts.put_rule(sample::rule(1));
    let until = world.now().plus_ms(60_000);
    let nothing = handle(&*world, &event("threshold-evaluate-minute.json"), until).await.unwrap();
    assert_eq!(nothing, json!({"maps": 0, "opened": 0, "mails": 0, "recovered": 0}));
    let error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    ingest(&*world, &[LogEvent::Error(Box::new(error))]).await.unwrap();
    let told = handle(&*world, &event("out-incident-opened.json"), until).await.unwrap();
    assert_eq!((&told["maps"], &told["mails"]), (&json!(1), &json!(1)));
    assert_eq!(world.mailer.taken()[0].to.as_str(), "kim@example.com");
}

#[tokio::test]
async fn an_address_that_bounces_is_flagged_and_one_that_is_full_is_not() {
    let world = world();
    let mut bounce = event("threshold-evaluate-mail-bounced.json");
    let until = world.now();
    assert_eq!(handle(&*world, &bounce, until).await.unwrap(), json!({"flagged": 1}));
    assert_eq!(world.alerts.flagged().await.unwrap()[0].says, "bounced: General");
    bounce["detail"]["bounce"]["bounceType"] = json!("Transient");
    assert_eq!(handle(&*world, &bounce, until).await.unwrap(), json!({"flagged": 0}));
    bounce["detail"] =
        json!({"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "x"}]}});
    assert_eq!(handle(&*world, &bounce, until).await.unwrap(), json!({"flagged": 0}), "no address of ours");
}

/// The samples in `events/` are what is published: the same names, and no field more or less.
#[tokio::test]
async fn the_samples_of_published_events_are_true() {
    let world = world();
    world.alerts.put_rule(sample::rule(1));
    let mut error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    error.fate = domain::log::Fate::Parked;
    let mut events = vec![LogEvent::Error(Box::new(error))];
    let mut published = Vec::new();
    for _ in 0..3 {
        ingest(&*world, &events).await.unwrap();
        published.extend(world.events.take());
        events = [world.alerts.take_log(), world.lanes.take_log()].concat();
    }
    let fields = |detail: &Value| -> BTreeSet<String> { detail.as_object().unwrap().keys().cloned().collect() };
    for (name, source, kind) in [
        ("out-map-state-changed.json", "tandem.map", "Map State Changed"),
        ("out-incident-opened.json", "tandem.incident", "Incident Opened"),
        ("out-incident-acted.json", "tandem.incident", "Incident Acted"),
        ("out-write-parked.json", "tandem.write", "Write Parked"),
    ] {
        let sample = event(name);
        assert_eq!((&sample["source"], &sample["detail-type"]), (&json!(source), &json!(kind)), "{name}");
        let known =
            published.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("{kind} was not published"));
        assert_eq!((known.source, fields(&known.detail)), (source, fields(&sample["detail"])), "{name}");
    }
}
