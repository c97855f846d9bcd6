//! Apps with habits that are hard on whoever keeps them in step: they tidy, do not report all, or commit late.

use futures::join;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    load::with_side,
    outages::open_lane,
    pause::{caught_up, path, pause, resume},
    presets::conflicts,
    settled::applied,
    stack::alone,
    stopped::known_to_all,
    until::until,
    values::{customer, id, key, write},
};

/// How long after Tandem's answer an app commits: time enough for a recovery in between, and less than the longest transaction
/// that the side has.
const COMMITS_LATE_MS: u32 = 5_000;

#[test]
fn two_apps_that_tidy_what_they_are_sent_come_to_rest_with_the_last_change_of_a_user() {
    alone(async |world| {
        for app in world.apps() {
            app.switch(json!({"tidies": true})).await.expect("the app is switched");
        }
        let key = key("TIDY");
        let messy = |name: &str, millis: u32| {
            let mut record = customer(&format!(" {name} "), 1);
            record["PrimaryContactPhone"] = json!("  ");
            record["CreditLimitExpirationDate"] = json!(format!("2026-12-31T12:00:00.{millis}Z"));
            record
        };
        let told = world.sync_write.send(&write(&id(), &key, &messy("Contoso", 987))).await;
        assert_eq!(told.expect("sync-write answers").status, 200);
        world.settled(&key).await;
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (1, 1), "by a program");

        let saved = world.finance().edit(&key, messy("Fabrikam", 123)).await.expect("finance answers");
        assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{saved:?}");
        let settled = world.settled(&key).await.crm.expect("crm has it");
        let account = json!([settled["name"], settled["telephone1"], settled["new_creditlimitexpires"]]);
        assert_eq!(account, json!(["Fabrikam", null, "2026-12-31T12:00:00Z"]));
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (1, 2), "in finance");

        let saved =
            world.crm().edit(&key, json!({"name": "Adatum  ", "telephone1": " +1 "})).await.expect("crm answers");
        assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{saved:?}");
        assert_eq!(world.settled(&key).await.finance.expect("finance has it")["OrganizationName"], "Adatum");
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (2, 2), "in crm");
        assert_eq!(conflicts(world, &key).await, [Value::Null; 0]);
        assert!(open_lane(world, &key).await.is_none());
    });
}

#[test]
fn a_value_that_a_user_sets_back_to_what_tandem_wrote_is_a_change_in_an_app_that_does_not_report_tandems_writes() {
    alone(async |world| {
        with_side(world, "crm", json!({"reports_own_writes": false}), async || {
            known_to_all().await;
            for tells_before in [true, false] {
                let silent = json!({"reports_own_writes": false, "tells_before": tells_before});
                world.crm().switch(silent).await.expect("crm is switched");
                let key = key("SILENT");
                let in_finance = async |name: &str| {
                    let saved = world.finance().edit(&key, customer(name, 1)).await.expect("finance answers");
                    assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{saved:?}");
                };
                // Tandem writes red, and then blue. Nobody reports either.
                in_finance("Red").await;
                in_finance("Blue").await;
                for name in ["Red", "Blue", "Red"] {
                    let saved = world.crm().edit(&key, json!({"name": name})).await.expect("crm answers");
                    assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{saved:?}");
                    assert_eq!(world.settled(&key).await.finance.expect("finance has it")["OrganizationName"], name);
                }
                assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (3, 2));
            }
        })
        .await;
    });
}

#[test]
fn a_recovery_waits_for_a_commit_that_comes_late_and_does_not_bring_back_what_was_before_it() {
    alone(async |world| {
        let key = key("LATE");
        assert_eq!(world.finance().edit(&key, customer("Before", 1)).await.expect("finance answers").status, 200);
        world.settled(&key).await;
        pause(world, "crm is being upgraded").await;
        let saved = world.finance().edit(&key, json!({"OrganizationName": "Skipped"})).await;
        assert_eq!(saved.expect("finance answers").status, 200);
        resume(world, json!({"reason": "too much", "backlog": "skip_to_live"})).await;
        caught_up(world).await;
        let listed = world.admin.get(&path(&format!("archive?key={key}"))).await.expect("admin answers");
        let archive_id = listed["archived"][0]["archive_id"].as_str().expect("it is there").to_owned();

        let late = json!({"commits_late_ms": COMMITS_LATE_MS});
        world.finance().switch(late).await.expect("finance is switched");
        let edit = world.finance().edit(&key, json!({"OrganizationName": "Newer"}));
        let recovery = async {
            until("crm to have it", async || {
                let account = world.crm().fields(&key).await.expect("crm answers")?;
                (account["name"] == "Newer").then_some(())
            })
            .await;
            let recover = path(&format!("archive/{archive_id}/recover"));
            let body = json!({"reason": "it is needed"});
            let told = world.admin.call(Method::POST, &recover, Some(&body)).await.expect("admin answers");
            let uncommitted = world.finance().fields(&key).await.expect("finance answers").expect("it is there");
            assert_eq!(uncommitted["OrganizationName"], "Skipped", "not committed yet: the recovery came in between");
            told
        };
        let (saved, told) = join!(edit, recovery);
        assert_eq!(saved.expect("finance answers").status, 200);
        assert_eq!(told.status, 200, "{told:?}");
        let settled = world.settled(&key).await;
        assert_eq!(settled.finance.expect("finance has it")["OrganizationName"], "Newer");
        assert_eq!(settled.crm.expect("crm has it")["name"], "Newer");
    });
}

#[test]
fn an_app_that_honours_idempotency_keys_takes_a_repeated_call_once() {
    alone(async |world| {
        world.crm().switch(json!({"idempotency_keys": true})).await.expect("crm is switched");
        with_side(world, "crm", json!({"capability": "idempotent"}), async || {
            known_to_all().await;
            let key = key("ONCE");
            let lost = json!({"mode": "apply_then_drop", "remaining": 1});
            world.crm().switch(lost).await.expect("crm is switched");
            let saved = world.finance().edit(&key, customer("Contoso", 1)).await.expect("finance answers");
            assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("queued")), "{saved:?}");
            world.settled(&key).await;
            assert_eq!(applied(world.crm(), &key).await, 1);
            let calls = world.crm().calls(&key).await.expect("crm answers");
            assert!(
                calls.len() > 1 && calls.iter().all(|call| call["method"] == "PATCH"),
                "nothing is read: {calls:?}"
            );
        })
        .await;
    });
}
