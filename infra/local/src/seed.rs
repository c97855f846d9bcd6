//! Configures a fresh deployment: two sides and a map of customers.

use serde_json::{Value, json};

use crate::admin::Admin;
use crate::apps::{App, CRM, FINANCE, Role};
use crate::output::Output;
use crate::secrets::api_key_parameter;

/// The map of the story.
pub const MAP: &str = "customers";
/// Deadline of a call of a sample app, which answers in milliseconds; `slow` on its page is meant to exceed it.
const REQUEST_TIMEOUT_MS: u32 = 5_000;

/// Creates both sides, and tests that Tandem reaches their apps.
pub(crate) async fn sides(admin: &Admin, finance: &App, crm: &App, output: Output) -> anyhow::Result<()> {
    for (role, app) in [(FINANCE, finance), (CRM, crm)] {
        let side = role.side;
        admin.put(&format!("/sides/{side}"), &side_config(role, app)).await?;
        let tested = admin.post(&format!("/sides/{side}/test"), &json!({})).await?;
        anyhow::ensure!(tested["ok"] == true, "Tandem cannot reach the app {side}: {tested}");
        output.done(format_args!("created the side {side}; Tandem reaches its app"));
    }
    Ok(())
}

/// Creates the map.
pub(crate) async fn map(admin: &Admin, output: Output) -> anyhow::Result<()> {
    admin.put(&format!("/maps/{MAP}"), &map_config()).await?;
    output.done(format_args!("created the map {MAP}: CustomersV3 in finance, accounts in crm, seven fields"));
    Ok(())
}

/// Runs the map.
pub(crate) async fn run(admin: &Admin, output: Output) -> anyhow::Result<()> {
    admin.post(&format!("/maps/{MAP}/run"), &json!({"reason": "first start"})).await?;
    output.done(format_args!("the map {MAP} runs"));
    Ok(())
}

/// The configuration of a side. Everything that it does not set has the default of the connector's kind.
fn side_config(role: Role, app: &App) -> Value {
    json!({
        "connector": {
            "kind": role.kind,
            "base_url": format!("{}{}", app.url(), role.service),
            "auth": {
                "kind": "api_key", "header": "x-api-key", "secret": format!("ssm:{}", api_key_parameter(role.side)),
            },
        },
        // Both apps honour If-Match, so Tandem may repeat a call with an unknown outcome at once.
        "capability": "versioned",
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        // The sample apps commit or give up within seconds.
        "longest_transaction_ms": 10_000,
    })
}

/// The map with one more customer group: its value in finance, and its option in crm.
pub(crate) fn map_config_with((group, option): (&str, i64)) -> Value {
    let mut config = map_config();
    let fields = config["fields"].as_array_mut().into_iter().flatten();
    let groups = fields.filter(|field| field["names"]["finance"] == "CustomerGroupId");
    for values in groups.filter_map(|field| field["values"].as_array_mut()) {
        values.push(json!({"finance": group, "crm": option}));
    }
    config
}

/// The map between the two apps. It has no `key_rule`, because the sample apps tell all spellings of a key apart.
fn map_config() -> Value {
    json!({
        "sides": [
            {"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount",
             "fixed_key": {"dataAreaId": "usmf"}},
            {"side": "crm", "entity": "accounts", "key_field": "accountnumber"},
        ],
        "fields": [
            {"names": {"finance": "OrganizationName", "crm": "name"}, "required": true, "compare": {"trim": true}},
            {"names": {"finance": "CreditLimit", "crm": "creditlimit"},
             "types": {"finance": "decimal", "crm": "decimal"}, "default": {"finance": 0}},
            // 3 is a customer, 9 a reseller, 5 a partner.
            {"names": {"finance": "CustomerGroupId", "crm": "customertypecode"},
             "values": [{"finance": "10", "crm": 3}, {"finance": "20", "crm": 9}, {"finance": "30", "crm": 5}]},
            // Finance & Operations has a blank text where Dataverse has none; by default the two are equal.
            {"names": {"finance": "PrimaryContactPhone", "crm": "telephone1"}, "compare": {"trim": true}},
            {"names": {"finance": "OnHold", "crm": "creditonhold"},
             "values": [{"finance": "Yes", "crm": true}, {"finance": "No", "crm": false}]},
            // The GUID of the contact, or a blank text.
            {"names": {"finance": "ContactPersonId", "crm": "primarycontactid"},
             "lookup": {"crm": {"entity": "contacts"}}, "nothing": {"finance": ""}},
            // Finance & Operations has 1900-01-01 where Dataverse has no date.
            {"names": {"finance": "CreditLimitExpirationDate", "crm": "new_creditlimitexpires"},
             "types": {"finance": "datetime", "crm": "datetime"}, "nothing": {"finance": "1900-01-01T00:00:00Z"},
             "compare": {"seconds": true}},
        ],
    })
}
