//! [`Address`]: the kernel's `sockaddr` in the three forms that this crate speaks.
#![allow(unsafe_code)]

use std::{
    ffi::OsStr,
    io, mem,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::unix::{ffi::OsStrExt, net::SocketAddr as LocalAddr},
};

use libc::{
    c_char, c_int, sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_un, socklen_t,
};

use crate::sys::abstract_names::SocketAddrExt;

/// Where the path begins, and so the length of an address without a name.
const PATH: usize = mem::offset_of!(sockaddr_un, sun_path);
const PATH_MAX: usize = size_of::<sockaddr_un>() - PATH;

/// The forms lie over each other as they do in C; every bit pattern is a value of each.
#[repr(C)]
#[derive(Clone, Copy)]
union Raw {
    any: sockaddr,
    v4: sockaddr_in,
    v6: sockaddr_in6,
    local: sockaddr_un,
}

/// An address as the kernel takes and gives it.
pub(in crate::sys) struct Address {
    raw: Raw,
    length: socklen_t,
}

impl Address {
    /// Room for the kernel to write into.
    #[inline]
    pub(in crate::sys) fn room() -> Address {
        // SAFETY: the forms are integers and arrays of integers, for which zero is a value.
        let raw = unsafe { mem::zeroed() };
        Address { raw, length: size_of::<Raw>() as socklen_t }
    }

    /// As [`room`](Address::room), for addresses of IP alone.
    #[inline]
    pub(super) fn room_for_ip() -> Address {
        // SAFETY: integers and arrays of integers, for which zero is a value.
        let v6 = unsafe { mem::zeroed() };
        Address::with(Raw { v6 }, size_of::<sockaddr_in6>())
    }

    #[inline]
    pub(super) fn of_ip(address: &SocketAddr) -> Address {
        match address {
            SocketAddr::V4(address) => Address::of_v4(address),
            SocketAddr::V6(address) => Address::of_v6(address),
        }
    }

    #[inline]
    fn of_v4(address: &SocketAddrV4) -> Address {
        // SAFETY: integers and arrays of integers, for which zero is a value.
        let mut v4: sockaddr_in = unsafe { mem::zeroed() };
        v4.sin_family = libc::AF_INET as sa_family_t;
        v4.sin_port = address.port().to_be();
        v4.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
        Address::with(Raw { v4 }, size_of::<sockaddr_in>())
    }

    fn of_v6(address: &SocketAddrV6) -> Address {
        // SAFETY: integers and arrays of integers, for which zero is a value.
        let mut v6: sockaddr_in6 = unsafe { mem::zeroed() };
        v6.sin6_family = libc::AF_INET6 as sa_family_t;
        v6.sin6_port = address.port().to_be();
        v6.sin6_addr.s6_addr = address.ip().octets();
        // Neither is converted: `std` keeps both as the kernel does.
        v6.sin6_flowinfo = address.flowinfo();
        v6.sin6_scope_id = address.scope_id();
        Address::with(Raw { v6 }, size_of::<sockaddr_in6>())
    }

    /// A path ends with a zero if there is room for one; an abstract name begins with one.
    pub(super) fn of_local(address: &LocalAddr) -> Address {
        // SAFETY: integers and arrays of integers, for which zero is a value.
        let mut local: sockaddr_un = unsafe { mem::zeroed() };
        local.sun_family = libc::AF_UNIX as sa_family_t;
        let (start, name, end) = if let Some(path) = address.as_pathname() {
            (0, path.as_os_str().as_bytes(), 1)
        } else if let Some(name) = address.as_abstract_name() {
            (1, name, 0)
        } else {
            (0, [].as_slice(), 0)
        };
        for (place, byte) in local.sun_path.iter_mut().skip(start).zip(name) {
            *place = *byte as c_char;
        }
        Address::with(Raw { local }, PATH + (start + name.len() + end).min(PATH_MAX))
    }

    #[inline]
    fn with(raw: Raw, length: usize) -> Address {
        Address { raw, length: length as socklen_t }
    }

