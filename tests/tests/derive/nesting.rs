//! Components: their events, timers and messages reach them, whatever the nesting; what they produce
//! and what they fail with reaches the parent.

use std::{
    io::{self, ErrorKind, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use mio_core::{
    Any, EventLoop, Handler, Key, MappedSender, Readiness, Scope, Slab, SourceKind, Timeout, Token,
    TokenField, describe, pipe,
};

use tests::settle;

use crate::{SECOND, virtual_loop};

/// A component: counts bytes and seconds, and reports a number that it is told to.
mod counter {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = Counter, message = Report)]
    pub(super) enum On {
        #[timer]
        Second,
        #[io(readable)]
        Input(u8),
    }

    #[derive(Debug)]
    pub(super) struct Report(pub(super) u32);

    #[derive(Debug)]
    pub(super) struct Counter {
        pub(super) input: pipe::Reader,
        pub(super) seconds: u32,
        pub(super) bytes: usize,
        pub(super) reported: Vec<u32>,
        pub(super) ticks: usize,
        pub(super) fail: Option<ErrorKind>,
        pub(super) panic: bool,
    }

    impl Counter {
        pub(super) fn new<L>(
            event_loop: &mut EventLoop<L, On>,
            input: pipe::Reader,
        ) -> io::Result<Counter> {
            event_loop.register(&input, On::Input(7))?;
            let (reported, fail, panic) = (Vec::new(), None, false);
            Ok(Counter { input, seconds: 0, bytes: 0, reported, ticks: 0, fail, panic })
        }

        pub(super) fn start<L>(&self, event_loop: &mut EventLoop<L, On>) -> io::Result<Timeout> {
            event_loop.interval(On::Second, SECOND)
        }

        fn answer(&mut self) -> io::Result<()> {
            assert!(!self.panic, "told to");
            self.fail.take().map_or(Ok(()), |kind| Err(kind.into()))
        }
    }

    impl<L> OnHandler<L> for Counter {
        fn second(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.seconds += 1;
            self.answer()
        }

        fn input_readable(&mut self, event_loop: &mut EventLoop<L, On>, id: u8) -> io::Result<()> {
            assert_eq!(id, 7);
            self.bytes += self.input.read(&mut [0; 64])?;
            event_loop.timeout(On::Second, SECOND)?;
            self.answer()
        }

        fn message(&mut self, _: &mut EventLoop<L, On>, Report(n): Report) -> io::Result<()> {
            self.reported.push(n);
            self.answer()
        }

        fn tick(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.ticks += 1;
            Ok(())
        }
    }
}

