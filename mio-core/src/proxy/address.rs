//! [`Address`].

#[cfg(unix)]
use std::path::Path;
use std::{fmt, io, net::SocketAddr, str::FromStr};

#[cfg(unix)]
use crate::{sync::Arc, unix};

/// Where to listen or to connect to: an IP address and a port, or a Unix socket.
///
/// As text an IP address is what [`SocketAddr`] reads, and a Unix socket `unix:` and its path. Names
/// of hosts are not looked up: that waits, and a loop must not.
///
/// ```
/// use mio_core::proxy::Address;
///
/// let tcp: Address = "127.0.0.1:8080".parse()?;
/// let unix: Address = "unix:/run/app.sock".parse()?;
/// assert_eq!([tcp.to_string(), unix.to_string()], ["127.0.0.1:8080", "unix:/run/app.sock"]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Portability: Unix sockets on Unix alone; elsewhere their text is refused.
#[derive(Clone, Debug)]
pub enum Address {
    /// A TCP socket.
    Tcp(SocketAddr),
    /// A Unix stream socket. Shared, since names are long and an address is cloned for every connection.
    #[cfg(unix)]
    Unix(Arc<unix::SocketAddr>),
}

impl Address {
    /// The TCP address, if it is one.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Address::Tcp(address) => Some(*address),
            #[cfg(unix)]
            Address::Unix(_) => None,
        }
    }

    /// The path of a Unix socket that has one.
    #[cfg(unix)]
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Address::Tcp(_) => None,
            Address::Unix(address) => address.as_pathname(),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

#[cfg(unix)]
impl From<unix::SocketAddr> for Address {
    fn from(address: unix::SocketAddr) -> Address {
        Address::Unix(Arc::new(address))
    }
}

/// Reads an address.
///
/// # Errors
///
/// `InvalidInput` for what is neither an IP address with a port nor the path of a Unix socket, or
/// for a path that is too long; `Unsupported` for a Unix socket where there are none.
impl FromStr for Address {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Address> {
        match text.strip_prefix("unix:") {
            Some("") => Err(io::ErrorKind::InvalidInput.into()),
            #[cfg(unix)]
            Some(path) => unix::SocketAddr::from_pathname(path).map(Address::from),
            #[cfg(not(unix))]
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => match text.parse() {
                Ok(address) => Ok(Address::Tcp(address)),
                Err(_) => Err(io::ErrorKind::InvalidInput.into()),
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Address::Unix(address) => match address.as_pathname() {
                Some(path) => write!(f, "unix:{}", path.display()),
                None => f.write_str("unix:"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_written_alike() {
        let unix = ["unix:/tmp/a b", "unix:relative"];
        let unix = if cfg!(unix) { &unix[..] } else { &[] };
        for text in [&["127.0.0.1:80", "[::1]:443"], unix].concat() {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("unix:{}", "x".repeat(200));
        for text in ["", "localhost:80", "127.0.0.1", "unix:", "/tmp/socket", &long] {
            let error = text.parse::<Address>().unwrap_err();
            let unix = cfg!(not(unix)) && text.len() > "unix:".len() && text.starts_with("unix:");
            let kind = if unix { io::ErrorKind::Unsupported } else { io::ErrorKind::InvalidInput };
            assert_eq!(error.kind(), kind, "{text}");
        }
    }
}
