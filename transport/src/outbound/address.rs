//! Addresses of submit_sm: how the numbers and names of a message are written, and their TON and NPI.

use super::{Reject, SubmitOptions};
use crate::pdu::{COctets, Npi, Ton};
use crate::text::Charset;

/// Most digits of a short code.
const SHORT_CODE_MAX: usize = 8;

/// TON and NPI of an address. `None` chooses by the address: up to eight digits are a short code (3, 0), more digits or a `+`
/// are international (1, 1), an empty address is unknown (0, 0), and anything else is alphanumeric (5, 0) for a sender and
/// unknown (0, 0) for a destination.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Numbering {
    /// Type of number.
    pub ton: Option<Ton>,
    /// Numbering plan indicator.
    pub npi: Option<Npi>,
}

/// An address as it is sent.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) ton: Ton,
    pub(super) npi: Npi,
    pub(super) octets: COctets<21>,
}

/// End of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Sender,
    Destination,
}

impl Numbering {
    fn of(self, written: &str, side: Side) -> (Ton, Npi) {
        let digits = written.strip_prefix('+').unwrap_or(written);
        let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        let (ton, npi) = match is_number {
            false if written.is_empty() || side == Side::Destination => (Ton::UNKNOWN, Npi::UNKNOWN),
            false => (Ton::ALPHANUMERIC, Npi::UNKNOWN),
            true if digits.len() <= SHORT_CODE_MAX && digits.len() == written.len() => {
                (Ton::NETWORK_SPECIFIC, Npi::UNKNOWN)
            }
            true => (Ton::INTERNATIONAL, Npi::ISDN),
        };
        (self.ton.unwrap_or(ton), self.npi.unwrap_or(npi))
    }
}

/// Returns the sender: that of the message, or that of the configuration.
pub(super) fn sender(from_addr: &str, options: &SubmitOptions) -> Result<Address, Reject> {
    let own = options.sender.as_deref();
    let written = match own {
        Some(own) if options.replaces_sender || from_addr.is_empty() => own,
        _ => from_addr,
    };
    let plain = if written.starts_with('+') { plain_number(written) } else { None };
    let written = plain.as_deref().unwrap_or(written);
    let (ton, npi) = options.source.of(written, Side::Sender);
    let charset = if ton == Ton::ALPHANUMERIC { options.address_charset } else { Charset::Latin1 };
    Ok(Address { ton, npi, octets: octets("from_addr", written, charset, options)? })
}

/// Returns the destination. Blanks and punctuation of a written number are left out.
pub(super) fn destination(to_addr: &str, options: &SubmitOptions) -> Result<Address, Reject> {
    let plain = plain_number(to_addr);
    let written = plain.as_deref().unwrap_or(to_addr);
    let (ton, npi) = options.destination.of(written, Side::Destination);
    Ok(Address { ton, npi, octets: octets("to_addr", written, Charset::Latin1, options)? })
}

/// Returns the digits of a number as people write it, such as `+27 (82) 000-1001`, with the `+` if there is one. `None` for
/// anything else, and for a number that has digits only.
fn plain_number(written: &str) -> Option<String> {
    let is_separator =
        |character: char| character.is_whitespace() || "-.()/\u{2010}\u{2011}\u{2013}".contains(character);
    let trimmed = written.trim();
    let (plus, rest) = match trimmed.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", trimmed),
    };
    let is_number = rest.chars().all(|character| character.is_ascii_digit() || is_separator(character))
        && rest.contains(|character: char| character.is_ascii_digit());
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (is_number && digits.len() + plus.len() < written.len()).then(|| format!("{plus}{digits}"))
}

fn octets(field: &str, address: &str, charset: Charset, options: &SubmitOptions) -> Result<COctets<21>, Reject> {
    let sent = if options.strip_plus { address.strip_prefix('+').unwrap_or(address) } else { address };
    let octets = match charset {
        Charset::Latin1 => latin1(sent)
            .ok_or_else(|| Reject(format!("{field}: {address:?} has characters that are not in Latin-1")))?,
        charset => charset.encode(sent).map_err(|error| Reject(format!("{field}: {address:?}: {error}")))?,
    };
    if let Some(at) = octets.iter().position(|octet| *octet == 0) {
        return Err(Reject(format!(
            "{field}: {address:?}: the character at index {at} would end the address (octet 0)"
        )));
    }
    let (length, max) = (octets.len(), options.address_max);
    COctets::with_max(octets, usize::from(max))
        .map_err(|_| Reject(format!("{field}: {address:?} has {length} characters, allowed are {max}")))
}

fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

#[cfg(test)]
mod tests {
    //! Guards how written numbers and names become addresses.

    use super::*;

    fn auto() -> SubmitOptions {
        SubmitOptions { source: Numbering::default(), destination: Numbering::default(), ..SubmitOptions::default() }
    }

    fn shown(address: Result<Address, Reject>) -> (u8, u8, String) {
        let Address { ton, npi, octets } = address.unwrap();
        (ton.0, npi.0, octets.to_string())
    }

