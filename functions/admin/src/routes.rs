//! Every address of the API: who may call it, what it takes, what it answers.
//!
//! **Invariant: what is not in this table is not served.** The guard looks each request up here before any handler
//! runs, and the `OpenAPI` document is made of it, so neither can know a route that the other does not.

mod query;

use app::ports::Role;
use axum::http::Method;

use self::query::{
    ACTIVITY, ARCHIVE, CONFLICTS, DOWNLOAD, ENTRY, ERRORS, EXPLAIN, FAILED, GIVE_UP, GROUPS, INCIDENTS, LIMIT, LOG,
    PRUNE, QUEUE, RESOLVE, WAIT,
};

/// One address with one method.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The least role that may call it; `None`: everybody, without a token.
    pub(crate) role: Option<Role>,
    pub(crate) summary: &'static str,
    /// The schema of the body, if it takes one.
    pub(crate) body: Option<&'static str>,
    /// Statuses of success, each with the schema of the answer (empty: no body).
    pub(crate) answers: &'static [(u16, &'static str)],
    /// Query parameters, each with a description.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// Takes `If-Match` and `If-None-Match`.
    pub(crate) conditional: bool,
}

const fn route(
    method: Method,
    path: &'static str,
    role: Option<Role>,
    answers: &'static [(u16, &'static str)],
    summary: &'static str,
) -> Route {
    Route { method, path, role, summary, body: None, answers, query: &[], conditional: false }
}

impl Route {
    const fn body(mut self, schema: &'static str) -> Self {
        self.body = Some(schema);
        self
    }

