//! The `OpenAPI` document is true: every answer and every accepted body of these tests is checked against it.

use std::{cell::RefCell, collections::BTreeSet};

use axum::http::Method;
use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

use super::harness::{Answer, Api};
use crate::{openapi::document, routes::ROUTES};

const URL: &str = "http://tandem.test/openapi.json";

/// Checks answers and bodies against the document.
pub(super) struct Checker {
    document: Value,
    schemas: RefCell<(Compiler, Schemas)>,
}

impl Checker {
    pub(super) fn new() -> Self {
        let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.add_resource(URL, document.clone()).unwrap();
        Self { document, schemas: RefCell::new((compiler, Schemas::new())) }
    }

    /// Checks one exchange. What is no route of the API must be a problem.
    pub(super) fn check(&self, method: &Method, path: &str, sent: Option<&str>, answer: &Answer) {
        if *method == Method::HEAD {
            return; // as GET, without the body
        }
        let method = method.as_str().to_lowercase();
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let Some(operation) = self.operation(&method, path) else {
            assert_eq!(kind, "application/problem+json", "{method} {path}");
            return self.validate("#/components/schemas/Problem", &answer.json());
        };
        let responses = &self.document.pointer(&operation).unwrap()["responses"];
        let status = answer.status.to_string();
        let status = if responses.get(&status).is_some() { &*status } else { "default" };
        if let Some(content) = responses[status].get("content") {
            let kinds: Vec<_> = content.as_object().unwrap().keys().collect();
            assert!(kinds.iter().any(|known| **known == kind), "{method} {path}: {kind} is none of {kinds:?}");
            if ["text/csv", "application/x-ndjson"].contains(&kind) {
                return;
            }
            let body =
                if kind.ends_with("yaml") { serde_yaml_ng::from_str(&answer.text).unwrap() } else { answer.json() };
            self.validate(&format!("#{operation}/responses/{status}/content/{}/schema", escaped(kind)), &body);
        } else {
            assert!(answer.status < 300, "{method} {path}: {answer:?}");
        }
        if let Some(sent) = sent.filter(|sent| answer.status < 300 && sent.starts_with('{')) {
            let schema = format!("#{operation}/requestBody/content/{}/schema", escaped("application/json"));
            self.validate(&schema, &serde_json::from_str(sent).unwrap());
        }
    }

    fn operation(&self, method: &str, path: &str) -> Option<String> {
        let path = path.split('?').next().unwrap();
        let template = ROUTES.iter().map(|route| route.path).find(|template| fits(template, path))?;
        let pointer = format!("/paths/{}/{method}", template.replace("~", "~0").replace("/", "~1"));
        self.document.pointer(&pointer).map(|_| pointer)
    }

    fn validate(&self, schema: &str, value: &Value) {
        let (compiler, schemas) = &mut *self.schemas.borrow_mut();
        let index = compiler.compile(&format!("{URL}{schema}"), schemas).unwrap_or_else(|error| panic!("{error:#}"));
        let valid = schemas.validate(value, index);
        valid.unwrap_or_else(|error| panic!("{value:#} is not as the document says: {error}"));
    }
}

/// A part of a JSON pointer in a URL.
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1").replace('{', "%7B").replace('}', "%7D")
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, got): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == got.len() && wanted.iter().zip(&got).all(|(wanted, got)| wanted.starts_with('{') || wanted == got)
}

#[tokio::test]
async fn every_route_is_in_the_document_and_every_path_of_the_document_is_served() {
    let api = Api::new();
    let document = api.with_token(None).get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routes: BTreeSet<_> = ROUTES.iter().map(|r| (r.method.to_string(), r.path.to_owned())).collect();
    assert_eq!(documented, routes);
    for (method, path) in routes {
        let concrete = path.replace("{side}", "x").replace("{map}", "x").replace("{token}", "x").replace("{rule}", "x");
        let concrete = concrete.replace("{group}", "x").replace("{address}", "x@example.com");
        let answer = api.send(method.parse().unwrap(), &concrete, &[], None).await;
        let file = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/csv"));
        let code = if answer.text.is_empty() || file { String::new() } else { answer.problem().1 };
        assert!(code != "unknown_route" && answer.status != 405 && answer.status != 500, "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_route_that_needs_a_token_says_so_in_the_document() {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    for route in &ROUTES {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        assert_eq!(operation.get("security").is_some(), route.role.is_some(), "{} {}", route.method, route.path);
    }
}

#[test]
fn what_is_written_by_hand_comes_through_unchanged() {
    let by_hand: Value = serde_json::from_str(include_str!("../openapi/schemas.json")).unwrap();
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    for (name, schema) in by_hand.as_object().unwrap() {
        assert_eq!(&document["components"]["schemas"][name], schema, "{name}");
    }
}

/// Each reference leads somewhere.
#[test]
fn every_reference_in_the_document_leads_to_a_schema() {
    let text = document().to_json().unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let references = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    for name in references.collect::<BTreeSet<_>>() {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}
