pub(crate) mod bouncing;
pub(crate) mod copied_rows;
pub(crate) mod copies;
pub(crate) mod deletions;
pub(crate) mod late_commits;
pub(crate) mod merged_rows;
pub(crate) mod missing_records;
pub(crate) mod silent_apps;
