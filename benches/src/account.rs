//! An AWS account to measure in: the emulator, with a table as the template makes it.

use std::collections::BTreeMap;

use anyhow::Context;
use app::ports::{ConfigStore, LaneKey, Queues};
use aws::{Clients, DynamoConfig, Key, SqsQueues};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::{Credentials, SharedCredentialsProvider},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
    },
};
use aws_sdk_ssm::types::ParameterType;
use domain::{
    Map, Timestamp,
    map::{Backlog, MapAnswer, MapCommand},
    side::Capability,
};
use futures::{StreamExt, TryStreamExt, stream};
use local::{Emulator, REGION};

use crate::{price::Item, sample};

const TABLE: &str = "tandem";
/// Items of one request: DynamoDB takes no more.
const BATCH: usize = 25;
const QUEUE_PREFIX: &str = "bench";
const HMAC_PARAMETER: &str = "/tandem/bench/hmac";
/// The emulator lives as long as the bench, and nobody else reaches it.
pub const HMAC_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A running emulator and what was put into it.
#[derive(Debug)]
pub struct Account {
    emulator: Emulator,
    clients: Clients,
}

impl Account {
    /// Starts the emulator, makes the table and the callers' key.
    ///
    /// # Errors
    /// When Python or the network is missing, or another bench runs.
    pub async fn start() -> anyhow::Result<Self> {
        let emulator = Emulator::start("bench").await?;
        let clients = Clients::from_config(&config(emulator.url()).await);
        let put = clients.ssm.put_parameter().name(HMAC_PARAMETER).value(HMAC_SECRET);
        put.r#type(ParameterType::SecureString).send().await?;
        create_table(&clients.db).await?;
        Ok(Self { emulator, clients })
    }

