//! `/maps/{map}/syncs`.

use std::collections::BTreeSet;

use app::ports::{ConfigStore, Description, EntityDescription, FieldFacets, FindingChange, Ports, SyncRuns};
use domain::{
    ErrorClass, Failure, RecordKey, SideIx, Timestamp,
    failure::CallEffect,
    sync::{FailedCopy, Finding, FindingState, RunState, SyncRun},
};
use serde_json::{Value, json};

use super::harness::{Api, map_config, side_config};

#[tokio::test]
async fn a_run_is_started_steered_and_listed_with_counts_that_add_up() {
    let api = Api::with_map().await;
    let wanted =
        json!({"kind": "initial_sync", "winner": "crm", "legs": {"finance": "create_only"}, "reason": "go live"});
    let made = api.post("/maps/customers/syncs", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let run = made.json();
    assert_eq!(
        (&run["kind"], &run["state"], &run["phase"]),
        (&json!("initial_sync"), &json!("running"), &json!("listing"))
    );
    assert_eq!((&run["winner"], &run["legs"]["finance"]["choice"]), (&json!("crm"), &json!("create_only")));
    assert_eq!(run["legs"]["crm"]["read"], 0);
    assert_eq!(api.get("/maps/customers").await.json()["state"], "Initializing", "the run starts the map");
    assert_eq!(run["expected"], json!({"basis": "unknown"}), "no app has said anything, and no run was before");
    let again = api.post("/maps/customers/syncs", &wanted).await;
    again.is_problem(409, "sync_active", "map");
    let path = format!("/maps/customers/syncs/{}", run["id"].as_str().unwrap());
    let paused = api.post(&format!("{path}/pause"), &json!({"reason": "quarter end"})).await.json();
    assert_eq!(
        (&paused["state"], &paused["stall"]["why"]),
        (&json!("paused"), &json!("first-admin has paused it: quarter end"))
    );
    assert_eq!(api.post(&format!("{path}/resume"), &json!({"reason": "go on"})).await.json()["state"], "running");
    assert_eq!(api.get(&format!("{path}/records")).await.json(), json!({"records": []}));
    api.post(&format!("{path}/jump"), &json!({"reason": "go on"})).await.is_problem(400, "invalid_request", "command");
    let cancelled = api.post(&format!("{path}/cancel"), &json!({"reason": "wrong side"})).await.json();
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "Running", "changes flow on");
    api.post(&format!("{path}/resume"), &json!({"reason": "go on"})).await.is_problem(409, "sync_over", "");
    let rerun = json!({"kind": "initial_sync", "selection": "failed", "parent": run["id"], "reason": "mended"});
    let rerun = api.post("/maps/customers/syncs", &rerun).await.json();
    assert_eq!((&rerun["phase"], &rerun["parent"]), (&json!("selecting"), &run["id"]));
    for selection in ["all", "edited", "new_only"] {
        let look = json!({"kind": "dry_run", "selection": selection, "parent": rerun["id"], "reason": "look"});
        let refused = api.post("/maps/customers/syncs", &look).await;
        refused.is_problem(409, "parent_goes_on", ""); // its lists grow
    }
    let told = api.get(&path).await.json();
    let reruns = json!([{"id": rerun["id"], "parent": run["id"], "outcome": "unfinished", "failed": 0}]);
    assert_eq!(told["reruns"], reruns, "the run shows its rerun");
    let own = format!("/maps/customers/syncs/{}", rerun["id"].as_str().unwrap());
    assert_eq!(api.get(&own).await.json().get("reruns"), None);
    let listed = api.get("/maps/customers/syncs?limit=1").await.json();
    assert_eq!((&listed["runs"][0]["id"], &listed["next"]), (&rerun["id"], &rerun["id"]));
    let second = api.get(&format!("/maps/customers/syncs?before={}", rerun["id"].as_str().unwrap())).await.json();
    assert_eq!((second["runs"].as_array().unwrap().len(), &second["runs"][0]["id"]), (1, &run["id"]));
    api.get("/maps/customers/syncs/x").await.is_problem(404, "unknown_sync_run", "");
}

