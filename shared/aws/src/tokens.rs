//! Bearer tokens and sessions in DynamoDB, by the hash of their secret.

use app::ports::{CommitError, PortError, Session, Token, Tokens};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use domain::Timestamp;

use crate::{
    documents::{Documents, item},
    error,
    keys::Key,
};

/// A token is never changed, only made and taken back.
const VERSION: u64 = 1;

/// Bearer tokens and sessions in DynamoDB. Reads are strongly consistent: a token that was taken back is refused at once.
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

    async fn session(&self, sha256_hex: &str) -> Result<Option<Session>, PortError> {
        self.0.get(&Key::Session(sha256_hex.to_owned())).await
    }

    async fn open_session(&self, sha256_hex: &str, session: &Session, until: Timestamp) -> Result<(), PortError> {
        self.put_session(sha256_hex, session, until, "attribute_not_exists(pk)").await
    }

    async fn touch_session(&self, sha256_hex: &str, session: &Session, until: Timestamp) -> Result<(), PortError> {
        self.put_session(sha256_hex, session, until, "attribute_exists(pk)").await
    }

    async fn close_session(&self, sha256_hex: &str) -> Result<(), PortError> {
        match self.0.delete(&Key::Session(sha256_hex.to_owned()), VERSION).await {
            Ok(()) | Err(CommitError::Stale | CommitError::Duplicate) => Ok(()),
            Err(CommitError::Port(error)) => Err(error),
        }
    }
}

impl DynamoTokens {
    async fn put_session(
        &self,
        sha256_hex: &str,
        session: &Session,
        until: Timestamp,
        condition: &str,
    ) -> Result<(), PortError> {
        let mut item = item(session, VERSION)?;
        item.extend(Key::Session(sha256_hex.to_owned()).item());
        item.insert("ttl".to_owned(), AttributeValue::N((until.0 / 1_000).to_string()));
        let put = self.0.db().put_item().table_name(self.0.table()).set_item(Some(item));
        match put.condition_expression(condition).send().await.map(|_| ()).map_err(error::put) {
            // It is there already, saved before its answer got lost; or it is over, and stays over.
            Ok(()) | Err(CommitError::Stale | CommitError::Duplicate) => Ok(()),
            Err(CommitError::Port(error)) => Err(error),
        }
    }
}
