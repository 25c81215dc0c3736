//! The events of one wait, and the kernel's words for them, of which two may be one event.

use std::{
    collections::TryReserveError,
    ops::{Deref, DerefMut},
};

use super::{ffi::Raw, registry::Registry};
use crate::sys::events;

#[derive(Debug)]
pub(crate) struct Events {
    events: events::Events,
    kernel: Vec<Raw>,
}

impl Events {
    /// Room for `room` events from the kernel and `more` from elsewhere.
    pub(crate) fn with_capacity(room: usize, more: usize) -> Result<Events, TryReserveError> {
        let events = events::Events::with_capacity(room, more)?;
        let mut kernel = Vec::new();
        kernel.try_reserve_exact(room)?;
        Ok(Events { events, kernel })
    }

    /// No events any more, and where the kernel writes: as much as there is capacity for.
    pub(super) fn room(&mut self) -> &mut Vec<Raw> {
        self.events.clear();
        self.kernel.clear();
        &mut self.kernel
    }

    /// Turns what the kernel wrote into events, one for each source.
    pub(super) fn translate(&mut self, registry: &mut Registry) {
        for raw in &self.kernel {
            registry.note(&raw.plain());
        }
        for raw in &self.kernel {
            if let Some(event) = registry.take(&raw.plain()) {
                self.events.push(event);
            }
        }
    }
}

impl Deref for Events {
    type Target = events::Events;

    #[inline(always)]
    fn deref(&self) -> &events::Events {
        &self.events
    }
}

impl DerefMut for Events {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut events::Events {
        &mut self.events
    }
}
