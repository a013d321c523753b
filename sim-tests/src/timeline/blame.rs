//! Which event a violation speaks of. An oracle says when and in words; the words name connections, numbers and messages.

use serde::Serialize;

use super::events::Event;
use super::lanes::Lanes;
use crate::history::{End, History};
use crate::oracle::Violation;

/// A violation, and where to look.
#[derive(Serialize)]
pub(super) struct Blame {
    oracle: &'static str,
    words: String,
    /// Microseconds.
    t: u64,
    /// The fact that it speaks of, or the one that is nearest in time: the first of that time, or the last before.
    at: usize,
    /// The event that it speaks of, if there is one of its time.
    pub(super) event: Option<usize>,
    pub(super) message: Option<String>,
}

pub(super) fn blame(violation: &Violation, history: &History, lanes: &Lanes, events: &[Event]) -> Blame {
    let words = &violation.words;
    let is_then = |place: usize| history.facts.get(place).is_some_and(|fact| fact.at == violation.at);
    let then = events.iter().enumerate().filter(|(_, it)| is_then(it.at) || it.read.is_some_and(is_then));
    // The first of those that say most.
    let best = then
        .map(|(number, it)| (2 * score(it, violation, lanes) + u32::from(is_then(it.at)), number))
        .max_by_key(|(score, number)| (*score, usize::MAX - number));
    let event = best.map(|(_, number)| number);
    let place = event.map(|number| &events[number]).and_then(|it| if is_then(it.at) { Some(it.at) } else { it.read });
    let before = history.facts.partition_point(|fact| fact.at < violation.at);
    let first = history.facts.get(before).is_some_and(|fact| fact.at == violation.at);
    Blame {
        oracle: violation.oracle,
        words: words.clone(),
        t: super::micros(violation.at),
        at: place.unwrap_or(if first { before } else { before.saturating_sub(1) }),
        event,
        message: message_in(words).or_else(|| events[event?].message.clone()),
    }
}

/// How much an event has to do with a violation.
fn score(event: &Event, violation: &Violation, lanes: &Lanes) -> u32 {
    let words = &violation.words;
    // What each oracle speaks of, most of all.
    let kind = match violation.oracle {
        "outcomes" => "message",
        "shutdown" => "life",
        "durable" => "bus",
        "outbound" | "reports" | "inbound" if !words.contains("was sent again") => "bus",
        _ => "pdu",
    };
    let mut score = u32::from(event.kind == kind);
    if let Some(lane) = number_after(words, "client").and_then(|client| lanes.client(client)) {
        score += 2 * u32::from(event.from == Some(lane) || event.to == Some(lane));
    }
    if let Some(line) = event.line {
        let end = if event.side == Some(End::Smsc) { "Smsc" } else { "Esme" };
        let line = format!("line {line}");
        score += 2 * u32::from(has(words, &line)) + u32::from(has(words, &format!("{line} {end}")));
    }
    if let Some(sequence) = event.sequence {
        score += 2 * u32::from(has(words, &format!("seq={sequence}"))) + u32::from(has(words, &event.name));
    }
    if let Some(message) = &event.message {
        score += 2 * u32::from(message_in(words).as_ref() == Some(message));
    }
    score + 6 * u32::from(event.kind == "rest" && words.contains(&event.words))
}

/// Whether a word or several are in a text, not as a part of longer ones.
fn has(text: &str, wanted: &str) -> bool {
    let is_in_word = |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    text.match_indices(wanted).any(|(at, _)| {
        !is_in_word(text[..at].chars().next_back()) && !is_in_word(text[at + wanted.len()..].chars().next())
    })
}

/// The number that follows this word.
fn number_after(words: &str, word: &str) -> Option<usize> {
    let mut tokens = words.split(|it: char| !it.is_alphanumeric());
    tokens.find(|token| *token == word)?;
    tokens.next()?.parse().ok()
}

/// The message that a violation names: `message 3 of 0`, `client 0 message 3`.
fn message_in(words: &str) -> Option<String> {
    let tokens: Vec<&str> = words.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let number = |at: usize| tokens.get(at)?.parse::<u64>().ok();
    let named = tokens.iter().enumerate().find_map(|(at, token)| match (*token, tokens.get(at + 2).copied()) {
        ("message", Some("of")) => Some((number(at + 3)?, number(at + 1)?)),
        ("client", Some("message")) => Some((number(at + 1)?, number(at + 3)?)),
        _ => None,
    });
    named.map(|(owner, message)| format!("{owner}-{message}"))
}