#[tokio::test]
async fn a_caller_may_wait_for_the_end_of_a_run_and_is_told_its_outcome() {
    let api = Api::with_map().await;
    let started = api.post("/maps/customers/syncs", &json!({"kind": "reconcile", "reason": "nightly"})).await.json();
    let path = format!("/maps/customers/syncs/{}", started["id"].as_str().unwrap());
    let now = || api.world.now();
    let (before, waited) = (now(), api.get(&format!("{path}?wait=5")).await.json());
    assert_eq!((&waited["state"], &waited["outcome"]), (&json!("running"), &json!("unfinished")));
    assert_eq!(now().ms_since(before), 5_000, "no longer than it was told to");
    let map = api.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    let id = started["id"].as_str().unwrap().parse().unwrap();
    let found = api.world.syncs.run(&map, id).await.unwrap().unwrap();
    let through = SyncRun { state: RunState::Finished, version: found.version + 1, ..found.clone() };
    api.world.syncs.save_run(&map, &through, Some(&found), &[]).await.unwrap();
    let (before, waited) = (now(), api.get(&format!("{path}?wait=20")).await.json());
    assert_eq!((&waited["state"], &waited["outcome"]), (&json!("finished"), &json!("equal")));
    assert_eq!(now(), before, "a run that is over is not waited for");
    for (wrong, says) in
        [("wait=x", "wait: must be"), ("wait=21", "wait: must be"), ("weight=1", "weight: is not known")]
    {
        api.get(&format!("{path}?{wrong}")).await.is_problem(400, "invalid_request", says);
    }
}

#[tokio::test]
async fn a_paused_run_is_not_waited_for() {
    let api = Api::with_map().await;
    let started = api.post("/maps/customers/syncs", &json!({"kind": "reconcile", "reason": "nightly"})).await.json();
    let path = format!("/maps/customers/syncs/{}", started["id"].as_str().unwrap());
    api.post(&format!("{path}/pause"), &json!({"reason": "quarter end"})).await;
    let before = api.world.now();
    let waited = api.get(&format!("{path}?wait=20")).await.json();
    assert_eq!((&waited["state"], &waited["outcome"]), (&json!("paused"), &json!("unfinished")));
    assert_eq!(api.world.now(), before);
}

#[tokio::test]
async fn records_of_a_run_are_downloaded_each_once_and_safe_to_be_opened() {
    let api = Api::with_map().await;
    let started = api.post("/maps/customers/syncs", &json!({"kind": "reconcile", "reason": "nightly"})).await.json();
    let path = format!("/maps/customers/syncs/{}/records/download", started["id"].as_str().unwrap());
    let map = api.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    let id = started["id"].as_str().unwrap().parse().unwrap();
    let crm = "crm".parse().unwrap();
    let failed = |n: u32| {
        let key: RecordKey = format!("C-{n}").parse().unwrap();
        let failure =
            Failure::new(ErrorClass::Application, CallEffect::Refused, Some("E7".into()), "=cmd|'/c calc'!A0");
        let row = json!({"Name": "Kim, \"the\" first"}).as_object().cloned();
        let failed = FailedCopy::of(&failure, &crm, &key, row, Timestamp(5));
        FindingChange::Put(Finding { leg: SideIx::First, key, state: FindingState::Failed(failed) })
    };
    let mut run = api.world.syncs.run(&map, id).await.unwrap().unwrap();
    for page in 0..3 {
        let next = SyncRun { version: run.version + 1, ..run.clone() };
        let changes: Vec<_> = (page * 80..(page + 1) * 80).map(failed).collect();
        api.world.syncs.save_run(&map, &next, Some(&run), &changes).await.unwrap();
        run = next;
    }
    let file = api.get(&path).await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"sync-records.csv\""));
    let lines: Vec<_> = file.text.trim_end().split("\r\n").collect();
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), 1 + 240);
    assert!(
        lines[0].starts_with("\u{feff}from,key,state,") && lines[1].contains("\"'=cmd|'/c calc'!A0\""),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("correct the record in its app"), "{}", lines[1]);
    let file = api.get(&format!("{path}?format=jsonl")).await;
    let line: Value = serde_json::from_str(file.text.lines().next().unwrap()).unwrap();
    assert_eq!((&line["row"]["Name"], &line["code"]), (&json!("Kim, \"the\" first"), &json!("E7")));
    assert_eq!(file.text.lines().count(), 240);
    let cut = api.get_until(&format!("{path}?format=jsonl"), Timestamp(0)).await;
    let last: Value = serde_json::from_str(cut.text.lines().last().unwrap()).unwrap();
    assert_eq!((cut.text.lines().count(), last["cut_off"].as_str()), (101, Some("the download ran out of time")));
    assert_eq!(api.get(&format!("{path}?list=not_reached&format=jsonl")).await.text, "");
    api.get(&format!("{path}?format=xml")).await.is_problem(400, "invalid_request", "format: must be csv or jsonl");
    api.get(&format!("{path}?after=D%23x")).await.is_problem(400, "invalid_request", "after");
}

