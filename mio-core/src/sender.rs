//! Sending messages to a loop, and waking it when it sleeps.

use std::{error, fmt, io, mem};

use crate::{
    doorbell::{Doorbell, Wake},
    queue::{Consumer, Queue, queue},
    sync::Arc,
    sys::Waker,
};

/// Sends messages to an event loop, from any thread.
///
/// [`send`](Sender::send) never blocks and never allocates. The messages of one sender arrive in the order
/// in which it sent them. The loop is woken, by one system call, only if it sleeps; one that is awake does not
/// sleep before it has taken all messages, at most [`Config::messages_per_turn`](crate::Config::messages_per_turn)
/// in a turn.
///
/// After several messages, and nothing from sources beside them, the loop gives the senders a microsecond before it sleeps:
/// while they send all the time, they need not wake it. A microsecond that brings nothing makes the next ones rarer, down to
/// one in 64 such sleeps. With [virtual time](crate::Config::virtual_time) there are none, nor before a wait for no time.
///
/// ```
/// use std::thread;
/// use mio_core::{EventLoop, Handler};
///
/// struct Sum(u32);
///
/// impl Handler<u32> for Sum {
///     fn message(&mut self, event_loop: &mut EventLoop<u32>, number: u32) {
///         self.0 += number;
///         if number == 3 {
///             event_loop.shutdown();
///         }
///     }
/// }
///
/// let mut event_loop = EventLoop::new()?;
/// let sender = event_loop.sender();
/// let thread = thread::spawn(move || (1..=3).try_for_each(|number| sender.send(number)));
/// assert_eq!(event_loop.run(Sum(0))?.0, 6);
/// thread.join().expect("no panic")?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A sender is cheap to clone. While one exists the queue and the waker of its loop stay allocated, even
/// after the loop is gone.
///
/// # Portability
///
/// The same everywhere. How it wakes is said at [`Waker`](crate::Waker).
pub struct Sender<M>(Inlet<M, Arc<Waker>>);

impl<M> Sender<M> {
    /// Puts `message` into the queue of the loop.
    ///
    /// A loop that cannot be woken, which no kernel we know does to a valid waker, finds the message when
    /// it next wakes for another reason, or when a later message succeeds in waking it.
    ///
    /// # Errors
    ///
    /// [`Full`](SendError::Full) if as many messages are waiting as the queue has room for, and
    /// [`Closed`](SendError::Closed) if the loop is gone; both give the message back.
    #[inline]
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        Outbox::send(self, message)
    }

    /// Whether the loop is gone. It does not come back.
    pub fn is_closed(&self) -> bool {
        Outbox::is_closed(self)
    }

    /// How many messages the queue has room for: the configured number, rounded up to a power of two.
    pub fn capacity(&self) -> usize {
        Outbox::capacity(self)
    }

    /// Makes a sender of `C`s, for a component whose messages the loop knows wrapped into its own.
    ///
    /// See [`MappedSender`].
    pub fn map<C>(self, wrap: fn(C) -> M) -> MappedSender<C, M> {
        Outbox::map(self, wrap)
    }
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Sender<M> {
        Sender(self.0.clone())
    }
}

impl<M> fmt::Debug for Sender<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Sender", self, f)
    }
}

/// A [`Sender`], or another `MappedSender`, whose messages are wrapped on their way.
///
/// A component sends messages of its own type `C` and need not know the type `M` of the loop it runs in,
/// nor how deep it is nested: mapped senders can be mapped again, and [`Outbox`] is what they have in common.
///
/// ```
/// use mio_core::{EventLoop, Outbox, SendError};
///
/// enum Command { Admin(AdminCommand) }
/// enum AdminCommand { Log(String) }
///
/// /// Somewhere in the component, which knows nothing of `Command`.
/// fn report(parent: &impl Outbox<AdminCommand>) -> Result<(), SendError<String>> {
///     parent.clone().map(AdminCommand::Log).send("ready".to_owned())
/// }
///
/// let event_loop = EventLoop::new()?;
/// report(&event_loop.sender().map(Command::Admin))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// `wrap` is called after a place in the queue was claimed, so that a refused message comes back
/// as it was given. Until it returns, messages sent after this one wait for it: let it be a plain
/// conversion, best the constructor of an enum's variant. If it panics, the panic goes to the caller
/// of `send`; nothing is sent, and one place is missing until the loop has passed it.
pub struct MappedSender<C, M, S = Sender<M>> {
    sender: S,
    wrap: fn(C) -> M,
}

