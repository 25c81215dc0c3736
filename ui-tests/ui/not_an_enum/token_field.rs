use mio_core::TokenField;

#[derive(Clone, Copy, TokenField)]
struct Percent(u8);

#[derive(Clone, Copy, TokenField)]
union Either {
    one: u8,
    other: i8,
}

fn takes(_: impl TokenField) {}

fn main() {
    takes(Percent(1));
    takes(Either { one: 1 });
}