#[tokio::test]
async fn every_mistake_in_a_request_for_a_run_is_named() {
    let api = Api::with_map().await;
    let start = async |wrong: serde_json::Value| api.post("/maps/customers/syncs", &wrong).await;
    for (wrong, field) in [
        (json!({"kind": "copy", "reason": "go"}), "kind"),
        (json!({"kind": "dry_run"}), "body: missing field `reason`"),
        (json!({"kind": "dry_run", "reason": " "}), "reason"),
        (json!({"kind": "dry_run", "reason": "go", "winner": "erp"}), "winner"),
        (json!({"kind": "dry_run", "reason": "go", "winner_of_field": {"name": "erp"}}), "winner_of_field.name"),
        (json!({"kind": "dry_run", "reason": "go", "winner_of_field": {"x": "crm"}}), "winner_of_field.x: is no field"),
        (
            json!({"kind": "dry_run", "reason": "go", "winner_of_field": {"source": "crm"}}),
            "winner_of_field.source: is not written",
        ),
        (json!({"kind": "dry_run", "reason": "go", "legs": {"erp": "all"}}), "legs.erp"),
        (json!({"kind": "dry_run", "reason": "go", "legs": {"crm": "off", "finance": "off"}}), "legs"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "some"}), "selection"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "failed"}), "parent"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "new_only"}), "parent"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "edited"}), "parent"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "record"}), "key"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "cause"}), "cause"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "cause", "cause": "7"}), "cause"),
        (json!({"kind": "dry_run", "reason": "go", "key": "C-1"}), "key"),
        (json!({"kind": "dry_run", "reason": "go", "parent": "7"}), "parent"),
        (
            json!({"kind": "dry_run", "reason": "go", "selection": "record", "key": "C-1", "parent": "01KAQ5Z3S8XYZABCDEFGHJKMNP"}),
            "parent",
        ),
    ] {
        start(wrong).await.is_problem(400, "invalid_request", field);
    }
    let unknown =
        json!({"kind": "dry_run", "reason": "go", "selection": "failed", "parent": "01KAQ5Z3S8XYZABCDEFGHJKMNP"});
    start(unknown).await.is_problem(404, "unknown_sync_run", "");
    api.post("/maps/orders/syncs", &json!({"kind": "dry_run", "reason": "go"})).await.is_problem(
        404,
        "map_not_found",
        "",
    );
    let run = start(json!({"kind": "dry_run", "reason": "go"})).await;
    assert_eq!(run.status, 201, "a dry run needs no map that runs");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning");
}

