#[automatically_derived]
impl events::Token for On {
    const TABLE: &'static [events::TokenRow] = Self::TABLE;
    #[inline]
    fn bits(self) -> u64 {
        events::TokenField::pack(self)
    }
    #[inline]
    fn kind(self) -> events::SourceKind {
        match self {
            Self::Input { .. } => {
                events::SourceKind::Io(
                    events::Interest::PRIORITY,
                    events::Trigger::Level,
                )
            }
            Self::Worker(..) => events::SourceKind::Child,
        }
    }
}
#[automatically_derived]
impl events::TokenField for On {
    const BITS: u32 = 1
        + events::__private::greatest(
            &[
                <Side as events::TokenField>::BITS
                    + <(u8, bool) as events::TokenField>::BITS,
                <u16 as events::TokenField>::BITS + <bool as events::TokenField>::BITS,
            ],
        );
    #[inline]
    fn pack(self) -> u64 {
        match self {
            Self::Input { side, id } => {
                <Side as events::TokenField>::join(
                    side,
                    <(u8, bool) as events::TokenField>::pack(id),
                ) << 1
            }
            Self::Worker(field_0, field_1) => {
                <u16 as events::TokenField>::join(
                    field_0,
                    <bool as events::TokenField>::pack(field_1),
                ) << 1 | 1
            }
        }
    }
    #[inline]
    fn unpack(bits: u64) -> ::core::option::Option<Self> {
        Self::unpack(bits)
    }
}
#[automatically_derived]
#[allow(dead_code)]
impl On {
    /// The sources in the order of their tags: what their tokens look like.
    pub(crate) const TABLE: &'static [events::TokenRow] = &[
        events::TokenRow {
            name: "Input",
            tag: 0,
            tag_bits: 1,
            columns: &[
                events::TokenColumn {
                    name: "side",
                    type_name: "Side",
                    shift: 1,
                    bits: <Side as events::TokenField>::BITS,
                },
                events::TokenColumn {
                    name: "id",
                    type_name: "(u8, bool)",
                    shift: 1 + <Side as events::TokenField>::BITS,
                    bits: <(u8, bool) as events::TokenField>::BITS,
                },
            ],
            kind: events::SourceKind::Io(
                events::Interest::PRIORITY,
                events::Trigger::Level,
            ),
            nested: ::core::option::Option::None,
        },
        events::TokenRow {
            name: "Worker",
            tag: 1,
            tag_bits: 1,
            columns: &[
                events::TokenColumn {
                    name: "0",
                    type_name: "u16",
                    shift: 1,
                    bits: <u16 as events::TokenField>::BITS,
                },
                events::TokenColumn {
                    name: "1",
                    type_name: "bool",
                    shift: 1 + <u16 as events::TokenField>::BITS,
                    bits: <bool as events::TokenField>::BITS,
                },
            ],
            kind: events::SourceKind::Child,
            nested: ::core::option::Option::None,
        },
    ];
    /// The source that `token` names, if it names one.
    #[inline]
    #[must_use]
    pub(crate) fn unpack(token: u64) -> ::core::option::Option<Self> {
        let payload = token >> 1;
        match token & 1 {
            0 => {
                let (side, payload) = <Side as events::TokenField>::split(payload)?;
                <(u8, bool) as events::TokenField>::unpack(payload)
                    .map(|id| Self::Input { side, id })
            }
            1 => {
                let (field_0, payload) = <u16 as events::TokenField>::split(payload)?;
                <bool as events::TokenField>::unpack(payload)
                    .map(|field_1| Self::Worker(field_0, field_1))
            }
            _ => ::core::option::Option::None,
        }
    }
}
const _: () = {
    const SUM: events::__private::Sum = events::__private::Sum::new(
        "On::Input",
        1,
        &[
            ("Side", <Side as events::TokenField>::BITS),
            ("(u8, bool)", <(u8, bool) as events::TokenField>::BITS),
        ],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
const _: () = {
    const SUM: events::__private::Sum = events::__private::Sum::new(
        "On::Worker",
        1,
        &[
            ("u16", <u16 as events::TokenField>::BITS),
            ("bool", <bool as events::TokenField>::BITS),
        ],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
/// What is done for the sources of [`On`]: one method for each of their events.
#[allow(clippy::missing_errors_doc)]
pub(crate) trait Callbacks<'a, T: Send, L = Job<T>>
where
    T: 'a,
{
    /// [`On::Input`] has out-of-band data.
    ///
    /// # Errors
    ///
    /// Reach [`error`](Callbacks::error) with this source.
    fn input_priority(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
        side: Side,
        id: (u8, bool),
    ) -> ::std::io::Result<()>;
    /// [`On::Input`] is closed in both directions.
    ///
    /// # Errors
    ///
    /// Reach [`error`](Callbacks::error) with this source.
    fn input_closed(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
        side: Side,
        id: (u8, bool),
    ) -> ::std::io::Result<()>;
    /// [`On::Worker`] exited; it is not reaped.
    ///
    /// # Errors
    ///
    /// Reach [`error`](Callbacks::error) with this source.
    fn worker(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
        field_0: u16,
        field_1: bool,
        exit: events::ChildExit,
    ) -> ::std::io::Result<()>;
    /// A method for `source` failed with `error`, or a component did and did not deal with it.
    ///
    /// By default the event loop fails with it: `run` returns it or, in a component, it goes to
    /// the parent's `error`.
    #[inline]
    fn error(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
        source: On,
        error: ::std::io::Error,
    ) {
        let _ = source;
        event_loop.fail(error);
    }
    /// A message arrived. By default it is dropped.
    ///
    /// # Errors
    ///
    /// Make the event loop fail.
    #[inline]
    fn message(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
        message: Job<T>,
    ) -> ::std::io::Result<()> {
        let _ = (event_loop, message);
        ::core::result::Result::Ok(())
    }
    /// A turn of the event loop ends.
    ///
    /// # Errors
    ///
    /// Make the event loop fail.
    #[inline]
    fn tick(
        &mut self,
        event_loop: &mut events::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        let _ = event_loop;
        ::core::result::Result::Ok(())
    }
}
#[automatically_derived]
impl<'a, T: Send, L> events::Handler<Job<T>, L> for Pool<'a, T>
where
    Self: Callbacks<'a, T, L>,
    T: 'a,
{
    #[inline]
    fn ready(
        &mut self,
        event_loop: &mut events::EventLoop<L>,
        token: u64,
        readiness: events::Readiness,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 1 {
            0 => {
                let ::core::option::Option::Some((side, rest)) = <Side as events::TokenField>::split(
                    token >> 1,
                ) else {
                    return;
                };
                let ::core::option::Option::Some(id) = <(
                    u8,
                    bool,
                ) as events::TokenField>::unpack(rest) else {
                    return;
                };
                if readiness
                    .intersects(
                        events::Readiness::PRIORITY
                            .union(events::Readiness::ERROR)
                            .union(events::Readiness::WRITE_CLOSED),
                    )
                {
                    if let ::core::result::Result::Err(error) = Callbacks::input_priority(
                        self,
                        event_loop,
                        side,
                        id,
                    ) {
                        return Callbacks::error(
                            self,
                            event_loop,
                            On::Input { side, id },
                            error,
                        );
                    }
                }
                if readiness.is_closed() && event_loop.is_current() {
                    if let ::core::result::Result::Err(error) = Callbacks::input_closed(
                        self,
                        event_loop,
                        side,
                        id,
                    ) {
                        return Callbacks::error(
                            self,
                            event_loop,
                            On::Input { side, id },
                            error,
                        );
                    }
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn child(
        &mut self,
        event_loop: &mut events::EventLoop<L>,
        token: u64,
        exit: events::ChildExit,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 1 {
            1 => {
                let ::core::option::Option::Some((field_0, rest)) = <u16 as events::TokenField>::split(
                    token >> 1,
                ) else {
                    return;
                };
                let ::core::option::Option::Some(field_1) = <bool as events::TokenField>::unpack(
                    rest,
                ) else {
                    return;
                };
                if let ::core::result::Result::Err(error) = Callbacks::worker(
                    self,
                    event_loop,
                    field_0,
                    field_1,
                    exit,
                ) {
                    return Callbacks::error(
                        self,
                        event_loop,
                        On::Worker(field_0, field_1),
                        error,
                    );
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn message(&mut self, event_loop: &mut events::EventLoop<L>, message: Job<T>) {
        let event_loop = event_loop.scoped::<On>();
        if let ::core::result::Result::Err(error) = Callbacks::message(
            self,
            event_loop,
            message,
        ) {
            event_loop.fail(error);
        }
    }
    #[inline]
    fn tick(&mut self, event_loop: &mut events::EventLoop<L>) {
        let event_loop = event_loop.scoped::<On>();
        if let ::core::result::Result::Err(error) = Callbacks::tick(self, event_loop) {
            event_loop.fail(error);
        }
    }
}
