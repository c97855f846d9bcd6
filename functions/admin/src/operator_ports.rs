//! Everything the use cases work with, on AWS.

use app::{
    admin::AdminPorts,
    ports::{AlertPorts, ConfigStore, MailPorts, PortError, Ports, SyncPorts},
};
use aws::{AwsAlertPorts, Clients, DynamoConfig, DynamoSyncRuns, DynamoTokens, Sqs, SqsWorkItems, SsmSecrets};
use domain::Timestamp;
use rand::{TryRng, rngs::SysRng};
use targets::{Connectors, Guard};

use crate::config::Config;

type Shared = AwsAlertPorts<Connectors<SsmSecrets>>;

/// Everything the use cases work with.
pub(crate) struct OperatorPorts {
    shared: Shared,
    store: DynamoConfig,
    tokens: DynamoTokens,
    runs: DynamoSyncRuns,
    work_items: SqsWorkItems,
    first_admin_sha256: Option<String>,
    sqs: Sqs,
    failed_events: Option<String>,
}

impl OperatorPorts {
    /// Clients for the environment's account.
    pub(crate) async fn connect(config: Config) -> Result<Self, String> {
        let Config { common, alerts, first_admin_sha256, failed_events, sync_queue } = config;
        let clients = Clients::connect().await;
        let guard = Guard::new(&common.allowed_hosts, common.allow_private)?;
        let apps = Connectors::new(guard, SsmSecrets::new(clients.ssm.clone()))?;
        let sqs = clients.sqs.clone();
        let world = Self {
            shared: AwsAlertPorts::of(&clients, &common, &alerts, apps),
            store: DynamoConfig::new(clients.db.clone(), &common.table),
            runs: DynamoSyncRuns::new(clients.db.clone(), &common.table),
            work_items: SqsWorkItems::new(clients.sqs.clone(), &sync_queue),
            tokens: DynamoTokens::new(clients.db, &common.table),
            first_admin_sha256,
            sqs,
            failed_events,
        };
        // TLS to DynamoDB is the most of a cold start: it is done before the first request comes.
        if let Err(error) = world.store.list_sides().await {
            tracing::warn!(%error, "could not read the sides at start; the first request pays for the connection");
        }
        Ok(world)
    }
}

impl Ports for OperatorPorts {
    type Lanes = <Shared as Ports>::Lanes;
    type Queues = <Shared as Ports>::Queues;
    type Config = <Shared as Ports>::Config;
    type Apps = <Shared as Ports>::Apps;
    type WakeUps = <Shared as Ports>::WakeUps;

    fn lanes(&self) -> &Self::Lanes {
        self.shared.lanes()
    }
    fn queues(&self) -> &Self::Queues {
        self.shared.queues()
    }
    fn config(&self) -> &Self::Config {
        self.shared.config()
    }
    fn apps(&self) -> &Self::Apps {
        self.shared.apps()
    }
    fn wakes(&self) -> &Self::WakeUps {
        self.shared.wakes()
    }
    fn now(&self) -> Timestamp {
        self.shared.now()
    }
    fn fresh_id(&self) -> u128 {
        self.shared.fresh_id()
    }
    async fn sleep(&self, ms: u64) {
        self.shared.sleep(ms).await;
    }
}

impl AlertPorts for OperatorPorts {
    type Log = <Shared as AlertPorts>::Log;
    type Alerts = <Shared as AlertPorts>::Alerts;

    fn log(&self) -> &Self::Log {
        self.shared.log()
    }
    fn alerts(&self) -> &Self::Alerts {
        self.shared.alerts()
    }
}

impl MailPorts for OperatorPorts {
    type Mailer = <Shared as MailPorts>::Mailer;

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

impl SyncPorts for OperatorPorts {
    type Runs = DynamoSyncRuns;
    type WorkItems = SqsWorkItems;

    fn runs(&self) -> &DynamoSyncRuns {
        &self.runs
    }
    fn work_items(&self) -> &SqsWorkItems {
        &self.work_items
    }
}

impl AdminPorts for OperatorPorts {
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
        match aws::messages_in(&self.sqs, url).await {
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
