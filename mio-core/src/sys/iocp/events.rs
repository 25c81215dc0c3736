//! Packets are no events: they are translated.

use crate::sys::events;

pub(crate) type Events = events::Events;
