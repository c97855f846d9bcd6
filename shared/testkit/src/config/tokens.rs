//! Tokens in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::ports::{PortError, Token, Tokens};

/// Tokens in memory, by the hash of their secret.
#[derive(Debug, Default)]
pub struct MemoryTokens {
    tokens: Mutex<BTreeMap<String, Token>>,
    failure: Mutex<Option<PortError>>,
}

impl MemoryTokens {
    /// Lets every call fail from now on, or none.
    pub fn fail(&self, failure: Option<PortError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
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
}
