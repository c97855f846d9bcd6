//! Errors of the log, as lines of a file.

use serde_json::json;

use super::{Chunk, Format, Line};
use crate::{
    admin::{
        AdminPorts,
        logs::{Errors, MAX_PAGE},
        view::ErrorView,
    },
    error::AppError,
};

/// Lines that are read for one chunk of the file. That takes a second at most, so the download notices its deadline in
/// time.
const LOOKED_AT_ONCE: usize = 2_000;

/// The columns, in CSV.
pub(super) const COLUMNS: &str = "id,at,happened_at,map,from,to,key,entry,seq,write,attempt,class,code,message,fate,fingerprint,resolved_at,resolved_by,payload";

/// The log, from the place where it is read.
pub(super) struct ErrorList {
    pub(super) errors: Errors,
}

impl ErrorList {
    pub(super) async fn read<P: AdminPorts>(&mut self, ports: &P, format: Format) -> Result<Chunk, AppError> {
        let page = self.errors.page(ports, MAX_PAGE, LOOKED_AT_ONCE).await?;
        let text = page.lines.into_iter().map(|error| format.line(&ErrorView::from(error))).collect();
        Ok((text, page.next.map(|next| next.to_string())))
    }
}

impl Line for ErrorView {
    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let payload = self.payload.as_ref().and_then(|payload| serde_json::to_string(payload).ok());
        vec![
            self.id.clone(),
            self.at.clone(),
            text(&self.happened_at),
            self.map.clone(),
            text(&self.from),
            self.to.clone(),
            text(&self.key),
            text(&self.entry),
            self.seq.map(|seq| seq.to_string()).unwrap_or_default(),
            text(&self.write),
            self.attempt.to_string(),
            self.class.to_string(),
            text(&self.code),
            self.message.clone(),
            self.fate.to_owned(),
            self.fingerprint.clone(),
            text(&self.resolved_at),
            self.resolved_by.unwrap_or_default().to_owned(),
            payload.unwrap_or_default(),
        ]
    }
}

pub(super) fn last_line(format: Format, why: &str, next: &str) -> String {
    let says = format!("{why}; for the rest, download once more with before={next}");
    match format {
        Format::Csv => format!("# cut off: {says}\r\n"),
        Format::Jsonl => json!({ "cut_off": says, "before": next }).to_string() + "\n",
    }
}
