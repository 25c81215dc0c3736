//! Every bound of an event loop, with its default and its unit.

use std::time::Duration;

/// The bounds of an event loop, each with a default. All memory is taken when the loop is built. Of that
/// for timers, events and [`again`](crate::EventLoop::again) what is never used is never touched, so that on
/// systems which commit memory at the first touch a generous bound costs address space, not memory; a place
/// for a message, a signal or a child costs its memory at once.
///
/// A bound of zero is refused where nothing would work (see
/// [`with_config`](crate::EventLoop::with_config)). With no timers, no children or, where they are bounded, no sources
/// every request for one is refused; `signals` of zero is one.
///
/// ```
/// use mio_core::{Config, EventLoop};
///
/// let event_loop = EventLoop::<()>::with_config(Config { timers: 1_000_000, ..Config::default() })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Sources registered at a time, except with epoll, which bounds them by the limit of descriptors; and on every
    /// platform how many requests [`again`](crate::EventLoop::again) holds. Default 16,384.
    pub sources: usize,
    /// Events taken from the kernel at a time, and requests of [`again`](crate::EventLoop::again) handled
    /// at a time. Default 1,024; more than the kernel allows (over a hundred million with epoll) is as good as that.
    pub events: usize,
    /// Timers armed at a time. Default 16,384.
    pub timers: usize,
    /// Timers fired in a turn. Default 1,024.
    pub timers_per_turn: usize,
    /// Steps in a turn by which timers get on to be fired, or to their new place if they were pushed back. One that
    /// fires takes about three, one that was pushed back up to some thirty. Default 4,096.
    pub repairs_per_turn: usize,
    /// Messages sent and not yet received; rounded up to a power of two. Default 1,024.
    pub messages: usize,
    /// Messages received in a turn. Default 1,024.
    pub messages_per_turn: usize,
    /// Signals that occurred and were not yet handled, and signals handled in a turn; rounded up to a
    /// power of two. Those that find no room are merged, each with its like. Default 64.
    pub signals: usize,
    /// Children watched at a time, at most 65,280. Default 64.
    pub children: usize,
    /// How exactly the loop sleeps towards a deadline. Default [`Precision::Cheap`].
    pub precision: Precision,
    /// For how long to look for events before sleeping: saves the tens of microseconds that waking a
    /// thread takes, and keeps a core busy meanwhile. Default zero: sleep at once, or a microsecond after several
    /// messages (see [`Sender`](crate::Sender)).
    ///
    /// Portability: `Unsupported` where there is no clock, on the Web.
    pub spin: Duration,
    /// Virtual time, for tests: when nothing is ready, the clock jumps to the next deadline instead
    /// of waiting for it. The number seeds the order of events within a turn; the same seed gives
    /// the same run, if all peers live in the loop's own thread. Default none: real time.
    pub virtual_time: Option<u64>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            sources: 16_384,
            events: 1024,
            timers: 16_384,
            timers_per_turn: 1024,
            repairs_per_turn: 4096,
            messages: 1024,
            messages_per_turn: 1024,
            signals: 64,
            children: 64,
            precision: Precision::Cheap,
            spin: Duration::ZERO,
            virtual_time: None,
        }
    }
}

/// How exactly the loop sleeps towards a deadline. It is never early with either.
///
/// `cargo run --release --example lateness` measures both; the table below is of a virtual machine with the default
/// timer slack of 50 µs.
///
/// | delay | median with `Cheap` | waits | median with `Exact` | waits |
/// |---|---|---|---|---|
/// | 50 µs | 77 µs late | 1 | as `Cheap` | 1 |
/// | 5 ms | 111 µs | 1 | as `Cheap` | 1 |
/// | 200 ms | 265 µs | 1 | 102 µs | 2 |
/// | 1 s | 1,062 µs | 1 | 106 µs | 2 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// One wait for each deadline, as late as the kernel makes it: its timer slack (50 µs unless the
    /// thread changed it), on epoll 0.1 % of the wait if that is more (0.5 % in a thread with a positive
    /// nice value), at most 100 ms, and for waits of a second and more the rest of a millisecond and up to
    /// 0.025 % if timers were pushed back meanwhile.
    ///
    /// Portability: with poll(2) and before Windows 10 (1803) the rest of a millisecond. With kqueue as late as that kernel makes it.
    #[default]
    Cheap,
    /// Wakes a little before a far deadline, 0.6 % of the wait and at most 110 ms, and waits again, so that
    /// only the timer slack is left: at most one wait more for each deadline that fires.
    ///
    /// Portability: with poll(2) and before Windows 10 (1803) the rest of a millisecond, too.
    Exact,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let Config {
            sources,
            events,
            timers,
            timers_per_turn,
            repairs_per_turn,
            messages,
            messages_per_turn,
            signals,
            children,
            precision,
            spin,
            virtual_time,
        } = Config::default();
        assert_eq!((precision, spin, virtual_time), (Precision::Cheap, Duration::ZERO, None));
        for (field, value) in [
            ("sources", sources),
            ("events", events),
            ("timers", timers),
            ("timers_per_turn", timers_per_turn),
            ("repairs_per_turn", repairs_per_turn),
            ("messages", messages),
            ("messages_per_turn", messages_per_turn),
            ("signals", signals),
            ("children", children),
        ] {
            let (before, _) =
                include_str!("config.rs").split_once(&format!("pub {field}: usize")).unwrap();
            let (_, docs) = before.rsplit_once("pub ").unwrap();
            let value = match value {
                1000.. => format!("{},{:03}", value / 1000, value % 1000),
                _ => value.to_string(),
            };
            assert!(docs.contains(&format!("Default {value}")), "{field}: {docs}");
        }
    }
}
