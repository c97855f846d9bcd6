//! Reads all records of an entity, page by page.

mod envelope;
pub(crate) mod link;
mod odata;
mod place;
mod rest;

use app::ports::{Page, PageError, PageRequest};
use domain::{
    Failure,
    limits::MAX_PAGE_ROWS,
    listing::{Cursor, Listing},
    side::{ConnectorKind, SideConfig},
};
use reqwest::{
    StatusCode,
    header::{ACCEPT_ENCODING, HeaderValue},
};
use url::Url;

use self::envelope::Envelope;
pub(crate) use self::{place::Place, rest::rows_in};
use crate::{
    answer::{Answer, Body, without_effect},
    connectors::Connectors,
    limits::MAX_PAGE_BYTES,
    odata::take_annotations,
    plan::Request,
    secrets::Secrets,
    wire::Deadline,
};

/// The information of an answer beside its rows.
#[derive(Debug, Default, PartialEq)]
struct Frame {
    next: Option<Cursor>,
    total: Option<u64>,
}

impl<S: Secrets> Connectors<S> {
    /// Reads a page, with the side's credentials for lists (`copy_auth`). Takes at most the side's
    /// `request_timeout_ms`.
    pub(crate) async fn read_list(
        &self,
        side: &SideConfig,
        listing: &Listing,
        request: &PageRequest,
    ) -> Result<Page, PageError> {
        let side = &SideConfig { connector: side.connector.for_copies(), ..side.clone() };
        let place = Place::of(&side.connector, request.cursor.as_ref())?;
        let size = request.size.clamp(1, side.connector.max_page_size());
        let mut planned = match side.connector.protocol() {
            ConnectorKind::Odata => odata::plan(side, listing, &place, size)?,
            ConnectorKind::Http => rest::plan(side, listing, &place, size)?,
        };
        compress(&mut planned);
        planned.max_answer_bytes = MAX_PAGE_BYTES;
        let answer = self.send(side, &planned, &Deadline::of(side, 1)).await.map_err(without_effect)?;
        if answer.status != StatusCode::OK {
            return Err(refusal(side, &place, &answer));
        }
        read(side, listing, &place, &planned.url, &answer)
    }
}

/// Asks for a compressed answer, because a page has megabytes. Its `ETag`s are in the body, where no server marks them.
/// A setting of the side itself wins.
fn compress(request: &mut Request) {
    if request.headers.get(ACCEPT_ENCODING).is_some_and(|wanted| wanted == "identity") {
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// The failure of an answer without a page. An app that no longer knows its own link or token answers 410, 404 or 400:
/// then the cursor has expired. A page number or an offset cannot expire.
fn refusal(side: &SideConfig, place: &Place, answer: &Answer) -> PageError {
    let is_odata = side.connector.protocol() == ConnectorKind::Odata;
    let is_of_app = match answer.status {
        StatusCode::GONE => !answer.is_page(),
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => !answer.is_of_another_server(is_odata),
        _ => false,
    };
    let failure = match answer.status.is_success() {
        true => answer.doubtful("the app did not return a page"),
        false => answer.failure(),
    };
    match without_effect(failure) {
        failure if is_of_app && place.is_named_by_app() => PageError::CursorExpired(failure),
        failure => PageError::Failed(failure),
    }
}

fn read(side: &SideConfig, listing: &Listing, place: &Place, from: &Url, answer: &Answer) -> Result<Page, PageError> {
    let no_page = |why: &str| PageError::Failed(without_effect(answer.doubtful(why)));
    let too_large = |why: &str| PageError::TooLarge(without_effect(answer.doubtful(why)));
    if answer.is_page() {
        return Err(no_page("the answer is a web page, not one of the app"));
    }
    let text = match &answer.body {
        Body::TooLarge { limit_bytes } => {
            return Err(too_large(&format!("the page is longer than {limit_bytes} bytes")));
        }
        _ => answer.text()?,
    };
    let envelope = Envelope::parse(text).map_err(|why| no_page(&why))?;
    if envelope.denies() {
        return Err(no_page("its body says that it failed"));
    }
    let is_odata = side.connector.protocol() == ConnectorKind::Odata;
    let rows = if is_odata { odata::rows(&envelope) } else { rest::rows(&side.connector, &listing.entity, &envelope) };
    let rows = rows.map_err(|why| no_page(&why))?;
    if rows.len() > MAX_PAGE_ROWS as usize {
        return Err(too_large(&format!("the page has {} rows; at most {MAX_PAGE_ROWS} are read", rows.len())));
    }
    let Frame { next, total } = match is_odata {
        true => odata::frame(&side.connector, from, &envelope)?,
        false => rest::frame(&side.connector, place, from, (&answer.headers, &envelope), rows.len())?,
    };
    let mut page = Page { next, total: total.filter(|_| *place == Place::Start), ..Page::default() };
    for row in rows {
        match listing.read_row(row, |record| if is_odata { take_annotations(record) } else { None }) {
            Some(row) => page.rows.push(row),
            None => page.left_out += 1,
        }
    }
    Ok(page)
}

/// The failure of an answer that does not lead to the next page.
fn unusable(message: &str) -> Failure {
    crate::answer::unreadable(message)
}
