//! Errors, as they are logged.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    failure::ErrorClass,
    id::{EntryId, LogId, MapId, MapUid, RecordKey, SideId},
    record::{ContentHash, Record},
    time::Timestamp,
};

/// Largest record that is kept with an error. It travels with the head of the lane, which is paid for by the kilobyte.
pub const MAX_PAYLOAD_BYTES: usize = 4 * 1024;

/// One attempt of a write that met an error; or an error that an app reports itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// Its id: time first. The same attempt has the same id however often it is delivered.
    pub id: LogId,
    /// When Tandem met it, or was told.
    pub at: Timestamp,
    /// When it happened, as the app that reports it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// The map.
    pub map: MapId,
    /// Tells it from an earlier map of the same name.
    pub uid: MapUid,
    /// The map's epoch, as the function that met it knew it.
    pub epoch: u64,
    /// The app whose change it was; `None`: neither has it, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SideId>,
    /// The app that was called, or that reports.
    pub to: SideId,
    /// The record; `None`: an app reports an error that concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RecordKey>,
    /// The entry of the lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryId>,
    /// Its place in the lane: where the payload is found while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The caller's id of the write, or the app's id of what it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What kind of error.
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The app's own words, shortened and redacted.
    pub message: String,
    /// What became of the write.
    pub fate: ErrorDisposition,
    /// What was to be written, redacted, and cut to [`MAX_PAYLOAD_BYTES`]: see [`truncate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Record>,
}

/// What became of a write that met an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorDisposition {
    /// It is tried again.
    Retried,
    /// It waits for an operator.
    Parked,
    /// Its caller was told, and rolled back: nothing is kept.
    Refused,
    /// An app reports it: Tandem has nothing to write.
    Reported,
    /// A sync run copied the record, and lists the failure.
    Copied,
}

impl ErrorDisposition {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::Parked => "parked",
            Self::Refused => "refused",
            Self::Reported => "reported",
            Self::Copied => "copied",
        }
    }
}

impl ErrorEvent {
    /// What is counted once by a rule that counts writes: all attempts of one entry are one.
    #[must_use]
    pub fn unit(&self) -> u128 {
        self.entry.map_or(self.id.0, |entry| entry.0)
    }
}

/// An error in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedError {
    /// What happened.
    pub event: ErrorEvent,
    /// Equal errors have the same: see [`fingerprint`].
    pub fingerprint: ContentHash,
    /// Since when, and why, it is no concern any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<(Timestamp, Resolved)>,
}

impl LoggedError {
    /// An error as it enters the log.
    #[must_use]
    pub fn new(event: ErrorEvent) -> Self {
        Self { fingerprint: fingerprint(&event), event, resolved: None }
    }
}

/// Why an error is no concern any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolved {
    /// A later write of the record succeeded.
    Written,
    /// An operator took the write out of its lane.
    Archived,
    /// An operator said so.
    Operator,
}

impl Resolved {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Written, Self::Archived, Self::Operator];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Archived => "archived",
            Self::Operator => "operator",
        }
    }
}

/// The errors of a record are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The map.
    pub map: MapId,
    /// The record.
    pub key: RecordKey,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub how: Resolved,
    /// The last of its errors: the index may not have them yet.
    pub last: Vec<(LogId, ErrorClass)>,
}

/// A record as it is kept with an error: the fields that fit into [`MAX_PAYLOAD_BYTES`], the smallest first. Each of the
/// others says how long it was, as long as that fits.
#[must_use]
pub fn truncate(record: Record) -> Record {
    let size = |value: &Value| serde_json::to_vec(value).map_or(usize::MAX, |json| json.len());
    let mut fields: Vec<_> = record.into_iter().map(|(name, value)| (size(&value), name, value)).collect();
    fields.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let (mut left, mut kept) = (MAX_PAYLOAD_BYTES - 2, Record::new()); // the braces
    for (bytes, name, value) in fields {
        // A name, a colon, a comma.
        let around = size(&Value::String(name.clone())).saturating_add(2);
        let note = Value::String(format!("… ({bytes} bytes are not kept here)"));
        let shown = [value, note].into_iter().find(|shown| size(shown).saturating_add(around) <= left);
        if let Some(shown) = shown {
            left -= size(&shown) + around;
            kept.insert(name, shown);
        }
    }
    kept
}

/// Equal errors have the same fingerprint: class, leg, code, and the message without what differs from record to
/// record (the key, numbers, what stands in quotes).
#[must_use]
pub fn fingerprint(event: &ErrorEvent) -> ContentHash {
    let like =
        serde_json::json!([event.class, event.to, event.code, alike_message(&event.message, event.key.as_ref())]);
    ContentHash::of_value(&like)
}

