::core::compile_error! {
    "unknown word `readabel`: did you mean `readable`?"
}
#[automatically_derived]
impl ::mio_core::Token for On {
    fn bits(self) -> u64 {
        ::core::unreachable!()
    }
}
#[automatically_derived]
impl ::mio_core::TokenField for On {
    const BITS: u32 = 0;
    fn pack(self) -> u64 {
        ::core::unreachable!()
    }
    fn unpack(_: u64) -> ::core::option::Option<Self> {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(dead_code)]
impl On {
    const TABLE: &'static [::mio_core::TokenRow] = &[];
    fn unpack(_: u64) -> ::core::option::Option<Self> {
        ::core::unreachable!()
    }
    /// The place of the tokens of [`On::Admin`].
    const ADMIN: ::mio_core::Scope<Self, admin::On> = ::mio_core::Scope::new(2, 0);
}
/// What is done for the sources of [`On`]: one method for each of their events.
#[allow(clippy::missing_errors_doc)]
trait OnHandler<L = ()> {
    #[allow(unused_variables)]
    fn listener_readable(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        ::core::unreachable!()
    }
    #[allow(unused_variables)]
    fn idle(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
        idle: Key,
    ) -> ::std::io::Result<()> {
        ::core::unreachable!()
    }
    #[allow(unused_variables)]
    fn admin(
        &mut self,
        event_loop: &mut ::mio_core::EventLoop<L, On>,
    ) -> ::std::io::Result<()> {
        ::core::unreachable!()
    }
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
{}
