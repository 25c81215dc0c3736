#[automatically_derived]
impl ::mio_core::Token for On {
    const TABLE: &'static [::mio_core::TokenRow] = Self::TABLE;
    #[inline]
    fn bits(self) -> u64 {
        ::mio_core::TokenField::pack(self)
    }
    #[inline]
    fn kind(self) -> ::mio_core::SourceKind {
        match self {
            Self::Listener => {
                ::mio_core::SourceKind::Io(
                    ::mio_core::Interest::READABLE,
                    ::mio_core::Trigger::Edge,
                )
            }
            Self::Client(..) => {
                ::mio_core::SourceKind::Io(
                    ::mio_core::Interest::READABLE.union(::mio_core::Interest::WRITABLE),
                    ::mio_core::Trigger::Edge,
                )
            }
            Self::Idle(..) => ::mio_core::SourceKind::Timer,
            Self::Shutdown => {
                ::mio_core::SourceKind::Signals(
                    ::mio_core::SignalSet::EMPTY
                        .with(::mio_core::Signal::INT)
                        .with(::mio_core::Signal::TERM),
                )
            }
        }
    }
}
#[automatically_derived]
impl ::mio_core::TokenField for On {
    const BITS: u32 = 2
        + ::mio_core::__private::greatest(
            &[
                0,
                <Key as ::mio_core::TokenField>::BITS,
                <Key as ::mio_core::TokenField>::BITS,
                0,
            ],
        );
    #[inline]
    fn pack(self) -> u64 {
        match self {
            Self::Listener => 0,
            Self::Client(client) => {
                <Key as ::mio_core::TokenField>::pack(client) << 2 | 1
            }
            Self::Idle(idle) => <Key as ::mio_core::TokenField>::pack(idle) << 2 | 2,
            Self::Shutdown => 3,
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
    const TABLE: &'static [::mio_core::TokenRow] = &[
        ::mio_core::TokenRow {
            name: "Listener",
            tag: 0,
            tag_bits: 2,
            columns: &[],
            kind: ::mio_core::SourceKind::Io(
                ::mio_core::Interest::READABLE,
                ::mio_core::Trigger::Edge,
            ),
            nested: ::core::option::Option::None,
        },
        ::mio_core::TokenRow {
            name: "Client",
            tag: 1,
            tag_bits: 2,
            columns: &[
                ::mio_core::TokenColumn {
                    name: "0",
                    type_name: "Key",
                    shift: 2,
                    bits: <Key as ::mio_core::TokenField>::BITS,
                },
            ],
            kind: ::mio_core::SourceKind::Io(
                ::mio_core::Interest::READABLE.union(::mio_core::Interest::WRITABLE),
                ::mio_core::Trigger::Edge,
            ),
            nested: ::core::option::Option::None,
        },
        ::mio_core::TokenRow {
            name: "Idle",
            tag: 2,
            tag_bits: 2,
            columns: &[
                ::mio_core::TokenColumn {
                    name: "0",
                    type_name: "Key",
                    shift: 2,
                    bits: <Key as ::mio_core::TokenField>::BITS,
                },
            ],
            kind: ::mio_core::SourceKind::Timer,
            nested: ::core::option::Option::None,
        },
        ::mio_core::TokenRow {
            name: "Shutdown",
            tag: 3,
            tag_bits: 2,
            columns: &[],
            kind: ::mio_core::SourceKind::Signals(
                ::mio_core::SignalSet::EMPTY
                    .with(::mio_core::Signal::INT)
                    .with(::mio_core::Signal::TERM),
            ),
            nested: ::core::option::Option::None,
        },
    ];
    /// The source that `token` names, if it names one.
    #[inline]
    #[must_use]
    fn unpack(token: u64) -> ::core::option::Option<Self> {
        let payload = token >> 2;
        match token & 3 {
            0 => <() as ::mio_core::TokenField>::unpack(payload).map(|()| Self::Listener),
            1 => {
                <Key as ::mio_core::TokenField>::unpack(payload)
                    .map(|client| Self::Client(client))
            }
            2 => {
                <Key as ::mio_core::TokenField>::unpack(payload)
                    .map(|idle| Self::Idle(idle))
            }
            3 => <() as ::mio_core::TokenField>::unpack(payload).map(|()| Self::Shutdown),
            _ => ::core::option::Option::None,
        }
    }
}
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Client",
        2,
        &[("Key", <Key as ::mio_core::TokenField>::BITS)],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Idle",
        2,
        &[("Key", <Key as ::mio_core::TokenField>::BITS)],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
/// What is done for the sources of [`On`]: one method for each of their events.
#[allow(clippy::missing_errors_doc)]
trait OnHandler<L = ()> {
    /// Somebody wants to connect.
    ///
    /// [`On::Listener`] is readable: reading, accepting or receiving would make progress, or would report the end or an error.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn accept(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()>;
    /// A client of the echo.
    ///
    /// [`On::Client`] is readable: reading, accepting or receiving would make progress, or would report the end or an error.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn client_readable(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        client: Key,
    ) -> ::std::io::Result<()>;
    /// A client of the echo.
    ///
    /// [`On::Client`] is writable: writing or sending would make progress or would report an error; a connect has ended.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn client_writable(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        client: Key,
    ) -> ::std::io::Result<()>;
    /// [`On::Idle`] is due.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn idle(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        idle: Key,
    ) -> ::std::io::Result<()>;
    /// [`On::Shutdown`] occurred.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn shutdown(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        info: ::mio_core::SignalInfo,
    ) -> ::std::io::Result<()>;
    /// A method for `source` failed with `error`, or a component did and did not deal with it.
    ///
    /// By default the event loop fails with it: `run` returns it or, in a component, it goes to
    /// the parent's `error`.
    #[inline]
    fn error(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
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
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        message: (),
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
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        let _ = event_loop;
        ::core::result::Result::Ok(())
    }
}
#[automatically_derived]
impl<L> ::mio_core::Handler<(), L> for Server
where
    Self: OnHandler<L>,
{
    #[inline]
    fn ready(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L>,
        token: u64,
        readiness: ::mio_core::Readiness,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 3 {
            0 => {
                if token >> 2 != 0 {
                    return;
                }
                if readiness.wants_read() {
                    if let ::core::result::Result::Err(error) = OnHandler::accept(
                        self,
                        event_loop,
                    ) {
                        return OnHandler::error(self, event_loop, On::Listener, error);
                    }
                }
            }
            1 => {
                let ::core::option::Option::Some(client) = <Key as ::mio_core::TokenField>::unpack(
                    token >> 2,
                ) else {
                    return;
                };
                if readiness.wants_read() {
                    if let ::core::result::Result::Err(error) = OnHandler::client_readable(
                        self,
                        event_loop,
                        client,
                    ) {
                        return OnHandler::error(
                            self,
                            event_loop,
                            On::Client(client),
                            error,
                        );
                    }
                }
                if readiness.wants_write() && event_loop.is_current() {
                    if let ::core::result::Result::Err(error) = OnHandler::client_writable(
                        self,
                        event_loop,
                        client,
                    ) {
                        return OnHandler::error(
                            self,
                            event_loop,
                            On::Client(client),
                            error,
                        );
                    }
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn timeout(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L>,
        token: u64,
        expiry: ::mio_core::Expiry,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 3 {
            2 => {
                let ::core::option::Option::Some(idle) = <Key as ::mio_core::TokenField>::unpack(
                    token >> 2,
                ) else {
                    return;
                };
                if let ::core::result::Result::Err(error) = OnHandler::idle(
                    self,
                    event_loop,
                    idle,
                ) {
                    return OnHandler::error(self, event_loop, On::Idle(idle), error);
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn signal(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L>,
        token: u64,
        info: ::mio_core::SignalInfo,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 3 {
            3 => {
                if token >> 2 != 0 {
                    return;
                }
                if let ::core::result::Result::Err(error) = OnHandler::shutdown(
                    self,
                    event_loop,
                    info,
                ) {
                    return OnHandler::error(self, event_loop, On::Shutdown, error);
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn message(&mut self, event_loop: &mut ::mio_core::EventLoop<L>, message: ()) {
        let event_loop = event_loop.scoped::<On>();
        if let ::core::result::Result::Err(error) = OnHandler::message(
            self,
            event_loop,
            message,
        ) {
            event_loop.fail(error);
        }
    }
    #[inline]
    fn tick(&mut self, event_loop: &mut ::mio_core::EventLoop<L>) {
        let event_loop = event_loop.scoped::<On>();
        if let ::core::result::Result::Err(error) = OnHandler::tick(self, event_loop) {
            event_loop.fail(error);
        }
    }
}
