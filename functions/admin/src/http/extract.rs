//! Reads requests strictly: a mistake is named with its field, and nothing is guessed.

use std::{collections::BTreeMap, str::FromStr};

use app::{admin::Precondition, error::AppError};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::{HeaderMap, header, request::Parts},
};
use domain::side::Mistake;
use serde::de::DeserializeOwned;

use super::reply::Failed;

/// Largest body: a document with some hundred maps. A function URL would let 6 MB through.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The one name in the path: of a side, a map or a token.
pub(crate) struct Name<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = String>> FromRequestParts<S> for Name<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let not_text = |_| AppError::mistake("path", "is not UTF-8");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(not_text)?;
        let Some((name, value)) = params.iter().next() else { return Err(Failed(AppError::UnknownRoute)) };
        Ok(Self(value.parse().map_err(|says: String| AppError::mistake(name, &says))?))
    }
}

/// All names in the path, in its order.
pub(crate) struct Names<const N: usize>(pub(crate) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Names<N> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let not_text = |_| AppError::mistake("path", "is not UTF-8");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(not_text)?;
        let names: Vec<_> = params.iter().map(|(_, value)| value.to_owned()).collect();
        names.try_into().map(Self).map_err(|_| Failed(AppError::UnknownRoute))
    }
}

/// `If-Match` and `If-None-Match`.
pub(crate) struct Condition(pub(crate) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for Condition {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let text = |name| -> Result<Option<&str>, AppError> {
            let wrong = |_| AppError::mistake(name, "is not ASCII text");
            parts.headers.get(name).map(|value| value.to_str().map_err(wrong)).transpose()
        };
        Ok(Self(Precondition::from_headers(text("If-Match")?, text("If-None-Match")?)?))
    }
}

/// The parameters of the query, each known by name.
pub(crate) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let query = Query::try_from_uri(&parts.uri).map_err(|_| AppError::mistake("query", "cannot be read"))?;
        Ok(Self(query.0))
    }
}

impl Params {
    /// Refuses every parameter that is none of these.
    pub(crate) fn known(&self, names: &[&str]) -> Result<(), AppError> {
        let unknown = self.0.keys().filter(|key| !names.contains(&key.as_str()));
        let says = format!("is not known here; there are {}", names.join(", "));
        let mistakes: Vec<_> = unknown.map(|key| Mistake { field: key.clone(), message: says.clone() }).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(AppError::Invalid(mistakes)) }
    }

    /// All of them, as a query has them.
    pub(crate) fn to_query(&self) -> String {
        let all: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        all.join("&")
    }

    /// A parameter as it is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that says itself what is wrong with it.
    pub(crate) fn parsed<T: FromStr<Err = String>>(&self, name: &str) -> Result<Option<T>, AppError> {
        self.text(name).map(|text| text.parse().map_err(|says: String| AppError::mistake(name, &says))).transpose()
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, AppError> {
        let read = |text: &str| text.parse().map_err(|_| AppError::mistake(name, "must be a number"));
        self.text(name).map(read).transpose()
    }

    /// One of the names that the API uses for a thing, `true` and `false` included.
    pub(crate) fn named<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AppError> {
        let read = |text: &str| {
            let value = match text {
                "true" | "false" => serde_json::Value::Bool(text == "true"),
                text => serde_json::Value::String(text.to_owned()),
            };
            serde_json::from_value(value).map_err(|error| AppError::mistake(name, &error.to_string()))
        };
        self.text(name).map(read).transpose()
    }

    /// The only parameter there may be, as `T`.
    pub(crate) fn only<T: FromStr>(&self, name: &str, wanted: &str) -> Result<Option<T>, AppError> {
        let mut found = None;
        let mut mistakes = Vec::new();
        for (key, value) in &self.0 {
            let says = match value.parse() {
                Ok(value) if key == name => {
                    found = Some(value);
                    continue;
                }
                _ if key == name => format!("must be {wanted}"),
                _ => format!("is not known here; there is only `{name}`"),
            };
            mistakes.push(Mistake { field: key.clone(), message: says });
        }
        if mistakes.is_empty() { Ok(found) } else { Err(AppError::Invalid(mistakes)) }
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        if media_type(request.headers()) != Some("application/json") {
            return Err(Failed(AppError::UnsupportedMediaType { wanted: "application/json" }));
        }
        Ok(Self(from_json(&whole(request.into_body()).await?)?))
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let json = media_type(request.headers()) == Some("application/json");
        let body = whole(request.into_body()).await?;
        match body {
            body if body.is_empty() => Ok(Self(T::default())),
            body if json => Ok(Self(from_json(&body)?)),
            _ => Err(Failed(AppError::UnsupportedMediaType { wanted: "application/json" })),
        }
    }
}

/// A body in JSON or YAML.
pub(crate) struct JsonOrYaml<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonOrYaml<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let yaml = match media_type(request.headers()) {
            Some("application/json") => false,
            Some("application/yaml" | "application/x-yaml" | "text/yaml") => true,
            _ => {
                let wanted = "application/json or application/yaml";
                return Err(Failed(AppError::UnsupportedMediaType { wanted }));
            }
        };
        let body = whole(request.into_body()).await?;
        Ok(Self(if yaml { from_yaml(&body)? } else { from_json(&body)? }))
    }
}

/// Whether the caller would rather have YAML.
pub(crate) fn wants_yaml(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').map(essence).any(|kind| matches!(kind, "application/yaml" | "application/x-yaml" | "text/yaml"))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok().map(essence)
}

fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// All of the body. In Lambda it is in memory already: the limit alone can be in the way.
async fn whole(body: Body) -> Result<Vec<u8>, AppError> {
    let bytes = to_bytes(body, MAX_BODY_BYTES).await;
    bytes.map(|bytes| bytes.to_vec()).map_err(|_| AppError::TooLarge { limit_bytes: MAX_BODY_BYTES })
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(AppError::mistake("", "must be an object")); // serde would take an array for a struct's fields
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // What is no JSON at all is wrong as a whole, wherever it broke off.
        let at = if error.inner().is_data() { field(error.path()) } else { String::new() };
        AppError::mistake(&at, &error.inner().to_string())
    })?;
    json.end().map_err(|error| AppError::mistake("", &error.to_string()))?;
    Ok(value)
}

fn from_yaml<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    let yaml = serde_yaml_ng::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(yaml).map_err(|error| {
        let (field, says) = (field(error.path()), error.inner().to_string());
        let says = says.strip_prefix(&format!("{field}: ")).unwrap_or(&says); // some say the path themselves
        AppError::mistake(&field, says)
    })
}

/// The path of a field as far as it is known: `?` stands for a part that could not be read.
fn field(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    let known = text.trim_end_matches(['?', '.']);
    known.to_owned()
}
