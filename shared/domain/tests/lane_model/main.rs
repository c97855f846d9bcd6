//! The lane protocol, checked: an exhaustive breadth-first search over all interleavings of one record key.
//!
//! The model has the lane head, the queued entries, the pointer queue, writers, drain workers, the sweep, pauses,
//! crashes, lost and doubled pointers, unknown outcomes, refusals, the operator, client retries, expired heads and
//! one or two origins. Each case says who takes part, which faults may happen how often, and which rules are in
//! force; a mutant lacks one rule and must fail for the right reason. A case that holds also states the size of its
//! search: when an event is no longer tried, the number changes.
//!
//! "Holds" means that there is no violation within the bounds. Not modelled: several keys, mail; here time and half-visible
//! transactions, which the second model has (`production`), and with them what apps and their users do.

mod action;
mod case;
mod cases;
mod check;
mod coverage;
mod explore;
mod lane;
mod list;
mod plan;
mod production;
mod recent;
mod setup;
mod state;
mod steps;
mod table;
mod target;
mod violation;