impl<C, M, S: Outbox<M>> MappedSender<C, M, S> {
    /// Puts the wrapped `message` into the queue of the loop. See [`Sender::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`], with `message` as it was.
    ///
    /// # Panics
    ///
    /// If the wrapping function panics.
    #[inline]
    pub fn send(&self, message: C) -> Result<(), SendError<C>> {
        Outbox::send(self, message)
    }

    /// Whether the loop is gone. It does not come back.
    pub fn is_closed(&self) -> bool {
        Outbox::is_closed(self)
    }

    /// How many messages the queue has room for, which it shares with all other senders.
    pub fn capacity(&self) -> usize {
        Outbox::capacity(self)
    }

    /// Makes a sender of `B`s, for a component in this component.
    pub fn map<B>(self, wrap: fn(B) -> C) -> MappedSender<B, C, Self> {
        Outbox::map(self, wrap)
    }
}

impl<C, M, S: Clone> Clone for MappedSender<C, M, S> {
    fn clone(&self) -> Self {
        MappedSender { sender: self.sender.clone(), wrap: self.wrap }
    }
}

impl<C, M, S: Outbox<M>> fmt::Debug for MappedSender<C, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("MappedSender", self, f)
    }
}

/// What takes messages of type `M` for a loop: [`Sender<M>`], or a [`MappedSender`] that takes `M`.
///
/// A component that can be nested at any depth is generic over it. It cannot be implemented elsewhere.
pub trait Outbox<M>: Clone + sealed::Outbox<M> {
    /// Puts `message` into the queue of the loop. See [`Sender::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`], with `message` as it was.
    #[inline]
    fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.send_with(message, |message| message)
    }

    /// Whether the loop is gone. It does not come back.
    fn is_closed(&self) -> bool {
        self.closed()
    }

    /// How many messages the queue has room for, which all senders of a loop share.
    fn capacity(&self) -> usize {
        self.room()
    }

    /// Makes a sender of `C`s. See [`MappedSender`].
    fn map<C>(self, wrap: fn(C) -> M) -> MappedSender<C, M, Self> {
        MappedSender { sender: self, wrap }
    }
}

impl<M, S: Clone + sealed::Outbox<M>> Outbox<M> for S {}

mod sealed {
    use super::SendError;

    pub trait Outbox<M> {
        /// Sends `wrap(value)`, and calls `wrap` only if there is a place for it.
        fn send_with<C>(&self, value: C, wrap: impl FnOnce(C) -> M) -> Result<(), SendError<C>>;
        fn closed(&self) -> bool;
        fn room(&self) -> usize;
    }
}

impl<M> sealed::Outbox<M> for Sender<M> {
    #[inline]
    fn send_with<C>(&self, value: C, wrap: impl FnOnce(C) -> M) -> Result<(), SendError<C>> {
        self.0.send_with(value, wrap)
    }

    fn closed(&self) -> bool {
        self.0.closed()
    }

    fn room(&self) -> usize {
        self.0.room()
    }
}

impl<C, M, S: Outbox<M>> sealed::Outbox<C> for MappedSender<C, M, S> {
    #[inline]
    fn send_with<B>(&self, value: B, wrap: impl FnOnce(B) -> C) -> Result<(), SendError<B>> {
        self.sender.send_with(value, |value| (self.wrap)(wrap(value)))
    }