/// A description of an entity: each property with its type, and what else is said of it.
fn entity(key: &str, fields: &[(&str, &str, FieldFacets)]) -> EntityDescription {
    EntityDescription {
        key: vec![key.to_owned()],
        fields: fields.iter().map(|(name, of_type, _)| ((*name).to_owned(), (*of_type).to_owned())).collect(),
        facets: fields.iter().map(|(name, _, facets)| ((*name).to_owned(), *facets)).collect(),
        ..EntityDescription::default()
    }
}

/// The problems of a run: severity, code, side and field, and whether the run could start.
async fn problems(api: &Api, wanted: &Value) -> (Vec<String>, bool) {
    let answer = api.post("/maps/customers/syncs/check", wanted).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap_or("-").to_owned();
    let told = body["problems"].as_array().unwrap().iter().map(|problem| {
        assert!(!text(problem, "fix").is_empty() && !text(problem, "message").is_empty(), "{problem}");
        ["severity", "code", "side", "field"].map(|name| text(problem, name)).join(" ")
    });
    (told.collect(), body["ok"].as_bool().unwrap())
}

const NOTHING: FieldFacets = FieldFacets { is_required: false, max_length: None, is_read_only: false };

/// Two apps that describe themselves, and whose descriptions fit the map.
pub(super) async fn described() -> Api {
    let api = Api::with_map().await;
    let finance =
        [("CustomerAccount", "Edm.String"), ("Name", "Edm.String"), ("Limit", "Edm.Decimal"), ("Group", "Edm.String")];
    let crm = [
        ("accountnumber", "Edm.String"),
        ("name", "Edm.String"),
        ("limit", "Edm.Decimal"),
        ("category", "Edm.String"),
        ("source", "Edm.String"),
    ];
    let facets = |fields: &[(&'static str, &'static str)]| {
        fields.iter().map(|(name, of)| (*name, *of, NOTHING)).collect::<Vec<_>>()
    };
    let entities = [
        ("CustomersV3".to_owned(), entity("CustomerAccount", &facets(&finance))),
        ("accounts".to_owned(), entity("accountnumber", &facets(&crm))),
    ];
    let names = entities.iter().map(|(name, _)| name.clone()).collect();
    *api.world.apps.description.lock().unwrap() = Some(Description { names, entities: entities.into() });
    api
}

fn change(api: &Api, set: &str, field: &str, of_type: &str, facets: FieldFacets) {
    let mut said = api.world.apps.description.lock().unwrap();
    let entity = said.as_mut().unwrap().entities.get_mut(set).unwrap();
    entity.fields.insert(field.to_owned(), of_type.to_owned());
    entity.facets.insert(field.to_owned(), facets);
}

#[tokio::test]
async fn a_run_that_nothing_stands_against_has_no_problems() {
    let api = described().await;
    let wanted = json!({"kind": "initial_sync", "reason": "go live"});
    assert_eq!(problems(&api, &wanted).await, (Vec::new(), true));
    assert_eq!(api.get("/maps/customers/syncs").await.json()["runs"], json!([]), "a check starts nothing");
}

