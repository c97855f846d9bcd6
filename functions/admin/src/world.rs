//! Everything the use cases work with, on AWS.

use std::time::{SystemTime, UNIX_EPOCH};

use app::{
    admin::AdminPorts,
    ports::{ConfigStore, PortError},
};
use aws::{Clients, DynamoConfig, DynamoTokens, SsmSecrets};
use domain::Timestamp;
use rand::{TryRng, rngs::SysRng};
use targets::{Connectors, Guard};

use crate::config::Config;

/// Everything the use cases work with.
pub(crate) struct World {
    store: DynamoConfig,
    tokens: DynamoTokens,
    apps: Connectors<SsmSecrets>,
    first_admin_sha256: Option<String>,
}

impl World {
    /// Clients for the environment's account.
    pub(crate) async fn connect(config: Config) -> Result<Self, String> {
        let Config { common, first_admin_sha256 } = config;
        let clients = Clients::connect().await;
        let guard = Guard::new(&common.allowed_hosts, common.allow_private)?;
        let world = Self {
            store: DynamoConfig::new(clients.db.clone(), &common.table),
            tokens: DynamoTokens::new(clients.db, &common.table),
            apps: Connectors::new(guard, SsmSecrets::new(clients.ssm))?,
            first_admin_sha256,
        };
        // TLS to DynamoDB is the most of a cold start: it is done before the first request comes.
        if let Err(error) = world.store.list_sides().await {
            tracing::warn!(%error, "the sides could not be read at start");
        }
        Ok(world)
    }
}

impl AdminPorts for World {
    type Store = DynamoConfig;
    type Tokens = DynamoTokens;
    type Apps = Connectors<SsmSecrets>;

    fn store(&self) -> &DynamoConfig {
        &self.store
    }
    fn tokens(&self) -> &DynamoTokens {
        &self.tokens
    }
    fn apps(&self) -> &Connectors<SsmSecrets> {
        &self.apps
    }
    fn first_admin_sha256(&self) -> Option<&str> {
        self.first_admin_sha256.as_deref()
    }
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
    }
    fn fresh_id(&self) -> u128 {
        ulid::Ulid::generate().0
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        let mut secret = [0; 32];
        let filled = SysRng.try_fill_bytes(&mut secret);
        filled.map(|()| secret).map_err(|error| PortError::Transient(format!("no random bytes: {error}")))
    }
}
