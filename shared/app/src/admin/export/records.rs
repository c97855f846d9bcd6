//! Records of a sync run, as lines of a file.

use domain::{Map, id::SyncRunId};
use serde_json::json;

use super::{Chunk, Format, Line, csv};
use crate::{
    admin::{AdminPorts, syncs, view::SyncRecord},
    error::AppError,
    ports::FindingList,
};

/// Records that are read for one chunk of the file: each may have a row of 32 KB.
const READ_AT_ONCE: usize = 100;

/// The columns, in CSV.
pub(super) const COLUMNS: &str =
    "from,key,state,at,cause,class,code,message,what_to_do,missing,fields,row,in_step_at,deleted_at";

/// The records of a list of a run.
pub(super) struct RecordList {
    pub(super) map: Map,
    pub(super) run: SyncRunId,
    pub(super) list: FindingList,
}

impl RecordList {
    pub(super) async fn read<P: AdminPorts>(
        &self,
        ports: &P,
        after: Option<&str>,
        format: Format,
    ) -> Result<Chunk, AppError> {
        let (found, next) = syncs::findings(ports, &self.map.id, self.run, self.list, (after, READ_AT_ONCE)).await?;
        let text = found.into_iter().map(|finding| format.line(&SyncRecord::of(&self.map, finding))).collect();
        Ok((text, next))
    }
}

impl Line for SyncRecord {
    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = if self.fields.is_empty() { None } else { serde_json::to_string(&self.fields).ok() };
        let row = self.row.as_ref().and_then(|row| serde_json::to_string(row).ok());
        vec![
            self.from.clone(),
            self.key.clone(),
            self.state.to_owned(),
            text(&self.at),
            text(&self.cause),
            self.class.map(|class| class.as_str().to_owned()).unwrap_or_default(),
            text(&self.code),
            text(&self.message),
            self.what_to_do.unwrap_or_default().to_owned(),
            self.missing.map(|missing| missing.to_string()).unwrap_or_default(),
            fields.unwrap_or_default(),
            row.unwrap_or_default(),
            text(&self.in_step_at),
            text(&self.deleted_at),
        ]
    }
}

pub(super) fn last_line(format: Format, why: &str, next: &str) -> String {
    match format {
        // A record's key may have any character.
        Format::Csv => {
            let says = format!("# cut off: {why}; for the rest, download once more with this `after`");
            csv::line(&[says, next.to_owned()])
        }
        Format::Jsonl => json!({ "cut_off": why, "after": next }).to_string() + "\n",
    }
}
