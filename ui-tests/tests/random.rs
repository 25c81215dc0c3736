//! What the derives accept does what it says: random enums, written by `build.rs`, some of them nested
//! in others. Their tokens survive, no other token is taken for one of them, and their events reach their own
//! method with their own payload.
#![allow(clippy::unit_arg, clippy::redundant_field_names)]

use std::{fmt::Debug, io, time::Duration};

use mio_core::{
    Any, ChildExit, Config, EventLoop, Expiry, Handler, Key, Readiness, SignalInfo, SourceKind,
    Token, TokenField,
};

/// So that a source has an event whatever it waits for.
const EVERYTHING: Readiness =
    Readiness::READABLE.union(Readiness::WRITABLE).union(Readiness::PRIORITY);

const VALUES: u64 = 50;
const TOKENS: u64 = 2000;

#[derive(Clone, Copy, Debug, PartialEq, TokenField)]
enum Side {
    Client,
    Server,
    Neither,
}

/// An enum that was written.
trait Sources: Token + TokenField + Debug + PartialEq {
    type State: Handler;

    /// How many variants it has.
    const COUNT: u64;

    fn state() -> Self::State;

    /// The source that a method was called for.
    fn last(state: &mut Self::State) -> Option<Self>;

    fn random(random: &mut Random, variant: u64) -> Self;

    fn unpacked(token: u64) -> Option<Self>;
}

fn check<S: Sources>() {
    let random = &mut Random(1);
    let config = Config { virtual_time: Some(0), ..Config::default() };
    let mut event_loop = EventLoop::<()>::with_config(config).unwrap();
    let mut state = S::state();
    for variant in 0..S::COUNT {
        for _ in 0..VALUES {
            let source = S::random(random, variant);
            let token = source.bits();
            assert_eq!(S::unpacked(token), Some(source), "{token:#x}");
            let heard = match source.kind() {
                SourceKind::Timer => event_loop.timeout(source, Duration::ZERO).map(drop),
                SourceKind::Io(..) => event_loop.again(source, EVERYTHING),
                SourceKind::Any => event_loop.timeout(source, Duration::ZERO).map(drop),
                _ => continue,
            };
            heard.unwrap();
            event_loop.run_once(&mut state, Some(Duration::from_secs(1))).unwrap();
            assert_eq!(S::last(&mut state), Some(source), "{token:#x}");
        }
    }
    for _ in 0..TOKENS {
        let token = random.next() >> (random.next() % 64);
        if let Some(source) = S::unpacked(token) {
            assert_eq!(source.bits(), token, "{source:?}");
        }
        state.ready(&mut event_loop, token, EVERYTHING);
        if let Some(source) = S::last(&mut state) {
            assert_eq!(source.bits(), token, "{source:?}");
        }
    }
}

/// A source of a component.
fn source<S: Sources>(random: &mut Random) -> S {
    let variant = random.next() % S::COUNT;
    S::random(random, variant)
}

/// A payload.
fn field<T: TokenField>(random: &mut Random) -> T {
    loop {
        let bits = random.next().checked_shr(64 - T::BITS).unwrap_or(0);
        if let Some(value) = T::unpack(bits) {
            return value;
        }
    }
}

/// As many components as there are keys, all the same one.
struct Table<T>(T);

impl<T> Table<T> {
    fn get_mut<K>(&mut self, _: K) -> Option<&mut T> {
        Some(&mut self.0)
    }
}

/// A component that is written by hand.
struct Raw(Option<u64>);

impl Raw {
    fn last(&mut self) -> Option<Any> {
        self.0.take().map(Any)
    }
}

impl<L> Handler<(), L> for Raw {
    fn ready(&mut self, _: &mut EventLoop<L>, token: u64, _: Readiness) {
        self.0 = Some(token);
    }

    fn timeout(&mut self, _: &mut EventLoop<L>, token: u64, _: Expiry) {
        self.0 = Some(token);
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

include!(concat!(env!("OUT_DIR"), "/random.rs"));
