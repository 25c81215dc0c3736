//! A component that takes away the loop which it is handed leaves no trace of its scope in it, nor do guards that
//! are forgotten.

use std::{
    io::{self, ErrorKind},
    mem,
    time::Duration,
};

use mio_core::{Any, EventLoop, Expiry, Handler, Scope};

use crate::{SECOND, virtual_loop};

const THIEF: Scope<u64, Any> = Scope::new(8, 3);

/// Takes the loop away at its token 1, after having failed there if it is told to.
#[derive(Default)]
struct Thief {
    taken: Option<EventLoop>,
    fails: bool,
    tokens: Vec<u64>,
}

impl Handler for Thief {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
        self.tokens.push(token);
        if token == 1 {
            if self.fails {
                event_loop.fail(ErrorKind::TimedOut.into());
            }
            let mut taken = mem::replace(event_loop, virtual_loop());
            taken.timeout(0x0A_03u64, SECOND).expect("a token of the root, for this component");
            self.taken = Some(taken);
            event_loop.timeout(2u64, SECOND).expect("a token of the other loop's root");
        }
    }

    fn message(&mut self, event_loop: &mut EventLoop, (): ()) {
        event_loop.timeout(11u64, SECOND).expect("a token of this component's");
    }
}

/// Tokens of the component end in 3; its own are told apart by that.
#[derive(Default)]
struct Parent {
    thief: Thief,
    tokens: Vec<u64>,
    errors: Vec<ErrorKind>,
    /// At the first token of its own.
    puts_back: bool,
}

impl Handler for Parent {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
        if token & 0xFF != 3 {
            self.tokens.push(token);
            if let Some(taken) = self.thief.taken.take_if(|_| self.puts_back) {
                *event_loop = taken;
                event_loop.timeout(8u64, SECOND).expect("a token of the root");
                let handed_on = event_loop.deliver_message(THIEF, &mut self.thief, ());
                assert!(handed_on.is_ok());
                let nested = event_loop.run_once(&mut Parent::default(), Some(Duration::ZERO));
                assert_eq!(nested.unwrap_err().kind(), ErrorKind::ResourceBusy);
            }
        } else if let Err(error) = event_loop.deliver_timeout(THIEF, &mut self.thief, token, expiry)
        {
            self.errors.push(error.kind());
        }
    }
}

/// A parent whose token 5 is the last.
struct Ends(Parent);

impl Handler for Ends {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
        self.0.timeout(event_loop, token, expiry);
        if token == 5 {
            event_loop.shutdown();
        }
    }
}

fn turn(event_loop: &mut EventLoop, parent: &mut Parent) -> io::Result<bool> {
    event_loop.run_once(parent, Some(Duration::from_secs(60)))
}

/// A loop out of which the component was handed another one, and its parent.
fn robbed(fails: bool) -> (EventLoop, Parent) {
    let mut event_loop = virtual_loop();
    let mut parent = Parent { thief: Thief { fails, ..Thief::default() }, ..Parent::default() };
    event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
    turn(&mut event_loop, &mut parent).unwrap();
    assert_eq!(parent.thief.tokens, [1]);
    (event_loop, parent)
}

#[test]
fn what_it_puts_in_the_place_works_and_so_does_what_it_took() {
    let (mut put, mut parent) = robbed(false);
    put.timeout(7u64, SECOND).unwrap();
    turn(&mut put, &mut parent).unwrap();
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[1][..], &[2, 7][..]));

    let mut taken = parent.thief.taken.take().unwrap();
    taken.timeout(8u64, SECOND).unwrap();
    taken.nested(THIEF).timeout(9u64, SECOND).unwrap();
    turn(&mut taken, &mut parent).unwrap();
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[1, 10, 9][..], &[2, 7, 8][..]));
    assert_eq!(parent.errors, []);
}

#[test]
fn a_loop_that_is_put_back_long_after_is_in_no_scope() {
    let mut event_loop = virtual_loop();
    let mut parent = Parent::default();
    event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
    turn(&mut event_loop, &mut parent).unwrap();
    // Where it was, also as seen from its own memory.
    drop(mem::replace(&mut event_loop, parent.thief.taken.take().unwrap()));
    event_loop.timeout(8u64, SECOND).unwrap();
    turn(&mut event_loop, &mut parent).unwrap();
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[1, 10][..], &[8][..]));
}

