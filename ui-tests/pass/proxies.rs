//! Structs that proxies are derived on: of any name, with parameters of every kind.
#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

use std::marker::PhantomData;

use mio_core::{
    Proxy,
    proxy::{Address, Client, Hooks},
};

/// Does for every struct what is asked for.
macro_rules! hooks {
    (impl[$($parameters:tt)*] $name:ty $(where $($bounds:tt)*)?) => {
        impl<$($parameters)*> Hooks for $name $(where $($bounds)*)? {
            fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
                None
            }
        }
    };
}

// Names that the server's own code has as well.
#[derive(Proxy)]
struct Server;
#[derive(Proxy)]
#[proxy(server = Hooked, sources = Pair)]
struct On;
#[derive(Proxy)]
struct Client_<H, L>(H, L);
#[derive(Proxy)]
struct r#type;

hooks!(impl[] Server);
hooks!(impl[] On);
hooks!(impl[H, L] Client_<H, L>);
hooks!(impl[] r#type);

trait Router {
    type Table;
}

impl Router for u8 {
    type Table = u16;
}

#[derive(Proxy)]
struct Bounds<'a, 'b: 'a, R: ?Sized + Router<Table: Copy> + 'a, T = <u8 as Router>::Table, const N: usize = 3>
where
    T: Copy,
    [T; N]: PartialEq,
    for<'c> &'c T: Into<u64>,
{
    table: R::Table,
    tables: [&'b T; N],
    router: PhantomData<&'a R>,
}

hooks!(impl['a, 'b, R: Router<Table: Copy>, T, const N: usize] Bounds<'a, 'b, R, T, N>
    where T: Copy, [T; N]: PartialEq, for<'c> &'c T: Into<u64>);

/// Of which not every instance has hooks.
#[derive(Proxy)]
struct Some<T, const N: usize>([T; N]);

hooks!(impl[] Some<u8, 2>);

pub mod outer {
    pub(super) mod inner {
        /// Seen as far as its server.
        #[derive(mio_core::Proxy)]
        pub(in super::super) struct Seen<T>(pub(in super::super) T);
    }
}

impl Hooks for outer::inner::Seen<u8> {
    fn upstream(&mut self, _: &Client<'_>) -> Option<Address> {
        None
    }
}

/// Whose server is named with what its parameters are if nobody says otherwise.
fn default(server: ServerServer) -> outer::inner::SeenServer<u8> {
    let _ = server;
    unimplemented!()
}

fn main() {
    let capacities = [
        ServerServer::config().capacity,
        Hooked::config().capacity,
        Client_Server::<u8, u8>::config().capacity,
        typeServer::config().capacity,
        <SomeServer<u8, 2>>::config().capacity,
        outer::inner::SeenServer::<u8>::config().capacity,
    ];
    assert_eq!(capacities, [4096; 6]);
    let _ = (Pair::Drained, typeOn::Retry, default);
    // In a function.
    #[derive(Proxy)]
    struct Local<T>(T);
    hooks!(impl[T] Local<T>);
    assert_eq!(LocalServer::<u8>::config().capacity, 4096);
    let _ = LocalOn::Beat;
}
