//! Sync runs in DynamoDB, and the queue of their work items in SQS.

use app::ports::{
    ActiveRun, CommitError, FindingChange, FindingList, PortError, SyncRuns, WorkItems, failure_place, finding_place,
};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use domain::{
    ContentHash, Map, RecordKey, SideIx, Timestamp,
    id::SyncRunId,
    log::LogEvent,
    sync::{FailedCopy, Finding, FindingState, SyncRun},
};

use crate::{
    documents::{self, Documents, Item},
    error,
    keys::Key,
    outbox::{self, OUTBOX},
    ports::now,
};

/// How long runs and their findings are kept, in milliseconds: a year after their last change.
const RUN_TTL_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
/// SQS delays a message by no more than 15 minutes. A worker that comes too early leaves, and the schedule
/// wakes the next one.
const MAX_DELAY_S: u64 = 900;

/// Sync runs in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoSyncRuns(Documents);

impl DynamoSyncRuns {
    /// The runs in this table.
    #[must_use]
    pub fn new(db: Client, table: &str) -> Self {
        Self(Documents::new(db, table))
    }

    fn put(&self, key: &Key, mut item: Item, expected: Option<u64>) -> Result<TransactWriteItem, PortError> {
        item.extend(key.item());
        item.insert("ttl".to_owned(), number(now().plus_ms(RUN_TTL_MS).0 / 1_000));
        let put = Put::builder().table_name(self.0.table()).set_item(Some(item));
        let put = match expected {
            None => put,
            Some(0) => put.condition_expression("attribute_not_exists(pk)"),
            Some(expected) => put
                .condition_expression("version = :expected")
                .expression_attribute_values(":expected", number(expected)),
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(built)?).build())
    }

    fn delete(&self, key: &Key) -> Result<TransactWriteItem, PortError> {
        let delete = Delete::builder().table_name(self.0.table()).set_key(Some(key.item()));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(built)?).build())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn built(error: aws_sdk_dynamodb::error::BuildError) -> PortError {
    PortError::Permanent(error.to_string())
}

fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

impl SyncRuns for DynamoSyncRuns {
    async fn run(&self, map: &Map, id: SyncRunId) -> Result<Option<SyncRun>, PortError> {
        self.0.get(&Key::SyncRun(map.uid, id)).await
    }

    async fn runs(&self, map: &Map, before: Option<SyncRunId>, limit: usize) -> Result<Vec<SyncRun>, PortError> {
        let last = before.map_or(u128::MAX, |before| before.0.saturating_sub(1));
        let until = Key::SyncRun(map.uid, SyncRunId(last));
        self.0.newest(&until.pk(), &until.sk(), limit).await
    }

    async fn active_runs(&self) -> Result<Vec<ActiveRun>, PortError> {
        let listed: Vec<(String, ())> = self.0.list("SYNCING").await?;
        let read = |sk: &str| {
            let (map, id) = sk.split_once('#')?;
            let run = SyncRunId(u128::from_str_radix(id, 16).ok()?);
            Some(ActiveRun { map: map.parse().ok()?, run })
        };
        Ok(listed.iter().filter_map(|(sk, ())| read(sk)).collect())
    }

    async fn forget_active(&self, run: &ActiveRun) -> Result<(), PortError> {
        let key = Key::ActiveRun(run.map.clone(), run.run).item();
        let delete = self.0.db().delete_item().table_name(self.0.table()).set_key(Some(key));
        delete.send().await.map(drop).map_err(error::port)
    }

    async fn save_run(
        &self,
        map: &Map,
        run: &SyncRun,
        before: Option<&SyncRun>,
        changes: &[FindingChange],
    ) -> Result<(), CommitError> {
        let expected = before.map_or(0, |before| before.version);
        let mut item = documents::item(run, run.version)?;
        if let Some(line) = run.line_since(before, map) {
            let event = LogEvent::Activity(Box::new(line));
            item.extend(outbox::attribute(&[event])?.map(|events| (OUTBOX.to_owned(), events)));
        }
        let mut actions = vec![self.put(&Key::SyncRun(run.uid, run.id), item, Some(expected))?];
        let active = Key::ActiveRun(run.map.clone(), run.id);
        let writing = run.choice.kind.writes().then_some(Key::WritingRun(run.uid));
        if run.is_over() {
            actions.push(self.delete(&active)?);
            actions.extend(writing.map(|claim| self.delete(&claim)).transpose()?);
        } else if before.is_none() {
            actions.push(self.put(&active, documents::item(&(), 1)?, None)?);
            let id = documents::item(&run.id, 1)?;
            actions.extend(writing.map(|claim| self.put(&claim, id, Some(0))).transpose()?);
        }
        // One item may be in a transaction once: a record that is put off to the same time is deleted and put.
        let mut seen = std::collections::BTreeMap::new();
        for change in changes {
            let (of, finding) = change.target(run.id);
            seen.insert((of, finding_place(finding)), change);
        }
        for ((of, place), change) in seen {
            let key = Key::Finding(of, place);
            actions.push(match change {
                FindingChange::Put(finding) => self.put(&key, documents::item(finding, 1)?, None)?,
                FindingChange::Delete(_) | FindingChange::DeleteOf(..) => self.delete(&key)?,
            });
        }
        let sent = self.0.db().transact_write_items().set_transact_items(Some(actions)).send().await;
        sent.map(drop).map_err(|error| error::transaction(error, &[]))
    }

    async fn findings(
        &self,
        run: SyncRunId,
        list: FindingList,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Finding>, PortError> {
        let prefix = list.prefix();
        let mut found = Vec::new();
        let mut from = after.map(|after| Key::Finding(run, after.to_owned()).item());
        while found.len() < limit {
            let query = self
                .0
                .db()
                .query()
                .table_name(self.0.table())
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(Key::Finding(run, String::new()).pk()))
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.clone()))
                .consistent_read(true)
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(error::port)?;
            for item in page.items() {
                found.push(documents::read(item)?);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn failure(
        &self,
        run: SyncRunId,
        cause: ContentHash,
        record: (SideIx, &RecordKey),
    ) -> Result<Option<FailedCopy>, PortError> {
        let found: Option<Finding> = self.0.get(&Key::Finding(run, failure_place(cause, record))).await?;
        Ok(found.and_then(|finding| match finding.state {
            FindingState::Failed(failed) => Some(failed),
            FindingState::LookAgain(_)
            | FindingState::Differs(_)
            | FindingState::Changing
            | FindingState::Deletion(_) => None,
        }))
    }
}

/// The queue of work items.
#[derive(Clone, Debug)]
pub struct SqsWorkItems {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl SqsWorkItems {
    /// The queue at this address.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, url: &str) -> Self {
        Self { sqs, url: url.to_owned() }
    }
}

impl WorkItems for SqsWorkItems {
    async fn send(&self, run: &ActiveRun, due: Timestamp) -> Result<(), PortError> {
        // Rounded up: a worker that comes before its time finds nothing to do.
        let delay = due.ms_since(now()).div_ceil(1_000).min(MAX_DELAY_S);
        let body = serde_json::json!({ "map": run.map, "run": run.run }).to_string();
        let send = self.sqs.send_message().queue_url(&self.url).message_body(body);
        let sent = send.delay_seconds(i32::try_from(delay).unwrap_or(0)).send().await;
        sent.map(drop).map_err(error::port)
    }
}
