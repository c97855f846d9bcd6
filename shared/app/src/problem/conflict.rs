//! The words of 409.

use domain::MapState;

use super::Text;
use crate::error::StateConflict as Conflict;

pub(super) fn conflict_text(conflict: &Conflict) -> Text {
    match conflict {
        Conflict::SideInUse(_) => {
            (409, "side_in_use", "Maps use this side", "Delete the maps listed, or let them use another side.")
        }
        Conflict::MapActive(_) => (
            409,
            "map_active",
            "The map is active",
            "Stop it first: an active map cannot be deleted, nor its sides, entities or key fields be changed.",
        ),
        Conflict::MapSettling { .. } => (
            409,
            "map_settling",
            "The map was stopped a moment ago",
            "Changes that were accepted just before may still be on their way in. Try again after `Retry-After`.",
        ),
        Conflict::MapNotEmpty => (
            409,
            "map_not_empty",
            "The map has changes that are not written yet",
            "`GET /maps/{map}/open` lists them. They would be lost.",
        ),
        Conflict::IllegalCommand { .. } => {
            (409, "illegal_command", "The map does not take this command in its state", "What it takes is listed.")
        }
        Conflict::SideMissing(_) => {
            (409, "side_missing", "A side that the map needs does not exist", "Create it first.")
        }
        Conflict::TokenNameTaken => (
            409,
            "token_name_taken",
            "Another token has that name",
            "What is done with a token is recorded under its name, so no two may share one.",
        ),
        Conflict::TooManyTokens => (409, "too_many_tokens", "There are too many tokens", "Delete those nobody uses."),
        Conflict::TooManyRules => (409, "too_many_rules", "There are too many rules", "Delete those nobody needs."),
        Conflict::GroupInUse(_) => {
            (409, "group_in_use", "Rules name this group", "Take it out of the rules listed, then delete it.")
        }
        Conflict::IncidentOver => (409, "incident_over", "The incident is over", "Nothing is left to be acknowledged."),
        Conflict::WriteIdReused => (
            409,
            "write_id_reused",
            "This id was used for another request",
            "An id stands for one request: repeat that one unchanged, or make a new id.",
        ),
        Conflict::WriteIdTooOld => (
            409,
            "write_id_too_old",
            "This id is too old",
            "It cannot be told any more whether it is a late repeat. If it is a new write, make a new id.",
        ),
        Conflict::WriteInProgress => (
            409,
            "write_in_progress",
            "This very write is being executed",
            "Repeat it after `Retry-After` to get its answer.",
        ),
        Conflict::EntryInFlight { .. } => (
            409,
            "entry_in_flight",
            "The entry is being written",
            "Or a call of it may still take effect in the other app. Try again after `Retry-After`.",
        ),
        Conflict::NotNext => (
            409,
            "entry_not_next",
            "The entry is not the next of its record",
            "Changes of one record keep their order: look at the record again, and act on its next entry.",
        ),
        Conflict::NotParked => (
            409,
            "entry_not_parked",
            "The entry was not tried yet",
            "It is written when its turn comes and the map runs; there is nothing to try again.",
        ),
        Conflict::NotAWrite => (
            409,
            "entry_not_a_write",
            "The entry copies the record as it is",
            "There is no record in it that could be edited: edit it in the app.",
        ),
        Conflict::NothingBehind => (
            409,
            "nothing_behind",
            "No later write of this record waits",
            "There is nothing that could take its place.",
        ),
        Conflict::AlreadySo => (
            409,
            "already",
            "It is so already",
            "Somebody else did it, or a request of yours whose answer was lost. Look at it again.",
        ),
        Conflict::NewerAccepted => (
            409,
            "newer_accepted",
            "Later changes of this record were accepted",
            "This one would be written on top of them: `GET /maps/{map}/archive?key=` shows those that were archived, too. \
             With `\"force\": true` it is written all the same.",
        ),
        Conflict::ArchiveWaits { .. } => (
            409,
            "archive_waits",
            "Changes that were skipped to go live wait in the map's archive",
            "They could not be reached any more. Bring them back (`POST /maps/{map}/archive/recover-all`, cause \
             `skipped_to_live`), or give them up with `?give_up_archive=true`.",
        ),
        Conflict::Blocked(_) => (
            409,
            "blocked",
            "The document cannot be applied now",
            "What stands against it is listed. Nothing was changed.",
        ),
        Conflict::Interrupted(_) => (
            409,
            "interrupted",
            "The document was applied in part",
            "What is listed was not written, the rest was. Look at the plan and apply again: only what is missing is done.",
        ),
    }
}

/// The commands that change something in a state, in words.
pub(super) fn takes(state: MapState) -> &'static str {
    match state {
        MapState::NotRunning | MapState::Stopped => "run",
        MapState::Initializing => "stop",
        MapState::Running => "pause or stop",
        MapState::Paused => "resume or stop",
        MapState::CatchingUp => "pause, resume or stop",
    }
}