    #[test]
    fn a_written_number_is_a_number() {
        for written in [
            "+27 82 000 1001",
            "+27820001001",
            " +27820001001 ",
            "+27-82-000-1001",
            "+27 (82) 000-1001",
            "+27.82.000.1001",
            "+27\u{a0}82\u{202f}000\u{2009}1001",
            "+27\t820001001",
            "+27 82/000/1001",
            "+27\u{2011}82\u{2013}000\u{2010}1001",
            "+ 27820001001",
        ] {
            assert_eq!(shown(destination(written, &auto())), (1, 1, "+27820001001".to_owned()), "{written:?}");
            if !written.starts_with(' ') {
                assert_eq!(shown(sender(written, &auto())), (1, 1, "+27820001001".to_owned()), "{written:?}");
            }
        }
        assert_eq!(shown(destination("27 82 000 1001", &auto())), (1, 1, "27820001001".to_owned()));
        assert_eq!(shown(destination("12-34", &auto())), (3, 0, "1234".to_owned()));
        let strips = SubmitOptions { strip_plus: true, ..auto() };
        assert_eq!(shown(destination("+27 82 000 1001", &strips)), (1, 1, "27820001001".to_owned()));
    }

    #[test]
    fn a_name_keeps_its_blanks_and_a_destination_is_never_alphanumeric() {
        for (name, ton) in [("My Shop 24", 5), ("Shop-24", 5), ("+Plus", 5), ("24 7", 5), ("+", 5), ("", 0), (" ", 5)] {
            assert_eq!(shown(sender(name, &auto())), (ton, 0, name.to_owned()), "{name:?}");
        }
        for name in ["Shop", "+27x", "+", "-", ""] {
            assert_eq!(shown(destination(name, &auto())), (0, 0, name.to_owned()), "{name:?}");
        }
    }

    #[test]
    fn given_ton_and_npi_count_before_the_look_of_an_address() {
        let fixed = Numbering { ton: Some(Ton(2)), npi: Some(Npi(8)) };
        let options = SubmitOptions { source: fixed, destination: fixed, ..auto() };
        for written in ["", "Shop", "1001", "+27 82 000 1001"] {
            let (ton, npi, _) = shown(sender(written, &options));
            assert_eq!((ton, npi), (2, 8), "{written}");
            let (ton, npi, _) = shown(destination(written, &options));
            assert_eq!((ton, npi), (2, 8), "{written}");
        }
    }

    #[test]
    fn an_address_has_as_many_characters_as_are_allowed_and_no_more() {
        for max in [1, 11, 20, 21, 22, 30, 64] {
            let options = SubmitOptions { address_max: max, ..auto() };
            let fits = "A".repeat(max.into());
            assert_eq!(shown(sender(&fits, &options)).2, fits);
            assert_eq!(shown(destination(&fits, &options)).2, fits);
            let words = sender(&(fits.clone() + "A"), &options).unwrap_err().0;
            assert!(words.ends_with(&format!("has {} characters, allowed are {max}", max + 1)), "{words}");
            let words = destination(&(fits + "A"), &options).unwrap_err().0;
            assert!(words.starts_with("to_addr") && words.ends_with(&format!("allowed are {max}")), "{words}");
        }
    }

    #[test]
    fn the_sender_of_the_configuration_stands_in_or_replaces() {
        let options = SubmitOptions { sender: Some("MyShop".to_owned()), ..auto() };
        assert_eq!(shown(sender("", &options)), (5, 0, "MyShop".to_owned()));
        assert_eq!(shown(sender("1001", &options)), (3, 0, "1001".to_owned()));
        let replaces = SubmitOptions { replaces_sender: true, ..options };
        assert_eq!(shown(sender("1001", &replaces)), (5, 0, "MyShop".to_owned()));
        let none = SubmitOptions { replaces_sender: true, ..auto() };
        assert_eq!(shown(sender("1001", &none)), (3, 0, "1001".to_owned()));
    }

    #[test]
    fn an_alphanumeric_sender_is_written_in_its_charset() {
        let with = |address_charset| SubmitOptions { address_charset, ..auto() };
        assert_eq!(sender("a_b$é", &with(Charset::GSM7)).unwrap().octets.as_bytes(), b"a\x11b\x02\x05");
        assert_eq!(sender("a_b$é", &with(Charset::Latin1)).unwrap().octets.as_bytes(), b"a_b$\xe9");
        assert_eq!(sender("é", &with(Charset::Utf8)).unwrap().octets.as_bytes(), "é".as_bytes());
        let words = sender("me@shop", &with(Charset::GSM7)).unwrap_err().0;
        assert!(words.contains("index 2 would end the address"), "{words}");
        assert!(sender("é", &with(Charset::Ascii)).unwrap_err().0.starts_with("from_addr: \"é\": "));
        assert_eq!(shown(sender("1001", &with(Charset::GSM7))), (3, 0, "1001".to_owned()));
        assert_eq!(
            sender("ж", &with(Charset::Latin1)).unwrap_err().0,
            "from_addr: \"ж\" has characters that are not in Latin-1"
        );
    }
}