#[tokio::test]
async fn all_problems_of_a_mapping_are_told_at_once_and_hold_up_a_run_until_they_are_accepted() {
    let api = described().await;
    change(&api, "accounts", "name", "Edm.String", FieldFacets { is_read_only: true, ..NOTHING });
    change(&api, "accounts", "limit", "Edm.Boolean", NOTHING);
    change(
        &api,
        "accounts",
        "category",
        "Edm.String",
        FieldFacets { is_required: true, max_length: Some(20), ..NOTHING },
    );
    change(&api, "accounts", "source", "Edm.String", FieldFacets { max_length: Some(5), ..NOTHING });
    change(&api, "accounts", "owner", "Edm.String", FieldFacets { is_required: true, ..NOTHING });
    let wanted = json!({"kind": "initial_sync", "legs": {"crm": "off"}, "reason": "go live"});
    let told = [
        "error field_read_only crm fields[0].names.crm",
        "error field_type crm fields[1].names.crm",
        "error field_length crm fields[3].names.crm",
        "warning field_required crm fields[2].names.crm",
        "warning field_unmapped crm fields",
    ];
    assert_eq!(problems(&api, &wanted).await, (told.map(str::to_owned).to_vec(), false));
    let refused = api.post("/maps/customers/syncs", &wanted).await;
    refused.is_problem(409, "sync_problems", "field_read_only: crm (fields[0].names.crm): name is read-only");
    assert!(
        refused.problem().2.contains("field_type: ") && !refused.problem().2.contains("field_required"),
        "{refused:?}"
    );
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning", "nothing was started");
    let mut despite = wanted.clone();
    despite["despite"] = json!(["field_read_only", "field_type"]);
    api.post("/maps/customers/syncs", &despite).await.is_problem(409, "sync_problems", "field_length: ");
    despite["despite"] = json!(["field_read_only", "field_type", "field_length"]);
    assert!(problems(&api, &despite).await.1, "nothing is left that holds it up");
    despite["despite"] = json!(["field_read_only", "field_type", "field_length", "lookup_not_synced"]);
    let started = api.post("/maps/customers/syncs", &despite).await.json();
    let accepted = json!(["field_length", "field_read_only", "field_type"]);
    assert_eq!(started["despite"], accepted, "what stood against it, and nothing else");
    let dry = json!({"kind": "dry_run", "reason": "look"});
    assert_eq!(api.post("/maps/customers/syncs", &dry).await.status, 201, "a dry run writes nothing");
    // Nothing is written to crm if that leg is off. What crm stores does not fit finance either way.
    let other = json!({"kind": "dry_run", "legs": {"finance": "off"}, "reason": "look"});
    let told = vec!["error field_type finance fields[1].names.finance".to_owned()];
    assert_eq!(problems(&api, &other).await, (told, false));
}

#[tokio::test]
async fn an_app_that_cannot_be_reached_an_unknown_field_and_a_list_that_is_not_set_up_are_problems() {
    let api = described().await;
    let wanted = json!({"kind": "initial_sync", "reason": "go live"});
    api.world
        .apps
        .description
        .lock()
        .unwrap()
        .as_mut()
        .unwrap()
        .entities
        .get_mut("accounts")
        .unwrap()
        .fields
        .remove("limit");
    assert_eq!(problems(&api, &wanted).await.0, ["error fields crm fields"]);
    let denied = Failure::new(ErrorClass::Auth, CallEffect::NotApplied, None, "who are you");
    *api.world.apps.outcome.lock().unwrap() = Some(denied);
    let told = ["error connection finance connector", "error connection crm connector"];
    assert_eq!(problems(&api, &wanted).await.0, told);
    *api.world.apps.outcome.lock().unwrap() =
        Some(Failure::new(ErrorClass::Timeout, CallEffect::NotApplied, None, "slow"));
    assert!(problems(&api, &wanted).await.1, "what may be over in a moment holds up nothing");
    *api.world.apps.outcome.lock().unwrap() = None;
    let mut rest = side_config();
    rest["connector"]["kind"] = json!("rest");
    assert_eq!(api.put_if("/sides/crm", "*", &rest).await.status, 200);
    let (told, ok) = problems(&api, &wanted).await;
    assert!(told.contains(&"error list crm connector.list".to_owned()) && !ok, "{told:?}");
}

