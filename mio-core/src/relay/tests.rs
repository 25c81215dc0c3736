//! Flows between two sides of which everything can be said by hand.

use std::io::ErrorKind;

use super::{
    sim::streams::{Side, SimPipe, allow_pipes},
    splice::{BULK_BYTES, BULK_READS, SHORT_FILLS},
    *,
};
use crate::interest::Readiness;

const BOUNDS: Bounds = Bounds {
    buffers: 1,
    buffer_bytes: 4,
    burst_bytes: 1 << 20,
    waiting: 2,
    pipes: 0,
    pipe_bytes: 8,
};

struct Rig {
    source: Side,
    sink: Side,
    flow: Flow,
    pool: Pool<SimPipe>,
    way: Way,
}

impl Rig {
    fn new(bounds: Bounds) -> Rig {
        let (source, sink) = (Side::new(1), Side::new(2));
        sink.make_room(1 << 20);
        let (flow, way) = (Flow::to_a_ready_sink(), Way::default());
        Rig { source, sink, flow, pool: Pool::with_pipes(bounds), way }
    }

    /// A sink with room for so much and no more.
    fn with_room(bounds: Bounds, room: usize) -> Rig {
        let rig = Rig::new(bounds);
        let sink = Side::new(2);
        sink.make_room(room);
        Rig { sink, ..rig }
    }

    fn advance(&mut self) -> Result<Progress, Broken> {
        self.advance_through(&mut ())
    }

    fn advance_through(&mut self, filter: &mut impl Filter) -> Result<Progress, Broken> {
        self.flow.source_is(self.source.news());
        self.flow.sink_is(self.sink.news());
        let Rig { source, sink, flow, pool, way } = self;
        flow.advance(source, sink, pool, way, filter)
    }
}

#[test]
fn a_flow_is_small() {
    assert!(size_of::<Flow>() <= 24, "{} bytes", size_of::<Flow>());
}

#[test]
fn a_message_is_one_read_and_one_write_and_no_report_is_none() {
    let mut rig = Rig::new(BOUNDS);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.way, Way::default());
    rig.source.arrive(b"abc");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.sink.sent(), b"abc");
    assert_eq!(rig.way, Way { bytes: 3, reads: 1, writes: 1, ..Way::default() });
    assert_eq!((rig.flow.bytes(), rig.flow.is_finished()), (3, false));
}

#[test]
fn a_read_that_fills_the_buffer_is_followed_by_another() {
    let mut rig = Rig::new(BOUNDS);
    rig.source.arrive(b"abcdefgh");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.sink.sent(), b"abcdefgh");
    assert_eq!((rig.way.reads, rig.way.writes), (3, 2));
}

#[test]
fn the_end_is_passed_on_after_the_last_byte_and_once() {
    let mut rig = Rig::with_room(BOUNDS, 1);
    rig.source.arrive(b"abc");
    rig.source.end();
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert!(!rig.sink.is_ended() && !rig.flow.is_finished());
    rig.sink.make_room(10);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert!(rig.sink.is_ended() && rig.flow.is_finished());
    assert_eq!(rig.sink.sent(), b"abc");
    let calls = rig.way;
    rig.flow.source_is(Readiness::READABLE | Readiness::READ_CLOSED);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.way, calls);
}

#[test]
fn the_last_flow_of_a_pair_leaves_it_to_the_sink_to_tell_the_end() {
    let mut rig = Rig::new(BOUNDS);
    rig.flow.is_the_last();
    rig.source.arrive(b"ab");
    rig.source.end();
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert!(rig.flow.is_finished() && !rig.sink.is_ended());
    assert_eq!(rig.sink.sent(), b"ab");
}

#[test]
fn nothing_is_read_that_could_not_be_written() {
    let mut rig = Rig::with_room(BOUNDS, 1);
    rig.source.arrive(b"ab");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.pool.held(), rig.way.held), (1, 1));
    rig.source.arrive(b"cd");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.way.reads, rig.way.writes), (1, 1));
    rig.sink.make_room(10);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.pool.held(), rig.pool.held_max()), (b"abcd".to_vec(), 0, 1));
}

