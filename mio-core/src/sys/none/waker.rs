//! Ending a wait from another thread.

use std::{io, sync::Arc};

use super::selector::{Flag, Selector, Shared};

#[derive(Debug)]
pub(crate) struct Waker {
    selector: Arc<Shared>,
    flag: Arc<Flag>,
}

impl Waker {
    pub(crate) fn new(selector: &Selector, token: u64) -> io::Result<Waker> {
        let (selector, flag) = selector.waker(token)?;
        Ok(Waker { selector, flag })
    }

    #[expect(clippy::unnecessary_wraps, reason = "the backends' contract")]
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.selector.wake(&self.flag);
        Ok(())
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.selector.forget_waker(&self.flag);
    }
}
