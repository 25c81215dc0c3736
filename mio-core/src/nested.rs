//! Handing an event loop on: to a handler with tokens of its own, or to a component of it.
#![allow(unsafe_code)]

use std::{
    fmt, io, mem,
    ops::{Deref, DerefMut},
    ptr,
};

use crate::{
    child::ChildExit,
    clock::Expiry,
    event_loop::{EventLoop, Inner},
    handler::Handler,
    interest::Readiness,
    signal::SignalInfo,
    token::{Any, In, Left, Outer, Scope},
};

impl<M> EventLoop<M> {
    /// This loop for a handler whose tokens are `S`: it takes no others then.
    ///
    /// The code that `#[derive(Handler)]` writes does this for you, in callbacks. It is for what comes
    /// before the first callback, such as a constructor that registers sources.
    ///
    /// Whatever it is handed to says what `S` is. Nothing has to be scoped for a call on the whole loop, which takes any
    /// token: `event_loop.scoped().register(…)` would not say it and does not compile, and `event_loop.register(…)` does.
    ///
    /// ```
    /// use std::{io, time::Duration};
    /// use mio_core::{EventLoop, Handler, Timeout};
    ///
    /// #[derive(Clone, Copy, Debug, Handler)]
    /// #[handler(state = Pulse)]
    /// enum On {
    ///     #[timer]
    ///     Beat,
    ///     #[timer]
    ///     End,
    /// }
    ///
    /// struct Pulse(Timeout);
    ///
    /// impl Pulse {
    ///     fn new(event_loop: &mut EventLoop<(), On>) -> io::Result<Pulse> {
    ///         event_loop.interval(On::Beat, Duration::from_millis(1)).map(Pulse)
    ///     }
    /// }
    ///
    /// impl OnHandler for Pulse {
    ///     // …
    /// #   fn beat(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
    /// #       Ok(())
    /// #   }
    /// #   fn end(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
    /// #       event_loop.shutdown();
    /// #       Ok(())
    /// #   }
    /// }
    ///
    /// let mut event_loop = EventLoop::new()?;
    /// let pulse = Pulse::new(event_loop.scoped())?;
    /// event_loop.timeout(On::End, Duration::from_millis(5))?;
    /// event_loop.run(pulse)?;
    /// # Ok::<(), io::Error>(())
    /// ```
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
    /// For what is called outside of the component's callbacks, as `Admin::new(&mut
    /// event_loop.nested(On::ADMIN))`. If the component [fails](EventLoop::fail) there, so does the parent, when
    /// the result is dropped: at the end of the statement, so each component is made in one of its own.
    ///
    /// If the result is forgotten, by [`mem::forget`], the loop stays the component's until the callback of the
    /// component that called this has returned; if none has, until the loop is run the next time.
    #[inline]
    pub fn nested<P: In<S>, C>(&mut self, scope: Scope<P, C>) -> Nested<'_, M, C> {
        self.inner.settle();
        let outer = self.inner.scoping.enter(scope, scope.prefix());
        Nested { event_loop: self.rescoped(), scope: scope.of_any(), outer }
    }
}

