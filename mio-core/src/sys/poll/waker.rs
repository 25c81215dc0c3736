//! Ending a wait from another thread or from a signal handler.

use std::{io, sync::Arc};

use super::selector::{Flag, Selector};

#[derive(Debug)]
pub(crate) struct Waker {
    selector: Arc<super::selector::Shared>,
    flag: Arc<Flag>,
}

impl Waker {
    pub(crate) fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        let (selector, flag) = selector.waker(token)?;
        Ok(Waker { selector, flag })
    }

    /// May be called from a signal handler. `Unsupported` in a forked child, which would wake its parent.
    #[inline]
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.selector.wake(&self.flag)
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.selector.forget_waker(&self.flag);
    }
}
