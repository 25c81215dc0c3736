//! How an event finds its code: the derive, a match by hand, a table of boxes, of enums, of closures.
//!
//! All of them serve the same echo, and all but calloop, which calls a boxed closure for each source, on
//! the same loop. They make the same checks: a key of another generation finds nothing, an error has a
//! place to go to, nothing more is called for a source that is gone.
//!
//! An event here is of both directions. The derive and the match have a method for each, and each method
//! looks its connection up, so that it stands for itself; the tables are looked up once an event, for what
//! is called has its state at hand. That is what the tables are ahead by.

use std::io;

use mio_core::{EventLoop, Handler, Key, Readiness, Sender, Slab};

use crate::echo::Echo;
use crate::loops::{self, Serve};
use crate::measure::{Cost, measure};
use crate::walls::OURS;

pub const BY_HAND: &str = "mio-core, by hand";
pub const NESTED: &str = "mio-core, nested";

pub const PEERS: &[(&str, Serve)] = &[
    (OURS, derived::serve),
    (BY_HAND, by_hand::serve),
    (NESTED, nested::serve),
    ("table of enums", tables::enums),
    ("table of Box<dyn Source>", tables::objects),
    ("table of Box<dyn FnMut>", tables::closures),
    ("calloop", loops::calloop),
];

/// What all of them do with an event. Inlined into each, as it is in a program that has one.
struct Server<'a> {
    echo: &'a mut Echo,
    connections: Slab<usize>,
}

impl<'a> Server<'a> {
    fn new(echo: &'a mut Echo) -> Server<'a> {
        Server { connections: Slab::with_capacity(echo.connections.len()), echo }
    }

    #[inline(always)]
    fn readable<L, S>(&mut self, event_loop: &mut EventLoop<L, S>, key: Key) -> io::Result<()> {
        if let Some(&index) = self.connections.get(key) {
            if self.echo.readable(index) {
                event_loop.shutdown();
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn writable<L, S>(&mut self, event_loop: &mut EventLoop<L, S>, key: Key) -> io::Result<()> {
        if let Some(&index) = self.connections.get(key) {
            if self.echo.writable(index) {
                event_loop.shutdown();
            }
        }
        Ok(())
    }
}

/// By the derive.
mod derived {
    use super::*;

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = Derived<'a>, message = u64, generics(<'a>))]
    pub(super) enum On {
        #[io(readable, level)]
        Listener,
        #[io(readable, writable)]
        Connection(Key),
        #[timer]
        Idle(Key),
        #[signal(TERM, USR1)]
        Stop,
    }

    pub(super) struct Derived<'a>(pub(super) Server<'a>);

    impl<L> OnHandler<L> for Derived<'_> {
        #[inline(always)]
        fn listener_readable(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.0.echo.accept();
            Ok(())
        }

        #[inline(always)]
        fn connection_readable(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            key: Key,
        ) -> io::Result<()> {
            self.0.readable(event_loop, key)
        }

        #[inline(always)]
        fn connection_writable(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            key: Key,
        ) -> io::Result<()> {
            self.0.writable(event_loop, key)
        }

        fn idle(&mut self, _: &mut EventLoop<L, On>, _: Key) -> io::Result<()> {
            unreachable!("no timer is set")
        }

        fn stop(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            _: mio_core::SignalInfo,
        ) -> io::Result<()> {
            event_loop.shutdown();
            Ok(())
        }

        fn message(&mut self, event_loop: &mut EventLoop<L, On>, _stop: u64) -> io::Result<()> {
            event_loop.shutdown();
            Ok(())
        }
    }

    /// Registers all that it serves.
    pub(super) fn new<'a, L>(event_loop: &mut EventLoop<L, On>, echo: &'a mut Echo) -> Derived<'a> {
        let mut server = Server::new(echo);
        event_loop.register(&server.echo.listener, On::Listener).expect("register");
        event_loop.signals(On::Stop).expect("signals");
        for (index, connection) in server.echo.connections.iter().enumerate() {
            let key = server.connections.insert(index).expect("room");
            event_loop.register(&connection.stream, On::Connection(key)).expect("register");
        }
        Derived(server)
    }

    pub(super) fn serve(echo: &mut Echo) -> Cost {
        let (mut event_loop, _sender) = new_loop();
        let derived = new(event_loop.scoped(), echo);
        measure(|| drop(event_loop.run(derived).expect("run")))
    }
}

