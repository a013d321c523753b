//! What is done to a connection: by a rule, or by whoever controls the simulator.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::pdu::{AlertNotification, Body, CommandStatus, Empty, MessageId, Npi, Pdu, TlvTag, Tlvs, Ton};
use smpp_transport::session::State;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Peer;
use crate::mo::{Echo, Mo};
use crate::rules::{Alert, Cut, Silence, Step};

/// Sets a sequence number apart from all that an ESME is likely to have used.
pub(super) const UNUSED: u32 = 0x4000_0000;
/// What a line reads or writes at once when it has no pace.
const FULL_SPEED_OCTETS: usize = 65_536;

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Takes steps about the request with this number. What they repeat of it is in `echo`.
    pub(super) fn take_steps(&mut self, steps: &[Step], sequence: u32, echo: Option<&Echo>) {
        for step in steps {
            match (step, echo) {
                (Step::Deliver(mo), Some(echo)) => self.deliver(&mo.repeating(echo)),
                _ => self.take_step(step, sequence),
            }
        }
    }

    /// `sequence` is the number of the request that the step is about.
    pub(super) fn take_step(&mut self, step: &Step, sequence: u32) {
        match step {
            Step::Unbind => self.driver.unbind(),
            Step::Disconnect(Cut::Close) => self.driver.close(),
            Step::Disconnect(Cut::Reset) => {
                self.write_out();
                let line = self.driver.stream_mut();
                line.reset_follows();
                (self.reset)(line.stream_mut());
                self.is_cut = true;
            }
            Step::Silence(silence) => self.fall_silent(*silence),
            Step::Stall(stall) => {
                self.write_out();
                self.driver.stream_mut().stall(*stall);
            }
            Step::Pace(pace) => {
                let is_full_speed = pace.octets >= FULL_SPEED_OCTETS && pace.pause.0.is_zero();
                self.driver.stream_mut().set_pace(pace.of, (!is_full_speed).then_some(*pace));
            }
            Step::EnquireLink => self.driver.enquire_link(),
            Step::Raw(octets) => self.inject_octets(&octets.0),
            Step::Malformed(malformed) => self.inject_octets(&malformed.octets(sequence ^ UNUSED)),
            Step::UnknownResponse => self.inject(CommandStatus::ESME_ROK, sequence ^ UNUSED, some_submit_sm_resp()),
            Step::WrongResponse => self.inject(CommandStatus::ESME_ROK, sequence, Body::EnquireLinkResp(Empty {})),
            Step::GenericNack(status) => self.inject(status.0, 0, Body::GenericNack(Empty {})),
            Step::Deliver(mo) => self.deliver(mo),
            Step::Alert(alert) => self.alert(alert),
        }
    }

    /// What was said before is heard, as far as the line takes it now. What is read on the way waits for its turn.
    fn write_out(&mut self) {
        let mut nobody = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = self.driver.poll_next(&mut nobody) {
            self.events.push_back(event);
        }
    }

    fn fall_silent(&mut self, silence: Silence) {
        self.write_out();
        self.silent_until = Some(match silence {
            Silence::For(time) => self.driver.now() + time.0,
            Silence::Forever => Duration::MAX,
        });
    }

    fn deliver(&mut self, mo: &Mo) {
        let name = self.bound.map(|bound| self.hub.account(bound.account).system_id.clone());
        let is_for_account = mo.account.is_none() || mo.account == name;
        let receives = self.bound.is_some_and(|bound| bound.kind.receives());
        let own = mo.session.is_none() && is_for_account && receives;
        let account = mo.account.clone().or(name);
        let mo = Mo { session: if own { Some(self.number) } else { mo.session }, account, ..mo.clone() };
        if let Err(error) = self.hub.deliver(&mo) {
            tracing::warn!(session = self.number, %error, "a message could not be made");
        }
    }

    fn alert(&mut self, alert: &Alert) {
        let esme = self.bound.map(|bound| self.hub.account(bound.account).system_id.clone()).unwrap_or_default();
        let (Ok(source_addr), Ok(esme_addr)) = (alert.from.parse(), esme.parse()) else { return };
        let mut tlvs = Tlvs::new();
        if let Some(status) = alert.status {
            tlvs.push(TlvTag::MS_AVAILABILITY_STATUS, &[status]);
        }
        let alert = AlertNotification {
            source_addr_ton: Ton::INTERNATIONAL,
            source_addr_npi: Npi::ISDN,
            source_addr,
            esme_addr,
            ..AlertNotification::default()
        };
        if let Err(refused) = self.driver.notify(Body::AlertNotification(alert), tlvs) {
            tracing::warn!(session = self.number, ?refused, "alert_notification could not be sent");
        }
    }

    pub(super) fn inject(&mut self, status: CommandStatus, sequence: u32, body: Body) {
        let mut octets = BytesMut::new();
        Pdu::new(status, sequence, body).encode(&mut octets);
        self.inject_octets(&octets);
    }

    /// Writes a PDU with a change to its octets.
    pub(super) fn inject_edited(&mut self, pdu: &Pdu, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = BytesMut::new();
        pdu.encode(&mut octets);
        let mut frame = octets.to_vec();
        edit(&mut frame);
        self.inject_octets(&frame);
    }

    fn inject_octets(&mut self, octets: &[u8]) {
        if self.driver.state() != State::Closed {
            self.driver.inject(octets);
        }
    }
}

fn some_submit_sm_resp() -> Body {
    Body::SubmitSmResp(Some(MessageId::default()))
}
