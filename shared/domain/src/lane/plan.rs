//! Which calls an entry needs.

use super::{Entry, Mode, Unreadable, Winner, Work};
use crate::{
    map::{MapConfig, SideIx},
    mapping::{MappingError, as_written, carried, compared, rewritten, translate},
    record::{ContentHash, Image},
};

/// One call of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The side that is called.
    pub to: SideIx,
    /// What it gets.
    pub action: Action,
    /// The caller's own app takes part: done after the caller has its answer, for it may hold the record locked till then.
    pub write_back: bool,
}

/// What a side gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// This image.
    Put(Image),
    /// What the other side has at that moment.
    CopyFrom(SideIx),
}

/// The calls that are still to be made for an entry, in order.
///
/// # Errors
/// The record cannot be mapped to that side.
pub fn plan(entry: &Entry, map: &MapConfig) -> Result<Vec<Step>, (SideIx, MappingError)> {
    let mut steps = Vec::with_capacity(2);
    match &entry.work {
        Work::Restore { from, to, .. } => {
            steps.push(Step { to: *to, action: Action::CopyFrom(*from), write_back: true });
        }
        // It is parked before its turn: see `unsent`.
        Work::Unreadable(Unreadable { why, .. }) => {
            return Err((SideIx::First, MappingError { field: "entry".to_owned(), message: why.clone() }));
        }
        Work::Write(write) => {
            let mut put = |to: SideIx, write_back: bool| -> Result<(), (SideIx, MappingError)> {
                if !entry.done[to] {
                    let image_for = if write.mode == Mode::Copied { copied_image_for } else { image_for };
                    let image = image_for(map, write.shape, to, &write.image).map_err(|error| (to, error))?;
                    steps.push(Step { to, action: Action::Put(image), write_back });
                }
                Ok(())
            };
            match (write.origin, entry.crossing.map(|crossing| crossing.winner)) {
                (None, _) => {
                    put(SideIx::First, false)?;
                    put(SideIx::Second, false)?;
                }
                (Some(origin), _) if entry.needs_resync => {
                    steps.push(Step { to: origin.other(), action: Action::CopyFrom(origin), write_back: true });
                }
                (Some(origin), None) => put(origin.other(), false)?,
                (Some(origin), Some(Winner::ThisWrite)) => {
                    put(origin.other(), false)?;
                    put(origin, true)?;
                }
                (Some(origin), Some(Winner::TheOther)) => {
                    steps.push(Step { to: origin, action: Action::CopyFrom(origin.other()), write_back: true });
                }
            }
        }
    }
    Ok(steps)
}

/// An image of side `shape` as side `to` gets it.
///
/// # Errors
/// The record cannot be mapped.
fn image_for(map: &MapConfig, shape: SideIx, to: SideIx, image: &Image) -> Result<Image, MappingError> {
    if shape != to {
        return translate(map, shape, image);
    }
    match carried(map, to, image) {
        Image::Absent => Ok(Image::Absent),
        Image::Present(own) => as_written(map, to, own).map(Image::Present),
    }
}

/// An image that a run copies, as side `to` gets it: a merged record is in the names of that side, and has the fields, too, that are
/// only written there.
///
/// # Errors
/// The record cannot be mapped.
pub(super) fn copied_image_for(
    map: &MapConfig,
    shape: SideIx,
    to: SideIx,
    image: &Image,
) -> Result<Image, MappingError> {
    match image {
        Image::Present(merged) if shape == to => rewritten(map, to, merged).map(Image::Present),
        Image::Present(_) | Image::Absent => image_for(map, shape, to, image),
    }
}

/// The fingerprint of what a side holds, as the guards compare it.
#[must_use]
pub fn content(map: &MapConfig, of: SideIx, image: &Image) -> ContentHash {
    ContentHash::of(&compared(map, of, image))
}
