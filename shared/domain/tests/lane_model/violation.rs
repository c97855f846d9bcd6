//! The ways in which a run can break a promise.

use std::fmt;

use crate::state::{Answer, EntryNo, ErrorDisposition, Id, Seq, Side};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Violation {
    OldAfterNew {
        side: Side,
        entry: EntryNo,
        newest: i8,
    },
    RefusedTookEffect {
        side: Side,
        entry: EntryNo,
    },
    SkippedTookEffect {
        side: Side,
        entry: EntryNo,
    },
    RefusedAfterEffect {
        entry: EntryNo,
    },
    DoneWithoutEffect {
        side: Side,
        entry: EntryNo,
    },
    DoneSeqWentBack {
        from: Seq,
        to: Seq,
    },
    AppendedTwice {
        id: Id,
    },
    DifferentAnswers {
        id: Id,
    },
    /// 409 for a write that was never taken: its caller cannot repeat it.
    NewIdRefused {
        id: Id,
    },
    AnsweredIsNowhere {
        writer: u8,
    },
    AnsweredEndedAs {
        writer: u8,
        answer: Answer,
        fate: ErrorDisposition,
    },
    NeverFinished {
        entry: EntryNo,
    },
    SidesDiffer {
        a: Option<Id>,
        b: Option<Id>,
        lane: Option<Id>,
    },
    TargetDiffers {
        target: Option<Id>,
        lane: Option<Id>,
        skipped: bool,
    },
    /// No quiet state can be reached any more.
    Stuck,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Id>| value.map_or_else(|| "nothing".to_owned(), |id| id.to_string());
        match self {
            Self::OldAfterNew { side, entry, newest } => {
                write!(f, "old effect after new: app {side:?} gets #{entry} after #{newest}")
            }
            Self::RefusedTookEffect { side, entry } => {
                write!(f, "write #{entry} was answered 422 but takes effect at {side:?}")
            }
            Self::SkippedTookEffect { side, entry } => {
                write!(f, "entry #{entry} was skipped but takes effect at {side:?} afterwards")
            }
            Self::RefusedAfterEffect { entry } => {
                write!(f, "422 for #{entry} but it has an effect")
            }
            Self::DoneWithoutEffect { side, entry } => {
                write!(f, "#{entry} marked done but never applied at {side:?}")
            }
            Self::DoneSeqWentBack { from, to } => write!(f, "done_seq goes back {from}->{to}"),
            Self::AppendedTwice { id } => write!(f, "id {id} appended twice"),
            Self::DifferentAnswers { id } => {
                write!(f, "id {id} got different answers, 422 among them")
            }
            Self::NewIdRefused { id } => write!(f, "new id {id} refused"),
            Self::AnsweredIsNowhere { writer } => write!(f, "answered w{writer} is nowhere"),
            Self::AnsweredEndedAs { writer, answer, fate } => {
                write!(f, "w{writer} was answered {answer:?} and ended as {fate:?}")
            }
            Self::NeverFinished { entry } => write!(f, "entry #{entry} never finished"),
            Self::SidesDiffer { a, b, lane } => {
                write!(f, "at rest A={} B={}, lane says {}", text(a), text(b), text(lane))
            }
            Self::TargetDiffers { target, lane, skipped } => {
                write!(f, "at rest target={}, lane says {}", text(target), text(lane))?;
                f.write_str(if *skipped { " (a skipped write has an effect)" } else { "" })
            }
            Self::Stuck => f.write_str("STUCK: no quiet state reachable any more"),
        }
    }
}
