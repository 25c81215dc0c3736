#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Server)]
enum On {
    /// Somebody wants to connect.
    #[io(readable = accept)]
    Listener,
    /// A client of the echo.
    #[io(readable, writable)]
    Client(Key),
    #[timer]
    Idle(Key),
    #[signal(INT, TERM)]
    Shutdown,
}
