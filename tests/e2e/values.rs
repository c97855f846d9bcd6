//! Records of the two apps, and requests of `sync-write`.

use serde_json::{Value, json};
use ulid::Ulid;

/// A fresh write id.
pub(crate) fn id() -> String {
    Ulid::generate().to_string()
}

/// A record key that no other test has.
pub(crate) fn key(name: &str) -> String {
    format!("{name}-{}", Ulid::generate())
}

/// A customer as `finance` has it.
pub(crate) fn customer(name: &str, limit: u32) -> Value {
    json!({"OrganizationName": name, "CreditLimit": limit, "CustomerGroupId": "10",
           "PrimaryContactPhone": "+1 555 0100", "OnHold": "No"})
}

/// A write that neither app has yet.
pub(crate) fn write(id: &str, key: &str, record: &Value) -> Value {
    json!({"id": id, "map": local::MAP, "key": key, "op": "upsert", "record": record})
}

/// A write that finance has already.
pub(crate) fn from_finance(id: &str, key: &str, record: &Value, mode: &str) -> Value {
    let mut write = write(id, key, record);
    (write["origin"], write["mode"]) = ("finance".into(), mode.into());
    write
}

/// A customer of `finance` as `crm` must have it, numbers as numbers.
fn as_account(customer: &Value) -> Value {
    let kind = match customer["CustomerGroupId"].as_str() {
        Some("10") => 3,
        Some("20") => 9,
        Some("30") => 5,
        _ => -1,
    };
    let unless = |name: &str, nothing: &str| Some(&customer[name]).filter(|value| *value != nothing).cloned();
    json!({"name": customer["OrganizationName"], "creditlimit": customer["CreditLimit"].as_f64(), "customertypecode": kind,
           "telephone1": unless("PrimaryContactPhone", ""), "creditonhold": customer["OnHold"] == "Yes",
           "_primarycontactid_value": unless("ContactPersonId", ""),
           "new_creditlimitexpires": unless("CreditLimitExpirationDate", "1900-01-01T00:00:00Z")})
}

/// Whether both apps have the same: the same customer, or none.
pub(crate) fn same(customer: Option<&Value>, account: Option<&Value>) -> bool {
    let numbers = |account: &Value| {
        let mut account = account.clone();
        account["creditlimit"] = account["creditlimit"].as_f64().into();
        account
    };
    customer.map(as_account) == account.map(numbers)
}

#[test]
fn records_are_compared_as_the_map_says() {
    let mut customer = customer("Contoso", 5);
    (customer["ContactPersonId"], customer["CreditLimitExpirationDate"]) = ("".into(), "1900-01-01T00:00:00Z".into());
    let account = json!({"name": "Contoso", "creditlimit": 5.0, "customertypecode": 3, "telephone1": "+1 555 0100",
                         "creditonhold": false, "_primarycontactid_value": null, "new_creditlimitexpires": null});
    assert!(same(Some(&customer), Some(&account)) && same(None, None));
    assert!(!same(None, Some(&account)) && !same(Some(&customer), None));
    for (field, other) in [
        ("name", json!("Fabrikam")),
        ("creditlimit", json!(6)),
        ("customertypecode", json!(5)),
        ("telephone1", json!(null)),
        ("creditonhold", json!(true)),
        ("_primarycontactid_value", json!("5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01")),
        ("new_creditlimitexpires", json!("2026-12-31T12:00:00Z")),
    ] {
        let mut wrong = account.clone();
        wrong[field] = other;
        assert!(!same(Some(&customer), Some(&wrong)), "{field}");
    }
}
