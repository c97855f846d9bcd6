//! Apps that tidy what they store and report that as a change.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::Arc;

use domain::{
    RecordKey, SideIx,
    lane::{Head, ParkReason},
    mapping::Compare,
    record::{Image, Record},
    side::Capability,
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample, users::Users};

/// How an app tidies what it stores.
type Tidies = fn(&mut Record);

/// Two apps, each with a form of its own for the name, and what a user writes into it.
struct Tidy {
    finance: Tidies,
    crm: Tidies,
    written: Value,
    /// The rule that calls both forms equal.
    rule: Compare,
    /// The default has it.
    by_default: bool,
}

fn all() -> Vec<Tidy> {
    let exact = Compare { blank_is_null: false, ..Compare::default() };
    vec![
        Tidy {
            finance: |record| change(record, "Name", |name| if name.is_null() { json!("") } else { name }),
            crm: |record| change(record, "name", |name| if name == "" { Value::Null } else { name }),
            written: Value::Null,
            rule: Compare::default(),
            by_default: true,
        },
        Tidy {
            finance: |record| text(record, "Name", |name| name.trim().to_owned()),
            crm: |record| text(record, "name", |name| format!("{:<10}", name.trim())),
            written: json!("Ada "),
            rule: Compare { trim: true, ..exact.clone() },
            by_default: false,
        },
        Tidy {
            finance: |record| text(record, "Name", str::to_uppercase),
            crm: |record| text(record, "name", str::to_lowercase),
            written: json!("Ada"),
            rule: Compare { ignore_case: true, ..exact.clone() },
            by_default: false,
        },
        Tidy {
            finance: |record| text(record, "Name", |time| time.replace(".250", "")),
            crm: |record| {
                text(
                    record,
                    "name",
                    |time| if time.contains('.') { time.to_owned() } else { time.replace('Z', ".250Z") },
                )
            },
            written: json!("2026-11-24T10:00:00.250Z"),
            rule: Compare { seconds: true, ..exact },
            by_default: false,
        },
    ]
}

fn change(record: &mut Record, field: &str, tidy: fn(Value) -> Value) {
    let value = record.remove(field).unwrap_or_default();
    record.insert(field.to_owned(), tidy(value));
}

fn text(record: &mut Record, field: &str, tidy: fn(&str) -> String) {
    if let Some(Value::String(text)) = record.get_mut(field) {
        *text = tidy(text);
    }
}

fn key() -> RecordKey {
    "C-1".parse().unwrap()
}

async fn reports_everything(world: &SimWorld, users: &Users) {
    for _ in 0..200 {
        for side in SideIx::BOTH {
            users.report(side).await;
        }
        world.run_woken().await;
        world.executor.sleep(100).await;
    }
}

/// What a name leads to: how many calls, and the lane in the end.
fn play(tidy: Option<[Tidies; 2]>, rule: Compare, names: Vec<Value>) -> (usize, Head, Arc<SimWorld>) {
    play_with(tidy, rule, names, false)
}

/// The same, with apps that may answer a write with the record as they have stored it.
fn play_with(
    tidy: Option<[Tidies; 2]>,
    rule: Compare,
    names: Vec<Value>,
    returns_stored: bool,
) -> (usize, Head, Arc<SimWorld>) {
    play_at(5, tidy, rule, names, returns_stored)
}

fn play_at(
    seed: u64,
    tidy: Option<[Tidies; 2]>,
    rule: Compare,
    names: Vec<Value>,
    returns_stored: bool,
) -> (usize, Head, Arc<SimWorld>) {
    let mut map = sample::running(Capability::Idempotent);
    let names_of = |field: &&mut domain::mapping::FieldMapping| field.names.values().any(|name| name == "Name");
    let field = map.map.config.fields.iter_mut().find(names_of).unwrap();
    (field.compare, field.required) = (rule, false);
    let world = SimWorld::new(seed, map);
    for (at, side) in world.map().sides.iter().enumerate() {
        world.apps.with(&side.id, |app| {
            app.tidies = tidy.map(|tidy| tidy[at]);
            app.returns_stored = returns_stored;
        });
    }
    let users = Users::new(Arc::clone(&world));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        for name in names {
            let record = json!({"Name": name, "Limit": 1, "OnHold": "No", "refused": false});
            let image = Image::Present(record.as_object().unwrap().clone());
            users.edit_committed(SideIx::First, &key(), image).await;
            reports_everything(&played, &users).await;
            played.sweep().await;
        }
    });
    assert!(world.executor.run(2_000_000));
    let calls = world.map().sides.iter().map(|side| world.apps.with(&side.id, |app| app.effects.len())).sum();
    let head = world.lanes.heads()[0].1.clone();
    (calls, head, world)
}

#[test]
fn a_rule_that_calls_both_forms_equal_ends_it_at_once() {
    for Tidy { finance, crm, written, rule, .. } in all() {
        let (calls, head, world) = play(Some([finance, crm]), rule.clone(), vec![written]);
        assert!(calls <= 2 && head.idle(), "{rule:?}: {calls} calls, {head:?}");
        assert_eq!(world.lanes.all_conflicts().len(), 0, "{rule:?}");
    }
}

#[test]
fn what_an_app_answers_that_it_has_stored_is_not_a_change_when_it_reports_it() {
    for Tidy { finance, crm, written, rule, by_default } in all() {
        let other = if by_default { Compare { blank_is_null: false, ..rule } } else { Compare::default() };
        let (calls, head, world) = play_with(Some([finance, crm]), other.clone(), vec![written], true);
        assert!(calls <= 2 && head.idle(), "{other:?}: {calls} calls, {head:?}");
        assert_eq!(world.lanes.all_conflicts().len(), 0, "{other:?}");
    }
}

/// In some orders of their reports, each app takes what was written back to it for its own, and the record comes to rest.
#[test]
fn without_such_a_rule_the_record_rests_or_waits_for_an_operator_after_a_few_calls() {
    for Tidy { finance, crm, written, rule, by_default } in all() {
        let other = if by_default { Compare { blank_is_null: false, ..rule } } else { Compare::default() };
        let mut parked = 0;
        for seed in 0..20 {
            let (calls, head, world) = play_at(seed, Some([finance, crm]), other.clone(), vec![written.clone()], false);
            assert!(calls <= 8 && (head.parked || head.idle()), "seed {seed}, {other:?}: {calls} calls, {head:?}");
            let Some((_, entry)) = world.lanes.journal().into_iter().find(|_| head.parked) else { continue };
            assert_eq!(entry.parked, Some(ParkReason::Bounces), "{other:?}");
            let says = entry.last_failure.unwrap().failure.message;
            assert!(says.contains("finance and crm") || says.contains("crm and finance"), "{says}");
            parked += 1;
        }
        assert!(parked > 0, "{other:?} is never parked");
    }
}

#[test]
fn a_user_who_sets_a_value_back_again_and_again_is_not_stopped() {
    let names = (0..20).map(|n| json!(if n % 2 == 0 { "red" } else { "blue" })).collect();
    let (calls, head, _) = play(None, Compare::default(), names);
    assert!(calls == 20 && head.idle(), "{calls} calls, {head:?}");
}