/// The same by hand, as somebody would who knows what to check.
mod by_hand {
    use super::*;
    use mio_core::{Expiry, Interest, Signal, SignalInfo, SignalSet, Trigger};

    const TAG_BITS: u32 = 2;
    const LISTENER: u64 = 0;
    const CONNECTION: u64 = 1;
    const IDLE: u64 = 2;
    const STOP: u64 = 3;

    struct ByHand<'a>(Server<'a>);

    impl ByHand<'_> {
        #[cold]
        fn error(&mut self, event_loop: &mut EventLoop<u64>, error: io::Error) {
            event_loop.fail(error);
        }
    }

    impl Handler<u64> for ByHand<'_> {
        fn ready(&mut self, event_loop: &mut EventLoop<u64>, token: u64, readiness: Readiness) {
            match token & ((1 << TAG_BITS) - 1) {
                LISTENER if token == LISTENER && readiness.wants_read() => self.0.echo.accept(),
                CONNECTION => {
                    let Some(key) = Key::from_bits(token >> TAG_BITS) else { return };
                    if readiness.wants_read() {
                        if let Err(error) = self.0.readable(event_loop, key) {
                            return self.error(event_loop, error);
                        }
                    }
                    if readiness.wants_write() && event_loop.is_current() {
                        if let Err(error) = self.0.writable(event_loop, key) {
                            self.error(event_loop, error);
                        }
                    }
                }
                _ => {}
            }
        }

        fn timeout(&mut self, _: &mut EventLoop<u64>, token: u64, _: Expiry) {
            assert_ne!(token & ((1 << TAG_BITS) - 1), IDLE, "no timer is set");
        }

        fn signal(&mut self, event_loop: &mut EventLoop<u64>, token: u64, _: SignalInfo) {
            if token == STOP {
                event_loop.shutdown();
            }
        }

        fn message(&mut self, event_loop: &mut EventLoop<u64>, _stop: u64) {
            event_loop.shutdown();
        }
    }

    pub(super) fn serve(echo: &mut Echo) -> Cost {
        let (mut event_loop, _sender) = new_loop();
        let mut server = Server::new(echo);
        event_loop
            .register_with(&server.echo.listener, LISTENER, Interest::READABLE, Trigger::Level)
            .expect("register");
        let signals = SignalSet::from_iter([Signal::TERM, Signal::USR1]);
        event_loop.signals_with(signals, STOP).expect("signals");
        for (index, connection) in server.echo.connections.iter().enumerate() {
            let key = server.connections.insert(index).expect("room");
            let token = key.to_bits() << TAG_BITS | CONNECTION;
            event_loop.register(&connection.stream, token).expect("register");
        }
        measure(|| drop(event_loop.run(ByHand(server)).expect("run")))
    }
}

/// The derived server as a component of another.
mod nested {
    use super::*;

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = Parent<'a>, message = u64, generics(<'a>))]
    enum On {
        #[nested(server)]
        Server(derived::On),
        #[timer]
        Own,
    }

    struct Parent<'a> {
        server: derived::Derived<'a>,
    }

    impl OnHandler for Parent<'_> {
        fn own(&mut self, _: &mut EventLoop<u64, On>) -> io::Result<()> {
            unreachable!("no timer is set")
        }
    }

    pub(super) fn serve(echo: &mut Echo) -> Cost {
        let (mut event_loop, _sender) = new_loop();
        let server = derived::new(&mut event_loop.nested(On::SERVER), echo);
        measure(|| drop(event_loop.run(Parent { server }).expect("run")))
    }
}

/// A table of whatever can be called, behind the same keys.
mod tables {
    use super::*;

    trait Source {
        fn ready(
            &mut self,
            echo: &mut Echo,
            event_loop: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()>;
    }

    struct Listener;