    /// The emulator's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.emulator.url()
    }

    /// The clients of the account's owner.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Puts the sample map and its sides into the table; both sides are the app at `url`.
    ///
    /// # Errors
    /// When the emulator does not take them.
    pub async fn configure(&self, url: &str) -> anyhow::Result<()> {
        let config = DynamoConfig::new(self.clients.db.clone(), TABLE);
        for side in sample::sides(url)? {
            config.save_side(&side, 0, &testkit::sample::line()).await?;
        }
        Ok(config.save_map(&sample::map()?, 0, &testkit::sample::line()).await?)
    }

    /// Pauses the sample map, and makes the queue that every map has.
    ///
    /// # Errors
    /// When the emulator does not take it.
    pub async fn pause(&self) -> anyhow::Result<()> {
        let config = DynamoConfig::new(self.clients.db.clone(), TABLE);
        let map = config.map(&sample::map()?.id).await?.context("there is no map")?;
        SqsQueues::new(self.clients.sqs.clone(), QUEUE_PREFIX).create(&map).await?;
        self.command(MapCommand::Pause).await
    }

    /// Resumes the sample map: its backlog is to be written.
    ///
    /// # Errors
    /// When the emulator does not take it.
    pub async fn resume(&self) -> anyhow::Result<()> {
        self.command(MapCommand::Resume(Backlog::CatchUp)).await
    }

    async fn command(&self, command: MapCommand) -> anyhow::Result<()> {
        let config = DynamoConfig::new(self.clients.db.clone(), TABLE);
        let map = config.map(&sample::map()?.id).await?.context("there is no map")?;
        let MapAnswer::Changed(changed) = map.decide(command, "bench", "to measure", Timestamp(0)) else {
            anyhow::bail!("the map is {}", map.state)
        };
        Ok(config.save_map(&changed, map.version, &testkit::sample::line()).await?)
    }

    /// Lets the sample map run again, as it was.
    ///
    /// # Errors
    /// When the emulator does not take it.
    pub async fn run(&self) -> anyhow::Result<()> {
        let config = DynamoConfig::new(self.clients.db.clone(), TABLE);
        let map = config.map(&sample::map()?.id).await?.context("there is no map")?;
        Ok(config
            .save_map(
                &domain::Map { version: map.version + 1, ..sample::map()? },
                map.version,
                &testkit::sample::line(),
            )
            .await?)
    }

    /// Puts maps into the table, quiet ones, many at a time, and the two sides of all of them.
    ///
    /// # Errors
    /// When the emulator does not take them.
    pub async fn put_maps(
        &self,
        numbers: std::ops::Range<u64>,
        map: impl Fn(&str) -> anyhow::Result<Map>,
    ) -> anyhow::Result<()> {
        let mut batches = Vec::new();
        for start in numbers.clone().step_by(BATCH) {
            let mut puts = Vec::new();
            for n in start..numbers.end.min(start + BATCH as u64) {
                let map = map(&format!("m-{n}"))?;
                let mut item = Key::Map(map.id.clone()).item();
                let number = |n: u64| AttributeValue::N(n.to_string());
                item.extend([
                    ("v".to_owned(), number(1)),
                    ("version".to_owned(), number(map.version)),
                    ("body".to_owned(), AttributeValue::S(serde_json::to_string(&map)?)),
                ]);
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                puts.push(WriteRequest::builder().put_request(put).build());
            }
            let batch = self.clients.db.batch_write_item().request_items(TABLE, puts);
            batches.push(async move { batch.send().await.map(drop) });
        }
        stream::iter(batches).buffer_unordered(8).try_collect::<()>().await.context("the maps are not taken")
    }

    /// The two sides of the maps that `put_maps` puts.
    ///
    /// # Errors
    /// When the emulator does not take them.
    pub async fn put_sides(&self) -> anyhow::Result<()> {
        let config = DynamoConfig::new(self.clients.db.clone(), TABLE);
        for side in testkit::sample::running(Capability::Idempotent).sides {
            config.save_side(&side, 0, &testkit::sample::line()).await?;
        }
        Ok(())
    }

    /// Empties a partition of the table.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn empty(&self, pk: &str) -> anyhow::Result<()> {
        let query = self.clients.db.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let found = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned())).send().await?;
        for mut item in found.items.unwrap_or_default() {
            item.retain(|name, _| name == "pk" || name == "sk");
            self.clients.db.delete_item().table_name(TABLE).set_key(Some(item)).send().await?;
        }
        Ok(())
    }

    /// The environment of a function, as the template sets it, that reaches AWS at `endpoint`.
    #[must_use]
    pub fn environment(&self, endpoint: &str) -> Vec<(&'static str, String)> {
        [
            ("TANDEM_TABLE", TABLE),
            ("TANDEM_EVENT_BUS", "default"),
            ("TANDEM_QUEUE_PREFIX", QUEUE_PREFIX),
            ("TANDEM_ALLOWED_HOSTS", "127.0.0.1"),
            ("TANDEM_ALLOW_PRIVATE_ADDRESSES", "true"),
            ("TANDEM_HMAC_PARAMETER", HMAC_PARAMETER),
            ("RUST_LOG", "info"),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", REGION),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }
}

/// Clients that reach AWS at this address.
pub async fn clients_at(url: &str) -> Clients {
    Clients::from_config(&config(url).await)
}

/// A lane's head, as it is stored at this moment.
///
/// # Errors
/// When the emulator does not answer.
pub async fn head(db: &aws_sdk_dynamodb::Client, key: &str) -> anyhow::Result<Option<Item>> {
    let parsed = |text: &str| anyhow::Error::msg(text.to_owned());
    let map = sample::MAP.parse().map_err(|says: String| parsed(&says))?;
    let key = Key::Head(LaneKey { map, key: key.parse().map_err(|says: String| parsed(&says))? });
    let get = db.get_item().table_name(TABLE).set_key(Some(key.item())).consistent_read(true);
    Ok(get.send().await.context("the head cannot be read")?.item)
}

async fn config(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "bench");
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(url)
        .load()
        .await
}

async fn create_table(db: &aws_sdk_dynamodb::Client) -> anyhow::Result<()> {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let open = GlobalSecondaryIndex::builder()
        .index_name("open")
        .key_schema(key("open_pk", KeyType::Hash)?)
        .key_schema(key("open_at", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    let mut create = db
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(open);
    for (name, kind) in [
        ("pk", ScalarAttributeType::S),
        ("sk", ScalarAttributeType::S),
        ("open_pk", ScalarAttributeType::S),
        ("open_at", ScalarAttributeType::N),
    ] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?;
        create = create.attribute_definitions(attribute);
    }
    create.send().await.context("the table cannot be made")?;
    Ok(())
}

/// Every item of the table by its key, as it is stored at this moment.
///
/// # Errors
/// When the emulator does not answer.
pub async fn items(db: &aws_sdk_dynamodb::Client) -> anyhow::Result<BTreeMap<(String, String), Item>> {
    let scan = db.scan().table_name(TABLE).consistent_read(true).into_paginator().items().send();
    let items: Vec<_> = scan.try_collect().await.context("the table cannot be read")?;
    let text =
        |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    Ok(items.into_iter().map(|item| ((text(&item, "pk"), text(&item, "sk")), item)).collect())
}
