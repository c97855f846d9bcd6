//! Responses about tokens.

use app::ports::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::by_hand;

/// All tokens except the first admin's.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// The tokens, sorted by name.
    pub(crate) tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its id.
    id: String,
    /// Its owner. The activity log names the owner for everything done with the token.
    name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    role: Role,
    /// When it was created, RFC 3339.
    created_at: String,
}

impl From<app::ports::Token> for Token {
    fn from(token: app::ports::Token) -> Self {
        let created_at = token.created_at.to_string();
        Self { id: token.id, name: token.name, role: token.role, created_at }
    }
}

/// A token to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Its owner, in 1 to 100 characters. No two tokens have the same name.
    pub(crate) name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    pub(crate) role: Role,
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewToken {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    pub(crate) role: Role,
    /// The secret. Only this response contains it, and Tandem does not store it.
    pub(crate) token: String,
}
