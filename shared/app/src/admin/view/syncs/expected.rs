//! When a run will be through, and what a copy will cost, as operators see it.

use std::collections::BTreeMap;

use domain::{
    SideIx,
    sync::{AppCalls, Basis, CopyCost, ExpectedEnd},
};
use serde::Serialize;
use utoipa::ToSchema;

/// When a sync run will be through, if it goes on as in the last minutes.
#[derive(Serialize, ToSchema)]
pub struct SyncExpected {
    /// `counted`: both apps have said how many records they have, or have listed all; `estimated`: by the number of records in
    /// the last run, which may be wrong by a tenth; `unknown`: nothing can be said.
    #[schema(value_type = String)]
    pub basis: Basis,
    /// How much is done, in percent. At most 99 until the run is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub percent: Option<u64>,
    /// Not before this time, by the fastest of the last minutes. Absent: nothing moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub earliest: Option<String>,
    /// Not after this time, by the slowest of the last minutes. Absent: for some time, nothing moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest: Option<String>,
}

impl From<ExpectedEnd> for SyncExpected {
    fn from(end: ExpectedEnd) -> Self {
        let ExpectedEnd { basis, percent, earliest, latest } = end;
        let text = |at: Option<domain::Timestamp>| at.map(|at| at.to_string());
        Self { basis, percent, earliest: text(earliest), latest: text(latest) }
    }
}

/// What an initial sync will cost, if nobody changes anything and nothing fails.
#[derive(Serialize, ToSchema)]
pub struct SyncCost {
    /// Requests to each app, by its side.
    pub calls: BTreeMap<String, SyncCalls>,
    /// Write units of DynamoDB, at most.
    pub write_units: u64,
    /// How many minutes it takes if its requests go as fast as those of the dry run. Absent: the dry run made none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub minutes: Option<u64>,
}

/// Requests to one app.
#[derive(Serialize, ToSchema)]
pub struct SyncCalls {
    /// Pages of its list.
    pub pages: u64,
    /// Reads of single records.
    pub reads: u64,
    /// Writes of single records. Each may take up to three requests, by the settings of the side.
    pub writes: u64,
}

impl SyncCost {
    pub fn of(cost: &CopyCost, name: impl Fn(SideIx) -> String) -> Self {
        let calls = |side: SideIx| {
            let AppCalls { pages, reads, writes } = cost.calls[side];
            (name(side), SyncCalls { pages, reads, writes })
        };
        Self {
            calls: SideIx::BOTH.into_iter().map(calls).collect(),
            write_units: cost.write_units,
            minutes: cost.takes_ms.map(|ms| ms.div_ceil(60_000)),
        }
    }
}
