use mio_core::TokenField;

#[derive(Clone, Copy, TokenField)]
#[token_field(crat = mio_core)]
enum Side {
    Client,
    Server,
}

fn takes(_: impl TokenField) {}

fn main() {
    takes(Side::Client);
    takes(Side::Server);
}
