//! A browser, as far as cookies and forms go.

use std::sync::Arc;

use app::{
    admin::tokens::sha256_hex,
    ports::{Alerts, ConfigStore, IncidentChange, Log, Role, Token, Tokens},
};
use aws::NoApps;
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request},
};
use domain::{
    ErrorClass, Map, MapState, Timestamp,
    id::{IncidentId, MapUid},
    log::LoggedError,
    rule::{Acted, Incident, Top},
    side::Capability,
};
use testkit::sample;
use tower::ServiceExt;

use crate::router::{Site, router};
pub(super) use testkit::operators::FIRST_ADMIN;
use testkit::operators::{NOON, OperatorWorld};

/// The console, and a browser with it.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) world: Arc<OperatorWorld<NoApps>>,
    cookie: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

/// What a form of ours is sent with.
pub(super) const OWN_FORM: [(&str, &str); 2] =
    [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];

impl Browser {
    /// An empty console; nobody is signed in.
    pub(super) fn new() -> Self {
        Self { world: Arc::new(OperatorWorld::new(|_| NoApps)), cookie: None }
    }

    /// A console with the map `customers` in a state, and its first admin signed in.
    pub(super) async fn with_map(state: MapState) -> Self {
        let browser = Self::new();
        browser.add_map("customers", state).await;
        browser.signed_in(FIRST_ADMIN).await
    }

    pub(super) async fn add_map(&self, id: &str, state: MapState) {
        let sample = sample::running(Capability::Idempotent);
        for side in &sample.sides {
            // Another map may have brought it.
            drop(self.world.store.save_side(side, 0, &sample::line()).await);
        }
        let map = Map {
            id: id.parse().unwrap(),
            uid: MapUid(u128::from(self.world.store.list_maps().await.unwrap().len() as u64) + 7),
            state,
            since: noon().minus_ms(60_000),
            actor: "kim".to_owned(),
            reason: "crm release".to_owned(),
            version: 1,
            ..sample.map
        };
        self.world.store.save_map(&map, 0, &sample::line()).await.unwrap();
        app::ports::Queues::create(&self.world.queues, &map).await.unwrap();
    }

    pub(super) async fn add_error(&self, minutes: u64, unit: u128, key: &str, message: &str) {
        let mut error = sample::error(noon().minus_ms(minutes * 60_000), unit, key, ErrorClass::Application);
        error.message = message.to_owned();
        assert_eq!(self.world.log.add_error(&LoggedError::new(error)).await, Ok(true));
    }

    pub(super) async fn add_incident(&self, message: &str) {
        let at = noon().minus_ms(8 * 60_000);
        let top = Top {
            fingerprint: domain::record::ContentHash(7),
            class: ErrorClass::Application,
            to: "crm".parse().unwrap(),
            code: None,
            message: message.to_owned(),
            count: 9,
            keys: Vec::new(),
        };
        let incident = Incident {
            id: IncidentId(1),
            rule: "crm-refuses".parse().unwrap(),
            config: sample::rule(3).config,
            map: "customers".parse().unwrap(),
            uid: MapUid(7),
            live_epoch: 0,
            opened_at: at,
            first_at: at,
            last_at: at,
            count: 10,
            errors: Vec::new(),
            top: vec![top],
            acted: Some(Acted { at, state: Some(MapState::Paused), left: None }),
            acknowledged: None,
            auto_resumed: 0,
            probed_at: None,
            recovered: None,
            ending: None,
            notices: Vec::new(),
            sending_until: Timestamp(0),
            version: 1,
        };
        let change = IncidentChange { incident, expected: 0, watch: None, line: None };
        self.world.alerts.save_incident(&change).await.unwrap();
    }

    /// The same console, with somebody of a role signed in.
    pub(super) async fn as_role(&self, role: Role, name: &str) -> Self {
        let secret = format!("tnd_{}", role.as_str());
        let (id, name) = (format!("id-{}", role.as_str()), name.to_owned());
        let token = Token { id, name, role, created_at: Timestamp(0) };
        self.world.tokens.save_token(&sha256_hex(&secret), &token).await.unwrap();
        self.signed_in(&secret).await
    }

    /// Signs in on the sign-in page.
    pub(super) async fn signed_in(&self, token: &str) -> Self {
        let nobody = Self { cookie: None, ..self.clone() };
        let answer = nobody.send(Method::POST, "/sign-in", &OWN_FORM, &format!("token={token}")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        self.with_cookie(Some(cookie))
    }

    pub(super) fn with_cookie(&self, cookie: Option<String>) -> Self {
        Self { cookie, ..self.clone() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// Opens a page, and sends its form to `to` with these fields and those that are hidden in it.
    pub(super) async fn submit(&self, page: &str, to: &str, fields: &str) -> Answer {
        let hidden = self.get(page).await.hidden_of(to.rsplit('/').next().unwrap());
        self.send(Method::POST, to, &OWN_FORM, &format!("{hidden}&{fields}")).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "console.example");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let site = Site { stack: "tandem".to_owned() };
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = router(Arc::clone(&self.world), site).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The page says all of this.
    pub(super) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        }
    }

    /// The page says none of this.
    pub(super) fn does_not_say(&self, texts: &[&str]) {
        for text in texts {
            assert!(!self.text.contains(text), "{text:?} is in {}", self.text);
        }
    }

    /// The hidden fields of the form whose address ends so, as a form sends them.
    pub(super) fn hidden_of(&self, action: &str) -> String {
        let form = self.text.split("<form").find(|form| form.contains(&format!("{action}\">")));
        let form = form.unwrap_or_else(|| panic!("no form for {action} in {}", self.text));
        let form = form.split("</form>").next().unwrap();
        let fields = form.split("type=\"hidden\" ").skip(1).map(|field| {
            let part =
                |name: &str| field.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap().to_owned();
            (part("name"), part("value"))
        });
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }
}

pub(super) fn noon() -> Timestamp {
    Timestamp::parse(NOON).unwrap()
}
