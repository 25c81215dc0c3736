//! [`Command`].

/// What a proxy can be asked for, from any thread: by the [`Sender`](crate::Sender) of its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Accept no more and let the pairs finish, for
    /// [`ProxyConfig::drain_timeout`](super::ProxyConfig::drain_timeout) at most. If it drains already: end
    /// now.
    Drain,
    /// End now.
    Stop,
    /// Call [`Hooks::report`](super::Hooks::report).
    Report,
}