#[test]
fn without_a_buffer_bytes_stay_where_they_are_until_they_are_written() {
    let mut rig = Rig::with_room(Bounds { buffers: 0, ..BOUNDS }, 2);
    rig.source.arrive(b"abcdef");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.source.waiting()), (b"ab".to_vec(), 4));
    rig.sink.make_room(10);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.way.held), (b"abcdef".to_vec(), 0));
    assert!(rig.way.peeks > 0);
}

#[test]
fn what_was_looked_at_and_not_written_is_not_forgotten() {
    let mut rig = Rig::with_room(Bounds { buffers: 0, ..BOUNDS }, 1);
    rig.source.arrive(b"abc");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    rig.sink.make_room(10);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.sink.sent(), b"abc");
}

#[test]
fn a_flow_that_is_closed_gives_its_buffer_to_the_next() {
    let mut rig = Rig::with_room(BOUNDS, 1);
    rig.source.arrive(b"ab");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.pool.held(), 1);
    rig.flow.close(&mut rig.pool);
    assert_eq!(rig.pool.held(), 0);
}

#[test]
fn each_side_breaks_with_its_own_error_and_gives_back_what_was_held() {
    for (fails, expected) in [
        (0, Broken::Source(ErrorKind::ConnectionReset)),
        (1, Broken::Sink(ErrorKind::ConnectionReset)),
    ] {
        let mut rig = Rig::new(BOUNDS);
        rig.source.arrive(b"ab");
        [&rig.source, &rig.sink][fails].fail(ErrorKind::ConnectionReset);
        assert_eq!(rig.advance(), Err(expected));
    }
    let mut rig = Rig::with_room(BOUNDS, 1);
    rig.source.arrive(b"ab");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    rig.sink.fail(ErrorKind::BrokenPipe);
    assert_eq!(rig.advance(), Err(Broken::Sink(ErrorKind::BrokenPipe)));
    rig.flow.close(&mut rig.pool);
    assert_eq!(rig.pool.held(), 0);
}

#[test]
fn it_yields_after_a_burst_and_goes_on_where_it_was() {
    let mut rig = Rig::new(Bounds { burst_bytes: 8, ..BOUNDS });
    rig.source.arrive(&[7; 21]);
    for sent in [8, 16] {
        assert_eq!(rig.advance(), Ok(Progress::Yields));
        assert_eq!(rig.sink.sent().len(), sent);
    }
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent().len(), rig.way.yields), (21, 2));
}

#[test]
fn what_comes_first_goes_out_with_what_has_come() {
    let mut rig = Rig::new(Bounds { buffer_bytes: 16, ..BOUNDS });
    rig.source.arrive(b"hello");
    rig.flow.source_is(rig.source.news());
    let Rig { source, sink, flow, pool, way } = &mut rig;
    assert_eq!(flow.begin(b"PROXY ", source, sink, pool, way, &mut ()), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.way.writes), (b"PROXY hello".to_vec(), 1));
}

#[test]
fn what_comes_first_does_not_wait_for_the_source_and_is_held_if_need_be() {
    let mut rig = Rig::with_room(Bounds { buffer_bytes: 16, ..BOUNDS }, 2);
    let Rig { source, sink, flow, pool, way } = &mut rig;
    assert_eq!(flow.begin(b"PROXY ", source, sink, pool, way, &mut ()), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.way.reads), (b"PR".to_vec(), 0));
    rig.source.arrive(b"hello");
    rig.sink.make_room(100);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.sink.sent(), b"PROXY hello");
}

#[test]
fn what_comes_first_and_finds_no_room_breaks_the_flow() {
    let mut rig = Rig::with_room(Bounds { buffers: 0, ..BOUNDS }, 2);
    let Rig { source, sink, flow, pool, way } = &mut rig;
    let full = Err(Broken::Sink(ErrorKind::QuotaExceeded));
    assert_eq!(flow.begin(b"abc", source, sink, pool, way, &mut ()), full);
    assert_eq!(flow.begin(b"abcde", source, sink, pool, way, &mut ()), full);
}

#[test]
fn what_comes_first_is_sent_again_after_an_interruption_though_no_buffer_is_left() {
    let mut rig = Rig::new(Bounds { buffers: 0, ..BOUNDS });
    let Rig { source, sink, flow, pool, way } = &mut rig;
    sink.interrupt(80);
    assert_eq!(flow.begin(b"abc", source, sink, pool, way, &mut ()), Ok(Progress::Waits));
    assert_eq!((rig.sink.sent(), rig.way.writes > 1), (b"abc".to_vec(), true));
}

