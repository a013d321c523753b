//! USSD over SMPP: which step of a dialogue a PDU is, and how its session is told from others. Pure.
//!
//! The standard has `ussd_service_op` (§5.3.2.44) and `its_session_info` (§5.3.2.43), and leaves the rest to agreement: what
//! each SMSC does is a [`Dialect`]. A message of a dialogue has `transport_type` `ussd`, a `session_event`, and in its
//! `transport_metadata` `session_info`, which an application hands back with its reply, as applications of vumi do:
//! `{"ussd_service_op": "01", "session_identifier": "0a01"}`, both in hexadecimal.

use serde_json::{Map, Value, json};

use crate::bus::{Message, SessionEvent};
use crate::pdu::json::{from_hex, hex};
use crate::pdu::{COctets, TlvTag, Tlvs};

/// The key in `transport_metadata`.
const SESSION_INFO: &str = "session_info";
/// Bit 0 of the second octet of its_session_info: the session ends (§5.3.2.43).
const SESSION_ENDS: u8 = 1;

/// What an SMSC does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dialect {
    /// How a session is told from others.
    pub session: SessionKey,
    /// What `ussd_service_op` says when the application begins a dialogue. Default 2, USSR request.
    pub op_new: u8,
    /// When it goes on with one. Default 2, USSR request.
    pub op_resume: u8,
    /// When it ends one. Default 17, PSSR response. vumi's SMSCs of two vendors take 0x17.
    pub op_close: u8,
    /// Inbound values that begin a dialogue. Default 1, PSSR indication.
    pub ops_new: Vec<u8>,
    /// Inbound values that end one: what the vendor sends when the user hangs up. Default 0x81.
    pub ops_close: Vec<u8>,
    /// `service_type` of outbound messages of a dialogue; none is that of all messages. Default `USSD`.
    pub service_type: Option<COctets<6>>,
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect {
            session: SessionKey::Off,
            op_new: 2,
            op_resume: 2,
            op_close: 17,
            ops_new: vec![1],
            ops_close: vec![0x81],
            service_type: "USSD".parse().ok(),
        }
    }
}

/// How a session is told from others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SessionKey {
    /// There is no USSD: such messages are short messages.
    #[default]
    Off,
    /// By the two addresses alone.
    Addresses,
    /// By `its_session_info`; its end bit ends the session.
    ItsSessionInfo,
    /// By `user_message_reference`.
    UserMessageReference,
}

impl SessionKey {
    const fn tag(self) -> Option<TlvTag> {
        match self {
            SessionKey::Off | SessionKey::Addresses => None,
            SessionKey::ItsSessionInfo => Some(TlvTag::ITS_SESSION_INFO),
            SessionKey::UserMessageReference => Some(TlvTag::USER_MESSAGE_REFERENCE),
        }
    }
}

/// What an inbound PDU of a dialogue says.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where in the session it is.
    pub event: SessionEvent,
    /// For `transport_metadata`.
    pub metadata: Map<String, Value>,
}

impl Dialect {
    /// What an inbound PDU says of a dialogue; none if it is not of one.
    #[must_use]
    pub fn inbound(&self, service_type: &[u8], tlvs: &Tlvs) -> Option<Step> {
        if self.session == SessionKey::Off {
            return None;
        }
        let op = tlvs.get_u8(TlvTag::USSD_SERVICE_OP);
        let key = self.session.tag().and_then(|tag| tlvs.get(tag));
        if op.is_none() && !service_type.eq_ignore_ascii_case(b"USSD") {
            return None;
        }
        let info = key.as_deref().filter(|_| self.session == SessionKey::ItsSessionInfo);
        let ends = info.and_then(|info| info.get(1)).is_some_and(|octet| octet & SESSION_ENDS != 0);
        let event = match op {
            Some(op) if self.ops_close.contains(&op) => SessionEvent::Close,
            _ if ends => SessionEvent::Close,
            Some(op) if self.ops_new.contains(&op) => SessionEvent::New,
            _ => SessionEvent::Resume,
        };
        let mut session = Map::new();
        if let Some(op) = op {
            session.insert("ussd_service_op".to_owned(), json!(hex(&[op])));
        }
        if let Some(key) = key {
            session.insert("session_identifier".to_owned(), json!(hex(&key)));
        }
        let metadata = Map::from_iter([(SESSION_INFO.to_owned(), Value::Object(session))]);
        Some(Step { event, metadata })
    }

