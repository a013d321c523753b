//! What becomes of the messages that are accepted, and what their receipts look like: data, in layers. A rule's policy goes
//! before the account's, and that before the simulator's; what none of them says is by the standard, at once and well.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::MessageState;

use crate::time::{Delay, Time};
use crate::words::State;

/// What becomes of a message. Everything may be left to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How it ends. Default: DELIVERED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How long it is ENROUTE before. Default: no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enroute: Option<Delay>,
    /// The network's error, `err` in a receipt and error_code in a query_sm_resp. Default: 000 for DELIVERED and ACCEPTED,
    /// else 001.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u8>,
    /// The form of its id in the response. Default: decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<IdForm>,
    /// Its receipts.
    #[serde(skip_serializing_if = "ReceiptPolicy::is_default")]
    pub receipt: ReceiptPolicy,
}

/// What receipts look like, and where they go. Everything may be left to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptPolicy {
    /// Whether there is one. Default: as `registered_delivery` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// How long after the state it reports. Default: no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// How often. Default: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u8>,
    /// The state that it reports, whatever is true. Default: the truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The form of the id, in the text and the parameter. Default: as in the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<IdForm>,
    /// Whether it says what it says as text, as parameters, or as both. Default: both, for a peer that knows parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<ReceiptForm>,
    /// How it writes dates. Default: minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// What its text is written in, by `data_coding`: 0 (default), 1, 3 or 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_coding: Option<u8>,
    /// What carries it. Default: deliver_sm, with the text in short_message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// Which of the sessions that may have it. Default: the one that submitted, if that receives; else any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Which>,
    /// Whether the first one goes before the response to the message. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_response: Option<bool>,
}

/// Whether there is a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptSent)]
pub enum Sent {
    /// As `registered_delivery` asks.
    #[default]
    Asked,
    /// Whatever it asks.
    Always,
    /// Whatever it asks.
    Never,
}

/// How a receipt says what it says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptForm {
    /// As text and as parameters.
    #[default]
    Both,
    /// As text (appendix B).
    Text,
    /// As the parameters receipted_message_id and message_state.
    Tlvs,
}

/// How a receipt writes dates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// `YYMMDDhhmm`.
    #[default]
    Minutes,
    /// `YYMMDDhhmmss`.
    Seconds,
    /// `YYYYMMDDhhmmss`.
    LongYear,
}

/// What carries a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptCarrier)]
pub enum Carrier {
    /// deliver_sm, with the text in short_message.
    #[default]
    DeliverSm,
    /// deliver_sm, with the text in message_payload.
    Payload,
    /// data_sm, which has nothing but message_payload.
    DataSm,
}

/// Which of the sessions that may have it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one that submitted, if that receives; else any.
    #[default]
    Same,
    /// Any, in turn.
    Any,
    /// Another one than that which submitted, if there is one.
    Other,
}

/// How a message id is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdForm {
    /// `4711`.
    #[default]
    Decimal,
    /// `0000004711`: ten digits, as in the standard's example.
    DecimalPadded,
    /// `1267`.
    Hexadecimal,
    /// `00001267`: eight digits.
    HexadecimalPadded,
    /// `0000126A`: eight digits, capital letters.
    HexadecimalUpper,
    /// 36 characters, made from seed and number.
    Uuid,
}

/// How messages end: always the same, `DELIVERED`, or by weight, `{DELIVERED: 90, UNDELIVERABLE: 10}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome(BTreeMap<State, f64>);

impl Outcome {
    /// Always this state.
    #[must_use]
    pub fn always(state: MessageState) -> Outcome {
        Outcome(BTreeMap::from([(State(state), 1.0)]))
    }

