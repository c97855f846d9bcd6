//! Golden events, as SQS and EventBridge send them: the same files that `cargo lambda invoke --data-file` takes.

use std::path::PathBuf;

use app::{
    Ports,
    admin::{
        Caller,
        syncs::{StartSync, start},
    },
    ports::{Role, SyncRuns},
};
use domain::{
    side::Capability,
    sync::{Selection, Stall, SyncKind, SyncRun},
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::handler::handle;

fn event(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test]
async fn a_work_item_of_a_run_that_is_gone_and_a_schedule_do_nothing() {
    let world = SimWorld::new(1, sample::running(Capability::Idempotent));
    let until = world.now().plus_ms(1_000);
    let worked = handle(&*world, &event("initial-sync-work-item.json"), until).await.unwrap();
    assert_eq!(worked, json!({}));
    let swept = handle(&*world, &event("initial-sync-minute.json"), until).await.unwrap();
    assert_eq!(swept, json!({ "woken": 0, "scheduled": 0, "stalled": 0 }));
}

#[tokio::test]
async fn the_schedule_counts_a_run_that_has_waited_for_an_hour() {
    let world = SimWorld::new(1, sample::running(Capability::Idempotent));
    let (map, kim) = (world.map().map, Caller { name: "kim".to_owned(), role: Role::Operator });
    let wanted = StartSync {
        kind: SyncKind::Reconcile,
        winner: None,
        winner_of_field: None,
        legs: Vec::new(),
        selection: Selection::All,
        parent: None,
        despite: Vec::new(),
        reason: "nightly".to_owned(),
    };
    let run = start(&*world, &kim, &map.id, &wanted).await.unwrap();
    let swept = async || handle(&*world, &event("initial-sync-minute.json"), world.now()).await.unwrap();
    assert_eq!(swept().await, json!({ "woken": 1, "scheduled": 0, "stalled": 0 }));
    let since = world.now().minus_ms(60 * 60 * 1_000 + 1);
    let stall = Some(Stall { since, why: "crm does not take records".to_owned(), side: None, until: None });
    let waits = SyncRun { stall, version: run.version + 1, ..run.clone() };
    world.sync_runs.save_run(&map, &waits, Some(&run), &[]).await.unwrap();
    assert_eq!(swept().await, json!({ "woken": 1, "scheduled": 0, "stalled": 1 }));
}

#[tokio::test]
async fn what_is_not_understood_is_told_or_passed_over() {
    let world = SimWorld::new(1, sample::running(Capability::Idempotent));
    let wrong = handle(&*world, &json!({"detail-type": "Object Created"}), world.now()).await.unwrap_err();
    assert!(wrong.to_string().contains("neither"), "{wrong}");
    for body in [json!("{"), json!("{}"), json!("{\"map\": \"customers\", \"run\": \"x\"}"), json!(7)] {
        let event = json!({"Records": [{"body": body}]});
        assert_eq!(handle(&*world, &event, world.now()).await.unwrap(), json!({}), "{event}");
    }
}

#[tokio::test]
async fn the_schedule_starts_a_reconcile_that_is_due_once() {
    let mut map = sample::running(Capability::Idempotent);
    map.map.config.reconcile = serde_json::from_value(json!({"every": "1h"})).unwrap();
    let world = SimWorld::new(1, map);
    world.change_map(|map| map.map.since = world.now());
    let swept =
        async || handle(&*world, &event("initial-sync-minute.json"), world.now()).await.unwrap()["scheduled"].clone();
    assert_eq!([swept().await, swept().await], [json!(1), json!(0)]);
    let runs = world.sync_runs.all_runs();
    assert_eq!((runs.len(), runs[0].choice.kind, &*runs[0].started_by), (1, SyncKind::Reconcile, "tandem"));
}
