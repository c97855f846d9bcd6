//! A business app with one record, and what it has to report.

use std::collections::VecDeque;

use domain::{EntryId, SideIx, Timestamp, record::Image};
use serde_json::json;

use super::setup::{AppKind, Form, Value};

/// The values of all cases, each followed by how it is stored in capitals.
const VALUES: [(&str, &str); 10] = [
    ("white", "WHITE"),
    ("red", "RED"),
    ("blue", "BLUE"),
    ("green", "GREEN"),
    // Of two fields, a colour and a size.
    ("white small", "WHITE SMALL"),
    ("white large", "WHITE LARGE"),
    ("red small", "RED SMALL"),
    ("red large", "RED LARGE"),
    ("blue small", "BLUE SMALL"),
    ("blue large", "BLUE LARGE"),
];

#[derive(Clone, Debug)]
pub(crate) struct App {
    pub record: Option<Stored>,
    /// Changes that its trigger has not reported yet, oldest first.
    pub outbox: VecDeque<Report>,
    pub caller: Caller,
    /// How many edits its users have begun.
    pub edits_begun: usize,
    /// What its users changed last, if they did and it was taken.
    pub last_edit: Option<Value>,
    /// The idempotency keys it has seen.
    received: Vec<EntryId>,
    reports_made: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    pub value: &'static str,
    /// What the app keeps with the record and no mapping carries is there.
    pub notes: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    pub number: u64,
    pub before: Value,
    pub value: Value,
    pub at: Timestamp,
    /// The lane has it, though its app may not know yet.
    pub is_admitted: bool,
}

/// The app's call of Tandem: it makes one at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Caller {
    None,
    /// Its first report is being executed.
    Reports,
    /// A user holds the record locked in a transaction.
    Sync {
        change: Report,
        accepted_at: Option<Timestamp>,
        stage: SyncStage,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncStage {
    /// The call got no answer, and is to be repeated.
    Sends,
    IsExecuted,
    MayCommit,
}

impl App {
    pub(crate) fn new(record: Value) -> Self {
        Self {
            record: record.map(|value| Stored { value, notes: true }),
            outbox: VecDeque::new(),
            caller: Caller::None,
            edits_begun: 0,
            last_edit: None,
            received: Vec::new(),
            reports_made: 0,
        }
    }

    pub(crate) fn value(&self) -> Value {
        self.record.map(|record| record.value)
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.caller, Caller::Sync { .. })
    }

    /// A change that is not made yet.
    pub(crate) fn prepare(&mut self, kind: &AppKind, value: Value, at: Timestamp) -> Report {
        self.reports_made += 1;
        let value = value.map(|value| stored(kind, value));
        Report { number: self.reports_made, before: self.value(), value, at, is_admitted: false }
    }

    /// A user's change is committed.
    pub(crate) fn commit(&mut self, change: &Report) {
        self.record = change.value.map(|value| Stored { value, notes: true });
        self.last_edit = Some(change.value);
    }

    /// A call of Tandem's lands.
    pub(crate) fn write(&mut self, kind: &AppKind, value: Value, key: EntryId, now: Timestamp) {
        if self.received.contains(&key) {
            return;
        }
        self.received.push(key);
        let nothing_happens = value.is_none() && self.record.is_none();
        if kind.reports_own_writes && !nothing_happens {
            let report = self.prepare(kind, value, now);
            self.outbox.push_back(report);
        }
        let notes = self.record.is_some_and(|record| record.notes);
        self.record = value.map(|value| Stored { value: stored(kind, value), notes });
    }
}

fn stored(kind: &AppKind, value: &'static str) -> &'static str {
    let forms = VALUES.iter().find(|(small, capital)| *small == value || *capital == value);
    let (small, capital) = forms.expect("all values of the cases are listed");
    match kind.form {
        Form::AsSent => value,
        Form::Capitals => capital,
        Form::SmallLetters => small,
    }
}

/// A value as that side's record.
pub(crate) fn image(side: SideIx, value: Value) -> Image {
    let Some(value) = value else { return Image::Absent };
    let record = match (side, value.split_once(' ')) {
        (SideIx::First, None) => json!({ "Name": value }),
        (SideIx::Second, None) => json!({ "name": value }),
        (SideIx::First, Some((name, size))) => json!({ "Name": name, "Size": size }),
        (SideIx::Second, Some((name, size))) => json!({ "name": name, "size": size }),
    };
    Image::Present(record.as_object().expect("it is an object").clone())
}

/// The value of a record of either side.
pub(crate) fn value_of(image: &Image) -> Value {
    let Image::Present(record) = image else { return None };
    let text = |first: &str, second: &str| record.get(first).or(record.get(second)).and_then(|value| value.as_str());
    let name = text("Name", "name").expect("a record has a name");
    let text = text("Size", "size").map_or_else(|| name.to_owned(), |size| format!("{name} {size}"));
    VALUES.iter().flat_map(|(small, capital)| [*small, *capital]).find(|known| *known == text)
}

/// The value with the name of one and the size of the other.
pub(crate) fn merged(named: Value, sized: Value) -> Value {
    let (Image::Present(mut named), Image::Present(sized)) = (image(SideIx::First, named), image(SideIx::First, sized))
    else {
        return None;
    };
    named.insert("Size".to_owned(), sized["Size"].clone());
    value_of(&Image::Present(named))
}
