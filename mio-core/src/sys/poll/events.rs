//! Events as they are: the kernel's array is the selector's.

use crate::{event::Event, sys::events};

pub(crate) type Events = events::Events<Event>;
