//! Lists of the apps in memory.

use std::sync::{Arc, atomic::Ordering};

use app::ports::{Page, PageError, PageRequest};
use domain::{
    ErrorClass, Failure,
    failure::CallEffect,
    listing::{Cursor, Listing, PageRow},
    record::{Image, Record},
    side::Side,
};
use serde_json::Value;

use super::PageFault;
use crate::{
    apps::{FakeApp, FakeApps},
    executor::lock,
};

/// Where a row has its `ETag`.
const ETAG: &str = "@odata.etag";

impl FakeApps {
    pub(crate) async fn page_once(
        &self,
        side: &Side,
        listing: &Listing,
        request: &PageRequest,
    ) -> Result<Page, PageError> {
        let latency_ms = self.latency_ms.load(Ordering::SeqCst);
        if latency_ms > 0 {
            self.world.sleep(latency_ms).await;
        }
        let busy_for_ms = self.busy_for_ms.load(Ordering::SeqCst);
        if busy_for_ms > 0 {
            return Err(failed(PageFault::Throttled { retry_after_ms: busy_for_ms }));
        }
        if self.roll().is_some() {
            return Err(failed(PageFault::Unavailable));
        }
        let app = Arc::clone(&self.apps[&side.id]);
        let app = &mut *lock(&app);
        let cursor = request.cursor.as_ref().map(Cursor::as_str);
        let rows = rows(app, listing);
        let size = request.size.min(side.config.connector.max_page_size());
        let served = app.pages.serve(&rows, cursor, size).map_err(failed)?;
        let found: Vec<Option<PageRow>> =
            served.rows.iter().map(|row| listing.read_row(row, take_annotations)).collect();
        let left_out = found.iter().filter(|row| row.is_none()).count();
        Ok(Page {
            left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
            rows: found.into_iter().flatten().collect(),
            next: served.next.and_then(|next| Cursor::try_from(next).ok()),
            total: served.total,
        })
    }
}

/// All rows of the app that meet the conditions, which are of the form `field=value` here.
fn rows(app: &FakeApp, listing: &Listing) -> std::collections::BTreeMap<String, String> {
    let mut rows = app.odd_rows.clone();
    for (key, (image, version)) in &app.records {
        let Image::Present(record) = image else { continue };
        let meets = |filter: &String| {
            filter.split_once('=').is_none_or(|(field, value)| record.get(field).is_some_and(|own| *own == value))
        };
        if !listing.filters.iter().all(meets) {
            continue;
        }
        let mut record = record.clone();
        record.insert(listing.key_field.clone(), key.as_str().into());
        record.extend(listing.fixed_key.clone());
        record.insert(ETAG.to_owned(), format!("W/\"{version}\"").into());
        rows.insert(key.as_str().to_owned(), Value::Object(record).to_string());
    }
    rows
}

fn take_annotations(record: &mut Record) -> Option<String> {
    record.remove(ETAG).and_then(|etag| etag.as_str().map(str::to_owned))
}

fn failed(fault: PageFault) -> PageError {
    let failure = |class, code: &str, says: &str| {
        Failure::new(class, CallEffect::NotApplied, Some(code.to_owned()), &format!("simulated: {says}"))
    };
    match fault {
        PageFault::Unavailable => PageError::Failed(failure(ErrorClass::Unavailable, "503", "503")),
        PageFault::Throttled { retry_after_ms } => PageError::Failed(Failure {
            retry_after_ms: Some(retry_after_ms),
            ..failure(ErrorClass::Throttled, "429", "429")
        }),
        PageFault::Expired => PageError::CursorExpired(failure(ErrorClass::OtherHttp, "410", "the cursor has expired")),
        PageFault::LoginPage => PageError::Failed(failure(ErrorClass::OtherHttp, "200", "a web page")),
    }
}
