//! A server that lists records as the contract of pages wants it, in each of the ways that a side can be set to.

use std::sync::{Arc, Mutex};

use domain::side::Side;
use serde_json::{Value, json};
use targets::Connectors;
use testkit::{
    contract::PagedApp,
    pages::{PageFault, PageHabits, PagedRows, ServedPage},
};
use url::form_urlencoded;

use crate::{
    server::{Reply, Seen, Server, answer},
    setup::{Store, local, side},
};

/// How the server lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Odata,
    LinkHeader,
    Link,
    Token,
    PostedToken,
    Page,
    Offset,
}

impl Way {
    fn settings(self) -> Value {
        match self {
            Self::Odata => json!({}),
            Self::LinkHeader => json!({"next": {"by": "link_header"}}),
            Self::Link => {
                json!({"next": {"by": "link", "pointer": "/paging/next"}, "rows": "/paging/rows", "total": "/total"})
            }
            Self::Token => {
                json!({"next": {"by": "token", "pointer": "/paging/next", "parameter": "cursor"}, "url": "list/{entity}?all=1"})
            }
            Self::PostedToken => {
                json!({"method": "post", "next": {"by": "token", "pointer": "/paging/next", "parameter": "cursor"}, "url": "search"})
            }
            Self::Page => {
                json!({"next": {"by": "page", "parameter": "page", "first": 0}, "size_parameter": "per_page"})
            }
            Self::Offset => json!({"next": {"by": "offset", "parameter": "skip"}, "total": "/total"}),
        }
    }
}

/// Connectors, and the server behind them.
pub(crate) struct Stub {
    apps: Connectors<Store>,
    side: Side,
    way: Way,
    rows: Arc<Mutex<PagedRows>>,
}

impl Stub {
    pub(crate) async fn start(way: Way) -> Self {
        let rows: Arc<Mutex<PagedRows>> = Arc::default();
        let shared = Arc::clone(&rows);
        let server = Server::start(move |seen| serve(way, &mut shared.lock().unwrap(), seen)).await;
        let kind = if way == Way::Odata { "odata" } else { "rest" };
        let side = side(kind, &server.url(), json!({"list": way.settings()}));
        assert_eq!(side.config.mistakes(), []);
        Self { apps: local(), side, way, rows }
    }
}

impl PagedApp for Stub {
    type Apps = Connectors<Store>;

    fn apps(&self) -> &Connectors<Store> {
        &self.apps
    }
    fn side(&self) -> &Side {
        &self.side
    }
    fn put(&self, key: &str, mut fields: Value) {
        fields["no"] = json!(key);
        if self.way == Way::Odata {
            fields["@odata.etag"] = json!("W/\"1\"");
        }
        self.rows.lock().unwrap().rows.insert(key.to_owned(), fields.to_string());
    }
    fn remove(&self, key: &str) {
        self.rows.lock().unwrap().rows.remove(key);
    }
    fn put_raw(&self, place: &str, row: &str) {
        self.rows.lock().unwrap().rows.insert(place.to_owned(), row.to_owned());
    }
    fn set_habits(&self, habits: PageHabits) {
        self.rows.lock().unwrap().habits = habits;
    }
    fn tells_total(&self) -> bool {
        matches!(self.way, Way::Odata | Way::Link | Way::Offset)
    }
    fn tells_etags(&self) -> bool {
        self.way == Way::Odata
    }
    fn names_next_page(&self) -> bool {
        !matches!(self.way, Way::Page | Way::Offset)
    }
}

/// What the request asks for by this name, in its query or in its body.
fn asked(seen: &Seen, name: &str) -> Option<String> {
    if seen.method == "POST" {
        let value = seen.json()[name].clone();
        return value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
    }
    let query = seen.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn serve(way: Way, rows: &mut PagedRows, seen: &Seen) -> Reply {
    let number = |name: &str| asked(seen, name).and_then(|text| text.parse::<u32>().ok());
    let size = match way {
        Way::Odata => seen.header("prefer").unwrap().strip_prefix("odata.maxpagesize=").unwrap().parse().unwrap(),
        Way::Page => number("per_page").unwrap(),
        _ => number("limit").unwrap(),
    };
    let given = if rows.habits.most_rows > 0 { size.min(rows.habits.most_rows) } else { size };
    let counted = |before: u32| (before > 0).then(|| format!("2.{before}."));
    let cursor = match way {
        Way::Odata => asked(seen, "$skiptoken"),
        Way::Page => counted(number("page").unwrap() * given),
        Way::Offset => counted(number("skip").unwrap()),
        Way::LinkHeader | Way::Link | Way::Token | Way::PostedToken => asked(seen, "cursor"),
    };
    rows.habits.by_offset |= matches!(way, Way::Page | Way::Offset);
    match rows.serve(cursor.as_deref(), size) {
        Ok(page) => page_of(way, size, &page),
        Err(PageFault::Unavailable) => answer(503, "{}"),
        Err(PageFault::Throttled { retry_after_ms }) => {
            Reply::Answer(429, vec![("Retry-After", (retry_after_ms / 1_000).to_string())], "{}".to_owned())
        }
        Err(PageFault::Expired) => answer(410, json!({"error": {"code": "gone", "message": "The cursor has expired"}})),
        Err(PageFault::LoginPage) => {
            let kind = vec![("Content-Type", "text/html".to_owned())];
            Reply::Answer(200, kind, "<!DOCTYPE html><p>Sign in</p>".to_owned())
        }
    }
}

fn page_of(way: Way, size: u32, page: &ServedPage) -> Reply {
    let rows = format!("[{}]", page.rows.join(","));
    let encoded = |cursor: &String| form_urlencoded::byte_serialize(cursor.as_bytes()).collect::<String>();
    let link = page.next.as_ref().map(|cursor| format!("accounts?limit={size}&cursor={}", encoded(cursor)));
    let (total, token) = (json!(page.total), json!(page.next));
    let body = match way {
        Way::Odata => {
            let next = page
                .next
                .as_ref()
                .map(|cursor| format!(r#""@odata.nextLink": "accounts?$skiptoken={}","#, encoded(cursor)));
            let count = page.total.map(|total| format!(r#""@odata.count": "{total}","#));
            format!(r#"{{{}{}"value": {rows}}}"#, next.unwrap_or_default(), count.unwrap_or_default())
        }
        Way::LinkHeader => {
            let header = link.map(|link| vec![("Link", format!(r#"<{link}>; rel="next""#))]);
            return Reply::Answer(200, header.unwrap_or_default(), rows);
        }
        Way::Link => format!(r#"{{"paging": {{"next": {}, "rows": {rows}}}, "total": {total}}}"#, json!(link)),
        Way::Token | Way::PostedToken => format!(r#"{{"items": {rows}, "paging": {{"next": {token}}}}}"#),
        Way::Page | Way::Offset => format!(r#"{{"accounts": {rows}, "total": {total}}}"#),
    };
    answer(200, body)
}
