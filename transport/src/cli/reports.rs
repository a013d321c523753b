//! Reports to Sentry: each line of the log at level ERROR is an event there, without secrets and without people.

use std::fmt::{self, Write as _};
use std::sync::{Arc, OnceLock};

use regex::{NoExpand, Regex};
use sentry::protocol::{Event, Level, Value};
use sentry::types::Dsn;
use sentry::{Client, ClientOptions, apply_defaults};
use smpp_transport::config::{Config, Secret};
use tokio_rustls::rustls::crypto::ring;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where whole messages are logged because somebody has asked for it: they are people's.
const NOT_REPORTED: &str = "smpp_transport::service::middleware";

/// Reports, on a thread of its own.
#[derive(Clone)]
pub(super) struct Sentry(Arc<Reporter>);

struct Reporter {
    client: Client,
    scrub: Scrub,
    transport_name: String,
}

impl Sentry {
    /// Where `sentry_dsn` says, if it does.
    ///
    /// # Errors
    /// In words, when it is no DSN.
    pub(super) fn of(config: &Config) -> Result<Option<Sentry>, String> {
        let Some(dsn) = &config.worker.sentry_dsn else { return Ok(None) };
        let shown = dsn.masked();
        let dsn: Dsn = dsn.reveal().parse().map_err(|error| {
            format!("sentry_dsn is {shown:?}: {error}; allowed is https://KEY@HOST/PROJECT as Sentry shows it")
        })?;
        // Fails when there is one already, which is as good.
        let _ = ring::default_provider().install_default();
        let mut options = ClientOptions::new().release(concat!("smpp-transport@", env!("CARGO_PKG_VERSION")));
        options.dsn = Some(dsn);
        options.default_integrations = false;
        options.send_default_pii = false;
        let reporter = Reporter {
            client: Client::from(apply_defaults(options)),
            scrub: Scrub::of(config),
            transport_name: config.worker.transport_name.clone(),
        };
        Ok(Some(Sentry(Arc::new(reporter))))
    }

    /// Waits until what is on its way has left, two seconds at most. Nothing is reported after it.
    pub(super) fn close(&self) {
        self.0.client.close(None);
    }

    /// What hears the log.
    pub(super) fn layer(&self) -> Reports {
        Reports(self.clone())
    }
}

/// Makes a report of each line that it hears.
pub(super) struct Reports(Sentry);

impl<S: tracing::Subscriber> Layer<S> for Reports {
    fn on_event(&self, line: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = line.metadata();
        if metadata.target() == NOT_REPORTED {
            return;
        }
        let Reporter { client, scrub, transport_name } = &*self.0.0;
        let mut words = Words::default();
        line.record(&mut words);
        let mut event = Event { level: Level::Error, message: Some(scrub.text(&words.message)), ..Event::default() };
        event.logger = Some(metadata.target().to_owned());
        event.tags.insert("transport_name".to_owned(), transport_name.clone());
        let extra = words.fields.iter().map(|(name, value)| (name.clone(), Value::from(scrub.text(value))));
        event.extra = extra.collect();
        client.capture_event(event, None);
    }
}

/// What a line says.
#[derive(Default)]
struct Words {
    message: String,
    fields: Vec<(String, String)>,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a text cannot fail.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name().to_owned(), format!("{value:?}")));
        }
    }
}

/// Takes out of texts what nobody else may read: the secrets of the configuration, and what may be somebody's number. Lines at
/// level ERROR should have neither; but they carry the words of others, such as of a broker.
struct Scrub {
    secrets: Vec<String>,
}

/// What stands for it.
const MASK: &str = "***";
/// A number of a person has at least so many digits.
const PERSON: &str = r"\d{7,}";

impl Scrub {
    fn of(config: &Config) -> Scrub {
        let given = [
            Some(&config.bind.password),
            Some(&config.bus.amqp.password),
            config.smsc.outbind.password.as_ref(),
            config.bus.amqp_url.as_ref(),
            config.stores.redis_url.as_ref(),
            config.worker.sentry_dsn.as_ref(),
        ];
        let mut secrets: Vec<String> =
            given.into_iter().flatten().map(in_it).filter(|secret| !secret.is_empty()).collect();
        // A secret may be within another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Scrub { secrets }
    }

    fn text(&self, text: &str) -> String {
        static PERSONS: OnceLock<Option<Regex>> = OnceLock::new();
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
        match PERSONS.get_or_init(|| Regex::new(PERSON).ok()) {
            Some(numbers) => numbers.replace_all(&text, NoExpand(MASK)).into_owned(),
            None => MASK.to_owned(),
        }
    }
}

/// Of a URL the password, or who asks if there is none; of anything else all.
fn in_it(secret: &Secret) -> String {
    let text = secret.reveal();
    let Some((_, rest)) = text.split_once("://") else { return text.to_owned() };
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.split_once(':').map_or(user, |(_, password)| password).to_owned()
}

#[cfg(test)]
mod tests {
    //! Guards that nothing of a secret or of a person is reported.

    use super::*;

    #[test]
    fn secrets_and_numbers_are_taken_out() {
        let mut config = Config::default();
        config.bind.password = Secret::new("s3cret");
        config.bus.amqp_url = Some(Secret::url("amqp://vumi:hunter22@broker/"));
        config.worker.sentry_dsn = Some(Secret::url("https://0a1b2c@sentry.example/4"));
        let scrub = Scrub::of(&config);
        for (text, reported) in [
            ("ACCESS_REFUSED for vumi:hunter22", "ACCESS_REFUSED for vumi:***"),
            ("bind of s3cret!", "bind of ***!"),
            ("0a1b2c", "***"),
            ("to +27820001001, 3 of 20, 123456", "to +***, 3 of 20, 123456"),
        ] {
            assert_eq!(scrub.text(text), reported);
        }
    }
}
