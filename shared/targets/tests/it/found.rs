//! Apps that choose the ids of their records: a record is found by its key, and then named by its id.

use std::sync::Mutex;

use app::ports::{Apps, Call};
use domain::{
    failure::{CallEffect, ErrorClass},
    side::Side,
};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Server, answer, tagged},
    setup::{address, delete, local, side, sort, upsert, was_gone},
};

fn finds(server: &Server, url: &str, more: Value) -> Side {
    let mut all = json!({"find": {"url": url, "id_field": "id"}, "capability": "plain"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let side = side("rest", &server.url(), all);
    assert_eq!(side.config.mistakes(), []);
    side
}

/// An app that numbers its records, and has a shortened form of them in its lists.
async fn numbering() -> Server {
    let held: Mutex<Vec<Value>> = Mutex::new(Vec::new());
    Server::start(move |seen| {
        let mut held = held.lock().unwrap();
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let id = path.rsplit('/').next().unwrap().parse::<u64>().ok();
        let place = held.iter().position(|record| id.is_some() && record["id"] == json!(id));
        let none = || answer(404, json!({"message": "no such id"}));
        match (seen.method.as_str(), id, place) {
            ("GET", None, _) => {
                let rows =
                    held.iter().filter(|record| query == format!("code={}", record["accountnumber"].as_str().unwrap()));
                let short = rows.map(|record| json!({"id": record["id"], "accountnumber": record["accountnumber"]}));
                answer(200, json!({"data": short.collect::<Vec<_>>()}))
            }
            ("POST", None, _) => {
                let mut record = seen.json();
                record["id"] = json!(41 + held.len());
                held.push(record);
                answer(201, "{}")
            }
            ("GET", Some(_), Some(place)) => tagged(200, "\"7\"", &held[place]),
            ("PATCH", Some(_), Some(place)) => {
                held[place].as_object_mut().unwrap().extend(seen.json().as_object().unwrap().clone());
                answer(200, "{}")
            }
            ("DELETE", Some(_), Some(place)) => {
                held.remove(place);
                answer(204, "")
            }
            _ => none(),
        }
    })
    .await
}

#[tokio::test]
async fn a_record_is_made_found_changed_and_deleted_by_the_id_that_the_app_chose() {
    let server = numbering().await;
    let side = finds(&server, "{entity}?code={key}", json!({}));
    assert_eq!(side.config.requests_per_write(), 4);
    let apps = local();
    assert_eq!(apps.read(&side, &address("C-1")).await, Ok(None));
    for name in ["x", "y", "y"] {
        apps.write(&side, &upsert(json!({"name": name}))).await.unwrap();
    }
    let found = apps.read(&side, &address("C-1")).await.unwrap().unwrap();
    assert_eq!((&found.record["name"], found.etag.as_deref()), (&json!("y"), Some("\"7\"")));
    apps.write(&side, &delete()).await.unwrap();
    assert_eq!(apps.write(&side, &delete()).await, Ok(was_gone()));
    let seen: Vec<_> = server.seen().into_iter().map(|seen| format!("{} {}", seen.method, &seen.path[5..])).collect();
    let (find, get) = ("GET /accounts?code=C-1", "GET /accounts/41");
    assert_eq!(
        seen,
        [
            find, // nothing is there
            find,
            "POST /accounts",
            find,
            get,
            "PATCH /accounts/41",
            find,
            get, // it is as it should be
            find,
            get,
            find,
            get,
            "DELETE /accounts/41",
            find,
        ]
    );
    let [post, patch] = [2, 5].map(|at: usize| server.seen()[at].clone());
    assert_eq!(post.json(), json!({"accountnumber": "C-1", "name": "x"}));
    assert_eq!((patch.json(), patch.header("if-match")), (json!({"name": "y"}), Some("\"7\"")));
}

/// An app that does not know a parameter answers with all records; the first page need not have ours.
#[tokio::test]
async fn only_an_answer_about_the_key_says_that_there_is_no_record() {
    let other = json!({"id": 1, "accountnumber": "C-2"});
    let ours = json!({"id": 2, "accountnumber": "C-1"});
    for (answered, says, effect) in [
        (json!([other]), "with other records", CallEffect::NotApplied),
        (json!([ours, other, ours]), "2 records with accountnumber = C-1", CallEffect::Refused),
        (json!({"entries": [ours]}), "connector.list.rows", CallEffect::NotApplied),
        (json!([{"accountnumber": "C-1"}]), "has no id", CallEffect::NotApplied),
        (json!({"success": false, "data": []}), "says that it failed", CallEffect::NotApplied),
    ] {
        let server = Server::start(move |_| answer(200, &answered)).await;
        let side = finds(&server, "{entity}?code={key}", json!({}));
        for call in [upsert(json!({"name": "x"})), delete()] {
            let failure = local().write(&side, &call).await.unwrap_err();
            assert!(failure.message.contains(says), "{}", failure.message);
            assert_eq!(failure.effect, effect, "{failure:?}");
        }
        assert!(server.methods().iter().all(|method| method == "GET"), "nothing was written");
    }
    for reply in [answer(503, ""), Reply::Close, answer(200, "<html>login</html>")] {
        let server = Server::start(move |_| reply.clone()).await;
        let failure = local().write(&finds(&server, "{entity}?q={key}", json!({})), &delete()).await.unwrap_err();
        assert_eq!(failure.effect, CallEffect::NotApplied, "{failure:?}");
    }
}

#[tokio::test]
async fn the_answer_may_be_the_record_itself_or_have_the_key_in_another_spelling() {
    let record = json!({"id": "a/b", "accountnumber": "c-1 ", "name": "x", "items": [{"id": 5}]});
    let server = Server::start(move |seen| match seen.path.contains("none") {
        true => answer(404, json!({"message": "none"})),
        false => answer(200, json!({"data": record})),
    })
    .await;
    let side = finds(&server, "{entity}/by-code/{key}", json!({"envelope": "/data"}));
    let found = local().read(&side, &address("C-1")).await.unwrap().unwrap();
    assert_eq!(found.record["name"], "x");
    assert_eq!(local().read(&side, &address("none/1")).await, Ok(None));
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/data/accounts/by-code/C-1", "/data/accounts/a%2Fb", "/data/accounts/by-code/none%2F1"]);
}

#[tokio::test]
async fn an_odata_app_is_asked_with_a_filter_and_its_guid_stands_bare() {
    const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.contains("filter")) {
        ("GET", true) => answer(
            200,
            json!({"@odata.context": "x", "value": [{"id": GUID, "accountnumber": "O'N", "company": "us"}]}),
        ),
        ("GET", false) => {
            answer(200, json!({"@odata.context": "x", "@odata.etag": "W/\"3\"", "id": GUID, "accountnumber": "O'N"}))
        }
        _ => answer(204, ""),
    })
    .await;
    let more = json!({"find": {"id_field": "id"}, "capability": "plain"});
    let side = side("business_central", &server.url(), more);
    assert_eq!(side.config.mistakes(), []);
    let mut call = Call { record: address("O'N"), ..upsert(json!({"name": "x"})) };
    call.record.fixed_key.insert("company".to_owned(), json!("us"));
    local().write(&side, &call).await.unwrap();
    let seen = server.seen();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    let by_id = format!("/data/accounts({GUID})");
    let filter = "/data/accounts?$filter=company%20eq%20%27us%27%20and%20accountnumber%20eq%20%27O%27%27N%27";
    assert_eq!(paths, [filter, &by_id, &by_id]);
    assert_eq!((seen[2].method.as_str(), seen[2].header("if-match")), ("PATCH", Some("W/\"3\"")));
}

