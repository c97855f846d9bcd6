//! The ports on AWS: DynamoDB, SQS, EventBridge, SSM. SDK types and SDK errors stay in here.

mod cache;
mod clients;
mod config_store;
mod documents;
mod error;
mod keys;
pub mod lanes;
pub mod outbox;
mod queues;
mod secrets;
pub mod settings;
pub mod telemetry;
mod tokens;
mod wakes;
mod world;

pub use self::{
    cache::{CachedConfig, ReadConfig},
    clients::Clients,
    config_store::DynamoConfig,
    keys::Key,
    lanes::DynamoLanes,
    queues::SqsQueues,
    secrets::SsmSecrets,
    tokens::DynamoTokens,
    wakes::{EventBridgeWakes, LANE_WAITING, MAP_SOURCE, MAP_WAITING, SOURCE},
    world::{AwsWorld, World},
};