/// Two counters side by side, a table of them, and one written by hand.
mod pool {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = Pool, message = Message)]
    pub(super) enum On {
        #[nested(left)]
        Left(counter::On),
        #[nested(self.sides.0, method = right_moved)]
        Right { tokens: counter::On },
        #[nested(table)]
        Row(Key<4, 4>, counter::On),
        #[nested(raw)]
        Raw(Any),
        #[timer]
        Own,
    }

    pub(super) enum Message {
        Left(counter::Report),
        Row(Key<4, 4>, counter::Report),
    }

    pub(super) struct Pool {
        pub(super) left: counter::Counter,
        pub(super) sides: (counter::Counter,),
        pub(super) table: Slab<counter::Counter, 4, 4>,
        pub(super) raw: Raw,
        pub(super) calls: Vec<String>,
        pub(super) errors: Vec<(On, ErrorKind)>,
        pub(super) uncaught: bool,
    }

    #[derive(Default)]
    pub(super) struct Raw {
        pub(super) tokens: Vec<u64>,
    }

    impl<L> Handler<(), L> for Raw {
        fn timeout(&mut self, event_loop: &mut EventLoop<L>, token: u64, _: mio_core::Expiry) {
            self.tokens.push(token);
            if token == 5 {
                event_loop.timeout(1 << 40, SECOND).unwrap();
                let error = event_loop.timeout(1 << 61, SECOND).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "no bits left");
                event_loop.fail(ErrorKind::TimedOut.into());
            }
        }

        fn readable(&mut self, _: &mut EventLoop<L>, token: u64) {
            self.tokens.push(token);
        }
    }

    pub(super) fn counter<L, P, S>(
        event_loop: &mut EventLoop<L, S>,
        scope: Scope<P, counter::On>,
    ) -> (counter::Counter, pipe::Writer)
    where
        P: mio_core::In<S>,
    {
        let (input, output) = pipe::new().unwrap();
        (counter::Counter::new(&mut event_loop.nested(scope), input).unwrap(), output)
    }

    impl Pool {
        pub(super) fn new<L>(event_loop: &mut EventLoop<L, On>) -> (Pool, [pipe::Writer; 2]) {
            let (left, left_output) = counter(event_loop, On::LEFT);
            let (right, right_output) = counter(event_loop, On::RIGHT);
            let pool = Pool {
                left,
                sides: (right,),
                table: Slab::with_capacity(3),
                raw: Raw::default(),
                calls: Vec::new(),
                errors: Vec::new(),
                uncaught: false,
            };
            (pool, [left_output, right_output])
        }

        pub(super) fn row<L>(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
        ) -> (Key<4, 4>, pipe::Writer) {
            let entry = self.table.vacant_entry().unwrap();
            let key = entry.key();
            let (row, output) = counter(event_loop, On::row(key));
            entry.insert(row);
            (key, output)
        }
    }

    impl<L> OnHandler<L> for Pool {
        fn left(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.calls.push(format!("left {} {}", self.left.bytes, self.left.seconds));
            Ok(())
        }

        fn right_moved(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.calls.push(format!("right {} {}", self.sides.0.bytes, self.sides.0.seconds));
            Ok(())
        }

        fn row(&mut self, _: &mut EventLoop<L, On>, row: Key<4, 4>) -> io::Result<()> {
            let counter = self.table.get(row).unwrap();
            self.calls.push(format!("row {} {}", row.index(), counter.bytes));
            if counter.bytes == 13 { Err(ErrorKind::InvalidData.into()) } else { Ok(()) }
        }

        fn own(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            self.calls.push("own".into());
            Ok(())
        }

        fn error(&mut self, event_loop: &mut EventLoop<L, On>, source: On, error: io::Error) {
            self.errors.push((source, error.kind()));
            if self.uncaught {
                event_loop.fail(error);
            }
        }

        fn message(
            &mut self,
            event_loop: &mut EventLoop<L, On>,
            message: Message,
        ) -> io::Result<()> {
            match message {
                Message::Left(report) => {
                    event_loop.deliver_message(On::LEFT, &mut self.left, report)
                }
                Message::Row(key, report) => match self.table.get_mut(key) {
                    Some(row) => event_loop.deliver_message(On::row(key), row, report),
                    None => Ok(()),
                },
            }
        }
    }
}

/// A pool inside another handler.
#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server, message = Command)]
enum On {
    #[timer]
    Own(u8),
    #[io(readable)]
    Input(u8),
    #[nested(pool)]
    Pool(pool::On),
    #[io(readable)]
    Last,
    #[nested(counter)]
    Counter(counter::On),
}

enum Command {
    Pool(pool::Message),
    Counter(counter::Report),
}

struct Server {
    pool: pool::Pool,
    counter: counter::Counter,
    pools: usize,
    errors: Vec<(On, ErrorKind)>,
}

impl OnHandler<Command> for Server {
    fn own(&mut self, _: &mut EventLoop<Command, On>, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn input_readable(&mut self, _: &mut EventLoop<Command, On>, _: u8) -> io::Result<()> {
        Ok(())
    }

    fn pool(&mut self, _: &mut EventLoop<Command, On>) -> io::Result<()> {
        self.pools += 1;
        Ok(())
    }

    fn last_readable(&mut self, _: &mut EventLoop<Command, On>) -> io::Result<()> {
        Ok(())
    }

    fn error(&mut self, _: &mut EventLoop<Command, On>, source: On, error: io::Error) {
        self.errors.push((source, error.kind()));
    }

    fn message(
        &mut self,
        event_loop: &mut EventLoop<Command, On>,
        command: Command,
    ) -> io::Result<()> {
        match command {
            Command::Pool(message) => event_loop.deliver_message(On::POOL, &mut self.pool, message),
            Command::Counter(report) => {
                event_loop.deliver_message(On::COUNTER, &mut self.counter, report)
            }
        }
    }
}

struct Setup {
    event_loop: EventLoop<Command>,
    server: Server,
    /// Of the pool's left and right, and of the server's own counter.
    outputs: [pipe::Writer; 3],
}

fn setup() -> Setup {
    let mut event_loop = virtual_loop::<Command>();
    let (pool, [left, right]) = pool::Pool::new(&mut event_loop.nested(On::POOL));
    let (counter, own) = pool::counter(&mut event_loop, On::COUNTER);
    let server = Server { pool, counter, pools: 0, errors: Vec::new() };
    Setup { event_loop, server, outputs: [left, right, own] }
}

impl Setup {
    /// One turn, with all that has happened.
    fn turn(&mut self) {
        settle();
        let limit = Some(Duration::ZERO);
        assert!(self.event_loop.run_once(&mut self.server, limit).unwrap());
    }

