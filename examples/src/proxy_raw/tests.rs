use super::*;

#[test]
fn an_idle_pair_is_small() {
    assert!(size_of::<Pair>() <= 128, "{} bytes", size_of::<Pair>());
}

#[test]
fn the_bounds_of_the_loop_follow_from_those_of_the_proxy() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let bounds = Config { pairs: 10, ..Config::new(any, any) }.event_loop();
    assert_eq!((bounds.sources, bounds.timers), (21, 12));
}
