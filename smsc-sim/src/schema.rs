//! What types that are written as text look like in the description of the API: what the derived schemas rest on.

use serde_json::{Value, json};
use smpp_transport::pdu::MessageState;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::hub::RuleInfo;
use crate::policy::{ByState, IdForm, Outcome, Template};
use crate::rules::{Amount, Between, Hex, Octet, Operation, Rule, Silence, TlvIs};
use crate::time::{Delay, Time};
use crate::words::{Bind, Pattern, State, Status};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// Text with a pattern.
fn text(description: &str, pattern: Option<&str>, examples: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(pattern)
        .examples(examples.iter().map(|example| json!(example)))
}

macro_rules! texts {($($name:ident: $description:literal, $pattern:expr, [$($example:literal),*];)*) => {$(
    impl PartialSchema for $name {
        fn schema() -> RefOr<Schema> {
            text($description, $pattern, &[$($example),*]).into()
        }
    }
    impl ToSchema for $name {}
)*}}

texts! {
    Time: "A length of time: a number and ms, s, m, h or d, or 0; at most 3650d.",
        Some(r"^(0|[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d))$"), ["200ms", "1.5s", "2m", "0"];
    Delay: "A wait that is drawn anew each time: fixed, evenly between two, around a mean with a standard deviation, \
        exponential with a mean, or a mix with shares in percent.",
        None, ["200ms", "100ms..2s", "normal 200ms 50ms", "exponential 200ms", "80% 10ms, 15% 100ms, 5% 1s..2s"];
    Silence: "For how long, or forever.", Some(r"^(forever|0|[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d))$"), ["10s", "forever"];
    Between: "Stretch of time: from, inclusive, and to, exclusive; without one of them it is open.",
        Some(r"^([0-9]{1,6}(ms|s|m|h|d)\.\.([0-9]{1,6}(ms|s|m|h|d))?|\.\.[0-9]{1,6}(ms|s|m|h|d))$"),
        ["10s..20s", "10m..", "..5s"];
    TlvIs: "Condition on an optional parameter: present, absent, octets after 0x, or a text.", None,
        ["present", "absent", "0x0A0B", "PL7"];
    Hex: "Octets as hexadecimal digits; white space between them is skipped.",
        Some(r"^([ \n\t]*[0-9a-fA-F][ \n\t]*[0-9a-fA-F][ \n\t]*)*$"), ["00 00 00 10", "050003c80301"];
    IdForm: "Form of a message id: decimal, decimal_padded, hexadecimal, hexadecimal_padded, hexadecimal_upper, uuid, or a \
        pattern with %d, %x, %X, {uuid}, {uuid_upper} and {uuid_hex}.",
        None, ["hexadecimal_padded", "%016d", "0118Z-%05d", "SM%032x", "{uuid_hex}"];
    Template: "Text of a receipt with fields in braces, or the name of a preset.",
        None, ["id:{id} stat:{stat:lower} err:{err}", "text_none"];
    Pattern: "A regular expression that may match anywhere.", None, ["^2782", "00[1-3]$"];
}

macro_rules! texts_or_numbers {($($name:ident: $description:literal, $max:expr, $pattern:literal, [$($example:expr),*];)*) => {$(
    impl PartialSchema for $name {
        fn schema() -> RefOr<Schema> {
            let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum($max);
            let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
            OneOfBuilder::new()
                .item(number)
                .item(text)
                .description(Some($description))
                .examples([$(json!($example)),*])
                .into()
        }
    }
    impl ToSchema for $name {}
)*}}

texts_or_numbers! {
    Octet: "An octet, or some of its bits as value and mask.", Some(255),
        r"^(0x[0-9a-fA-F]{1,2}|[0-9]{1,3})(/(0x[0-9a-fA-F]{1,2}|[0-9]{1,3}))?$", [64, "0x40", "0x40/0xC0"];
    Amount: "A number, or a range with both ends included.", None::<u64>,
        r"^([0-9]{1,9}(\.\.([0-9]{1,9})?)?|\.\.[0-9]{1,9})$", [3, "1..160", "161..", "..10"];
}

impl PartialSchema for State {
    fn schema() -> RefOr<Schema> {
        let names = MessageState::NAMED.iter().filter_map(|state| state.name());
        text("message_state (§5.2.28). As receipts write it, DELIVRD, is read too.", None, &["DELIVERED"])
            .enum_values(Some(names))
            .into()
    }
}
impl ToSchema for State {}

impl PartialSchema for Status {
    fn schema() -> RefOr<Schema> {
        let both = SchemaType::from_iter([Type::String, Type::Integer]);
        text("command_status (§5.1.3) by its name or as a number.", None, &["ESME_RTHROTTLED", "0x58", "88"])
            .schema_type(both)
            .minimum(Some(0))
            .maximum(Some(u32::MAX))
            .into()
    }
}
impl ToSchema for Status {}

impl PartialSchema for Outcome {
    fn schema() -> RefOr<Schema> {
        let weight = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0));
        let weights = ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::RefOr(weight.into())))
            .description(Some("By weight."))
            .examples([json!({ "DELIVERED": 90, "UNDELIVERABLE": 10 })]);
        OneOfBuilder::new()
            .item(Ref::from_schema_name(State::name()))
            .item(weights)
            .description(Some("How messages end: a final state, ENROUTE for one without end, or several by weight."))
            .examples([json!("DELIVERED"), json!({ "DELIVERED": 90, "UNDELIVERABLE": 10 })])
            .into()
    }
}
impl ToSchema for Outcome {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((State::name().into_owned(), State::schema()));
    }
}

