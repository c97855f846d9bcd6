//! The map that tests use: customers, kept in step between `finance` and `crm`.

use app::ports::SyncMap;
use domain::{
    EntryId, ErrorClass, LogId, Map, MapConfig, MapState, Timestamp,
    id::MapUid,
    log::{Activity, ActivityKind, ErrorDisposition, ErrorEvent, Order},
    map::Cause,
    rule::Rule,
    side::{Capability, Side, SideConfig},
};
use serde_json::json;

/// The fields of both sides have other names and values.
///
/// # Panics
/// Never: it is constant.
#[must_use]
pub fn customers() -> MapConfig {
    serde_json::from_value(json!({
        "sides": [{"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount"},
                  {"side": "crm", "entity": "accounts", "key_field": "accountnumber"}],
        "fields": [
            {"names": {"finance": "Name", "crm": "name"}, "required": true},
            {"names": {"finance": "Limit", "crm": "limit"}, "types": {"finance": "decimal", "crm": "decimal"}},
            {"names": {"finance": "refused", "crm": "refused"}},
            {"names": {"finance": "OnHold", "crm": "hold"},
             "values": [{"finance": "Yes", "crm": true}, {"finance": "No", "crm": false}],
             "default": {"finance": "No", "crm": false}}]
    }))
    .unwrap_or_else(|error| panic!("the sample map is readable: {error}"))
}

/// The map, running, with sides that can do this with doubled and late calls.
///
/// # Panics
/// Never: it is constant.
#[must_use]
pub fn running(capability: Capability) -> SyncMap {
    let side = |id: &str| {
        let config = json!({"connector": {"kind": "odata", "base_url": format!("https://{id}.example/"), "create": "upsert"}, "capability": capability});
        let config: SideConfig =
            serde_json::from_value(config).unwrap_or_else(|error| panic!("the sample side is readable: {error}"));
        let id = id.parse().unwrap_or_else(|error| panic!("the sample side has a name: {error}"));
        Side { id, config, version: 1 }
    };
    let id = "customers".parse().unwrap_or_else(|error| panic!("the sample map has a name: {error}"));
    let mut map = Map::new(id, MapUid(7), customers(), "test", Timestamp(0));
    map.state = MapState::Running;
    SyncMap { map, sides: [side("finance"), side("crm")] }
}

/// A line of the activity log.
#[must_use]
pub fn line() -> Activity {
    let at = Timestamp(1_795_428_000_000);
    let (actor, reason) = ("kim".to_owned(), "to test".to_owned());
    let id = LogId::of(at, Order::Change(0), &[b"sample"]);
    Activity { id, at, map: None, actor, reason, cause: Cause::Operator, what: ActivityKind::MapDeleted }
}

/// An error of a record of the map `customers`, met at this time; the unit tells writes apart.
///
/// # Panics
/// Never: it is constant.
#[must_use]
pub fn error(at: Timestamp, unit: u128, key: &str, class: ErrorClass) -> ErrorEvent {
    let name = |text: &str| text.parse().unwrap_or_else(|error| panic!("{text} is a name: {error}"));
    ErrorEvent {
        id: LogId::of(at, Order::Change(0), &[&unit.to_be_bytes(), key.as_bytes(), class.as_str().as_bytes()]),
        at,
        happened_at: None,
        map: "customers".parse().unwrap_or_else(|error| panic!("the sample map has a name: {error}")),
        uid: MapUid(7),
        epoch: 0,
        from: Some(name("finance")),
        to: name("crm"),
        key: Some(key.parse().unwrap_or_else(|error| panic!("{key} is a key: {error}"))),
        entry: Some(EntryId(unit)),
        seq: Some(1),
        write: None,
        attempt: 1,
        class,
        code: Some("0x80040265".to_owned()),
        message: format!("Credit limit of {key} above 1,000,000"),
        fate: ErrorDisposition::Retried,
        payload: None,
    }
}

/// A rule: so many errors of the class `application` within fifteen minutes, and the map is paused.
///
/// # Panics
/// Never: it is constant.
#[must_use]
pub fn rule(threshold: u32) -> Rule {
    let config = json!({
        "title": "crm refuses", "classes": ["application"], "threshold": threshold, "window_minutes": 15,
        "action": "pause", "recipients": ["kim@example.com"],
    });
    Rule {
        id: "crm-refuses".parse().unwrap_or_else(|error| panic!("the sample rule has a name: {error}")),
        config: serde_json::from_value(config).unwrap_or_else(|error| panic!("the sample rule is readable: {error}")),
        version: 1,
        actor: "kim".to_owned(),
        changed_at: Timestamp(0),
    }
}
