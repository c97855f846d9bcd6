//! Apps of which only the connection test is asked.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use app::ports::{Applied, Apps, Call, Description, FetchedRecord, Page, PageError, PageRequest, RecordAddress};
use domain::{
    ErrorClass, Failure, SideId,
    failure::CallEffect,
    listing::Listing,
    side::{Connector, ConnectorKind, Health, KeyStyle, ListSettings, Side},
};
use serde_json::Value;

/// Whether lists work with these settings.
type Works = fn(&ListSettings) -> bool;
/// Whether a record is found with these settings.
type Finds = fn(&Connector) -> bool;

/// Apps of which only the connection test is asked.
#[derive(Default)]
pub(super) struct Probed {
    /// The records of every entity; each has its key in the field `accountnumber`.
    pub(super) records: Mutex<Vec<Value>>,
    pub(super) description: Mutex<Option<Description>>,
    /// Records are found only by keys of this style.
    pub(super) only_style: Mutex<Option<KeyStyle>>,
    /// Lists work only with such settings: otherwise `OData` apps refuse them, and REST apps give the first record alone.
    pub(super) lists_with: Mutex<Option<Works>>,
    /// With other settings they show no record of an entity.
    pub(super) shows_with: Mutex<Option<Finds>>,
    /// With other settings they find no record by its key.
    pub(super) finds_with: Mutex<Option<Finds>>,
    /// How long each of their answers takes.
    pub(super) takes_ms: AtomicU64,
    pub(super) now_ms: Arc<AtomicU64>,
    pub(super) outcome: Mutex<Option<Failure>>,
    pub(super) asked: Mutex<Vec<(String, Option<String>)>>,
}

impl Probed {
    fn take_time(&self, question: String, about: Option<String>) {
        self.asked.lock().unwrap().push((question, about));
        self.now_ms.fetch_add(self.takes_ms.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Apps for Probed {
    async fn write(&self, _: &Side, _: &Call) -> Result<Applied, Failure> {
        panic!("operators write nothing to an app")
    }
    async fn read(&self, side: &Side, record: &RecordAddress) -> Result<Option<FetchedRecord>, Failure> {
        let style = side.config.connector.key_style();
        self.take_time(format!("read {style:?}"), Some(record.key.to_string()));
        if self.only_style.lock().unwrap().is_some_and(|only| only != style) {
            return Err(Failure::new(ErrorClass::BadRequest, CallEffect::Refused, None, "no such style"));
        }
        if self.finds_with.lock().unwrap().is_some_and(|finds| !finds(&side.config.connector)) {
            return Ok(None);
        }
        let records = self.records.lock().unwrap();
        Ok(records.iter().find(|known| known["accountnumber"] == record.key.as_str()).map(fetched))
    }
    async fn read_page(&self, side: &Side, listing: &Listing, request: &PageRequest) -> Result<Page, PageError> {
        let settings = &side.config.connector.list;
        let cursor = request.cursor.as_ref().map(|cursor| cursor.as_str().to_owned());
        let before = cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        self.take_time(format!("page of {}", request.size), cursor);
        let works = self.lists_with.lock().unwrap().is_none_or(|works| works(settings));
        let is_odata = side.config.connector.protocol() == ConnectorKind::Odata;
        let refused = |says| Failure::new(ErrorClass::BadRequest, CallEffect::Refused, None, says);
        if is_odata && !works {
            return Err(refused("no such option").into());
        }
        if !is_odata && settings.next.is_none() {
            return Err(refused("connector.list.next is not set").into());
        }
        let records = self.records.lock().unwrap();
        let row = |record: &Value| listing.read_row(&record.to_string(), |_| None);
        let size = usize::try_from(request.size).unwrap();
        let rows: Vec<_> = records.iter().skip(before).take(size).filter_map(row).collect();
        let next = (works && before + size < records.len()).then(|| (before + size).to_string().try_into().unwrap());
        Ok(Page { rows, next, ..Page::default() })
    }
    async fn sample(&self, side: &Side, entity: &str) -> Result<Option<FetchedRecord>, Failure> {
        self.take_time("sample".to_owned(), Some(entity.to_owned()));
        if self.shows_with.lock().unwrap().is_some_and(|shows| !shows(&side.config.connector)) {
            return Ok(None);
        }
        Ok(self.records.lock().unwrap().first().map(fetched))
    }
    async fn describe(&self, _: &Side, entities: &[String]) -> Result<Option<Description>, Failure> {
        self.asked.lock().unwrap().push(("describe".to_owned(), Some(entities.join(" "))));
        Ok(self.description.lock().unwrap().clone())
    }
    fn health(&self, _: &SideId) -> Health {
        Health::default()
    }

    async fn probe(&self, side: &Side, entity: Option<&str>) -> Result<(), Failure> {
        self.asked.lock().unwrap().push((side.id.to_string(), entity.map(str::to_owned)));
        self.outcome.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

fn fetched(record: &Value) -> FetchedRecord {
    FetchedRecord { record: record.as_object().unwrap().clone(), etag: None }
}
