//! The lane, step by step: what a caller is told, and what the lane is afterwards.

mod archive;
pub(super) mod bench;
mod both_sides;
mod bounces;
mod one_way;
mod operators;
mod places;
mod settling;
mod unreadable;
