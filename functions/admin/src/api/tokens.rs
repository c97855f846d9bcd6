//! `/tokens`.

use std::sync::Arc;

use app::admin::{
    AdminPorts, tokens,
    view::{NewToken, Token, Tokens},
};
use axum::{extract::State, http::StatusCode};

use crate::{
    bodies::TokenRequest,
    http::{
        extract::{Json, Name},
        reply::{Reply, json, nothing},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let tokens = tokens::list(&*ports).await?;
    json(StatusCode::OK, &Tokens { tokens: tokens.into_iter().map(Token::from).collect() })
}

pub(crate) async fn issue<P: AdminPorts>(State(ports): State<Arc<P>>, Json(request): Json<TokenRequest>) -> Reply {
    let (token, secret) = tokens::issue(&*ports, &request.name, request.role).await?;
    json(StatusCode::CREATED, &NewToken { id: token.id, name: token.name, role: token.role, token: secret })
}

pub(crate) async fn delete<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<TokenId>) -> Reply {
    tokens::delete(&*ports, &id.0).await?;
    nothing()
}

/// Any text: one that is no token's id is not found.
pub(crate) struct TokenId(String);

impl std::str::FromStr for TokenId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}
