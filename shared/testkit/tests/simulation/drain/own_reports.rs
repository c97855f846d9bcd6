//! Sides whose reports are other than `reports_own_writes` says.

use app::{
    ports::{Gauges, Ports},
    request::WriteRequest,
    write::write,
};
use domain::{SideId, lane::Answer};
use serde_json::{Value, json};
use testkit::SimWorld;

use super::{in_a_world, key, reports};

fn crm() -> SideId {
    "crm".parse().unwrap()
}

/// crm reports a change of a record, moments after it.
async fn crm_reports(world: &SimWorld, n: usize, name: &str, before: Value) -> Answer {
    let request = json!({
        "id": ulid::Ulid(world.fresh_id()).to_string(), "map": "customers", "key": key(n), "origin": "crm",
        "mode": "committed", "record": {"name": name, "hold": false, "refused": false}, "before": before,
    });
    write(world, &WriteRequest::from_value(request).unwrap()).await.unwrap().what
}

async fn contradiction(world: &SimWorld, reports_own_writes: bool) -> Option<String> {
    world.lanes.noted_health(&crm()).await.unwrap().reports.contradiction(reports_own_writes)
}

#[test]
fn a_side_that_reports_its_users_and_none_of_many_writes_is_told() {
    in_a_world(|world| async move {
        for n in 0..60 {
            reports(&world, &key(n), "Ada").await;
            world.executor.sleep(30_000).await;
        }
        assert_eq!(contradiction(&world, true).await, None, "it may have no trigger at all");
        let before = json!({"name": "Ada", "hold": false, "refused": false});
        assert!(matches!(crm_reports(&world, 7, "Kim", before).await, Answer::Written { .. }));
        assert!(contradiction(&world, true).await.is_some());
        assert_eq!(contradiction(&world, false).await, None);
    });
}

#[test]
fn a_side_that_reports_each_write_is_not_told() {
    in_a_world(|world| async move {
        for n in 0..60 {
            reports(&world, &key(n), "Ada").await;
            assert!(matches!(crm_reports(&world, n, "Ada", Value::Null).await, Answer::Skipped(_)));
            world.executor.sleep(30_000).await;
        }
        reports(&world, &key(0), "Bo").await;
        crm_reports(&world, 7, "Kim", json!({"name": "Ada", "hold": false, "refused": false})).await;
        assert_eq!(contradiction(&world, true).await, None);
    });
}

#[test]
fn a_side_that_says_it_reports_no_writes_and_reports_one_is_told() {
    in_a_world(|world| async move {
        world.change_map(|map| map.sides[1].config.reports_own_writes = false);
        let ada = || json!({"name": "Ada", "hold": false, "refused": false});
        reports(&world, &key(1), "Ada").await;
        crm_reports(&world, 1, "Kim", ada()).await;
        crm_reports(&world, 1, "Ada", json!({"name": "Kim", "hold": false, "refused": false})).await;
        crm_reports(&world, 1, "Ada", ada()).await;
        assert_eq!(contradiction(&world, false).await, None, "a user sets it back, or changes what is not mapped");
        reports(&world, &key(2), "Ada").await;
        crm_reports(&world, 2, "Ada", Value::Null).await;
        assert!(contradiction(&world, false).await.is_some());
    });
}