    fn closed(&self) -> bool {
        self.sender.closed()
    }

    fn room(&self) -> usize {
        self.sender.room()
    }
}

fn debug<M>(name: &str, outbox: &impl Outbox<M>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (capacity, closed) = (outbox.capacity(), outbox.is_closed());
    f.debug_struct(name).field("capacity", &capacity).field("closed", &closed).finish()
}

/// Why a message was not sent, with the message.
///
/// As an [`io::Error`] it has the kind [`QuotaExceeded`](io::ErrorKind::QuotaExceeded) or
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe), and the message is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<M> {
    /// The queue has no room now.
    Full(M),
    /// The loop is gone.
    Closed(M),
}

impl<M> SendError<M> {
    /// The message that was not sent.
    pub fn into_inner(self) -> M {
        match self {
            SendError::Full(message) | SendError::Closed(message) => message,
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full(_) => "Full(..)",
            SendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full(_) => "the message queue of the event loop is full",
            SendError::Closed(_) => "the event loop is gone",
        })
    }
}

impl<M> error::Error for SendError<M> {}

impl<M> From<SendError<M>> for io::Error {
    fn from(error: SendError<M>) -> io::Error {
        match error {
            SendError::Full(_) => io::ErrorKind::QuotaExceeded.into(),
            SendError::Closed(_) => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

/// A queue's producers' side, with the doorbell to ring: a [`Sender`], for any way of waking.
pub(crate) struct Inlet<M, W>(Arc<Queue<M, Doorbell<W>>>);

impl<M, W: Wake> sealed::Outbox<M> for Inlet<M, W> {
    #[inline]
    fn send_with<C>(&self, value: C, wrap: impl FnOnce(C) -> M) -> Result<(), SendError<C>> {
        // Also if `wrap` panics: the place it leaves may have stood before messages that are there.
        let bell = RingOnDrop(&self.0.common);
        self.0.push_with(value, wrap).map_err(|value| {
            mem::forget(bell);
            self.refuse(value)
        })
    }

    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn room(&self) -> usize {
        self.0.capacity()
    }
}

impl<M, W> Inlet<M, W> {
    #[cold]
    fn refuse<C>(&self, value: C) -> SendError<C> {
        if self.0.is_closed() { SendError::Closed(value) } else { SendError::Full(value) }
    }
}

impl<M, W> Clone for Inlet<M, W> {
    fn clone(&self) -> Inlet<M, W> {
        Inlet(Arc::clone(&self.0))
    }
}

struct RingOnDrop<'a, W: Wake>(&'a Doorbell<W>);

impl<W: Wake> Drop for RingOnDrop<'_, W> {
    #[inline]
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// The loop's side: its messages and its doorbell. Dropping it closes the queue and drops what is in it.
#[derive(Debug)]
pub(crate) struct Receiver<M, W = Arc<Waker>>(Consumer<M, Doorbell<W>>);

impl<M, W> Receiver<M, W> {
    /// Makes room for `capacity` messages, rounded up to a power of two.
    ///
    /// # Errors
    ///
    /// `OutOfMemory`.
    pub(crate) fn new(capacity: usize, waker: W) -> io::Result<Receiver<M, W>> {
        let (_, messages) = queue(capacity, Doorbell::new(waker))?;
        Ok(Receiver(messages))
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<M> {
        self.0.pop()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets senders wake the loop from here on. Answers whether nothing came before.
    #[inline(always)]
    pub(crate) fn sleep_begin(&self) -> bool {
        self.0.is_empty_after(Doorbell::sleep_begin)
    }

    #[inline]
    pub(crate) fn doorbell(&self) -> &Doorbell<W> {
        &self.0.queue().common
    }

    fn inlet(&self) -> Inlet<M, W> {
        Inlet(Arc::clone(self.0.queue()))
    }
}

impl<M> Receiver<M> {
    pub(crate) fn sender(&self) -> Sender<M> {
        Sender(self.inlet())
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests;
