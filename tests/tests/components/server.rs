//! A program of sources of its own and of components from two other crates: counts what clients send.

use std::{
    io::{self, ErrorKind, Read},
    net::SocketAddr,
    time::Duration,
};

use listener::{Limits, Listener};
use mio_core::{EventLoop, Handler, Key, Slab, net::TcpListener, net::TcpStream};
use ticker::{Report, Ticker};

/// Narrow, for there are tags and a component's token beside it.
pub(super) type Id = Key<16, 16>;

#[derive(Clone, Copy, Debug, PartialEq, Handler)]
#[handler(state = Server, message = Command)]
pub(super) enum On {
    #[nested(listener)]
    Listener(listener::On),
    #[nested(total)]
    Total(ticker::On),
    #[io(readable, level)]
    Client(Id),
    /// How long a client may live.
    #[timer]
    Curfew(Id),
    /// What a client sends is counted in a ticker of its own.
    #[nested(meters)]
    Meter(Id, ticker::On),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Listener(listener::Message),
    Total(ticker::Message),
    Meter(Id, ticker::Message),
    Stop,
}

type Loop = EventLoop<Command, On>;

pub(super) struct Server {
    pub(super) listener: Listener,
    pub(super) total: Ticker,
    pub(super) clients: Slab<Client, 16, 16>,
    pub(super) meters: Slab<Ticker, 16, 16>,
    /// What the whole server counted, and what each client.
    pub(super) totals: Vec<Report>,
    pub(super) metered: Vec<(Id, Report)>,
    /// What clients have sent so far, and how many have gone.
    pub(super) received: usize,
    pub(super) gone: usize,
    pub(super) errors: Vec<(On, ErrorKind)>,
}

pub(super) struct Client {
    stream: TcpStream,
    meter: Id,
}

pub(super) const PERIOD: Duration = Duration::from_secs(1);
pub(super) const CURFEW: Duration = Duration::from_secs(60);

impl Server {
    pub(super) fn new(
        event_loop: &mut EventLoop<Command>,
        limits: Limits,
    ) -> io::Result<(Server, SocketAddr)> {
        let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = socket.local_addr()?;
        let listener = Listener::new(&mut event_loop.nested(On::LISTENER), socket, limits)?;
        let total = Ticker::new(&mut event_loop.nested(On::TOTAL), PERIOD)?;
        let server = Server {
            listener,
            total,
            clients: Slab::with_capacity(limits.live),
            meters: Slab::with_capacity(limits.live),
            totals: Vec::with_capacity(100),
            metered: Vec::with_capacity(100),
            received: 0,
            gone: 0,
            errors: Vec::with_capacity(10),
        };
        Ok((server, address))
    }

    /// The meter's timer goes astray, on purpose: its key is stale.
    pub(super) fn close(&mut self, event_loop: &mut Loop, id: Id) -> io::Result<()> {
        let Some(client) = self.clients.remove(id) else { return Ok(()) };
        self.gone += 1;
        self.meters.remove(client.meter);
        event_loop.close(client.stream, On::Client(id))?;
        self.listener.release(&mut event_loop.nested(On::LISTENER))
    }
}

impl OnHandler for Server {
    fn listener(&mut self, event_loop: &mut Loop) -> io::Result<()> {
        while let Some((stream, _)) = self.listener.take() {
            let (client, meter) = (self.clients.vacant_entry()?, self.meters.vacant_entry()?);
            let (id, meter_id) = (client.key(), meter.key());
            event_loop.register(&stream, On::Client(id))?;
            event_loop.timeout(On::Curfew(id), CURFEW)?;
            meter.insert(Ticker::new(&mut event_loop.nested(On::meter(meter_id)), PERIOD)?);
            client.insert(Client { stream, meter: meter_id });
        }
        Ok(())
    }

    fn total(&mut self, _: &mut Loop) -> io::Result<()> {
        self.totals.extend(self.total.take());
        Ok(())
    }

    fn meter(&mut self, _: &mut Loop, id: Id) -> io::Result<()> {
        let report = self.meters.get_mut(id).and_then(Ticker::take);
        self.metered.extend(report.map(|report| (id, report)));
        Ok(())
    }

    fn client_readable(&mut self, event_loop: &mut Loop, id: Id) -> io::Result<()> {
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        let read = client.stream.read(&mut [0; 4096])?;
        if read == 0 {
            return self.close(event_loop, id);
        }
        self.received += read;
        self.total.count(read as u64);
        if let Some(meter) = self.meters.get_mut(client.meter) {
            meter.count(read as u64);
        }
        Ok(())
    }

    fn curfew(&mut self, event_loop: &mut Loop, id: Id) -> io::Result<()> {
        self.close(event_loop, id)
    }

    fn error(&mut self, event_loop: &mut Loop, source: On, error: io::Error) {
        self.errors.push((source, error.kind()));
        if let On::Client(id) = source {
            let closed = self.close(event_loop, id);
            closed.unwrap_or_else(|error| event_loop.fail(error));
        }
    }

    fn message(&mut self, event_loop: &mut Loop, command: Command) -> io::Result<()> {
        match command {
            Command::Listener(message) => {
                event_loop.deliver_message(On::LISTENER, &mut self.listener, message)
            }
            Command::Total(message) => {
                event_loop.deliver_message(On::TOTAL, &mut self.total, message)?;
                self.total(event_loop)
            }
            Command::Meter(id, message) => {
                let Some(meter) = self.meters.get_mut(id) else { return Ok(()) };
                event_loop.deliver_message(On::meter(id), meter, message)?;
                self.meter(event_loop, id)
            }
            Command::Stop => {
                event_loop.shutdown();
                Ok(())
            }
        }
    }
}
