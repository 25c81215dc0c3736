//! Handing an event loop on: to a handler with tokens of its own, or to a component of it.
#![allow(unsafe_code)]

use std::{
    fmt, io,
    ops::{Deref, DerefMut},
    ptr,
};

use crate::{
    child::ChildExit,
    event_loop::EventLoop,
    handler::Handler,
    interest::Readiness,
    signal::SignalInfo,
    timer::Expiry,
    token::{Any, In, Scope, Scoping},
};

impl<M> EventLoop<M> {
    /// This loop for a handler whose tokens are `S`: it takes no others then.
    ///
    /// The code that `#[derive(Handler)]` writes does this for you, in callbacks. It is for what comes
    /// before the first callback, such as a constructor that registers sources.
    ///
    /// It is for the handler that this loop is run with. What is handed to a component of that handler
    /// comes from [`nested`](EventLoop::nested), or its events go astray.
    #[inline]
    pub fn scoped<S>(&mut self) -> &mut EventLoop<M, S> {
        self.rescoped()
    }
}

impl<M, S> EventLoop<M, S> {
    /// This loop for a component, as long as the result lives: the component's tokens get their place
    /// in those of `scope`'s parent.
    ///
    /// To make a component, `Admin::new(&mut event_loop.nested(On::ADMIN))`; to send it a message,
    /// `event_loop.nested(On::ADMIN).deliver_message(&mut self.admin, message)?`.
    #[inline]
    pub fn nested<P: In<S>, C>(&mut self, scope: Scope<P, C>) -> Nested<'_, M, C> {
        let outer = self.inner.scoping;
        self.inner.scoping = outer.within(scope);
        Nested { event_loop: self.rescoped(), outer }
    }

    #[inline]
    fn rescoped<T>(&mut self) -> &mut EventLoop<M, T> {
        let event_loop: *mut EventLoop<M, T> = ptr::from_mut(self).cast();
        // SAFETY: `EventLoop` is `repr(transparent)` over an `Inner<M>`, whatever the scope, which only
        // says what its methods accept. The pointer comes from a `&mut` that is borrowed as long.
        unsafe { &mut *event_loop }
    }
}

/// An event loop as a component sees it: what [`EventLoop::nested`] answers. The loop is the parent's
/// again when this is dropped, by a panic too.
///
/// Its methods hand one event to the component. They return what the component did not deal with: the
/// error that it called [`EventLoop::fail`] with, as derived handlers do by default. If there is
/// nobody to return it to, because the component failed in another way, then dropping this makes the parent
/// fail with it.
pub struct Nested<'a, M, C> {
    event_loop: &'a mut EventLoop<M, C>,
    outer: Scoping,
}

impl<M, C> Nested<'_, M, C> {
    /// Hands on that a source of the component is ready. `token` is the component's own: the parent's
    /// bits are shifted out.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_ready<N, H: Handler<N, M> + ?Sized>(
        self,
        component: &mut H,
        token: u64,
        readiness: Readiness,
    ) -> io::Result<()> {
        self.call(|event_loop| component.ready(event_loop, token, readiness))
    }

    /// Hands on that a timer of the component is due.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_timeout<N, H: Handler<N, M> + ?Sized>(
        self,
        component: &mut H,
        token: u64,
        expiry: Expiry,
    ) -> io::Result<()> {
        self.call(|event_loop| component.timeout(event_loop, token, expiry))
    }

    /// Hands on a signal.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_signal<N, H: Handler<N, M> + ?Sized>(
        self,
        component: &mut H,
        token: u64,
        info: SignalInfo,
    ) -> io::Result<()> {
        self.call(|event_loop| component.signal(event_loop, token, info))
    }

    /// Hands on that a child of the component exited.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_child<N, H: Handler<N, M> + ?Sized>(
        self,
        component: &mut H,
        token: u64,
        exit: ChildExit,
    ) -> io::Result<()> {
        self.call(|event_loop| component.child(event_loop, token, exit))
    }

    /// Hands on a message to the component, which came inside one of the parent's. See
    /// [`Sender::map`](crate::Sender::map).
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_message<N, H: Handler<N, M> + ?Sized>(
        self,
        component: &mut H,
        message: N,
    ) -> io::Result<()> {
        self.call(|event_loop| component.message(event_loop, message))
    }

    /// Tells the component that a turn ends.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_tick<N, H: Handler<N, M> + ?Sized>(self, component: &mut H) -> io::Result<()> {
        self.call(|event_loop| component.tick(event_loop))
    }

    #[inline]
    fn call(mut self, callback: impl FnOnce(&mut EventLoop<M, Any>)) -> io::Result<()> {
        callback(self.event_loop.rescoped());
        if self.event_loop.inner.uncaught.is_some() { self.uncaught() } else { Ok(()) }
    }

    /// Takes the error, if it is the component's own or of a component in it.
    #[cold]
    fn uncaught(&mut self) -> io::Result<()> {
        let inner = &mut self.event_loop.inner;
        let depth = inner.scoping.depth();
        match inner.uncaught.take_if(|&mut (failed, _)| failed >= depth) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Makes the parent fail, if the component did.
    #[cold]
    fn surface(&mut self) {
        let depth = self.outer.depth();
        let inner = &mut self.event_loop.inner;
        if let Some((_, error)) = inner.uncaught.take_if(|&mut (failed, _)| failed > depth) {
            self.event_loop.fail(error);
        }
    }
}

impl<M, C> Drop for Nested<'_, M, C> {
    #[inline]
    fn drop(&mut self) {
        self.event_loop.inner.scoping = self.outer;
        if self.event_loop.inner.uncaught.is_some() {
            self.surface();
        }
    }
}

impl<M, C> Deref for Nested<'_, M, C> {
    type Target = EventLoop<M, C>;

    #[inline]
    fn deref(&self) -> &EventLoop<M, C> {
        self.event_loop
    }
}

impl<M, C> DerefMut for Nested<'_, M, C> {
    #[inline]
    fn deref_mut(&mut self) -> &mut EventLoop<M, C> {
        self.event_loop
    }
}

impl<M, C> fmt::Debug for Nested<'_, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event_loop.fmt(f)
    }
}