#[test]
fn a_component_can_be_called_in_a_loop_that_it_took() {
    let (_put, mut parent) = robbed(false);
    let mut taken = parent.thief.taken.take().unwrap();
    taken.deliver_message(THIEF, &mut parent.thief, ()).unwrap();
    turn(&mut taken, &mut parent).unwrap();
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[1, 10, 11][..], &[][..]));
}

#[test]
fn a_loop_that_is_put_back_in_the_same_run_is_in_no_scope() {
    let mut event_loop = virtual_loop();
    let mut parent = Parent { puts_back: true, ..Parent::default() };
    event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
    event_loop.timeout(5u64, 4 * SECOND).unwrap();
    let mut ends = Ends(parent);
    event_loop.run(&mut ends).unwrap();
    parent = ends.0;
    // 2 is of the loop that was put in between, and it is the one that puts back.
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[1, 10, 11][..], &[2, 8, 5][..]));
}

#[test]
fn what_the_component_failed_with_before_fails_the_next_run() {
    let (_put, mut parent) = robbed(true);
    assert_eq!(parent.errors, []);
    let mut taken = parent.thief.taken.take().unwrap();
    let error = turn(&mut taken, &mut parent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    turn(&mut taken, &mut parent).unwrap();
    assert_eq!(parent.thief.tokens, [1, 10]);
}

#[test]
fn a_loop_that_is_put_back_in_the_same_run_fails_for_the_run() {
    struct PutsBack(Parent);
    impl Handler for PutsBack {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            self.0.timeout(event_loop, token, expiry);
            if let Some(taken) = self.0.thief.taken.take_if(|_| token == 2) {
                *event_loop = taken;
                event_loop.fail(ErrorKind::TimedOut.into());
            }
        }
    }
    let mut event_loop = virtual_loop();
    event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
    event_loop.timeout(5u64, 4 * SECOND).unwrap();
    let mut puts_back = PutsBack(Parent::default());
    let error = event_loop.run(&mut puts_back).err().unwrap();
    let Parent { thief, tokens, .. } = puts_back.0;
    assert_eq!((error.kind(), &*tokens), (ErrorKind::TimedOut, &[2][..]));
    assert_eq!(thief.tokens, [1], "at once");
}

#[test]
fn a_component_may_take_one_loop_after_the_other_in_one_run() {
    /// Has the thief take again what was put in the place of what it took.
    #[derive(Default)]
    struct Robbed {
        thief: Thief,
        taken: Vec<EventLoop>,
    }
    impl Handler for Robbed {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            if token & 0xFF == 3 {
                event_loop.deliver_timeout(THIEF, &mut self.thief, token, expiry).unwrap();
                let mut taken = self.thief.taken.take().unwrap();
                taken.timeout(20u64, SECOND).unwrap();
                self.taken.push(taken);
            } else if self.taken.len() < 3 {
                event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
            } else {
                event_loop.shutdown();
            }
        }
    }
    let mut event_loop = virtual_loop();
    event_loop.nested(THIEF).timeout(1u64, SECOND).unwrap();
    let mut robbed = Robbed::default();
    event_loop.run(&mut robbed).unwrap();
    assert_eq!(robbed.thief.tokens, [1, 1, 1]);
    for mut event_loop in robbed.taken {
        let mut parent = Parent::default();
        turn(&mut event_loop, &mut parent).unwrap();
        assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[10][..], &[20][..]));
    }
}

/// Sets one timer after the other, in its own scope.
#[derive(Default)]
struct Chain(Vec<u64>);

impl Handler for Chain {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
        self.0.push(token);
        if token < 3 {
            event_loop.timeout(token + 1, SECOND).expect("a token of this component's");
        }
    }

    fn message(&mut self, event_loop: &mut EventLoop, (): ()) {
        event_loop.timeout(1u64, SECOND).expect("a token of this component's");
    }
}

const CHAIN: Scope<u64, Any> = Scope::new(4, 9);

