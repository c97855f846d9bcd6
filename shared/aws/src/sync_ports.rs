//! Everything a sync run works with, on AWS.

use app::ports::{Apps, SyncPorts};

use crate::{AwsPorts, Clients, DynamoSyncRuns, SqsWorkItems, delegate::delegate_ports, settings::Common};

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

delegate_ports!(SyncAwsPorts => AwsPorts);

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
