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
    let category = match customer["CustomerGroupId"].as_str() {
        Some("10") => "Retail",
        Some("20") => "Wholesale",
        Some("30") => "Partner",
        _ => "?",
    };
    json!({"name": customer["OrganizationName"], "creditlimit": customer["CreditLimit"].as_f64(), "category": category,
           "telephone1": customer["PrimaryContactPhone"], "creditonhold": customer["OnHold"] == "Yes"})
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
    let customer = customer("Contoso", 5);
    let account = json!({"name": "Contoso", "creditlimit": 5.0, "category": "Retail",
                         "telephone1": "+1 555 0100", "creditonhold": false});
    assert!(same(Some(&customer), Some(&account)) && same(None, None));
    assert!(!same(None, Some(&account)) && !same(Some(&customer), None));
    for (field, other) in [
        ("name", json!("Fabrikam")),
        ("creditlimit", json!(6)),
        ("category", json!("Partner")),
        ("telephone1", json!(null)),
        ("creditonhold", json!(true)),
    ] {
        let mut wrong = account.clone();
        wrong[field] = other;
        assert!(!same(Some(&customer), Some(&wrong)), "{field}");
    }
}
