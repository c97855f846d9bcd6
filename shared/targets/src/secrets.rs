//! Reads secrets, caches them and redacts them from messages.

use std::{fmt, sync::Arc, time::Duration};

use domain::{ErrorClass, Failure, failure::CallEffect, side::SecretRef};

use crate::{
    limits::{MIN_BLOTTED_BYTES, SECRET_LIFE},
    slots::{Kept, Slots},
};

pub use app::ports::Secrets;

/// A text that is never printed: `Debug` shows `***`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the code that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Redacts the secret from an app's text, because some apps repeat the credentials that they refuse.
    pub(crate) fn blot(&self, text: String) -> String {
        if self.0.len() >= MIN_BLOTTED_BYTES && text.contains(&*self.0) { text.replace(&*self.0, "***") } else { text }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A cache of secrets. Each is kept for a limited time.
#[derive(Debug)]
pub(crate) struct SecretCache<S> {
    source: S,
    slots: Slots<SecretRef, Secret>,
}

impl<S: Secrets> SecretCache<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, slots: Slots::default() }
    }

    /// Returns the secret. Reads it anew if the app refused the value with the number `refused`.
    pub(crate) async fn get(&self, name: &SecretRef, refused: Option<u64>) -> Result<Kept<Secret>, Failure> {
        self.slots.get(name, refused, self.fetch(name)).await
    }

    async fn fetch(&self, name: &SecretRef) -> Result<(Secret, Duration), Failure> {
        let text = self.source.get(name).await.map_err(|error| {
            let message = format!("the secret {} cannot be read: {error}", String::from(name.clone()));
            Failure::new(ErrorClass::Auth, CallEffect::NotApplied, None, &message)
        })?;
        // The shell command that stored the secret may have appended a line break.
        Ok((Secret::new(text.trim_end_matches(['\r', '\n'])), SECRET_LIFE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_and_blotted_out_of_what_others_print() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.blot("the key hunter2 is wrong".to_owned()), "the key *** is wrong");
        assert_eq!(Secret::new("").blot("text".to_owned()), "text");
    }
}
