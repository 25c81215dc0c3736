//! With nothing of the prelude in scope, and other things under the names of what it has.
#![no_implicit_prelude]
#![deny(warnings)]
#![allow(dead_code)]

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct Self_;
trait Copy {}
trait Into {}
mod std {}
mod core {}
mod mio_core {}

struct State {
    raw: Raw,
    rows: Rows,
}

struct Rows(Raw);

impl Rows {
    fn get_mut(&mut self, _: bool) -> ::core::option::Option<&mut Raw> {
        ::core::option::Option::Some(&mut self.0)
    }
}

struct Raw;

impl<L> ::mio_core::Handler<(), L> for Raw {}

#[derive(
    ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::mio_core::TokenField,
)]
enum Side {
    Left,
    Right,
}

#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::mio_core::Handler)]
#[handler(state = State, message = Option)]
enum On {
    #[io(readable, writable, priority, closed, level)]
    Io { side: Side, id: u8 },
    #[timer]
    Timer(u8),
    #[timer(expiry)]
    Expires,
    #[signal(INT, TERM)]
    Signal,
    #[child]
    Child,
    #[nested(raw)]
    Raw(::mio_core::Any),
    #[nested(rows)]
    Row(bool, ::mio_core::Any),
}

type Loop = ::mio_core::EventLoop<Option, On>;
type Done = ::std::io::Result<()>;

impl OnHandler for State {
    fn io_readable(&mut self, _: &mut Loop, _: Side, _: u8) -> Done {
        Done::Ok(())
    }

    fn io_writable(&mut self, _: &mut Loop, _: Side, _: u8) -> Done {
        Done::Ok(())
    }

    fn io_priority(&mut self, _: &mut Loop, _: Side, _: u8) -> Done {
        Done::Ok(())
    }

    fn io_closed(&mut self, _: &mut Loop, _: Side, _: u8) -> Done {
        Done::Ok(())
    }

    fn timer(&mut self, event_loop: &mut Loop, _: u8) -> Done {
        event_loop.shutdown();
        Done::Ok(())
    }

    fn expires(&mut self, _: &mut Loop, _: ::mio_core::Expiry) -> Done {
        Done::Ok(())
    }

    fn signal(&mut self, _: &mut Loop, _: ::mio_core::SignalInfo) -> Done {
        Done::Ok(())
    }

    fn child(&mut self, _: &mut Loop, _: ::mio_core::ChildExit) -> Done {
        Done::Ok(())
    }
}

#[derive(::mio_core::Proxy)]
#[proxy(inspect(up), proxy_protocol = v2, tick = "1s")]
struct Gateway;

impl ::mio_core::proxy::Hooks for Gateway {
    fn upstream(
        &mut self,
        _: &::mio_core::proxy::Client<'_>,
    ) -> ::core::option::Option<::mio_core::proxy::Address> {
        ::core::option::Option::None
    }
}

impl ::mio_core::proxy::InspectUp for Gateway {
    fn up(
        &mut self,
        _: ::mio_core::Key,
        _: &mut ::mio_core::relay::Chunk<'_>,
    ) -> ::core::result::Result<(), ::std::io::ErrorKind> {
        ::core::result::Result::Ok(())
    }
}

#[derive(::mio_core::Proxy)]
#[proxy(inspect(down))]
struct Passage<'a, T: Into, const N: usize>(&'a [T; N]);

impl<T: Into, const N: usize> ::mio_core::proxy::Hooks for Passage<'_, T, N> {
    fn upstream(
        &mut self,
        _: &::mio_core::proxy::Client<'_>,
    ) -> ::core::option::Option<::mio_core::proxy::Address> {
        ::core::option::Option::None
    }
}

impl<T: Into, const N: usize> ::mio_core::proxy::InspectDown for Passage<'_, T, N> {
    fn down(
        &mut self,
        _: ::mio_core::Key,
        _: &mut ::mio_core::relay::Chunk<'_>,
    ) -> ::core::result::Result<(), ::std::io::ErrorKind> {
        ::core::result::Result::Ok(())
    }
}

impl Into for u8 {}

fn main() -> ::std::io::Result<()> {
    let _ = GatewayServer::config();
    let _ = PassageServer::<'_, u8, 1>::config();
    let mut event_loop = ::mio_core::EventLoop::new()?;
    event_loop.timeout(On::Timer(1), ::core::time::Duration::ZERO)?;
    event_loop.run(State { raw: Raw, rows: Rows(Raw) })?;
    ::core::result::Result::Ok(())
}
