//! Fates, ids, responses and receipts of accepted messages: data, in layers. A rule's policy goes before the account's, and that
//! before the simulator's; what none of them says is by the standard, at once and well. RULES.md describes each key.

mod encoding;
mod escape;
mod ids;
mod parts;
mod receipt;
mod response;
mod states;
mod template;
mod tlvs;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::MessageState;

use crate::time::{Delay, Time};
use crate::words::State;

pub use encoding::{Dates, Encoding};
pub use ids::{IdForm, IdPattern};
pub use parts::{PartIds, PartReceipts, Split, SplitBy};
pub use receipt::{Carrier, Further, ReceiptForm, ReceiptPolicy, Sent, Which};
pub use response::{ResponsePolicy, ResponseShape};
pub use states::{ByState, ReceiptCoding, StateNumber};
pub(crate) use template::Values;
pub use template::{PRESETS, Template};
pub use tlvs::{NetworkErrorCode, ReceiptTlv, TlvFault, TlvSetting};

/// Fate, ids, response and receipts of a message. Everything may be left to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Final state. Default: DELIVERED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Time that the message is ENROUTE before. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enroute: Option<Delay>,
    /// Error of the network, `err` in a receipt and error_code in a query_sm_resp. Default: 000 for DELIVERED and ACCEPTED,
    /// else 001.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u8>,
    /// Form of the id in the response. Default: decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<IdForm>,
    /// Ids of the parts of a long message. Default: own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_ids: Option<PartIds>,
    /// Shape of the response.
    #[serde(skip_serializing_if = "ResponsePolicy::is_default")]
    pub response: ResponsePolicy,
    /// Receipts.
    #[serde(skip_serializing_if = "ReceiptPolicy::is_default")]
    pub receipt: ReceiptPolicy,
}

/// Final state of messages: always the same, `DELIVERED`, or by weight, `{DELIVERED: 90, UNDELIVERABLE: 10}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome(BTreeMap<State, f64>);

impl Outcome {
    /// Returns the outcome that is always this state.
    #[must_use]
    pub fn always(state: MessageState) -> Outcome {
        Outcome(BTreeMap::from([(State(state), 1.0)]))
    }

    /// Returns an outcome of states by weight.
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

    /// Draws a state.
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
    /// Returns this policy where it says something, else the one below.
    #[must_use]
    pub fn over(&self, below: &Policy) -> Policy {
        Policy {
            outcome: self.outcome.clone().or_else(|| below.outcome.clone()),
            enroute: self.enroute.clone().or_else(|| below.enroute.clone()),
            error: self.error.or(below.error),
            message_id: self.message_id.as_ref().or(below.message_id.as_ref()).cloned(),
            part_ids: self.part_ids.or(below.part_ids),
            response: self.response.over(&below.response),
            receipt: self.receipt.over(&below.receipt),
        }
    }

    /// Returns `true` if nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Policy::default()
    }

    /// Checks everything that the types do not.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.response.validate()?;
        self.receipt.validate().map_err(|words| format!("receipt.{words}"))
    }
}

/// Retries of deliveries: receipts and mobile-originated messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Time between a temporary error of the ESME and the next attempt. Default: 5 s. Without an answer, attempts count from its timeout.
    pub delay: Time,
    /// Number of attempts in all, not counting sessions that ended before they answered. Default: 100.
    pub attempts_max: u32,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { delay: Time(Duration::from_secs(5)), attempts_max: 100 }
    }
}

#[cfg(test)]
mod tests;
