//! The two lists of the standard: the destinations of submit_multi, and those that its response says were not reached.

use std::fmt;

use super::string::COctets;
use super::value::{Npi, Ton};
use super::wire::{FaultKind, Printer, Reader, Wire, Writer};

/// A destination of submit_multi (§4.5.1.1), by its dest_flag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// dest_flag 1: an address.
    Address {
        /// Type of number.
        ton: Ton,
        /// Numbering plan.
        npi: Npi,
        /// The address.
        address: COctets<21>,
    },
    /// dest_flag 2: a distribution list of the SMSC's.
    List(COctets<21>),
}

/// The destinations of submit_multi, 1 to 254 (§5.2.24).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destinations(Vec<Destination>);

/// One destination, its address empty: there is no submit_multi without any.
impl Default for Destinations {
    fn default() -> Self {
        Destinations(vec![Destination::Address { ton: Ton::UNKNOWN, npi: Npi::UNKNOWN, address: COctets::default() }])
    }
}

/// A destination that a submit_multi did not reach (§4.5.2.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnsuccessSme {
    /// Type of number.
    pub dest_addr_ton: Ton,
    /// Numbering plan.
    pub dest_addr_npi: Npi,
    /// The address.
    pub destination_addr: COctets<21>,
    /// Why.
    pub error_status_code: super::CommandStatus,
}

/// The destinations that a submit_multi did not reach, at most 255.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unsuccessful(Vec<UnsuccessSme>);

/// More or fewer entries than a list may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{length} entries, {min} to {max} are allowed")]
pub struct ListError {
    /// Entries given.
    pub length: usize,
    /// Entries allowed, at least.
    pub min: usize,
    /// Entries allowed, at most.
    pub max: usize,
}

macro_rules! list {($( $name:ident of $entry:ty, $min:literal to $max:literal; )*) => {$(
    impl $name {
        /// Entries allowed, at least.
        pub const MIN: usize = $min;
        /// Entries allowed, at most.
        pub const MAX: usize = $max;

        /// A list of these entries.
        ///
        /// # Errors
        /// When there are fewer than [`MIN`](Self::MIN) or more than [`MAX`](Self::MAX).
        pub fn new(entries: Vec<$entry>) -> Result<Self, ListError> {
            let (length, min, max) = (entries.len(), Self::MIN, Self::MAX);
            if (min..=max).contains(&length) { Ok($name(entries)) } else { Err(ListError { length, min, max }) }
        }

        /// How many there are, as the octet before them says.
        fn count(&self) -> u8 { u8::try_from(self.0.len()).expect("a list has at most 255 entries") }
    }

    impl std::ops::Deref for $name {
        type Target = [$entry];
        fn deref(&self) -> &[$entry] { &self.0 }
    }
)*}}
list! { Destinations of Destination, 1 to 254; Unsuccessful of UnsuccessSme, 0 to 255; }

impl Wire for Destinations {
    fn read(r: &mut Reader<'_>, _name: &'static str) -> Self {
        let count = r.u8("number_of_dests");
        if count == 0 || count == 255 {
            r.fail(1, "number_of_dests", FaultKind::OutOfRange { value: count.into(), allowed: "1 to 254" });
        }
        let mut entries = Vec::new();
        while entries.len() < usize::from(count) && !r.has_failed() {
            entries.push(Destination::read(r, "dest_address"));
        }
        Destinations(entries)
    }
    fn octets(&self) -> usize {
        1 + self.0.iter().map(Wire::octets).sum::<usize>()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.count());
        self.0.iter().for_each(|entry| entry.write(w));
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{:?}", self.0)
    }
}

impl Wire for Destination {
    fn read(r: &mut Reader<'_>, _name: &'static str) -> Self {
        match r.u8("dest_flag") {
            2 => Destination::List(Wire::read(r, "dl_name")),
            flag => {
                if flag != 1 {
                    let (value, allowed) = (flag.into(), "1 (address) or 2 (list)");
                    r.fail(1, "dest_flag", FaultKind::OutOfRange { value, allowed });
                }
                Destination::Address {
                    ton: Wire::read(r, "dest_addr_ton"),
                    npi: Wire::read(r, "dest_addr_npi"),
                    address: Wire::read(r, "destination_addr"),
                }
            }
        }
    }
    fn octets(&self) -> usize {
        match self {
            Destination::Address { address, .. } => 3 + address.octets(),
            Destination::List(name) => 1 + name.octets(),
        }
    }
    fn write(&self, w: &mut Writer<'_>) {
        match self {
            Destination::Address { ton, npi, address } => {
                w.slice(&[1, ton.0, npi.0]);
                address.write(w);
            }
            Destination::List(name) => {
                w.u8(2);
                name.write(w);
            }
        }
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self:?}")
    }
}

impl Wire for Unsuccessful {
    fn read(r: &mut Reader<'_>, _name: &'static str) -> Self {
        let count = r.u8("no_unsuccess");
        let mut entries = Vec::new();
        while entries.len() < usize::from(count) && !r.has_failed() {
            if r.is_empty() && r.leniency().short_lists {
                break;
            }
            entries.push(UnsuccessSme::read(r, "unsuccess_sme"));
        }
        Unsuccessful(entries)
    }
    fn octets(&self) -> usize {
        1 + self.0.iter().map(Wire::octets).sum::<usize>()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.count());
        self.0.iter().for_each(|entry| entry.write(w));
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{:?}", self.0)
    }
}

impl Wire for UnsuccessSme {
    fn read(r: &mut Reader<'_>, _name: &'static str) -> Self {
        UnsuccessSme {
            dest_addr_ton: Wire::read(r, "dest_addr_ton"),
            dest_addr_npi: Wire::read(r, "dest_addr_npi"),
            destination_addr: Wire::read(r, "destination_addr"),
            error_status_code: super::CommandStatus(Wire::read(r, "error_status_code")),
        }
    }
    fn octets(&self) -> usize {
        6 + self.destination_addr.octets()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.slice(&[self.dest_addr_ton.0, self.dest_addr_npi.0]);
        self.destination_addr.write(w);
        w.u32(self.error_status_code.0);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self:?}")
    }
}
