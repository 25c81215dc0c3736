//! A component that lends its loop to another thread.

use std::{io::ErrorKind, mem, thread, time::Duration};

use mio_core::{Any, EventLoop, Expiry, Handler, Scope};

use crate::{SECOND, virtual_loop};

const LENDER: Scope<u64, Any> = Scope::new(8, 3);
const INNER: Scope<u64, Any> = Scope::new(4, 9);

/// At its token 1 has another thread do something with the loop.
struct Lender<F> {
    does: F,
    tokens: Vec<u64>,
}

impl<F: Fn(&mut EventLoop) + Sync> Handler for Lender<F> {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, _: Expiry) {
        self.tokens.push(token);
        if token == 1 {
            thread::scope(|scope| scope.spawn(|| (self.does)(event_loop)).join().unwrap());
            event_loop.timeout(5u64, 3 * SECOND).unwrap();
        }
    }
}

struct Parent<F> {
    lender: Lender<F>,
    tokens: Vec<u64>,
    errors: Vec<ErrorKind>,
}

impl<F: Fn(&mut EventLoop) + Sync> Handler for Parent<F> {
    fn timeout(&mut self, event_loop: &mut EventLoop, token: u64, expiry: Expiry) {
        if token & 0xFF != 3 {
            self.tokens.push(token);
        } else if let Err(error) =
            event_loop.deliver_timeout(LENDER, &mut self.lender, token, expiry)
        {
            self.errors.push(error.kind());
        }
    }
}

/// The parent after the component's first turn, in which the other thread `does` that, and two more.
fn lent<F: Fn(&mut EventLoop) + Sync>(does: F) -> Parent<F> {
    let lender = Lender { does, tokens: Vec::new() };
    let mut parent = Parent { lender, tokens: Vec::new(), errors: Vec::new() };
    let mut event_loop = virtual_loop();
    event_loop.nested(LENDER).timeout(1u64, SECOND).unwrap();
    for _ in 0..3 {
        event_loop.run_once(&mut parent, Some(Duration::from_secs(60))).unwrap();
    }
    parent
}

#[test]
fn a_loop_that_is_lent_to_another_thread_takes_the_components_tokens_there() {
    let parent = lent(|event_loop| {
        event_loop.timeout(2u64, SECOND).unwrap();
    });
    assert_eq!((&*parent.lender.tokens, &*parent.tokens), (&[1, 2, 5][..], &[][..]));
}

#[test]
fn a_component_of_the_component_has_its_place_there() {
    let parent = lent(|event_loop| {
        event_loop.nested(INNER).timeout(2u64, SECOND).unwrap();
    });
    assert_eq!((&*parent.lender.tokens, &*parent.tokens), (&[1, 0x29, 5][..], &[][..]));
}

#[test]
fn what_the_component_fails_with_there_goes_to_its_parent() {
    let parent = lent(|event_loop| event_loop.fail(ErrorKind::TimedOut.into()));
    assert_eq!(
        (&*parent.errors, &*parent.lender.tokens),
        (&[ErrorKind::TimedOut][..], &[1, 5][..])
    );
}

#[test]
fn a_loop_that_was_taken_to_another_thread_is_in_no_scope_there() {
    let parent = lent(|event_loop| {
        let mut taken = mem::replace(event_loop, virtual_loop());
        thread::spawn(move || {
            taken.timeout(7u64, SECOND).unwrap();
            let lender = Lender { does: |_: &mut EventLoop| (), tokens: Vec::new() };
            let mut parent = Parent { lender, tokens: Vec::new(), errors: Vec::new() };
            taken.run_once(&mut parent, Some(Duration::from_secs(60))).unwrap();
            assert_eq!((&*parent.lender.tokens, &*parent.tokens), (&[][..], &[7][..]));
        })
        .join()
        .unwrap();
    });
    assert_eq!((&*parent.lender.tokens, &*parent.tokens), (&[1][..], &[5][..]));
}

#[test]
fn a_loop_that_is_run_there_is_in_no_scope_any_more() {
    let parent = lent(|event_loop| {
        struct Sees;
        impl Handler for Sees {
            fn tick(&mut self, event_loop: &mut EventLoop) {
                event_loop.timeout(7u64, SECOND).unwrap();
            }
        }
        assert!(event_loop.run_once(&mut Sees, Some(Duration::ZERO)).unwrap());
    });
    assert_eq!((&*parent.lender.tokens, &*parent.tokens), (&[1][..], &[7, 5][..]));
    assert_eq!(parent.errors, []);
}
