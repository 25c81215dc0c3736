//! Two components of two crates, and the program in `server` that nests them, with sources of its own.
#![cfg(any(unix, windows))]

#[cfg(target_os = "linux")]
mod exhaustion;
mod server;

use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use listener::Limits;
use mio_core::{Config, EventLoop};
use server::{CURFEW, Command, Id, On, PERIOD, Server};
use tests::{
    alloc::{Counting, forbidden},
    peers::awaited,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Setup {
    event_loop: EventLoop<Command>,
    server: Server,
    address: SocketAddr,
}

fn setup(limits: Limits) -> Setup {
    with_config(limits, Config::default())
}

fn with_config(limits: Limits, config: Config) -> Setup {
    let config = Config { virtual_time: Some(0), ..config };
    let mut event_loop = EventLoop::with_config(config).unwrap();
    let (server, address) = Server::new(&mut event_loop, limits).unwrap();
    Setup { event_loop, server, address }
}

impl Setup {
    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// A turn that does not wait.
    fn turn(&mut self) {
        assert!(self.event_loop.run_once(&mut self.server, Some(Duration::ZERO)).unwrap());
    }

    /// Turns until this is so.
    fn until(&mut self, is_so: impl Fn(&Setup) -> bool) {
        let look = || {
            self.turn();
            is_so(self).then_some(())
        };
        awaited(|| (), look);
    }

    /// Turns while what is not to happen has time for it.
    fn settle(&mut self) {
        for _ in 0..20 {
            self.turn();
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets this much time pass.
    fn pass(&mut self, time: Duration) {
        let end = self.event_loop.now() + time;
        for _ in 0..1000 {
            let left = end.saturating_duration_since(self.event_loop.now());
            assert!(self.event_loop.run_once(&mut self.server, Some(left)).unwrap());
            if left.is_zero() {
                return;
            }
        }
        panic!("time stands still");
    }

    fn live(&self) -> (usize, usize) {
        (self.server.listener.live(), self.server.clients.len())
    }

    /// Turns until so many live.
    fn lets_in(&mut self, live: usize) {
        self.until(|setup| setup.live() == (live, live));
    }

    /// Turns until so many have gone.
    fn loses(&mut self, gone: usize) {
        self.until(|setup| setup.server.gone == gone);
    }

    /// Turns until so many bytes have come.
    fn receives(&mut self, bytes: usize) {
        self.until(|setup| setup.server.received == bytes);
    }

    fn ids(&self) -> Vec<Id> {
        self.server.clients.keys().collect()
    }
}

fn limits(live: usize, batch: usize) -> Limits {
    Limits { live, batch, ..Limits::default() }
}

#[test]
fn streams_are_handed_over_and_what_they_bring_is_reported() {
    let mut setup = setup(limits(10, 10));
    let (mut one, mut two) = (setup.connect(), setup.connect());
    setup.lets_in(2);
    one.write_all(&[1; 100]).unwrap();
    two.write_all(&[2; 23]).unwrap();
    setup.receives(123);
    setup.pass(PERIOD);
    let Server { totals, metered, errors, .. } = &setup.server;
    assert_eq!(totals.iter().map(|r| (r.events, r.amount)).collect::<Vec<_>>(), [(2, 123)]);
    assert!(totals[0].elapsed >= PERIOD && totals[0].rate() <= 123.0);
    let mut amounts: Vec<_> = metered.iter().map(|(_, report)| report.amount).collect();
    amounts.sort_unstable();
    assert_eq!((amounts, errors.len()), (vec![23, 100], 0));
}

#[test]
fn no_more_live_than_the_limit_and_a_released_one_makes_room() {
    let mut setup = setup(limits(2, 10));
    let peers = [0; 5].map(|_| setup.connect());
    setup.lets_in(2);
    setup.settle();
    assert_eq!(setup.live(), (2, 2));
    drop(peers);
    // Each that ends lets in the next, which has ended too.
    setup.loses(5);
    assert_eq!(setup.live(), (0, 0));
    let _peers = [0; 2].map(|_| setup.connect());
    setup.lets_in(2);
    setup.pass(CURFEW);
    assert_eq!(setup.live(), (0, 0));
}

#[test]
fn a_batch_is_accepted_in_a_turn_and_the_rest_in_the_next_ones() {
    let mut setup = setup(limits(10, 2));
    let _peers = [0; 5].map(|_| setup.connect());
    let mut before = 0;
    let look = || {
        setup.turn();
        let (live, _) = setup.live();
        assert!(live <= before + 2);
        before = live;
        (live == 5).then_some(())
    };
    awaited(|| (), look);
}

#[test]
fn a_component_that_is_gone_gets_nothing_nor_does_the_one_in_its_place() {
    let mut setup = setup(limits(1, 1));
    let gone = setup.connect();
    setup.lets_in(1);
    let [old] = setup.ids()[..] else { panic!("one") };
    setup.pass(PERIOD / 2);
    drop(gone);
    let mut stays = setup.connect();
    setup.loses(1);
    setup.lets_in(1);
    let [new] = setup.ids()[..] else { panic!("one") };
    assert_eq!((old.index(), old == new), (new.index(), false));
    stays.write_all(b"four").unwrap();
    setup.receives(4);
    // Here the meter of the one that is gone would report.
    setup.event_loop.sender().send(Command::Meter(old, ticker::Message::Report)).unwrap();
    setup.pass(PERIOD * 3 / 4);
    assert_eq!((setup.server.metered.len(), setup.server.errors.len()), (0, 0));
    setup.pass(PERIOD / 2);
    let metered: Vec<_> = setup.server.metered.iter().map(|(id, r)| (*id, r.amount)).collect();
    assert_eq!(metered, [(new, 4)]);
}

#[test]
fn components_get_their_messages_wrapped_in_the_programs() {
    let mut setup = setup(limits(2, 2));
    let to_listener = setup.event_loop.sender().map(Command::Listener);
    let to_total = setup.event_loop.sender().map(Command::Total);
    to_listener.send(listener::Message::Live(0)).unwrap();
    setup.turn();
    let _peers = [0; 3].map(|_| setup.connect());
    setup.settle();
    assert_eq!(setup.live(), (0, 0), "it pauses");
    to_listener.send(listener::Message::Live(1)).unwrap();
    setup.lets_in(1);
    setup.settle();
    assert_eq!(setup.live(), (1, 1));
    to_listener.send(listener::Message::Live(100)).unwrap();
    setup.lets_in(2);
    setup.settle();
    assert_eq!(setup.live(), (2, 2), "no more than there is room for");

    to_total.send(ticker::Message::Report).unwrap();
    setup.turn();
    assert_eq!(setup.server.totals.len(), 1, "out of turn");
    to_total.send(ticker::Message::Period(PERIOD * 10)).unwrap();
    setup.turn();
    setup.pass(PERIOD * 9);
    assert_eq!(setup.server.totals.len(), 1);
    setup.pass(PERIOD);
    assert_eq!(setup.server.totals.len(), 2);
    setup.event_loop.sender().send(Command::Stop).unwrap();
    assert!(!setup.event_loop.run_once(&mut setup.server, Some(Duration::ZERO)).unwrap());
}

#[test]
fn components_that_are_closed_leave_nothing_behind() {
    let Setup { mut event_loop, server, address } = setup(limits(10, 10));
    let Server { listener, total, .. } = server;
    let accepted = listener.close(&mut event_loop.nested(On::LISTENER)).unwrap();
    total.close(&mut event_loop.nested(On::TOTAL));
    assert_eq!((event_loop.next_deadline(), accepted.count()), (None, 0));
    // A child that another test begins has the listener too.
    let refused = awaited(|| (), || TcpStream::connect(address).err());
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn components_touch_no_allocator() {
    let mut setup = setup(limits(10, 10));
    let mut peers = [0; 12].map(|_| setup.connect());
    forbidden("accepting, counting and reporting", || {
        setup.lets_in(10);
        peers[0].write_all(b"four").unwrap();
        setup.receives(4);
        setup.pass(2 * PERIOD);
    });
    drop(peers);
    forbidden("closing", || setup.loses(12));
    assert_eq!((setup.live(), setup.server.totals.len()), ((0, 0), 2));
}
