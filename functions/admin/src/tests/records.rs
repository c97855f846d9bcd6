//! Records an operator looks at: those that are not written yet, and what one would become.

use app::ports::{ConfigStore, LaneKey, Role};
use domain::{
    ContentHash, ErrorClass, Failure, MapId, Owner, SideIx, Timestamp,
    failure::CallEffect,
    id::{EntryId, MapUid},
    lane::{ActiveEntry, Entry, Head, Mode, ParkReason, StepFailure, Work, Write},
    map::PerSide,
    record::Image,
};
use serde_json::{Value, json};
use testkit::config::OpenLane;

use super::harness::Api;

fn lane(key: &str) -> LaneKey {
    LaneKey { map: "customers".parse().unwrap(), key: key.parse().unwrap() }
}

fn head(uid: MapUid) -> Head {
    let mut head = Head::new(uid, Timestamp(1));
    head.done_seq = 6;
    head.next_seq = 10;
    head
}

fn entry() -> Entry {
    let id = "01KAQ5Z3S8XYZABCDEFGHJKMNP".parse().unwrap();
    let (body, image) = (ContentHash(1), Image::Absent);
    let write = Write { id, body, origin: Some(SideIx::First), shape: SideIx::First, mode: Mode::Sync, image };
    Entry::new(7, EntryId(1), Work::Write(write), Timestamp::parse("2026-11-23T11:00:00Z").unwrap())
}

fn failed(attempts: u32) -> Entry {
    let failure = Failure::new(ErrorClass::Application, CallEffect::Refused, Some("X7".into()), "closed period");
    let step = StepFailure { to: SideIx::Second, at: Timestamp::parse("2026-11-23T11:30:00Z").unwrap(), failure };
    Entry { attempts, last_failure: Some(step), ..entry() }
}

fn in_flight(owner: Option<Owner>, direct: Option<Entry>) -> ActiveEntry {
    let writing = PerSide([None, None]);
    ActiveEntry { seq: 7, entry: EntryId(1), owner, lease_end: Timestamp(5), writing, direct: direct.map(Box::new) }
}

/// One lane of each kind.
fn lanes(uid: MapUid) -> Vec<OpenLane> {
    let base = || head(uid);
    let parked = || Head { parked: true, ..base() };
    let half = Entry { parked: Some(ParkReason::HalfWritten), ..failed(2) };
    let held = |owner, direct| Head { inflight: Some(in_flight(owner, direct)), ..base() };
    let waiting = Head { not_before: Timestamp::parse("2026-11-23T12:01:00Z").unwrap(), ..base() };
    vec![
        (lane("a#/ü"), base(), Some(entry())),
        (lane("b"), held(Some(Owner(1)), Some(Entry { attempts: 1, ..entry() })), None),
        (lane("c"), held(None, None), Some(failed(1))),
        (lane("d"), waiting, Some(failed(3))),
        (lane("e"), parked(), Some(Entry { parked: Some(ParkReason::Refused), ..failed(1) })),
        (lane("f"), parked(), Some(half)),
        (lane("g"), base(), None),
    ]
}

#[tokio::test]
async fn every_record_that_is_not_written_yet_is_listed_with_what_stands_in_its_way() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Viewer).await;
    let id: MapId = "customers".parse().unwrap();
    let uid = api.world.store.map(&id).await.unwrap().unwrap().uid;
    assert_eq!(api.get("/maps/customers/open").await.json(), json!({"lanes": []}));
    api.world.store.set_open(&id, lanes(uid));
    let listed = api.get("/maps/customers/open").await.json();
    let told: Vec<_> =
        listed["lanes"].as_array().unwrap().iter().map(|lane| (lane["key"].clone(), lane["state"].clone())).collect();
    let wanted = ["queued", "in_flight", "retrying", "retrying", "parked", "parked", "queued"];
    assert_eq!(told.len(), wanted.len());
    assert!(told.iter().map(|(_, state)| state).eq(&wanted.map(Value::from)), "{told:?}");
    assert_eq!(told[0].0, "a#/ü");
    let half = &listed["lanes"][5];
    assert_eq!(
        (&half["half_written"], &half["seq"], &half["attempts"], &half["behind"]),
        (&json!(true), &json!(7), &json!(2), &json!(2))
    );
    assert_eq!((&half["since"], half.get("not_before")), (&json!("2026-11-23T11:00:00Z"), None));
    let wanted = json!({"to": "crm", "at": "2026-11-23T11:30:00Z", "class": "application", "code": "X7", "message": "closed period"});
    assert_eq!(half["last_failure"], wanted);
    assert_eq!(listed["lanes"][3]["not_before"], "2026-11-23T12:01:00Z");
    assert_eq!((&listed["lanes"][1]["attempts"], &listed["lanes"][4]["half_written"]), (&json!(1), &json!(false)));
}

