//! Events as they are: there is no kernel to write them.

use crate::{event::Event, sys::events};

pub(crate) type Events = events::Events<Event>;
