//! The SMSC: where it is, how to get there, how to bind, how the session behaves.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::kind::{flag, float, list, named, names, never_or, number, path, secret, text, time};
use crate::config::option::{Nested, options};
use crate::config::secret::Secret;
use crate::config::word;
use crate::pdu::{InterfaceVersion, Npi, Ton};
use crate::session::BindKind;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

options! {
    /// The SMSC: where it is, and how to get there.
    pub struct Smsc {
        /// Its host name or address.
        host: String = "localhost".to_owned(), word::host();
        /// Its port; 2775 is the one that is registered for SMPP.
        port: u16 = 2775, number(1..=65_535);
        /// Several places of one SMSC, each `host:port`, tried in turn. If given, `host` and `port` do not count. Each session
        /// tries them for itself: of a transmitter and a receiver that end up at different ones, receipts only arrive if these
        /// share what they know.
        hosts: Vec<String> = Vec::new(), crate::config::kind::at_most(100, list(word::address()));
        /// How many sessions to bind at once, with the same account. Some SMSCs allow only one.
        sessions: u16 = 1, number(1..=100);
        /// Time limit for opening a connection, TLS included. A name with several addresses has all of them tried within this
        /// time: the next one when an address refuses, or has not answered for 250 ms.
        connect_timeout: Duration = Duration::from_secs(10), time(MS * 100, HOUR);
        /// Local address that connections to the SMSC come from, for an SMSC that knows its clients by their addresses. None
        /// leaves the choice to the system.
        source_address: Option<std::net::IpAddr> = None, word::ip().optional();
        /// TLS towards the SMSC.
        tls: Tls = Tls::default(), Nested;
        /// Another place and account for the receiver.
        receiver: Receiver = Receiver::default(), Nested;
        /// When to try again after a connection was lost, or could not be had.
        reconnect: Reconnect = Reconnect::default(), Nested;
        /// The other way round: the SMSC connects, says outbind, and is bound to as a receiver.
        outbind: Outbind = Outbind::default(), Nested;
    }
}

options! {
    /// The receiver of `bind_type` `tx+rx`, where its place or its account is not that of the transmitter.
    pub struct Receiver {
        /// Host name or address that the receiver connects to. None is `host`, or `hosts` if no port is given here either.
        host: Option<String> = None, word::host().optional();
        /// Port that the receiver connects to. None is `port`.
        port: Option<u16> = None, number(1..=65_535).optional();
        /// Account of the receiver. None is `system_id`.
        system_id: Option<String> = None, text(1..=64).optional();
        /// Password of the receiver. None is `password`.
        password: Option<Secret> = None, secret(0..=128).optional();
    }
}

options! {
    /// TLS towards the SMSC.
    pub struct Tls {
        /// Whether to use it.
        enabled: bool = false, flag();
        /// A file with the certificates (PEM) of those who may vouch for the SMSC. None is those that the system trusts.
        ca: Option<PathBuf> = None, path().optional();
        /// A file with our own certificate (PEM), for an SMSC that asks for one. It needs `key`.
        cert: Option<PathBuf> = None, path().optional();
        /// A file with the key (PEM) of our own certificate.
        key: Option<PathBuf> = None, path().optional();
        /// The name that the SMSC's certificate must have. None is the host.
        server_name: Option<String> = None, word::host().optional();
        /// Whether to take any certificate. Then anybody on the way can read and change everything, passwords too: for tests.
        insecure: bool = false, flag();
    }
}

/// What to do when the SMSC refuses system_id or password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnAuthFailure {
    /// Try again, each time after the longest wait: accounts are locked for less.
    Slow,
    /// End, with a line that says so.
    Stop,
    /// Try again as after any other failure.
    Same,
}