    impl Source for Listener {
        #[inline]
        fn ready(
            &mut self,
            echo: &mut Echo,
            _: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()> {
            if readiness.wants_read() {
                echo.accept();
            }
            Ok(())
        }
    }

    struct Connection(usize);

    impl Source for Connection {
        #[inline]
        fn ready(
            &mut self,
            echo: &mut Echo,
            event_loop: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()> {
            if readiness.wants_read() && echo.readable(self.0) {
                event_loop.shutdown();
            }
            if readiness.wants_write() && event_loop.is_current() && echo.writable(self.0) {
                event_loop.shutdown();
            }
            Ok(())
        }
    }

    /// As the crate enum_dispatch writes it.
    enum Either {
        Listener(Listener),
        Connection(Connection),
    }

    impl Source for Either {
        #[inline]
        fn ready(
            &mut self,
            echo: &mut Echo,
            event_loop: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()> {
            match self {
                Either::Listener(source) => source.ready(echo, event_loop, readiness),
                Either::Connection(source) => source.ready(echo, event_loop, readiness),
            }
        }
    }

    impl Source for Box<dyn Source> {
        #[inline]
        fn ready(
            &mut self,
            echo: &mut Echo,
            event_loop: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()> {
            (**self).ready(echo, event_loop, readiness)
        }
    }

    type Closure = dyn FnMut(&mut Echo, &mut EventLoop<u64>, Readiness) -> io::Result<()>;

    impl Source for Box<Closure> {
        #[inline]
        fn ready(
            &mut self,
            echo: &mut Echo,
            event_loop: &mut EventLoop<u64>,
            readiness: Readiness,
        ) -> io::Result<()> {
            self(echo, event_loop, readiness)
        }
    }

    struct Table<'a, T> {
        echo: &'a mut Echo,
        sources: Slab<T>,
    }

    impl<T: Source> Handler<u64> for Table<'_, T> {
        fn ready(&mut self, event_loop: &mut EventLoop<u64>, token: u64, readiness: Readiness) {
            let Some(source) = Key::from_bits(token).and_then(|key| self.sources.get_mut(key))
            else {
                return;
            };
            if let Err(error) = source.ready(self.echo, event_loop, readiness) {
                event_loop.fail(error);
            }
        }

        fn message(&mut self, event_loop: &mut EventLoop<u64>, _stop: u64) {
            event_loop.shutdown();
        }
    }

    fn serve<T: Source>(
        echo: &mut Echo,
        listener: T,
        mut connection: impl FnMut(usize) -> T,
    ) -> Cost {
        let (mut event_loop, _sender) = new_loop();
        let mut sources = Slab::with_capacity(echo.connections.len() + 1);
        let listener = sources.insert(listener).ok().expect("room");
        event_loop.register(&echo.listener, listener.to_bits()).expect("register");
        for (index, one) in echo.connections.iter().enumerate() {
            let key = sources.insert(connection(index)).ok().expect("room");
            event_loop.register(&one.stream, key.to_bits()).expect("register");
        }
        measure(|| drop(event_loop.run(Table { echo, sources }).expect("run")))
    }

    pub(super) fn enums(echo: &mut Echo) -> Cost {
        serve(echo, Either::Listener(Listener), |index| Either::Connection(Connection(index)))
    }

    pub(super) fn objects(echo: &mut Echo) -> Cost {
        serve::<Box<dyn Source>>(echo, Box::new(Listener), |index| Box::new(Connection(index)))
    }

    pub(super) fn closures(echo: &mut Echo) -> Cost {
        let listener = |echo: &mut Echo, event_loop: &mut EventLoop<u64>, readiness: Readiness| {
            Listener.ready(echo, event_loop, readiness)
        };
        serve::<Box<Closure>>(echo, Box::new(listener), |index| {
            Box::new(move |echo, event_loop, readiness| {
                Connection(index).ready(echo, event_loop, readiness)
            })
        })
    }
}

/// A loop with its queue in use, as in a server.
fn new_loop() -> (EventLoop<u64>, Sender<u64>) {
    let event_loop = EventLoop::new().expect("loop");
    let sender = event_loop.sender();
    (event_loop, sender)
}