/// Doubles each byte, and says good bye.
struct Doubles;

impl Filter for Doubles {
    const ROOM: usize = 2;

    fn pass(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        let bytes = chunk.bytes().to_vec();
        if bytes.contains(&b'!') {
            return Err(ErrorKind::InvalidData);
        }
        chunk.push(&bytes).map_err(|_| ErrorKind::OutOfMemory)
    }

    fn end(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ErrorKind> {
        chunk.push(b".").map_err(|_| ErrorKind::OutOfMemory)
    }
}

#[test]
fn a_filter_sees_each_byte_once_and_has_the_room_that_it_asked_for() {
    let mut rig = Rig::new(BOUNDS);
    rig.source.arrive(b"abcde");
    rig.source.end();
    assert_eq!(rig.advance_through(&mut Doubles), Ok(Progress::Waits));
    assert_eq!(rig.sink.sent(), b"ababcdcdee.");
    assert!(rig.flow.is_finished());
}

#[test]
fn a_filter_can_break_a_flow_off() {
    let mut rig = Rig::new(BOUNDS);
    rig.source.arrive(b"!");
    let broken = Err(Broken::Filter(ErrorKind::InvalidData));
    assert_eq!(rig.advance_through(&mut Doubles), broken);
    assert_eq!(rig.sink.sent(), b"");
}

#[test]
fn with_a_filter_a_flow_waits_for_a_buffer_in_a_queue() {
    let mut rig = Rig::with_room(BOUNDS, 1);
    rig.source.arrive(b"ab");
    assert_eq!(rig.advance(), Ok(Progress::Waits));

    let (source, sink, mut flow) = (Side::new(3), Side::new(4), Flow::to_a_ready_sink());
    sink.make_room(10);
    source.arrive(b"c");
    flow.source_is(source.news());
    let starves = flow.advance(&source, &sink, &mut rig.pool, &mut rig.way, &mut Doubles);
    assert_eq!(starves, Ok(Progress::Starves));
    rig.pool.queue(7).unwrap();
    rig.pool.queue(8).unwrap();
    assert_eq!(rig.pool.queue(9), Err(crate::Full));
    assert_eq!(rig.pool.next_in_queue(), None);
    rig.pool.leave_queue(7);
    rig.pool.queue(9).unwrap();

    rig.flow.close(&mut rig.pool);
    assert_eq!([(); 3].map(|()| rig.pool.next_in_queue()), [Some(8), Some(9), None]);
    let goes_on = flow.advance(&source, &sink, &mut rig.pool, &mut rig.way, &mut Doubles);
    assert_eq!((goes_on, sink.sent()), (Ok(Progress::Waits), b"cc".to_vec()));
}

const WITH_PIPES: Bounds = Bounds { pipes: 2, ..BOUNDS };

/// One whose flow is taken for bulk, with nothing left to read.
fn bulk(bounds: Bounds) -> Rig {
    allow_pipes(usize::MAX, ErrorKind::Other);
    let mut rig = Rig::new(bounds);
    rig.source.arrive(&[1; 4 * BULK_READS as usize]);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.way.spliced, rig.pool.held()), (0, 0));
    rig
}

/// What carrying these bytes counts.
fn carried(rig: &mut Rig, bytes: &[u8]) -> Way {
    rig.way = Way::default();
    rig.source.arrive(bytes);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert!(rig.sink.sent().ends_with(bytes));
    rig.way
}

#[test]
fn a_flow_whose_reads_were_bulk_is_spliced_and_a_short_read_takes_one_of_them_back() {
    let mut rig = bulk(WITH_PIPES);
    assert_eq!(carried(&mut rig, &[2; 16]).spliced, 16);
    assert_eq!((rig.pool.pipes(), rig.pool.held()), (1, 0));

    // As many for as against, however often.
    let mut rig = Rig::new(WITH_PIPES);
    for _ in 0..20 {
        assert_eq!(carried(&mut rig, &[3; 4 + 3]).spliced, 0);
    }
    // Three for and one against, again and again: a buffer of the kernel that is drained in four reads.
    let mut rig = Rig::new(WITH_PIPES);
    assert_eq!(carried(&mut rig, &[3; 4 * 3 + 3]).spliced, 0);
    assert!(carried(&mut rig, &[3; 4 * 3 + 3]).spliced > 0);
}

