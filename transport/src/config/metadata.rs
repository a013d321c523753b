//! Documentation of `transport_metadata.smpp`, for the reference page.

use std::fmt::Write as _;

/// Settings that a message to the SMSC may bring, each with its meaning.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("data_coding", "Coding of the text: a name as in `submit.data_coding`, `auto`, or a number from 0 to 255."),
    ("multipart_handling", "Form of a long text: a name as in `submit.multipart_handling`."),
    ("service_type", "`service_type`: ASCII text of 5 characters at most."),
    (
        "source_addr_ton",
        "Type of number of the sender: a name as in `submit.source_addr_ton`, or a number from 0 to 255.",
    ),
    (
        "source_addr_npi",
        "Numbering plan of the sender: a name as in `submit.source_addr_npi`, or a number from 0 to 255.",
    ),
    ("dest_addr_ton", "Type of number of the recipient, as for the sender."),
    ("dest_addr_npi", "Numbering plan of the recipient, as for the sender."),
    ("registered_delivery", "`registered_delivery`: a number from 0 to 31."),
    ("validity_period", "Time after which the SMSC gives up: seconds, 0 for none, or a time in SMPP's format."),
    ("schedule_delivery_time", "Time at which the SMSC delivers: seconds from now, or a time in SMPP's format."),
    ("priority_flag", "Priority: a number from 0 to 3."),
    ("protocol_id", "`protocol_id`: a number from 0 to 255."),
    ("replace_if_present", "`true` replaces an earlier message from this sender to this recipient."),
    (
        "esm_class",
        "`esm_class` in place of `submit.esm_class`: a number from 0 to 255. The bit of a user data header is added.",
    ),
    ("sm_default_msg_id", "Number of a text that is stored at the SMSC, 0 to 255."),
    ("tlvs", "Optional parameters: see `tlv.from_metadata`."),
];

/// Fields that an inbound message brings, each with its meaning.
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("command", "`deliver_sm` or `data_sm`."),
    ("service_type", "`service_type`. Absent if it is empty."),
    ("source_addr_ton", "Type of number of the sender, as a number."),
    ("source_addr_npi", "Numbering plan of the sender, as a number."),
    ("dest_addr_ton", "Type of number of the recipient, as a number."),
    ("dest_addr_npi", "Numbering plan of the recipient, as a number."),
    ("esm_class", "`esm_class`, as a number."),
    ("data_coding", "`data_coding`, as a number."),
    (
        "tlvs",
        "Optional parameters that `inbound.tlvs` selects, as a list of `tag`, `name` and `value_hex`. Absent if there are none.",
    ),
    ("content_hex", "Bytes of the message in hexadecimal, if it is binary or part of its text could not be read."),
    ("missing_parts", "Numbers of the parts that are missing, if a long message is published incomplete."),
    ("total_parts", "Number of parts of a message that is published incomplete."),
];

/// Adds the section to the page.
pub(crate) fn section(page: &mut String) {
    page.push_str("\n## `transport_metadata.smpp`\n\n");
    page.push_str(
        "Settings of one message, in the JSON of the message. They take precedence over the options above; a wrong ",
    );
    page.push_str("one ends in a `nack` that names it.\n\n");
    table(page, SETTINGS);
    page.push_str(
        "\nFields of an inbound message. Those of a long message come from the part that completed it. A reply that ",
    );
    page.push_str(
        "brings them back, as an application does that copies `transport_metadata`, is sent as if it brought none.\n\n",
    );
    table(page, FIELDS);
}

fn table(page: &mut String, rows: &[(&str, &str)]) {
    page.push_str("| key | meaning |\n|---|---|\n");
    for (key, meaning) in rows {
        let _ = writeln!(page, "| `{key}` | {meaning} |");
    }
}

#[cfg(test)]
mod tests {
    //! Guards that every key that is read or written is documented.

    use super::*;

    #[test]
    fn every_setting_of_a_message_is_documented() {
        let documented: Vec<&str> = SETTINGS.iter().map(|(key, _)| *key).collect();
        assert_eq!(documented, crate::outbound::SETTING_KEYS);
    }
}
