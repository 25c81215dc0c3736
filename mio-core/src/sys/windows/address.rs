//! Addresses of the internet as Winsock writes them.

use std::net::SocketAddr;

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, SOCKADDR, SOCKADDR_IN,
    SOCKADDR_IN6, SOCKADDR_IN6_0,
};

pub(super) enum Address {
    V4(SOCKADDR_IN),
    V6(SOCKADDR_IN6),
}

impl Address {
    pub(super) fn of(address: &SocketAddr) -> Address {
        match address {
            SocketAddr::V4(v4) => Address::V4(SOCKADDR_IN {
                sin_family: AF_INET,
                sin_port: v4.port().to_be(),
                sin_addr: IN_ADDR {
                    S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(v4.ip().octets()) },
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Address::V6(SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: v6.ip().octets() } },
                Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: v6.scope_id() },
            }),
        }
    }

    pub(super) fn family(&self) -> i32 {
        i32::from(match self {
            Address::V4(_) => AF_INET,
            Address::V6(_) => AF_INET6,
        })
    }

    /// Where it is, and how long, while it is borrowed.
    pub(super) fn as_raw(&self) -> (*const SOCKADDR, i32) {
        match self {
            Address::V4(v4) => ((&raw const *v4).cast(), size_of::<SOCKADDR_IN>() as i32),
            Address::V6(v6) => ((&raw const *v6).cast(), size_of::<SOCKADDR_IN6>() as i32),
        }
    }
}
