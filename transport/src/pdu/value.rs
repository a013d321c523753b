//! One-octet values with meaning (§5.2). Every number is kept as it came; the names are a view of it.

names! {
    /// Type of number (§5.2.5).
    Ton: u8 {
        UNKNOWN = 0, INTERNATIONAL = 1, NATIONAL = 2, NETWORK_SPECIFIC = 3, SUBSCRIBER = 4, ALPHANUMERIC = 5, ABBREVIATED = 6,
    }
    /// Numbering plan indicator (§5.2.6).
    Npi: u8 {
        UNKNOWN = 0, ISDN = 1, DATA = 3, TELEX = 4, LAND_MOBILE = 6, NATIONAL = 8, PRIVATE = 9, ERMES = 10, INTERNET = 14,
        WAP_CLIENT_ID = 18,
    }
    /// `interface_version` (§5.2.4).
    InterfaceVersion: u8 {
        V3_3 = 0x33, V3_4 = 0x34, V5_0 = 0x50,
    }
    /// `esm_class` (§5.2.12): mode in bits 1-0, type in bits 5-2, GSM features in bits 7-6.
    EsmClass: u8 {
        DEFAULT = 0, RECEIPT = 0x04, DELIVERY_ACK = 0x08, MANUAL_ACK = 0x10, CONVERSATION_ABORT = 0x18, INTERMEDIATE = 0x20,
        UDHI = 0x40, REPLY_PATH = 0x80,
    }
    /// `registered_delivery` (§5.2.17): SMSC receipt in bits 1-0, SME acknowledgements in bits 3-2, intermediate
    /// notification in bit 4.
    RegisteredDelivery: u8 {
        NONE = 0, FINAL = 1, FAILURE = 2, INTERMEDIATE = 0x10,
    }
    /// `data_coding` (§5.2.19).
    DataCoding: u8 {
        DEFAULT = 0, IA5 = 1, OCTETS = 2, LATIN1 = 3, OCTETS_8BIT = 4, JIS = 5, CYRILLIC = 6, HEBREW = 7, UCS2 = 8, PICTOGRAM = 9,
        ISO_2022_JP = 10, EXTENDED_KANJI = 13, KS_C_5601 = 14,
    }
    /// `message_state` (§5.2.28), with SCHEDULED and SKIPPED of SMPP 5.0.
    MessageState: u8 {
        SCHEDULED = 0, ENROUTE = 1, DELIVERED = 2, EXPIRED = 3, DELETED = 4, UNDELIVERABLE = 5, ACCEPTED = 6, UNKNOWN = 7,
        REJECTED = 8, SKIPPED = 9,
    }
}

impl InterfaceVersion {
    /// 34 in decimal: sent by peers who meant 3.4.
    pub const DECIMAL_34: InterfaceVersion = InterfaceVersion(0x22);

    /// Whether the peer may be sent optional parameters and ids of more than 8 characters (§3.4): 3.4 and later, and
    /// 0x22, by which peers mean 3.4.
    #[must_use]
    pub const fn knows_tlvs(self) -> bool {
        self.0 >= 0x34 || self.0 == Self::DECIMAL_34.0
    }
}

impl EsmClass {
    /// An SMSC delivery receipt (type 0x04). The mask matters: 0x0C and 0x14 share the bit and are none.
    #[must_use]
    pub const fn is_receipt(self) -> bool {
        self.0 & 0x3C == 0x04
    }
    /// An intermediate notification (type 0x20).
    #[must_use]
    pub const fn is_intermediate(self) -> bool {
        self.0 & 0x3C == 0x20
    }
    /// The user data starts with a header (UDHI).
    #[must_use]
    pub const fn has_udh(self) -> bool {
        self.0 & 0x40 != 0
    }
}

impl RegisteredDelivery {
    /// A receipt is wanted when the message ends well.
    #[must_use]
    pub const fn wants_success(self) -> bool {
        self.0 & 0x03 == 1
    }
    /// A receipt is wanted when the message ends badly.
    #[must_use]
    pub const fn wants_failure(self) -> bool {
        matches!(self.0 & 0x03, 1 | 2)
    }
    /// Intermediate notifications are wanted. The text calls it bit 5; the picture, and everyone, has mask 0x10.
    #[must_use]
    pub const fn wants_intermediate(self) -> bool {
        self.0 & 0x10 != 0
    }
}

impl MessageState {
    /// Whether no other state follows. ACCEPTED is final by the letter; some operators send it before DELIVERED.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, MessageState::SCHEDULED | MessageState::ENROUTE)
    }
}
