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
            Self::Admin(own) => {
                <admin::On as ::mio_core::__private::Space>::source_kind(own)
            }
            Self::Client(_, own) => {
                <client::On as ::mio_core::__private::Space>::source_kind(own)
            }
            Self::Metrics(own) => <Any as ::mio_core::__private::Space>::source_kind(own),
            Self::Second => ::mio_core::SourceKind::Timer,
        }
    }
}
#[automatically_derived]
impl ::mio_core::TokenField for On {
    const BITS: u32 = 2
        + ::mio_core::__private::greatest(
            &[
                <admin::On as ::mio_core::__private::Space>::BITS,
                <Key<16, 16> as ::mio_core::TokenField>::BITS
                    + <client::On as ::mio_core::__private::Space>::BITS,
                <Any as ::mio_core::__private::Space>::BITS,
                0,
            ],
        );
    #[inline]
    fn pack(self) -> u64 {
        match self {
            Self::Admin(own) => {
                <admin::On as ::mio_core::__private::Space>::raise(own, 2)
            }
            Self::Client(client, own) => {
                <client::On as ::mio_core::__private::Space>::raise(
                    own,
                    2 + <Key<16, 16> as ::mio_core::TokenField>::BITS,
                ) | <Key<16, 16> as ::mio_core::TokenField>::pack(client) << 2 | 1
            }
            Self::Metrics(own) => {
                <Any as ::mio_core::__private::Space>::raise(own, 2) | 2
            }
            Self::Second => 3,
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
    pub const TABLE: &'static [::mio_core::TokenRow] = &[
        ::mio_core::TokenRow {
            name: "Admin",
            tag: 0,
            tag_bits: 2,
            columns: &[],
            kind: ::mio_core::SourceKind::Any,
            nested: ::core::option::Option::Some(
                <admin::On as ::mio_core::__private::Space>::TABLE,
            ),
        },
        ::mio_core::TokenRow {
            name: "Client",
            tag: 1,
            tag_bits: 2,
            columns: &[
                ::mio_core::TokenColumn {
                    name: "0",
                    type_name: "Key<16, 16>",
                    shift: 2,
                    bits: <Key<16, 16> as ::mio_core::TokenField>::BITS,
                },
            ],
            kind: ::mio_core::SourceKind::Any,
            nested: ::core::option::Option::Some(
                <client::On as ::mio_core::__private::Space>::TABLE,
            ),
        },
        ::mio_core::TokenRow {
            name: "Metrics",
            tag: 2,
            tag_bits: 2,
            columns: &[],
            kind: ::mio_core::SourceKind::Any,
            nested: ::core::option::Option::Some(
                <Any as ::mio_core::__private::Space>::TABLE,
            ),
        },
        ::mio_core::TokenRow {
            name: "Second",
            tag: 3,
            tag_bits: 2,
            columns: &[],
            kind: ::mio_core::SourceKind::Timer,
            nested: ::core::option::Option::None,
        },
    ];
    /// The source that `token` names, if it names one.
    #[inline]
    #[must_use]
    pub fn unpack(token: u64) -> ::core::option::Option<Self> {
        let payload = token >> 2;
        match token & 3 {
            0 => {
                <admin::On as ::mio_core::__private::Space>::from_bits(payload)
                    .map(|own| Self::Admin(own))
            }
            1 => {
                let (client, payload) = <Key<
                    16,
                    16,
                > as ::mio_core::TokenField>::split(payload)?;
                <client::On as ::mio_core::__private::Space>::from_bits(payload)
                    .map(|own| Self::Client(client, own))
            }
            2 => {
                <Any as ::mio_core::__private::Space>::from_bits(payload)
                    .map(|own| Self::Metrics(own))
            }
            3 => <() as ::mio_core::TokenField>::unpack(payload).map(|()| Self::Second),
            _ => ::core::option::Option::None,
        }
    }
    /// The place of the tokens of [`On::Admin`].
    pub const ADMIN: ::mio_core::Scope<Self, admin::On> = ::mio_core::Scope::new(2, 0);
    /// The place of the tokens of [`On::Client`].
    #[inline]
    #[must_use]
    pub fn client(client: Key<16, 16>) -> ::mio_core::Scope<Self, client::On> {
        ::mio_core::__private::scope(
            2 + <Key<16, 16> as ::mio_core::TokenField>::BITS,
            <Key<16, 16> as ::mio_core::TokenField>::pack(client) << 2 | 1,
        )
    }
    /// The place of the tokens of [`On::Metrics`].
    pub const METRICS: ::mio_core::Scope<Self, Any> = ::mio_core::Scope::new(2, 2);
}
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Admin",
        2,
        &[("admin::On", <admin::On as ::mio_core::__private::Space>::BITS)],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Client",
        2,
        &[
            ("Key<16, 16>", <Key<16, 16> as ::mio_core::TokenField>::BITS),
            ("client::On", <client::On as ::mio_core::__private::Space>::BITS),
        ],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
const _: () = {
    const SUM: ::mio_core::__private::Sum = ::mio_core::__private::Sum::new(
        "On::Metrics",
        2,
        &[("Any", <Any as ::mio_core::__private::Space>::BITS)],
    );
    ::core::assert!(SUM.fits(), "{}", SUM.as_str());
};
/// What is done for the sources of [`On`]: one method for each of their events.
#[allow(clippy::missing_errors_doc)]
pub trait OnHandler<L = Command> {
    /// [`On::Admin`] had an event: what it produced can be taken. By default nothing is done.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    #[inline]
    fn admin(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        let _ = (event_loop,);
        ::core::result::Result::Ok(())
    }
    /// [`On::Client`] had an event: what it produced can be taken. By default nothing is done.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    #[inline]
    fn client(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        client: Key<16, 16>,
    ) -> ::std::io::Result<()> {
        let _ = (event_loop, client);
        ::core::result::Result::Ok(())
    }
    /// [`On::Metrics`] had an event: what it produced can be taken. By default nothing is done.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    #[inline]
    fn metered(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        let _ = (event_loop,);
        ::core::result::Result::Ok(())
    }
    /// [`On::Second`] is due.
    ///
    /// # Errors
    ///
    /// Reach [`error`](OnHandler::error) with this source.
    fn second(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        expiry: ::mio_core::Expiry,
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
        message: Command,
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
impl<L> ::mio_core::Handler<Command, L> for Server
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
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.admin);
                let result = event_loop
                    .deliver_ready(On::ADMIN, component, token, readiness);
                let after = OnHandler::admin(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            1 => {
                let ::core::option::Option::Some((client, _)) = <Key<
                    16,
                    16,
                > as ::mio_core::TokenField>::split(token >> 2) else {
                    return;
                };
                let ::core::option::Option::Some(component) = self
                    .clients
                    .get_mut(client) else {
                    return;
                };
                let component = ::mio_core::__private::component::<_, L, _>(component);
                let result = event_loop
                    .deliver_ready(On::client(client), component, token, readiness);
                let after = OnHandler::client(self, event_loop, client);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            2 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.metrics);
                let result = event_loop
                    .deliver_ready(On::METRICS, component, token, readiness);
                let after = OnHandler::metered(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
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
            0 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.admin);
                let result = event_loop
                    .deliver_timeout(On::ADMIN, component, token, expiry);
                let after = OnHandler::admin(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            1 => {
                let ::core::option::Option::Some((client, _)) = <Key<
                    16,
                    16,
                > as ::mio_core::TokenField>::split(token >> 2) else {
                    return;
                };
                let ::core::option::Option::Some(component) = self
                    .clients
                    .get_mut(client) else {
                    return;
                };
                let component = ::mio_core::__private::component::<_, L, _>(component);
                let result = event_loop
                    .deliver_timeout(On::client(client), component, token, expiry);
                let after = OnHandler::client(self, event_loop, client);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            2 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.metrics);
                let result = event_loop
                    .deliver_timeout(On::METRICS, component, token, expiry);
                let after = OnHandler::metered(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            3 => {
                if token >> 2 != 0 {
                    return;
                }
                if let ::core::result::Result::Err(error) = OnHandler::second(
                    self,
                    event_loop,
                    expiry,
                ) {
                    return OnHandler::error(self, event_loop, On::Second, error);
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
            0 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.admin);
                let result = event_loop
                    .deliver_signal(On::ADMIN, component, token, info);
                let after = OnHandler::admin(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            1 => {
                let ::core::option::Option::Some((client, _)) = <Key<
                    16,
                    16,
                > as ::mio_core::TokenField>::split(token >> 2) else {
                    return;
                };
                let ::core::option::Option::Some(component) = self
                    .clients
                    .get_mut(client) else {
                    return;
                };
                let component = ::mio_core::__private::component::<_, L, _>(component);
                let result = event_loop
                    .deliver_signal(On::client(client), component, token, info);
                let after = OnHandler::client(self, event_loop, client);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            2 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.metrics);
                let result = event_loop
                    .deliver_signal(On::METRICS, component, token, info);
                let after = OnHandler::metered(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn child(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L>,
        token: u64,
        exit: ::mio_core::ChildExit,
    ) {
        let event_loop = event_loop.scoped::<On>();
        match token & 3 {
            0 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.admin);
                let result = event_loop.deliver_child(On::ADMIN, component, token, exit);
                let after = OnHandler::admin(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            1 => {
                let ::core::option::Option::Some((client, _)) = <Key<
                    16,
                    16,
                > as ::mio_core::TokenField>::split(token >> 2) else {
                    return;
                };
                let ::core::option::Option::Some(component) = self
                    .clients
                    .get_mut(client) else {
                    return;
                };
                let component = ::mio_core::__private::component::<_, L, _>(component);
                let result = event_loop
                    .deliver_child(On::client(client), component, token, exit);
                let after = OnHandler::client(self, event_loop, client);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            2 => {
                let component = ::mio_core::__private::component::<
                    _,
                    L,
                    _,
                >(&mut self.metrics);
                let result = event_loop
                    .deliver_child(On::METRICS, component, token, exit);
                let after = OnHandler::metered(self, event_loop);
                if let ::core::result::Result::Err(error) = result {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
                if let ::core::result::Result::Err(error) = after {
                    if let ::core::option::Option::Some(source) = ::mio_core::__private::source_of::<
                        On,
                    >(token) {
                        OnHandler::error(self, event_loop, source, error);
                    }
                }
            }
            _ => {}
        }
    }
    #[inline]
    fn message(&mut self, event_loop: &mut ::mio_core::EventLoop<L>, message: Command) {
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
        let component = ::mio_core::__private::component::<_, L, _>(&mut self.admin);
        if let ::core::result::Result::Err(error) = event_loop
            .deliver_tick(On::ADMIN, component)
        {
            event_loop.fail(error);
        }
        let component = ::mio_core::__private::component::<_, L, _>(&mut self.metrics);
        if let ::core::result::Result::Err(error) = event_loop
            .deliver_tick(On::METRICS, component)
        {
            event_loop.fail(error);
        }
        if let ::core::result::Result::Err(error) = OnHandler::tick(self, event_loop) {
            event_loop.fail(error);
        }
    }
}
