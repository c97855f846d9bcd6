//! Waiting until nothing is under way any more for a record.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use app::ports::{LaneKey, Lanes};
use domain::{Timestamp, lane::Head};
use local::App;
use serde_json::Value;

use crate::{stack::World, values::same};

/// What the project promises: an app that is back has caught up within this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);

/// A record in both apps, after everything about it has come to its end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) finance: Option<Value>,
    pub(crate) crm: Option<Value>,
}

impl World {
    /// The head of a record's lane.
    pub(crate) async fn head(&self, key: &str) -> Option<Head> {
        let map = local::MAP.parse().expect("a good name");
        let lane = LaneKey { map, key: key.parse().expect("a good key") };
        self.lanes.head(&lane).await.expect("the journal can be read").map(|(head, _)| head)
    }

    /// Waits until the record is the same in both apps and nothing is under way for it. Sweeps when the minute's sweep
    /// would find something to do.
    pub(crate) async fn settled(&self, key: &str) -> Settled {
        self.settled_within(key, DEADLINE).await.unwrap_or_else(|says| panic!("{says}"))
    }

    /// Waits until nothing is under way for the record, whether it is the same in both apps or not.
    pub(crate) async fn quiet(&self, key: &str) {
        self.ended(key, DEADLINE, |_| true).await.unwrap_or_else(|says| panic!("{says}"));
    }

    /// The same as `settled` with a deadline; says how it stands when it is over.
    pub(crate) async fn settled_within(&self, key: &str, time: Duration) -> Result<Settled, String> {
        self.ended(key, time, |now| same(now.finance.as_ref(), now.crm.as_ref())).await
    }

    async fn ended(&self, key: &str, time: Duration, wanted: impl Fn(&Settled) -> bool) -> Result<Settled, String> {
        let deadline = Instant::now() + time;
        loop {
            let reports = self.reports(key).await;
            let head = self.head(key).await;
            let idle = reports.is_empty() && head.as_ref().is_none_or(Head::idle);
            // Asked again: a report that came just before leads to a write, and a write to a report.
            if idle && self.reports(key).await.is_empty() && self.idle(key).await {
                let now = self.record(key).await;
                if wanted(&now) {
                    return Ok(now);
                }
            }
            if Instant::now() > deadline {
                let record = self.record(key).await;
                return Err(format!("{key} after {time:?}: {record:?}\nhead {head:?}\nreports {reports:?}"));
            }
            let due = head.as_ref().and_then(Head::due).is_some_and(|due| due <= now());
            if due && !reports.iter().any(|report| report["state"] == "failed") {
                // One that is refused because others run is as good as the next.
                let _swept = self.stack.sweep().await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The record as it is now.
    pub(crate) async fn record(&self, key: &str) -> Settled {
        let (finance, crm) = futures::join!(self.finance().fields(key), self.crm().fields(key));
        Settled { finance: finance.expect("finance answers"), crm: crm.expect("crm answers") }
    }

    /// Whether nothing waits in the record's lane.
    pub(crate) async fn idle(&self, key: &str) -> bool {
        self.head(key).await.is_none_or(|head| head.idle())
    }

    /// What the apps have still to report about a record.
    async fn reports(&self, key: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for app in self.apps() {
            let answer = self.http.get(format!("{}/outbox", app.url())).send().await.expect("the app answers");
            let reports: Vec<Value> =
                serde_json::from_slice(&answer.bytes().await.expect("the app answers")).expect("a list");
            all.extend(reports.into_iter().filter(|report| report["write"]["key"] == key));
        }
        all
    }
}

/// How often Tandem changed a record in an app.
pub(crate) async fn applied(app: &App, key: &str) -> usize {
    let calls = app.calls(key).await.expect("the app answers");
    calls.iter().filter(|call| call["applied"] == true).count()
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp(u64::try_from(since_1970.as_millis()).expect("a time"))
}
