//! Long messages, whose parts an SMSC may treat as one message, and receipts in several parts.

use serde::{Deserialize, Serialize};

/// Ids of the parts of a long message. The simulator knows the parts by reference, account and addresses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartIds {
    /// An id each.
    #[default]
    Own,
    /// All have the id of the part that came first.
    Shared,
    /// Part 1 has an id, the others have an empty one.
    First,
    /// The last part has an id, the others have an empty one.
    Last,
}

/// Parts of a long message that have a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartReceipts {
    /// Each part.
    #[default]
    Each,
    /// Part 1 alone.
    First,
    /// The last part alone.
    Last,
    /// A single receipt for the whole, of the part that came first, once every part has ended.
    One,
}

/// A receipt in several parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Octets of the text in each part, 1 to 247. A receipt of more than 255 such parts goes whole.
    pub octets: u8,
    /// Means by which the parts are numbered. Default: udh8.
    #[serde(default)]
    pub by: SplitBy,
    /// Reference of the parts, of which udh8 takes the low octet. Default: another for each receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u16>,
}

/// Means by which the parts of a receipt are numbered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// A user data header with an 8-bit reference.
    #[default]
    Udh8,
    /// A user data header with a 16-bit reference.
    Udh16,
    /// The sar parameters. A peer that knows none gets a header.
    Sar,
}

impl Split {
    /// Octets that leave room for the longest header in short_message.
    const OCTETS_MAX: u8 = 247;

    pub(super) fn validate(self) -> Result<(), String> {
        if (1..=Split::OCTETS_MAX).contains(&self.octets) {
            return Ok(());
        }
        Err(format!("split.octets is {}: 1 to {} is allowed", self.octets, Split::OCTETS_MAX))
    }
}
