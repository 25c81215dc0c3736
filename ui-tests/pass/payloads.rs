//! Every payload there is, a derived one and one written by hand.
#![deny(warnings)]

use std::io;

use mio_core::{EventLoop, Handler, Key, Token, TokenField};

#[derive(Clone, Copy, Debug, PartialEq, TokenField)]
enum Side {
    Client,
    Server,
    Neither,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Percent(u8);

impl TokenField for Percent {
    const BITS: u32 = 7;

    fn pack(self) -> u64 {
        self.0.into()
    }

    fn unpack(bits: u64) -> Option<Self> {
        u8::try_from(bits).ok().filter(|&percent| percent <= 100).map(Percent)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server)]
enum On {
    #[timer(method = due)]
    A(u8, u16, u32),
    #[timer(method = due_b)]
    B(i8, i16, i32),
    #[timer(method = due_c)]
    C(bool, char, ()),
    #[timer(method = due_d)]
    D(Key<20, 20>, Side, Percent),
    #[timer(method = due_e)]
    E((u8, (bool, Side)), (Percent,)),
    #[timer(method = due_f)]
    F(std::primitive::u32),
    #[timer(method = due_g)]
    G(bool, bool, bool, bool, bool, bool, bool, bool),
}

struct Server;

#[rustfmt::skip]
impl OnHandler for Server {
    fn due(&mut self, _: &mut EventLoop<(), On>, _: u8, _: u16, _: u32) -> io::Result<()> { Ok(()) }
    fn due_b(&mut self, _: &mut EventLoop<(), On>, _: i8, _: i16, _: i32) -> io::Result<()> { Ok(()) }
    fn due_c(&mut self, _: &mut EventLoop<(), On>, _: bool, _: char, _: ()) -> io::Result<()> { Ok(()) }
    fn due_d(
        &mut self, _: &mut EventLoop<(), On>, _: Key<20, 20>, _: Side, _: Percent,
    ) -> io::Result<()> { Ok(()) }
    fn due_e(
        &mut self, _: &mut EventLoop<(), On>, _: (u8, (bool, Side)), _: (Percent,),
    ) -> io::Result<()> { Ok(()) }
    fn due_f(&mut self, _: &mut EventLoop<(), On>, _: u32) -> io::Result<()> { Ok(()) }
    fn due_g(
        &mut self, _: &mut EventLoop<(), On>,
        _: bool, _: bool, _: bool, _: bool, _: bool, _: bool, _: bool, _: bool,
    ) -> io::Result<()> { Ok(()) }
}

/// One source, whose payload is all of the token.
mod alone {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = Alone)]
    pub(super) enum On {
        #[timer]
        Only(i64),
    }

    struct Alone;

    impl OnHandler for Alone {
        fn only(&mut self, _: &mut EventLoop<(), On>, _: i64) -> io::Result<()> {
            Ok(())
        }
    }
}

fn main() {
    let key = mio_core::Slab::<(), 20, 20>::with_capacity(1).insert(()).unwrap();
    let sources = [
        On::A(1, 2, u32::MAX),
        On::B(-1, i16::MIN, i32::MIN),
        On::C(true, '\u{10FFFF}', ()),
        On::D(key, Side::Neither, Percent(100)),
        On::E((255, (true, Side::Server)), (Percent(0),)),
        On::F(7),
        On::G(true, false, true, false, true, false, true, true),
    ];
    for source in sources {
        assert_eq!(On::unpack(source.bits()), Some(source));
    }
    assert_eq!(On::BITS, 3 + 56);
    assert_eq!(On::unpack(On::D(key, Side::Client, Percent(0)).bits() | 101 << 45), None);
    for value in [0, -1, i64::MIN] {
        assert_eq!(alone::On::Only(value).bits(), value as u64);
    }
    let _ = (Server, Side::Client);
}
