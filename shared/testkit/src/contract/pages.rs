//! What every app must do that gives its records page by page, whatever it speaks: run against the apps in memory, and against
//! the connectors with a server behind them.

use app::ports::{Apps, Page, PageError, PageRequest};
use domain::{
    ErrorClass,
    failure::CallEffect,
    listing::{Cursor, ListedRecord, Listing, PageRow, Unusable},
    side::Side,
};
use serde_json::{Value, json};

use crate::pages::{PageFault, PageHabits};

/// An app that is read page by page. Its records have the key `no` and the field `name`.
pub trait PagedApp {
    /// What reads it.
    type Apps: Apps;

    /// What reads it.
    fn apps(&self) -> &Self::Apps;
    /// Its side.
    fn side(&self) -> &Side;
    /// Puts a record there, or another in its place.
    fn put(&self, key: &str, fields: Value);
    /// Takes a record away.
    fn remove(&self, key: &str);
    /// Puts a row of any kind where a record with this key would be.
    fn put_raw(&self, place: &str, row: &str);
    /// From now on it has these habits.
    fn set_habits(&self, habits: PageHabits);
    /// Whether its lists say how many records there are.
    fn tells_total(&self) -> bool;
    /// Whether its lists tell each record's `ETag`.
    fn tells_etags(&self) -> bool;
    /// Whether the app itself says where the next page is. Otherwise it is counted, and what depends on the app's word is left out.
    fn names_next_page(&self) -> bool;
}

/// The list that the contract reads.
#[must_use]
pub fn listing() -> Listing {
    let (entity, key_field) = ("accounts".to_owned(), "no".to_owned());
    Listing { entity, key_field, fields: vec!["name".to_owned()], ..Listing::default() }
}

/// The whole contract.
///
/// # Panics
/// An app breaks it.
pub async fn pages_contract<P: PagedApp>(make: impl AsyncFn() -> P) {
    every_record_comes_once_with_its_key_and_each_of_its_digits(&make().await).await;
    an_entity_without_records_is_one_empty_page_or_a_few(&make().await).await;
    an_app_may_give_fewer_rows_than_it_is_asked_for(&make().await).await;
    a_row_that_is_no_record_is_told_and_the_others_flow(&make().await).await;
    a_page_that_failed_is_read_by_the_same_cursor_in_another_process(&make().await).await;
    a_page_shows_what_the_app_has_when_it_is_read(&make().await).await;
    let app = make().await;
    if app.names_next_page() {
        an_empty_page_is_not_the_end(&app).await;
        an_expired_cursor_is_an_error_of_its_own(&make().await).await;
        a_page_that_comes_twice_and_a_loop_are_passed_on(&make().await).await;
    }
}

async fn page<P: PagedApp>(app: &P, cursor: Option<Cursor>, size: u32) -> Result<Page, PageError> {
    app.apps().read_page(app.side(), &listing(), &PageRequest { cursor, size }).await
}

