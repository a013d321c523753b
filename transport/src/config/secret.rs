//! What nobody may read in a log.

use std::fmt;

/// A text that is shown as `***`: in debug output, by `smpp-transport config` and in errors.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret {
    text: String,
    /// Whether most of it may be shown.
    is_url: bool,
}

/// What stands for a secret.
pub(crate) const MASK: &str = "***";

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret { text: text.into(), is_url: false }
    }

    /// Hides who asks, and with which password, in a URL.
    #[must_use]
    pub fn url(text: impl Into<String>) -> Secret {
        Secret { text: text.into(), is_url: true }
    }

    /// The text itself, for the one who must send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What may be shown: of a URL, all but who asks and with which password; of anything else nothing.
    #[must_use]
    pub fn masked(&self) -> String {
        let Some((scheme, rest)) = self.text.split_once("://").filter(|_| self.is_url) else { return MASK.to_owned() };
        // The last one: a password may hold an `@` that should have been escaped.
        let shown = match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{MASK}@{host}"),
            None => self.text.clone(),
        };
        match shown.split_once(['?', '#']) {
            Some((before, _)) => format!("{before}?{MASK}"),
            None => shown,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    //! Guards that nothing of a secret is shown.

    use super::*;

    #[test]
    fn only_the_place_that_a_url_names_is_shown() {
        for (text, shown) in [
            ("pass", "***"),
            ("amqp://guest:s3cret@broker:5672/%2F", "amqp://***@broker:5672/%2F"),
            ("amqp://guest:s3/cr@t@broker/", "amqp://***@broker/"),
            ("amqp://broker/", "amqp://broker/"),
            ("rediss://h:1/0?password=s3cret", "rediss://h:1/0?***"),
            ("amqp://u:p?x@broker/", "amqp://***@broker/"),
        ] {
            assert_eq!(Secret::url(text).masked(), shown, "{text}");
            assert_eq!(format!("{:?}", Secret::url(text)), shown);
            assert_eq!(Secret::new(text).masked(), "***", "{text}");
        }
    }
}
