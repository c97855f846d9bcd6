//! Secrets from SSM. Secrets Manager's are read through SSM's reference path, so one client serves both.

use app::ports::Secrets;
use aws_sdk_ssm::{Client, error::DisplayErrorContext};
use domain::side::SecretRef;

/// Secrets in SSM.
#[derive(Clone, Debug)]
pub struct SsmSecrets {
    ssm: Client,
}

impl SsmSecrets {
    /// Secrets of this account.
    #[must_use]
    pub fn new(ssm: Client) -> Self {
        Self { ssm }
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// Names the parameter and says what SSM answered.
    pub async fn parameter(&self, name: &str) -> Result<String, String> {
        let got = self.ssm.get_parameter().name(name).with_decryption(true).send().await;
        let got = got.map_err(|error| format!("parameter {name} cannot be read: {}", DisplayErrorContext(error)))?;
        let value = got.parameter.and_then(|parameter| parameter.value);
        value.ok_or_else(|| format!("parameter {name} has no value"))
    }
}

impl Secrets for SsmSecrets {
    async fn get(&self, reference: &SecretRef) -> Result<String, String> {
        self.parameter(&reference.parameter_name()).await
    }
}
