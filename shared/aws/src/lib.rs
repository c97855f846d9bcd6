//! The ports on AWS: DynamoDB, SQS, EventBridge, `SESv2`, SSM. SDK types and SDK errors stay in here.

mod alert_ports;
mod alerts;
mod cache;
mod clients;
mod config_store;
mod delegate;
mod documents;
mod error;
mod events;
mod json;
mod keys;
pub mod lanes;
mod log;
mod mailer;
pub mod metrics;
mod operator_ports;
pub mod outbox;
mod ports;
mod queues;
mod secrets;
pub mod settings;
mod sync_ports;
mod sync_runs;
pub mod telemetry;
mod tokens;
mod wakes;

pub use self::{
    alert_ports::{AlertSettings, AwsAlertPorts, NoApps},
    alerts::DynamoAlerts,
    cache::{CachedConfig, ReadConfig},
    clients::Clients,
    config_store::DynamoConfig,
    events::EventBridgeEvents,
    keys::Key,
    lanes::DynamoLanes,
    log::DynamoLog,
    mailer::SesMailer,
    operator_ports::{AwsOperatorPorts, OperatorSettings},
    ports::{AwsPorts, Deps},
    queues::{Sqs, SqsQueues, messages_in},
    secrets::SsmSecrets,
    sync_ports::SyncAwsPorts,
    sync_runs::{DynamoSyncRuns, SqsWorkItems},
    tokens::DynamoTokens,
    wakes::{EventBridgeWakeUps, LANE_WAITING, MAP_SOURCE, MAP_WAITING, SOURCE},
};
