//! Reading all records of an entity, page by page.

use app::ports::FetchedRecord;
use domain::{
    ErrorClass, Failure,
    failure::CallEffect,
    side::{ConnectorKind, Side, SideConfig},
};
use reqwest::header::HeaderValue;
use serde_json::Value;
use url::Url;

use crate::{
    answer::without_effect,
    connectors::Connectors,
    limits::{MAX_LINK_BYTES, MAX_PAGE_BYTES, PAGE_RECORDS},
    odata, path, plan,
    secrets::Secrets,
    wire::Deadline,
};

/// Some records of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records, with their key field and without annotations.
    pub records: Vec<FetchedRecord>,
    /// The link to the next page; `None` after the last.
    pub next: Option<String>,
}

impl<S: Secrets> Connectors<S> {
    /// Reads a page of an `OData` entity: the first, or the one an earlier page named. Lasts at most the side's
    /// `request_timeout_ms`.
    ///
    /// # Errors
    /// The app cannot be reached or refuses; its answer is no page, or names a next page outside of the side's
    /// `base_url`; the side does not speak `OData`. None of these had an effect.
    pub async fn page(&self, side: &Side, entity: &str, next: Option<&str>) -> Result<Page, Failure> {
        let side = &side.config;
        if side.connector.protocol() != ConnectorKind::Odata {
            return Err(unusable("only OData sides can be read page by page"));
        }
        let base = path::base(&side.connector)?;
        let url = match next {
            None => path::entity(&side.connector, entity)?,
            Some(link) => inside(&base, &base, link)?,
        };
        let answer =
            self.send(side, &request(side, url.clone())?, &Deadline::of(side, 1)).await.map_err(without_effect)?;
        if !answer.status.is_success() {
            return Err(without_effect(answer.failure()));
        }
        let mut body = answer.into_record()?;
        let Some(Value::Array(records)) = body.remove("value") else {
            return Err(unusable("the answer has no array `value`"));
        };
        let next = match body.remove("@odata.nextLink") {
            Some(Value::String(link)) => Some(inside(&base, &url, &link)?.into()),
            _ => None,
        };
        Ok(Page { records: records.into_iter().map(found).collect::<Result<_, _>>()?, next })
    }
}

fn request(side: &SideConfig, url: Url) -> Result<plan::Request, Failure> {
    let mut request = plan::get(side, url)?;
    let size = HeaderValue::from_str(&format!("odata.maxpagesize={PAGE_RECORDS}"));
    request.headers.extend(size.ok().map(|size| (odata::PREFER, size)));
    request.max_answer_bytes = MAX_PAGE_BYTES;
    Ok(request)
}

fn found(value: Value) -> Result<FetchedRecord, Failure> {
    let Value::Object(mut record) = value else { return Err(unusable("`value` contains something else than records")) };
    let etag = odata::take_annotations(&mut record);
    Ok(FetchedRecord { record, etag })
}

/// Resolves the app's link, if our credentials may go there: same origin, below the same path.
pub(crate) fn inside(base: &Url, from: &Url, link: &str) -> Result<Url, Failure> {
    let url = from.join(link).map_err(|_| unusable("the link to the next page is no URL"))?;
    let below = url.path().starts_with(base.path());
    let bare = url.username().is_empty() && url.password().is_none();
    if url.origin() != base.origin() || !below || !bare || url.as_str().len() > MAX_LINK_BYTES {
        return Err(unusable("the link to the next page leads away from the side's base_url"));
    }
    Ok(url)
}

fn unusable(message: &str) -> Failure {
    Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_stays_below_the_base() {
        let base = Url::parse("https://erp.example/data/").unwrap();
        let from = base.join("Customers").unwrap();
        for (link, wanted) in [
            ("Customers?$skiptoken=2", "https://erp.example/data/Customers?$skiptoken=2"),
            ("/data/Customers?$skip=2", "https://erp.example/data/Customers?$skip=2"),
            ("https://ERP.example:443/data/Customers", "https://erp.example/data/Customers"),
            ("?$skiptoken=2", "https://erp.example/data/Customers?$skiptoken=2"),
        ] {
            assert_eq!(inside(&base, &from, link).unwrap().as_str(), wanted);
        }
        for link in [
            "https://evil.test/data/Customers",
            "//evil.test/data/Customers",
            "http://erp.example/data/Customers",
            "https://erp.example:8443/data/Customers",
            "https://erp.example/admin/Customers",
            "/data/../admin",
            "/data/%2e%2e/admin",
            "https://u:p@erp.example/data/Customers",
            "file:///data/Customers",
            &format!("/data/{}", "x".repeat(MAX_LINK_BYTES)),
        ] {
            assert!(inside(&base, &from, link).is_err(), "{link}");
        }
    }
}