/// A record that somebody deletes in between is made anew, and one that the app cannot be asked about is left alone.
#[tokio::test]
async fn a_record_that_goes_away_after_it_was_found_is_made_anew() {
    let looks = Mutex::new(0);
    let server = Server::start(move |seen| {
        let mut looks = looks.lock().unwrap();
        match (seen.method.as_str(), seen.path.contains("code=")) {
            ("GET", true) => {
                *looks += 1;
                let rows = if *looks == 1 { json!([{"id": 1, "accountnumber": "C-1"}]) } else { json!([]) };
                answer(200, rows)
            }
            ("GET", false) => answer(200, json!({"id": 1, "accountnumber": "C-1", "name": "old"})),
            ("PATCH", _) => answer(404, json!({"message": "gone"})),
            _ => answer(201, "{}"),
        }
    })
    .await;
    let side = finds(&server, "{entity}?code={key}", json!({}));
    local().write(&side, &upsert(json!({"name": "x"}))).await.unwrap();
    assert_eq!(server.methods(), ["GET", "GET", "PATCH", "GET", "POST"]);
    let server = Server::start(|_| answer(400, json!({"error": {"message": "bad query"}}))).await;
    let failure = local().read(&finds(&server, "{entity}?code={key}", json!({})), &address("C-1")).await.unwrap_err();
    assert_ne!(sort(&failure).0, ErrorClass::Mapping);
}
