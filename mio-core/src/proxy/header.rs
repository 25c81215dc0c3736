//! The PROXY protocol: what a proxy tells the upstream of the client, before the client's first byte.
//!
//! Source: "The PROXY protocol, versions 1 & 2", <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::{
    fmt,
    io::Write,
    net::{IpAddr, SocketAddr},
};

/// Whether and how the upstream is told who the client is.
///
/// The header is the first that the upstream gets. An upstream that does not expect it takes it for
/// the client's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// It is not: the proxy itself is whom the upstream sees.
    #[default]
    Off,
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// An encoded header.
#[derive(Clone, Copy)]
pub struct ProxyHeader {
    bytes: [u8; ProxyHeader::LENGTH_MAX],
    length: usize,
}

/// The twelve bytes that version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, on behalf of somebody else; the other command, 0, is of the proxy's own accord.
const PROXIED: u8 = 0x21;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;
const UNSPECIFIED: u8 = 0;

impl ProxyHeader {
    /// The longest header of either version, in bytes: version 1 between two IPv6 addresses.
    pub const LENGTH_MAX: usize = 107;

    /// The header for a connection from `from`, which was accepted at `to`. `None` for either, as with
    /// Unix sockets, says that the client is unknown; the upstream then takes the connection as it is.
    /// An IPv4 address beside an IPv6 one is written as an IPv6 one.
    ///
    /// `None` if it is [`Off`](ProxyProtocol::Off).
    #[must_use]
    pub fn encode(
        version: ProxyProtocol,
        from: Option<SocketAddr>,
        to: Option<SocketAddr>,
    ) -> Option<ProxyHeader> {
        let mut header = ProxyHeader { bytes: [0; Self::LENGTH_MAX], length: 0 };
        let ends = from.zip(to).map(|(from, to)| of_one_family(from, to));
        match version {
            ProxyProtocol::Off => return None,
            ProxyProtocol::V1 => header.line(ends),
            ProxyProtocol::V2 => header.binary(ends),
        }
        Some(header)
    }

    /// The bytes to be sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn line(&mut self, ends: Option<(SocketAddr, SocketAddr)>) {
        let mut rest = &mut self.bytes[..];
        let written = match ends {
            Some((from, to)) => {
                let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
                let (ports, from, to) = ((from.port(), to.port()), from.ip(), to.ip());
                write!(rest, "PROXY {family} {from} {to} {} {}\r\n", ports.0, ports.1)
            }
            None => write!(rest, "PROXY UNKNOWN\r\n"),
        };
        debug_assert!(written.is_ok(), "the longest line fits");
        self.length = Self::LENGTH_MAX - rest.len();
    }

    fn binary(&mut self, ends: Option<(SocketAddr, SocketAddr)>) {
        self.put(&SIGNATURE);
        let (family, length) = match ends {
            Some((SocketAddr::V4(_), _)) => (TCP4, 12),
            Some((SocketAddr::V6(_), _)) => (TCP6, 36),
            None => (UNSPECIFIED, 0),
        };
        self.put(&[PROXIED, family, 0, length]);
        let Some((from, to)) = ends else { return };
        for end in [from, to] {
            match end.ip() {
                IpAddr::V4(ip) => self.put(&ip.octets()),
                IpAddr::V6(ip) => self.put(&ip.octets()),
            }
        }
        for end in [from, to] {
            self.put(&end.port().to_be_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

fn of_one_family(from: SocketAddr, to: SocketAddr) -> (SocketAddr, SocketAddr) {
    // A listener for both families has IPv4 addresses in the clothes of IPv6.
    let [from, to] = [from, to].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));
    if from.is_ipv4() == to.is_ipv4() {
        return (from, to);
    }
    let wide = |end: SocketAddr| match end.ip() {
        IpAddr::V4(ip) => SocketAddr::from((ip.to_ipv6_mapped(), end.port())),
        IpAddr::V6(_) => end,
    };
    (wide(from), wide(to))
}

impl fmt::Debug for ProxyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(version: ProxyProtocol, from: &str, to: &str) -> Vec<u8> {
        let header = ProxyHeader::encode(version, from.parse().ok(), to.parse().ok());
        header.unwrap().as_bytes().to_vec()
    }

    #[test]
    fn version_1_is_a_line_of_text() {
        let encoded = |from, to| encoded(ProxyProtocol::V1, from, to);
        assert_eq!(
            encoded("192.168.0.1:56324", "192.168.0.11:443"),
            b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"
        );
        assert_eq!(encoded("[::1]:5", "[::2]:6"), b"PROXY TCP6 ::1 ::2 5 6\r\n");
        assert_eq!(encoded("1.2.3.4:5", "[::2]:6"), b"PROXY TCP6 ::ffff:1.2.3.4 ::2 5 6\r\n");
        assert_eq!(encoded("", "1.2.3.4:5"), b"PROXY UNKNOWN\r\n");
        let widest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
        assert!(encoded(widest, widest).ends_with(b" 65535 65535\r\n"));
    }

    #[test]
    fn version_2_is_binary() {
        let encoded = |from, to| encoded(ProxyProtocol::V2, from, to);
        let v4 = encoded("1.2.3.4:258", "5.6.7.8:772");
        let head = b"\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A";
        assert_eq!(v4[..12], *head);
        assert_eq!(v4[12..], [0x21, 0x11, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]);
        let v6 = encoded("[::1]:1", "[::2]:2");
        assert_eq!((v6.len(), &v6[12..16]), (52, &[0x21, 0x21, 0, 36][..]));
        assert_eq!((v6[31], v6[47], &v6[48..]), (1, 2, &[0, 1, 0, 2][..]));
        assert_eq!(encoded("", "")[12..], [0x21, 0, 0, 0]);
    }

    #[test]
    fn it_is_printed_as_one_line_of_text() {
        let printed = |version| format!("{:?}", ProxyHeader::encode(version, None, None).unwrap());
        assert_eq!(printed(ProxyProtocol::V1), r"PROXY UNKNOWN\r\n");
        assert!(printed(ProxyProtocol::V2).ends_with(r"QUIT\n!\x00\x00\x00"));
    }

    #[test]
    fn nothing_is_sent_when_it_is_off() {
        let end = "1.2.3.4:5".parse().ok();
        assert!(ProxyHeader::encode(ProxyProtocol::Off, end, end).is_none());
    }
}
