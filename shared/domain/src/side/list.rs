//! How an app lists the records of an entity.

use serde::{Deserialize, Serialize};

use super::{AppKind, Connector, ConnectorKind, urls};
use crate::limits::MAX_PAGE_ROWS;

/// How the records of an entity are listed. What is absent is as the kind of app has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListSettings {
    /// Most records asked for in one page. At most, and by default: `dataverse` 5,000, `finance_operations` 10,000, `sap_odata`
    /// 3,000. Others: at most 10,000; by default `odata` and `business_central` 5,000, `http` 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_page_size: Option<u32>,
    /// `OData`: whether only the fields of the map are asked for (`$select`). Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<bool>,
    /// `OData`: whether records are asked for in order of their keys (`$orderby`), so that none moves to another page while
    /// they are read. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_by_key: Option<bool>,
    /// `OData`: whether the first page says how many records there are (`$count`). Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<bool>,
    /// REST: how a page is asked for. Default: `get`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<ListMethod>,
    /// REST: where, relative to `base_url`; `{entity}` stands for the entity. Default: `entity_url` of the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// REST: where an answer has its rows, as a JSON pointer (RFC 6901). Default: the answer is the list, or has it in a
    /// member with one of the usual names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// REST: how the next page is found. Nothing is listed without it: the first page would be taken for all records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPage>,
    /// REST: the parameter that has the size of a page. Default: `limit`. Empty: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_parameter: Option<String>,
    /// REST: where the first page says how many records there are, as a JSON pointer. Absent: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
}

/// How a page of a REST list is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListMethod {
    /// `GET`, with the parameters in the query.
    #[default]
    Get,
    /// `POST`, with the parameters as members of a JSON object.
    Post,
}

/// How the next page of a REST list is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum NextPage {
    /// There is none: one answer has all records.
    Whole,
    /// By the header `Link` with `rel="next"` (RFC 8288).
    LinkHeader,
    /// By a URL in the answer. Absent, null or empty there: it was the last page.
    Link {
        /// Where the answer has it, as a JSON pointer.
        pointer: String,
    },
    /// By a token in the answer, which goes along with the next request. Absent, null or empty there: it was the last page.
    Token {
        /// Where the answer has it, as a JSON pointer.
        pointer: String,
        /// The parameter in which it goes along.
        parameter: String,
    },
    /// By the number of the page. The first page without records ends the list.
    Page {
        /// The parameter that has it.
        parameter: String,
        /// The number of the first page.
        #[serde(default = "one")]
        first: u32,
    },
    /// By the number of records before the page. The first page without records ends the list.
    Offset {
        /// The parameter that has it.
        parameter: String,
    },
}

fn one() -> u32 {
    1
}

impl NextPage {
    fn pointer(&self) -> Option<&str> {
        match self {
            Self::Link { pointer } | Self::Token { pointer, .. } => Some(pointer),
            Self::Whole | Self::LinkHeader | Self::Page { .. } | Self::Offset { .. } => None,
        }
    }

    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Token { parameter, .. } | Self::Page { parameter, .. } | Self::Offset { parameter } => {
                Some(parameter)
            }
            Self::Whole | Self::LinkHeader | Self::Link { .. } => None,
        }
    }
}

impl ListSettings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The parameter that has the size of a page, if there is one.
    #[must_use]
    pub fn size_parameter(&self) -> Option<&str> {
        Some(self.size_parameter.as_deref().unwrap_or("limit")).filter(|name| !name.is_empty())
    }
}

impl AppKind {
    /// The largest page that the app gives, and the page that is asked for unless the side says otherwise.
    fn page_sizes(self) -> (u32, u32) {
        match self {
            Self::Dataverse => (5_000, 5_000),
            Self::FinanceOperations => (10_000, 10_000),
            Self::SapOdata => (3_000, 3_000),
            Self::Odata | Self::BusinessCentral => (MAX_PAGE_ROWS, 5_000),
            Self::Http => (MAX_PAGE_ROWS, 1_000),
        }
    }
}

