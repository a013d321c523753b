//! The facts of a run as events between lanes: each frame once, with both of its ends, and every other fact in words.

use serde::Serialize;
use serde_json::{Value, json};
use smpp_transport::bus::Route;
use smpp_transport::pdu::{CommandStatus, Pdu};

use super::frames::passages;
use super::lanes::{Connection, Lanes};
use super::pdus::{self, Talk, either};
use crate::history::{End, History, Outcome, What};
use crate::plan::Plan;

/// Something that is seen. Times are places among the facts.
#[derive(Serialize)]
pub(super) struct Event {
    /// `pdu`, `bus`, `line`, `session`, `message`, `life`, `fault`, `smsc`, `rest`.
    pub(super) kind: &'static str,
    pub(super) at: usize,
    /// In which lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<usize>,
    /// To which lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) side: Option<End>,
    /// Whether a frame was written at `at`, not only read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<usize>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// Whether it is nothing that one hopes for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) bad: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// Which event it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answers: Option<usize>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) detail: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) hex: String,
    #[serde(skip)]
    pub(super) pdu: Option<Pdu>,
}

impl Event {
    pub(super) fn new(kind: &'static str) -> Event {
        Event {
            kind,
            at: 0,
            from: None,
            to: None,
            line: None,
            side: None,
            written: false,
            read: None,
            name: String::new(),
            sequence: None,
            status: None,
            bad: false,
            message: None,
            answers: None,
            words: String::new(),
            text: None,
            detail: Value::Null,
            hex: String::new(),
            pdu: None,
        }
    }
}

/// All events in the order of the facts, and the ids that the SMSC gave to each message.
pub(super) fn events(plan: &Plan, history: &History, lanes: &Lanes, connections: &[Connection]) -> (Vec<Event>, Talk) {
    let frames = passages(history).into_iter().map(|passage| pdus::event(passage, lanes, connections));
    let others = history.facts.iter().enumerate().filter_map(|(at, fact)| {
        let event = mark(&fact.what, plan, lanes, connections)?;
        Some(Event { at, ..event })
    });
    let mut events: Vec<Event> = frames.chain(others).collect();
    events.sort_by_key(|event| event.at);
    let mut talk = Talk::default();
    (0..events.len()).for_each(|number| talk.hear(number, &mut events));
    (events, talk)
}

fn named(owner: usize, message: usize) -> Option<String> {
    Some(format!("{owner}-{message}"))
}

/// A fact that is no frame.
fn mark(what: &What, plan: &Plan, lanes: &Lanes, connections: &[Connection]) -> Option<Event> {
    let event = match what {
        What::Passed { .. } => return None,
        What::Connected { line, client, process, .. } => {
            let from = process.map_or_else(|| lanes.client(*client), |process| lanes.process(process));
            Event { from, line: Some(*line), name: "connected".to_owned(), ..Event::new("line") }
        }
        What::Hung { line, end, how } => {
            let connection = connections.iter().find(|it| it.line == *line);
            let from = connection.and_then(|it| if *end == End::Smsc { Some(it.smsc) } else { it.lane });
            let name = format!("hung up: {how:?}").to_lowercase();
            Event { from, line: Some(*line), side: Some(*end), name, ..Event::new("line") }
        }
        What::Bound { client } => {
            Event { from: lanes.client(*client), name: "bound".to_owned(), ..Event::new("session") }
        }
        What::Ended { client } => {
            Event { from: lanes.client(*client), name: "session ended".to_owned(), ..Event::new("session") }
        }
        What::Submitting { .. } | What::Outcome { .. } | What::Delivered { .. } => message(what, lanes),
        What::Peace { smsc } => Event { from: Some(lanes.smsc(*smsc)), name: "peace".to_owned(), ..Event::new("smsc") },
        What::Account { smsc, killed, messages, .. } => {
            let words = format!("{} messages accepted", messages.len());
            let kept = messages.iter().map(|kept| (kept.id.clone(), format!("{kept:?}").into())).collect();
            let name = if *killed { "killed" } else { "account" };
            Event {
                from: Some(lanes.smsc(*smsc)),
                name: name.to_owned(),
                words,
                detail: Value::Object(kept),
                ..Event::new("smsc")
            }
        }
        What::Sent { smsc, owner, handset } => Event {
            from: Some(lanes.smsc(*smsc)),
            name: "handset sends".to_owned(),
            message: Some(format!("{owner}<{handset}")),
            text: crate::transport::handset_text(plan, *owner, *handset),
            ..Event::new("smsc")
        },
        What::Started { .. } | What::Died { .. } | What::Stopped { .. } => life(what, lanes),
        What::Fault { fault, ends } => {
            let kind = serde_json::to_value(plan.faults[*fault].kind).unwrap_or_default();
            let name = format!("fault {fault} {}", if *ends { "ends" } else { "begins" });
            let detail = json!(plan.faults[*fault]);
            Event { name, words: kind.to_string().replace(['"', '{', '}'], ""), detail, ..Event::new("fault") }
        }
        What::Restless { what } => {
            Event { name: "not at rest".to_owned(), words: what.clone(), bad: true, ..Event::new("rest") }
        }
        What::Put { .. } | What::Taken { .. } | What::Settled { .. } | What::Published { .. } | What::OnBus { .. } => {
            bus(what, plan, lanes)
        }
    };
    Some(event)
}