/// Handing events on to a component: derived handlers do it for you, except for messages.
impl<M, S> EventLoop<M, S> {
    /// Hands on that a source of the component is ready. `token` is as the parent got it.
    ///
    /// # Errors
    ///
    /// What the component did not deal with: the error that it called [`fail`](EventLoop::fail) with, as derived
    /// handlers do by default.
    #[inline]
    pub fn deliver_ready<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
        token: u64,
        readiness: Readiness,
    ) -> io::Result<()> {
        let own = scope.own(token);
        self.within(scope, token, |event_loop| component.ready(event_loop, own, readiness))
    }

    /// Hands on that a timer of the component is due.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_timeout<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
        token: u64,
        expiry: Expiry,
    ) -> io::Result<()> {
        let own = scope.own(token);
        self.within(scope, token, |event_loop| component.timeout(event_loop, own, expiry))
    }

    /// Hands on a signal.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_signal<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
        token: u64,
        info: SignalInfo,
    ) -> io::Result<()> {
        let own = scope.own(token);
        self.within(scope, token, |event_loop| component.signal(event_loop, own, info))
    }

    /// Hands on that a child of the component exited.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_child<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
        token: u64,
        exit: ChildExit,
    ) -> io::Result<()> {
        let own = scope.own(token);
        self.within(scope, token, |event_loop| component.child(event_loop, own, exit))
    }

    /// Hands on a message to the component, which came inside one of the parent's:
    /// `event_loop.deliver_message(On::ADMIN, &mut self.admin, message)?`. See
    /// [`Sender::map`](crate::Sender::map).
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_message<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
        message: N,
    ) -> io::Result<()> {
        // Unlike an event, a message may be handed on wherever the loop is.
        self.inner.settle();
        self.within(scope, scope.prefix(), |event_loop| component.message(event_loop, message))
    }

    /// Tells the component that a turn ends.
    ///
    /// # Errors
    ///
    /// What the component failed with.
    #[inline]
    pub fn deliver_tick<P: In<S>, C, N, H: Handler<N, M> + ?Sized>(
        &mut self,
        scope: Scope<P, C>,
        component: &mut H,
    ) -> io::Result<()> {
        self.within(scope, scope.prefix(), |event_loop| component.tick(event_loop))
    }

    #[inline(always)]
    fn within<P, C>(
        &mut self,
        scope: Scope<P, C>,
        token: u64,
        callback: impl FnOnce(&mut EventLoop<M, Any>),
    ) -> io::Result<()> {
        if !self.inner.scoping.is_root() {
            self.inner.settle();
        }
        let outer = self.inner.scoping.enter(scope, token);
        let nested = Nested { event_loop: self.rescoped::<C>(), scope: scope.of_any(), outer };
        callback(nested.event_loop.rescoped());
        mem::forget(nested);
        self.leave(scope, outer)
    }

    /// Goes back to the scope outside of `scope`, with the error that the component failed with.
    #[inline(always)]
    fn leave<P, C>(&mut self, scope: Scope<P, C>, outer: Outer) -> io::Result<()> {
        if self.inner.scoping.leave(scope) {
            Ok(())
        } else {
            self.leave_with_care(scope.of_any(), outer)
        }
    }

    #[inline(never)]
    fn leave_with_care(&mut self, scope: Scope<Any, Any>, outer: Outer) -> io::Result<()> {
        let Inner { scoping, uncaught, .. } = &mut self.inner;
        match scoping.leave_with_care(scope, outer, uncaught.as_ref().map(|&(depth, _)| depth)) {
            Left::Well => {}
            Left::Failed => {
                if let Some((_, error)) = uncaught.take() {
                    return Err(error);
                }
            }
            Left::Another => self.inner.replace_robbed(),
        }
        Ok(())
    }

    // Out of line, and all by value: so what there is to drop needs no place in memory where a component is called.
    #[inline(never)]
    fn leave_or_fail(&mut self, scope: Scope<Any, Any>, outer: Outer) {
        if let Err(error) = self.leave(scope, outer) {
            self.fail(error);
        }
    }

    #[inline(always)]
    fn rescoped<T>(&mut self) -> &mut EventLoop<M, T> {
        let event_loop: *mut EventLoop<M, T> = ptr::from_mut(self).cast();
        // SAFETY: `EventLoop` is `repr(transparent)` over an `Inner<M>`, whatever the scope, which only
        // says what its methods accept. The pointer comes from a `&mut` that is borrowed as long.
        unsafe { &mut *event_loop }
    }
}

/// Only says what a component is, so that derived code can say where there is none.
#[inline(always)]
pub fn component<N, L, H: Handler<N, L> + ?Sized>(component: &mut H) -> &mut H {
    component
}

/// An event loop as a component sees it: what [`EventLoop::nested`] answers. The loop is the parent's
/// again when this is dropped, by a panic too.
pub struct Nested<'a, M, C> {
    event_loop: &'a mut EventLoop<M, C>,
    scope: Scope<Any, Any>,
    outer: Outer,
}

impl<M, C> Drop for Nested<'_, M, C> {
    #[inline]
    fn drop(&mut self) {
        self.event_loop.leave_or_fail(self.scope, self.outer);
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
