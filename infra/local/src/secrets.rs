//! The secrets of one run: random, and useless when it has ended.

use anyhow::Context;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ssm::types::ParameterType;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::Rng;
use sha2::{Digest, Sha256};

use crate::emulator::REGION;

/// Prefix of the SSM parameters of a local run.
pub(crate) const PREFIX: &str = "/tandem/local/";
/// The SSM parameter with the keys that callers sign with.
pub(crate) const HMAC_PARAMETER: &str = "/tandem/local/hmac";

/// The secrets of one run.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    /// Bearer token of the first administrator.
    pub(crate) admin_token: String,
    /// The secret (`whsec_…`) with which the apps sign their calls of `sync-write`.
    pub(crate) hmac_secret: String,
    /// The API key that Tandem sends to `finance`.
    pub(crate) finance_api_key: String,
    /// The API key that Tandem sends to `crm`.
    pub(crate) crm_api_key: String,
}

impl Secrets {
    /// Generates new secrets.
    pub(crate) fn random() -> Self {
        Self {
            admin_token: format!("tnd_{}", URL_SAFE_NO_PAD.encode(bytes())), // as `admin` makes them
            hmac_secret: format!("whsec_{}", STANDARD.encode(bytes())),
            finance_api_key: api_key(),
            crm_api_key: api_key(),
        }
    }

    /// SHA-256 of the admin token, in hex. A deployment never gets the token itself.
    pub(crate) fn admin_token_sha256(&self) -> String {
        Sha256::digest(self.admin_token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Stores in the emulator's SSM the secrets that the functions read by reference.
    pub(crate) async fn store(&self, endpoint: &str) -> anyhow::Result<()> {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "local"))
            .endpoint_url(endpoint)
            .build();
        let client = Client::from_conf(config);
        for (name, value) in [
            (HMAC_PARAMETER.to_owned(), &self.hmac_secret),
            (api_key_parameter("finance"), &self.finance_api_key),
            (api_key_parameter("crm"), &self.crm_api_key),
        ] {
            let put = client.put_parameter().name(&name).value(value).r#type(ParameterType::SecureString);
            put.overwrite(true).send().await.with_context(|| format!("the secret {name} cannot be stored"))?;
        }
        Ok(())
    }
}

/// The SSM parameter with the API key of a side.
pub(crate) fn api_key_parameter(side: &str) -> String {
    format!("{PREFIX}{side}-api-key")
}

/// Generates an API key that no command line takes for an option: without care, one in 64 would begin with a hyphen.
fn api_key() -> String {
    format!("app_{}", URL_SAFE_NO_PAD.encode(bytes()))
}

fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_share_no_secret_and_the_signing_key_is_one() {
        let (one, other) = (Secrets::random(), Secrets::random());
        assert_ne!(one.admin_token, other.admin_token);
        assert_ne!(one.hmac_secret, other.hmac_secret);
        assert!(!one.finance_api_key.starts_with('-') && one.crm_api_key.starts_with("app_"));
        assert!(standardwebhooks::Webhook::new(&one.hmac_secret).is_ok());
        assert_eq!(one.admin_token_sha256().len(), 64);
    }
}