impl Connector {
    /// REST: where a page is asked for; `{entity}` stands for the entity.
    #[must_use]
    pub fn list_url(&self) -> &str {
        self.list.url.as_deref().unwrap_or(self.entity_url())
    }

    /// Most records to ask for in one page.
    #[must_use]
    pub fn max_page_size(&self) -> u32 {
        self.list.max_page_size.unwrap_or(self.kind.page_sizes().1)
    }

    /// A total that is at least as large as this one is not believed: Dataverse counts to 5,000 and no further.
    #[must_use]
    pub fn counts_up_to(&self) -> u64 {
        if self.kind == AppKind::Dataverse { 5_000 } else { u64::MAX }
    }
}

/// Whether it is a JSON pointer (RFC 6901).
pub(super) fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/')) && text.len() <= 256
}

/// Reports every mistake in the settings of a connector's lists.
pub(super) fn check(connector: &Connector, check: &mut impl FnMut(bool, &str, &str)) {
    let list = &connector.list;
    let (most, _) = connector.kind.page_sizes();
    let size_fits = list.max_page_size.is_none_or(|size| (1..=most).contains(&size));
    check(size_fits, "connector.list.max_page_size", &format!("must be 1 to {most}"));
    let is_odata = connector.protocol() == ConnectorKind::Odata;
    for (is_set, name) in [
        (list.select.is_some(), "select"),
        (list.order_by_key.is_some(), "order_by_key"),
        (list.count.is_some(), "count"),
    ] {
        check(is_odata || !is_set, &format!("connector.list.{name}"), "can be set only for an app that speaks OData");
    }
    for (is_set, name) in [
        (list.method.is_some(), "method"),
        (list.url.is_some(), "url"),
        (list.rows.is_some(), "rows"),
        (list.next.is_some(), "next"),
        (list.size_parameter.is_some(), "size_parameter"),
        (list.total.is_some(), "total"),
    ] {
        check(!is_odata || !is_set, &format!("connector.list.{name}"), "cannot be set for an app that speaks OData");
    }
    if let Some(url) = &list.url {
        let says = "must be a path below base_url, with {entity} for the entity, and without fragment or `..`";
        check(urls::is_relative(url, &["{entity}"]), "connector.list.url", says);
    }
    let next = list.next.as_ref();
    for (pointer, name) in [
        (list.rows.as_deref(), "rows"),
        (list.total.as_deref(), "total"),
        (next.and_then(NextPage::pointer), "next.pointer"),
    ] {
        check(
            pointer.is_none_or(is_pointer),
            &format!("connector.list.{name}"),
            "must be a JSON pointer such as /data/items",
        );
    }
    let size = list.size_parameter.as_deref();
    for (parameter, name, may_be_empty) in
        [(size, "size_parameter", true), (next.and_then(NextPage::parameter), "next.parameter", false)]
    {
        let Some(parameter) = parameter else { continue };
        let field = format!("connector.list.{name}");
        let fits = (may_be_empty || !parameter.is_empty()) && parameter.len() <= 128;
        check(fits, &field, "must be the name of a parameter, of at most 128 characters");
        check(!connector.query.contains_key(parameter), &field, "is in connector.query, too");
    }
    let same = next.and_then(NextPage::parameter).is_some_and(|name| list.size_parameter() == Some(name));
    check(!same, "connector.list.next.parameter", "is the size_parameter, too");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::SideConfig;

    fn side(kind: &str, more: &Value) -> SideConfig {
        let mut connector = json!({"kind": kind, "base_url": "https://a.example/"});
        connector.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(json!({"connector": connector})).unwrap()
    }

    fn wrong(kind: &str, list: &Value) -> String {
        let mistakes = side(kind, &json!({"list": list})).mistakes();
        let names = mistakes.into_iter().map(|mistake| mistake.field.replace("connector.list.", ""));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_app_brings_the_size_of_its_pages_and_a_side_may_ask_for_less() {
        for (kind, usual, most) in [
            ("dataverse", 5_000, 5_000),
            ("finance_operations", 10_000, 10_000),
            ("business_central", 5_000, 10_000),
            ("sap_odata", 3_000, 3_000),
            ("odata", 5_000, 10_000),
            ("rest", 1_000, 10_000),
        ] {
            assert_eq!(side(kind, &json!({})).connector.max_page_size(), usual, "{kind}");
            for (size, mistakes) in [(0, "max_page_size"), (1, ""), (most, ""), (most + 1, "max_page_size")] {
                assert_eq!(wrong(kind, &json!({"max_page_size": size})), mistakes, "{kind} {size}");
            }
        }
        assert_eq!(side("rest", &json!({"list": {"max_page_size": 7}})).connector.max_page_size(), 7);
    }

    #[test]
    fn settings_of_the_other_protocol_are_refused() {
        for (name, value) in [("select", json!(true)), ("order_by_key", json!(false)), ("count", json!(true))] {
            assert_eq!(
                (wrong("odata", &json!({name: value})), wrong("rest", &json!({name: value}))),
                (String::new(), name.into())
            );
        }
        for (name, value) in [
            ("method", json!("post")),
            ("url", json!("list/{entity}?all=1")),
            ("rows", json!("/data/items")),
            ("next", json!({"by": "link_header"})),
            ("size_parameter", json!("")),
            ("total", json!("/total")),
        ] {
            assert_eq!(
                (wrong("dataverse", &json!({name: value})), wrong("rest", &json!({name: value}))),
                (name.into(), String::new())
            );
        }
    }

    #[test]
    fn each_setting_of_a_rest_list_is_checked() {
        for url in
            ["", "/x", "a//b", "a/../b", "https://evil.test/x", "a#b", "a b", "{entity", "a%2e", "a\\b", "ü", "{other}"]
        {
            assert_eq!(wrong("rest", &json!({"url": url})), "url", "{url}");
        }
        for good in ["{entity}", "v2/{entity}/search?status=all", "customers", "{entity}/", "{entity}/?all=1"] {
            assert_eq!(wrong("rest", &json!({"url": good})), "", "{good}");
        }
        assert_eq!(wrong("rest", &json!({"rows": ""})), "");
        assert_eq!(wrong("rest", &json!({"rows": "data", "total": "x"})), "rows total");
        assert_eq!(wrong("rest", &json!({"next": {"by": "link", "pointer": "next"}})), "next.pointer");
        assert_eq!(
            wrong("rest", &json!({"next": {"by": "token", "pointer": "/t", "parameter": ""}})),
            "next.parameter"
        );
        assert_eq!(wrong("rest", &json!({"next": {"by": "page", "parameter": "page"}})), "");
        assert_eq!(wrong("rest", &json!({"next": {"by": "offset", "parameter": "limit"}})), "next.parameter");
        assert_eq!(wrong("rest", &json!({"size_parameter": "n".repeat(129)})), "size_parameter");
        let twice = side("rest", &json!({"query": {"size": "1"}, "list": {"size_parameter": "size"}})).mistakes();
        assert_eq!(twice[0].field, "connector.list.size_parameter");
        let unknown: Result<SideConfig, _> = serde_json::from_value(
            json!({"connector": {"kind": "rest", "base_url": "https://a/", "list": {"next": {"by": "guess"}}}}),
        );
        assert!(unknown.is_err());
    }

    #[test]
    fn the_sign_in_for_copies_is_checked_as_the_other_and_takes_its_place() {
        let auth = |header: &str| json!({"kind": "api_key", "header": header, "secret": "ssm:/copy"});
        let wrong = side("odata", &json!({"copy_auth": auth("x key")})).mistakes();
        assert_eq!(wrong[0].field, "connector.copy_auth.header");
        let set = side("odata", &json!({"copy_auth": auth("x-key")}));
        assert_eq!(set.mistakes(), []);
        assert_eq!(json!(set.connector.for_copies().auth), auth("x-key"));
        assert_eq!(side("odata", &json!({})).connector.for_copies().auth, super::super::Auth::None);
        let stored = serde_json::to_value(side("odata", &json!({}))).unwrap();
        let connector = stored["connector"].as_object().unwrap();
        assert!(
            !connector.contains_key("list") && !connector.contains_key("copy_auth"),
            "an older release refuses them"
        );
    }
}
