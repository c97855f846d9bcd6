//! One stack for all tests of this program. It ends with the program, however that ends.

use std::{
    ops::AsyncFnOnce,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::LazyLock,
};

use aws::{Clients, DynamoLanes};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use futures::FutureExt;
use local::{Admin, App, Options, Stack, SyncWrite};
use serde_json::{Value, json};
use tokio::{
    runtime::Runtime,
    sync::{OnceCell, RwLock},
};

/// One runtime for all tests: connections must not die with the test that opened them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads can be started"));
static WORLD: OnceCell<Result<World, String>> = OnceCell::const_new();
/// Held by every test, alone by those that others would not survive.
static TURN: RwLock<()> = RwLock::const_new(());

/// Everything that a test works with.
pub(crate) struct World {
    pub(crate) stack: Stack,
    /// The operators' API, with all rights.
    pub(crate) admin: Admin,
    /// `sync-write`, with the signatures it expects.
    pub(crate) sync_write: SyncWrite,
    /// For requests as nobody should make them.
    pub(crate) http: reqwest::Client,
    /// The journal itself: whether a lane is idle is asked too often to ask an operator's list each time.
    pub(crate) lanes: DynamoLanes,
    /// The table itself, for what no function does.
    pub(crate) db: aws_sdk_dynamodb::Client,
}

impl World {
    pub(crate) fn finance(&self) -> &App {
        self.stack.finance()
    }

    pub(crate) fn crm(&self) -> &App {
        self.stack.crm()
    }

    pub(crate) fn apps(&self) -> [&App; 2] {
        [self.stack.finance(), self.stack.crm()]
    }

    /// Both apps work, and the map runs.
    async fn mend(&self) {
        for app in self.apps() {
            app.switch(usual()).await.expect("the app is switched");
        }
        let map = self.admin.get(&format!("/maps/{}", local::MAP)).await.expect("there is the map");
        if map["state"] == "Paused" {
            let path = format!("/maps/{}/resume", local::MAP);
            self.admin.post(&path, &json!({"reason": "mended"})).await.expect("it is resumed");
        }
        if map["state"] != "Paused" && map["state"] != "CatchingUp" {
            self.admin.post(&format!("/maps/{}/run", local::MAP), &json!({"reason": "mended"})).await.expect("it runs");
        }
    }

    async fn start() -> anyhow::Result<Self> {
        let stack = Stack::start(Options { with_cargo_lambda: true, ..Options::test("e2e") }).await?;
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static(local::REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&stack.endpoints().emulator)
            .load()
            .await;
        let db = Clients::from_config(&config).db;
        let lanes = DynamoLanes::new(db.clone(), &stack.endpoints().table);
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { admin: stack.admin("admin")?, sync_write: stack.sync_write()?, http, lanes, db, stack })
    }
}

/// The switches of an app that works and has no habits.
fn usual() -> Value {
    json!({"mode": "normal", "reports_own_writes": true, "tells_before": true, "tidies": false, "commits_late_ms": 0, "idempotency_keys": false})
}

/// Runs a test beside others.
pub(crate) fn together(test: impl AsyncFnOnce(&'static World)) {
    RUNTIME.block_on(async {
        let _turn = TURN.read().await;
        test(world().await).await;
    });
}

/// Runs a test that nothing else may run beside. What it broke is mended, also when it fails.
pub(crate) fn alone(test: impl AsyncFnOnce(&'static World)) {
    RUNTIME.block_on(async {
        let _turn = TURN.write().await;
        let world = world().await;
        let ended = AssertUnwindSafe(test(world)).catch_unwind().await;
        world.mend().await;
        ended.unwrap_or_else(|panic| resume_unwind(panic));
    });
}

async fn world() -> &'static World {
    let start = || async { World::start().await.map_err(|error| format!("{error:#}")) };
    WORLD.get_or_init(start).await.as_ref().unwrap_or_else(|error| panic!("{error}"))
}