/// All pages, as far as there are at most a hundred.
async fn pages<P: PagedApp>(app: &P, size: u32) -> Vec<Page> {
    let (mut pages, mut cursor) = (Vec::new(), None::<Cursor>);
    for _ in 0..100 {
        let page = page(app, cursor.take(), size).await.expect("a page");
        cursor.clone_from(&page.next);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("the list does not end");
}

fn records(page: &Page) -> impl Iterator<Item = &ListedRecord> {
    page.rows.iter().filter_map(|row| match row {
        PageRow::Record(record) => Some(record),
        PageRow::Unusable(_) => None,
    })
}

fn keys<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Vec<String> {
    pages.into_iter().flat_map(records).map(|record| record.key.to_string()).collect()
}

fn put_many<P: PagedApp>(app: &P, count: u32) -> Vec<String> {
    let keys: Vec<_> = (0..count).map(|n| format!("C-{n:03}")).collect();
    for key in &keys {
        app.put(key, json!({"name": key}));
    }
    keys
}

/// Also keys that mean something in a URL.
async fn every_record_comes_once_with_its_key_and_each_of_its_digits<P: PagedApp>(app: &P) {
    let mut all: Vec<_> = put_many(app, 4);
    for odd in ["a&b=c d", "a'b/ü%2F", "a+b#c?"] {
        all.push(odd.to_owned());
        app.put(odd, serde_json::from_str(r#"{"name": 18446744073709551616.10}"#).expect("JSON"));
    }
    app.set_habits(PageHabits { tells_total: true, ..PageHabits::default() });
    let pages = pages(app, 2).await;
    all.sort_unstable();
    assert_eq!(keys(&pages), all);
    assert!(pages.iter().all(|page| page.rows.len() <= 2 && page.left_out == 0), "{pages:?}");
    let last = records(&pages[3]).next().expect("the last record");
    assert_eq!(
        Value::Object(last.record.clone()).to_string(),
        r#"{"name":18446744073709551616.10}"#,
        "only its fields"
    );
    assert_eq!(records(&pages[0]).all(|record| record.etag.is_some()), app.tells_etags());
    assert_eq!(pages[0].total, app.tells_total().then_some(7));
    assert!(pages[1..].iter().all(|page| page.total.is_none()));
}

/// An app that counts its rows may have to be asked once more.
async fn an_entity_without_records_is_one_empty_page_or_a_few<P: PagedApp>(app: &P) {
    let pages = pages(app, 10).await;
    assert!(pages.len() <= 2 && pages.iter().all(|page| page.rows.is_empty()), "{pages:?}");
}

/// Fewer than it was asked for is not the end.
async fn an_app_may_give_fewer_rows_than_it_is_asked_for<P: PagedApp>(app: &P) {
    let all = put_many(app, 7);
    app.set_habits(PageHabits { most_rows: 3, ..PageHabits::default() });
    let pages = pages(app, 5).await;
    assert_eq!(keys(&pages), all);
    assert_eq!(pages[0].rows.len(), 3);
}

/// Each kind of them.
async fn a_row_that_is_no_record_is_told_and_the_others_flow<P: PagedApp>(app: &P) {
    let all = put_many(app, 3);
    app.put_raw("C-0005", "17");
    app.put_raw("C-0015", r#"{"name": "x"}"#);
    app.put_raw("C-0016", r#"{"no": null, "name": "x"}"#);
    app.put_raw("C-0017", r#"{"no": ["C"]}"#);
    let large = format!(r#"{{"no": "C-big", "name": "{}"}}"#, "x".repeat(300_000));
    app.put_raw("C-0018", &large);
    let pages = pages(app, 100).await;
    assert_eq!(keys(&pages), all);
    let rows = pages[0].rows.iter();
    let unusable = rows.filter_map(|row| match row {
        PageRow::Unusable(row) => Some((row.why.clone(), row.key.as_ref().map(ToString::to_string))),
        PageRow::Record(_) => None,
    });
    let unusable: Vec<_> = unusable.collect();
    let [no_object, missing, empty, wrong, large] = &unusable[..] else { panic!("{unusable:?}") };
    assert_eq!(*no_object, (Unusable::NotAnObject, None));
    assert_eq!(*missing, (Unusable::KeyMissing, None));
    assert_eq!(*empty, (Unusable::KeyEmpty, None));
    assert_eq!(*wrong, (Unusable::KeyOfWrongType, None));
    assert!(matches!(large, (Unusable::TooLarge { bytes: 300_000.. }, Some(key)) if key == "C-big"), "{large:?}");
}

/// The cursor goes through a store in between.
async fn a_page_that_failed_is_read_by_the_same_cursor_in_another_process<P: PagedApp>(app: &P) {
    let all = put_many(app, 5);
    for (fault, class, retry_after_ms) in [
        (PageFault::Unavailable, ErrorClass::Unavailable, None),
        (PageFault::Throttled { retry_after_ms: 17_000 }, ErrorClass::Throttled, Some(17_000)),
        (PageFault::LoginPage, ErrorClass::OtherHttp, None),
    ] {
        app.set_habits(PageHabits { fails_at: Some((2, fault)), ..PageHabits::default() });
        let first = page(app, None, 3).await.expect("the first page");
        let cursor = first.next.clone().expect("a second page");
        let Err(PageError::Failed(failure)) = page(app, Some(cursor.clone()), 3).await else { panic!("{fault:?}") };
        assert_eq!((failure.class, failure.effect), (class, CallEffect::NotApplied), "{fault:?}");
        assert_eq!(failure.retry_after_ms, retry_after_ms);
        let stored = serde_json::to_string(&cursor).expect("text");
        let cursor = serde_json::from_str(&stored).expect("a cursor");
        let second = page(app, Some(cursor), 3).await.expect("the second page");
        assert_eq!(keys([&first, &second]), all, "{fault:?}");
    }
}

/// Nothing is remembered from page to page but the cursor.
async fn a_page_shows_what_the_app_has_when_it_is_read<P: PagedApp>(app: &P) {
    put_many(app, 4);
    let first = page(app, None, 2).await.expect("the first page");
    app.put("C-002", json!({"name": "new"}));
    app.remove("C-003");
    let second = page(app, first.next, 2).await.expect("the second page");
    assert_eq!(keys([&second]), ["C-002"]);
    assert_eq!(records(&second).next().expect("a record").record["name"], "new");
}

/// Only the lack of a next page is.
async fn an_empty_page_is_not_the_end<P: PagedApp>(app: &P) {
    let all = put_many(app, 5);
    app.set_habits(PageHabits { empty_at: Some(2), ..PageHabits::default() });
    let pages = pages(app, 3).await;
    assert_eq!((pages.len(), pages[1].rows.len(), keys(&pages)), (3, 0, all));
}

/// It is not told as any other refusal.
async fn an_expired_cursor_is_an_error_of_its_own<P: PagedApp>(app: &P) {
    put_many(app, 5);
    app.set_habits(PageHabits { fails_at: Some((2, PageFault::Expired)), ..PageHabits::default() });
    let first = page(app, None, 3).await.expect("the first page");
    let again = page(app, first.next, 3).await;
    assert!(matches!(again, Err(PageError::CursorExpired(_))), "{again:?}");
}

/// Whoever reads the list must notice.
async fn a_page_that_comes_twice_and_a_loop_are_passed_on<P: PagedApp>(app: &P) {
    put_many(app, 4);
    app.set_habits(PageHabits { repeats_at: Some(2), ..PageHabits::default() });
    let read = pages(app, 2).await;
    assert_eq!(keys(&read), ["C-000", "C-001", "C-000", "C-001", "C-002", "C-003"]);
    app.set_habits(PageHabits { loops_at: Some(2), ..PageHabits::default() });
    let first = page(app, None, 2).await.expect("the first page");
    let second = page(app, first.next.clone(), 2).await.expect("the second page");
    let third = page(app, second.next, 2).await.expect("the first page again");
    assert_eq!((keys([&third]), third.next), (keys([&first]), first.next));
}
