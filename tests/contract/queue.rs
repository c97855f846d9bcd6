//! The paused-write queue: what SQS FIFO promises, shown on the emulator.

use std::time::{Duration, Instant};

use aws::SqsQueues;
use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName},
};
use testkit::contract;

use crate::emulator::{config, run};

/// Seconds for which the message of the worker that crashes is hidden: the shortest there is.
const CRASHED_SECONDS: i32 = 1;
/// And of one that goes on: longer than any machine takes to delete it.
const VISIBILITY_SECONDS: i32 = 300;
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn pointers_of_a_record_come_in_order_one_batch_after_the_other() {
    run(async {
        let uid = ulid::Ulid::generate().0;
        contract::pointers_of_a_record_come_in_order_one_batch_after_the_other(&queues().await, uid).await;
    });
}

#[test]
fn a_queue_is_made_and_removed_with_its_map() {
    run(async { contract::a_queue_is_made_and_removed_with_its_map(&queues().await, ulid::Ulid::generate().0).await });
}

async fn queues() -> SqsQueues {
    SqsQueues::new(Client::new(&config().await), "contract")
}

#[test]
fn a_message_that_was_not_deleted_comes_again_before_those_behind_it() {
    run(async {
        let queue = Queue::make().await;
        for body in ["1", "2", "3"] {
            queue.send("a", body).await;
        }
        // Received, never deleted: as if its worker had crashed.
        assert_eq!(bodies(&queue.receive(1, CRASHED_SECONDS).await), ["1"]);
        let again = queue.receive_some(1).await;
        assert_eq!(bodies(&again), ["1"]);
        queue.delete(&again).await;
        assert_eq!(bodies(&queue.receive(10, VISIBILITY_SECONDS).await), ["2", "3"]);
    });
}

/// A queue as one is made for each map.
struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    async fn make() -> Self {
        let client = Client::new(&config().await);
        let made = client
            .create_queue()
            .queue_name(format!("contract-{}.fifo", ulid::Ulid::generate()))
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
            .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")
            .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS.to_string());
        let url = made.send().await.expect("the queue is made").queue_url.expect("it has an address");
        Self { client, url }
    }

    async fn send(&self, group: &str, body: &str) {
        let send = self.client.send_message().queue_url(&self.url).message_group_id(group);
        send.message_deduplication_id(body).message_body(body).send().await.expect("it is sent");
    }

    /// What can be had now.
    async fn receive(&self, max: i32, hidden_seconds: i32) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(max);
        let receive = receive.visibility_timeout(hidden_seconds);
        receive.wait_time_seconds(0).send().await.expect("it is received").messages.unwrap_or_default()
    }

    /// Waits until there is something.
    async fn receive_some(&self, max: i32) -> Vec<Message> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(max);
            let received = receive.wait_time_seconds(2).send().await.expect("it is received").messages;
            if let Some(received) = received.filter(|received| !received.is_empty()) {
                return received;
            }
            assert!(Instant::now() < deadline, "nothing comes");
        }
    }

    async fn delete(&self, messages: &[Message]) {
        let entries = messages.iter().enumerate().map(|(at, message)| {
            let handle = message.receipt_handle().unwrap_or_default();
            DeleteMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .receipt_handle(handle)
                .build()
                .expect("complete")
        });
        let delete = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let deleted = delete.send().await.expect("they are deleted");
        assert!(deleted.failed().is_empty(), "{deleted:?}");
    }
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(Message::body).collect()
}