options! {
    /// When to try again after a connection was lost, or could not be had.
    pub struct Reconnect {
        /// The first wait.
        initial: Duration = Duration::from_secs(1), time(MS * 10, HOUR);
        /// The longest wait.
        max: Duration = Duration::from_secs(60), time(MS * 10, DAY);
        /// How many times longer each wait is than the one before.
        factor: f64 = 2.0, float(1.0..=100.0);
        /// How much of each wait is left to chance, so that many transports do not come back at once: 0.2 takes up to a fifth
        /// off.
        jitter: f64 = 0.2, float(0.0..=1.0);
        /// How long a session must have been bound for the next wait to be the first one again.
        stable_after: Duration = Duration::from_secs(30), time(Duration::ZERO, DAY);
        /// Reaction to a refused system_id, password or system_type: `slow` tries again after `max` each time; `stop` gives the
        /// link up, and ends the process with exit status 3 once all links are given up; `same` goes on as after any failure,
        /// which some SMSCs answer by locking the account.
        on_auth_failure: OnAuthFailure = OnAuthFailure::Slow,
            names(&[("slow", OnAuthFailure::Slow), ("stop", OnAuthFailure::Stop), ("same", OnAuthFailure::Same)]);
        /// How long to wait when the SMSC says that the account is bound already, or that the bind failed: it has not yet
        /// noticed that the last session is gone.
        already_bound_delay: Duration = Duration::from_secs(5), time(MS * 10, DAY);
    }
}

options! {
    /// The SMSC connects, says outbind, and is bound to as a receiver.
    pub struct Outbind {
        /// Where to wait for it, without TLS. None does not. With it no receiver is dialled: `bind_type` `rx` only waits, `tx` and
        /// `tx+rx` dial a transmitter, and `trx` dials a transceiver beside it. Whoever reaches this place and says the right
        /// words is told our password: give `outbind.password`, and let nobody else reach it.
        listen: Option<String> = None, word::address().optional();
        /// What the SMSC must call itself. None takes any.
        system_id: Option<String> = None, text(1..=15).optional();
        /// Password that the SMSC must have, up to `password_max` characters. None takes any.
        password: Option<Secret> = None, secret(1..=128).optional();
    }
}

/// As what to bind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BindType {
    /// One session of this kind.
    One(BindKind),
    /// Two sessions, a transmitter and a receiver, which share what they know.
    TransmitterAndReceiver,
}

options! {
    /// The bind: who we are.
    pub struct Binding {
        /// Our name with the SMSC.
        system_id: String = "smppclient1".to_owned(), text(0..=64);
        /// Our password with the SMSC, of up to `password_max` characters.
        password: Secret = Secret::new("password"), secret(0..=128);
        /// Most characters of a password. The standard allows 8, as vumi2 does; many SMSCs issue passwords of 9 to 16 characters.
        /// A longer password than this is refused at the start, or cut if `credentials_truncate` says so.
        password_max: u8 = 8, number(8..=128);
        /// What kind of system we are, if the SMSC wants to know.
        system_type: Option<String> = None, text(1..=12).optional();
        /// The version of SMPP that the bind says. All that people write for a version means that version: vumi2's default 34
        /// goes out as 0x34, which is 3.4; vumi2 itself sends decimal 34, which is 0x22 and no version.
        interface_version: InterfaceVersion = InterfaceVersion::V3_4, word::interface_version();
        /// The addresses that are served, as a regular expression in the SMSC's own dialect; most SMSCs want none.
        address_range: Option<String> = None, text(1..=40).optional();
        /// Type of number of `address_range` in the bind. Some SMSCs require 1, INTERNATIONAL.
        addr_ton: Ton = Ton::UNKNOWN, word::fixed_ton();
        /// Numbering plan of `address_range` in the bind. Some SMSCs require 1, ISDN.
        addr_npi: Npi = Npi::UNKNOWN, word::fixed_npi();
        /// As what to bind: transceiver, transmitter, receiver, or two sessions, for an SMSC that knows no transceiver.
        bind_type: BindType = BindType::One(BindKind::Transceiver), named(" (two sessions)", &[
            ("trx", BindType::One(BindKind::Transceiver)),
            ("transceiver", BindType::One(BindKind::Transceiver)),
            ("tx", BindType::One(BindKind::Transmitter)),
            ("transmitter", BindType::One(BindKind::Transmitter)),
            ("rx", BindType::One(BindKind::Receiver)),
            ("receiver", BindType::One(BindKind::Receiver)),
            ("tx+rx", BindType::TransmitterAndReceiver),
        ]);
        /// Whether to bind `tx+rx` after an SMSC has answered a transceiver bind with ESME_RINVCMDID, until the next start: it may
        /// be of version 3.3.
        bind_fallback: bool = false, flag();
        /// Whether to cut a system_id of more than 15 and a password of more than `password_max` characters, and say so in the
        /// log, instead of refusing to start. Some SMSCs compare only what fits.
        credentials_truncate: bool = false, flag();
        /// How long to wait for the answer to the bind. Then the line is closed, and opened again as `reconnect` says.
        smpp_bind_timeout: Duration = Duration::from_secs(30), time(MS * 100, HOUR);
    }
}

