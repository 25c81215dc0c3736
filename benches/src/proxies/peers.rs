//! The proxies side by side: how each is started, on one thread, with buffers of 64 KiB unless its name says
//! otherwise, room for 4,096 pairs and, where it knows them, the same timeouts.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use super::process::Process;

/// The one that the others are compared with.
pub const OURS: Peer = Peer::MioCore;

/// The options of ours which have a column of their own.
const SPIN: &str = "--spin";
const PIPES: &str = "--pipes";
const BUFFER: &str = "--buffer";
/// How long ours spins before it sleeps, in seconds.
const SPIN_SECONDS: &str = "0.0002";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    MioCore,
    /// The same, told to spin before it sleeps.
    MioCoreSpin,
    /// The same, told never to splice; with the buffer that it comes with, with that of the others, and with
    /// that which some of them come with.
    MioCoreCopy,
    MioCoreCopyEqual,
    MioCoreCopyShort,
    /// The handwritten one on the raw trait.
    MioCoreRaw,
    RawCopy,
    RawSplice,
    Haproxy,
    HaproxySplice,
    Nginx,
    Tokio,
    /// As they come, with smaller buffers.
    HaproxyShipped,
    NginxShipped,
    /// With what ours comes with: a buffer, and pipes, of 512 KiB.
    NginxLong,
    HaproxySpliceLong,
}

impl Peer {
    pub const ALL: [Self; 16] = [
        Self::MioCore,
        Self::MioCoreSpin,
        Self::MioCoreCopy,
        Self::MioCoreCopyEqual,
        Self::MioCoreCopyShort,
        Self::MioCoreRaw,
        Self::RawCopy,
        Self::RawSplice,
        Self::Haproxy,
        Self::HaproxySplice,
        Self::Nginx,
        Self::Tokio,
        Self::HaproxyShipped,
        Self::NginxShipped,
        Self::NginxLong,
        Self::HaproxySpliceLong,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::MioCore => "mio-core",
            Self::MioCoreSpin => "mio-core, spin",
            Self::MioCoreCopy => "mio-core, copy",
            Self::MioCoreCopyEqual => "mio-core, copy, 64 KiB",
            Self::MioCoreCopyShort => "mio-core, copy, 16 KiB",
            Self::MioCoreRaw => "mio-core, by hand",
            Self::RawCopy => "raw, copy",
            Self::RawSplice => "raw, splice",
            Self::Haproxy => "HAProxy",
            Self::HaproxySplice => "HAProxy, splice",
            Self::Nginx => "nginx",
            Self::Tokio => "tokio",
            Self::HaproxyShipped => "HAProxy, 16 KiB",
            Self::NginxShipped => "nginx, 16 KiB",
            Self::NginxLong => "nginx, 512 KiB",
            Self::HaproxySpliceLong => "HAProxy, splice, 512 KiB",
        }
    }

    /// Whether it is of this project: no peer to be ahead of.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::MioCore
                | Self::MioCoreSpin
                | Self::MioCoreCopy
                | Self::MioCoreCopyEqual
                | Self::MioCoreCopyShort
                | Self::MioCoreRaw
        )
    }

    /// A proxy that others wrote and people run.
    pub fn is_foreign(self) -> bool {
        !self.is_ours() && !matches!(self, Self::RawCopy | Self::RawSplice)
    }
}

/// Where the programs are, and a folder for what they want to write.
#[derive(Debug)]
pub struct Programs {
    ours: PathBuf,
    by_hand: Option<PathBuf>,
    /// What ours says of its options.
    help: String,
    own: PathBuf,
    scratch: PathBuf,
}

