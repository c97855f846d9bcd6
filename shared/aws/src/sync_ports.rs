//! Everything a sync run works with, on AWS.

use app::ports::{Apps, Ports, SyncPorts};
use domain::Timestamp;

use crate::{AwsPorts, Clients, DynamoSyncRuns, SqsWorkItems, settings::Common};

/// The ports of sync runs.
#[derive(Debug)]
pub struct SyncAwsPorts<A> {
    shared: AwsPorts<A>,
    runs: DynamoSyncRuns,
    work_items: SqsWorkItems,
}

impl<A> SyncAwsPorts<A> {
    /// Assembles the ports. `queue`: the address of the queue of work items.
    #[must_use]
    pub fn of(clients: &Clients, common: &Common, queue: &str, apps: A) -> Self {
        Self {
            shared: AwsPorts::of(clients, common, apps),
            runs: DynamoSyncRuns::new(clients.db.clone(), &common.table),
            work_items: SqsWorkItems::new(clients.sqs.clone(), queue),
        }
    }
}

impl<A: Apps> Ports for SyncAwsPorts<A> {
    type Lanes = <AwsPorts<A> as Ports>::Lanes;
    type Queues = <AwsPorts<A> as Ports>::Queues;
    type Config = <AwsPorts<A> as Ports>::Config;
    type Apps = A;
    type WakeUps = <AwsPorts<A> as Ports>::WakeUps;

    fn lanes(&self) -> &Self::Lanes {
        self.shared.lanes()
    }
    fn queues(&self) -> &Self::Queues {
        self.shared.queues()
    }
    fn config(&self) -> &Self::Config {
        self.shared.config()
    }
    fn apps(&self) -> &A {
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

impl<A: Apps> SyncPorts for SyncAwsPorts<A> {
    type Runs = DynamoSyncRuns;
    type WorkItems = SqsWorkItems;

    fn runs(&self) -> &DynamoSyncRuns {
        &self.runs
    }
    fn work_items(&self) -> &SqsWorkItems {
        &self.work_items
    }
}
