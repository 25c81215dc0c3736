//! What copying asks of the kernel.

use std::io::{Read, Write};

use mio_core::{
    Readiness,
    relay::{Bounds, Flow, Pool, Progress, Way},
};
use tests::{Isolated, mark, test_name};

use super::{local, tcp};

#[test]
fn a_burst_of_copied_bulk_is_reads_writes_and_one_question_to_the_sink() {
    const UNIT: usize = 1 << 14;
    let trace = Isolated::new(test_name!()).trace(|| {
        let (buffer_bytes, burst_bytes) = (UNIT / 4, UNIT as u64);
        let mut pool =
            Pool::new(Bounds { buffer_bytes, burst_bytes, pipes: 0, ..Bounds::default() });
        let ((source, mut from), (sink, mut to)) = (local(), tcp());
        let mut flow = Flow::to_a_ready_sink();
        let (mut way, mut bytes) = (Way::default(), vec![0; UNIT]);
        // The first two show that it is bulk.
        for number in 0..3 {
            from.write_all(&bytes).unwrap();
            flow.source_is(Readiness::READABLE);
            mark(2 * number);
            let progress = flow.advance(&source, &sink, &mut pool, &mut way, &mut ());
            mark(2 * number + 1);
            assert_eq!(progress, Ok(Progress::Yields));
            to.read_exact(&mut bytes).unwrap();
        }
    });
    let copies = ["read", "write"].repeat(4);
    assert_eq!(trace.deeds(4, 5), [&["getsockopt"][..], &copies].concat());
}