#[tokio::test]
async fn finance_operations_needs_a_company() {
    let api = described().await;
    change(&api, "CustomersV3", "dataAreaId", "Edm.String", NOTHING);
    let mut config = side_config();
    config["connector"]["kind"] = json!("finance_operations");
    assert_eq!(api.put_if("/sides/finance", "*", &config).await.status, 200);
    let wanted = json!({"kind": "initial_sync", "reason": "go live"});
    assert_eq!(problems(&api, &wanted).await.0, ["error company finance sides[0].fixed_key"]);
    config["connector"]["query"] = json!({"cross-company": "false"});
    assert_eq!(api.put_if("/sides/finance", "*", &config).await.status, 200);
    assert_eq!(problems(&api, &wanted).await, (Vec::new(), true));
}

#[tokio::test]
async fn the_first_page_shows_keys_that_come_twice_and_values_that_cannot_be_written() {
    let api = described().await;
    let row = |key: Value, name: &str| json!({"accountnumber": key, "CustomerAccount": key, "name": name, "Name": name, "limit": 1, "category": "Retail", "Group": "10"});
    let twice = [row(json!("A"), "one"), row(json!("A"), "two"), row(json!("B"), "same"), row(json!("B"), "same")];
    *api.world.apps.records.lock().unwrap() = twice.to_vec();
    let wanted = json!({"kind": "initial_sync", "legs": {"crm": "off"}, "reason": "go live"});
    let told = ["error key_twice finance sides[0].key_field", "error key_twice crm sides[1].key_field"];
    assert_eq!(problems(&api, &wanted).await.0, told);
    change(&api, "accounts", "name", "Edm.String", FieldFacets { max_length: Some(4), ..NOTHING });
    let mut odd = row(json!("C"), "much too long");
    odd["Group"] = json!("99");
    *api.world.apps.records.lock().unwrap() = vec![odd, row(json!("D"), "long too"), row(Value::Null, "none")];
    let told = [
        "warning row_unusable finance sides[0].key_field",
        "warning value_unmapped finance Group",
        "warning value_too_long crm name",
        "warning row_unusable crm sides[1].key_field",
    ];
    assert_eq!(problems(&api, &wanted).await, (told.map(str::to_owned).to_vec(), true));
}

#[tokio::test]
async fn a_map_is_synced_after_those_that_its_lookups_refer_to() {
    let api = described().await;
    change(&api, "accounts", "_primarycontactid_value", "Edm.Guid", NOTHING);
    let mut config = map_config();
    let lookup =
        json!({"names": {"finance": "Contact", "crm": "primarycontactid"}, "lookup": {"crm": {"entity": "contacts"}}});
    change(&api, "CustomersV3", "Contact", "Edm.String", NOTHING);
    config["fields"].as_array_mut().unwrap().push(lookup);
    assert_eq!(api.put_if("/maps/customers", "*", &config).await.status, 200);
    let wanted = json!({"kind": "initial_sync", "reason": "go live"});
    let at = "crm fields[4].lookup.crm";
    assert_eq!(problems(&api, &wanted).await, (vec![format!("warning lookup_without_map {at}")], true));
    let mut contacts = map_config();
    (contacts["sides"][0]["entity"], contacts["sides"][1]["entity"]) = (json!("Contacts"), json!("contacts"));
    assert_eq!(api.put("/maps/contacts", &contacts).await.status, 201);
    assert_eq!(problems(&api, &wanted).await, (vec![format!("error lookup_not_synced {at}")], false));
    let started = json!({"kind": "initial_sync", "despite": ["entity"], "reason": "first"});
    let run = api.post("/maps/contacts/syncs", &started).await;
    assert_eq!(run.status, 201, "{run:?}");
    assert!(!problems(&api, &wanted).await.1, "it is not through");
    let found = api.world.syncs.all_runs()[0].clone();
    let through = SyncRun { state: RunState::Finished, version: found.version + 1, ..found.clone() };
    let map = api.world.config().map(&found.map).await.unwrap().unwrap();
    api.world.syncs.save_run(&map, &through, Some(&found), &[]).await.unwrap();
    assert_eq!(problems(&api, &wanted).await, (Vec::new(), true));
}
