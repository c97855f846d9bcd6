//! An operator edits an entry that one of the apps has, or may have, in its first form: both apps end with the new one.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::Arc;

use app::{
    admin::{
        lane::{Command, Target, command},
        parked,
    },
    error::{AppError, StateConflict},
    ports::Ports,
    request::WriteRequest,
    write::write,
};
use domain::{RecordKey, SideId, SideIx, lane::ParkReason, record::Image, side::Capability};
use serde_json::{Value, json};
use testkit::{JournalFaults, SimWorld, apps::CallFaults, sample, users::Users};

use crate::operator::kim;

const STEPS: u64 = 500_000;

/// How the entry came to be in an app in its first form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// Finance took it, crm refused it.
    Half,
    /// Finance took it and its answer was lost; then it refused it.
    Ambiguous,
}

fn key() -> RecordKey {
    "C-1".parse().unwrap()
}

fn side(name: &str) -> SideId {
    name.parse().unwrap()
}

/// What an app has of the record's limit.
fn limit(world: &SimWorld, app: &str) -> Value {
    match world.apps.with(&side(app), |app| app.image(&key())) {
        Image::Present(record) => record.get("Limit").or(record.get("limit")).cloned().unwrap_or_default(),
        Image::Absent => Value::Null,
    }
}

async fn rests(world: &SimWorld, users: &Users) {
    for _ in 0..5 {
        world.run_woken().await;
        world.executor.sleep(60_000).await;
        world.sweep().await;
        for side in SideIx::BOTH {
            while users.report(side).await {}
        }
    }
}

fn refuses(world: &SimWorld, app: &str, refuses: bool) {
    world.apps.with(&side(app), |app| {
        app.refuses.clear();
        if refuses {
            app.refuses.insert(key());
        }
    });
}

async fn edit(world: &SimWorld, limit: u32) -> Result<(), AppError> {
    edit_fields(world, &json!({"Limit": limit})).await
}

async fn edit_fields(world: &SimWorld, fields: &Value) -> Result<(), AppError> {
    let map = world.map().map.id;
    let (parked, _) = parked::list(world, &map, &parked::ParkedFilter::default(), None, 10).await?;
    let target = Target { key: key(), seq: parked[0].entry.seq };
    let record = fields.as_object().unwrap().clone();
    command(world, &kim(), &map, &target, &Command::Edit(record), "too much").await
}

async fn writes(world: &SimWorld, limit: u32, refused: bool) {
    let id = ulid::Ulid(world.fresh_id()).to_string();
    let record = json!({"Name": "Ada", "Limit": limit, "OnHold": "No", "refused": refused});
    let request = json!({"id": id, "map": "customers", "key": key(), "record": record, "mode": "committed"});
    write(world, &WriteRequest::from_value(request).unwrap()).await.unwrap();
}

async fn plays(world: &SimWorld, users: &Users, first: First) {
    let (lost, refusing) = match first {
        First::Half => (0, "crm"),
        First::Ambiguous => (1_000, "finance"),
    };
    if first == First::Half {
        refuses(world, "crm", true);
    }
    world.apps.set_faults(CallFaults { unknown_with_effect: lost, ..CallFaults::default() });
    writes(world, 2_000, false).await;
    world.apps.set_faults(CallFaults::default());
    if first == First::Ambiguous {
        refuses(world, "finance", true);
        world.executor.sleep(10_000).await;
        world.sweep().await;
    }
    let map = world.map().map.id;
    let (parked, _) = parked::list(world, &map, &parked::ParkedFilter::default(), None, 10).await.unwrap();
    let reason = if first == First::Half { ParkReason::HalfWritten } else { ParkReason::Refused };
    assert_eq!(parked[0].entry.parked, Some(reason));
    assert_eq!(limit(world, "finance"), 2_000, "{first:?}");
    refuses(world, refusing, false);
    let mut told = edit(world, 900).await;
    if first == First::Ambiguous {
        // The call whose answer was lost could land on top of the edited record.
        let why = told.unwrap_err();
        assert!(matches!(why.without_subject(), AppError::Conflict(StateConflict::EntryInFlight { .. })), "{why:?}");
        world.executor.sleep(60_000).await;
        told = edit(world, 900).await;
    }
    assert_eq!(told, Ok(()));
    rests(world, users).await;
    assert_eq!((limit(world, "finance"), limit(world, "crm")), (json!(900), json!(900)), "{first:?}");
    assert_eq!(world.lanes.open_entries(), 0, "nothing is refused for its Idempotency-Key");
}

#[test]
fn an_edited_entry_is_another_request_to_an_app_that_knows_its_first_form() {
    for first in [First::Half, First::Ambiguous] {
        let world = SimWorld::new(3, sample::running(Capability::Idempotent));
        let users = Users::new(Arc::clone(&world));
        let played = Arc::clone(&world);
        world.executor.spawn(async move { plays(&played, &users, first).await });
        assert!(world.executor.run(STEPS), "{first:?} does not come to rest");
    }
}

/// A function appends an entry and is frozen. Meanwhile a worker attempts the entry, and an operator edits it.
async fn freezes_after_appending(world: &Arc<SimWorld>, users: &Users) {
    world.apps.set_faults(CallFaults { not_applied: 1_000, ..CallFaults::default() });
    writes(world, 1, false).await;
    world.apps.set_faults(CallFaults::default());
    world.lanes.set_faults(JournalFaults { freeze: 1_000, ..JournalFaults::default() });
    let frozen = Arc::clone(world);
    world.executor.spawn(async move { writes(&frozen, 2_000, true).await });
    while world.lanes.open_entries() < 2 {
        world.executor.sleep(1_000).await;
    }
    world.lanes.set_faults(JournalFaults::default());
    world.sweep().await;
    edit_fields(world, &json!({"Limit": 900, "refused": false})).await.unwrap();
    world.executor.sleep(400_000).await;
    assert!(!world.lanes.heads()[0].1.parked, "the frozen function has attempted what the operator replaced");
    rests(world, users).await;
    assert_eq!((limit(world, "finance"), limit(world, "crm")), (json!(900), json!(900)));
}

#[test]
fn a_function_that_was_frozen_does_not_execute_what_an_operator_has_replaced() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let played = Arc::clone(&world);
    world.executor.spawn(async move { freezes_after_appending(&played, &users).await });
    assert!(world.executor.run(STEPS));
}
