//! Guards: `next()` may be dropped at any await point and called again, and nothing is lost, doubled or reordered.

use super::*;
use proptest::prelude::*;
use std::pin::pin;
use std::task::Waker;

/// What happened, and what was written, when each call of `next` is given up after so many polls.
fn story(reads: Vec<Read>, writes: Vec<usize>, patience: &[usize]) -> (Vec<String>, Vec<u8>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let _inside = runtime.enter();
    let mut script = Script::new(reads);
    script.writes = writes.into();
    let mut driver: Driver<Script, u32> = Driver::new(script, Role::Esme, esme_config(), DriverConfig::default());
    driver.request(bind(), Tlvs::new(), 0).expect("a new session may bind");
    let mut happened = Vec::new();
    let mut patience = patience.iter().copied().cycle();
    let mut cx = Context::from_waker(Waker::noop());
    let mut submitted = false;
    loop {
        let event = {
            let mut next = pin!(driver.next());
            let polls = patience.next().expect("it cycles");
            (0..polls).find_map(|_| match next.as_mut().poll(&mut cx) {
                Poll::Ready(event) => Some(event),
                Poll::Pending => None,
            })
        };
        match event {
            None => continue,
            Some(None) => return (happened, driver.stream.written),
            Some(Some(event)) => {
                happened.push(format!("{event:?}"));
                match event {
                    Event::Request(ticket, _) => driver.refuse(ticket, OK),
                    Event::Bound(_) if !submitted => {
                        submitted = true;
                        driver.request(submit(), Tlvs::new(), 1).expect("bound");
                    }
                    _ => {}
                }
            }
        }
    }
}

fn cut(octets: &Bytes, places: &[usize], later: &[bool]) -> Vec<Read> {
    let mut places: Vec<usize> = places.iter().map(|place| place % octets.len()).collect();
    places.extend([0, octets.len()]);
    places.sort_unstable();
    places.dedup();
    let pieces = places.windows(2).map(|ends| Read::Octets(octets.slice(ends[0]..ends[1])));
    pieces
        .zip(later.iter().cycle())
        .flat_map(|(piece, later)| if *later { vec![Read::Later, piece] } else { vec![piece] })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn next_may_be_dropped_at_any_point(
        places in proptest::collection::vec(any::<usize>(), 0..12),
        later in proptest::collection::vec(any::<bool>(), 1..8),
        writes in proptest::collection::vec(0usize..40, 0..30),
        patience in proptest::collection::vec(1usize..4, 1..8),
    ) {
        let all = octets(&[
            bind_resp(1, OK), deliver(1), enquire_link(2), deliver(3), submit_resp(2), deliver(4),
            Pdu::new(OK, 5, Body::Unbind(Empty {})),
        ]);
        // The answers must not depend on how it was cut either, so the plain run is of one piece. The submit goes out
        // before the answers to what is glued to the bind response only when that is read later.
        let (expected, _) = story(vec![Read::Octets(all.clone())], Vec::new(), &[usize::MAX]);
        let plain = story(cut(&all, &places, &later), Vec::new(), &[usize::MAX]);
        let dropped = story(cut(&all, &places, &later), writes, &patience);
        prop_assert_eq!(&dropped.0, &expected);
        prop_assert_eq!(&plain.0, &expected);
        prop_assert_eq!(dropped.1, plain.1);
    }
}