#[test]
fn with_a_long_buffer_a_read_is_bulk_that_does_not_fill_it() {
    for (length, spliced) in [(BULK_BYTES, true), (BULK_BYTES - 1, false)] {
        allow_pipes(usize::MAX, ErrorKind::Other);
        let mut rig = Rig::new(Bounds { buffer_bytes: 2 * BULK_BYTES, ..WITH_PIPES });
        for _ in 0..BULK_READS {
            carried(&mut rig, &vec![1; length]);
        }
        assert_eq!(carried(&mut rig, b"12345678").spliced > 0, spliced);
    }
}

#[test]
fn a_unit_of_bulk_is_a_fill_and_a_drain_and_only_a_read_tells_that_no_more_is_there() {
    let mut rig = bulk(WITH_PIPES);
    carried(&mut rig, &[2; 8]);
    let way = carried(&mut rig, &[2; 80]);
    // The last fill and the read after it find nothing.
    assert_eq!((way.fills, way.drains, way.reads, way.writes), (11, 10, 1, 0));
}

#[test]
fn a_spliced_flow_that_becomes_small_is_copied_again() {
    let mut rig = bulk(WITH_PIPES);
    assert_eq!((BULK_BYTES, BULK_READS, SHORT_FILLS), (32 << 10, 4, 4));
    for _ in 0..SHORT_FILLS {
        let way = carried(&mut rig, b"x");
        assert_eq!((way.fills, way.reads), (1, 1));
    }
    assert_eq!(carried(&mut rig, b"x"), Way { bytes: 1, reads: 1, writes: 1, ..Way::default() });
}

#[test]
fn what_the_sink_does_not_take_stays_in_the_pipe_until_it_does() {
    let mut rig = bulk(WITH_PIPES);
    rig.sink.make_room_only(3);
    rig.source.arrive(b"abcdefgh");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.pool.held(), rig.pool.pipes()), (0, 1));
    rig.source.arrive(b"ij");
    let calls = (rig.way.fills, rig.way.reads);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!((rig.way.fills, rig.way.reads), calls);
    rig.sink.make_room(100);
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert!(rig.sink.sent().ends_with(b"abcdefghij"));
}

#[test]
fn a_pipe_with_bytes_of_a_flow_that_ended_is_never_anothers() {
    let mut rig = bulk(Bounds { pipes: 1, ..WITH_PIPES });
    rig.sink.make_room_only(3);
    rig.source.arrive(b"secret!!");
    assert_eq!(rig.advance(), Ok(Progress::Waits));
    assert_eq!(rig.pool.pipes(), 1);
    rig.flow.close(&mut rig.pool);
    assert_eq!(rig.pool.pipes(), 0);

    let mut other = bulk(WITH_PIPES);
    std::mem::swap(&mut other.pool, &mut rig.pool);
    assert_eq!(carried(&mut other, &[5; 16]).spliced, 16);
}

#[test]
fn while_all_pipes_are_lent_or_none_opens_bytes_are_copied() {
    let mut rig = bulk(WITH_PIPES);
    let lent = [rig.pool.pipes.take().unwrap(), rig.pool.pipes.take().unwrap()];
    assert_eq!(carried(&mut rig, &[2; 16]).spliced, 0);
    lent.into_iter().for_each(|number| rig.pool.pipes.put_back(number));
    assert_eq!(carried(&mut rig, &[2; 16]).spliced, 16);

    allow_pipes(0, ErrorKind::Other);
    let mut rig = Rig::new(WITH_PIPES);
    assert_eq!(carried(&mut rig, &[2; 64]).spliced, 0);
    // Descriptors may be there again, which is tried once in a while.
    allow_pipes(1, ErrorKind::Other);
    assert_eq!(carried(&mut rig, &[2; 64]).spliced, 0);
    assert!(carried(&mut rig, &[2; 8_000]).spliced > 0);

    allow_pipes(0, ErrorKind::Other);
    let pipes = &mut Rig::new(WITH_PIPES).pool.pipes;
    assert_eq!(pipes.take(), None);
    allow_pipes(1, ErrorKind::Other);
    assert!((0..1000).all(|_| pipes.take().is_none()));
    assert!(pipes.take().is_some());
}

