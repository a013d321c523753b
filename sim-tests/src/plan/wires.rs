//! What the wire does to the octets of both ends.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;

use super::brief::{brief, is_plain};
use super::{Profile, Switch};

/// What the wire does to what each side reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wires {
    /// The ESMEs' end.
    #[serde(serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub esme: Chop,
    /// The SMSC's end.
    #[serde(serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub smsc: Chop,
}

/// What one end of a wire does to octets. Chances are 0 to 1, drawn anew for each read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chop {
    /// The chance that a read brings only a few octets.
    pub short_read: f64,
    /// The chance that a write takes only a few octets.
    pub short_write: f64,
    /// The chance that a read goes on with what has come since, so that several writes arrive as one.
    pub glue: f64,
    /// The chance that the end does not read for a while after a read.
    pub stall: f64,
    /// How long it does not read then.
    pub stall_ms: u64,
    /// The chance that a connection is cut somewhere in its first octets.
    pub cut: f64,
    /// Within how many octets.
    pub cut_within: u64,
}

impl Wires {
    /// Whether connections are cut in the middle.
    #[must_use]
    pub fn is_cutting(&self) -> bool {
        self.esme.cut > 0.0 || self.smsc.cut > 0.0
    }

    pub(super) fn draw(streams: Seed, profile: Profile) -> Wires {
        Wires {
            esme: Chop::draw(&mut Switch::new(streams, "esme wire", profile)),
            smsc: Chop::draw(&mut Switch::new(streams, "smsc wire", profile)),
        }
    }
}

impl Chop {
    fn draw<R: Rng>(switch: &mut Switch<R>) -> Chop {
        let stall = switch.chance(0.2);
        let cut = switch.chance(0.2);
        Chop {
            short_read: switch.chance(0.9),
            short_write: switch.chance(0.5),
            glue: switch.chance(1.0),
            stall,
            stall_ms: if stall > 0.0 { switch.rng.random_range(1..150) } else { 0 },
            cut,
            cut_within: if cut > 0.0 { switch.rng.random_range(1..3_000) } else { 0 },
        }
    }
}
