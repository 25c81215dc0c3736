//! Enum to integer and back, and what the table says of it.

use std::{fmt::Debug, io, time::Duration};

use mio_core::{
    EventLoop, Handler, Interest, Key, RESERVED, Readiness, Signal, SignalSet, Slab, SourceKind,
    Token, TokenField, Trigger, describe,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, TokenField)]
enum Side {
    Client,
    Server,
    Neither,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, TokenField)]
enum Only {
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Odd(u8);

impl TokenField for Odd {
    const BITS: u32 = 7;

    fn pack(self) -> u64 {
        u64::from(self.0 >> 1)
    }

    fn unpack(bits: u64) -> Option<Odd> {
        (bits < 1 << 7).then_some(Odd((bits as u8) << 1 | 1))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Nothing)]
enum On {
    #[timer]
    Unit,
    #[timer]
    Signed(i8, i16, i32),
    #[timer]
    Wide(u32, u16, u8),
    #[timer]
    Letter(char),
    #[timer]
    Flag { flag: bool, other: () },
    #[timer]
    Small(Key<4, 4>),
    #[timer]
    Pair((u8, (bool, Side))),
    #[timer]
    Enums(Side, Only, Odd),
    #[io(readable, writable, level)]
    Io { key: Key, side: Side },
    #[signal(INT, TERM)]
    Stop,
    #[timer]
    Many(u8, bool, bool, bool, bool, bool, bool, Side),
}

struct Nothing;

impl<L> OnHandler<L> for Nothing {
    fn unit(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
        Ok(())
    }

    fn signed(&mut self, _: &mut EventLoop<L, On>, _: i8, _: i16, _: i32) -> io::Result<()> {
        Ok(())
    }

    fn wide(&mut self, _: &mut EventLoop<L, On>, _: u32, _: u16, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn letter(&mut self, _: &mut EventLoop<L, On>, _: char) -> io::Result<()> {
        Ok(())
    }

    fn flag(&mut self, _: &mut EventLoop<L, On>, _: bool, (): ()) -> io::Result<()> {
        Ok(())
    }

    fn small(&mut self, _: &mut EventLoop<L, On>, _: Key<4, 4>) -> io::Result<()> {
        Ok(())
    }

    fn pair(&mut self, _: &mut EventLoop<L, On>, _: (u8, (bool, Side))) -> io::Result<()> {
        Ok(())
    }

    fn enums(&mut self, _: &mut EventLoop<L, On>, _: Side, _: Only, _: Odd) -> io::Result<()> {
        Ok(())
    }

    fn io_readable(&mut self, _: &mut EventLoop<L, On>, _: Key, _: Side) -> io::Result<()> {
        Ok(())
    }

    fn io_writable(&mut self, _: &mut EventLoop<L, On>, _: Key, _: Side) -> io::Result<()> {
        Ok(())
    }

    fn stop(&mut self, _: &mut EventLoop<L, On>, _: mio_core::SignalInfo) -> io::Result<()> {
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "as many as there can be")]
    fn many(
        &mut self,
        _: &mut EventLoop<L, On>,
        _: u8,
        _: bool,
        _: bool,
        _: bool,
        _: bool,
        _: bool,
        _: bool,
        _: Side,
    ) -> io::Result<()> {
        Ok(())
    }
}

/// One source, no tag: all bits are the payload's.
#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Alone)]
enum OnlyOn {
    #[timer]
    Timer(u64),
}

struct Alone;

impl<L> OnlyOnHandler<L> for Alone {
    fn timer(&mut self, _: &mut EventLoop<L, OnlyOn>, value: u64) -> io::Result<()> {
        assert_eq!(value, 5);
        Ok(())
    }
}

fn key<const INDEX: u32, const GENERATION: u32>() -> Key<INDEX, GENERATION> {
    let mut slab = Slab::<(), INDEX, GENERATION>::with_capacity(2);
    slab.insert(()).unwrap();
    slab.insert(()).unwrap()
}

fn survives<T: Token + TokenField + Debug + PartialEq>(source: T, expected: u64) {
    assert_eq!(source.bits(), expected, "{source:?}");
    assert_eq!(T::unpack(expected), Some(source));
}

#[test]
fn every_source_survives_the_way_through_a_token() {
    survives(On::Unit, 0);
    survives(On::Signed(-1, -2, i32::MIN), 1 | 0xFF << 4 | 0xFFFE << 12 | 0x8000_0000 << 28);
    survives(On::Wide(u32::MAX, 1, 2), 2 | 0xFFFF_FFFF << 4 | 1 << 36 | 2 << 52);
    survives(On::Letter('é'), 3 | 0xE9 << 4);
    survives(On::Flag { flag: true, other: () }, 4 | 1 << 4);
    survives(On::Small(key()), 5 | 1 << 4);
    survives(On::Pair((7, (true, Side::Neither))), 6 | 7 << 4 | 1 << 12 | 2 << 13);
    survives(On::Enums(Side::Server, Only::One, Odd(5)), 7 | 1 << 4 | 2 << 6);
    survives(On::Io { key: key(), side: Side::Client }, 8 | 1 << 4);
    survives(On::Stop, 9);
    let many = On::Many(1, true, false, true, false, true, false, Side::Neither);
    survives(many, 10 | 1 << 4 | 0b010101 << 12 | 2 << 18);
    assert_eq!(On::BITS, 4 + 56);
}

#[test]
fn an_unknown_token_is_no_source() {
    let unknown = [
        11,              // no such tag
        15,              //
        1 << 4,          // above a unit
        2 | 1 << 60,     // above the last field
        3 | 0xD800 << 4, // no character
        4 | 2 << 4,      // no bool's second bit
        5 | 1 << 12,     // more than a key
        6 | 3 << 13,     // no such side
        7 | 3 << 4,      //
        8 | 3 << 52,     //
        9 | 1 << 63,     //
        u64::MAX,
    ];
    for token in unknown {
        assert_eq!(On::unpack(token), None, "{token:#x}");
    }
}

#[test]
fn random_tokens_are_the_source_that_made_them_or_none() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let mut state = 1_u64;
    for _ in 0..100_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let token = state.rotate_left(32) >> (state >> 58);
        if let Some(source) = On::unpack(token) {
            assert_eq!(source.bits(), token, "{source:?}");
        }
        // Nor does a handler take it for another.
        Handler::<(), ()>::ready(&mut Nothing, &mut event_loop, token, Readiness::READABLE);
    }
}