    /// One turn, up to the next deadline.
    fn pass(&mut self) {
        let limit = Some(1000 * SECOND);
        assert!(self.event_loop.run_once(&mut self.server, limit).unwrap());
    }
}

#[test]
fn events_reach_components_however_deep_and_the_parents_learn_of_it() {
    let mut setup = setup();
    setup.outputs[0].write_all(b"left").unwrap();
    setup.turn();
    assert_eq!(setup.server.pool.calls, ["left 4 0"]);
    setup.outputs[1].write_all(b"to the right").unwrap();
    setup.turn();
    assert_eq!(setup.server.pool.calls[1..], ["right 12 0"]);
    setup.outputs[2].write_all(b"beside").unwrap();
    setup.turn();
    assert_eq!((setup.server.counter.bytes, setup.server.pools), (6, 2));
    // Each read set a timer, in the scope of its own component.
    setup.pass();
    setup.pass();
    let Server { pool, counter, .. } = &setup.server;
    assert_eq!([&pool.left, &pool.sides.0, counter].map(|c| c.seconds), [1; 3]);
}

#[test]
fn components_side_by_side_set_timers_from_outside_of_callbacks() {
    let mut setup = setup();
    let Server { pool, counter, .. } = &setup.server;
    let mut scoped = setup.event_loop.nested(On::POOL);
    pool.sides.0.start(&mut scoped.nested(pool::On::RIGHT)).unwrap();
    drop(scoped);
    counter.start(&mut setup.event_loop.nested(On::COUNTER)).unwrap();
    for _ in 0..3 {
        setup.pass();
    }
    let Server { pool, counter, .. } = &setup.server;
    assert_eq!((pool.left.seconds, pool.sides.0.seconds, counter.seconds), (0, 3, 3));
}

#[test]
fn a_keyed_component_gets_its_events_until_its_key_is_stale() {
    let mut setup = setup();
    let mut scoped = setup.event_loop.nested(On::POOL);
    let (first, mut first_output) = setup.server.pool.row(&mut scoped);
    let (second, mut second_output) = setup.server.pool.row(&mut scoped);
    drop(scoped);
    first_output.write_all(b"one").unwrap();
    setup.turn();
    second_output.write_all(b"second").unwrap();
    setup.turn();
    assert_eq!(setup.server.pool.calls, ["row 0 3", "row 1 6"]);
    let removed = setup.server.pool.table.remove(second).unwrap();
    second_output.write_all(b"more").unwrap();
    setup.turn();
    setup.pass();
    assert_eq!((removed.bytes, removed.seconds), (6, 0));
    assert_eq!(
        setup.server.pool.table.get(first).unwrap().seconds,
        1,
        "only the first has a timer left"
    );
    assert_eq!(setup.server.pool.calls.len(), 3);
}

#[test]
fn what_a_component_does_not_deal_with_reaches_its_parents_error() {
    let mut setup = setup();
    setup.server.pool.left.fail = Some(ErrorKind::InvalidData);
    setup.outputs[0].write_all(b"left").unwrap();
    setup.turn();
    let inner = pool::On::Left(counter::On::Input(7));
    assert_eq!(setup.server.pool.errors, [(inner, ErrorKind::InvalidData)]);
    assert_eq!(setup.server.pool.calls, ["left 4 0"], "it could take what there was");
    assert_eq!(setup.server.errors, [], "it was dealt with");

    setup.server.pool.uncaught = true;
    setup.server.pool.left.fail = Some(ErrorKind::TimedOut);
    setup.pass();
    let inner = pool::On::Left(counter::On::Second);
    assert_eq!(setup.server.pool.errors[1..], [(inner, ErrorKind::TimedOut)]);
    assert_eq!(setup.server.errors, [(On::Pool(inner), ErrorKind::TimedOut)]);
}

#[test]
fn a_keyed_components_failure_and_its_parents_own_both_arrive() {
    let mut setup = setup();
    let mut scoped = setup.event_loop.nested(On::POOL);
    let (key, mut output) = setup.server.pool.row(&mut scoped);
    drop(scoped);
    setup.server.pool.table.get_mut(key).unwrap().fail = Some(ErrorKind::Interrupted);
    output.write_all(b"thirteen byte").unwrap();
    setup.turn();
    let source = pool::On::Row(key, counter::On::Input(7));
    let expected = [(source, ErrorKind::Interrupted), (source, ErrorKind::InvalidData)];
    assert_eq!(setup.server.pool.errors, expected);
}

#[test]
fn without_an_error_method_a_components_failure_ends_the_run() {
    #[derive(Clone, Copy, Handler)]
    #[handler(state = Careless)]
    enum On {
        #[nested(counter)]
        Counter(counter::On),
    }

    struct Careless {
        counter: counter::Counter,
    }

    impl OnHandler for Careless {}

    let mut event_loop = virtual_loop::<()>();
    let (mut counter, _output) = pool::counter(&mut event_loop, On::COUNTER);
    counter.start(&mut event_loop.nested(On::COUNTER)).unwrap();
    counter.fail = Some(ErrorKind::TimedOut);
    let error = event_loop.run(Careless { counter }).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn a_components_messages_are_wrapped_on_their_way_and_handed_on() {
    let mut setup = setup();
    let Setup { event_loop, server, .. } = &mut setup;
    let (key, _output) = server.pool.row(&mut event_loop.nested(On::POOL));
    let to_pool: MappedSender<_, _> = event_loop.sender().map(Command::Pool);
    let to_left = to_pool.map(pool::Message::Left);
    to_left.send(counter::Report(1)).unwrap();
    let to_pool = event_loop.sender().map(Command::Pool);
    to_pool.send(pool::Message::Row(key, counter::Report(2))).unwrap();
    event_loop.sender().map(Command::Counter).send(counter::Report(3)).unwrap();
    setup.turn();
    let Server { pool, counter, .. } = &setup.server;
    assert_eq!(pool.left.reported, [1]);
    assert_eq!(pool.table.get(key).unwrap().reported, [2]);
    assert_eq!(counter.reported, [3]);
}

#[test]
fn a_message_that_a_component_fails_on_fails_for_the_one_who_handed_it_on() {
    let mut setup = setup();
    setup.server.counter.fail = Some(ErrorKind::InvalidData);
    setup.event_loop.sender().send(Command::Counter(counter::Report(3))).unwrap();
    let result = setup.event_loop.run_once(&mut setup.server, Some(Duration::ZERO));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn the_end_of_a_turn_is_told_to_components_without_a_key() {
    let mut setup = setup();
    setup.turn();
    setup.turn();
    let Server { pool, counter, .. } = &setup.server;
    assert_eq!([&pool.left, &pool.sides.0, counter].map(|c| c.ticks), [2; 3]);
}

#[test]
fn a_handler_written_by_hand_nests_with_the_bits_that_are_left() {
    let mut setup = setup();
    let mut scoped = setup.event_loop.nested(On::POOL);
    let mut raw = scoped.nested(pool::On::RAW);
    raw.timeout(5, SECOND).unwrap();
    raw.timeout(1 << 57, SECOND).unwrap();
    // Three bits of tag, and three of the parent's.
    let error = raw.timeout(1 << 58, SECOND).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    raw.again(9, Readiness::READABLE).unwrap();
    drop(raw);
    scoped.timeout(pool::On::Own, SECOND).unwrap();
    drop(scoped);
    let error = setup.event_loop.timeout(On::Pool(pool::On::Raw(Any(1 << 61))), SECOND);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    setup.event_loop.timeout(On::Pool(pool::On::Raw(Any(8))), SECOND).unwrap();
    for _ in 0..3 {
        setup.pass();
    }
    let Server { pool, .. } = &setup.server;
    assert_eq!(pool.raw.tokens, [9, 5, 1 << 57, 8, 1 << 40]);
    assert_eq!(pool.calls, ["own"]);
    assert_eq!(pool.errors, [(pool::On::Raw(Any(5)), ErrorKind::TimedOut)]);
}

#[test]
fn a_derived_handler_nests_in_one_written_by_hand() {
    const COUNTER: Scope<u64, counter::On> = Scope::new(8, 3);

    struct ByHand {
        counter: counter::Counter,
        errors: Vec<ErrorKind>,
    }

    impl Handler for ByHand {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: mio_core::Expiry) {
            assert_eq!(token & 0xFF, 3);
            let result = event_loop.deliver_timeout(COUNTER, &mut self.counter, token, expiry);
            if let Err(error) = result {
                self.errors.push(error.kind());
                event_loop.shutdown();
            }
        }
    }

    let mut event_loop = virtual_loop::<()>();
    let (mut counter, _output) = pool::counter(&mut event_loop, COUNTER);
    counter.start(&mut event_loop.nested(COUNTER)).unwrap();
    counter.fail = Some(ErrorKind::TimedOut);
    let by_hand = event_loop.run(ByHand { counter, errors: Vec::new() }).unwrap();
    assert_eq!(by_hand.errors, [ErrorKind::TimedOut]);
}

#[test]
fn a_panic_in_a_component_leaves_the_loop_in_its_parents_scope() {
    let mut setup = setup();
    setup.server.pool.left.panic = true;
    setup.outputs[0].write_all(b"left").unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| setup.turn()));
    assert!(panicked.is_err());
    setup.server.pool.left.panic = false;
    // Were the scope still the component's, this would be its timer.
    setup.event_loop.timeout(On::Counter(counter::On::Second), SECOND).unwrap();
    setup.pass();
    setup.pass();
    let Server { pool, counter, .. } = &setup.server;
    assert_eq!((pool.left.seconds, counter.seconds), (1, 1));
}

