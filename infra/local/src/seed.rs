//! What a fresh deployment is given: two sides, a map of customers, and tokens for the other roles.

use serde_json::{Value, json};

use crate::admin::Admin;
use crate::apps::{App, CRM, FINANCE, Role};
use crate::output::Output;
use crate::secrets::api_key_parameter;

/// The map of the story.
pub const MAP: &str = "customers";
/// Deadlines of a call of a sample app, which answers in milliseconds; `slow` on its page is meant to exceed them.
const CONNECT_TIMEOUT_MS: u32 = 1_000;
const REQUEST_TIMEOUT_MS: u32 = 5_000;

/// Tells Tandem the two apps, and tries whether it reaches them.
pub(crate) async fn sides(admin: &Admin, finance: &App, crm: &App, output: Output) -> anyhow::Result<()> {
    for (role, app) in [(FINANCE, finance), (CRM, crm)] {
        let side = role.side;
        admin.put(&format!("/sides/{side}"), &side_config(role, app)).await?;
        let tested = admin.post(&format!("/sides/{side}/test"), &json!({})).await?;
        anyhow::ensure!(tested["ok"] == true, "Tandem does not reach {side}: {tested}");
        output.done(format_args!("Tandem knows the app {side} and reaches it"));
    }
    Ok(())
}

/// Creates the map and runs it.
pub(crate) async fn map(admin: &Admin, output: Output) -> anyhow::Result<()> {
    admin.put(&format!("/maps/{MAP}"), &map_config()).await?;
    output.done(format_args!("the map {MAP} is made: CustomersV3 in finance, accounts in crm, five fields"));
    admin.post(&format!("/maps/{MAP}/run"), &json!({"reason": "first start"})).await?;
    output.done(format_args!("the map {MAP} runs"));
    Ok(())
}

fn side_config(role: Role, app: &App) -> Value {
    json!({
        "connector": {
            "kind": "odata",
            "base_url": format!("{}{}", app.url(), role.service),
            "auth": {"kind": "api_key", "header": "x-api-key", "secret": format!("ssm:{}", api_key_parameter(role.side))},
        },
        "capability": "idempotent",
        // The sample apps answer or give up within seconds.
        "call_life_ms": 15_000,
        "longest_transaction_ms": 10_000,
        "connect_timeout_ms": CONNECT_TIMEOUT_MS,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
    })
}

fn map_config() -> Value {
    json!({
        "sides": [
            {"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount"},
            {"side": "crm", "entity": "accounts", "key_field": "accountnumber"},
        ],
        "fields": [
            {"names": {"finance": "OrganizationName", "crm": "name"}, "required": true},
            {"names": {"finance": "CreditLimit", "crm": "creditlimit"},
             "types": {"finance": "decimal", "crm": "decimal"}},
            {"names": {"finance": "CustomerGroupId", "crm": "category"},
             "values": [
                {"finance": "10", "crm": "Retail"},
                {"finance": "20", "crm": "Wholesale"},
                {"finance": "30", "crm": "Partner"},
             ]},
            {"names": {"finance": "PrimaryContactPhone", "crm": "telephone1"}},
            {"names": {"finance": "OnHold", "crm": "creditonhold"},
             "values": [{"finance": "Yes", "crm": true}, {"finance": "No", "crm": false}]},
        ],
    })
}
