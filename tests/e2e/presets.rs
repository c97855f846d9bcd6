//! Two apps that are connected by presets: one that speaks as Finance & Operations does, one that speaks as Dataverse does.

use domain::side::SideConfig;
use serde_json::{Value, json};

use crate::{
    outages::open_lane,
    pause::{caught_up, path, pause, resume},
    settled::applied,
    stack::{World, alone, together},
    values::{customer, key},
};

/// Settings of a side beside its kind.
const SETTINGS_MAX: usize = 5;
/// Two contacts of crm.
const ANN: &str = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01";
const KARL: &str = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a02";

#[test]
fn both_sides_are_made_by_a_preset_and_few_settings() {
    together(async |world| {
        for (side, kind) in [("finance", "finance_operations"), ("crm", "dataverse")] {
            let config = world.admin.get(&format!("/sides/{side}")).await.expect("admin answers")["config"].clone();
            assert_eq!(config["connector"]["kind"], kind);
            let least = json!({"connector": {"kind": kind, "base_url": ""}});
            let least: SideConfig = serde_json::from_value(least).expect("a side");
            let least = serde_json::to_value(least).expect("JSON");
            let differs = |part: fn(&Value) -> &Value| {
                let members = part(&config).as_object().expect("an object").iter();
                members.filter(|(name, value)| *name != "connector" && part(&least).get(name) != Some(value)).count()
            };
            let settings = differs(|config| config) + differs(|config| &config["connector"]);
            assert!(settings <= SETTINGS_MAX, "{side} has {settings} settings: {config}");
        }
    });
}

#[test]
fn records_are_made_changed_and_deleted_from_either_app_in_the_ways_of_the_other() {
    together(async |world| {
        let key = key("PRESET");
        saved(world.crm().edit(&key, json!({"name": "Contoso", "customertypecode": 5})).await);
        let made = world.settled(&key).await.finance.expect("finance has it");
        let nothing = json!({"CustomerGroupId": "30", "OnHold": "No", "PrimaryContactPhone": "", "ContactPersonId": "",
                             "CreditLimitExpirationDate": "1900-01-01T00:00:00Z"});
        for (name, value) in nothing.as_object().expect("an object") {
            assert_eq!(made[name], *value, "{name}");
        }
        let expires =
            json!({"new_creditlimitexpires": "2026-12-31T12:00:00Z", "creditonhold": true, "telephone1": "1"});
        saved(world.crm().edit(&key, expires).await);
        let changed = world.settled(&key).await.finance.expect("finance has it");
        assert_eq!(
            (&changed["CreditLimitExpirationDate"], &changed["OnHold"]),
            (&json!("2026-12-31T12:00:00Z"), &json!("Yes"))
        );
        assert_eq!(methods(world, &key).await.0, ["POST", "PATCH"]);

        // No date and no text in finance are none in crm.
        let nothing =
            json!({"CreditLimitExpirationDate": "1900-01-01T00:00:00Z", "PrimaryContactPhone": "", "OnHold": "No"});
        saved(world.finance().edit(&key, nothing).await);
        let account = world.settled(&key).await.crm.expect("crm has it");
        assert_eq!((&account["new_creditlimitexpires"], &account["telephone1"]), (&Value::Null, &Value::Null));
        saved(world.finance().delete(&key).await);
        assert_eq!(world.settled(&key).await.crm, None);
        saved(world.finance().edit(&key, customer("Again", 1)).await);
        world.settled(&key).await;
        saved(world.crm().delete(&key).await);
        assert_eq!(world.settled(&key).await.finance, None);
        let wanted = (["POST", "PATCH", "DELETE"], ["PATCH", "DELETE", "PATCH"]);
        let (finance, crm) = methods(world, &key).await;
        assert_eq!((&finance[..], &crm[..]), (&wanted.0.map(str::to_owned)[..], &wanted.1.map(str::to_owned)[..]));
    });
}

