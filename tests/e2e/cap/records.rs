//! The records of an app on CAP, as its own users see them: read and changed with a client that is not Tandem's.

use local::Cap;
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};

/// The mapped fields, which both apps call by the same names.
pub(crate) const FIELDS: [&str; 8] =
    ["name", "creditLimit", "employees", "blocked", "since", "reviewedAt", "seenAt", "group_code"];

/// The records of one app.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) entity: &'static str,
    /// The parts of the key before the number.
    company: Option<&'static str>,
    url: Url,
    http: reqwest::Client,
}

impl Records {
    pub(crate) fn of(app: &Cap, entity: &'static str, company: Option<&'static str>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("there is a client");
        Self { entity, company, url: app.url().parse().expect("a good address"), http }
    }

    /// The root of the app's service.
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The whole record, with what the map does not carry.
    pub(crate) async fn get(&self, key: &str) -> Option<Value> {
        let company = self.company.map(|company| format!("company eq '{company}' and ")).unwrap_or_default();
        let filter = format!("{company}number eq '{}'", key.replace('\'', "''"));
        let mut found = self.query(self.entity, &[("$filter", &filter)]).await;
        assert!(found.len() <= 1, "{key} is there twice: {found:?}");
        found.pop()
    }

    /// The mapped fields of a record, or none when there is no such record.
    pub(crate) async fn held(&self, key: &str) -> Option<Value> {
        let record = self.get(key).await?;
        Some(FIELDS.iter().map(|name| ((*name).to_owned(), record[name].clone())).collect())
    }

    /// What was written to a record, the oldest first.
    pub(crate) async fn journal(&self, key: &str) -> Vec<Value> {
        let filter = format!("entity eq '{}' and number eq '{}'", self.entity, key.replace('\'', "''"));
        self.query("Journal", &[("$filter", &filter), ("$orderby", "seq")]).await
    }

    /// One field of what was written to a record, the oldest first.
    pub(crate) async fn written(&self, key: &str, field: &str) -> Vec<Value> {
        let data = |line: &Value| serde_json::from_str::<Value>(line["data"].as_str()?).ok();
        self.journal(key).await.iter().filter_map(data).map(|data| data[field].clone()).collect()
    }

    /// A user of the app changes a record.
    pub(crate) async fn edit(&self, key: &str, fields: Value) {
        let request = self.http.patch(self.address(key)).header("if-match", "*").json(&fields);
        let answer = self.as_kim(request).send().await.expect("the app answers");
        assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("the app answers"));
    }

    /// A user of the app deletes a record.
    pub(crate) async fn delete(&self, key: &str) {
        let request = self.http.delete(self.address(key)).header("if-match", "*");
        let answer = self.as_kim(request).send().await.expect("the app answers");
        assert_eq!(answer.status(), 204, "{}", answer.text().await.expect("the app answers"));
    }

    fn address(&self, key: &str) -> Url {
        let company = self.company.map(|company| format!("company='{company}',")).unwrap_or_default();
        let record = format!("{}({company}number='{}')", self.entity, key.replace('\'', "''"));
        let mut url = self.url.clone();
        url.path_segments_mut().expect("it has a path").pop_if_empty().push(&record);
        url
    }

    /// A user of the app makes a record of another entity.
    pub(crate) async fn make(&self, entity: &str, record: Value) {
        let url = self.url.join(entity).expect("a good address");
        let answer = self.as_kim(self.http.post(url).json(&record)).send().await.expect("the app answers");
        assert_eq!(answer.status(), 201, "{}", answer.text().await.expect("the app answers"));
    }

    async fn query(&self, entity: &str, options: &[(&str, &str)]) -> Vec<Value> {
        let mut url = self.url.join(entity).expect("a good address");
        let query = url.query_pairs_mut().extend_pairs(options).finish().query().expect("options").to_owned();
        url.set_query(Some(&query.replace('+', "%20"))); // a plus is no space to CAP
        let answer = self.as_kim(self.http.get(url)).send().await.expect("the app answers");
        let text = answer.text().await.expect("the app answers");
        let mut body: Value = serde_json::from_str(&text).unwrap_or(json!(text));
        match body["value"].take() {
            Value::Array(records) => records,
            _ => panic!("{entity} cannot be read: {text}"),
        }
    }

    fn as_kim(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(Cap::USERS[1], Some(Cap::PASSWORD))
    }
}
