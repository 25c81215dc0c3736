//! What signals leave for a loop, and how they tell it: the same on every platform.

/// Signals have the numbers from 1 to this.
pub(crate) const SIGNALS: usize = 64;

/// Tells the loop, which may sleep, that something was left for it.
pub(crate) trait Bell: Send + Sync + 'static {
    /// Wakes the loop if it sleeps; called in signal handlers, so it must be async-signal-safe. What the
    /// loop looks for between saying that it sleeps and sleeping was published by a `SeqCst` write.
    #[cfg_attr(
        not(any(unix, windows)),
        expect(dead_code, reason = "nothing rings where there are no signals")
    )]
    fn ring(&self);
}

/// One delivery of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) signal: i32,
    /// `si_code`; 0 if it was not kept, or where there is none.
    pub(crate) code: i32,
    pub(crate) pid: Option<u32>,
    pub(crate) uid: Option<u32>,
}
