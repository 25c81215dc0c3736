#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Alarm)]
enum On {
    #[timer]
    Due(u64),
}