/// A message without what differs from record to record: the key, numbers and quoted values.
#[must_use]
pub(crate) fn alike_message(message: &str, key: Option<&RecordKey>) -> String {
    match key {
        Some(key) => alike(&message.replace(key.as_str(), "?")),
        None => alike(message),
    }
}

fn alike(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '`' => quote = Some(c),
                '\'' if !out.ends_with(char::is_alphanumeric) => quote = Some(c),
                c if c.is_ascii_digit() => {
                    if !out.ends_with('#') {
                        out.push('#');
                    }
                }
                c => out.push(c),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: &str, message: &str) -> ErrorEvent {
        ErrorEvent {
            id: LogId(1),
            at: Timestamp(0),
            happened_at: None,
            map: "customers".parse().unwrap(),
            uid: MapUid(1),
            epoch: 1,
            from: None,
            to: "crm".parse().unwrap(),
            key: Some(key.parse().unwrap()),
            entry: None,
            seq: None,
            write: None,
            attempt: 1,
            class: ErrorClass::Application,
            code: None,
            message: message.to_owned(),
            fate: ErrorDisposition::Parked,
            payload: None,
        }
    }

    #[test]
    fn errors_that_differ_in_the_record_alone_are_alike() {
        let one = fingerprint(&event("C-1", "limit 2000000 of account C-1 exceeds 1000000"));
        assert_eq!(one, fingerprint(&event("C-27", "limit 5 of account C-27 exceeds 1000000")));
        assert_ne!(one, fingerprint(&event("C-1", "the account C-1 is locked")));
        let quoted = |name: &str| fingerprint(&event("k", &format!("the owner \"{name}\" doesn't exist")));
        assert_eq!(quoted("Kim"), quoted("Alex 2"));
        let other = ErrorEvent { class: ErrorClass::Conflict, ..event("C-1", "x") };
        assert_ne!(fingerprint(&other), fingerprint(&event("C-1", "x")));
    }

    #[test]
    fn what_is_in_quotes_or_a_number_does_not_count_and_an_apostrophe_is_no_quote() {
        for (message, wanted) in [
            ("a \"b 'c\" d", "a  d"),
            ("a 'b' c", "a  c"),
            ("a `b` c", "a  c"),
            ("it isn't 'x' here", "it isn't  here"),
            ("12 of 345", "# of #"),
            ("a \"b", "a "),
        ] {
            assert_eq!(alike(message), wanted, "{message}");
        }
    }

    #[test]
    fn names_in_the_log_are_those_in_the_api() {
        use ErrorDisposition::{Parked, Refused, Reported, Retried};
        for fate in [Retried, Parked, Refused, Reported] {
            assert_eq!(serde_json::to_value(fate).unwrap(), fate.as_str());
        }
        for how in Resolved::ALL {
            assert_eq!(serde_json::to_value(how).unwrap(), how.as_str());
        }
    }

    #[test]
    fn a_record_is_kept_whole_or_says_what_is_missing() {
        let record = |long: usize| {
            let record = serde_json::json!({"name": "Contoso", "note": "\"".repeat(long), "limit": 7});
            record.as_object().unwrap().clone()
        };
        let bytes = |record: &Record| serde_json::to_vec(record).unwrap().len();
        assert_eq!(MAX_PAYLOAD_BYTES, 4_096, "as the API's description says");
        for long in 2_000..2_100 {
            let (whole, kept) = (record(long), truncate(record(long)));
            assert!(bytes(&kept) <= MAX_PAYLOAD_BYTES);
            assert_eq!(kept == whole, bytes(&whole) < MAX_PAYLOAD_BYTES, "{} bytes", bytes(&whole));
        }
        let kept = truncate(record(100_000));
        assert_eq!((&kept["name"], &kept["limit"]), (&"Contoso".into(), &7.into()));
        assert_eq!(kept["note"], "… (200002 bytes are not kept here)");
        let many: Record = (0..1_000).map(|n| (format!("field{n}"), n.into())).collect();
        assert!(bytes(&truncate(many)) <= MAX_PAYLOAD_BYTES, "names alone may be too long");
    }

    #[test]
    fn all_attempts_of_an_entry_count_as_one_write() {
        let first = ErrorEvent { id: LogId(7), entry: Some(EntryId(3)), ..event("k", "x") };
        let second = ErrorEvent { id: LogId(8), attempt: 2, ..first.clone() };
        assert_eq!(first.unit(), second.unit());
        assert_ne!(event("k", "x").unit(), first.unit());
    }
}