    const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    const fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const OPERATOR: Option<Role> = Some(Role::Operator);
const ADMIN: Option<Role> = Some(Role::Admin);

/// All of them.
pub(crate) static ROUTES: [Route; 62] = [
    route(Method::GET, "/healthz", None, &[(200, "Health")], "Reports that the function runs."),
    route(Method::GET, "/openapi.json", None, &[(200, "")], "This document."),
    route(Method::GET, "/sides", VIEWER, &[(200, "Sides")], "All sides: the apps, and how they are reached."),
    route(Method::GET, "/sides/{side}", VIEWER, &[(200, "Side")], "One side."),
    route(Method::PUT, "/sides/{side}", ADMIN, &[(200, "Side"), (201, "Side")], "Creates a side or changes it.")
        .body("SideConfig")
        .conditional(),
    route(Method::DELETE, "/sides/{side}", ADMIN, &[(204, "")], "Deletes a side that no map uses.").conditional(),
    route(Method::POST, "/sides/{side}/test", OPERATOR, &[(200, "Tested")], "Tries to reach the app; writes nothing.")
        .body("TestRequest"),
    route(Method::GET, "/maps", VIEWER, &[(200, "Maps")], "All maps: which records are kept in step, and how."),
    route(
        Method::GET,
        "/maps/{map}",
        VIEWER,
        &[(200, "Map")],
        "One map with its state, and who brought it there, and why.",
    ),
    route(
        Method::PUT,
        "/maps/{map}",
        ADMIN,
        &[(200, "Map"), (201, "Map")],
        "Creates a map or changes it; its state stays.",
    )
    .body("MapConfig")
    .query(GIVE_UP)
    .conditional(),
    route(
        Method::DELETE,
        "/maps/{map}",
        ADMIN,
        &[(204, "")],
        "Deletes a map that is stopped and has nothing left to write or to bring back.",
    )
    .query(GIVE_UP)
    .conditional(),
    route(Method::POST, "/maps/{map}/run", OPERATOR, &[(200, "Map")], "Starts synchronization: Tandem writes changes from now on.").body("Reason"),
    route(Method::POST, "/maps/{map}/stop", OPERATOR, &[(200, "Map")], "Skips changes from now on, and counts them.")
        .body("Reason"),
    route(
        Method::POST,
        "/maps/{map}/pause",
        OPERATOR,
        &[(200, "Paused"), (202, "Paused")],
        "Pauses a map: Tandem queues changes and writes none. 202: a write is still in flight.",
    )
    .body("Reason")
    .query(WAIT),
    route(
        Method::POST,
        "/maps/{map}/resume",
        OPERATOR,
        &[(200, "Map")],
        "Resumes a map and decides what happens to the changes that wait; also during a catch-up. Skipped and discarded \
         changes are in `/maps/{map}/archive`.",
    )
    .body("Resume"),
    route(
        Method::POST,
        "/commands/{command}",
        OPERATOR,
        &[(200, "MapResults")],
        "`run`, `pause`, `resume` or `stop` several maps; the answer is for each.",
    )
    .body("ManyMaps"),
    route(Method::GET, "/queues", VIEWER, &[(200, "Queues")], "How much waits in maps that are paused or catch up."),
    route(
        Method::GET,
        "/maps/{map}/queue",
        VIEWER,
        &[(200, "BacklogView")],
        "How much waits, since when, how fast it grows, and how far the catch-up is.",
    ),
    route(
        Method::GET,
        "/maps/{map}/queue/entries",
        VIEWER,
        &[(200, "Entries")],
        "Changes that wait, record by record, each in its order; those of records that wait for an operator last.",
    )
    .query(QUEUE),
    route(
        Method::GET,
        "/maps/{map}/queue/entry",
        VIEWER,
        &[(200, "EntryDetail")],
        "One change that waits, is being written, or is parked, with its record.",
    )
    .query(ENTRY),
    route(
        Method::POST,
        "/maps/{map}/entries",
        OPERATOR,
        &[(200, "CommandResults")],
        "Retries, edits, holds, cancels, skips, reverts, supersedes, acknowledges, assigns or notes entries.",
    )
    .body("EntryCommand"),
    route(
        Method::GET,
        "/maps/{map}/errors",
        VIEWER,
        &[(200, "Entries")],
        "Catch-up errors: changes that wait for an operator, the oldest first.",
    )
    .query(ERRORS),
    route(
        Method::POST,
        "/maps/{map}/errors/preview",
        VIEWER,
        &[(200, "RetryPreview")],
        "What trying an entry again would send; sends nothing.",
    )
    .body("EntryRef"),
    route(
        Method::POST,
        "/maps/{map}/errors/retry-all",
        OPERATOR,
        &[(200, "CommandResults")],
        "Tries up to 200 catch-up errors again, or says what that would send. `hold-all` calls it off.",
    )
    .body("RetryAll"),
    route(
        Method::POST,
        "/maps/{map}/errors/hold-all",
        OPERATOR,
        &[(200, "CommandResults")],
        "Holds up to 200 entries that were to be tried again and are not being written.",
    )
    .body("RetryAll"),
    route(
        Method::GET,
        "/maps/{map}/archive",
        VIEWER,
        &[(200, "Archive")],
        "Changes that were not written because somebody decided so, newest first.",
    )
    .query(ARCHIVE),
    route(
        Method::POST,
        "/maps/{map}/archive/recover-all",
        OPERATOR,
        &[(200, "RecoveredAll")],
        "Brings up to 200 of those back that were archived for a cause, the oldest first: undoes a `discard` or \
         `skip_to_live`.",
    )
    .body("RecoverAll"),
    route(Method::GET, "/maps/{map}/archive/{id}", VIEWER, &[(200, "ArchivedView")], "Returns one item of the list."),
    route(
        Method::POST,
        "/maps/{map}/archive/{id}/recover",
        OPERATOR,
        &[(200, "ArchivedView")],
        "Brings it back: the record is copied as its app has it now. One that neither app has is written as it is, if no \
         later change of the record was accepted.",
    )
    .body("Recover"),
    route(
        Method::GET,
        "/maps/{map}/conflicts",
        VIEWER,
        &[(200, "Conflicts")],
        "Changes that both apps made at the same time, with both values, newest first.",
    )
    .query(CONFLICTS),
    route(Method::GET, "/maps/{map}/conflicts/{id}", VIEWER, &[(200, "ConflictView")], "Returns one item of the list."),
    route(
        Method::POST,
        "/maps/{map}/conflicts/{id}/reverse",
        OPERATOR,
        &[(200, "ConflictView")],
        "Writes the value that lost to both apps.",
    )
    .body("Reason"),
    route(
        Method::GET,
        "/maps/{map}/open",
        VIEWER,
        &[(200, "OpenLanes")],
        "Records with changes that are not written yet.",
    )
    .query(LIMIT),
    route(
        Method::POST,
        "/maps/{map}/preview",
        VIEWER,
        &[(200, "Previewed")],
        "What a record becomes on the other side; writes nothing.",
    )
    .body("PreviewRequest"),
    route(Method::GET, "/config", VIEWER, &[(200, "Document")], "All sides and maps as one document."),
    route(Method::POST, "/config/plan", VIEWER, &[(200, "Plan")], "What applying a document would do; writes nothing.")
        .body("Document")
        .query(PRUNE),
    route(Method::POST, "/config/apply", ADMIN, &[(200, "Plan")], "Makes sides and maps as a document says.")
        .body("Document")
        .query(PRUNE),
    route(
        Method::GET,
        "/log/activity",
        VIEWER,
        &[(200, "Activities")],
        "Lists changes of maps with who made them and why, newest first; also changes that concern all maps.",
    )
    .query(ACTIVITY),
    route(Method::GET, "/log/errors", VIEWER, &[(200, "LoggedErrors")], "Every error that writes met, newest first.")
        .query(LOG),
    route(
        Method::GET,
        "/log/errors/groups",
        VIEWER,
        &[(200, "ErrorGroups")],
        "Counts errors by map, target, class, message or record. The value of a group is a filter for the next request.",
    )
    .query(GROUPS),
    route(
        Method::GET,
        "/log/errors/download",
        VIEWER,
        &[(200, "Download")],
        "All errors that match, as a CSV or JSONL file. One that does not have all ends with a line that says `cut off`.",
    )
    .query(DOWNLOAD),
    route(
        Method::POST,
        "/log/errors/resolve",
        OPERATOR,
        &[(200, "ErrorsResolved")],
        "Marks the unresolved errors that match as no concern any more, at most 1,000; the map must be named.",
    )
    .body("Reason")
    .query(RESOLVE),
    route(
        Method::GET,
        "/log/failed",
        VIEWER,
        &[(200, "FailedEvents")],
        "Events that could not be logged, with what is wrong with them, newest first.",
    )
    .query(FAILED),
    route(
        Method::POST,
        "/log/failed/{event}/dismiss",
        OPERATOR,
        &[(204, "")],
        "Removes an event from the list once somebody has dealt with it.",
    )
    .body("Reason"),
    route(Method::GET, "/rules", VIEWER, &[(200, "Rules")], "All alert settings."),
    route(Method::GET, "/rules/{rule}", VIEWER, &[(200, "Rule")], "One alert setting."),
    route(
        Method::PUT,
        "/rules/{rule}",
        OPERATOR,
        &[(200, "Rule"), (201, "Rule")],
        "Creates an alert setting or changes it. It holds from the next error on.",
    )
    .body("RuleConfig")
    .conditional(),
    route(Method::DELETE, "/rules/{rule}", OPERATOR, &[(204, "")], "Deletes an alert setting.").conditional(),
    route(
        Method::POST,
        "/rules/{rule}/test",
        OPERATOR,
        &[(200, "RuleTested")],
        "Sends a test mail to every recipient of the rule.",
    ),
    route(
        Method::GET,
        "/rules/{rule}/explain",
        VIEWER,
        &[(200, "Explained")],
        "Why the rule did, or did not, open an incident on a map.",
    )
    .query(EXPLAIN),
    route(
        Method::POST,
        "/dry-run",
        VIEWER,
        &[(200, "DryRunResult")],
        "Which breaches a rule would have made in the stored log; opens none.",
    )
    .body("DryRun"),
    route(Method::GET, "/groups", VIEWER, &[(200, "Groups")], "All groups of recipients."),
    route(
        Method::PUT,
        "/groups/{group}",
        OPERATOR,
        &[(200, "Group"), (201, "Group")],
        "Creates a group of recipients or changes it. The next mail goes to its members of then.",
    )
    .body("Members")
    .conditional(),
    route(Method::DELETE, "/groups/{group}", OPERATOR, &[(204, "")], "Deletes a group that no rule names.")
        .conditional(),
    route(Method::GET, "/incidents", VIEWER, &[(200, "Incidents")], "Incidents, newest first.").query(INCIDENTS),
    route(
        Method::GET,
        "/incidents/{incident}",
        VIEWER,
        &[(200, "Incident")],
        "One incident: what was counted, what was done, who was told.",
    ),
    route(
        Method::POST,
        "/incidents/{incident}/acknowledge",
        OPERATOR,
        &[(200, "Incident")],
        "Acknowledges an incident: Tandem sends no more reminders.",
    )
    .body("Reason"),
    route(
        Method::GET,
        "/mail/flagged",
        VIEWER,
        &[(200, "FlaggedAddresses")],
        "Addresses from which mail came back: none is sent there.",
    ),
    route(Method::DELETE, "/mail/flagged/{address}", OPERATOR, &[(204, "")], "Sends mail to an address again."),
    route(Method::GET, "/tokens", ADMIN, &[(200, "Tokens")], "All tokens but the first admin's."),
    route(Method::POST, "/tokens", ADMIN, &[(201, "NewToken")], "Creates a token. Only this response contains its secret.")
        .body("TokenRequest"),
    route(Method::DELETE, "/tokens/{token}", ADMIN, &[(204, "")], "Revokes a token at once."),
];

/// The route of a request. `Err`: the methods that its path knows, none if there is no such path.
pub(crate) fn find(method: &Method, path: Option<&str>) -> Result<&'static Route, Vec<&'static str>> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let here = || ROUTES.iter().filter(|route| Some(route.path) == path);
    here().find(|route| route.method == *method).ok_or_else(|| here().map(|route| route.method.as_str()).collect())
}