/// Times at which enquire_link is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EnquireLinkWhen {
    /// When the SMSC has said nothing for the interval.
    Idle,
    /// At the interval, whatever passes.
    Always,
}

/// How strictly PDUs are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tolerance {
    /// Whatever can be understood.
    Lenient,
    /// By the letter of the standard.
    Strict,
}

options! {
    /// The session: its timers and limits.
    pub struct Timers {
        /// After how much silence of the SMSC to ask with enquire_link whether it is still there. Any PDU of its is an answer, so
        /// a busy line is never asked. 0 never asks: then a dead line is not noticed while nothing is sent.
        smpp_enquire_link_interval: Option<Duration> = Some(Duration::from_secs(55)), never_or(time(MS * 100, DAY));
        /// When to send enquire_link: after an interval in which the SMSC said nothing, or after each interval whatever passes. Some
        /// SMSCs close sessions on which they get none for a while, busy or not.
        enquire_link_when: EnquireLinkWhen = EnquireLinkWhen::Idle,
            names(&[("idle", EnquireLinkWhen::Idle), ("always", EnquireLinkWhen::Always)]);
        /// How long to wait for the answer to an enquire_link. A dead line is found within this and the interval.
        smpp_enquire_link_timeout: Duration = Duration::from_secs(10), time(MS * 100, HOUR);
        /// How long to wait for the answer to a submit. Without one the outcome is unknown: see `on_unknown_outcome`.
        smpp_response_timeout: Duration = Duration::from_secs(60), time(MS * 100, HOUR);
        /// Most submits that wait for a response at once, in each session. None is the value of `worker_concurrency`. More is faster
        /// on connections with a long round trip; more than the SMSC serves ends in timeouts and duplicates. 1 sends one after the
        /// other.
        smpp_window: Option<u16> = None, number(1..=10_000).optional();
        /// How many requests of the SMSC's may be unanswered at once; beyond it, it is told `inbound.error_status`.
        smpp_inbound_window: u16 = 1_000, number(1..=65_535);
        /// After how long without a message in either direction to unbind, and bind again. For SMSCs behind something that
        /// forgets quiet lines though it passes enquire_link.
        inactivity_timeout: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY));
        /// How long an unbind may take, ours or the SMSC's, before the line is closed without it.
        unbind_timeout: Duration = Duration::from_secs(2), time(MS * 100, HOUR);
        /// The longest PDU that is read, in octets. A longer one ends the session.
        max_pdu_length: u32 = 70_000, number(256..=1 << 24);
        /// How PDUs are read: `lenient` takes whatever can be understood, `strict` goes by the letter of the standard and refuses
        /// much that real SMSCs send.
        tolerance: Tolerance = Tolerance::Lenient,
            names(&[("lenient", Tolerance::Lenient), ("strict", Tolerance::Strict)]);
    }
}
