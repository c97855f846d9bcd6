//! Lists as files, in CSV or JSONL: all of them, however long, with one chunk in memory at a time.

mod csv;
mod errors;
mod records;

use std::{str::FromStr, sync::Arc};

use domain::{LogId, MapId, Timestamp, id::SyncRunId};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;

use self::{errors::ErrorList, records::RecordList};
use super::{
    AdminPorts,
    logs::{ErrorFilter, Errors},
    maps,
};
use crate::{error::AppError, ports::FindingList};

/// Time before the function's deadline at which a file ends, in milliseconds. It is enough for one chunk and the last line.
const RESERVE_MS: u64 = 5_000;

/// The format of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, safe to be opened with a spreadsheet.
    #[default]
    Csv,
    /// One JSON object in each line.
    Jsonl,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err("must be csv or jsonl".to_owned()),
        }
    }
}

impl Format {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
        }
    }

    fn line<L: Line>(self, line: &L) -> String {
        match self {
            Self::Csv => csv::line(&line.cells()),
            Self::Jsonl => serde_json::to_string(line).unwrap_or_default() + "\n",
        }
    }
}

/// What one line of a file shows.
trait Line: Serialize {
    /// The cells of a line in CSV, in the order of the list's columns.
    fn cells(&self) -> Vec<String>;
}

/// A list that a file can have.
enum List {
    Errors(Box<ErrorList>),
    Records(Box<RecordList>),
}

/// Text of a file, and the place behind which the list goes on.
type Chunk = (String, Option<String>);

/// A file that is being written.
pub struct Export<P> {
    ports: Arc<P>,
    list: List,
    format: Format,
    /// When it must end, whether or not it is complete.
    until: Option<Timestamp>,
    first: Chunk,
}

impl<P: AdminPorts> Export<P> {
    /// All errors that match a filter, newest first. The first chunk is read, so that an invalid request is refused before
    /// the file begins. `deadline`: when the function ends.
    ///
    /// # Errors
    /// Too many maps are named, or the log cannot be read.
    pub async fn errors(
        ports: Arc<P>,
        (filter, before): (ErrorFilter, Option<LogId>),
        format: Format,
        deadline: Option<Timestamp>,
    ) -> Result<Self, AppError> {
        let errors = Errors::open(&*ports, filter, before).await?;
        Self::begin(ports, List::Errors(Box::new(ErrorList { errors })), None, format, deadline).await
    }

    /// All records of a list of a sync run, those behind the place `after`. `deadline`: when the function ends.
    ///
    /// # Errors
    /// There is no such map or run, or the store does not answer.
    pub async fn records(
        ports: Arc<P>,
        (map, run): (&MapId, SyncRunId),
        (list, after): (FindingList, Option<&str>),
        format: Format,
        deadline: Option<Timestamp>,
    ) -> Result<Self, AppError> {
        let map = maps::get(&*ports, map).await?;
        Self::begin(ports, List::Records(Box::new(RecordList { map, run, list })), after, format, deadline).await
    }

    async fn begin(
        ports: Arc<P>,
        list: List,
        after: Option<&str>,
        format: Format,
        deadline: Option<Timestamp>,
    ) -> Result<Self, AppError> {
        let until = deadline.map(|at| Timestamp(at.0.saturating_sub(RESERVE_MS)));
        let mut export = Self { ports, list, format, until, first: Chunk::default() };
        export.first = export.read(after).await?;
        Ok(export)
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The name of the file.
    pub fn file_name(&self) -> &'static str {
        match (&self.list, self.format) {
            (List::Errors(_), Format::Csv) => "errors.csv",
            (List::Errors(_), Format::Jsonl) => "errors.jsonl",
            (List::Records(_), Format::Csv) => "sync-records.csv",
            (List::Records(_), Format::Jsonl) => "sync-records.jsonl",
        }
    }

    /// The text of the file. If it cannot be completed, its last line says why, and where the rest begins.
    pub fn into_text(mut self) -> impl Stream<Item = String> + Send {
        let columns = match &self.list {
            List::Errors(_) => errors::COLUMNS,
            List::Records(_) => records::COLUMNS,
        };
        let began = stream::iter((self.format == Format::Csv).then(|| csv::header(columns)));
        let first = std::mem::take(&mut self.first);
        let chunks = stream::unfold(Some((first, self)), |state| async move {
            let (chunk, export) = state?;
            Some(export.write(chunk).await)
        });
        began.chain(chunks)
    }

    /// Returns the text of a chunk, and the chunk after it if there is one.
    async fn write(mut self, (text, next): Chunk) -> (String, Option<(Chunk, Self)>) {
        let Some(next) = next else { return (text, None) };
        if self.until.is_some_and(|until| self.ports.now() >= until) {
            tracing::warn!(
                "could not finish a download before the function's deadline; its last line says where to go on"
            );
            return (text + &self.last_line("the download ran out of time", &next), None);
        }
        match self.read(Some(&next)).await {
            Ok(chunk) => (text, Some((chunk, self))),
            Err(error) => {
                tracing::error!(%error, "could not read the list of a download; the last line of the file says where to go on");
                (text + &self.last_line(self.could_not_read(), &next), None)
            }
        }
    }

    async fn read(&mut self, after: Option<&str>) -> Result<Chunk, AppError> {
        match &mut self.list {
            List::Errors(list) => list.read(&*self.ports, self.format).await,
            List::Records(list) => list.read(&*self.ports, after, self.format).await,
        }
    }

    fn could_not_read(&self) -> &'static str {
        match &self.list {
            List::Errors(_) => "Tandem could not read the log",
            List::Records(_) => "Tandem could not read the records",
        }
    }

    /// Builds the last line of an incomplete file. It names the place where the rest begins.
    fn last_line(&self, why: &str, next: &str) -> String {
        match &self.list {
            List::Errors(_) => errors::last_line(self.format, why, next),
            List::Records(_) => records::last_line(self.format, why, next),
        }
    }
}
