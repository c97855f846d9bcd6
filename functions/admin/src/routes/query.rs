//! Query parameters, each with its description.

pub(super) const LIMIT: &[(&str, &str)] = &[("limit", "The maximum number of lanes, 1 to 500. Default: 100.")];
const PAGE_LIMIT: (&str, &str) = ("limit", "The maximum number of items, 1 to 200. Default: 100.");
pub(super) const QUEUE: &[(&str, &str)] =
    &[("key", "Only entries of this record."), ("after", "The `next` of the previous page."), PAGE_LIMIT];
pub(super) const ENTRY: &[(&str, &str)] = &[("key", "The record."), ("seq", "The entry's place in the record's lane.")];
pub(super) const ERRORS: &[(&str, &str)] = &[
    ("class", "Only errors of this class."),
    ("to", "Only errors met when writing to this app."),
    ("key_prefix", "Only records whose key begins with this text."),
    ("acknowledged", "`true`: only acknowledged entries; `false`: only the others."),
    ("assigned_to", "Only entries that are assigned to this person."),
    ("after", "The `next` of the previous page."),
    PAGE_LIMIT,
];
pub(super) const ARCHIVE: &[(&str, &str)] = &[
    ("cause", "Only entries that were archived for this cause; `skipped_to_live` are those of a resume that did so."),
    ("key", "Only entries of this record. Up to 2,000 are looked through at once: an empty page may have a `next`."),
    ("before", "The `next` of the previous page."),
    PAGE_LIMIT,
];
pub(super) const CONFLICTS: &[(&str, &str)] = &[
    ("key", "Only those of this record. Up to 2,000 are looked through at once: an empty page may have a `next`."),
    ("reversed", "`true`: only those whose lost value was brought back; `false`: only the others."),
    ("before", "The `next` of the previous page."),
    PAGE_LIMIT,
];
pub(super) const WAIT: &[(&str, &str)] =
    &[("wait", "How long to wait until no write is in flight, in seconds, 0 to 20.")];

const MAPS: (&str, &str) = ("map", "Only these maps, separated by commas. Default: all.");
const FROM: (&str, &str) = ("from", "At this time or later, RFC 3339.");
const BEFORE: (&str, &str) = ("before", "The `next` of the previous page.");
const LOG_LIMIT: (&str, &str) = ("limit", "The maximum number of lines, 1 to 1,000. Default: 100.");
pub(super) const ACTIVITY: &[(&str, &str)] = &[MAPS, FROM, BEFORE, LOG_LIMIT];
const CLASS: (&str, &str) = ("class", "Only errors of this class.");
const TO: (&str, &str) = ("to", "Only errors met when writing to this app.");
const KEY: (&str, &str) = ("key", "Only errors of this record.");
const SAYS: (&str, &str) = ("fingerprint", "Only errors with this fingerprint.");
const RESOLVED: (&str, &str) = ("resolved", "`true`: only those that are resolved; `false`: only the others.");
const UNTIL: (&str, &str) = ("until", "Before this time, RFC 3339.");
pub(super) const LOG: &[(&str, &str)] = &[MAPS, CLASS, TO, KEY, SAYS, RESOLVED, FROM, UNTIL, BEFORE, LOG_LIMIT];
const BY: (&str, &str) = (
    "by",
    "`map`, `target`, `class`, `message` or `record`. Default: `message`. `leg` is a deprecated name of `target`.",
);
pub(super) const GROUPS: &[(&str, &str)] = &[BY, MAPS, CLASS, TO, KEY, SAYS, RESOLVED, FROM, UNTIL];
pub(super) const RESOLVE: &[(&str, &str)] = &[MAPS, CLASS, TO, KEY, SAYS, RESOLVED, FROM, UNTIL];
const FORMAT: (&str, &str) = ("format", "`csv` or `jsonl`. Default: `csv`.");
const REST: (&str, &str) = ("before", "Where a file was cut off: its last line names it.");
pub(super) const DOWNLOAD: &[(&str, &str)] = &[FORMAT, MAPS, CLASS, TO, KEY, SAYS, RESOLVED, FROM, UNTIL, REST];
pub(super) const FAILED: &[(&str, &str)] = &[BEFORE, PAGE_LIMIT];
pub(super) const EXPLAIN: &[(&str, &str)] = &[("map", "The map.")];
pub(super) const INCIDENTS: &[(&str, &str)] = &[BEFORE, PAGE_LIMIT];

pub(super) const GIVE_UP: &[(&str, &str)] = &[(
    "give_up_archive",
    "`true`: changes that were skipped to go live and wait in the archive do not block the request. Default: `false`.",
)];
pub(super) const PRUNE: &[(&str, &str)] =
    &[("prune", "`true`: deletes sides and maps that are not in the document. Default: `false`.")];

pub(super) const SYNCS: &[(&str, &str)] = &[BEFORE, PAGE_LIMIT];
pub(super) const SYNC_WAIT: &[(&str, &str)] =
    &[("wait", "Waits until the run is over or paused, for up to this many seconds (0 to 20, default 0).")];
const LIST: (&str, &str) = ("list", "`failed` (default), `differs`, `changing`, `deletions` or `not_reached`.");
const CAUSE: (&str, &str) = ("cause", "Only records that failed for this cause.");
pub(super) const SYNC_DOWNLOAD: &[(&str, &str)] =
    &[LIST, CAUSE, FORMAT, ("after", "Where a file was cut off: its last line names it.")];
pub(super) const SYNC_RECORDS: &[(&str, &str)] =
    &[LIST, CAUSE, ("after", "The `next` of the previous page."), PAGE_LIMIT];
