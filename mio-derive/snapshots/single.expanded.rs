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
            Self::Due(..) => ::mio_core::SourceKind::Timer,
        }
    }
}
#[automatically_derived]
impl ::mio_core::TokenField for On {
    const BITS: u32 = 0
        + ::mio_core::__private::greatest(&[<u64 as ::mio_core::TokenField>::BITS]);
    #[inline]
    fn pack(self) -> u64 {
        match self {
            Self::Due(due) => <u64 as ::mio_core::TokenField>::pack(due),
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
            name: "Due",
            tag: 0,
            tag_bits: 0,
            columns: &[
                ::mio_core::TokenColumn {
                    name: "0",
                    type_name: "u64",
                    shift: 0,
                    bits: <u64 as ::mio_core::TokenField>::BITS,
                },
            ],
            kind: ::mio_core::SourceKind::Timer,
            nested: ::core::option::Option::None,
        },
    ];
    /// The source that `token` names, if it names one.
    #[inline]
    #[must_use]
    fn unpack(token: u64) -> ::core::option::Option<Self> {
        let payload = token;
        <u64 as ::mio_core::TokenField>::unpack(payload).map(|due| Self::Due(due))
    }
}
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Due",
        0,
        &[("u64", <u64 as ::mio_core::TokenField>::BITS)],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
/// What is done for the sources of [`On`]: one method for each of their events.
#[allow(clippy::missing_errors_doc)]
trait OnHandler<L = ()> {
    /// [`On::Due`] is due.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn due(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        due: u64,
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
impl<L> ::mio_core::Handler<(), L> for Alarm
where
    Self: OnHandler<L>,
{
    #[inline]
    fn timeout(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L>,
        token: u64,
        expiry: ::mio_core::Expiry,
    ) {
        let event_loop = event_loop.scoped::<On>();
        {
            let ::core::option::Option::Some(due) = <u64 as ::mio_core::TokenField>::unpack(
                token,
            ) else {
                return;
            };
            if let ::core::result::Result::Err(error) = OnHandler::due(
                self,
                event_loop,
                due,
            ) {
                return OnHandler::error(self, event_loop, On::Due(due), error);
            }
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
