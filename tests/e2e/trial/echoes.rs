//! Apps that do not report what Tandem writes, or that store it in another form and report that. The test plays their triggers.

use serde_json::{Value, json};

use super::{Trial, field};
use crate::{
    stack::together,
    values::{id, key},
};

#[test]
fn a_value_that_is_set_back_is_carried_whatever_the_app_says_with_it() {
    together(async |world| {
        for (name, reports) in [("silent", false), ("silent-unset", true)] {
            // The second side has the default setting, and its app does not keep to it.
            let trial = Trial::start(world, name, json!({"reports_own_writes": reports}), json!({})).await;
            for (mode, has_version) in [("committed", false), ("sync", false), ("committed", true), ("sync", true)] {
                let key = key("SILENT");
                assert_eq!(trial.report(&key, json!({"name": "Red"})).await.text("status"), "written");
                trial.a.put(&key, json!({"name": "Red"}));
                for (version, colour) in ["Blue", "Red"].iter().enumerate() {
                    trial.b.put(&key, json!({ "name": colour }));
                    let origin = format!("{name}-b");
                    let mut write = json!({"record": {"name": colour}, "mode": mode, "origin": origin});
                    if has_version {
                        write["version"] = json!(version + 1);
                    }
                    let told = trial.send(&key, write).await;
                    assert!(told.text("status") == "written" || told.status == 202, "{name} {mode} {colour}: {told:?}");
                    trial.settled(&key).await;
                    assert_eq!(trial.a.record(&key), Some(json!({ "name": colour })), "{name} {mode} {has_version}");
                    assert_eq!(trial.b.record(&key), Some(json!({ "name": colour })), "{name} {mode} {has_version}");
                }
            }
            trial.end().await;
        }
    });
}

/// How an app stores a name that it is sent.
type Tidies = fn(&str) -> Value;

/// Both apps report what they have stored, until nothing is written any more. How often Tandem wrote, and how it ended.
async fn bounced(
    trial: &Trial<'_>,
    key: &str,
    tells_before: bool,
    [in_a, in_b]: [Tidies; 2],
) -> (usize, local::Answer) {
    let mut said = in_a("+1 (555) Kim. ");
    let mut before = [Value::Null, Value::Null];
    let mut from_a = true;
    for _ in 0..20 {
        let (side, stub, store) = if from_a { ("a", &trial.b, in_b) } else { ("b", &trial.a, in_a) };
        let written = stub.writes_of(key).len();
        let origin = format!("{}-{side}", trial.map.trim_start_matches("trial-"));
        let mut write = json!({"id": id(), "record": {"name": said}, "mode": "committed", "origin": origin});
        if tells_before && !before[usize::from(from_a)].is_null() {
            write["before"] = json!({"name": before[usize::from(from_a)]});
        }
        let told = trial.send(key, write).await;
        let last = stub.writes_of(key);
        if last.len() == written {
            return (trial.a.writes_of(key).len() + trial.b.writes_of(key).len(), told);
        }
        before[usize::from(from_a)] = json!(said);
        let sent: Value = serde_json::from_str(&last[written].body).expect("JSON");
        said = sent["name"].as_str().map_or(Value::Null, store);
        stub.put(key, json!({ "name": said }));
        from_a = !from_a;
    }
    panic!("it never ends");
}

#[test]
fn two_apps_that_store_another_form_come_to_rest_by_a_rule_or_wait_for_an_operator_who_is_told_the_rule() {
    let same: Tidies = |text| json!(text);
    let cases: [(&str, Value, [Tidies; 2]); 4] = [
        ("trims", json!({"trim": true}), [same, |text| json!(text.trim())]),
        ("cases", json!({"ignore_case": true}), [|text| json!(text.to_lowercase()), |text| json!(text.to_uppercase())]),
        ("blanks", json!({"blank_is_null": true}), [|_| json!(""), |_| Value::Null]),
        ("phones", json!({}), [same, |text| json!(text.replace(['(', ')', ' '], "-"))]),
    ];
    together(async |world| {
        for (name, rule, tidies) in cases {
            let none = json!({"blank_is_null": false});
            let rules = if rule == json!({}) { vec![none.clone()] } else { vec![rule, none.clone()] };
            for (at, rule) in rules.into_iter().enumerate() {
                let name = format!("{name}-{at}");
                let mut with = field(&name, "name", "");
                with["compare"] = rule.clone();
                let trial =
                    Trial::start(world, &name, json!({"reports_own_writes": true}), json!({"fields": [with]})).await;
                let mut side =
                    world.admin.get(&format!("/sides/{name}-a")).await.expect("admin answers")["config"].clone();
                side["reports_own_writes"] = json!(true);
                world.admin.overwrite(&format!("/sides/{name}-a"), &side).await.expect("admin takes it");
                for tells_before in [false, true] {
                    let key = key("BOUNCE");
                    let (writes, told) = bounced(&trial, &key, tells_before, tidies).await;
                    if rule == none {
                        assert!(writes <= 8, "{name}: {writes} {told:?}");
                    } else {
                        assert_eq!((writes, told.text("reason")), (1, "echo"), "{name}: {told:?}");
                    }
                }
                trial.end().await;
            }
        }
    });
}
