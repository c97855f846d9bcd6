//! Tokens as they are told.

use app::ports::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::by_hand;

/// All tokens but the first admin's.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// By name.
    pub(crate) tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its id.
    id: String,
    /// Whose it is. What is done with it is recorded under this name.
    name: String,
    /// What it allows.
    #[schema(schema_with = by_hand::role)]
    role: Role,
    /// When it was made, RFC 3339.
    created_at: String,
}

impl From<app::ports::Token> for Token {
    fn from(token: app::ports::Token) -> Self {
        let created_at = token.created_at.to_string();
        Self { id: token.id, name: token.name, role: token.role, created_at }
    }
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Whose it is, in 1 to 100 characters. No two tokens have the same name.
    pub(crate) name: String,
    /// What it allows.
    #[schema(schema_with = by_hand::role)]
    pub(crate) role: Role,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewToken {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it allows.
    #[schema(schema_with = by_hand::role)]
    pub(crate) role: Role,
    /// The secret: told this once, kept nowhere.
    pub(crate) token: String,
}