    #[inline]
    pub(super) fn family(&self) -> c_int {
        // SAFETY: every bit pattern is a `sockaddr`.
        c_int::from(unsafe { self.raw.any.sa_family })
    }

    /// An IPv4 or IPv6 address; `InvalidInput` if it is neither.
    #[inline]
    pub(super) fn to_ip(&self) -> io::Result<SocketAddr> {
        match self.family() {
            libc::AF_INET => {
                // SAFETY: every bit pattern is a `sockaddr_in`.
                let v4 = unsafe { self.raw.v4 };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Ok(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                // SAFETY: every bit pattern is a `sockaddr_in6`.
                let v6 = unsafe { self.raw.v6 };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Ok(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
            }
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The address of a Unix socket, unless `std` cannot build it from its parts: a path that fills
    /// all the room, so that no zero ends it.
    pub(super) fn to_local(&self) -> io::Result<LocalAddr> {
        // SAFETY: every bit pattern is a `sockaddr_un`.
        let local = unsafe { self.raw.local };
        let length = (self.length as usize).saturating_sub(PATH).min(PATH_MAX);
        let path: [u8; PATH_MAX] = local.sun_path.map(|byte| byte as _);
        match &path[..length] {
            [] => unnamed(),
            [0, name @ ..] => LocalAddr::from_abstract_name(name),
            name => {
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(length);
                LocalAddr::from_pathname(OsStr::from_bytes(&name[..end]))
            }
        }
    }

    #[inline]
    pub(super) fn as_raw(&self) -> (*const sockaddr, socklen_t) {
        ((&raw const self.raw).cast(), self.length)
    }

    #[inline]
    pub(in crate::sys) fn as_raw_mut(&mut self) -> (*mut sockaddr, *mut socklen_t) {
        ((&raw mut self.raw).cast(), &raw mut self.length)
    }
}

/// The address of a socket that was never bound.
pub(crate) fn unnamed() -> io::Result<LocalAddr> {
    LocalAddr::from_pathname("")
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsStr,
        net::{SocketAddr, UdpSocket},
        os::{
            fd::AsFd,
            unix::{
                ffi::{OsStrExt, OsStringExt},
                net::SocketAddr as LocalAddr,
            },
        },
        path::Path,
    };

    use proptest::prelude::*;

    use super::{Address, PATH, PATH_MAX, Raw, c_char};
    use crate::{
        sys::{
            abstract_names::SocketAddrExt,
            unix::{ffi, local},
        },
        unix::tests::TempPath,
    };

    /// What `std` makes of an address that the kernel was given by us.
    fn by_std(address: &SocketAddr) -> SocketAddr {
        let socket = ffi::socket(Address::of_ip(address).family(), libc::SOCK_DGRAM).unwrap();
        ffi::bind(socket.as_fd(), &Address::of_ip(address)).unwrap();
        UdpSocket::from(socket).local_addr().unwrap()
    }

    #[test]
    fn bytes_are_where_the_kernel_expects_them() {
        let address: SocketAddr = "1.2.3.4:258".parse().unwrap();
        let v4 = Address::of_ip(&address);
        assert_eq!(v4.length as usize, size_of::<libc::sockaddr_in>());
        // SAFETY: the union was built as this form.
        let v4 = unsafe { v4.raw.v4 };
        assert_eq!(v4.sin_port.to_ne_bytes(), [1, 2]);
        assert_eq!(v4.sin_addr.s_addr.to_ne_bytes(), [1, 2, 3, 4]);

        let address: SocketAddr = "[fe80::102%7]:258".parse().unwrap();
        let v6 = Address::of_ip(&address);
        assert_eq!(v6.length as usize, size_of::<libc::sockaddr_in6>());
        // SAFETY: the union was built as this form.
        let v6 = unsafe { v6.raw.v6 };
        assert_eq!(v6.sin6_port.to_ne_bytes(), [1, 2]);
        assert_eq!(v6.sin6_addr.s6_addr[..2], [0xFE, 0x80]);
        assert_eq!(v6.sin6_addr.s6_addr[14..], [1, 2]);
        assert_eq!(v6.sin6_scope_id, 7);
    }

    #[test]
    fn kernel_and_std_read_what_we_write() {
        let v4 = by_std(&"127.1.2.3:0".parse().unwrap());
        assert_eq!(v4.ip().to_string(), "127.1.2.3");
        assert_ne!(v4.port(), 0);
        if UdpSocket::bind("[::1]:0").is_ok() {
            assert_eq!(by_std(&"[::1]:0".parse().unwrap()).ip().to_string(), "::1");
        }
    }

    #[test]
    fn another_family_is_no_ip_address() {
        let address = Address::of_local(&LocalAddr::from_pathname("x").unwrap());
        assert_eq!(address.to_ip().unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    }

    #[test]
    fn paths_of_every_length_come_back() {
        for length in 1..PATH_MAX {
            let path = "x".repeat(length);
            let address = Address::of_local(&LocalAddr::from_pathname(&path).unwrap());
            assert_eq!(address.length as usize, PATH + length + 1);
            assert_eq!(address.to_local().unwrap().as_pathname(), Some(Path::new(&path)));
        }
    }

    #[test]
    fn an_address_without_a_name_is_a_family_and_no_more() {
        let address = Address::of_local(&LocalAddr::from_pathname("").unwrap());
        assert_eq!(address.length as usize, PATH);
        assert!(address.to_local().unwrap().is_unnamed());
    }

    #[test]
    fn a_path_that_no_zero_ends_is_told_by_accept_all_the_same() {
        let there = TempPath::new();
        let there = LocalAddr::from_pathname(&there).unwrap();
        let listener = local::listen(&there, 8).unwrap();

        let mut path = std::env::temp_dir().into_os_string().into_vec();
        path.extend_from_slice(format!("/{}-", std::process::id()).as_bytes());
        path.resize(PATH_MAX, b'x');
        let mut address = Address::of_local(&LocalAddr::from_pathname("x").unwrap());
        address.length = (PATH + PATH_MAX) as libc::socklen_t;
        // SAFETY: the union was built as this form.
        let mut local = unsafe { address.raw.local };
        for (place, byte) in local.sun_path.iter_mut().zip(&path) {
            *place = *byte as c_char;
        }
        address.raw = Raw { local };
        assert!(address.to_local().is_err());

        let peer = ffi::socket(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
        ffi::bind(peer.as_fd(), &address).unwrap();
        ffi::connect(peer.as_fd(), &Address::of_local(&there)).unwrap();
        let path = Path::new(OsStr::from_bytes(&path));
        let told = local::accept(&listener);
        std::fs::remove_file(path).unwrap();
        assert_eq!(told.unwrap().1.as_pathname(), Some(path));
    }

    proptest! {
        #[test]
        fn ip_addresses_come_back(
            ip: std::net::IpAddr, port: u16, flow_info: u32, scope_id: u32,
        ) {
            let mut address = SocketAddr::new(ip, port);
            if let SocketAddr::V6(address) = &mut address {
                address.set_flowinfo(flow_info);
                address.set_scope_id(scope_id);
            }
            prop_assert_eq!(Address::of_ip(&address).to_ip().unwrap(), address);
        }

        #[test]
        fn abstract_names_come_back(name in prop::collection::vec(any::<u8>(), 1..PATH_MAX)) {
            if let Ok(address) = <LocalAddr as SocketAddrExt>::from_abstract_name(&name) {
                let address = Address::of_local(&address);
                prop_assert_eq!(address.length as usize, PATH + 1 + name.len());
                let back = address.to_local().unwrap();
                prop_assert_eq!(back.as_abstract_name(), Some(name.as_slice()));
            }
        }

        #[test]
        fn paths_of_any_bytes_come_back(name in prop::collection::vec(1..=u8::MAX, 1..PATH_MAX)) {
            let path = Path::new(OsStr::from_bytes(&name));
            let address = Address::of_local(&LocalAddr::from_pathname(path).unwrap());
            let back = address.to_local().unwrap();
            prop_assert_eq!(back.as_pathname(), Some(path));
        }
    }
}
