//! Every limit, with its reason. Units are in the names.

/// Largest request body of one write. A DynamoDB item ends at 400 KB, and an entry carries the record with its bookkeeping.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Levels of lists and objects within a record. Stored JSON wraps a record in some more, and its reader stops at 128.
pub const MAX_NESTING: usize = 64;
/// Writes in one batch request: with 256 KiB each they still fit through a function URL only when most are small (6 MB).
pub const MAX_BATCH_WRITES: usize = 100;
/// Largest body of a batch request: what a Lambda function URL lets through.
pub const MAX_BATCH_BODY_BYTES: usize = 6 * 1024 * 1024;
/// Record key length. DynamoDB's partition key ends at 2,048 bytes; escaping may triple a byte.
pub const MAX_KEY_BYTES: usize = 256;
/// Names of maps and sides appear in URLs, queue names and mail subjects.
pub const MAX_NAME_BYTES: usize = 63;
/// Field mappings of one map: the map item is read on the write path and must stay small.
pub const MAX_FIELDS: usize = 200;
/// Values in one value map.
pub const MAX_VALUES: usize = 500;
/// Final answers that a lane head remembers; older ids are refused by the floor.
pub const RECENT_ANSWERS: usize = 16;
/// Ids that a lane head keeps after it has forgotten their answers, for each of its five kinds: writes of each side and of neither, and
/// echoes of each side. An id takes 19 bytes: 97 KB in all, in an item of 400 KB that may carry a record, too. It is enough for
/// three writes a second: an id is kept for [`MAX_ID_SKEW_MS`].
pub const MAX_FORGOTTEN_IDS: usize = 1_024;
/// The last writes to a side, remembered to know their echoes. When an app's reports lag further behind than this, on one
/// record, its echoes cannot be told from changes, and the record is copied as it is.
pub const REMEMBERED_WRITES: usize = 8;
/// The last errors of a record, remembered in its head until they are resolved. Older ones are found by the index, which
/// may lag by seconds.
pub const REMEMBERED_ERRORS: usize = 4;
/// A write id may not lie further in the future than this: it would raise the floor for everyone else.
pub const MAX_ID_SKEW_MS: u64 = 5 * 60 * 1000;
/// Rows of one page of a list: the most that Finance & Operations gives. Two such pages, with fields of usual size, fit into a function.
pub const MAX_PAGE_ROWS: u32 = 10_000;
/// Where a list goes on: a link of the app, usually. Common servers refuse a longer URL, and it fits into any item and message.
pub const MAX_CURSOR_BYTES: usize = 8 * 1024;
/// Text kept of a row that cannot be used: enough to find it in the app.
pub const MAX_RAW_ROW_BYTES: usize = 2 * 1024;
/// A condition for the rows of a list: it stands in a URL, where some of its characters take three bytes.
pub const MAX_LIST_FILTER_BYTES: usize = 1024;
/// Text kept of an app's own error message.
pub const MAX_MESSAGE_CHARS: usize = 500;
/// Text kept of it in the head, which is paid for with every write of the record.
pub const MAX_RECENT_MESSAGE_CHARS: usize = 200;
/// Margin between the end of a call's deadline and the end of its lease: clocks of two functions may differ.
pub const LEASE_MARGIN_MS: u64 = 5_000;
/// The requests of one write to a side are over within this time: a function that takes writes runs a minute.
pub const MAX_WRITE_MS: u64 = 45_000;
/// First and longest wait between two attempts of a write whose app is not available.
pub const FIRST_BACKOFF_MS: u64 = 2_000;
/// See [`FIRST_BACKOFF_MS`]. Below the two minutes within which an operator expects a repaired app to be caught up.
pub const MAX_BACKOFF_MS: u64 = 60_000;
/// A record that its app fails on is set aside after so many attempts, if the app took others meanwhile: about four minutes.
pub const PARK_AFTER_ATTEMPTS: u32 = 5;
/// The same, if the connection broke each time: usually that is no trouble of the record.
pub const PARK_AFTER_BROKEN_ATTEMPTS: u32 = 8;
/// A record is set aside when a side reports the same content for the third time, each time after a change of the other side.
pub const MAX_BOUNCES: u32 = 2;
/// And each time so soon after the last: users who disagree take longer.
pub const BOUNCES_WITHIN_MS: u64 = 10_000;
/// A row that was read while a write of its record was in flight is read again after this time: most calls are over by then.
pub const LOOK_AGAIN_MS: u64 = 1_000;
/// How long after its commit an app reports a change, usually. A sync run overwrites nothing before it has shown the same for so
/// long, in milliseconds.
pub const REPORTS_WITHIN_MS: u64 = 10_000;
/// Longest `Retry-After` that is obeyed; a broken app must not park a lane for a year.
pub const MAX_RETRY_AFTER_MS: u64 = 15 * 60 * 1000;
/// Default crossing window: a change that reached us later than this after its commit is told by `committed_at`.
pub const DEFAULT_CROSSING_WINDOW_MS: u64 = 2 * 60 * 1000;
/// A final write's marker is kept this long so that `GET /writes/{id}` can tell what became of it.
pub const MARKER_TTL_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// What was archived, and conflicts, can be brought back for so long. (What was skipped to go live waits for ever.)
pub const ARCHIVE_TTL_MS: u64 = 90 * 24 * 60 * 60 * 1000;

const _: () = assert!(FIRST_BACKOFF_MS < MAX_BACKOFF_MS && MAX_KEY_BYTES * 3 < 2_048);
