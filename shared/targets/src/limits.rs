//! Every limit of the connectors, with its reason. Units are in the names.

use std::time::Duration;

/// Largest answer that is read for one record: four times the largest write, for an app may store more than we map.
pub(crate) const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Largest error body that is read: only its first sentence reaches an operator.
pub(crate) const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Largest page of records that is read: 5,000 records of 3 KB. A function compares a page of each side, and a page takes up to
/// five times its size while its rows are read one after the other: 160 MB of the 512 MB that a function has.
pub(crate) const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;
/// Largest `$metadata` that is read: Dataverse's has 10 MB with many tables. Finance & Operations has more, and is not read.
pub(crate) const MAX_METADATA_BYTES: usize = 16 * 1024 * 1024;
/// Most types that an entity type may inherit from, one from the other.
pub(crate) const MAX_BASE_TYPES: usize = 16;
/// Most conditional writes of one record before it counts as one that keeps changing: the first and two more.
pub(crate) const MAX_CONDITIONAL_WRITES: u32 = 3;
/// Age at which we read a secret anew: the longest a rotation goes unnoticed if the old secret still works.
pub(crate) const SECRET_LIFE: Duration = Duration::from_secs(300);
/// We stop using a token this long before it expires: clocks differ, and the call itself takes time.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Lifetime of a token whose issuer sends none (RFC 6749 only recommends `expires_in`).
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(300);
/// Longest life of a token that is believed. None lives longer, and a larger number would not fit into a clock.
pub(crate) const MAX_TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Credentials that were renewed because the app refused them are not renewed again for this long. Without it, every
/// write to an app that refuses us would read the secret anew, and SSM allows 40 reads a second for a whole account.
pub(crate) const RENEWAL_PAUSE: Duration = Duration::from_secs(10);
/// An idle connection is closed by us after this long: before Node and Apache (5 s) do it, which would make the next
/// write on it an unknown outcome.
pub(crate) const IDLE_CONNECTION: Duration = Duration::from_secs(4);
/// HTTP clients kept: one for each connect timeout in use.
pub(crate) const MAX_CLIENTS: usize = 16;
/// Shortest secret that we redact from messages; replacing shorter ones would only garble them.
pub(crate) const MIN_BLOTTED_BYTES: usize = 4;
