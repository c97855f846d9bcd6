//! What pages are made of, one part each. A part renders what it is given; it reads nothing.

pub(crate) mod ask;
pub(crate) mod chip;
pub(crate) mod deed;
pub(crate) mod filter;
pub(crate) mod form;
pub(crate) mod layout;
pub(crate) mod number;
pub(crate) mod pagination;
pub(crate) mod say;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod trouble;