#[test]
fn a_loop_that_a_callback_of_its_own_took_away_has_components_wherever_it_is_put() {
    /// Exchanges the loop that it is handed for the one that it keeps, at a token of its own.
    struct Exchanges {
        chain: Chain,
        kept: EventLoop,
    }
    impl Handler for Exchanges {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            if token & 0xF == 9 {
                event_loop.deliver_timeout(CHAIN, &mut self.chain, token, expiry).unwrap();
            } else {
                assert_eq!(token, 7);
                mem::swap(event_loop, &mut self.kept);
            }
            if self.chain.0.len() == 3 {
                event_loop.shutdown();
            }
        }
    }
    let mut exchanges = Exchanges { chain: Chain::default(), kept: virtual_loop() };
    let mut event_loop = virtual_loop();
    for _ in 0..4 {
        // Where it is kept; and then in a run that was not its own, in a place in which it has been before.
        exchanges.kept.deliver_message(CHAIN, &mut exchanges.chain, ()).unwrap();
        event_loop.timeout(7u64, SECOND).unwrap();
        event_loop.run(&mut exchanges).unwrap();
        assert_eq!(mem::take(&mut exchanges.chain.0), [1, 2, 3]);
    }
    // In a place in which it has not.
    let mut elsewhere = virtual_loop();
    exchanges.kept.deliver_message(CHAIN, &mut exchanges.chain, ()).unwrap();
    elsewhere.timeout(7u64, SECOND).unwrap();
    elsewhere.run(&mut exchanges).unwrap();
    assert_eq!(exchanges.chain.0, [1, 2, 3]);
}

#[test]
fn the_scope_of_a_guard_that_is_forgotten_ends_with_the_callback_around_it() {
    #[derive(Default)]
    struct Forgets(Vec<u64>);
    impl Handler for Forgets {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
            self.0.push(token);
            for _ in 0..token {
                mem::forget(event_loop.nested(CHAIN));
            }
            match event_loop.timeout(7u64, SECOND) {
                Ok(timeout) => assert!(event_loop.cancel(timeout)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
            }
        }
    }
    struct Around {
        forgets: Forgets,
        tokens: Vec<u64>,
    }
    impl Handler for Around {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            if token & 0xFF == 3 {
                event_loop.deliver_timeout(THIEF, &mut self.forgets, token, expiry).unwrap();
                event_loop.timeout(7u64, SECOND).unwrap();
            } else {
                self.tokens.push(token);
            }
        }
    }
    for forgotten in [1, 2, 14, 15, 16, 100, 5_000, 100_000] {
        let mut event_loop = virtual_loop();
        event_loop.nested(THIEF).timeout(forgotten, SECOND).unwrap();
        let mut around = Around { forgets: Forgets::default(), tokens: Vec::new() };
        for _ in 0..2 {
            event_loop.run_once(&mut around, Some(2 * SECOND)).unwrap();
        }
        assert_eq!((around.forgets.0, around.tokens), (vec![forgotten], vec![7]));
    }
}

#[test]
fn the_scopes_of_guards_that_are_forgotten_outside_of_a_run_end_with_the_next() {
    for forgotten in [1, 15, 16, 2_000, 100_000] {
        let mut event_loop = virtual_loop();
        for _ in 0..forgotten {
            mem::forget(event_loop.nested(CHAIN));
        }
        let timeout = event_loop.timeout(1u64, SECOND).map(drop);
        assert_eq!(timeout.is_ok(), forgotten < 16, "{forgotten} of four bits each");
        let mut parent = Parent::default();
        event_loop.shutdown();
        turn(&mut event_loop, &mut parent).unwrap();
        event_loop.timeout(7u64, SECOND / 2).unwrap();
        turn(&mut event_loop, &mut parent).unwrap();
        assert_eq!(parent.tokens, [7], "{forgotten}");
    }
}

/// The documentation warns of it.
#[test]
fn a_loop_that_was_put_in_place_in_the_same_run_is_taken_with_its_scope_until_it_is_run() {
    struct Takes(Option<EventLoop>);
    impl Handler for Takes {
        fn timeout(&mut self, event_loop: &mut EventLoop, _: u64, _: Expiry) {
            self.0 = Some(mem::replace(event_loop, virtual_loop()));
        }
    }
    /// Puts another loop in place at a token of its own.
    struct Replaces(Takes);
    impl Handler for Replaces {
        fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
            if token & 0xFF == 3 {
                event_loop.deliver_timeout(THIEF, &mut self.0, token, expiry).unwrap();
                event_loop.shutdown();
            } else {
                *event_loop = virtual_loop();
                event_loop.nested(THIEF).timeout(4u64, SECOND).unwrap();
            }
        }
    }
    let mut event_loop = virtual_loop();
    event_loop.timeout(5u64, SECOND).unwrap();
    let mut taken = event_loop.run(Replaces(Takes(None))).unwrap().0.0.unwrap();
    let mut parent = Parent::default();
    taken.timeout(9u64, SECOND).unwrap();
    turn(&mut taken, &mut parent).unwrap();
    taken.timeout(7u64, SECOND).unwrap();
    turn(&mut taken, &mut parent).unwrap();
    assert_eq!((&*parent.thief.tokens, &*parent.tokens), (&[9][..], &[7][..]));
}
