//! Every address of the API: who may call it, what it takes, what it answers.
//!
//! **Invariant: this table lists every served route.** The guard looks each request up here before any handler
//! runs, and the `OpenAPI` document is made of it, so neither can know a route that the other does not. It is longer than 400
//! lines because it is one table.

mod query;

use app::ports::Role;
use axum::http::Method;

use self::query::{
    ACTIVITY, ARCHIVE, CONFLICTS, DOWNLOAD, ENTRY, ERRORS, EXPLAIN, FAILED, GIVE_UP, GROUPS, INCIDENTS, LIMIT, LOG,
    PRUNE, QUEUE, RESOLVE, SYNC_DOWNLOAD, SYNC_RECORDS, SYNC_WAIT, SYNCS, WAIT,
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
pub(crate) static ROUTES: [Route; 71] = [
    route(Method::GET, "/healthz", None, &[(200, "Health")], "Reports that the function runs."),
    route(Method::GET, "/openapi.json", None, &[(200, "")], "This document."),
    route(Method::GET, "/sides", VIEWER, &[(200, "Sides")], "Lists sides: the apps, and how Tandem reaches them."),
    route(Method::GET, "/sides/{side}", VIEWER, &[(200, "Side")], "Returns one side."),
    route(Method::PUT, "/sides/{side}", ADMIN, &[(200, "Side"), (201, "Side")], "Creates or changes a side.")
        .body("SideConfig")
        .conditional(),
    route(Method::DELETE, "/sides/{side}", ADMIN, &[(204, "")], "Deletes a side that no map uses.").conditional(),
    route(Method::POST, "/sides/{side}/test", OPERATOR, &[(200, "Tested")], "Tries to connect to the app, asks it harmless questions, and returns what the answers mean for the settings. Writes nothing.")
        .body("TestRequest"),
    route(Method::GET, "/maps", VIEWER, &[(200, "Maps")], "Lists maps: which records Tandem keeps in step, and how."),
    route(
        Method::GET,
        "/maps/{map}",
        VIEWER,
        &[(200, "Map")],
        "Returns one map with its state, who changed the state last, and why.",
    ),
    route(
        Method::PUT,
        "/maps/{map}",
        ADMIN,
        &[(200, "Map"), (201, "Map")],
        "Creates or changes a map. Its state does not change.",
    )
    .body("MapConfig")
    .query(GIVE_UP)
    .conditional(),
    route(
        Method::DELETE,
        "/maps/{map}",
        ADMIN,
        &[(204, "")],
        "Deletes a stopped map that has no unwritten changes and nothing in its archive that can still be recovered.",
    )
    .query(GIVE_UP)
    .conditional(),
    route(Method::POST, "/maps/{map}/run", OPERATOR, &[(200, "Map")], "Starts synchronization: Tandem writes changes from now on.").body("Reason"),
    route(Method::POST, "/maps/{map}/stop", OPERATOR, &[(200, "Map")], "Stops synchronization: Tandem skips and counts changes from now on.")
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
        "Resumes a map and decides what happens to its backlog. Also works during a catch-up. Skipped and discarded \
         changes are in `/maps/{map}/archive`.",
    )
    .body("Resume"),
    route(
        Method::POST,
        "/commands/{command}",
        OPERATOR,
        &[(200, "MapResults")],
        "Runs, pauses, resumes or stops several maps: `run`, `pause`, `resume`, `stop`. The response has one result per map.",
    )
    .body("ManyMaps"),
    route(Method::GET, "/queues", VIEWER, &[(200, "Queues")], "Returns the backlog of each map that is paused or catching up."),
    route(
        Method::GET,
        "/maps/{map}/queue",
        VIEWER,
        &[(200, "BacklogView")],
        "Returns the size, age and growth of the backlog, and the progress of the catch-up.",
    ),
    route(
        Method::GET,
        "/maps/{map}/queue/entries",
        VIEWER,
        &[(200, "Entries")],
        "Lists queued changes by record, in order. Records that wait for an operator come last.",
    )
    .query(QUEUE),
    route(
        Method::GET,
        "/maps/{map}/queue/entry",
        VIEWER,
        &[(200, "EntryDetail")],
        "Returns one change that is queued, in flight or parked, with its record.",
    )
    .query(ENTRY),
    route(
        Method::POST,
        "/maps/{map}/entries",
        OPERATOR,
        &[(200, "CommandResults")],
        "Applies a command to entries: retry, edit, hold, cancel, skip, revert, supersede, acknowledge, assign or note.",
    )
    .body("EntryCommand"),
    route(
        Method::GET,
        "/maps/{map}/errors",
        VIEWER,
        &[(200, "Entries")],
        "Lists catch-up errors: changes that wait for an operator, oldest first.",
    )
    .query(ERRORS),
    route(
        Method::POST,
        "/maps/{map}/errors/preview",
        VIEWER,
        &[(200, "RetryPreview")],
        "Returns what a retry of an entry would send. Sends nothing.",
    )
    .body("EntryRef"),
    route(
        Method::POST,
        "/maps/{map}/errors/retry-all",
        OPERATOR,
        &[(200, "CommandResults")],
        "Retries up to 200 catch-up errors, or returns what that would send. `hold-all` cancels the retries.",
    )
    .body("RetryAll"),
    route(
        Method::POST,
        "/maps/{map}/errors/hold-all",
        OPERATOR,
        &[(200, "CommandResults")],
        "Holds up to 200 entries that are due for a retry and not in flight.",
    )
    .body("RetryAll"),
    route(
        Method::GET,
        "/maps/{map}/archive",
        VIEWER,
        &[(200, "Archive")],
        "Lists changes that were not written because somebody decided so, newest first.",
    )
    .query(ARCHIVE),
    route(
        Method::POST,
        "/maps/{map}/archive/recover-all",
        OPERATOR,
        &[(200, "RecoveredAll")],
        "Recovers up to 200 changes that were archived for one cause, oldest first. This undoes a `discard` or \
         `skip_to_live`.",
    )
    .body("RecoverAll"),
    route(Method::GET, "/maps/{map}/archive/{id}", VIEWER, &[(200, "ArchivedView")], "Returns one archived change."),
    route(
        Method::POST,
        "/maps/{map}/archive/{id}/recover",
        OPERATOR,
        &[(200, "ArchivedView")],
        "Recovers an archived change: Tandem copies the record as the originating app has it now. If neither app has the \
         change, Tandem writes the archived record, unless a later change of the record was accepted.",
    )
    .body("Recover"),
    route(
        Method::GET,
        "/maps/{map}/conflicts",
        VIEWER,
        &[(200, "Conflicts")],
        "Lists conflicts: changes that both apps made at the same time, with both values, newest first.",
    )
    .query(CONFLICTS),
    route(Method::GET, "/maps/{map}/conflicts/{id}", VIEWER, &[(200, "ConflictView")], "Returns one conflict."),
    route(
        Method::POST,
        "/maps/{map}/conflicts/{id}/reverse",
        OPERATOR,
        &[(200, "ConflictView")],
        "Reverses a conflict: Tandem writes the losing value to both apps.",
    )
    .body("Reason"),
    route(
        Method::GET,
        "/maps/{map}/open",
        VIEWER,
        &[(200, "OpenLanes")],
        "Lists records that have unwritten changes.",
    )
    .query(LIMIT),
    route(
        Method::POST,
        "/maps/{map}/preview",
        VIEWER,
        &[(200, "Previewed")],
        "Returns what a record becomes on the other side. Writes nothing.",
    )
    .body("PreviewRequest"),
    route(Method::GET, "/maps/{map}/syncs", VIEWER, &[(200, "SyncRuns")], "Lists the sync runs of a map, newest first.")
        .query(SYNCS),
    route(
        Method::POST,
        "/maps/{map}/syncs",
        OPERATOR,
        &[(201, "SyncRunView")],
        "Starts a dry run, an initial sync or a reconcile; or a rerun of records of an earlier run.",
    )
    .body("StartSyncRun"),
    route(
        Method::POST,
        "/syncs",
        OPERATOR,
        &[(201, "SyncRuns")],
        "Starts sync runs of several maps. Initial syncs wait for those of the maps to which their lookups refer.",
    )
    .body("StartSyncRuns"),
    route(
        Method::POST,
        "/maps/{map}/syncs/check",
        OPERATOR,
        &[(200, "SyncCheck")],
        "Returns all that stands against a sync run at once, with what to do. Asks both apps harmless questions; writes nothing.",
    )
    .body("StartSyncRun"),
    route(
        Method::GET,
        "/maps/{map}/syncs/{run}",
        VIEWER,
        &[(200, "SyncRunView")],
        "Returns one sync run: whether both apps are equal, its counts, why records failed, and why it does not move.",
    )
    .query(SYNC_WAIT),
    route(
        Method::GET,
        "/maps/{map}/syncs/{run}/records",
        VIEWER,
        &[(200, "SyncRecords")],
        "Lists records of a sync run: those that failed, that differ, that kept changing, whose deletion is proposed, or that were not reached.",
    )
    .query(SYNC_RECORDS),
    route(
        Method::GET,
        "/maps/{map}/syncs/{run}/records/download",
        VIEWER,
        &[(200, "Download")],
        "Downloads records of a sync run as a CSV or JSONL file. An incomplete file ends with a line that says `cut off`.",
    )
    .query(SYNC_DOWNLOAD),
    route(
        Method::POST,
        "/maps/{map}/syncs/{run}/deletions/{decision}",
        OPERATOR,
        &[(201, "SyncRunView")],
        "Decides about deletions that a sync run has proposed, by another run: `approve` (each is carried out if nothing has changed \
         since) or `reject` (they leave the list).",
    )
    .body("DecideDeletionsRequest"),
    route(
        Method::POST,
        "/maps/{map}/syncs/{run}/{command}",
        OPERATOR,
        &[(200, "SyncRunView")],
        "Steers a sync run: `pause`, `resume` (it goes on at its page) or `cancel` (what it has copied stays).",
    )
    .body("Reason"),
    route(Method::GET, "/config", VIEWER, &[(200, "Document")], "Returns all sides and maps as one document."),
    route(Method::POST, "/config/plan", VIEWER, &[(200, "Plan")], "Returns what applying a document would change. Writes nothing.")
        .body("Document")
        .query(PRUNE),
    route(Method::POST, "/config/apply", ADMIN, &[(200, "Plan")], "Creates, changes and, with `prune`, deletes sides and maps so that they match a document.")
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
    route(Method::GET, "/log/errors", VIEWER, &[(200, "LoggedErrors")], "Lists errors of writes, newest first.")
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
        "Downloads all errors that match, as a CSV or JSONL file. An incomplete file ends with a line that says `cut off`.",
    )
    .query(DOWNLOAD),
    route(
        Method::POST,
        "/log/errors/resolve",
        OPERATOR,
        &[(200, "ErrorsResolved")],
        "Marks up to 1,000 unresolved errors that match as resolved. The request must name the map.",
    )
    .body("Reason")
    .query(RESOLVE),
    route(
        Method::GET,
        "/log/failed",
        VIEWER,
        &[(200, "FailedEvents")],
        "Lists events that could not be logged, with the reason, newest first.",
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
    route(Method::GET, "/rules", VIEWER, &[(200, "Rules")], "Lists alert settings."),
    route(Method::GET, "/rules/{rule}", VIEWER, &[(200, "Rule")], "Returns one alert setting."),
    route(
        Method::PUT,
        "/rules/{rule}",
        OPERATOR,
        &[(200, "Rule"), (201, "Rule")],
        "Creates or changes an alert setting. It applies from the next error on.",
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
        "Explains why the rule did or did not open an incident on a map.",
    )
    .query(EXPLAIN),
    route(
        Method::POST,
        "/dry-run",
        VIEWER,
        &[(200, "DryRunResult")],
        "Returns the breaches that a rule would have found in the stored log. Opens no incident.",
    )
    .body("DryRun"),
    route(Method::GET, "/groups", VIEWER, &[(200, "Groups")], "Lists groups of recipients."),
    route(
        Method::PUT,
        "/groups/{group}",
        OPERATOR,
        &[(200, "Group"), (201, "Group")],
        "Creates or changes a group of recipients. The next mail goes to the new members.",
    )
    .body("Members")
    .conditional(),
    route(Method::DELETE, "/groups/{group}", OPERATOR, &[(204, "")], "Deletes a group that no rule names.")
        .conditional(),
    route(Method::GET, "/incidents", VIEWER, &[(200, "Incidents")], "Lists incidents, newest first.").query(INCIDENTS),
    route(
        Method::GET,
        "/incidents/{incident}",
        VIEWER,
        &[(200, "Incident")],
        "Returns one incident: the errors it counted, the action taken, and who was notified.",
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
        "Lists addresses whose mail bounced. Tandem sends no mail to them.",
    ),
    route(Method::DELETE, "/mail/flagged/{address}", OPERATOR, &[(204, "")], "Unflags an address: Tandem sends mail to it again."),
    route(Method::GET, "/tokens", ADMIN, &[(200, "Tokens")], "Lists all tokens except the first admin's."),
    route(Method::POST, "/tokens", ADMIN, &[(201, "NewToken")], "Creates a token. Only this response contains its secret.")
        .body("TokenRequest"),
    route(Method::DELETE, "/tokens/{token}", ADMIN, &[(204, "")], "Revokes a token immediately."),
];

/// The route of a request. `Err`: the methods that its path knows, none if there is no such path.
pub(crate) fn find(method: &Method, path: Option<&str>) -> Result<&'static Route, Vec<&'static str>> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let here = || ROUTES.iter().filter(|route| Some(route.path) == path);
    here().find(|route| route.method == *method).ok_or_else(|| here().map(|route| route.method.as_str()).collect())
}