impl Programs {
    /// Builds what is to be built.
    pub fn build() -> io::Result<Self> {
        let target = env::current_exe()?;
        let own = target.parent().expect("a program is in a folder").to_owned();
        let target = own.parent().expect("the profile's folder is in one").to_owned();
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = benches.parent().expect("the workspace");
        cargo(benches, &target, &["--locked", "--bins"])?;
        // The example has the name that this project runs its proxy by; `examples` below is cargo's.
        let examples = own.join("examples");
        cargo(root, &target, &["--package", "examples", "--example", "proxy"])?;
        let by_hand = root.join("examples/examples/proxy_raw");
        let by_hand =
            (by_hand.exists() || by_hand.with_extension("rs").exists()).then_some("proxy_raw");
        if let Some(name) = by_hand {
            cargo(root, &target, &["--package", "examples", "--example", name])?;
        }
        let ours = examples.join("proxy");
        let help = Command::new(&ours).arg("--help").stdin(Stdio::null()).output()?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let scratch = env::temp_dir().join(format!("proxies-{}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        Ok(Self { ours, by_hand: by_hand.map(|name| examples.join(name)), help, own, scratch })
    }

    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Those that can be run here; what is missing is said.
    pub fn present(&self) -> (Vec<Peer>, Vec<String>) {
        let mut missing = Vec::new();
        let mut present = Vec::new();
        for peer in Peer::ALL {
            let reason = match peer {
                Peer::MioCoreSpin if !self.help.contains(SPIN) => "the proxy has no such option",
                Peer::MioCoreCopy if !self.help.contains(PIPES) => "the proxy has no such option",
                Peer::MioCoreCopyEqual | Peer::MioCoreCopyShort if !self.help.contains(BUFFER) => {
                    "the proxy has no such option"
                }
                Peer::MioCoreRaw if self.by_hand.is_none() => continue,
                Peer::Haproxy
                | Peer::HaproxySplice
                | Peer::HaproxyShipped
                | Peer::HaproxySpliceLong
                    if !runs("haproxy", "-v") =>
                {
                    "no haproxy here (apt-get install haproxy)"
                }
                Peer::Nginx | Peer::NginxShipped | Peer::NginxLong
                    if !runs(NGINX, "-v") || stream_module().is_none() =>
                {
                    "no nginx with streams here (apt-get install nginx-light libnginx-mod-stream)"
                }
                _ => {
                    present.push(peer);
                    continue;
                }
            };
            missing.push(format!("{}: {reason}", peer.name()));
        }
        (present, missing)
    }

    /// Starts a peer between two addresses, under a tool if one is given.
    pub fn start(
        &self,
        peer: Peer,
        under: &[&OsStr],
        adjust: impl FnOnce(&mut Command),
        upstream: SocketAddrV4,
    ) -> io::Result<(Process, SocketAddrV4)> {
        let listen = free_address()?;
        let (program, arguments) = self.command(peer, listen, upstream)?;
        let mut command = match under {
            [] => Command::new(program),
            [tool, options @ ..] => {
                let mut command = Command::new(tool);
                command.args(options).arg(program);
                command
            }
        };
        command.args(arguments).stderr(Stdio::null());
        adjust(&mut command);
        let mut process = Process::start(&mut command, super::PROXY_PROCESSOR)?;
        process.listens_soon(listen)?;
        Ok((process, listen))
    }

    fn command(
        &self,
        peer: Peer,
        listen: SocketAddrV4,
        upstream: SocketAddrV4,
    ) -> io::Result<(PathBuf, Vec<String>)> {
        let between = ["--listen", &listen.to_string(), "--upstream", &upstream.to_string()];
        let with = |before: &[&str], after: &[&str]| {
            [before, &between, after].concat().iter().map(|&word| word.to_owned()).collect()
        };
        let file = |suffix: &str| self.scratch.join(format!("{}-{suffix}", listen.port()));
        Ok(match peer {
            Peer::MioCore => (self.ours.clone(), with(&[], &[])),
            Peer::MioCoreSpin => (self.ours.clone(), with(&[], &[SPIN, SPIN_SECONDS])),
            Peer::MioCoreCopy => (self.ours.clone(), with(&[], &[PIPES, "0"])),
            Peer::MioCoreCopyEqual => {
                (self.ours.clone(), with(&[], &[PIPES, "0", BUFFER, "65536"]))
            }
            Peer::MioCoreCopyShort => {
                (self.ours.clone(), with(&[], &[PIPES, "0", BUFFER, "16384"]))
            }
            Peer::MioCoreRaw => (self.by_hand.clone().expect("present"), with(&[], &[])),
            Peer::RawCopy => (self.own.join("relay"), with(&["copy"], &[])),
            Peer::RawSplice => (self.own.join("relay"), with(&["splice"], &[])),
            Peer::Tokio => (self.own.join("relay_tokio"), with(&[], &[])),
            Peer::Haproxy
            | Peer::HaproxySplice
            | Peer::HaproxyShipped
            | Peer::HaproxySpliceLong => {
                let config = file("haproxy.cfg");
                fs::write(&config, haproxy(peer, listen, upstream))?;
                let arguments = ["-db", "-q", "-f", &config.to_string_lossy()];
                ("haproxy".into(), arguments.map(str::to_owned).to_vec())
            }
            Peer::Nginx | Peer::NginxShipped | Peer::NginxLong => {
                let config = file("nginx.conf");
                fs::write(&config, nginx(peer, listen, upstream, &file("nginx")))?;
                let arguments = ["-e", "/dev/null", "-c", &config.to_string_lossy()];
                (NGINX.into(), arguments.map(str::to_owned).to_vec())
            }
        })
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        // What stays behind is small and in the folder for such things.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// By its path, since Debian keeps it where only root looks.
const NGINX: &str = "/usr/sbin/nginx";

fn stream_module() -> Option<&'static str> {
    let places = ["/usr/lib/nginx/modules/ngx_stream_module.so"];
    places.into_iter().find(|place| Path::new(place).exists())
}

fn haproxy(peer: Peer, listen: SocketAddrV4, upstream: SocketAddrV4) -> String {
    let buffer = match peer {
        Peer::HaproxyShipped => "",
        Peer::HaproxySpliceLong => "tune.bufsize 65536\ntune.pipesize 524288",
        _ => "tune.bufsize 65536",
    };
    let splice = if matches!(peer, Peer::HaproxySplice | Peer::HaproxySpliceLong) {
        "option splice-request\noption splice-response\noption splice-auto"
    } else {
        ""
    };
    format!(
        "global\nnbthread 1\nmaxconn 4096\n{buffer}\n\
         defaults\nmode tcp\ntimeout connect 5s\ntimeout client 60s\ntimeout server 60s\n{splice}\n\
         listen proxy\nbind {listen} backlog 4096\nserver upstream {upstream}\n"
    )
}

/// One process instead of a master and a worker, so that a tool sees the one that works.
fn nginx(peer: Peer, listen: SocketAddrV4, upstream: SocketAddrV4, scratch: &Path) -> String {
    let module = stream_module().unwrap_or_default();
    let buffer = match peer {
        Peer::NginxShipped => "",
        Peer::NginxLong => "proxy_buffer_size 512k;",
        _ => "proxy_buffer_size 64k;",
    };
    format!(
        "load_module {module};\ndaemon off;\nmaster_process off;\npid {}.pid;\n\
         error_log /dev/null crit;\nworker_rlimit_nofile 20000;\n\
         events {{ worker_connections 8292; use epoll; multi_accept on; }}\n\
         stream {{\n{buffer}\nproxy_connect_timeout 5s;\nproxy_timeout 60s;\n\
         tcp_nodelay on;\naccess_log off;\n\
         server {{ listen {listen} backlog=4096; proxy_pass {upstream}; }}\n}}\n",
        scratch.display()
    )
}

/// A port that nobody has at the moment.
pub fn free_address() -> io::Result<SocketAddrV4> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr()?.port()))
}

fn cargo(folder: &Path, target: &Path, what: &[&str]) -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--quiet"]).args(what);
    command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(target).stdin(Stdio::null());
    let status = command.status()?;
    if !status.success() {
        return Err(io::Error::other(format!("cargo build {}: {status}", what.join(" "))));
    }
    Ok(())
}

/// Whether a program is here.
pub fn runs(program: &str, version: &str) -> bool {
    let mut command = Command::new(program);
    let quiet = command.arg(version).stdin(Stdio::null()).stdout(Stdio::null());
    quiet.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
