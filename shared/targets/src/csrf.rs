//! CSRF tokens, which SAP's OData services ask for: a modifying request must carry a token from the answer to a read,
//! together with the cookies of that answer.

use std::sync::{Mutex, PoisonError};

use domain::side::{Auth, SideConfig};
use reqwest::{
    Method, StatusCode,
    header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE},
};

use crate::{answer::Answer, plan::Request};

const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// Most sides whose tokens are kept. A process has few sides.
const MAX_KEPT: usize = 64;

/// A token and the cookies that belong to it.
#[derive(Clone, Debug)]
struct Token {
    token: HeaderValue,
    cookies: Option<HeaderValue>,
}

/// The tokens of the sides that asked for one.
#[derive(Debug, Default)]
pub(crate) struct CsrfTokens(Mutex<Vec<(Session, Token)>>);

/// A service, by its base URL, and the credentials that are used for it.
type Session = (String, Auth);

fn is_of((url, auth): &Session, side: &SideConfig) -> bool {
    *url == side.connector.base_url && *auth == side.connector.auth
}

/// Whether the app refuses a request because it has no valid token. Such a request has changed nothing.
pub(crate) fn is_required(request: &Request, answer: &Answer) -> bool {
    let says = answer.headers.get(TOKEN).is_some_and(|told| told.as_bytes().eq_ignore_ascii_case(b"required"));
    says && answer.status == StatusCode::FORBIDDEN && modifies(request)
}

fn modifies(request: &Request) -> bool {
    request.method != Method::GET
}

/// Adds the header with which a read asks for a token.
pub(crate) fn ask(request: &mut Request) {
    request.headers.insert(TOKEN, HeaderValue::from_static("Fetch"));
}

impl CsrfTokens {
    /// Puts the side's token into a modifying request, if there is one.
    pub(crate) fn put_into(&self, side: &SideConfig, request: &mut Request) {
        if !modifies(request) {
            return;
        }
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, token)) = kept.iter().find(|(of, _)| is_of(of, side)) else { return };
        request.headers.insert(TOKEN, token.token.clone());
        if let Some(cookies) = &token.cookies {
            request.headers.insert(COOKIE, cookies.clone());
        }
    }

    /// Keeps the token of an answer. Returns whether the answer has one.
    pub(crate) fn keep(&self, side: &SideConfig, answer: &Answer) -> bool {
        let Some(token) = answer.headers.get(TOKEN).filter(|told| !told.is_empty()).cloned() else { return false };
        let mut token = Token { token, cookies: cookies(&answer.headers) };
        token.token.set_sensitive(true); // keeps it out of Debug
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _)| !is_of(of, side));
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push(((side.connector.base_url.clone(), side.connector.auth.clone()), token));
        true
    }
}

/// The cookies that an answer sets, as a request sends them.
fn cookies(headers: &HeaderMap) -> Option<HeaderValue> {
    let pair = |cookie: &HeaderValue| Some(cookie.to_str().ok()?.split(';').next()?.trim().to_owned());
    let pairs: Vec<_> = headers.get_all(SET_COOKIE).iter().filter_map(pair).collect();
    let mut all = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty())?;
    all.set_sensitive(true);
    Some(all)
}
