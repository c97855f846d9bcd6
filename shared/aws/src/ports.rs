//! Everything a use case works with, on AWS.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use app::ports::{Apps, Archive, Config, Gauges, Lanes, Ports, Queues, WakeUps};
use domain::Timestamp;

use crate::{CachedConfig, Clients, DynamoConfig, DynamoLanes, EventBridgeWakeUps, SqsQueues, settings::Common};

/// Everything a use case works with.
#[derive(Debug)]
pub struct Deps<L, Q, C, A, W> {
    /// The journal.
    pub lanes: L,
    /// The paused-write queues.
    pub queues: Q,
    /// Maps and sides.
    pub config: C,
    /// The two apps.
    pub apps: A,
    /// Wake-up calls.
    pub wakes: W,
}

/// Everything, on AWS; the apps are reached by somebody else's connectors.
pub type AwsPorts<A> = Deps<DynamoLanes, SqsQueues, CachedConfig<DynamoConfig>, A, EventBridgeWakeUps>;

impl<A> AwsPorts<A> {
    /// Puts it together.
    #[must_use]
    pub fn of(clients: &Clients, settings: &Common, apps: A) -> Self {
        Self {
            lanes: DynamoLanes::new(clients.db.clone(), &settings.table),
            queues: SqsQueues::new(clients.sqs.clone(), &settings.queue_prefix),
            config: CachedConfig::new(DynamoConfig::new(clients.db.clone(), &settings.table)),
            apps,
            wakes: EventBridgeWakeUps::new(clients.events.clone(), &settings.bus),
        }
    }
}

impl<L: Lanes + Archive + Gauges, Q: Queues, C: Config, A: Apps, W: WakeUps> Ports for Deps<L, Q, C, A, W> {
    type Queues = Q;
    type Lanes = L;
    type Config = C;
    type Apps = A;
    type WakeUps = W;

    fn lanes(&self) -> &L {
        &self.lanes
    }
    fn queues(&self) -> &Q {
        &self.queues
    }
    fn config(&self) -> &C {
        &self.config
    }
    fn apps(&self) -> &A {
        &self.apps
    }
    fn wakes(&self) -> &W {
        &self.wakes
    }
    fn now(&self) -> Timestamp {
        now()
    }
    fn fresh_id(&self) -> u128 {
        ulid::Ulid::generate().0
    }
    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The machine's clock.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
