//! Guards how a session becomes bound: once, by the answer to its own bind, and again after a refusal.

use super::*;

const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

#[test]
fn each_kind_of_bind_binds_both_sides_when_its_answer_passes() {
    for kind in KINDS {
        let mut pair = Pair::new(Setup::default());
        pair.request(Role::Esme, kind.command()).unwrap();
        assert_eq!(pair.session(Role::Esme).state(), State::Binding(kind));
        pair.drive();
        assert_eq!(pair.session(Role::Smsc).state(), State::Binding(kind));
        pair.answer(Role::Smsc, OK);
        assert_eq!(pair.session(Role::Smsc).state(), State::Bound(kind));
        assert_eq!(pair.session(Role::Esme).state(), State::Binding(kind));
        pair.drive();
        assert_eq!(pair.session(Role::Esme).state(), State::Bound(kind));
        assert!(matches!(pair.told(Role::Esme)[..], [Told::Ended { .. }, Told::Bound(bound)] if bound == kind));
        assert!(matches!(pair.told(Role::Smsc)[..], [Told::Request(_), Told::Bound(bound)] if bound == kind));
    }
}
