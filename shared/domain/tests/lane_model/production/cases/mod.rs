pub(crate) mod bouncing;
pub(crate) mod deletions;
pub(crate) mod late_commits;
pub(crate) mod silent_apps;
