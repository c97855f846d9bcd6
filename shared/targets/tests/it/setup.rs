//! Sides, calls and secrets of the tests.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use app::ports::{Applied, Call, RecordAddress};
use domain::{
    EntryId, Failure, RecordKey,
    failure::{CallEffect, ErrorClass},
    lane::LaneVersion,
    record::Image,
    side::{SecretRef, Side},
};
use serde_json::{Value, json};
use targets::{Connectors, Guard, Secrets};

/// Secrets in memory. Each reading takes the next value of a list, and stays with the last.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Mutex<BTreeMap<String, Vec<String>>>>, Arc<Mutex<usize>>);

impl Store {
    pub(crate) fn with(values: &[&str]) -> Self {
        let store = Self::default();
        store.0.lock().unwrap().insert("ssm:/key".to_owned(), values.iter().rev().map(ToString::to_string).collect());
        store
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Secrets for Store {
    async fn get(&self, secret: &SecretRef) -> Result<String, String> {
        *self.1.lock().unwrap() += 1;
        let mut all = self.0.lock().unwrap();
        let values = all.get_mut(&String::from(secret.clone())).ok_or("there is no such parameter")?;
        Ok(if values.len() > 1 { values.pop().unwrap() } else { values[0].clone() })
    }
}

/// Connectors in local mode.
pub(crate) fn connectors(store: Store) -> Connectors<Store> {
    Connectors::new(Guard::new([""; 0], true).unwrap(), store).unwrap()
}

/// What a deletion of a record that is not there ends in.
pub(crate) fn was_gone() -> Applied {
    Applied { unchanged: true, ..Applied::default() }
}

/// Connectors in local mode, for sides without credentials.
pub(crate) fn local() -> Connectors<Store> {
    connectors(Store::default())
}

/// A side of this kind and URL, with what else is in `more`. One of `odata` upserts by one request, unless `more` says otherwise.
pub(crate) fn side(kind: &str, base_url: &str, more: Value) -> Side {
    let mut config = json!({"connector": {"kind": kind, "base_url": base_url}, "capability": "idempotent"});
    if kind == "odata" {
        config["connector"]["create"] = "upsert".into();
        config["connector"]["looks_first"] = false.into();
    }
    for (name, value) in more.as_object().unwrap() {
        match name.as_str() {
            "auth"
            | "copy_auth"
            | "list"
            | "wants_stored_record"
            | "key_style"
            | "key_encoding"
            | "update"
            | "create"
            | "query"
            | "looks_first"
            | "entity_url"
            | "record_url"
            | "media_type"
            | "patch_media_type"
            | "find"
            | "envelope"
            | "create_url"
            | "update_url"
            | "delete_url"
            | "delete"
            | "headers" => config["connector"][name] = value.clone(),
            _ => config[name] = value.clone(),
        }
    }
    serde_json::from_value(json!({"id": "crm", "config": config, "version": 1})).unwrap()
}

pub(crate) fn key(text: &str) -> RecordKey {
    text.parse().unwrap()
}

/// The account with this key.
pub(crate) fn address(text: &str) -> RecordAddress {
    RecordAddress {
        entity: "accounts".to_owned(),
        key_field: "accountnumber".to_owned(),
        key_types: BTreeMap::new(),
        fixed_key: BTreeMap::new(),
        key: key(text),
    }
}

/// An upsert of record `C-1`.
pub(crate) fn upsert(record: Value) -> Call {
    Call {
        record: address("C-1"),
        image: Image::Present(record.as_object().unwrap().clone()),
        entry: EntryId(1),
        version: LaneVersion { generation: 1_795_428_000_000, seq: 7 },
        etag: None,
    }
}

/// A deletion of record `C-1`.
pub(crate) fn delete() -> Call {
    Call { image: Image::Absent, ..upsert(json!({})) }
}

/// Class and effect, to be compared.
pub(crate) fn sort(failure: &Failure) -> (ErrorClass, CallEffect) {
    (failure.class, failure.effect)
}
