//! Every limit of the connectors, with its reason. Units are in the names.

use std::time::Duration;

/// Largest answer for one record: four times the largest write (256 KiB), because an app may store more fields than a
/// map has.
pub(crate) const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Largest error body. Operators see only its first sentences.
pub(crate) const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Largest page of records: 5,000 records of 3 KB. A function compares one page of each side, and a page takes up to
/// five times its size while its rows are read one after the other. That makes 160 MB of the 512 MB that the function
/// has.
pub(crate) const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;
/// Largest `$metadata`. That of Dataverse has 10 MB with many tables. That of Finance & Operations is larger, and
/// Tandem does not read it.
pub(crate) const MAX_METADATA_BYTES: usize = 16 * 1024 * 1024;
/// Longest chain of base types that an entity type may inherit from.
pub(crate) const MAX_BASE_TYPES: usize = 16;
/// Most conditional writes of one record in one call: the first and two more. Then the record counts as one that keeps
/// changing.
pub(crate) const MAX_CONDITIONAL_WRITES: u32 = 3;
/// Age at which Tandem reads a secret anew. It is the longest time for which a rotation goes unnoticed if the old
/// secret still works.
pub(crate) const SECRET_LIFE: Duration = Duration::from_secs(300);
/// Tandem stops using a token this long before it expires, because clocks differ and the call itself takes time.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Lifetime of a token without `expires_in`, which RFC 6749 only recommends.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(300);
/// Longest lifetime of a token, whatever its issuer says. Real tokens live no longer, and a huge number would overflow
/// a clock.
pub(crate) const MAX_TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Shortest time between two renewals of credentials that an app refuses. Without it, every write to an app that
/// refuses us would read the secret anew, and SSM allows 40 reads a second for a whole account.
pub(crate) const RENEWAL_PAUSE: Duration = Duration::from_secs(10);
/// Time after which Tandem closes an idle connection. Node and Apache do so after 5 s; if they were first, the next
/// write on the connection could have an unknown outcome.
pub(crate) const IDLE_CONNECTION: Duration = Duration::from_secs(4);
/// Most HTTP clients that are kept: one for each connect timeout in use.
pub(crate) const MAX_CLIENTS: usize = 16;
/// Shortest secret that Tandem redacts from messages, in bytes. Redacting shorter ones would only garble the messages.
pub(crate) const MIN_BLOTTED_BYTES: usize = 4;
