//! The paused-write queues in SQS: one FIFO queue per map, made and removed with it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use app::ports::{Pointer, PortError, Queues, Received};
use aws_sdk_sqs::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{DeleteMessageBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry},
};
use domain::{Map, RecordKey, id::MapUid};

use crate::{error, keys::hash};

/// The SDK's client.
pub use aws_sdk_sqs::Client as Sqs;

/// Messages of one request: SQS takes no more.
const BATCH: usize = 10;
/// Longest name of a queue.
const MAX_NAME: usize = 80;
const SUFFIX: &str = ".fifo";
/// Digits that tell the queue of a map from that of an earlier map of the same name.
const UID_DIGITS: usize = 16;
/// Days for which SQS keeps a message at most: the sweep sends it again before.
const RETENTION_S: u32 = 14 * 24 * 60 * 60;
/// How long received pointers, and those behind them, are hidden. A worker that is slower does no harm: the lane's lease
/// keeps others out.
const VISIBILITY_S: u32 = 60;

/// The paused-write queues in SQS.
#[derive(Debug)]
pub struct SqsQueues {
    sqs: Client,
    prefix: String,
    urls: Mutex<BTreeMap<MapUid, String>>,
}

impl SqsQueues {
    /// Queues whose names begin so.
    #[must_use]
    pub fn new(sqs: Client, prefix: &str) -> Self {
        Self { sqs, prefix: prefix.to_owned(), urls: Mutex::default() }
    }

    fn known(&self, uid: MapUid) -> Option<String> {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).get(&uid).cloned()
    }

    fn remember(&self, uid: MapUid, url: Option<String>) {
        let mut urls = self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        match url {
            Some(url) => urls.insert(uid, url),
            None => urls.remove(&uid),
        };
    }

    /// The queue of a map; `None`: it has none.
    async fn url(&self, map: &Map) -> Result<Option<String>, PortError> {
        if let Some(url) = self.known(map.uid) {
            return Ok(Some(url));
        }
        let found = self.sqs.get_queue_url().queue_name(name(&self.prefix, map)).send().await;
        match found {
            Ok(found) => {
                self.remember(map.uid, found.queue_url.clone());
                Ok(found.queue_url)
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error::port(error)),
        }
    }

    /// What an answer means when the queue was removed since its address was learned.
    fn unless_gone<T, E>(&self, map: &Map, sent: Result<T, SdkError<E>>) -> Result<Option<T>, PortError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match sent {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_gone(&error) => {
                self.remember(map.uid, None);
                Ok(None)
            }
            Err(error) => Err(error::port(error)),
        }
    }

    fn no_queue(&self, map: &Map) -> PortError {
        PortError::Permanent(format!("there is no queue {}", name(&self.prefix, map)))
    }
}

/// The name of a map's queue. A map made anew has another one: SQS takes a minute to forget a name.
fn name(prefix: &str, map: &Map) -> String {
    // The last 64 bits of a ULID are chance.
    let uid = format!("{:0UID_DIGITS$x}", map.uid.0 & u128::from(u64::MAX));
    let room = MAX_NAME - prefix.len() - uid.len() - SUFFIX.len() - 2;
    let id: String = map.id.as_str().chars().take(room).collect();
    format!("{prefix}-{id}-{uid}{SUFFIX}")
}

/// Pointers to one record are received in order, and by one worker at a time.
fn group(key: &RecordKey) -> String {
    format!("{:016x}", hash(key))
}

fn is_gone<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.is_some_and(|code| code.contains("NonExistentQueue") || code == "QueueDoesNotExist")
}

