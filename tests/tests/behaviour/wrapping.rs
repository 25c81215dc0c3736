//! A handler that passes on what it is called with, method by method, to one that it has by reference.

use std::time::Duration;

use mio_core::{ChildExit, EventLoop, Expiry, Handler, Readiness};
use tests::{exits, sole_watcher};

struct Wrapper<H>(H);

impl<H: Handler<u32>> Handler<u32> for Wrapper<H> {
    fn readable(&mut self, event_loop: &mut EventLoop<u32>, token: u64) {
        self.0.readable(event_loop, token);
    }

    fn writable(&mut self, event_loop: &mut EventLoop<u32>, token: u64) {
        self.0.writable(event_loop, token);
    }

    fn priority(&mut self, event_loop: &mut EventLoop<u32>, token: u64) {
        self.0.priority(event_loop, token);
    }

    fn closed(&mut self, event_loop: &mut EventLoop<u32>, token: u64) {
        self.0.closed(event_loop, token);
    }

    fn timeout(&mut self, event_loop: &mut EventLoop<u32>, token: u64, expiry: Expiry) {
        self.0.timeout(event_loop, token, expiry);
    }

    fn message(&mut self, event_loop: &mut EventLoop<u32>, message: u32) {
        self.0.message(event_loop, message);
    }

    fn child(&mut self, event_loop: &mut EventLoop<u32>, token: u64, exit: ChildExit) {
        self.0.child(event_loop, token, exit);
    }

    fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
        self.0.tick(event_loop);
    }
}

#[derive(Default)]
struct Names(Vec<(&'static str, u64)>);

impl Handler<u32> for Names {
    fn readable(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.0.push(("readable", token));
    }

    fn writable(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.0.push(("writable", token));
    }

    fn priority(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.0.push(("priority", token));
    }

    fn closed(&mut self, _: &mut EventLoop<u32>, token: u64) {
        self.0.push(("closed", token));
    }

    fn timeout(&mut self, _: &mut EventLoop<u32>, token: u64, _: Expiry) {
        self.0.push(("timeout", token));
    }

    fn message(&mut self, _: &mut EventLoop<u32>, message: u32) {
        self.0.push(("message", message.into()));
    }

    fn child(&mut self, _: &mut EventLoop<u32>, token: u64, _: ChildExit) {
        self.0.push(("child", token));
    }

    fn tick(&mut self, event_loop: &mut EventLoop<u32>) {
        self.0.push(("tick", 0));
        event_loop.shutdown();
    }
}

#[test]
fn a_handler_by_reference_passes_every_method_on() {
    let _watcher = sole_watcher();
    let mut event_loop = EventLoop::new().unwrap();
    let everything = Readiness::READABLE
        | Readiness::PRIORITY
        | Readiness::READ_CLOSED
        | Readiness::WRITE_CLOSED;
    event_loop.again(1u64, everything).unwrap();
    let mut child = exits(0).spawn().unwrap();
    event_loop.child(&child, 2u64).unwrap();
    event_loop.timeout(3u64, Duration::ZERO).unwrap();
    event_loop.sender().send(4).unwrap();
    let mut names = Names::default();
    while !names.0.contains(&("child", 2)) || !names.0.contains(&("timeout", 3)) {
        event_loop.run(Wrapper(&mut names)).unwrap();
    }
    child.wait().unwrap();
    let mut calls = names.0;
    calls.retain(|call| call.0 != "tick");
    calls.sort_unstable();
    let expected = [
        ("child", 2),
        ("closed", 1),
        ("message", 4),
        ("priority", 1),
        ("readable", 1),
        ("timeout", 3),
        ("writable", 1),
    ];
    assert_eq!(calls, expected);
}
