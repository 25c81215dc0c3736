//! Structs with parameters.

use std::{
    cell::RefCell,
    io::{self, ErrorKind, Write},
    rc::Rc,
    time::Duration,
};

use mio_core::{
    EventLoop, Handler, Key, Proxy,
    proxy::{Address, Client, Closed, Command, Counters, Hooks, InspectUp},
    relay::Chunk,
};

use tests::peers::{accept_while, awaited, read_while};

use crate::{connect, listen, upstream};

/// What a gate is generic over. Called as something that the server's own code has, which it is not taken for.
trait Listener {
    fn route(&mut self, listener: usize) -> Option<Address>;
}

/// By the number of the listener.
#[derive(Default)]
struct Table(Vec<Address>);

impl Listener for Table {
    fn route(&mut self, listener: usize) -> Option<Address> {
        self.0.get(listener).cloned()
    }
}

mod words {
    /// What is put in the place of a byte.
    pub(super) trait Server<const N: usize> {
        fn instead(&self, byte: u8) -> u8;
    }

    impl<const N: usize, F: Fn(u8) -> u8> Server<N> for F {
        fn instead(&self, byte: u8) -> u8 {
            self(byte)
        }
    }
}

/// Of every kind of parameter one, with bounds of both kinds and defaults.
#[derive(Proxy)]
#[proxy(inspect(up), capacity = 16, tick = "1ms")]
struct Gate<'a, H: Listener, L = fn(u8) -> u8, const N: usize = 2>
where
    L: words::Server<N>,
{
    router: H,
    rewrite: L,
    /// Borrowed, and of one thread.
    ended: &'a RefCell<Vec<Closed>>,
    ticks: [Rc<RefCell<u32>>; N],
}

impl<H: Listener, L: words::Server<N>, const N: usize> Hooks for Gate<'_, H, L, N> {
    fn upstream(&mut self, client: &Client<'_>) -> Option<Address> {
        self.router.route(client.listener)
    }

    fn closed(&mut self, closed: &Closed) {
        self.ended.borrow_mut().push(*closed);
    }

    fn tick(&mut self, _: &Counters) {
        for ticks in &self.ticks {
            *ticks.borrow_mut() += 1;
        }
    }
}

impl<H: Listener, L: words::Server<N>, const N: usize> InspectUp for Gate<'_, H, L, N> {
    fn up(&mut self, _: Key, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        for byte in chunk.bytes_mut() {
            *byte = self.rewrite.instead(*byte);
        }
        Ok(())
    }
}

/// A program that is generic itself.
struct Program<'a, R: Listener, const N: usize> {
    gate: GateServer<'a, R, fn(u8) -> u8, N>,
    told: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Program<'a, R, N>, message = Command, generics(<'a, R: Listener, const N: usize>))]
enum On {
    #[nested(gate)]
    Gate(GateOn),
}

impl<L, R: Listener, const N: usize> OnHandler<L> for Program<'_, R, N> {
    fn gate(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
        self.told += 1;
        Ok(())
    }
}

#[test]
fn a_struct_with_parameters_serves_nested_in_a_program_with_parameters() {
    let ended = RefCell::default();
    let ticks: [Rc<RefCell<u32>>; 3] = Default::default();
    let (far, address) = upstream();
    let config = listen(&["127.0.0.1:0"; 2], GateServer::<Table>::config());
    assert_eq!(config.capacity, 16);
    let mut event_loop = EventLoop::<Command>::with_config(config.event_loop()).unwrap();
    let router = Table(vec![address]);
    let rewrite: fn(u8) -> u8 = |byte| byte + 1;
    let gate = Gate { router, rewrite, ended: &ended, ticks: ticks.clone() };
    let listeners = config.listeners().unwrap();
    let gate = GateServer::new(&mut event_loop.nested(On::GATE), gate, config, listeners).unwrap();
    let addresses: Vec<Address> = gate.addresses().map(Result::unwrap).collect();
    let mut program = Program { gate, told: 0 };
    let mut turn = |program: &mut Program<'_, Table, 3>| {
        event_loop.run_once(program, Some(Duration::from_millis(2))).unwrap();
    };

    let mut client = connect(&addresses[0]);
    let server = accept_while(|| turn(&mut program), &far);
    client.write_all(b"HAL").unwrap();
    assert_eq!(read_while(|| turn(&mut program), &server, 3), b"IBM");
    drop((client, server));
    // The router has no upstream for the second.
    drop(connect(&addresses[1]));
    let is_over = || {
        turn(&mut program);
        let is_over = ended.borrow().len() == 1 && program.gate.counters().not_opened == 1;
        (is_over && *ticks[2].borrow() > 0).then_some(())
    };
    awaited(|| (), is_over);
    assert_eq!(ended.borrow()[0].bytes_up, 3);
    assert!(program.told > 0);
}

/// Something of the caller's, of any type, and something that stays in its thread.
#[derive(Proxy)]
struct Borrowing<'a, T: ?Sized>(&'a T, Rc<Address>);

impl<T: ?Sized + Fn(u64)> Hooks for Borrowing<'_, T> {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        Some((*self.1).clone())
    }

    fn closed(&mut self, closed: &Closed) {
        (self.0)(closed.bytes_up);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn workers_borrow_from_who_waits_for_them_and_what_each_makes_stays_in_its_thread() {
    use std::{process, sync::atomic::*, thread};

    use tests::{
        Isolated,
        peers::{accept, read},
        test_name,
    };

    Isolated::new(test_name!()).run(|| {
        let sum = AtomicU64::new(0);
        // Of any type that the threads can share, also one without a size.
        let add: &(dyn Fn(u64) + Sync) = &|bytes| {
            sum.fetch_add(bytes, Ordering::SeqCst);
        };
        let (far, address) = upstream();
        let config = listen(&["127.0.0.1:0"], BorrowingServer::<dyn Fn(u64) + Sync>::config());
        let listeners = config.shared_listeners(2).unwrap();
        let front = listeners[0][0].local_addr().unwrap();
        let counters = thread::scope(|scope| {
            let address = &address;
            let make = |_| Borrowing(add, Rc::new(address.clone()));
            let running =
                scope.spawn(move || BorrowingServer::serve_in_threads(make, &config, listeners));
            for _ in 0..10 {
                let mut client = connect(&front);
                let mut server = accept(&far);
                client.write_all(b"four").unwrap();
                assert_eq!(read(&mut server, 4), b"four");
            }
            let kill = format!("kill -TERM {}", process::id());
            process::Command::new("sh").args(["-c", &kill]).status().unwrap();
            running.join().unwrap().unwrap()
        });
        assert_eq!((counters.finished, sum.load(Ordering::SeqCst)), (10, 40));
    });
}
