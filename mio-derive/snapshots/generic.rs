#[derive(Clone, Copy, Debug, Handler)]
#[handler(
    crate = events,
    trait = Callbacks,
    state = Pool<'a, T>,
    message = Job<T>,
    generics(<'a, T: Send> where T: 'a),
)]
pub(crate) enum On {
    #[io(priority, closed, level)]
    Input { side: Side, id: (u8, bool) },
    #[child]
    Worker(u16, bool),
}
