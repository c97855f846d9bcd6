//! The map and the write that everything is measured with: a customer of 15 fields, a request body of 1 KB.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Map, MapConfig, MapState, Timestamp, id::MapUid, side::Side};
use serde_json::{Map as Fields, Value, json};

/// The request body, filled up to this.
pub const BODY_BYTES: usize = 1024;
/// The map.
pub const MAP: &str = "customers";
/// Fields of the first side, of the second, and a value.
const FIELDS: [(&str, &str, &str); 15] = [
    ("OrganizationName", "name", "Nordwind Maschinenbau GmbH & Co. KG"),
    ("CustomerGroupId", "tandem_customergroup", "20"),
    ("CurrencyCode", "transactioncurrency", "EUR"),
    ("PaymentTermsId", "paymenttermscode", "NET30-2"),
    ("PrimaryContactPhone", "telephone1", "+49 89 5551 2048"),
    ("PrimaryContactEmail", "emailaddress1", "einkauf@nordwind-maschinenbau.example"),
    ("OnHoldStatus", "creditonhold", "No"),
    ("AddressStreet", "address1_line1", "Landsberger Straße 302"),
    ("AddressCity", "address1_city", "München"),
    ("AddressZipCode", "address1_postalcode", "80687"),
    ("AddressCountryRegionId", "address1_country", "DEU"),
    ("TaxExemptNumber", "tandem_taxnumber", "DE811234567"),
    ("EmployeeResponsibleName", "tandem_ownername", "Katharina Obermeier"),
    ("CreditLimit", "creditlimit", "125000.00"),
    ("SalesMemo", "description", ""),
];
/// Fills the memo up: text as people write it, for it is deflated on its way.
const MEMO: &str = "Deliveries on weekdays between 7 and 15 h at gate 4; call the warehouse half an hour before \
    arrival, pallets are exchanged. Invoices go to the central accounts department in Augsburg with the order number \
    in the subject. Annual agreement signed in March, next review with Mr Feldmann before the trade fair in Hanover; \
    he asked for a quote on spare parts for the two older machines, delivery within ten working days, \
    prices as in the framework contract.";

/// A write of the customer `key`, as a body of [`BODY_BYTES`] bytes. No two are equal.
///
/// # Panics
/// When the sample no longer fills the body, which is a mistake in here.
#[must_use]
pub fn write(key: &str) -> Value {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
    let mut record: Fields<String, Value> =
        FIELDS.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))).collect();
    record.insert("PaymentTermsId".to_owned(), json!(format!("NET30-{}", now_ms % 100_000)));
    let id = ulid::Ulid::generate().to_string();
    let mut body = json!({"id": id, "map": MAP, "key": key, "origin": "finance", "record": record});
    let room = BODY_BYTES - body.to_string().len();
    assert!(room <= MEMO.len(), "the memo is {} bytes too short", room - MEMO.len());
    body["record"]["SalesMemo"] = json!(MEMO[..room]);
    body
}

/// The report of the other app that a record came to it.
#[must_use]
pub fn report(key: &str, record: &Value) -> Value {
    json!({"id": ulid::Ulid::generate().to_string(), "map": MAP, "key": key, "origin": "crm", "record": record})
}

/// The map, running.
///
/// # Errors
/// When the domain's form of a map has changed.
pub fn map() -> anyhow::Result<Map> {
    let fields: Vec<_> =
        FIELDS.iter().map(|(finance, crm, _)| json!({"names": {"finance": finance, "crm": crm}})).collect();
    let config: MapConfig = serde_json::from_value(json!({
        "sides": [{"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount"},
                  {"side": "crm", "entity": "accounts", "key_field": "accountnumber"}],
        "fields": fields}))?;
    let id = MAP.parse().map_err(anyhow::Error::msg)?;
    let mut map = Map::new(id, MapUid(ulid::Ulid::generate().0), config, "bench", Timestamp(0));
    map.state = MapState::Running;
    Ok(map)
}

/// Both sides; both are the app at `url`.
///
/// # Errors
/// When the domain's form of a side has changed.
pub fn sides(url: &str) -> anyhow::Result<[Side; 2]> {
    let side = |id: &str| -> anyhow::Result<Side> {
        let config = json!({"connector": {"kind": "odata", "base_url": format!("{url}/"), "create": "upsert"}, "capability": "idempotent"});
        Ok(Side { id: id.parse().map_err(anyhow::Error::msg)?, config: serde_json::from_value(config)?, version: 1 })
    };
    Ok([side("finance")?, side("crm")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_fits_its_map_and_has_the_size_it_says() {
        assert_eq!(map().unwrap().config.mistakes(), []);
        assert_eq!(write("C-10017").to_string().len(), BODY_BYTES);
    }
}