impl Queues for SqsQueues {
    async fn create(&self, map: &Map) -> Result<(), PortError> {
        let made = self
            .sqs
            .create_queue()
            .queue_name(name(&self.prefix, map))
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
            .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")
            .attributes(QueueAttributeName::MessageRetentionPeriod, RETENTION_S.to_string())
            .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_S.to_string())
            .attributes(QueueAttributeName::SqsManagedSseEnabled, "true")
            .send()
            .await
            .map_err(error::port)?;
        self.remember(map.uid, made.queue_url);
        Ok(())
    }

    async fn remove(&self, map: &Map) -> Result<(), PortError> {
        let Some(url) = self.url(map).await? else { return Ok(()) };
        let removed = self.sqs.delete_queue().queue_url(url).send().await;
        self.unless_gone(map, removed)?;
        self.remember(map.uid, None);
        Ok(())
    }

    async fn send(&self, map: &Map, pointers: &[Pointer]) -> Result<(), PortError> {
        for batch in pointers.chunks(BATCH) {
            let url = self.url(map).await?.ok_or_else(|| self.no_queue(map))?;
            let entries = batch.iter().enumerate().map(|(i, pointer)| {
                SendMessageBatchRequestEntry::builder()
                    .id(i.to_string())
                    .message_group_id(group(&pointer.key))
                    .message_deduplication_id(pointer.entry.to_string())
                    .message_body(serde_json::to_string(pointer).unwrap_or_default())
                    .build()
                    .map_err(|error| PortError::Permanent(error.to_string()))
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let sent = self.sqs.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            let sent = self.unless_gone(map, sent)?.ok_or_else(|| self.no_queue(map))?;
            if let Some(failed) = sent.failed().first() {
                return Err(PortError::Transient(format!("SQS refused a message: {}", failed.code())));
            }
        }
        Ok(())
    }

    async fn receive(&self, map: &Map) -> Result<Vec<Received>, PortError> {
        let Some(url) = self.url(map).await? else { return Ok(Vec::new()) };
        let most = i32::try_from(BATCH).unwrap_or(1);
        let received = self.sqs.receive_message().queue_url(&url).max_number_of_messages(most).send().await;
        let messages = self.unless_gone(map, received)?.and_then(|received| received.messages).unwrap_or_default();
        let (mut pointers, mut unreadable) = (Vec::new(), Vec::new());
        for message in messages {
            let Some(receipt) = message.receipt_handle else { continue };
            match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
                Ok(pointer) => pointers.push(Received { pointer, receipt }),
                Err(_) => unreadable.push(receipt),
            }
        }
        if !unreadable.is_empty() {
            tracing::error!(map.id = %map.id, messages = unreadable.len(), "could not parse messages of the queue as pointers; they are deleted");
            self.delete(map, &unreadable).await?;
        }
        Ok(pointers)
    }

    async fn delete(&self, map: &Map, receipts: &[String]) -> Result<(), PortError> {
        for batch in receipts.chunks(BATCH) {
            let Some(url) = self.url(map).await? else { return Ok(()) };
            let entries = batch.iter().enumerate().map(|(i, receipt)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(i.to_string()).receipt_handle(receipt);
                entry.build().map_err(|error| PortError::Permanent(error.to_string()))
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let deleted = self.sqs.delete_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            // One that could not be deleted comes again, and finds nothing to do.
            self.unless_gone(map, deleted)?;
        }
        Ok(())
    }

    async fn depth(&self, map: &Map) -> Result<Option<u64>, PortError> {
        let Some(url) = self.url(map).await? else { return Ok(None) };
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let told =
            self.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(counts.to_vec())).send().await;
        let Some(told) = self.unless_gone(map, told)? else { return Ok(None) };
        let told = told.attributes.unwrap_or_default();
        Ok(Some(counts.iter().filter_map(|name| told.get(name)?.parse::<u64>().ok()).sum()))
    }
}

/// How many messages wait in a queue that is not a map's. Approximate.
///
/// # Errors
/// The queue cannot be asked.
pub async fn messages_in(sqs: &Client, url: &str) -> Result<u64, PortError> {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let asked = sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await;
    let told = asked.map_err(error::port)?;
    let count = told.attributes().and_then(|all| all.get(&name)).and_then(|count| count.parse().ok());
    count.ok_or_else(|| PortError::Permanent("the queue does not tell its depth".to_owned()))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn map(id: &str, uid: u128) -> Map {
        let config = serde_json::json!({
            "sides": [{"side": "a", "entity": "e", "key_field": "k"}, {"side": "b", "entity": "e", "key_field": "k"}],
            "fields": [],
        });
        Map::new(id.parse().unwrap(), MapUid(uid), serde_json::from_value(config).unwrap(), "kim", Timestamp(0))
    }

    #[test]
    fn a_queue_is_named_after_its_map_and_fits() {
        let short = name("tandem", &map("customers", 1));
        assert!(short.starts_with("tandem-customers-") && short.ends_with(".fifo"), "{short}");
        assert_ne!(short, name("tandem", &map("customers", 2)), "a map made anew has another queue");
        let long = name("a-prefix-of-20-chars", &map(&"m".repeat(63), 1));
        assert_eq!(long.len(), MAX_NAME);
    }
}
