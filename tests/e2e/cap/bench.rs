//! Two apps on CAP, connected to Tandem, and a map between them. All tests of this folder share them.

use app::ports::{LaneKey, Lanes};
use domain::lane::Head;
use local::{Answer, Cap};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::records::{FIELDS, Records};
use crate::{requests, settled::now, stack::World, until::until, values::id};

pub(crate) const MAP: &str = "cap";
pub(crate) const COMPANY: &str = "1000";
/// Work folder of the run that has the apps' files.
pub(crate) const WORK: &str = "e2e";
/// The password of Tandem's user, where the functions may read it.
const PASSWORD: &str = "/tandem/local/cap";
/// The references that both apps have.
pub(crate) const GROUPS: [&str; 2] = ["10", "O'Neil"];

static BENCH: OnceCell<Bench> = OnceCell::const_new();

/// What a test works with.
pub(crate) struct Bench {
    /// Customers by company and number, without `ETag`.
    pub(crate) ledger: Records,
    /// Accounts by number, with `ETag`.
    pub(crate) shop: Records,
    _apps: [Cap; 2],
}

/// Both apps, which know the map.
pub(crate) async fn bench(world: &World) -> &'static Bench {
    BENCH.get_or_init(|| start(world)).await
}

async fn start(world: &World) -> Bench {
    let secret = json!({"Name": PASSWORD, "Value": Cap::PASSWORD, "Type": "SecureString", "Overwrite": true});
    requests::service(world, "ssm", "AmazonSSM.PutParameter", &secret).await;
    let app = async |name| Cap::start(WORK, name).await.unwrap_or_else(|error| panic!("{error:#}"));
    let (ledger_app, shop_app) = (app("ledger").await, app("shop").await);
    let ledger = Records::of(&ledger_app, "Customers", Some(COMPANY));
    let shop = Records::of(&shop_app, "Accounts", None);
    for records in [&ledger, &shop] {
        for code in GROUPS {
            records.make("Groups", json!({"code": code, "name": "of a test"})).await;
        }
    }
    connect(world, "ledger", &ledger_app, "plain").await;
    connect(world, "shop", &shop_app, "versioned").await;
    run_map(world, MAP, &ledger_to("shop")).await;
    Bench { ledger, shop, _apps: [ledger_app, shop_app] }
}

/// Tells Tandem of an app, and tries whether it reaches the app.
pub(crate) async fn connect(world: &World, name: &str, app: &Cap, capability: &str) {
    world.admin.put(&format!("/sides/{name}"), &side(&app.url(), capability)).await.expect("admin takes it");
    let tested = world.admin.post(&format!("/sides/{name}/test"), &json!({})).await.expect("admin answers");
    assert_eq!(tested["ok"], true, "{tested}");
}

/// The settings of a side.
pub(crate) fn side(url: &str, capability: &str) -> Value {
    json!({
        "connector": {
            "kind": "sap_odata",
            "base_url": url,
            "auth": {"kind": "basic", "user": Cap::USERS[0], "secret": format!("ssm:{PASSWORD}")},
        },
        "capability": capability,
        // A name that is taken comes with 409, as a lock does elsewhere.
        "final_codes": ["NAME_TAKEN"],
        "reports_own_writes": false,
        // The apps answer within milliseconds, and their users' transactions are as short.
        "call_life_ms": 6_000,
        "request_timeout_ms": 5_000,
        "longest_transaction_ms": 0,
    })
}

/// Makes a map and runs it.
pub(crate) async fn run_map(world: &World, map: &str, config: &Value) {
    world.admin.put(&format!("/maps/{map}"), config).await.expect("admin takes it");
    world.admin.post(&format!("/maps/{map}/run"), &json!({"reason": "a test"})).await.expect("it runs");
}

/// A map from the ledger to an app with accounts.
pub(crate) fn ledger_to(to: &str) -> Value {
    let field = |name: &&str| {
        let types = match *name {
            // CAP on Node reads a number as a double, but text with all its digits. It answers all ten decimals.
            "creditLimit" => ("decimal", "text"),
            "since" => ("date", "date"),
            "reviewedAt" | "seenAt" => ("datetime", "datetime"),
            _ => return json!({"names": {"ledger": name, to: name}}),
        };
        let mut field = json!({"names": {"ledger": name, to: name}, "types": {"ledger": types.0, to: types.1}});
        if *name == "creditLimit" {
            field["compare"] = json!({"decimals": 10});
        }
        field
    };
    json!({
        "sides": [
            {"side": "ledger", "entity": "Customers", "key_field": "number", "fixed_key": {"company": COMPANY}},
            {"side": to, "entity": "Accounts", "key_field": "number"},
        ],
        "fields": FIELDS.iter().map(field).collect::<Vec<_>>(),
    })
}

/// A customer as both apps tell it.
pub(crate) fn customer(change: Value) -> Value {
    let mut record = json!({
        "name": "Contoso", "creditLimit": "1500.2500000000", "employees": 12, "blocked": false, "since": "2026-11-23",
        "reviewedAt": "2026-11-23T10:20:30Z", "seenAt": "2026-11-23T10:20:30.123Z", "group_code": null,
    });
    for (name, value) in change.as_object().expect("fields") {
        record[name] = value.clone();
    }
    record
}

/// Sends a write as an app's trigger does; `with` has its record, and where it comes from.
pub(crate) async fn write(world: &World, map: &str, key: &str, with: Value) -> Answer {
    let mut write = json!({"id": id(), "map": map, "key": key, "op": "upsert"});
    for (name, value) in with.as_object().expect("an object") {
        write[name] = value.clone();
    }
    world.sync_write.send(&write).await.expect("sync-write answers")
}

/// Waits until nothing waits for a record any more. Sweeps when the minute's sweep would find something to do.
pub(crate) async fn settled(world: &World, map: &str, key: &str) {
    let lane = LaneKey { map: map.parse().expect("a good name"), key: key.parse().expect("a good key") };
    until(key, async || {
        let head = world.lanes.head(&lane).await.expect("the journal can be read").map(|(head, _)| head);
        if head.as_ref().is_none_or(Head::idle) {
            return Some(());
        }
        if head.as_ref().and_then(Head::due).is_some_and(|due| due <= now()) {
            // One that is refused because others run is as good as the next.
            let _swept = world.stack.sweep().await;
        }
        None
    })
    .await;
}
