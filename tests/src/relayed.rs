//! A loop that relays one pair of streams, both ways, and nothing else.

use mio_core::{
    EventLoop, Handler, Readiness, Source, Trigger,
    relay::{Bounds, Broken, Flow, INTEREST, Pool, Progress, Stream, Way},
};

/// Two streams and what goes from each to the other; side 0 is the first one.
#[derive(Debug)]
pub struct Relayed<A, B> {
    first: A,
    second: B,
    flows: [Flow; 2],
    pool: Pool,
    yielded: bool,
    /// What went each way, by its source.
    pub ways: [Way; 2],
    /// What ended it too early.
    pub broken: Option<Broken>,
}

impl<A: Stream + Source, B: Stream + Source> Relayed<A, B> {
    /// Registers both with the loop under 0 and 1.
    ///
    /// # Panics
    ///
    /// If the loop refuses them.
    pub fn new<M>(event_loop: &mut EventLoop<M>, bounds: Bounds, first: A, second: B) -> Self {
        event_loop.register_with(&first, 0u64, INTEREST, Trigger::Edge).expect("room for it");
        event_loop.register_with(&second, 1u64, INTEREST, Trigger::Edge).expect("room for it");
        Relayed {
            first,
            second,
            flows: [Flow::new(), Flow::new()],
            pool: Pool::new(bounds),
            yielded: false,
            ways: [Way::default(); 2],
            broken: None,
        }
    }

    /// Pipes that are open.
    #[must_use]
    pub fn pipes(&self) -> usize {
        self.pool.pipes()
    }

    fn advance(&mut self) -> Result<bool, Broken> {
        let Relayed { first, second, flows: [up, down], pool, ways, .. } = self;
        let up = up.advance(first, second, pool, &mut ways[0], &mut ())?;
        let down = down.advance(second, first, pool, &mut ways[1], &mut ())?;
        Ok([up, down].contains(&Progress::Yields))
    }
}

/// Ends the loop when both ways are finished, or one is broken.
impl<M, A: Stream + Source, B: Stream + Source> Handler<M> for Relayed<A, B> {
    fn ready(&mut self, event_loop: &mut EventLoop<M>, side: u64, readiness: Readiness) {
        self.yielded &= !readiness.is_empty();
        self.flows[side as usize].source_is(readiness);
        self.flows[1 - side as usize].sink_is(readiness);
        match self.advance() {
            Ok(true) if !self.yielded => {
                event_loop.again(side, Readiness::empty()).expect("room for both sides");
                self.yielded = true;
            }
            Ok(_) => {}
            Err(broken) => self.broken = Some(broken),
        }
        if self.broken.is_some() || self.flows.iter().all(Flow::is_finished) {
            event_loop.shutdown();
        }
    }
}
