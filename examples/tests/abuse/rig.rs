//! A proxy in a process of its own, and how it is.

use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use tests::peers::{PATIENCE, accept, patient, read};

use super::process::Process;

/// For how long nothing happens, to see whether the proxy sleeps.
const QUIET: Duration = Duration::from_millis(400);
/// What two looks at the same memory may differ by.
pub(crate) const MEMORY_NOISE_KIB: u64 = 768;
/// The proxy keeps so many pipes at most, of two descriptors each.
const PIPES_MAX: usize = 64;

pub(crate) struct Rig {
    proxy: Process,
    pub(crate) upstream: TcpListener,
    /// Its descriptors but pipes, with no pair.
    descriptors: usize,
}

impl Rig {
    pub(crate) fn new(options: &[&str]) -> Rig {
        Rig::start(None, None, options)
    }

    /// One that may have descriptors below this number only.
    pub(crate) fn limited(descriptors: u32, options: &[&str]) -> Rig {
        Rig::start(Some(descriptors), None, options)
    }

    /// One with another upstream than the rig's own.
    pub(crate) fn to(upstream: SocketAddr, options: &[&str]) -> Rig {
        Rig::start(None, Some(upstream), options)
    }

    fn start(limit: Option<u32>, elsewhere: Option<SocketAddr>, options: &[&str]) -> Rig {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = elsewhere.unwrap_or_else(|| upstream.local_addr().unwrap()).to_string();
        let limit = limit.map(|limit| format!("ulimit -n {limit} && ")).unwrap_or_default();
        let arguments = [&["--listen", "127.0.0.1:0", "--upstream", &to], options].concat();
        let proxy = Process::start(&format!("{limit}exec \"$@\""), &arguments);
        let mut rig = Rig { proxy, upstream, descriptors: 0 };
        rig.sleeps_soon();
        rig.descriptors = rig.descriptors_now().0;
        rig
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.proxy.addresses[0].tcp().unwrap()
    }

    pub(crate) fn client(&self) -> TcpStream {
        patient(TcpStream::connect(self.address()).unwrap())
    }

    /// A client, and whom it talks to.
    pub(crate) fn pair(&self) -> (TcpStream, TcpStream) {
        let client = self.client();
        (client, accept(&self.upstream))
    }

    /// The next client is served.
    pub(crate) fn serves(&self) {
        let (client, server) = self.pair();
        (&client).write_all(b"question").unwrap();
        assert_eq!(read(&server, 8), b"question");
        (&server).write_all(b"answer").unwrap();
        assert_eq!(read(&client, 6), b"answer");
    }

    /// While nothing happens, the proxy sleeps.
    pub(crate) fn is_quiet(&self) {
        let began = Instant::now();
        // What was going on may take a moment to end.
        loop {
            let before = self.cpu();
            thread::sleep(QUIET);
            let spent = self.cpu() - before;
            if spent < QUIET / 20 {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it spends {spent:?} of {QUIET:?} on nothing");
        }
    }

    /// It has begun, and waits for somebody.
    fn sleeps_soon(&self) {
        let tasks = format!("/proc/{}/task", self.proxy.id());
        let mut asleep = 0;
        for _ in 0..2_000 {
            let mut tasks = fs::read_dir(&tasks).unwrap().flatten();
            let sleep = tasks.all(|task| {
                let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
            });
            asleep = if sleep { asleep + 1 } else { 0 };
            if asleep == 5 {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not sleep");
    }

    /// Every pair is gone, with all that it had, and the proxy sleeps.
    pub(crate) fn is_as_before(&self) {
        let began = Instant::now();
        self.upstream.set_nonblocking(true).unwrap();
        while self.descriptors_now().0 != self.descriptors {
            // A pair may still wait for the upstream to take it and see that its client has gone.
            while self.upstream.accept().is_ok() {}
            let now = self.descriptors_now();
            assert!(began.elapsed() < PATIENCE, "{now:?} descriptors, {} before", self.descriptors);
            thread::sleep(Duration::from_millis(10));
        }
        assert!(self.descriptors_now().1 <= 2 * PIPES_MAX);
        self.is_quiet();
        // Whoever still waits for the upstream is of a pair that is gone.
        while self.upstream.accept().is_ok() {}
    }

    /// Does it three times. What the proxy has used the first time may stay with it for the next one; after that it
    /// gets no more.
    pub(crate) fn withstands(mut self, abuse: impl Fn(&mut Rig)) {
        let memory = [(); 3].map(|()| {
            abuse(&mut self);
            self.is_as_before();
            self.memory_kib()
        });
        assert!(memory[2] <= memory[0].max(memory[1]) + MEMORY_NOISE_KIB, "KiB: {memory:?}");
    }

    /// How many descriptors of pipes it has.
    pub(crate) fn pipes(&self) -> usize {
        self.descriptors_now().1
    }

    /// Its descriptors: those that are no pipes, and those that are.
    fn descriptors_now(&self) -> (usize, usize) {
        let all = fs::read_dir(format!("/proc/{}/fd", self.proxy.id())).unwrap();
        let names = all.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        let (pipes, others): (Vec<PathBuf>, Vec<PathBuf>) =
            names.partition(|name| name.to_string_lossy().starts_with("pipe:"));
        (others.len(), pipes.len())
    }

    /// Memory of its own that it has touched.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.proxy.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Processor time of all its threads.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.proxy.id())).unwrap();
        let spent = tasks.flatten().filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
        });
        spent.sum()
    }
}

/// Does it to a proxy three times, which serves the next client each time.
pub(crate) fn withstands(options: &[&str], abuse: impl Fn(&Rig)) {
    Rig::new(options).withstands(|rig| {
        abuse(rig);
        rig.is_as_before();
        rig.serves();
    });
}

/// How many descriptors this process may ask for.
pub(crate) fn hard_limit() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap_or(u64::MAX)
}
