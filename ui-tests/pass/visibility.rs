//! All that is derived is as visible as the enum.
#![deny(warnings, private_interfaces, private_bounds)]

use mio_core::Token;

mod library {
    mod private {
        use std::io;

        use mio_core::{EventLoop, Handler};

        #[derive(Debug)]
        pub struct Server {
            component: super::component::Component,
        }

        #[derive(Clone, Copy, Debug, PartialEq, Handler)]
        #[handler(state = Server)]
        pub enum On {
            #[timer]
            Timer,
            #[nested(component)]
            Component(super::component::On),
        }

        impl OnHandler for Server {
            fn timer(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
                Ok(())
            }
        }

        #[derive(Clone, Copy, Debug, Handler)]
        #[handler(state = Hidden)]
        enum Secret {
            #[timer]
            Timer,
        }

        struct Hidden;

        impl SecretHandler for Hidden {
            fn timer(&mut self, _: &mut EventLoop<(), Secret>) -> io::Result<()> {
                Ok(())
            }
        }

        pub fn secret() -> usize {
            let _ = (Hidden, Secret::Timer);
            Secret::TABLE.len()
        }
    }

    pub mod component {
        use std::io;

        use mio_core::{EventLoop, Handler};

        #[derive(Debug)]
        pub struct Component;

        #[derive(Clone, Copy, Debug, PartialEq, Handler)]
        #[handler(state = Component)]
        pub enum On {
            #[timer]
            Timer,
        }

        impl<L> OnHandler<L> for Component {
            fn timer(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
                Ok(())
            }
        }
    }

    pub use private::{On, OnHandler, Server, secret};
}

fn main() {
    use library::{On, OnHandler, component};

    fn takes<L, T: OnHandler<L>>() {}

    takes::<(), library::Server>();
    assert_eq!(On::TABLE[1].nested.map(|table| table[0].name), Some("Timer"));
    assert_eq!(On::unpack(On::Timer.bits()), Some(On::Timer));
    let _ = (On::COMPONENT, component::On::TABLE, library::secret());
}