    /// States by weight.
    ///
    /// # Errors
    /// In words, when a state is not final, a weight is negative, or none is above 0. ENROUTE is allowed: a message that
    /// never ends, but for its validity.
    pub fn weighted(weights: impl IntoIterator<Item = (MessageState, f64)>) -> Result<Outcome, String> {
        let weights: BTreeMap<_, _> = weights.into_iter().map(|(state, weight)| (State(state), weight)).collect();
        if let Some((state, weight)) = weights.iter().find(|(_, weight)| !weight.is_finite() || **weight < 0.0) {
            return Err(format!("the weight of {state} is {weight}: 0 or more is allowed"));
        }
        if weights.values().sum::<f64>() <= 0.0 {
            return Err("no state has a weight above 0".to_owned());
        }
        if weights.contains_key(&State(MessageState::SCHEDULED)) {
            return Err(
                "SCHEDULED is no outcome: a final state is wanted, or ENROUTE for a message without end".to_owned()
            );
        }
        Ok(Outcome(weights))
    }

    /// One draw.
    #[must_use]
    pub fn draw(&self, rng: &mut impl Rng) -> MessageState {
        let mut states = self.0.iter();
        if self.0.len() == 1 {
            return states.next().map_or(MessageState::DELIVERED, |(state, _)| state.0);
        }
        let mut share = rng.random::<f64>() * self.0.values().sum::<f64>();
        let drawn = states.find(|(_, weight)| {
            share -= **weight;
            share < 0.0
        });
        drawn.or(self.0.last_key_value()).map_or(MessageState::DELIVERED, |(state, _)| state.0)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.first_key_value() {
            Some((state, _)) if self.0.len() == 1 => state.serialize(to),
            _ => self.0.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Outcome, D::Error> {
        struct StateOrWeights;
        impl<'de> de::Visitor<'de> for StateOrWeights {
            type Value = Outcome;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a state such as DELIVERED, or weights such as {DELIVERED: 90, UNDELIVERABLE: 10}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Outcome, E> {
                let state: State = text.parse().map_err(E::custom)?;
                Outcome::weighted([(state.0, 1.0)]).map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Outcome, A::Error> {
                let mut weights = Vec::new();
                while let Some((state, weight)) = map.next_entry::<State, f64>()? {
                    weights.push((state.0, weight));
                }
                Outcome::weighted(weights).map_err(de::Error::custom)
            }
        }
        from.deserialize_any(StateOrWeights)
    }
}

impl Policy {
    /// This one where it says something, else the one below.
    #[must_use]
    pub fn over(&self, below: &Policy) -> Policy {
        Policy {
            outcome: self.outcome.clone().or_else(|| below.outcome.clone()),
            enroute: self.enroute.clone().or_else(|| below.enroute.clone()),
            error: self.error.or(below.error),
            message_id: self.message_id.or(below.message_id),
            receipt: self.receipt.over(&below.receipt),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Policy::default()
    }
}

impl ReceiptPolicy {
    pub(crate) fn over(&self, below: &ReceiptPolicy) -> ReceiptPolicy {
        ReceiptPolicy {
            sent: self.sent.or(below.sent),
            delay: self.delay.clone().or_else(|| below.delay.clone()),
            times: self.times.or(below.times),
            state: self.state.or(below.state),
            message_id: self.message_id.or(below.message_id),
            form: self.form.or(below.form),
            dates: self.dates.or(below.dates),
            data_coding: self.data_coding.or(below.data_coding),
            carrier: self.carrier.or(below.carrier),
            session: self.session.or(below.session),
            before_response: self.before_response.or(below.before_response),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == ReceiptPolicy::default()
    }
}

/// How deliveries (receipts and mobile-originated messages) are offered again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// How long after a temporary error of the ESME's, or no answer. Default 5 s.
    pub delay: Time,
    /// How often it is offered in all, not counting sessions that ended before they answered. Default 100.
    pub attempts_max: u32,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { delay: Time(Duration::from_secs(5)), attempts_max: 100 }
    }
}

#[cfg(test)]
mod tests {
    //! Guards the layers, the draws of outcomes, and how both are read and written.

    use smpp_transport::env::Seed;

    use super::*;
    use crate::time::Delay;

    fn read(text: &str) -> Policy {
        serde_saphyr::from_str(text).expect(text)
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "{}",
            "{ outcome: DELIVERED }",
            "{ outcome: { DELIVERED: 90, undeliv: 9.5, ENROUTE: 0.5 }, enroute: exponential 1s, error: 9 }",
            "{ message_id: uuid, receipt: { sent: always, delay: 1s..2s, times: 2, state: UNKNOWN, form: tlvs } }",
            "{ receipt: { message_id: hexadecimal_upper, dates: long_year, data_coding: 8, carrier: data_sm } }",
            "{ receipt: { session: other, before_response: true } }",
        ] {
            let policy = read(text);
            let json = serde_json::to_string(&policy).expect("it can be written");
            assert_eq!(serde_json::from_str::<Policy>(&json).expect(&json), policy);
            let yaml = serde_saphyr::to_string(&policy).expect("it can be written");
            assert_eq!(read(&yaml), policy);
            assert_eq!(policy.is_default(), text == "{}");
        }
        assert_eq!(
            serde_json::to_string(&read("{ outcome: DELIVRD }")).expect("written"),
            r#"{"outcome":"DELIVERED"}"#
        );
    }

    #[test]
    fn what_is_no_policy_is_refused_in_words() {
        for (text, words) in [
            ("{ outcome: SCHEDULED }", "SCHEDULED is no outcome: a final state is wanted"),
            ("{ outcome: { DELIVERED: -1 } }", "the weight of DELIVERED is -1: 0 or more is allowed"),
            ("{ outcome: { DELIVERED: 0 } }", "no state has a weight above 0"),
            ("{ outcome: {} }", "no state has a weight above 0"),
            ("{ outcome: [DELIVERED] }", "a state such as DELIVERED, or weights such as"),
            ("{ receipt: { form: binary } }", "binary"),
            ("{ enroute: soon }", "\"soon\" is no time"),
            ("{ outcomes: DELIVERED }", "outcomes"),
        ] {
            let error = serde_saphyr::from_str::<Policy>(text).expect_err(text).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_the_layer_above_says_counts() {
        let above = read("{ outcome: EXPIRED, receipt: { times: 2 } }");
        let below = read("{ outcome: DELIVERED, enroute: 1s, receipt: { times: 3, form: text } }");
        let both = read("{ outcome: EXPIRED, enroute: 1s, receipt: { times: 2, form: text } }");
        assert_eq!(above.over(&below), both);
        assert_eq!(Policy::default().over(&below), below);
        assert_eq!(below.over(&Policy::default()), below);
    }

    /// A field that a layer forgets would be lost on the way.
    #[test]
    fn every_field_comes_through_both_layers() {
        let all = read(
            "{ outcome: EXPIRED, enroute: 1s, error: 9, message_id: uuid, receipt: { sent: always, delay: 1s, times: 2,
               state: UNKNOWN, message_id: uuid, form: text, dates: seconds, data_coding: 3, carrier: payload,
               session: any, before_response: true } }",
        );
        let json = serde_json::to_value(&all).expect("it can be written");
        let fields = |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
        assert_eq!((fields(&json), fields(&json["receipt"])), (5, 11), "all fields are said");
        assert_eq!(all.over(&Policy::default()), all);
        assert_eq!(Policy::default().over(&all), all);
    }

    #[test]
    fn outcomes_are_drawn_by_weight() {
        let mut rng = Seed(1).stream("outcomes", 0);
        let outcome = Outcome::weighted([
            (MessageState::DELIVERED, 90.0),
            (MessageState::UNDELIVERABLE, 10.0),
            (MessageState::REJECTED, 0.0),
        ])
        .expect("weights");
        let mut drawn = BTreeMap::new();
        (0..10_000).for_each(|_| *drawn.entry(outcome.draw(&mut rng)).or_insert(0) += 1);
        assert!((8_800..9_200).contains(&drawn[&MessageState::DELIVERED]), "{drawn:?}");
        assert!(!drawn.contains_key(&MessageState::REJECTED), "{drawn:?}");
        assert_eq!(Outcome::always(MessageState::EXPIRED).draw(&mut rng), MessageState::EXPIRED);
        assert_eq!(Delay::default(), Delay::NONE);
    }
}
