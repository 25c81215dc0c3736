//! calloop: a callback for each source, in edge mode.

use std::os::fd::AsRawFd;

use calloop::generic::Generic;
use calloop::{EventLoop, Interest, LoopSignal, Mode, PostAction};

use crate::chain::Chain;
use crate::echo::Echo;
use crate::measure::{Cost, measure};
use crate::os::Fd;

struct Run<'a, T> {
    work: &'a mut T,
    stop: LoopSignal,
}

pub fn pipes(chain: &mut Chain) -> Cost {
    let mut event_loop = EventLoop::<Run<'_, Chain>>::try_new().expect("loop");
    let handle = event_loop.handle();
    for (pipe, &reader) in chain.readers().iter().enumerate() {
        let source = Generic::new(Fd(reader), Interest::READ, Mode::Edge);
        handle
            .insert_source(source, move |readiness, _, run| {
                if readiness.readable && run.work.readable(pipe) {
                    run.stop.stop();
                }
                Ok(PostAction::Continue)
            })
            .expect("insert");
    }
    let mut run = Run { work: chain, stop: event_loop.get_signal() };
    measure(|| {
        run.work.start();
        event_loop.run(None, &mut run, |_| {}).expect("run");
    })
}

pub fn echo(echo: &mut Echo) -> Cost {
    let mut event_loop = EventLoop::<Run<'_, Echo>>::try_new().expect("loop");
    let handle = event_loop.handle();
    let listener = Generic::new(Fd(echo.listener.as_raw_fd()), Interest::READ, Mode::Level);
    handle
        .insert_source(listener, |_, _, run| {
            run.work.accept();
            Ok(PostAction::Continue)
        })
        .expect("insert");
    for (index, connection) in echo.connections.iter().enumerate() {
        let source = Generic::new(Fd(connection.stream.as_raw_fd()), Interest::BOTH, Mode::Edge);
        handle
            .insert_source(source, move |readiness, _, run| {
                let last = readiness.readable && run.work.readable(index)
                    || readiness.writable && run.work.writable(index);
                if last {
                    run.stop.stop();
                }
                Ok(PostAction::Continue)
            })
            .expect("insert");
    }
    let mut run = Run { work: echo, stop: event_loop.get_signal() };
    measure(|| event_loop.run(None, &mut run, |_| {}).expect("run"))
}
