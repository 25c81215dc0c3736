//! Where splicing is refused, and what becomes of the pipes.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::fd::AsRawFd,
    thread,
};

use mio_core::{
    EventLoop, Readiness,
    relay::{Bounds, Flow, Pool, Progress, Stream, Way},
};
use tests::{Isolated, Relayed, test_name};

use super::{bulk, is_copied, local, noise, sends_and_receives, tcp};

#[test]
fn where_splicing_is_refused_bulk_is_copied() {
    Isolated::new(test_name!()).refuse(&[libc::SYS_splice], libc::ENOSYS).run(|| {
        is_copied(bulk(Bounds::default(), tcp(), local()));
    });
}

#[test]
fn where_a_sandbox_refuses_splicing_bulk_is_copied() {
    Isolated::new(test_name!()).refuse(&[libc::SYS_splice], libc::EPERM).run(|| {
        is_copied(bulk(Bounds::default(), tcp(), local()));
    });
}

#[test]
fn where_a_socket_cannot_be_spliced_bulk_is_copied() {
    Isolated::new(test_name!()).refuse(&[libc::SYS_splice], libc::EINVAL).run(|| {
        is_copied(bulk(Bounds::default(), tcp(), local()));
    });
}

#[test]
fn where_no_descriptor_is_left_for_a_pipe_bulk_is_copied() {
    Isolated::new(test_name!()).run(|| {
        let (one, other) = (tcp(), local());
        let mut event_loop: EventLoop = EventLoop::new().unwrap();
        let relayed = Relayed::new(&mut event_loop, Bounds::default(), one.0, other.0);
        let (up, down) = (noise(1), noise(2));
        let ways = thread::scope(|scope| {
            sends_and_receives(scope, one.1, &up, &down);
            sends_and_receives(scope, other.1, &down, &up);
            // Numbers below this one are taken.
            let free = File::open("/dev/null").unwrap().as_raw_fd();
            tests::limit_descriptors(free as u64).unwrap();
            event_loop.run(relayed).unwrap().ways
        });
        is_copied(ways);
    });
}

#[test]
fn where_a_broken_pipe_would_kill_nothing_is_spliced_and_nobody_dies() {
    Isolated::new(test_name!()).run(|| {
        tests::broken_pipes_kill();
        is_copied(bulk(Bounds::default(), tcp(), local()));
    });
}

/// Advances as far as it goes.
fn settle<A: Stream, B: Stream>(flow: &mut Flow, source: &A, sink: &B, pool: &mut Pool) -> Way {
    let mut way = Way::default();
    flow.source_is(Readiness::READABLE);
    flow.sink_is(Readiness::WRITABLE);
    while flow.advance(source, sink, pool, &mut way, &mut ()) == Ok(Progress::Yields) {}
    way
}

#[test]
fn bytes_in_a_pipe_whose_flow_ends_reach_nobody_else() {
    // Alone, so that no other test opens descriptors.
    Isolated::new(test_name!()).run(|| {
        let bounds =
            Bounds { pipes: 1, buffer_bytes: 1 << 10, pipe_bytes: 1 << 16, ..Bounds::default() };
        let mut pool = Pool::new(bounds);
        let before = fs::read_dir("/proc/self/fd").unwrap().count();
        for round in 0..3_u8 {
            let ((source, mut from), (sink, mut to)) = (local(), local());
            let mut flow = Flow::new();
            let mut spliced = 0;
            // The sink is not read from: the pipe stays full.
            from.set_nonblocking(true).unwrap();
            while from.write(&[round; 1 << 14]).is_ok() {
                spliced += settle(&mut flow, &source, &sink, &mut pool).spliced;
            }
            assert_eq!((pool.pipes(), spliced > 0), (1, true));
            let passed = flow.bytes();
            flow.close(&mut pool);
            assert_eq!(pool.pipes(), 0, "it was closed with the bytes in it");
            drop(sink);
            let mut bytes = Vec::new();
            to.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len() as u64, passed);
            assert!(bytes.iter().all(|&byte| byte == round), "none of another round");
        }
        assert_eq!(fs::read_dir("/proc/self/fd").unwrap().count(), before);
    });
}