fn message(what: &What, lanes: &Lanes) -> Event {
    match what {
        What::Submitting { client, message } => Event {
            from: lanes.client(*client),
            name: "submits".to_owned(),
            message: named(*client, *message),
            ..Event::new("message")
        },
        What::Outcome { client, message, outcome } => {
            let (name, words) = match outcome {
                Outcome::Accepted(id) if id.is_empty() => ("accepted", "without an id".to_owned()),
                Outcome::Accepted(id) => ("accepted", format!("id {id}")),
                Outcome::Refused(status) => ("refused", CommandStatus(*status).to_string()),
                Outcome::Expired => ("expired", String::new()),
                Outcome::Lost => ("lost", String::new()),
            };
            let bad = !matches!(outcome, Outcome::Accepted(_));
            let message = named(*client, *message);
            Event { from: lanes.client(*client), name: name.to_owned(), message, words, bad, ..Event::new("message") }
        }
        What::Delivered { client, from, status } => Event {
            from: lanes.client(*client),
            name: "is delivered".to_owned(),
            message: either(from),
            words: if *status == 0 { String::new() } else { format!("refuses: {}", CommandStatus(*status)) },
            bad: *status != 0,
            ..Event::new("message")
        },
        _ => Event::new("message"),
    }
}

fn life(what: &What, lanes: &Lanes) -> Event {
    let (process, name, words) = match what {
        What::Started { process, .. } => (*process, "starts", String::new()),
        What::Died { process, is_cut: true } => (*process, "loses power", String::new()),
        What::Died { process, .. } => (*process, "is killed", String::new()),
        What::Stopped { process, took } => (*process, "has stopped", format!("took {took:?}")),
        _ => return Event::new("life"),
    };
    Event { from: lanes.process(process), name: name.to_owned(), words, ..Event::new("life") }
}

fn bus(what: &What, plan: &Plan, lanes: &Lanes) -> Event {
    let with = |process: usize| (lanes.bus_of(plan, process), lanes.process(process));
    let of = |message: &Option<(usize, usize)>| message.and_then(|(owner, message)| named(owner, message));
    match what {
        What::Put { owner, message, is_stored } => Event {
            from: lanes.bus(*owner),
            name: if *is_stored { "put" } else { "being put" }.to_owned(),
            message: named(*owner, *message),
            text: crate::transport::content(plan, *owner, *message),
            ..Event::new("bus")
        },
        What::Taken { process, message, redelivered } => {
            let (from, to) = with(*process);
            let name = if *redelivered { "taken again" } else { "taken" };
            Event { from, to, name: name.to_owned(), message: of(message), ..Event::new("bus") }
        }
        What::Settled { process, message, acked } => {
            let (to, from) = with(*process);
            let name = if *acked { "acknowledged" } else { "given back" };
            Event { from, to, name: name.to_owned(), message: of(message), bad: !acked, ..Event::new("bus") }
        }
        What::Published { process, route, body } => {
            let (to, from) = with(*process);
            Event { from, to, ..published(*route, body) }
        }
        What::OnBus { owner, published } => Event {
            from: lanes.bus(*owner),
            name: "found at the end".to_owned(),
            words: format!("{} published", published.len()),
            ..Event::new("bus")
        },
        _ => Event::new("bus"),
    }
}

/// What a process tells, by its route.
fn published(route: Route, body: &[u8]) -> Event {
    let detail: Value = serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into());
    let text = |key: &str| detail[key].as_str().unwrap_or_default().to_owned();
    let (name, message, words, bad) = match route {
        Route::Event => {
            let of = Some(text("user_message_id")).filter(|of| !of.is_empty());
            let name = text("event_type");
            let words = [text("nack_reason"), text("delivery_status")].concat();
            let bad = name == "nack";
            (format!("event {name}"), of, words, bad)
        }
        Route::Inbound => ("inbound".to_owned(), either(&text("from_addr")), String::new(), false),
        Route::Status => ("status".to_owned(), None, text("status"), false),
        Route::Failed => ("failed".to_owned(), None, String::new(), true),
    };
    let content = detail["content"].as_str().map(str::to_owned);
    Event { name, message, words, bad, text: content, detail, ..Event::new("bus") }
}
