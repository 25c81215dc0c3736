#[derive(Clone, Copy, Debug, TokenField)]
enum Side {
    Client,
    Server,
    Neither,
}
