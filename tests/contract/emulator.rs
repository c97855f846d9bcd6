//! One emulator for all tests of this program. It ends with the program, however that ends.

use std::{
    future::Future,
    sync::LazyLock,
    time::{Duration, Instant},
};

use aws::{Clients, DynamoLanes};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::{Credentials, SharedCredentialsProvider},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus,
    },
};
use local::Emulator;
use tokio::{runtime::Runtime, sync::OnceCell};

/// Names another endpoint than the emulator that the tests start themselves.
const ENDPOINT: &str = "TANDEM_CONTRACT_ENDPOINT";
const TABLE_DEADLINE: Duration = Duration::from_secs(60);
const TABLE_POLL: Duration = Duration::from_millis(500);

/// One runtime for all tests: connections must not die with the test that opened them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads can be started"));
static EMULATOR: OnceCell<Result<Emulator, String>> = OnceCell::const_new();

/// Runs a test on its own thread, so that what it prints when it fails is told as its own.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// The emulator's address, or that of another one: `TANDEM_CONTRACT_ENDPOINT=http://localhost:4566` for LocalStack.
pub(crate) async fn url() -> String {
    if let Ok(url) = std::env::var(ENDPOINT) {
        return url;
    }
    let start = || async { Emulator::start("contract").await.map_err(|error| format!("{error:#}")) };
    EMULATOR.get_or_init(start).await.as_ref().unwrap_or_else(|error| panic!("{error}")).url().to_owned()
}

/// How SDK clients reach it. With `TANDEM_CONTRACT_ENDPOINT=aws`: AWS itself, with the region and credentials of the shell.
/// Tables that the tests make there, `contract-…`, stay until somebody deletes them; the tests of `stream` check the emulator
/// itself (`-- --skip stream`).
pub(crate) async fn config() -> SdkConfig {
    if std::env::var(ENDPOINT).is_ok_and(|endpoint| endpoint == "aws") {
        return aws_config::load_defaults(BehaviorVersion::latest()).await;
    }
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static(local::REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "tests")))
        .endpoint_url(url().await)
        .load()
        .await
}

/// A client, and a table as the template makes it that nobody else uses.
pub(crate) async fn table() -> (aws_sdk_dynamodb::Client, String) {
    let db = Clients::from_config(&config().await).db;
    let name = format!("contract-{}", ulid::Ulid::generate());
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("complete")
    };
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete");
    let open = GlobalSecondaryIndex::builder()
        .index_name("open")
        .key_schema(key("open_pk", KeyType::Hash))
        .key_schema(key("open_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    let create = db
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("open_pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("open_at", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(open.build().expect("complete"))
        .stream_specification(stream.build().expect("complete"));
    create.send().await.expect("the table is made");
    wait_until_active(&db, &name).await;
    (db, name)
}

/// The emulator's tables are there at once; those of AWS take some seconds.
async fn wait_until_active(db: &aws_sdk_dynamodb::Client, name: &str) {
    let deadline = Instant::now() + TABLE_DEADLINE;
    loop {
        let described = db.describe_table().table_name(name).send().await.expect("the table is described");
        if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return;
        }
        assert!(Instant::now() < deadline, "the table {name} does not become active");
        tokio::time::sleep(TABLE_POLL).await;
    }
}

/// An empty journal.
pub(crate) async fn journal() -> DynamoLanes {
    let (db, table) = table().await;
    DynamoLanes::new(db, &table)
}
