//! Every kind of source in every shape of variant, with each of its options.
#![deny(warnings)]

use std::{io, time::Duration};

use mio_core::{
    Any, ChildExit, EventLoop, Expiry, Handler, Key, SignalInfo, Slab, Token, describe,
};

struct Raw;

impl<L> Handler<(), L> for Raw {}

struct Server {
    raw: Raw,
    table: Slab<Raw, 4, 4>,
    pair: (Raw, Raw),
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server, message = String)]
enum On {
    #[io(readable)]
    Unit,
    #[io(readable = accept, writable, priority = urgent, closed, edge)]
    Tuple(Key),
    #[io(writable, level)]
    Struct { side: bool, id: u8 },
    #[io(priority, oneshot)]
    Empty(),
    #[io(readable)]
    Braces {},
    #[timer]
    Timer(i16, char),
    #[timer(expiry)]
    Expires,
    #[timer(method = named, expiry)]
    Named { at: (u8, bool) },
    #[signal(INT, TERM, USR1)]
    Stop,
    #[signal(HUP, method = reload)]
    Reload(u8),
    #[child]
    Child(u32),
    #[child(method = reaped)]
    Other,
    #[nested(raw)]
    Raw(Any),
    #[nested(table, method = row_moved)]
    Row(Key<4, 4>, Any),
    #[nested(self.pair.0)]
    First { tokens: Any },
    #[nested(pair.1)]
    Second { key: (), tokens: Any },
}

impl Raw {
    fn get_mut(&mut self, (): ()) -> Option<&mut Raw> {
        Some(self)
    }
}

type Loop = EventLoop<String, On>;

impl OnHandler for Server {
    fn unit_readable(&mut self, _: &mut Loop) -> io::Result<()> {
        Ok(())
    }

    fn accept(&mut self, _: &mut Loop, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn tuple_writable(&mut self, _: &mut Loop, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn urgent(&mut self, _: &mut Loop, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn tuple_closed(&mut self, _: &mut Loop, _: Key) -> io::Result<()> {
        Ok(())
    }

    fn struct_writable(&mut self, _: &mut Loop, _: bool, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn empty_priority(&mut self, _: &mut Loop) -> io::Result<()> {
        Ok(())
    }

    fn braces_readable(&mut self, _: &mut Loop) -> io::Result<()> {
        Ok(())
    }

    fn timer(&mut self, event_loop: &mut Loop, number: i16, letter: char) -> io::Result<()> {
        assert_eq!((number, letter), (-1, 'ß'));
        event_loop.timeout(On::Expires, Duration::ZERO)?;
        Ok(())
    }

    fn expires(&mut self, event_loop: &mut Loop, expiry: Expiry) -> io::Result<()> {
        assert_eq!(expiry.missed, 0);
        event_loop.timeout(On::Named { at: (3, true) }, Duration::ZERO)?;
        Ok(())
    }

    fn named(&mut self, event_loop: &mut Loop, at: (u8, bool), _: Expiry) -> io::Result<()> {
        assert_eq!(at, (3, true));
        self.done = true;
        event_loop.shutdown();
        Ok(())
    }

    fn stop(&mut self, _: &mut Loop, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn reload(&mut self, _: &mut Loop, _: u8, _: SignalInfo) -> io::Result<()> {
        Ok(())
    }

    fn child(&mut self, _: &mut Loop, _: u32, _: ChildExit) -> io::Result<()> {
        Ok(())
    }

    fn reaped(&mut self, _: &mut Loop, _: ChildExit) -> io::Result<()> {
        Ok(())
    }

    fn row_moved(&mut self, _: &mut Loop, _: Key<4, 4>) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let mut slab = Slab::with_capacity(1);
    let row = slab.insert(()).unwrap();
    let sources = [
        On::Unit,
        On::Struct { side: true, id: 200 },
        On::Empty(),
        On::Braces {},
        On::Timer(i16::MIN, char::MAX),
        On::Named { at: (255, false) },
        On::Reload(7),
        On::Child(u32::MAX),
        On::Other,
        On::Raw(Any(1 << 50)),
        On::Row(row, Any(5)),
        On::First { tokens: Any(0) },
        On::Second { key: (), tokens: Any(9) },
    ];
    for source in sources {
        assert_eq!(On::unpack(source.bits()), Some(source));
    }
    assert_eq!(On::TABLE.len(), 16);
    let named = describe(On::TABLE, On::Struct { side: true, id: 200 }.bits()).to_string();
    assert_eq!(named, "Struct(1, 200)");

    let mut event_loop = EventLoop::new().unwrap();
    event_loop.timeout(On::Timer(-1, 'ß'), Duration::ZERO).unwrap();
    let table = Slab::with_capacity(1);
    let server = Server { raw: Raw, table, pair: (Raw, Raw), done: false };
    assert!(event_loop.run(server).unwrap().done);
}
