//! The record of a write in flight, which is stored apart from the rest of the head.

use domain::{
    Record,
    lane::{ActiveEntry, Work},
    record::Image,
};

/// Takes the record out of an attempt: JSON cannot be read by position, and deflating it pays.
pub(super) fn take_record(inflight: &mut ActiveEntry) -> Option<Record> {
    match &mut inflight.direct.as_mut()?.work {
        Work::Write(write) => match std::mem::replace(&mut write.image, Image::Absent) {
            Image::Present(record) => Some(record),
            Image::Absent => None,
        },
        Work::Restore { .. } | Work::Unreadable(_) => None,
    }
}

/// Puts it back.
pub(super) fn put_record(inflight: &mut ActiveEntry, record: Record) -> Option<()> {
    match &mut inflight.direct.as_mut()?.work {
        Work::Write(write) => write.image = Image::Present(record),
        Work::Restore { .. } | Work::Unreadable(_) => return None,
    }
    Some(())
}
