//! The states of a map, and who brought it there.

use serde::{Deserialize, Serialize};

use super::{Intake, MapConfig, MapState};
use crate::{
    id::{IncidentId, MapId, MapUid, RuleId},
    lane::{ArchiveCause, Entry},
    time::Timestamp,
};

/// What kind of thing caused a change of state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A person, or a program with a token.
    #[default]
    Operator,
    /// Nothing was left of the backlog.
    CaughtUp,
    /// The initial sync was through.
    InitialSync,
    /// The schedule of a map.
    Schedule,
    /// A sync run: it is through, or has a doubt about its source.
    SyncRun,
    /// An alert setting whose threshold was reached.
    Rule {
        /// The setting.
        rule: RuleId,
        /// The incident, which names the errors that were counted.
        incident: IncidentId,
    },
    /// The app took the oldest change again after a pause by a rule.
    AutoResume {
        /// The incident that had paused the map.
        incident: IncidentId,
    },
}

impl Cause {
    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::CaughtUp => "caught_up",
            Self::InitialSync => "initial_sync",
            Self::Schedule => "schedule",
            Self::SyncRun => "sync_run",
            Self::Rule { .. } => "rule",
            Self::AutoResume { .. } => "auto_resume",
        }
    }

    /// The incident it belongs to.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Operator | Self::CaughtUp | Self::InitialSync | Self::Schedule | Self::SyncRun => None,
            Self::Rule { incident, .. } | Self::AutoResume { incident } => Some(*incident),
        }
    }
}

/// A map: configuration, state and the cause of the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Its name.
    pub id: MapId,
    /// Tells it from an earlier map of the same name.
    pub uid: MapUid,
    /// Its settings.
    pub config: MapConfig,
    /// Its state.
    pub state: MapState,
    /// Counts changes of state.
    pub epoch: u64,
    /// The epoch in which changes began to flow last: rules count errors since then.
    #[serde(default)]
    pub live_epoch: u64,
    /// Counts changes of any kind; an update must name the version it read.
    pub version: u64,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Who brought it into this state.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// What kind of thing caused it.
    #[serde(default)]
    pub cause: Cause,
    /// The part of the backlog that is archived instead of written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// How changes began to flow last: whoever looks when it has caught up finds Tandem's own name in `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<FlowStart>,
}

/// How changes began to flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStart {
    /// By what.
    pub how: StartedBy,
    /// Who did it.
    pub actor: String,
    /// Who had the backlog, or what was left of it, archived instead of written, and where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<(ArchiveCause, String)>,
}

/// What lets changes flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartedBy {
    /// The map was run; what came before was skipped.
    Run,
    /// Somebody resumed it.
    Resumed,
    /// It was resumed by itself, because the app took changes again.
    ByItself,
}

/// What is archived instead of written: everything accepted before an epoch. Epochs and not clocks: each entry carries
/// the epoch that the function which accepted it knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Entries of earlier epochs are archived.
    pub before_epoch: u64,
    /// Whether they are catch-up errors or discarded.
    pub cause: ArchiveCause,
    /// Who wanted it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl Cut {
    /// Whether an entry is archived instead of written.
    #[must_use]
    pub fn covers(&self, entry: &Entry) -> bool {
        entry.epoch < self.before_epoch
    }
}

/// What becomes of the backlog on resume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backlog {
    /// It is written, each record in its order.
    #[default]
    CatchUp,
    /// It goes to the catch-up errors, and new changes flow.
    SkipToLive,
    /// It is archived.
    Discard,
}

impl Backlog {
    fn archive(self) -> Option<ArchiveCause> {
        match self {
            Self::CatchUp => None,
            Self::SkipToLive => Some(ArchiveCause::SkippedToLive),
            Self::Discard => Some(ArchiveCause::Discarded),
        }
    }
}

/// What may be asked of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapCommand {
    /// Let changes flow.
    Run,
    /// Let changes flow, and copy what was there before.
    Initialize,
    /// Everything that was there before is copied. Tandem's own; carries no safety, only information.
    Initialized,
    /// Keep changes, write none.
    Pause,
    /// Let changes flow again. In mid-catch-up: do this with the rest of the backlog.
    Resume(Backlog),
    /// Skip changes from now on.
    Stop,
    /// Nothing is left of the backlog. Tandem's own; carries no safety, only information.
    CaughtUp,
}

impl MapCommand {
    /// The command's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Initialize => "initialize",
            Self::Initialized => "initialized",
            Self::Pause => "pause",
            Self::Resume(_) => "resume",
            Self::Stop => "stop",
            Self::CaughtUp => "caught_up",
        }
    }
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum MapAnswer {
    /// The map as it must be stored, if its version is still the one that was read.
    Changed(Box<Map>),
    /// It was in that state already: a repeat is no error.
    Already,
    /// Not from this state.
    Illegal,
}

impl Map {
    /// A new map.
    #[must_use]
    pub fn new(id: MapId, uid: MapUid, config: MapConfig, actor: &str, now: Timestamp) -> Self {
        Self {
            id,
            uid,
            config,
            state: MapState::NotRunning,
            epoch: 0,
            live_epoch: 0,
            version: 1,
            since: now,
            actor: actor.to_owned(),
            reason: "created".to_owned(),
            cause: Cause::Operator,
            cut: None,
            began: None,
        }
    }

    /// When it is reconciled by itself next; `None`: no schedule is set, or changes do not flow and are not kept.
    #[must_use]
    pub fn next_reconcile(&self, now: Timestamp) -> Option<Timestamp> {
        let schedule = self.config.reconcile.as_ref().filter(|_| self.state.intake() != Intake::Skip)?;
        schedule.next_due(now)
    }

