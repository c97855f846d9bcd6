//! Everything that operators' functions work with, on AWS: the API and the console share it.

use app::{
    admin::AdminPorts,
    ports::{AlertPorts, Apps, ConfigStore, MailPorts, PortError, SyncPorts},
};
use rand::{TryRng, rngs::SysRng};

use crate::{
    AlertSettings, AwsAlertPorts, Clients, DynamoConfig, DynamoSyncRuns, DynamoTokens, Sqs, SqsWorkItems,
    delegate::delegate_ports,
    messages_in,
    settings::{Common, Settings},
};

/// The settings of an operators' function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSettings {
    /// What every function needs to know.
    pub common: Common,
    /// Further settings of alerting.
    pub alerts: AlertSettings,
    /// SHA-256, in hex, of the first admin's token. Without it only stored tokens are known.
    pub first_admin_sha256: Option<String>,
    /// The URL of the queue that names what could not be logged.
    pub failed_events: Option<String>,
    /// The URL of the queue of sync runs' work items.
    pub sync_queue: String,
}

impl OperatorSettings {
    /// Reads them.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut read = Settings::new(lookup);
        let hash = read.parsed("TANDEM_ADMIN_TOKEN_SHA256", String::new()).to_ascii_lowercase();
        if !hash.is_empty() && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit())) {
            read.mistake("TANDEM_ADMIN_TOKEN_SHA256 must be a SHA-256 in hex, 64 digits".to_owned());
        }
        let first_admin_sha256 = Some(hash).filter(|hash| !hash.is_empty());
        let failed_events =
            Some(read.parsed("TANDEM_FAILED_EVENTS_QUEUE", String::new())).filter(|url| !url.is_empty());
        let sync_queue = read.parsed("TANDEM_SYNC_QUEUE", String::new());
        let (common, alerts) = (Common::read(&mut read), AlertSettings::read(&mut read));
        let config = Self { common, alerts, first_admin_sha256, failed_events, sync_queue };
        read.finish(config)
    }
}

/// The ports of operators.
pub struct AwsOperatorPorts<A> {
    shared: AwsAlertPorts<A>,
    store: DynamoConfig,
    tokens: DynamoTokens,
    runs: DynamoSyncRuns,
    work_items: SqsWorkItems,
    first_admin_sha256: Option<String>,
    sqs: Sqs,
    failed_events: Option<String>,
}

impl<A: Apps> AwsOperatorPorts<A> {
    /// Assembles the ports, and connects to the table: that is the most of a cold start, and is done before the first
    /// request comes.
    pub async fn connect(clients: &Clients, settings: OperatorSettings, apps: A) -> Self {
        let OperatorSettings { common, alerts, first_admin_sha256, failed_events, sync_queue } = settings;
        let ports = Self {
            shared: AwsAlertPorts::of(clients, &common, &alerts, apps),
            store: DynamoConfig::new(clients.db.clone(), &common.table),
            tokens: DynamoTokens::new(clients.db.clone(), &common.table),
            runs: DynamoSyncRuns::new(clients.db.clone(), &common.table),
            work_items: SqsWorkItems::new(clients.sqs.clone(), &sync_queue),
            first_admin_sha256,
            sqs: clients.sqs.clone(),
            failed_events,
        };
        if let Err(error) = ports.store.list_sides().await {
            tracing::warn!(%error, "could not read the sides at start; the first request pays for the connection");
        }
        ports
    }
}

delegate_ports!(AwsOperatorPorts => AwsAlertPorts);

impl<A: Apps> AlertPorts for AwsOperatorPorts<A> {
    type Log = <AwsAlertPorts<A> as AlertPorts>::Log;
    type Alerts = <AwsAlertPorts<A> as AlertPorts>::Alerts;

    fn log(&self) -> &Self::Log {
        self.shared.log()
    }
    fn alerts(&self) -> &Self::Alerts {
        self.shared.alerts()
    }
}

impl<A: Apps> MailPorts for AwsOperatorPorts<A> {
    type Mailer = <AwsAlertPorts<A> as MailPorts>::Mailer;

    fn mailer(&self) -> &Self::Mailer {
        self.shared.mailer()
    }
    fn console_url(&self) -> &str {
        self.shared.console_url()
    }
    fn api_url(&self) -> &str {
        self.shared.api_url()
    }
}

impl<A: Apps> SyncPorts for AwsOperatorPorts<A> {
    type Runs = DynamoSyncRuns;
    type WorkItems = SqsWorkItems;

    fn runs(&self) -> &DynamoSyncRuns {
        &self.runs
    }
    fn work_items(&self) -> &SqsWorkItems {
        &self.work_items
    }
}

impl<A: Apps + Send + 'static> AdminPorts for AwsOperatorPorts<A> {
    type Store = DynamoConfig;
    type Tokens = DynamoTokens;

    fn store(&self) -> &DynamoConfig {
        &self.store
    }
    fn tokens(&self) -> &DynamoTokens {
        &self.tokens
    }
    fn first_admin_sha256(&self) -> Option<&str> {
        self.first_admin_sha256.as_deref()
    }
    async fn failed_batches(&self) -> Option<u64> {
        let url = self.failed_events.as_deref()?;
        match messages_in(&self.sqs, url).await {
            Ok(count) => Some(count),
            Err(error) => {
                tracing::warn!(%error, "could not read the queue of failed events; its depth is left out");
                None
            }
        }
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        let mut secret = [0; 32];
        let filled = SysRng.try_fill_bytes(&mut secret);
        filled.map(|()| secret).map_err(|error| PortError::Transient(format!("no random bytes: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<OperatorSettings, String> {
        OperatorSettings::from_lookup(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_admin_is_optional_and_known_by_a_hash() {
        assert_eq!(with(&[("TANDEM_TABLE", "t")]).unwrap().first_admin_sha256, None);
        let hash = "AB".repeat(32);
        let config = with(&[("TANDEM_TABLE", "t"), ("TANDEM_ADMIN_TOKEN_SHA256", &hash)]).unwrap();
        assert_eq!(config.first_admin_sha256, Some("ab".repeat(32)));
        assert!(!config.common.allow_private);
    }

    #[test]
    fn every_bad_value_is_reported_at_once() {
        let wrong =
            with(&[("TANDEM_ADMIN_TOKEN_SHA256", "tnd_x"), ("TANDEM_ALLOW_PRIVATE_ADDRESSES", "yes")]).unwrap_err();
        for name in ["TANDEM_TABLE", "TANDEM_ADMIN_TOKEN_SHA256", "TANDEM_ALLOW_PRIVATE_ADDRESSES"] {
            assert!(wrong.contains(name), "{wrong}");
        }
        assert!(!wrong.contains("tnd_x"), "a token that was put there by mistake is not logged");
    }
}
