//! Which errors, and how a query says it.

use std::str::FromStr;

use domain::{ErrorClass, MapId, RecordKey, SideId, Timestamp, log::LoggedError, record::ContentHash};
use serde::de::DeserializeOwned;

use crate::error::AppError;

/// Which errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFilter {
    /// Of these maps. Empty: of all.
    pub maps: Vec<MapId>,
    /// Of this class.
    pub class: Option<ErrorClass>,
    /// Met when writing to this app.
    pub to: Option<SideId>,
    /// Of this record.
    pub key: Option<RecordKey>,
    /// That say the same.
    pub fingerprint: Option<ContentHash>,
    /// Only those that are (or are not) resolved.
    pub resolved: Option<bool>,
    /// At this time or later.
    pub from: Timestamp,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl ErrorFilter {
    /// Reads a filter from the parameters of a query, which the function looks up by name.
    ///
    /// # Errors
    /// A parameter is wrong.
    pub fn from_query<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Result<Self, AppError> {
        let fingerprint = text("fingerprint").map(|text| {
            u64::from_str_radix(text, 16)
                .map(ContentHash)
                .map_err(|_| AppError::mistake("fingerprint", "must be 16 hex digits"))
        });
        Ok(Self {
            maps: read_maps(text("map"))?,
            class: named("class", text("class"))?,
            to: parsed("to", text("to"))?,
            key: parsed("key", text("key"))?,
            fingerprint: fingerprint.transpose()?,
            resolved: named("resolved", text("resolved"))?,
            from: read_time("from", text("from"))?.unwrap_or(Timestamp(0)),
            until: read_time("until", text("until"))?,
        })
    }

    /// The same, of one map alone.
    #[must_use]
    pub fn of_map(self, map: MapId) -> Self {
        Self { maps: vec![map], ..self }
    }

    pub(super) fn passes(&self, error: &LoggedError) -> bool {
        let event = &error.event;
        self.to.as_ref().is_none_or(|to| event.to == *to)
            && self.key.as_ref().is_none_or(|key| event.key.as_ref() == Some(key))
            && self.fingerprint.is_none_or(|fingerprint| error.fingerprint == fingerprint)
            && self.resolved.is_none_or(|resolved| error.resolved.is_some() == resolved)
    }
}

/// Reads ids of maps, separated by commas.
///
/// # Errors
/// One is wrong.
pub fn read_maps(text: Option<&str>) -> Result<Vec<MapId>, AppError> {
    let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.parse().map_err(|says: String| AppError::mistake("map", &says))).collect()
}

/// Reads a time in the form of RFC 3339.
///
/// # Errors
/// It is none.
pub fn read_time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, AppError> {
    text.map(|text| Timestamp::parse(text).map_err(|says| AppError::mistake(name, &says))).transpose()
}

fn parsed<T: FromStr<Err = String>>(name: &str, text: Option<&str>) -> Result<Option<T>, AppError> {
    text.map(|text| text.parse().map_err(|says: String| AppError::mistake(name, &says))).transpose()
}

/// Reads one of the names that the API uses for a thing, `true` and `false` included.
fn named<T: DeserializeOwned>(name: &str, text: Option<&str>) -> Result<Option<T>, AppError> {
    let read = |text: &str| {
        let value = match text {
            "true" | "false" => serde_json::Value::Bool(text == "true"),
            text => serde_json::Value::String(text.to_owned()),
        };
        serde_json::from_value(value).map_err(|error| AppError::mistake(name, &error.to_string()))
    };
    text.map(read).transpose()
}
