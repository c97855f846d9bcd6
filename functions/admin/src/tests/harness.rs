//! A caller, and a world in memory.

use std::{rc::Rc, sync::Arc};

use app::{
    admin::tokens::sha256_hex,
    ports::{Role, Token, Tokens},
};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request},
};
use domain::Timestamp;
use serde_json::{Value, json};
use testkit::operators::OperatorWorld;
pub(super) use testkit::operators::{FIRST_ADMIN, NOON};
use tower::ServiceExt;

use super::{openapi::Checker, probed::Probed};
use crate::router::router;

/// Everything the use cases work with, in memory.
pub(super) type World = OperatorWorld<Probed>;

/// The API and a caller of it.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) world: Arc<World>,
    token: Option<String>,
    checker: Rc<Checker>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Api {
    /// A fresh world, and its first admin.
    pub(super) fn new() -> Self {
        let mut world = World::new(|now_ms| Probed { now_ms, ..Probed::default() });
        world.failed_batches = 3;
        Self { world: Arc::new(world), token: Some(FIRST_ADMIN.to_owned()), checker: Rc::new(Checker::new()) }
    }

    /// The same world with two sides and a map between them.
    pub(super) async fn with_map() -> Self {
        let api = Self::new();
        for side in ["finance", "crm"] {
            assert_eq!(api.put(&format!("/sides/{side}"), &side_config()).await.status, 201);
        }
        assert_eq!(api.put("/maps/customers", &map_config()).await.status, 201);
        api
    }

    /// The same world as seen by somebody with a role.
    pub(super) async fn as_role(&self, role: Role) -> Self {
        let secret = format!("tnd_{}", role.as_str());
        let (id, name) = (format!("id-{}", role.as_str()), format!("the {}", role.as_str()));
        let token = Token { id, name, role, created_at: Timestamp(0) };
        self.world.tokens.save_token(&sha256_hex(&secret), &token).await.unwrap();
        self.with_token(Some(&secret))
    }

    /// The same world with another token.
    pub(super) fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, &[], body).await
    }

    pub(super) async fn put_if(&self, path: &str, if_match: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, &[("if-match", if_match)], body).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, &[], body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    pub(super) async fn json(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(method, path, &all, Some(body.to_string())).await
    }

    /// Sends anything, and checks what comes back against the document.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let request = Request::builder().method(method.clone()).uri(path);
        self.request(method, path, headers, body, request).await
    }

    /// Gets something from a function whose time is up at a moment.
    pub(super) async fn get_until(&self, path: &str, deadline: Timestamp) -> Answer {
        let mut context = lambda_http::Context::default();
        context.deadline = deadline.0;
        let request = Request::builder().method(Method::GET).uri(path).extension(context);
        self.request(Method::GET, path, &[], None, request).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
        mut request: axum::http::request::Builder,
    ) -> Answer {
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body.clone();
        let request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        let response = router(Arc::clone(&self.world)).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text };
        self.checker.check(&method, path, sent.as_deref(), &answer);
        answer
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, code, and what is wrong where: `field: message; field: message`.
    pub(super) fn problem(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let errors: Vec<_> = errors.iter().map(|e| format!("{}: {}", text(&e["field"]), text(&e["message"]))).collect();
        (self.status, text(&body["code"]), errors.join("; "))
    }

    /// Asserts a problem: its status and code, and that what is wrong begins so.
    pub(super) fn is_problem(&self, status: u16, code: &str, says: &str) {
        let (got, problem, errors) = self.problem();
        assert_eq!((got, &*problem), (status, code), "{self:?}");
        assert!(errors.starts_with(says), "{errors:?} does not begin with {says:?}");
    }
}

pub(super) fn side_config() -> Value {
    json!({
        "connector": {
            "kind": "odata",
            "base_url": "https://erp.example/data/",
            "auth": {"kind": "api_key", "header": "x-api-key", "secret": "ssm:/tandem/erp"},
        },
        "capability": "idempotent",
    })
}

pub(super) fn map_config() -> Value {
    json!({
        "sides": [
            {"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount", "filter": [{"field": "Test", "not_in": [true]}]},
            {"side": "crm", "entity": "accounts", "key_field": "accountnumber"}],
        "fields": [
            {"names": {"finance": "Name", "crm": "name"}, "required": true},
            {"names": {"finance": "Limit", "crm": "limit"}, "types": {"finance": "decimal", "crm": "decimal"}},
            {"names": {"finance": "Group", "crm": "category"},
             "values": [{"finance": "10", "crm": "Retail"}, {"finance": "20", "crm": "Wholesale"}]},
            {"names": {"crm": "source"}, "constant": {"crm": "finance"}, "only_to": "crm"}],
    })
}