    /// Adds to an outbound message what makes it one of a dialogue; gives its `service_type`, if it has one of its own.
    ///
    /// # Errors
    /// In words, when `session_info` is not as an inbound message had it.
    pub fn outbound(
        &self,
        message: &Message,
        event: SessionEvent,
        tlvs: &mut Tlvs,
    ) -> Result<Option<COctets<6>>, String> {
        if self.session == SessionKey::Off {
            return Ok(None);
        }
        let op = match event {
            SessionEvent::New => self.op_new,
            SessionEvent::Resume => self.op_resume,
            SessionEvent::Close => self.op_close,
        };
        tlvs.push(TlvTag::USSD_SERVICE_OP, &[op]);
        if let (Some(tag), Some(mut key)) = (self.session.tag(), session_identifier(message)?) {
            if self.session == SessionKey::ItsSessionInfo
                && let Some(octet) = key.get_mut(1)
            {
                *octet = *octet & !SESSION_ENDS | u8::from(event == SessionEvent::Close);
            }
            tlvs.push(tag, &key);
        }
        Ok(self.service_type.clone())
    }
}

/// What the inbound message of the session had.
fn session_identifier(message: &Message) -> Result<Option<Vec<u8>>, String> {
    let info = message.transport_metadata.get(SESSION_INFO).filter(|info| !info.is_null());
    let Some(value) = info.and_then(|info| info.get("session_identifier")).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let wrong = |why: &str| {
        format!(
            "transport_metadata.session_info.session_identifier: {value}: {why}; allowed are two octets in hexadecimal"
        )
    };
    let text = value.as_str().ok_or_else(|| wrong("no text"))?;
    let octets = from_hex(text).map_err(|why| wrong(&why))?;
    if octets.len() == 2 { Ok(Some(octets)) } else { Err(wrong(&format!("{} octets", octets.len()))) }
}

#[cfg(test)]
mod tests {
    //! Guards the steps of a dialogue in every dialect.

    use super::*;
    use crate::bus::message::Stamp;

    fn dialect(session: SessionKey) -> Dialect {
        Dialect { session, ..Dialect::default() }
    }

    fn tlvs(op: Option<u8>, info: Option<[u8; 2]>) -> Tlvs {
        let mut tlvs = Tlvs::new();
        op.into_iter().for_each(|op| tlvs.push(TlvTag::USSD_SERVICE_OP, &[op]));
        info.into_iter().for_each(|info| tlvs.push(TlvTag::ITS_SESSION_INFO, &info));
        tlvs
    }

    fn reply_to(step: &Step) -> Message {
        let stamp = Stamp { id: String::new(), at: std::time::Duration::ZERO };
        let message = Message::inbound(stamp, "smpp", "1".into(), "2".into(), String::new());
        Message { transport_metadata: step.metadata.clone(), ..message }
    }

    #[test]
    fn a_dialogue_begins_goes_on_and_ends() {
        let its = dialect(SessionKey::ItsSessionInfo);
        for (op, info, event) in [
            (Some(1), Some([7, 0]), SessionEvent::New),
            (Some(18), Some([7, 2]), SessionEvent::Resume),
            (Some(18), Some([7, 5]), SessionEvent::Close),
            (Some(0x81), None, SessionEvent::Close),
        ] {
            assert_eq!(its.inbound(b"", &tlvs(op, info)).unwrap().event, event, "{op:?} {info:?}");
        }
        assert_eq!(its.inbound(b"USSD", &tlvs(None, None)).unwrap().event, SessionEvent::Resume, "service_type alone");
        assert_eq!(its.inbound(b"", &tlvs(None, Some([7, 0]))), None);
        assert_eq!(Dialect::default().inbound(b"USSD", &tlvs(Some(1), None)), None, "off");
    }

    #[test]
    fn a_reply_is_of_the_same_session_and_its_end_is_marked() {
        let its = dialect(SessionKey::ItsSessionInfo);
        let step = its.inbound(b"", &tlvs(Some(1), Some([7, 2]))).unwrap();
        assert_eq!(
            Value::Object(step.metadata.clone()),
            json!({"session_info": {"ussd_service_op": "01", "session_identifier": "0702"}})
        );
        for (event, op, info) in [(SessionEvent::Resume, 2, [7, 2]), (SessionEvent::Close, 17, [7, 3])] {
            let mut sent = Tlvs::new();
            let service_type = its.outbound(&reply_to(&step), event, &mut sent).unwrap();
            assert_eq!(service_type.unwrap().as_bytes(), b"USSD");
            assert_eq!(sent, tlvs(Some(op), Some(info)));
        }
        let mut sent = Tlvs::new();
        dialect(SessionKey::Addresses).outbound(&reply_to(&step), SessionEvent::Close, &mut sent).unwrap();
        assert_eq!(sent, tlvs(Some(17), None));
    }

    #[test]
    fn a_session_that_is_none_is_refused_in_words() {
        let its = dialect(SessionKey::ItsSessionInfo);
        for wrong in [json!(5), json!("0g"), json!("0102030")] {
            let metadata = json!({"session_info": {"session_identifier": wrong}});
            let step = Step { event: SessionEvent::New, metadata: metadata.as_object().unwrap().clone() };
            let words = its.outbound(&reply_to(&step), SessionEvent::Close, &mut Tlvs::new()).unwrap_err();
            assert!(words.contains("session_identifier") && words.contains("two octets"), "{words}");
        }
    }
}
