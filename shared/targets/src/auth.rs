//! The credentials for each app.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    ErrorClass, Failure,
    failure::CallEffect,
    side::{Auth, SecretRef},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::{
    secrets::{Secret, SecretCache, Secrets},
    slots::{Kept, Slots},
    token::{self, Grant},
    wire::{Deadline, Wire},
};

/// A header that authenticates a request.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    header: Option<(HeaderName, HeaderValue)>,
    /// Secrets to redact from every message.
    pub(crate) hidden: Vec<Secret>,
    /// Number of this secret or token. When the app refuses it, the caller passes the number to get a new one.
    pub(crate) number: u64,
}

impl Credential {
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.header {
            headers.insert(name.clone(), value.clone());
        }
    }

    fn new(name: HeaderName, text: &str, hidden: Vec<Secret>, number: u64) -> Result<Self, Failure> {
        let mut value = HeaderValue::from_str(text).map_err(|_| unusable("a secret has characters no header takes"))?;
        value.set_sensitive(true); // keeps it out of Debug
        Ok(Self { header: Some((name, value)), hidden, number })
    }
}

/// Secrets and tokens of all sides.
#[derive(Debug)]
pub(crate) struct Keyring<S> {
    secrets: SecretCache<S>,
    tokens: Slots<Grant, Secret>,
}

impl<S: Secrets> Keyring<S> {
    pub(crate) fn new(secrets: S) -> Self {
        Self { secrets: SecretCache::new(secrets), tokens: Slots::default() }
    }

    /// Returns the credential for a side, or a new one if the app refused the one with the number `refused`.
    pub(crate) async fn credential(
        &self,
        wire: &Wire,
        auth: &Auth,
        refused: Option<u64>,
        deadline: &Deadline,
    ) -> Result<Credential, Failure> {
        match auth {
            Auth::None => Ok(Credential { header: None, hidden: Vec::new(), number: 0 }),
            Auth::ApiKey { header, secret } => {
                let name =
                    HeaderName::try_from(header).map_err(|_| unusable("the API key's header has no valid name"))?;
                let Kept { value, number } = self.secrets.get(secret, refused).await?;
                Credential::new(name, value.expose(), vec![value.clone()], number)
            }
            Auth::Basic { user, secret } => {
                let Kept { value, number } = self.secrets.get(secret, refused).await?;
                let pair = Secret::new(&STANDARD.encode(format!("{user}:{}", value.expose())));
                let text = format!("Basic {}", pair.expose());
                Credential::new(AUTHORIZATION, &text, vec![value, pair], number)
            }
            Auth::Oauth2 { token_url, client_id, secret, scope } => {
                let grant = grant(token_url, client_id, secret, scope.as_deref());
                let fetch = token::fetch(wire, &self.secrets, &grant, deadline);
                let Kept { value, number } = self.tokens.get(&grant, refused, fetch).await?;
                Credential::new(AUTHORIZATION, &format!("Bearer {}", value.expose()), vec![value.clone()], number)
            }
        }
    }
}

fn grant(token_url: &str, client_id: &str, secret: &SecretRef, scope: Option<&str>) -> Grant {
    Grant {
        token_url: token_url.to_owned(),
        client_id: client_id.to_owned(),
        secret: secret.clone(),
        scope: scope.map(str::to_owned),
    }
}

fn unusable(message: &str) -> Failure {
    Failure::new(ErrorClass::Auth, CallEffect::NotApplied, None, message)
}
