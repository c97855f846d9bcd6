//! Who visits, and from where: what every page needs to know.

use app::{
    admin::{Caller, sessions::form_token},
    error::AppError,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::Timestamp;

use super::reply::Failed;

/// A visit of a signed-in person.
#[derive(Clone)]
pub(crate) struct Visit {
    /// Who it is.
    pub(crate) caller: Caller,
    /// The secret of their session.
    pub(crate) secret: String,
    /// The address.
    pub(crate) place: Place,
    /// When the page was asked for.
    pub(crate) at: Timestamp,
    /// The name of the deployment.
    pub(crate) stack: String,
}

impl Visit {
    /// The token that a form carries.
    pub(crate) fn form_token(&self) -> String {
        form_token(&self.secret)
    }

    /// Whether they may change things.
    pub(crate) fn may_operate(&self) -> bool {
        self.caller.role >= app::ports::Role::Operator
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        parts.extensions.get::<Self>().cloned().ok_or(Failed(AppError::Unauthenticated))
    }
}

/// The address of a page.
///
/// All links are relative: under an emulator, and behind a proxy, the console has a path of its own that it does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path without its first slash.
    path: String,
    query: String,
}

impl Place {
    pub(crate) fn of(uri: &axum::http::Uri) -> Self {
        Self { path: uri.path().trim_start_matches('/').to_owned(), query: uri.query().unwrap_or_default().to_owned() }
    }

    /// A link to a page, by its path without the first slash.
    pub(crate) fn link(&self, path: &str) -> String {
        match self.path.matches('/').count() {
            0 => format!("./{path}"),
            depth => format!("{}{path}", "../".repeat(depth)),
        }
    }

    /// Whether this is the page, or one below it.
    pub(crate) fn is_in(&self, path: &str) -> bool {
        if path.is_empty() {
            return self.path.is_empty();
        }
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The address itself, without its first slash.
    pub(crate) fn address(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(uri: &str) -> Place {
        Place::of(&uri.parse().unwrap())
    }

    #[test]
    fn links_lead_from_every_depth_to_the_page() {
        assert_eq!(place("/").link("maps/a"), "./maps/a");
        assert_eq!(place("/sign-in?to=x").link(""), "./");
        assert_eq!(place("/maps/a").link("maps/b?x=1"), "../maps/b?x=1");
        assert_eq!(place("/maps/a/errors").link(""), "../../");
    }

    #[test]
    fn a_page_knows_where_it_is() {
        assert!(place("/").is_in("") && !place("/maps/a").is_in(""));
        assert!(place("/maps/a/errors").is_in("maps/a") && !place("/maps/ab").is_in("maps/a"));
        assert_eq!(place("/maps/a?key=C%201").address(), "maps/a?key=C%201");
    }
}
