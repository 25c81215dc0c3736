//! Components where no descriptor is left.

use std::io::ErrorKind;

use listener::Limits;
use mio_core::Config;
use tests::{Isolated, limit_descriptors, test_name};

use super::{limits, server::On, setup, with_config};

/// So many descriptors are open in any case. Not zero: poll(2) refuses to look at more than the limit.
const NO_MORE: u64 = 4;

#[test]
fn without_descriptors_it_backs_off_and_tries_again_by_a_timer() {
    Isolated::new(test_name!()).run(|| {
        let mut setup = setup(limits(10, 10));
        let _peer = setup.connect();
        limit_descriptors(NO_MORE).unwrap();
        setup.until(|setup| setup.server.listener.is_backing_off());
        setup.pass(Limits::default().retry);
        assert!(setup.server.listener.is_backing_off(), "still none");
        limit_descriptors(4096).unwrap();
        let _later = setup.connect();
        setup.settle();
        assert_eq!(setup.live(), (0, 0), "only the timer tries again");
        setup.pass(Limits::default().retry);
        setup.lets_in(2);
        assert!(!setup.server.listener.is_backing_off());
        assert_eq!(setup.server.errors, []);
    });
}

#[test]
fn what_a_component_cannot_deal_with_reaches_its_parent() {
    Isolated::new(test_name!()).run(|| {
        // The only timer is the ticker's; none is left to back off.
        let mut setup = with_config(limits(10, 10), Config { timers: 1, ..Config::default() });
        let _peer = setup.connect();
        limit_descriptors(NO_MORE).unwrap();
        setup.until(|setup| !setup.server.errors.is_empty());
        let expected = (On::Listener(listener::On::Socket), ErrorKind::QuotaExceeded);
        assert_eq!(setup.server.errors, [expected]);
    });
}
