#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Server, message = Command)]
pub enum On {
    #[nested(admin)]
    Admin(admin::On),
    #[nested(clients)]
    Client(Key<16, 16>, client::On),
    #[nested(metrics, method = metered)]
    Metrics(Any),
    #[timer(expiry)]
    Second,
}
