//! Golden events, as EventBridge sends them: the same files that `cargo lambda invoke --data-file` takes.

use std::path::PathBuf;

use app::Ports;
use domain::side::Capability;
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::handler::handle;

fn event(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test]
async fn an_event_runs_a_lane_and_a_schedule_sweeps() {
    let world = SimWorld::new(1, sample::running(Capability::Idempotent));
    let until = world.now().plus_ms(1_000);
    let lane = handle(&*world, &event("resume-drain-lane-waiting.json"), until).await.unwrap();
    assert_eq!(lane, json!({ "attempts": 0 }), "nothing waits in that lane");
    let swept = handle(&*world, &event("resume-drain-sweep.json"), until).await.unwrap();
    assert_eq!(swept, json!({ "lanes": 0, "attempts": 0, "archived": 0 }));
    let drained = handle(&*world, &event("resume-drain-map-waiting.json"), until).await.unwrap();
    assert_eq!(drained, json!({ "lanes": 0, "attempts": 0, "archived": 0 }));
}

#[tokio::test]
async fn an_event_that_is_not_understood_fails_and_says_why() {
    let world = SimWorld::new(1, sample::running(Capability::Idempotent));
    let wrong = handle(&*world, &event("resume-drain-without-key.json"), world.now()).await.unwrap_err();
    assert!(wrong.to_string().contains("no map and key"), "{wrong}");
    let wrong = handle(&*world, &json!({"detail-type": "Map Waiting"}), world.now()).await.unwrap_err();
    assert!(wrong.to_string().contains("no map"), "{wrong}");
    let wrong = handle(&*world, &json!({"detail-type": "Object Created"}), world.now()).await.unwrap_err();
    assert!(wrong.to_string().contains("neither"), "{wrong}");
}
