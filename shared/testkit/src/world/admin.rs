//! What operators work with in a simulated world, apart from the configuration.

use app::{
    admin::AdminPorts,
    ports::{PortError, Session, Token, Tokens},
};
use domain::Timestamp;

use super::SimWorld;

impl AdminPorts for SimWorld {
    type Store = Self;
    type Tokens = Self;

    fn store(&self) -> &Self {
        self
    }
    fn tokens(&self) -> &Self {
        self
    }
    fn first_admin_sha256(&self) -> Option<&str> {
        None
    }
    async fn failed_batches(&self) -> Option<u64> {
        None
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        Ok([7; 32])
    }
}

/// Those in memory; others go first before and after each call.
impl Tokens for SimWorld {
    async fn token(&self, sha256_hex: &str) -> Result<Option<Token>, PortError> {
        self.executor.turn_at("Tokens.token").await;
        self.tokens.token(sha256_hex).await
    }

    async fn save_token(&self, sha256_hex: &str, token: &Token) -> Result<(), PortError> {
        self.executor.turn_at("Tokens.save_token").await;
        let saved = self.tokens.save_token(sha256_hex, token).await;
        self.executor.turn_at("Tokens.save_token").await;
        saved
    }

    async fn list_tokens(&self) -> Result<Vec<Token>, PortError> {
        self.executor.turn_at("Tokens.list_tokens").await;
        self.tokens.list_tokens().await
    }

    async fn delete_token(&self, id: &str) -> Result<bool, PortError> {
        self.executor.turn_at("Tokens.delete_token").await;
        let deleted = self.tokens.delete_token(id).await;
        self.executor.turn_at("Tokens.delete_token").await;
        deleted
    }

    async fn session(&self, sha256_hex: &str) -> Result<Option<Session>, PortError> {
        self.executor.turn_at("Tokens.session").await;
        self.tokens.session(sha256_hex).await
    }

    async fn open_session(&self, sha256_hex: &str, session: &Session, until: Timestamp) -> Result<(), PortError> {
        self.executor.turn_at("Tokens.open_session").await;
        let done = self.tokens.open_session(sha256_hex, session, until).await;
        self.executor.turn_at("Tokens.open_session").await;
        done
    }

    async fn touch_session(&self, sha256_hex: &str, session: &Session, until: Timestamp) -> Result<(), PortError> {
        self.executor.turn_at("Tokens.touch_session").await;
        let done = self.tokens.touch_session(sha256_hex, session, until).await;
        self.executor.turn_at("Tokens.touch_session").await;
        done
    }

    async fn close_session(&self, sha256_hex: &str) -> Result<(), PortError> {
        self.executor.turn_at("Tokens.close_session").await;
        let done = self.tokens.close_session(sha256_hex).await;
        self.executor.turn_at("Tokens.close_session").await;
        done
    }
}
