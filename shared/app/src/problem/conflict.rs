//! Status, code, title and detail of each conflict with the current state (409).

use domain::MapState;

use super::Text;
use crate::error::StateConflict as Conflict;

pub(super) fn conflict_text(conflict: &Conflict) -> Text {
    match conflict {
        Conflict::SideInUse(_) => (
            409,
            "side_in_use",
            "Maps use this side",
            "Delete the maps that `errors` lists, or change them to use another side.",
        ),
        Conflict::MapActive(_) => (
            409,
            "map_active",
            "The map is active",
            "Stop the map first. An active map cannot be deleted, and its sides, entities and key fields cannot be changed.",
        ),
        Conflict::MapSettling { .. } => (
            409,
            "map_settling",
            "The map was stopped a moment ago",
            "Changes that were accepted just before the stop may still arrive. Try again after `Retry-After`.",
        ),
        Conflict::MapNotEmpty => (
            409,
            "map_not_empty",
            "The map still has changes to write",
            "Deleting the map would lose them. `GET /maps/{map}/open` lists their records.",
        ),
        Conflict::IllegalCommand { .. } => (
            409,
            "illegal_command",
            "The map's state does not allow this command",
            "`errors` names the commands that this state allows.",
        ),
        Conflict::SideMissing(_) => {
            (409, "side_missing", "A side that the map needs does not exist", "Create it first.")
        }
        Conflict::TokenNameTaken => (
            409,
            "token_name_taken",
            "Another token has that name",
            "The audit names the token behind each action, so no two tokens may share a name.",
        ),
        Conflict::TooManyTokens => {
            (409, "too_many_tokens", "There are too many tokens", "Delete tokens that nobody uses.")
        }
        Conflict::TooManyRules => {
            (409, "too_many_rules", "There are too many rules", "Delete rules that nobody needs.")
        }
        Conflict::GroupInUse(_) => (
            409,
            "group_in_use",
            "Rules name this group",
            "Remove the group from the rules that `errors` lists, then delete it.",
        ),
        Conflict::IncidentOver => {
            (409, "incident_over", "The incident is over", "A closed incident cannot be acknowledged.")
        }
        Conflict::WriteIdReused => (
            409,
            "write_id_reused",
            "This id was used for another request",
            "An id belongs to one request. Repeat that request unchanged, or use a new id.",
        ),
        Conflict::WriteIdTooOld => (
            409,
            "write_id_too_old",
            "This id is too old",
            "Tandem no longer remembers ids this old, so it cannot rule out a duplicate. Use a new id for a new write.",
        ),
        Conflict::WriteInProgress => (
            409,
            "write_in_progress",
            "The write is in progress",
            "Repeat the request after `Retry-After` to get its answer.",
        ),
        Conflict::EntryInFlight { .. } => (
            409,
            "entry_in_flight",
            "The entry is being written",
            "A call of this entry is in progress, or may still take effect in the target app. Try again after `Retry-After`.",
        ),
        Conflict::NotNext => (
            409,
            "entry_not_next",
            "The entry is not the next one of its record",
            "Changes of one record are applied in order. Read the record's entries again and act on the next one.",
        ),
        Conflict::NotParked => (
            409,
            "entry_not_parked",
            "The entry is not parked",
            "Tandem writes it when its turn comes and the map runs. There is nothing to retry.",
        ),
        Conflict::NotAWrite => (
            409,
            "entry_not_a_write",
            "The entry has no record of its own",
            "It copies the record as the app has it at that moment. Edit the record in the app.",
        ),
        Conflict::Unreadable => (
            409,
            "unreadable",
            "What is stored of it cannot be read",
            "Tandem cannot write it again. Compare the record in both apps, and save it again in the one that is right.",
        ),
        Conflict::NothingBehind => (
            409,
            "nothing_behind",
            "No later write of this record waits",
            "`supersede` needs a later write to replace this one.",
        ),
        Conflict::AlreadySo => (
            409,
            "already",
            "Already in the requested state",
            "Somebody else did this, or an earlier request of yours whose answer was lost. Read it again.",
        ),
        Conflict::NewerAccepted => (
            409,
            "newer_accepted",
            "Later changes of this record exist",
            "This change would overwrite them. `GET /maps/{map}/archive?key=` lists the archived ones. Send `\"force\": true` to \
             write it all the same.",
        ),
        Conflict::ArchiveWaits { .. } => (
            409,
            "archive_waits",
            "The map's archive still holds skipped changes",
            "Nobody could reach them after this. Recover them (`POST /maps/{map}/archive/recover-all`, cause \
             `skipped_to_live`), or give them up with `?give_up_archive=true`.",
        ),
        Conflict::SyncProblems(_) => (
            409,
            "sync_problems",
            "The run would fail, or do harm",
            "`errors` names each problem by its code, with what to do. Correct them, or start the run with `despite`, a list of the \
             codes that you accept. `POST /maps/{map}/syncs/check` also tells what is only doubtful.",
        ),
        Conflict::SyncActive(_) => (
            409,
            "sync_active",
            "Another sync run goes on in this map",
            "Wait until it is through, or cancel it: `errors` names it. A dry run or a reconcile may run beside it.",
        ),
        Conflict::SyncOver => (
            409,
            "sync_over",
            "The sync run is over",
            "Start another one; with `parent` and `selection` it takes the records of this one.",
        ),
        Conflict::ParentGoesOn => (
            409,
            "parent_goes_on",
            "The run whose records are selected goes on",
            "Its lists still change. Wait until it is through, or cancel it.",
        ),
        Conflict::MapPaused => (
            409,
            "map_paused",
            "The map is paused",
            "While a map is paused, Tandem writes nothing to its apps. Resume it first.",
        ),
        Conflict::Blocked(_) => (
            409,
            "blocked",
            "The document cannot be applied now",
            "`errors` lists the blocking items. Nothing was changed.",
        ),
        Conflict::Interrupted(_) => (
            409,
            "interrupted",
            "The document was applied in part",
            "`errors` lists what was not written; the rest was. Read the plan and apply again: Tandem does only what is missing.",
        ),
    }
}

/// The commands that change something in a state, in words.
pub(super) fn takes(state: MapState) -> &'static str {
    match state {
        MapState::NotRunning | MapState::Stopped => "run",
        MapState::Initializing | MapState::Running => "pause or stop",
        MapState::Paused => "resume or stop",
        MapState::CatchingUp => "pause, resume or stop",
    }
}
