//! The functions' logs, as CloudWatch has them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{requests::service, settled::now, stack::World};

const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// What the functions have logged since a moment.
pub(crate) struct Logs<'a> {
    world: &'a World,
    since_ms: u64,
}

impl<'a> Logs<'a> {
    pub(crate) fn since_now(world: &'a World) -> Self {
        Self { world, since_ms: now().0 }
    }

    /// The events of a function with this text in them.
    pub(crate) async fn find(&self, function: &str, text: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{}", self.world.stack.endpoints().functions[function]);
        let asked = json!({"logGroupName": group, "startTime": self.since_ms, "filterPattern": format!("\"{text}\"")});
        let found = service(self.world, "logs", "Logs_20140328.FilterLogEvents", &asked).await;
        let events = found["events"].as_array().expect("a list").iter();
        events.map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until a function has logged this so often: a log comes after the answer, and an empty log holds nothing.
    pub(crate) async fn wait_for(&self, function: &str, text: &str, times: usize) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let found = self.find(function, text).await.len();
            if found >= times {
                return;
            }
            assert!(Instant::now() < deadline, "{function} logged `{text}` only {found} of {times} times");
            tokio::time::sleep(POLL).await;
        }
    }
}
