#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Server)]
enum On {
    #[io(readabel)]
    Listener,
    #[timer]
    Idle(Key),
    #[nested(admin)]
    Admin(admin::On),
}
