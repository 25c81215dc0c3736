//! Who sees the bytes, and what that takes.

use mio_core::proxy::{Hooks, Unseen};

/// Who sees the bytes from the clients. `Unseen` is nobody, and lets them be spliced; `SeenUp` is the
/// `InspectUp` of the gateway.
pub(super) type Up<'a, H> = Unseen<'a, H>;

/// Who sees the bytes from the upstreams: nobody, or with `SeenDown` the gateway's `InspectDown`.
pub(super) type Down<'a, H> = Unseen<'a, H>;

/// What a gateway has to have: `Hooks`, and of `InspectUp` and `InspectDown` what is used above.
pub trait Hooked: Hooks {}

impl<H: Hooks> Hooked for H {}
