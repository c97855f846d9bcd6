//! Bearer tokens in DynamoDB, by the hash of their secret.

use app::ports::{CommitError, PortError, Token, Tokens};
use aws_sdk_dynamodb::Client;

use crate::{documents::Documents, keys::Key};

/// A token is never changed, only made and taken back.
const VERSION: u64 = 1;

/// Bearer tokens in DynamoDB. Reads are strongly consistent: a token that was taken back is refused at once.
#[derive(Clone, Debug)]
pub struct DynamoTokens(Documents);

impl DynamoTokens {
    /// Tokens in this table.
    #[must_use]
    pub fn new(db: Client, table: &str) -> Self {
        Self(Documents::new(db, table))
    }
}

impl Tokens for DynamoTokens {
    async fn token(&self, sha256_hex: &str) -> Result<Option<Token>, PortError> {
        self.0.get(&Key::Token(sha256_hex.to_owned())).await
    }

    async fn save_token(&self, sha256_hex: &str, token: &Token) -> Result<(), PortError> {
        match self.0.save(&Key::Token(sha256_hex.to_owned()), token, VERSION, 0, &[]).await {
            // 256 random bits do not meet by accident: it is this very token, saved before its answer got lost.
            Ok(()) | Err(CommitError::Stale | CommitError::Duplicate) => Ok(()),
            Err(CommitError::Port(error)) => Err(error),
        }
    }

    async fn list_tokens(&self) -> Result<Vec<Token>, PortError> {
        Ok(self.0.list("TOKENS").await?.into_iter().map(|(_, token)| token).collect())
    }

    async fn delete_token(&self, id: &str) -> Result<bool, PortError> {
        let all = self.0.list::<Token>("TOKENS").await?;
        let Some((hash, _)) = all.into_iter().find(|(_, token)| token.id == id) else { return Ok(false) };
        match self.0.delete(&Key::Token(hash), VERSION).await {
            // Somebody else took it back in the meantime: it is gone all the same.
            Ok(()) | Err(CommitError::Stale | CommitError::Duplicate) => Ok(true),
            Err(CommitError::Port(error)) => Err(error),
        }
    }
}