    /// The time at which a reconcile by schedule was due last, if it may still start: not one of before the map was in its state.
    #[must_use]
    pub fn reconcile_due(&self, now: Timestamp) -> Option<Timestamp> {
        let schedule = self.config.reconcile.as_ref().filter(|_| self.state.intake() != Intake::Skip)?;
        schedule.due_now(now).filter(|due| *due >= self.since)
    }

    /// What a command of an operator, or of Tandem itself when nothing is left to catch up, does to this map.
    #[must_use]
    pub fn decide(&self, command: MapCommand, actor: &str, reason: &str, now: Timestamp) -> MapAnswer {
        let cause = match command {
            MapCommand::CaughtUp => Cause::CaughtUp,
            MapCommand::Initialized => Cause::InitialSync,
            _ => Cause::Operator,
        };
        self.decide_because(command, actor, reason, cause, now)
    }

    /// What a command does to this map.
    #[must_use]
    pub fn decide_because(
        &self,
        command: MapCommand,
        actor: &str,
        reason: &str,
        cause: Cause,
        now: Timestamp,
    ) -> MapAnswer {
        use MapState::{CatchingUp, Initializing, NotRunning, Paused, Running, Stopped};
        let to = match (command, self.state) {
            (MapCommand::Run, NotRunning | Stopped) | (MapCommand::Initialized, Initializing) => Running,
            (MapCommand::Initialize, NotRunning | Stopped) => Initializing,
            (MapCommand::Pause, Running | Initializing | CatchingUp) => Paused,
            (MapCommand::Resume(_), Paused) => CatchingUp,
            (MapCommand::Resume(backlog), CatchingUp) if backlog.archive() != self.archives() => CatchingUp,
            (MapCommand::CaughtUp, CatchingUp) => Running,
            (MapCommand::Stop, Running | Initializing | Paused | CatchingUp) => Stopped,
            // Nothing is left that could be skipped or discarded: who wants that must not believe that it was done.
            (MapCommand::Resume(backlog), Running) if backlog.archive().is_some() => return MapAnswer::Illegal,
            (MapCommand::Run | MapCommand::CaughtUp | MapCommand::Initialized, Running)
            | (MapCommand::Initialize, Initializing)
            | (MapCommand::Pause, Paused)
            | (MapCommand::Resume(_), CatchingUp | Running)
            | (MapCommand::Stop, Stopped | NotRunning) => return MapAnswer::Already,
            (MapCommand::Run, Initializing | Paused | CatchingUp)
            | (MapCommand::Initialize, Running | Paused | CatchingUp)
            | (MapCommand::Initialized, NotRunning | Paused | CatchingUp | Stopped)
            | (MapCommand::Pause, NotRunning | Stopped)
            | (MapCommand::Resume(_), NotRunning | Initializing | Stopped)
            | (MapCommand::CaughtUp, NotRunning | Initializing | Paused | Stopped) => return MapAnswer::Illegal,
        };
        let epoch = self.epoch + 1;
        let cut = |cause| Cut { before_epoch: epoch, cause, actor: actor.to_owned(), reason: reason.to_owned() };
        MapAnswer::Changed(Box::new(Self {
            state: to,
            epoch,
            live_epoch: match command {
                MapCommand::Run | MapCommand::Initialize => epoch,
                // Another choice in mid-catch-up is no new beginning.
                MapCommand::Resume(_) if self.state == Paused => epoch,
                _ => self.live_epoch,
            },
            version: self.version + 1,
            since: now,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            began: self.begins(command, actor, &cause),
            cause,
            cut: match command {
                MapCommand::Resume(backlog) => backlog.archive().map(cut),
                MapCommand::Pause => self.cut.clone(),
                MapCommand::Run
                | MapCommand::Initialize
                | MapCommand::Initialized
                | MapCommand::Stop
                | MapCommand::CaughtUp => None,
            },
            ..self.clone()
        }))
    }

    /// How changes began to flow last, after this command.
    fn begins(&self, command: MapCommand, actor: &str, cause: &Cause) -> Option<FlowStart> {
        let began = |how, archived| Some(FlowStart { how, actor: actor.to_owned(), archived });
        let before = self.began.clone();
        match command {
            MapCommand::Run | MapCommand::Initialize => began(StartedBy::Run, None),
            MapCommand::Resume(backlog) => {
                // Another choice does not bring back what was archived by the one before.
                let earlier = before.as_ref().and_then(|before| before.archived.clone());
                let archived = backlog.archive().map(|cause| (cause, actor.to_owned())).or(earlier);
                match (before, cause) {
                    (Some(before), _) if self.state == MapState::CatchingUp => Some(FlowStart { archived, ..before }),
                    (_, Cause::AutoResume { .. }) => began(StartedBy::ByItself, archived),
                    _ => began(StartedBy::Resumed, archived),
                }
            }
            MapCommand::Pause if self.state == MapState::Running => {
                before.map(|before| FlowStart { archived: None, ..before })
            }
            MapCommand::Initialized | MapCommand::Pause | MapCommand::Stop | MapCommand::CaughtUp => before,
        }
    }

    /// What is done with the backlog instead of writing it.
    fn archives(&self) -> Option<ArchiveCause> {
        self.cut.as_ref().map(|cut| cut.cause)
    }

    /// The cut, if it covers this entry and the map acts on it at the moment.
    #[must_use]
    pub fn cuts(&self, entry: &Entry) -> Option<&Cut> {
        self.cut.as_ref().filter(|cut| self.state == MapState::CatchingUp && cut.covers(entry))
    }
}

#[cfg(test)]
mod tests;