impl PartialSchema for ByState {
    fn schema() -> RefOr<Schema> {
        let table = ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::RefOr(String::schema())))
            .description(Some("By state."))
            .examples([json!({ "DELIVERED": "000", "UNDELIVERABLE": "0x21" })]);
        OneOfBuilder::new()
            .item(String::schema())
            .item(table)
            .description(Some("A word of a receipt, for all states or by state."))
            .examples([json!("000"), json!({ "DELIVERED": "000", "UNDELIVERABLE": "0x21" })])
            .into()
    }
}
impl ToSchema for ByState {}

/// A number of one octet, or text.
fn octet_or(text: ObjectBuilder) -> RefOr<Schema> {
    let octet = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u8::MAX));
    OneOfBuilder::new().item(octet).item(text).into()
}

/// A state by name, or any number of one octet.
pub(crate) fn state_number() -> RefOr<Schema> {
    let names = MessageState::NAMED.iter().filter_map(|state| state.name());
    octet_or(text("message_state (§5.2.28).", None, &["DELIVERED"]).enum_values(Some(names)))
}

/// data_coding of a receipt.
pub(crate) fn receipt_coding() -> RefOr<Schema> {
    octet_or(text("That of the message.", None, &["message"]).enum_values(Some(["message"])))
}

/// A further receipt: a state, or an object.
pub(crate) fn further_receipts() -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .property("state", Ref::from_schema_name(State::name()))
        .required("state")
        .property("delay", Ref::from_schema_name(Delay::name()))
        .property("intermediate", bool::schema())
        .property("receipt", Ref::from_schema_name("ReceiptPolicy"))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .description(Some("A further receipt: its state, its time after the one before, and its form."));
    let one = OneOfBuilder::new().item(Ref::from_schema_name(State::name())).item(object);
    ArrayBuilder::new().items(one).into()
}

/// A name or a list of names.
pub(crate) fn any_name() -> RefOr<Schema> {
    one_or_more(String::schema(), String::schema())
}

/// A kind of bind or a list of them.
pub(crate) fn any_bind() -> RefOr<Schema> {
    one_or_more(Bind::schema(), Bind::schema())
}

/// An operation or a list of them.
pub(crate) fn any_operation() -> RefOr<Schema> {
    one_or_more(Operation::schema(), Operation::schema())
}

/// An octet or a list of them.
pub(crate) fn any_octet() -> RefOr<Schema> {
    one_or_more(Octet::schema(), Octet::schema())
}

/// Either a value or a list of them.
pub(crate) fn one_or_more(one: RefOr<Schema>, again: RefOr<Schema>) -> RefOr<Schema> {
    OneOfBuilder::new().item(one).item(ArrayBuilder::new().items(again)).into()
}

impl PartialSchema for RuleInfo {
    /// A rule with one field more. What is derived would say that the field is not allowed.
    fn schema() -> RefOr<Schema> {
        let mut schema = Rule::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let matched = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0))
                .description(Some("How often it was followed, since it was set."));
            object.properties.insert("matched".to_owned(), matched.into());
            object.required.push("matched".to_owned());
        }
        schema
    }
}
impl ToSchema for RuleInfo {
    fn schemas(schemas: &mut Schemas) {
        Rule::schemas(schemas);
    }
}

/// A PDU that has passed; for the description only, as it is made of what the standard names.
pub(crate) struct Pdu;

impl PartialSchema for Pdu {
    fn schema() -> RefOr<Schema> {
        let of = |schema_type: Type, description: &str| {
            ObjectBuilder::new().schema_type(schema_type).description(Some(description))
        };
        let at_least_0 = |description: &str| of(Type::Integer, description).minimum(Some(0));
        let ways: [Value; 2] = [json!("from_esme"), json!("to_esme")];
        ObjectBuilder::new()
            .description(Some("A PDU that has passed, by the names of the standard; passwords are masked."))
            .property("number", at_least_0("Counts all that are recorded, from 1."))
            .required("number")
            .property("at", of(Type::String, "When its last octet passed; RFC 3339, UTC."))
            .required("at")
            .property("session", at_least_0("The connection's number."))
            .required("session")
            .property("way", of(Type::String, "Who sent it.").enum_values(Some(ways)))
            .required("way")
            .property("hex", of(Type::String, "Its octets."))
            .required("hex")
            .property("malformed", of(Type::Boolean, "Octets among which nobody knows where a PDU begins."))
            .property(
                "error",
                of(Type::String, "Reason why the simulator cannot read it. What can be read all the same follows."),
            )
            .property("command", of(Type::String, "Such as submit_sm."))
            .property("command_id", at_least_0("Its number."))
            .property("command_status", at_least_0("0 in requests."))
            .property("sequence_number", at_least_0("By which a response belongs to its request."))
            .property("fields", of(Type::Object, "The mandatory parameters by their names."))
            .property("tlvs", ArrayBuilder::new().items(of(Type::Object, "tag, name and value_hex.")))
            .into()
    }
}
impl ToSchema for Pdu {}
