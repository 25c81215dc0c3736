//! What the Unix backends share.

pub(crate) mod child;
pub(crate) mod fork;
pub(crate) mod signal;
