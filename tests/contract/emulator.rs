//! One emulator for all tests of this program. It ends with the program, however that ends.

use std::{future::Future, sync::LazyLock};

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

/// One runtime for all tests: connections must not die with the test that opened them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads can be started"));
static EMULATOR: OnceCell<Result<Emulator, String>> = OnceCell::const_new();

/// Runs a test on its own thread, so that what it prints when it fails is told as its own.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// Where the emulator is.
pub(crate) async fn url() -> &'static str {
    let start = || async { Emulator::start("contract").await.map_err(|error| format!("{error:#}")) };
    EMULATOR.get_or_init(start).await.as_ref().unwrap_or_else(|error| panic!("{error}")).url()
}

/// How SDK clients reach it.
pub(crate) async fn config() -> SdkConfig {
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
    let made = create.send().await.expect("the table is made");
    let status = made.table_description.and_then(|table| table.table_status);
    assert_eq!(status, Some(TableStatus::Active), "the emulator's tables are there at once");
    (db, name)
}

/// An empty journal.
pub(crate) async fn journal() -> DynamoLanes {
    let (db, table) = table().await;
    DynamoLanes::new(db, &table)
}
