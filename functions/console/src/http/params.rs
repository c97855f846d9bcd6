//! The parameters of a query or a form. A name may come several times.

use std::str::FromStr;

use app::{admin::logs::ErrorFilter, error::AppError};
use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::request::Parts,
};

use domain::MapId;

use super::reply::Failed;

/// Largest form: fifty maps and a reason are some kilobytes.
pub(crate) const MAX_FORM_BYTES: usize = 64 * 1024;

/// The field of a form that says which map it acts on, and the epoch that it showed.
pub(crate) const SHOWN: &str = "shown";

/// Parameters, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads them from a query or the body of a form.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first with this name, if it says anything: an empty field of a form says nothing.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// All with this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that says itself what is wrong with it.
    pub(crate) fn parsed<T: FromStr<Err = String>>(&self, name: &str) -> Result<Option<T>, AppError> {
        self.text(name).map(|text| text.parse().map_err(|says: String| AppError::mistake(name, &says))).transpose()
    }

    /// The maps that are named.
    pub(crate) fn maps(&self) -> Result<Vec<MapId>, AppError> {
        let read = |name: &str| name.parse().map_err(|says: String| AppError::mistake("map", &says));
        self.all("map").map(read).collect()
    }

    /// The maps that a form acts on, each with the epoch that it showed.
    pub(crate) fn shown_maps(&self) -> Result<Vec<(MapId, u64)>, AppError> {
        let wrong = || AppError::mistake(SHOWN, "must be a map and its epoch");
        let read = |text: &str| {
            let (map, epoch) = text.rsplit_once(' ').ok_or_else(wrong)?;
            Ok((map.parse().map_err(|_| wrong())?, epoch.parse().map_err(|_| wrong())?))
        };
        self.all(SHOWN).map(read).collect()
    }

    /// Which errors.
    pub(crate) fn error_filter(&self) -> Result<ErrorFilter, AppError> {
        ErrorFilter::from_query(|name| self.text(name))
    }

    /// The same parameters with one changed, or without it, as a query. Empty ones are left out.
    pub(crate) fn with(&self, name: &str, value: Option<&str>) -> String {
        let kept = self.0.iter().filter(|(known, value)| known != name && !value.is_empty());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept);
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The fields of a form that was sent.
pub(crate) struct Form(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let body = to_bytes(request.into_body(), MAX_FORM_BYTES).await;
        let body = body.map_err(|_| AppError::TooLarge { limit_bytes: MAX_FORM_BYTES })?;
        Ok(Self(Params::parse(&body)))
    }
}

/// The one name in the path.
pub(crate) struct Name<T>(pub(crate) T);

/// The name of a map in the path.
pub(crate) type MapName = Name<MapId>;

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Name<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let unknown = || Failed(AppError::UnknownRoute);
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| unknown())?;
        let (_, value) = params.iter().next().ok_or_else(unknown)?;
        // Whatever is no name names nothing.
        value.parse().map(Self).map_err(|_| unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_written_again_with_a_change() {
        let params = Params::parse(b"map=a&map=b&class=&key=C%201%26x");
        assert_eq!(params.all("map").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((params.text("class"), params.text("key")), (None, Some("C 1&x")));
        assert_eq!(params.with("before", Some("7")), "map=a&map=b&key=C+1%26x&before=7");
        assert_eq!(params.with("key", None), "map=a&map=b");
    }
}
