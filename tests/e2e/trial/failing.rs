//! Records on which their app fails each time, among others that it takes.

use serde_json::{Value, json};

use super::{
    Trial,
    stub::{Asked, Reply},
};
use crate::{requests::Request, stack::alone, until::until, values::id};

const FAILING: usize = 100;
const HEALTHY: usize = 20;

/// Records whose key begins with this are failed on, in one of two ways.
fn fails(asked: &Asked) -> Option<Reply> {
    let refused = json!({"error": {"code": "0x80040220", "message": "the user lacks a privilege for this account"}});
    match asked.key.as_bytes().first() {
        _ if asked.method == "GET" => None,
        Some(b'F') => Some(Reply::Http(500, "application/json", json!({"error": {"message": "oops"}}).to_string())),
        Some(b'G') => Some(Reply::Http(403, "application/json", refused.to_string())),
        Some(b'K') => Some(Reply::Cut),
        _ => None,
    }
}

/// How many are parked, each with the app's words. Sweeps; and life goes on: what the app takes meanwhile tells that it is these records.
async fn parked(trial: &Trial<'_>) -> usize {
    let _swept = trial.world.stack.sweep().await;
    assert_eq!(trial.report("H-live", json!({"name": id()})).await.status, 200);
    let errors = trial.world.admin.get(&trial.path("/errors?limit=200")).await.expect("admin answers");
    let says = |entry: &&Value| entry["parked"] == "keeps_failing" && entry["last_failure"]["message"] != "";
    errors["entries"].as_array().expect("a list").iter().filter(says).count()
}

#[test]
fn healthy_records_are_written_though_many_that_always_fail_stand_before_them_and_those_are_parked() {
    alone(async |world| {
        let trial = Trial::start(world, "starved", json!({}), json!({})).await;
        trial.command("pause", json!({})).await;
        let failing = (0..FAILING).map(|n| format!("{}-{n}", if n % 2 == 0 { "F" } else { "G" }));
        let keys: Vec<String> = failing.chain((0..HEALTHY).map(|n| format!("H-{n}"))).collect();
        for keys in keys.chunks(50) {
            let write = |key: &String| {
                json!({"id": id(), "map": trial.map, "key": key, "origin": "starved-a", "mode": "committed",
                       "record": {"name": "Ada"}})
            };
            let writes: Vec<Value> = keys.iter().map(write).collect();
            let told = Request::post("/writes/batch", &json!({ "writes": writes })).signed(world).send(world).await;
            let queued = |answer: &Value| answer["status_code"] == 202;
            assert!(told.body["answers"].as_array().is_some_and(|answers| answers.iter().all(queued)), "{told:?}");
        }
        trial.b.answers(fails);
        trial.command("resume", json!({})).await;
        let healthy = |asked: &Asked| asked.key.starts_with('H');
        until("all that are healthy", async || {
            let written = trial.b.writes().iter().filter(|asked| healthy(asked)).count();
            (written == HEALTHY).then_some(())
        })
        .await;
        let before_the_last = trial.b.writes().iter().rposition(healthy).expect("one") + 1;
        assert!(before_the_last <= 4 * HEALTHY, "the last one came as number {before_the_last}");
        // The first four backoffs take half a minute.
        for (what, count) in [("the first to be parked", 1), ("all that fail to be parked", FAILING)] {
            until(what, async || (parked(&trial).await >= count).then_some(())).await;
        }
        let map = world.admin.get(&trial.path("")).await.expect("admin answers");
        assert_eq!(map["state"], "Running", "the catch-up is over: {map}");
        trial.end().await;
    });
}

#[test]
fn a_record_whose_write_breaks_the_connection_holds_up_no_other() {
    alone(async |world| {
        let trial = Trial::start(world, "killer", json!({}), json!({})).await;
        trial.b.answers(fails);
        let told = trial.report("K-1", json!({"name": "deadly"})).await;
        assert_eq!((told.status, &told.body["failure"]["class"]), (202, &json!("network")), "{told:?}");
        for n in 0..20 {
            let told = trial.report(&format!("H-{n}"), json!({"name": "Ada"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        }
        until("a second attempt, without any sweep", async || (trial.b.writes_of("K-1").len() >= 2).then_some(()))
            .await;
        let health = world.admin.get("/sides/killer-b").await.expect("admin answers")["health"].clone();
        assert!(health["taken_at"].is_string() && health.get("trouble").is_none(), "{health}");
        // An operator tries it again at once: the backoffs of eight attempts take four minutes. Before the last of them, it is noted
        // that the app has taken others.
        let retry = json!({"command": "retry", "entries": [{"key": "K-1", "seq": 1}], "reason": "once more"});
        let parked = until("it to be parked", async || {
            assert_eq!(trial.report("H-live", json!({"name": id()})).await.text("status"), "written");
            let waits = world.admin.get(&trial.path("/queue/entries?key=K-1")).await.expect("admin answers");
            let side = world.admin.get("/sides/killer-b").await.expect("admin answers");
            let entry = waits["entries"][0].clone();
            let taken_since = side["health"]["taken_at"].as_str() > entry["last_failure"]["at"].as_str();
            if entry["parked"].is_null() && (entry["attempts"].as_u64() < Some(7) || taken_since) {
                // Refused while an attempt is under way.
                world.admin.post(&trial.path("/entries"), &retry).await.expect("admin answers");
            }
            entry["parked"].is_string().then_some(entry)
        })
        .await;
        assert_eq!(parked["parked"], "keeps_failing", "{parked}");
        let attempts = parked["attempts"].as_u64().expect("a number");
        assert!(attempts >= 8, "{parked}");
        assert_eq!(trial.b.writes_of("K-1").len() as u64, attempts, "each attempt is one call");
        assert_eq!(trial.report("H-0", json!({"name": "Eve"})).await.text("status"), "written");
        trial.end().await;
    });
}

#[test]
fn an_app_that_does_not_answer_is_named_by_the_api_until_it_is_back() {
    alone(async |world| {
        let trial = Trial::start(world, "outage", json!({}), json!({})).await;
        trial.b.answers(|_| Some(Reply::Http(503, "text/plain", String::new())));
        for n in 0..8 {
            let told = trial.report(&format!("H-{n}"), json!({"name": "Ada"})).await;
            assert_eq!((told.status, &told.body["failure"]["class"]), (202, &json!("unavailable")), "{told:?}");
        }
        let trouble = || async {
            let side = world.admin.get("/sides/outage-b").await.expect("admin answers");
            side["health"]["trouble"]["message"].as_str().map(str::to_owned)
        };
        let says = until("it to be told", async || trouble().await).await;
        assert!(says.starts_with("outage-b has not answered since "), "{says}");
        trial.b.is_well();
        for n in 0..8 {
            trial.settled(&format!("H-{n}")).await;
        }
        until("it to be over", async || trouble().await.is_none().then_some(())).await;
        trial.end().await;
    });
}