#[test]
fn a_refusal_of_one_stream_is_its_own_and_one_of_the_system_is_for_all() {
    for (kind, sides, pipes) in [
        (ErrorKind::InvalidInput, 0, 1),
        (ErrorKind::InvalidInput, 1, 1),
        (ErrorKind::PermissionDenied, 0, 0),
        (ErrorKind::Unsupported, 1, 0),
    ] {
        allow_pipes(usize::MAX, ErrorKind::Other);
        let mut rig = Rig::new(WITH_PIPES);
        [&rig.source, &rig.sink][sides].refuse(kind);
        let way = carried(&mut rig, &[2; 64]);
        assert_eq!((way.fills, way.drains, way.spliced), (1 - sides as u64, 1, 0));
        assert_eq!(rig.pool.pipes(), pipes);
        let way = carried(&mut rig, &[2; 64]);
        assert_eq!((way.fills, way.drains, way.spliced), (0, 0, 0), "asked once");
        assert_eq!(rig.pool.pipes.take().is_some(), pipes > 0);
    }
}

#[test]
fn out_of_band_data_holds_nothing_up() {
    let mut rig = bulk(WITH_PIPES);
    rig.source.urge();
    let way = carried(&mut rig, &[2; 16]);
    assert!(way.reads > 0 && way.fills > 0);
}

#[test]
fn a_filter_that_wakes_up_sees_every_byte_of_bulk_and_one_that_has_seen_enough_none() {
    let mut rig = bulk(WITH_PIPES);
    rig.source.arrive(b"ab");
    assert_eq!(rig.advance_through(&mut Doubles), Ok(Progress::Waits));
    assert!(rig.sink.sent().ends_with(b"abab") && rig.way.spliced == 0);
    assert_eq!(carried(&mut rig, &[2; 16]).spliced, 16);
}

#[test]
fn idle_pipes_can_be_closed_and_are_opened_again() {
    let mut rig = bulk(WITH_PIPES);
    for _ in 0..2 {
        assert_eq!(carried(&mut rig, &[2; 16]).spliced, 16);
        assert_eq!(rig.pool.pipes(), 1);
        rig.pool.close_idle_pipes();
        assert_eq!(rig.pool.pipes(), 0);
    }
}

#[test]
fn bulk_that_is_copied_is_read_in_whole_segments_of_which_the_sink_is_asked_once_a_burst() {
    for refused in [false, true] {
        allow_pipes(usize::MAX, ErrorKind::Other);
        let mut rig = Rig::new(if refused { WITH_PIPES } else { BOUNDS });
        if refused {
            rig.sink.refuse(ErrorKind::InvalidInput);
        }
        carried(&mut rig, &[1; 4 * BULK_READS as usize]);
        rig.sink.cut(3);
        // 4, which shows that it is still bulk, then 3, 3, 3 and 1.
        let way = carried(&mut rig, &[2; 14]);
        assert_eq!((way.reads, way.writes, rig.sink.asked()), (5, 5, 1));
        for _ in 0..3 {
            assert_eq!(carried(&mut rig, b"abc").reads, 1);
        }
        assert_eq!(rig.sink.asked(), 1, "nothing of this was bulk");

        rig.pool.burst_bytes = 6;
        rig.source.arrive(&[3; 14]);
        let progress = [(); 3].map(|()| rig.advance());
        assert_eq!(progress, [Ok(Progress::Yields), Ok(Progress::Yields), Ok(Progress::Waits)]);
        assert_eq!(rig.sink.asked(), 1 + 3);
    }
}

#[test]
fn segments_that_are_longer_than_a_buffer_do_not_shorten_reads_nor_do_they_where_a_filter_looks() {
    let mut rig = bulk(BOUNDS);
    rig.sink.cut(5);
    let way = carried(&mut rig, &[2; 11]);
    assert_eq!((way.reads, way.writes), (3, 3));

    let mut rig = bulk(BOUNDS);
    rig.sink.cut(3);
    assert_eq!((carried(&mut rig, &[2; 4 + 3]).reads, rig.sink.asked()), (3, 1));
    rig.way = Way::default();
    rig.source.arrive(&[2; 5]);
    assert_eq!(rig.advance_through(&mut Doubles), Ok(Progress::Waits));
    assert_eq!((rig.way.reads, rig.sink.asked()), (3, 1));
}
