//! What messages and events pass on their way: vumi2's middlewares that are built in.

use crate::bus::{Event, Message};

/// One of them, and what passes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Middleware {
    /// What it does.
    pub does: Does,
    /// Whether messages from the SMSC pass.
    pub inbound: bool,
    /// Whether messages to the SMSC pass.
    pub outbound: bool,
    /// Whether events pass.
    pub events: bool,
}

/// What a middleware does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Does {
    /// Logs it, all of it, under this name.
    Log(tracing::Level, String),
    /// Writes other letters with those of ASCII: `é` becomes `e`. Events have no text.
    Unidecode,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Inbound,
    Outbound,
}

/// Takes a message past each of them, in their order.
pub(super) fn message(middlewares: &[Middleware], way: Way, message: &mut Message) {
    let passes = |middleware: &&Middleware| match way {
        Way::Inbound => middleware.inbound,
        Way::Outbound => middleware.outbound,
    };
    for middleware in middlewares.iter().filter(passes) {
        match &middleware.does {
            Does::Unidecode => message.content = message.content.take().map(|text| deunicode::deunicode(&text)),
            Does::Log(level, name) => log(*level, name, &format!("{way:?} {message:?}")),
        }
    }
}

/// Takes an event past each of them.
pub(super) fn event(middlewares: &[Middleware], event: &Event) {
    for middleware in middlewares.iter().filter(|middleware| middleware.events) {
        if let Does::Log(level, name) = &middleware.does {
            log(*level, name, &format!("Event {event:?}"));
        }
    }
}

/// The level of a line of `tracing` must be known when it is compiled.
fn log(level: tracing::Level, name: &str, words: &str) {
    match level {
        tracing::Level::ERROR => tracing::error!(name, "{words}"),
        tracing::Level::WARN => tracing::warn!(name, "{words}"),
        tracing::Level::INFO => tracing::info!(name, "{words}"),
        tracing::Level::DEBUG => tracing::debug!(name, "{words}"),
        tracing::Level::TRACE => tracing::trace!(name, "{words}"),
    }
}