#[test]
fn a_lookup_is_set_and_removed_from_either_app_and_one_that_leads_nowhere_is_refused() {
    together(async |world| {
        let key = key("LOOKUP");
        let mut record = customer("Contoso", 1);
        record["ContactPersonId"] = json!(ANN);
        saved(world.finance().edit(&key, record).await);
        let contact = async || {
            let settled = world.settled(&key).await;
            let (finance, crm) = (settled.finance.expect("finance has it"), settled.crm.expect("crm has it"));
            (finance["ContactPersonId"].clone(), crm["_primarycontactid_value"].clone())
        };
        assert_eq!(contact().await, (json!(ANN), json!(ANN)));
        saved(world.crm().edit(&key, json!({"_primarycontactid_value": KARL})).await);
        assert_eq!(contact().await, (json!(KARL), json!(KARL)));
        saved(world.finance().edit(&key, json!({"ContactPersonId": ""})).await);
        assert_eq!(contact().await, (json!(""), Value::Null));
        saved(world.finance().edit(&key, json!({"ContactPersonId": ANN})).await);
        saved(world.crm().edit(&key, json!({"_primarycontactid_value": null})).await);
        assert_eq!(contact().await, (json!(""), Value::Null));
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (2, 3), "no ping-pong");

        let nobody = json!({"ContactPersonId": "0f8fad5b-d9cb-469f-a165-70867728950e"});
        let refused = world.finance().edit(&key, nobody).await.expect("finance answers");
        assert_eq!(
            (refused.status, &refused.body["problem"]["app"]["code"]),
            (422, &json!("0x80040217")),
            "{refused:?}"
        );
        assert_eq!(contact().await, (json!(""), Value::Null));
    });
}

#[test]
fn changes_that_cross_during_a_pause_end_as_the_last_of_them_and_are_told() {
    alone(async |world| {
        let key = key("CROSS");
        saved(world.finance().edit(&key, customer("Before", 1)).await);
        world.settled(&key).await;
        pause(world, "to see").await;
        saved(world.finance().edit(&key, json!({"ContactPersonId": ANN})).await);
        saved(world.crm().edit(&key, json!({"name": "Crm's", "_primarycontactid_value": KARL})).await);
        assert_eq!(applied(world.crm(), &key).await, 1, "nothing is written while the map is paused");
        resume(world, json!({"reason": "seen"})).await;
        let settled = world.settled(&key).await.finance.expect("finance has it");
        assert_eq!((&settled["OrganizationName"], &settled["ContactPersonId"]), (&json!("Crm's"), &json!(KARL)));
        caught_up(world).await;
        assert_eq!(conflicts(world, &key).await.len(), 1);
    });
}

#[test]
fn what_an_app_stored_without_an_answer_is_found_there_and_not_written_again() {
    alone(async |world| {
        let key = key("DROP");
        let lost = json!({"mode": "apply_then_drop", "remaining": 1});
        world.crm().switch(lost.clone()).await.expect("crm is switched");
        let mut record = customer("Contoso", 1);
        (record["ContactPersonId"], record["PrimaryContactPhone"]) = (json!(ANN), json!(""));
        let told = saved(world.finance().edit(&key, record).await);
        assert_eq!((&told["status"], &told["failure"]["outcome"]), (&json!("queued"), &json!("unknown")), "{told}");
        world.settled(&key).await;
        assert_eq!(applied(world.crm(), &key).await, 1, "{:?}", world.crm().calls(&key).await);

        world.finance().switch(lost).await.expect("finance is switched");
        saved(world.crm().edit(&key, json!({"_primarycontactid_value": null})).await);
        world.settled(&key).await;
        assert_eq!(applied(world.finance(), &key).await, 1, "{:?}", world.finance().calls(&key).await);

        world.finance().switch(json!({"mode": "429", "retry_after_seconds": 1})).await.expect("finance is switched");
        let told = saved(world.crm().edit(&key, json!({"name": "Fabrikam"})).await);
        assert_eq!((&told["status"], &told["failure"]["class"]), (&json!("queued"), &json!("throttled")), "{told}");
        world.finance().switch(json!({"mode": "normal"})).await.expect("finance is switched");
        assert_eq!(world.settled(&key).await.finance.expect("finance has it")["OrganizationName"], "Fabrikam");
        assert_eq!((open_lane(world, &key).await, conflicts(world, &key).await), (None, Vec::new()));
    });
}

/// What the app answers to a change that stands.
fn saved(answer: anyhow::Result<local::Answer>) -> Value {
    let answer = answer.expect("the app answers");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["tandem"].clone()
}

/// The methods by which Tandem changed a record in finance and in crm, in order.
async fn methods(world: &World, key: &str) -> (Vec<String>, Vec<String>) {
    let of = async |app: &local::App| {
        let calls = app.calls(key).await.expect("the app answers");
        let applied = calls.iter().filter(|call| call["applied"] == true);
        applied.map(|call| call["method"].as_str().unwrap_or_default().to_owned()).collect()
    };
    (of(world.finance()).await, of(world.crm()).await)
}

/// The conflicts of a record that are listed.
pub(crate) async fn conflicts(world: &World, key: &str) -> Vec<Value> {
    let listed = world.admin.get(&path("conflicts?limit=200")).await.expect("admin answers");
    listed["conflicts"].as_array().expect("a list").iter().filter(|conflict| conflict["key"] == key).cloned().collect()
}
