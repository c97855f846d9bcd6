//! Copies: what is read from an app and written to the other one. A page, a blank answer, or half a record is neither the record
//! nor its absence, whatever the copy is made for.

use serde_json::{Value, json};

use super::{
    Trial,
    answers::PAGE,
    stub::{Asked, Reply},
};
use crate::{stack::together, until::until, values::key};

/// Status, media type, and body, in which `KEY` stands for the record's key.
type Bad = (u16, &'static str, &'static str);

const JSON: &str = "application/json";
/// What no app means as a record or its absence.
const BAD: [Bad; 14] = [
    (404, "text/html", PAGE),
    (410, "text/html", PAGE),
    (200, "text/html", PAGE),
    (200, JSON, PAGE),
    (204, "", ""),
    (202, JSON, "{}"),
    (200, JSON, ""),
    (200, JSON, "{}"),
    (200, JSON, "null"),
    (200, JSON, r#"{"success": false}"#),
    (200, JSON, r#"{"error": {"message": "no"}}"#),
    (200, JSON, r#"{"value": []}"#),
    (200, JSON, r#"{"key": "KEY", "colour": "green"}"#), // none of the mapped fields
    (200, JSON, r#"{"name": "Eve"}"#),                   // without its key
];

/// Reads of these records are answered so.
fn reads_get_bad(operations: &'static [&str]) -> impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static {
    move |asked| {
        let (operation, rest) = asked.key.split_once('-')?;
        let (status, kind, body) = BAD[rest.split_once('-')?.0.parse::<usize>().ok()?];
        let is_read = asked.method == "GET" && operations.contains(&operation);
        is_read.then(|| Reply::Http(status, kind, body.replace("KEY", &asked.key)))
    }
}

/// One record for each bad answer; both apps have it.
fn records(trial: &Trial<'_>, operation: &str) -> Vec<String> {
    let keys: Vec<_> = (0..BAD.len()).map(|at| key(&format!("{operation}-{at}"))).collect();
    for key in &keys {
        trial.a.put(key, json!({"name": "Bob", "colour": "blue"}));
        trial.b.put(key, json!({"name": "Ada", "colour": "red"}));
    }
    keys
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

#[test]
fn a_copy_is_made_of_the_record_and_of_nothing_else() {
    together(async |world| {
        // One side speaks OData, the other REST.
        let of_b = json!({"connector": {"kind": "rest"}, "reports_own_writes": true});
        let trial = Trial::start(world, "copies", of_b, json!({})).await;
        let [recovered, reverted, crossed, unclear] =
            ["RECOVER", "REVERT", "CROSS", "UNCLEAR"].map(|operation| records(&trial, operation));

        // A change that was discarded, and one that the app refused.
        trial.command("pause", json!({})).await;
        for key in &recovered {
            assert_eq!(trial.report(key, named("Bob")).await.status, 202);
        }
        trial.command("resume", json!({"backlog": "discard"})).await;
        let archived = until("the discarded changes", async || {
            let listed = trial.get("/archive?limit=200").await["archived"].clone();
            (listed.as_array().expect("a list").len() == BAD.len()).then_some(listed)
        })
        .await;
        trial.b.answers(|asked| {
            let refused = json!({"error": {"code": "E1", "message": "no"}});
            (asked.method == "PATCH" && asked.key.starts_with("REVERT"))
                .then(|| Reply::Http(400, JSON, refused.to_string()))
        });
        for key in &reverted {
            assert_eq!(trial.report(key, named("Bob")).await.text("status"), "parked");
        }
        // A user of `b` sets back what Tandem wrote, and `b` does not say what was before.
        for key in &unclear {
            trial.a.put(key, named("Red"));
            assert_eq!(trial.report(key, named("Red")).await.text("status"), "written");
            assert_eq!(trial.report_by_b(key, named("Blue")).await.text("status"), "written");
            trial.settled(key).await;
            assert_eq!(trial.a.record(key), Some(named("Blue")));
            trial.b.put(key, named("Red"));
        }
        // Both users change a record during a pause.
        trial.command("pause", json!({})).await;
        for key in &crossed {
            assert_eq!(trial.report(key, named("Bob")).await.status, 202);
            assert_eq!(trial.report_by_b(key, named("Ada")).await.status, 202);
        }

        let (of_a, of_b) = (trial.a.writes().len(), trial.b.writes().len());
        trial.a.answers(reads_get_bad(&["RECOVER", "CROSS"]));
        trial.b.answers(reads_get_bad(&["REVERT", "UNCLEAR"]));
        trial.command("resume", json!({})).await;
        for key in &unclear {
            let told = trial.report_by_b(key, named("Red")).await;
            assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
        }
        for one in archived.as_array().expect("a list") {
            let path = trial.path(&format!("/archive/{}/recover", one["archive_id"].as_str().expect("an id")));
            world.admin.post(&path, &json!({"reason": "bring it back"})).await.expect("it is brought back");
        }
        trial.of_each("revert", &reverted, 1).await;
        let waiting = [&recovered[..], &reverted, &crossed, &unclear].concat();
        until("an attempt of each", async || {
            let _swept = world.stack.sweep().await;
            let open = trial.get("/open?limit=200").await;
            let tried = |lane: &&Value| lane["last_failure"]["message"].is_string();
            (open["lanes"].as_array().expect("a list").iter().filter(tried).count() == waiting.len()).then_some(())
        })
        .await;
        assert_eq!(trial.a.writes().len(), of_a, "nothing was copied");
        let written = trial.b.writes()[of_b..].iter().filter(|asked| !crossed.contains(&asked.key)).count();
        assert_eq!(written, 0, "nothing was copied");
        let noted = trial.get("/conflicts?limit=200").await;
        let is_new = |conflict: &&Value| crossed.iter().any(|key| conflict["key"] == *key);
        assert_eq!(
            noted["conflicts"].as_array().expect("a list").iter().filter(is_new).count(),
            0,
            "nothing is lost yet"
        );

        trial.a.is_well();
        trial.b.is_well();
        for key in &waiting {
            trial.settled(key).await;
        }
        let apps = |key: &String| (trial.a.record(key), trial.b.record(key));
        for at in 0..BAD.len() {
            let colours = |name: &str| {
                (Some(json!({"name": name, "colour": "blue"})), Some(json!({"name": name, "colour": "red"})))
            };
            assert_eq!(apps(&recovered[at]), colours("Bob"), "{:?}", BAD[at]);
            assert_eq!(apps(&reverted[at]), colours("Ada"), "{:?}", BAD[at]);
            assert_eq!(apps(&crossed[at]), colours("Ada"), "{:?}", BAD[at]);
            assert_eq!(apps(&unclear[at]), (Some(named("Red")), Some(named("Red"))), "{:?}", BAD[at]);
        }
        let noted = trial.get("/conflicts?limit=200").await;
        let lost: Vec<_> = noted["conflicts"].as_array().expect("a list").iter().filter(is_new).collect();
        assert_eq!(lost.len(), BAD.len());
        assert!(lost.iter().all(|conflict| conflict["lost"]["record"] == named("Bob")), "{lost:?}");
        trial.end().await;
    });
}
