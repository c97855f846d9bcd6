//! Records that an app had before anybody connected it to Tandem.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::FlavorName;
use super::record::{self, Row};
use super::store::{self, Store};

/// Stores records in the database of an app without reporting them. The app's rules apply.
///
/// # Errors
/// When the database cannot be written, or the app's rules refuse a record.
pub(crate) fn store_records(db: &Path, flavor: FlavorName, records: &[(String, Value)]) -> anyhow::Result<()> {
    let flavor = flavor.flavor();
    let store = Store::open(db).with_context(|| format!("cannot open the database {}", db.display()))?;
    store.transaction(|tx| {
        for (key, fields) in records {
            let fields = fields.as_object().with_context(|| format!("the fields of {key} are no object"))?;
            let merged = record::merge(flavor, key, None, fields);
            let merged =
                merged.map_err(|refused| anyhow::anyhow!("{} refuses {key}: {}", flavor.name, refused.message))?;
            store::save(tx, key, &Row { fields: Some(merged), version: 1 })?;
        }
        Ok(())
    })
}