#[tokio::test]
async fn the_list_has_a_limit() {
    let api = Api::with_map().await;
    let id: MapId = "customers".parse().unwrap();
    api.world.store.set_open(&id, lanes(MapUid(1)));
    assert_eq!(api.get("/maps/customers/open?limit=2").await.json()["lanes"].as_array().unwrap().len(), 2);
    for wrong in ["limit=0", "limit=501", "limit=-1", "limit=x", "limit="] {
        let answer = api.get(&format!("/maps/customers/open?{wrong}")).await;
        answer.is_problem(400, "invalid_request", "limit: must be a number from 1 to 500");
    }
    api.get("/maps/customers/open?max=2").await.is_problem(400, "invalid_request", "max: is not known here");
    api.get("/maps/none/open").await.is_problem(404, "map_not_found", "");
}

#[tokio::test]
async fn a_preview_shows_what_a_record_becomes_and_writes_nothing() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Viewer).await;
    let record =
        json!({"CustomerAccount": "C-1", "Name": "Ada", "Limit": "10.50", "Group": "20", "Fax": "1", "Test": true});
    let told =
        api.post("/maps/customers/preview", &json!({"from": "finance", "key": "C-1", "record": record})).await.json();
    let as_sent: serde_json::Number = "10.50".parse().unwrap();
    let wanted = json!({
        "to": "crm", "entity": "accounts", "key_field": "accountnumber", "key": "C-1",
        "record": {"name": "Ada", "limit": as_sent, "category": "Wholesale", "source": "finance"},
        "passes_filter": false, "not_carried": ["Fax", "Test"], "written": false,
    });
    assert_eq!(told, wanted);
    let back =
        json!({"from": "crm", "key": "C-1", "record": {"name": "Ada", "category": "Retail", "source": "import"}});
    let told = api.post("/maps/customers/preview", &back).await.json();
    assert_eq!(told["record"], json!({"Name": "Ada", "Limit": null, "Group": "10"}));
    assert_eq!((&told["passes_filter"], &told["not_carried"]), (&json!(true), &json!(["source"])));
}

#[tokio::test]
async fn a_record_that_cannot_be_mapped_names_the_field() {
    let api = Api::with_map().await;
    let ask = |record: Value| json!({"from": "finance", "key": "C-1", "record": record});
    for (record, says) in [
        (json!({}), "record.Name: is required"),
        (json!({"Name": "x", "Limit": "hunter2"}), "record.Limit: is not a decimal"),
        (json!({"Name": "x", "Group": "hunter2"}), "record.Group: has a value that is in no pair"),
    ] {
        let answer = api.post("/maps/customers/preview", &ask(record)).await;
        answer.is_problem(422, "mapping", says);
        assert_eq!(answer.json()["class"], "mapping");
        assert!(!answer.text.contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_preview_is_named() {
    let api = Api::with_map().await;
    for (body, says) in [
        (
            json!({"from": "erp", "key": "C-1", "record": {}}),
            "from: must be one of the map's two sides, finance or crm",
        ),
        (json!({"from": "crm", "key": "", "record": {}}), "key: must not be empty"),
        (json!({"from": "crm", "key": "x".repeat(257), "record": {}}), "key: has 257 bytes"),
        (json!({"from": "crm", "key": "a\u{0}", "record": {}}), "key: must not contain control"),
        (json!({"from": "crm", "key": "C-1"}), "body: missing field `record`"),
        (json!({"from": "crm", "key": "C-1", "record": []}), "record: invalid type"),
        (json!({"from": "crm", "key": 5, "record": {}}), "key: invalid type"),
        (json!({"from": "crm", "key": "C-1", "record": {}, "write": true}), "write: unknown field"),
    ] {
        api.post("/maps/customers/preview", &body).await.is_problem(400, "invalid_request", says);
    }
    let good = json!({"from": "crm", "key": "a#/'\"ü", "record": {"name": "x", "category": "Retail"}});
    assert_eq!(api.post("/maps/customers/preview", &good).await.json()["key"], "a#/'\"ü");
    api.post("/maps/none/preview", &good).await.is_problem(404, "map_not_found", "");
}
