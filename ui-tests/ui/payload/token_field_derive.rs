use mio_core::TokenField;

#[derive(Clone, Copy, TokenField)]
enum Side {
    Client(u8),
    Server { port: u16 },
    Both,
}

#[derive(Clone, Copy, TokenField)]
enum Never {}

#[derive(Clone, Copy, TokenField)]
enum Generic<T> {
    One(T),
}

fn takes<T: TokenField>() {}

fn main() {
    takes::<Side>();
    takes::<Never>();
    takes::<Generic<u8>>();
    let _ = (Side::Client(1), Side::Server { port: 1 }, Side::Both, Generic::One(1));
}