#[test]
fn a_failure_that_nobody_asks_for_makes_the_parent_fail() {
    let mut setup = setup();
    setup.event_loop.nested(On::COUNTER).fail(ErrorKind::TimedOut.into());
    let result = setup.event_loop.run_once(&mut setup.server, Some(Duration::ZERO));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TimedOut);
    setup.turn();

    let mut scoped = setup.event_loop.nested(On::POOL);
    scoped.fail(ErrorKind::NotFound.into());
    let (server, report) = (&mut setup.server, counter::Report(1));
    let inner = scoped.deliver_message(pool::On::LEFT, &mut server.pool.left, report);
    assert!(inner.is_ok(), "it is not the inner one's");
    drop(scoped);
    let result = setup.event_loop.run_once(&mut setup.server, Some(Duration::ZERO));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_component_can_shut_the_loop_down() {
    let mut setup = setup();
    setup.event_loop.nested(On::COUNTER).shutdown();
    assert!(!setup.event_loop.run_once(&mut setup.server, Some(SECOND)).unwrap());
}

#[test]
fn a_parent_may_name_its_components_sources() {
    let source = On::Pool(pool::On::Right { tokens: counter::On::Input(7) });
    assert_eq!(source.kind(), counter::On::Input(7).kind());
    assert_eq!(On::unpack(source.bits()), Some(source));
    assert_eq!(On::Pool(pool::On::Raw(Any(1))).kind(), SourceKind::Any);
    assert_eq!(describe(On::TABLE, source.bits()).to_string(), "Pool(Right(Input(7)))");
    // Tag, tag, key, tag, identity.
    assert_eq!(On::BITS, 3 + 3 + 8 + 1 + 8);
    let mut setup = setup();
    setup.event_loop.timeout(On::Pool(pool::On::Own), SECOND).unwrap();
    setup.pass();
    assert_eq!(setup.server.pool.calls, ["own"]);
}
