//! Responses about tokens.

use crate::ports::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::by_hand;

/// All tokens except the first admin's.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// The tokens, sorted by name.
    pub tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its owner. The activity log names the owner for everything done with the token.
    pub name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    pub role: Role,
    /// When it was created, RFC 3339.
    pub created_at: String,
}

impl From<crate::ports::Token> for Token {
    fn from(token: crate::ports::Token) -> Self {
        let created_at = token.created_at.to_string();
        Self { id: token.id, name: token.name, role: token.role, created_at }
    }
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub struct NewToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    pub role: Role,
    /// The secret. Only this response contains it, and Tandem does not store it.
    pub token: String,
}
