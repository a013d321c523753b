//! Guards that secrets and people stay out of logs: passwords are logged at no level, and numbers and texts at no level that is
//! usually on.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use sim_tests::app::{PASSWORD, destination, own_source, shared_destination};
use sim_tests::plan::{Plan, Profile};
use sim_tests::transport::{content, handset, handset_text};
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::json::hex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// All that was logged: at which level, and its fields.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<(Level, String)>>>);

impl Logged {
    fn note(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Words)) {
        let mut words = Words(format!("{}: ", metadata.target()));
        record(&mut words);
        self.0.lock().unwrap().push((*metadata.level(), words.0));
    }

    /// Of a run in which everything goes wrong that can. It is all on one thread.
    fn of(plan: &Plan) -> Vec<(Level, String)> {
        let logged = Logged::default();
        let subscriber = tracing_subscriber::registry().with(logged.clone());
        tracing::subscriber::with_default(subscriber, || run(plan, Tier::Fast)).unwrap();
        std::mem::take(&mut *logged.0.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Logged {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.note(span.metadata(), |words| span.record(words));
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let metadata = context.metadata(span).expect("it is there while something is recorded of it");
        self.note(metadata, |words| values.record(words));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.note(event.metadata(), |words| event.record(words));
    }
}

/// Fields as text.
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

/// With transports, and faults of all kinds.
fn plans() -> impl Iterator<Item = Plan> {
    let all = (0..).map(|seed| Plan::draw(seed, Some(Profile::All)));
    all.filter(|plan| !plan.transports.is_empty()).take(40)
}

/// The numbers of people. Those of applications have four digits, as much else has.
fn numbers(plan: &Plan) -> Vec<String> {
    let mut numbers = Vec::new();
    for owner in plan.owners() {
        let (messages, handsets) = match plan.transport(owner) {
            Some(transport) => (transport.messages.iter().map(|text| text.to).collect(), transport.handsets.len()),
            None => (vec![None; plan.clients[owner].messages.len()], 0),
        };
        for (message, to) in messages.into_iter().enumerate() {
            numbers.extend([destination(owner, message), own_source(owner, message)]);
            numbers.extend(to.map(|shared| shared_destination(owner, shared)));
        }
        numbers.extend((0..handsets).map(|number| handset(owner, number)));
    }
    numbers
}

/// How texts begin: what says whose it is, and some of what follows; those of clients are all the same.
fn texts(plan: &Plan) -> Vec<String> {
    let mut texts = vec!["abcdefghijkl".to_owned()];
    for owner in plan.owners() {
        let Some(transport) = plan.transport(owner) else { continue };
        texts.extend((0..transport.messages.len()).filter_map(|message| content(plan, owner, message)));
        texts.extend((0..transport.handsets.len()).filter_map(|number| handset_text(plan, owner, number)));
    }
    texts.iter().map(|text| text.chars().take(12).collect()).collect()
}

/// Whether a text says this, in letters or as octets.
fn says(words: &str, secret: &str) -> bool {
    words.contains(secret) || words.to_lowercase().contains(&hex(secret.as_bytes()).to_lowercase())
}

/// Whether it has this number: not as a part of another.
fn has(words: &str, number: &str) -> bool {
    let is_free = |neighbour: Option<char>| neighbour.is_none_or(|it| !it.is_ascii_alphanumeric());
    words
        .match_indices(number)
        .any(|(at, _)| is_free(words[..at].chars().next_back()) && is_free(words[at + number.len()..].chars().next()))
}

#[test]
fn passwords_are_logged_at_no_level() {
    for plan in plans() {
        for (level, words) in Logged::of(&plan) {
            // The password of these runs is the name of its field, too.
            let words = words.replace("password=***", "");
            assert!(!says(&words, PASSWORD), "seed {}: {level} {words}", plan.seed);
        }
    }
}

#[test]
fn numbers_and_texts_of_people_are_logged_for_debugging_only() {
    let mut usual = 0;
    for plan in plans() {
        let (numbers, texts) = (numbers(&plan), texts(&plan));
        for (level, words) in Logged::of(&plan).into_iter().filter(|(level, _)| *level <= Level::INFO) {
            let number = numbers.iter().find(|number| has(&words, number));
            let text = texts.iter().find(|text| says(&words, text));
            assert_eq!((number, text), (None, None), "seed {}: {level} {words}", plan.seed);
            usual += 1;
        }
    }
    assert!(usual > 1_000, "{usual} lines: faults make many more");
}
