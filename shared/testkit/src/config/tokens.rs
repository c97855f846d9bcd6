//! Tokens in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::ports::{PortError, Session, Token, Tokens};
use domain::Timestamp;

/// Tokens in memory, by the hash of their secret.
#[derive(Debug, Default)]
pub struct MemoryTokens {
    tokens: Mutex<BTreeMap<String, Token>>,
    sessions: Mutex<BTreeMap<String, Session>>,
    failure: Mutex<Option<PortError>>,
}

impl MemoryTokens {
    /// Lets every call fail from now on, or none.
    pub fn fail(&self, failure: Option<PortError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Hashes of the sessions that are not closed.
    pub fn sessions(&self) -> Vec<String> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn open_sessions(&self) -> Result<MutexGuard<'_, BTreeMap<String, Session>>, PortError> {
        drop(self.open()?);
        Ok(self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn open(&self) -> Result<MutexGuard<'_, BTreeMap<String, Token>>, PortError> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure.clone()),
            None => Ok(self.tokens.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

impl Tokens for MemoryTokens {
    async fn token(&self, sha256_hex: &str) -> Result<Option<Token>, PortError> {
        Ok(self.open()?.get(sha256_hex).cloned())
    }

    async fn save_token(&self, sha256_hex: &str, token: &Token) -> Result<(), PortError> {
        self.open()?.insert(sha256_hex.to_owned(), token.clone());
        Ok(())
    }

    async fn list_tokens(&self) -> Result<Vec<Token>, PortError> {
        Ok(self.open()?.values().cloned().collect())
    }

    async fn delete_token(&self, id: &str) -> Result<bool, PortError> {
        let mut tokens = self.open()?;
        let before = tokens.len();
        tokens.retain(|_, token| token.id != id);
        Ok(tokens.len() < before)
    }

    async fn session(&self, sha256_hex: &str) -> Result<Option<Session>, PortError> {
        Ok(self.open_sessions()?.get(sha256_hex).cloned())
    }

    async fn open_session(&self, sha256_hex: &str, session: &Session, _: Timestamp) -> Result<(), PortError> {
        self.open_sessions()?.insert(sha256_hex.to_owned(), session.clone());
        Ok(())
    }

    async fn touch_session(&self, sha256_hex: &str, session: &Session, _: Timestamp) -> Result<(), PortError> {
        if let Some(open) = self.open_sessions()?.get_mut(sha256_hex) {
            *open = session.clone();
        }
        Ok(())
    }

    async fn close_session(&self, sha256_hex: &str) -> Result<(), PortError> {
        self.open_sessions()?.remove(sha256_hex);
        Ok(())
    }
}