#[test]
fn one_source_has_all_the_bits_but_the_loop_keeps_the_highest_values() {
    survives(OnlyOn::Timer(u64::MAX), u64::MAX);
    survives(OnlyOn::Timer(0), 0);
    assert_eq!(OnlyOn::BITS, 64);
    let mut event_loop = EventLoop::<()>::new().unwrap();
    event_loop.timeout(OnlyOn::Timer(RESERVED - 1), crate::SECOND).unwrap();
    let error = event_loop.timeout(OnlyOn::Timer(RESERVED), crate::SECOND).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    event_loop.timeout(OnlyOn::Timer(5), Duration::ZERO).unwrap();
    for _ in 0..2 {
        event_loop.run_once(&mut Alone, Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn enums_without_fields_take_the_bits_they_need() {
    assert_eq!((Side::BITS, Only::BITS), (2, 0));
    assert_eq!(
        [0, 1, 2, 3].map(Side::unpack)[1..],
        [Some(Side::Server), Some(Side::Neither), None]
    );
    assert_eq!([0, 1].map(Only::unpack), [Some(Only::One), None]);
}

#[test]
fn the_kind_is_what_was_declared() {
    let io = On::Io { key: key(), side: Side::Client };
    let both = Interest::READABLE | Interest::WRITABLE;
    assert_eq!(io.kind(), SourceKind::Io(both, Trigger::Level));
    assert_eq!(On::Unit.kind(), SourceKind::Timer);
    let stop = SignalSet::from([Signal::INT, Signal::TERM]);
    assert_eq!(On::Stop.kind(), SourceKind::Signals(stop));
    assert_eq!(7_u64.kind(), SourceKind::Any);
}

#[test]
fn the_table_says_where_everything_is() {
    let names: Vec<_> = On::TABLE.iter().map(|row| (row.name, row.tag)).collect();
    assert_eq!(names[..3], [("Unit", 0), ("Signed", 1), ("Wide", 2)]);
    assert!(On::TABLE.iter().all(|row| row.tag_bits == 4));
    let columns: Vec<_> = On::TABLE[8]
        .columns
        .iter()
        .map(|column| (column.name, column.type_name, column.shift, column.bits))
        .collect();
    assert_eq!(columns, [("key", "Key", 4, 48), ("side", "Side", 52, 2)]);
    assert_eq!(On::TABLE[5].columns[0].type_name, "Key<4, 4>");
    assert_eq!(On::TABLE[6].columns[0].type_name, "(u8, (bool, Side))");
    assert_eq!(On::TABLE[9].kind, On::Stop.kind());
}

#[test]
fn a_token_is_readable_in_a_log() {
    let described = |source: On| describe(On::TABLE, source.bits()).to_string();
    assert_eq!(described(On::Unit), "Unit");
    assert_eq!(described(On::Wide(3, 2, 1)), "Wide(3, 2, 1)");
    assert_eq!(described(On::Letter('a')), "Letter(97)");
    assert_eq!(describe(On::TABLE, 0xFF).to_string(), "0xff");
    assert_eq!(describe(OnlyOn::TABLE, 5).to_string(), "Timer(5)");
    let debug = format!("{:?}", On::unpack(On::Letter('a').bits()).unwrap());
    assert_eq!(debug, "Letter('a')");
}
