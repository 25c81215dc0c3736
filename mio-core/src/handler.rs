//! [`Handler`]: what an event loop calls.

use crate::{
    child::ChildExit, clock::Expiry, event_loop::EventLoop, interest::Readiness, signal::SignalInfo,
};

/// What an event loop calls, one method for each kind of event; all of them do nothing by default.
///
/// `M` is the type of the messages that the handler receives; `L`, that of the loop that it runs in,
/// is another one only for a component inside a larger handler.
///
/// For a source that is ready the loop calls [`ready`](Handler::ready), which calls `readable`,
/// `writable`, `priority` and `closed` as far as they apply. An error that the handler cannot deal with
/// goes to [`EventLoop::fail`], which makes [`run`](EventLoop::run) return it.
///
/// ```
/// use std::io::{self, Write};
/// use mio_core::{EventLoop, Handler, pipe};
///
/// struct Hello;
///
/// impl Handler for Hello {
///     fn readable(&mut self, event_loop: &mut EventLoop, token: u64) {
///         println!("readable: {token}");
///         event_loop.shutdown();
///     }
/// }
///
/// let mut event_loop = EventLoop::new()?;
/// let (reader, mut writer) = pipe::new()?;
/// event_loop.register(&reader, 1u64)?;
/// writer.write_all(b"hello")?;
/// event_loop.run(Hello)?;
/// # Ok::<(), io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    note = "implement `Handler`, or the trait that `#[derive(Handler)]` made of an enum of sources; \
            as a component, for every loop that it may run in: `impl<L> …<L> for {Self}`"
)]
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait Handler<M = (), L = M> {
    /// A source is ready: the one entry for I/O.
    ///
    /// By default calls, in this order and as far as they apply, [`readable`](Handler::readable),
    /// [`writable`](Handler::writable), [`priority`](Handler::priority) and
    /// [`closed`](Handler::closed). An error or a hang-up is for both `readable` and `writable`, whatever
    /// the interest, so that the I/O call sees it. As soon as the source is deregistered, or
    /// [`EventLoop::fail`] is called, the rest is skipped.
    #[inline]
    fn ready(&mut self, event_loop: &mut EventLoop<L>, token: u64, readiness: Readiness) {
        if readiness.wants_read() {
            self.readable(event_loop, token);
        }
        if readiness.wants_write() && event_loop.is_current() {
            self.writable(event_loop, token);
        }
        if readiness.is_priority() && event_loop.is_current() {
            self.priority(event_loop, token);
        }
        if readiness.is_closed() && event_loop.is_current() {
            self.closed(event_loop, token);
        }
    }

    /// Reading, accepting or receiving would make progress, or would report the end or an error.
    #[inline]
    fn readable(&mut self, event_loop: &mut EventLoop<L>, token: u64) {}

    /// Writing or sending would make progress or would report an error; a connect has ended.
    #[inline]
    fn writable(&mut self, event_loop: &mut EventLoop<L>, token: u64) {}

    /// Out-of-band data waits.
    #[inline]
    fn priority(&mut self, event_loop: &mut EventLoop<L>, token: u64) {}

    /// Both directions are closed. Comes last, and never for a mere half-close; what the peer sent
    /// before may still wait to be read.
    #[inline]
    fn closed(&mut self, event_loop: &mut EventLoop<L>, token: u64) {}

    /// A timer is due: never before its deadline, in the order of deadlines, and those of one deadline in
    /// the order in which they were set.
    #[inline]
    fn timeout(&mut self, event_loop: &mut EventLoop<L>, token: u64, expiry: Expiry) {}

    /// A message arrived; those of one sender in the order in which it sent them.
    #[inline]
    fn message(&mut self, event_loop: &mut EventLoop<L>, message: M) {}

    /// A signal occurred, once or several times: [`SignalInfo`] says when they are merged.
    #[inline]
    fn signal(&mut self, event_loop: &mut EventLoop<L>, token: u64, info: SignalInfo) {}

    /// A watched child exited. It is not reaped: its owner's `wait` still answers.
    #[inline]
    fn child(&mut self, event_loop: &mut EventLoop<L>, token: u64, exit: ChildExit) {}

    /// The end of a turn, after all that happened in it, also if nothing did. A turn that
    /// [`shutdown`](EventLoop::shutdown) or [`fail`](EventLoop::fail) ends has none.
    #[inline]
    fn tick(&mut self, event_loop: &mut EventLoop<L>) {}
}

impl<M, L, H: Handler<M, L> + ?Sized> Handler<M, L> for &mut H {
    #[inline]
    fn ready(&mut self, event_loop: &mut EventLoop<L>, token: u64, readiness: Readiness) {
        (**self).ready(event_loop, token, readiness);
    }

    #[inline]
    fn readable(&mut self, event_loop: &mut EventLoop<L>, token: u64) {
        (**self).readable(event_loop, token);
    }

    #[inline]
    fn writable(&mut self, event_loop: &mut EventLoop<L>, token: u64) {
        (**self).writable(event_loop, token);
    }

    #[inline]
    fn priority(&mut self, event_loop: &mut EventLoop<L>, token: u64) {
        (**self).priority(event_loop, token);
    }

    #[inline]
    fn closed(&mut self, event_loop: &mut EventLoop<L>, token: u64) {
        (**self).closed(event_loop, token);
    }

    #[inline]
    fn timeout(&mut self, event_loop: &mut EventLoop<L>, token: u64, expiry: Expiry) {
        (**self).timeout(event_loop, token, expiry);
    }

    #[inline]
    fn message(&mut self, event_loop: &mut EventLoop<L>, message: M) {
        (**self).message(event_loop, message);
    }

    #[inline]
    fn signal(&mut self, event_loop: &mut EventLoop<L>, token: u64, info: SignalInfo) {
        (**self).signal(event_loop, token, info);
    }

    #[inline]
    fn child(&mut self, event_loop: &mut EventLoop<L>, token: u64, exit: ChildExit) {
        (**self).child(event_loop, token, exit);
    }

    #[inline]
    fn tick(&mut self, event_loop: &mut EventLoop<L>) {
        (**self).tick(event_loop);
    }
}
