//! The three macros that turn the standard's tables into types. They only list: what a field does is in `wire`.

/// Numbers that a peer may extend: a newtype with named constants, so that unknown values survive.
///
/// `names! { /// Type of number.  Ton: u8 { UNKNOWN = 0, INTERNATIONAL = 1 } }` becomes
///
/// ```text
/// pub struct Ton(pub u8);
/// impl Ton { pub const UNKNOWN: Ton = Ton(0); … pub const fn name(self) -> Option<&'static str> { match self.0 { 0 => Some("UNKNOWN"), … } } }
/// ```
macro_rules! names {($(
    $(#[$doc:meta])*
    $name:ident : $int:ty { $( $(#[$row:meta])* $constant:ident = $value:literal, )* }
)*) => {$(
    $(#[$doc])*
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    pub struct $name(pub $int);

    impl $name {
        $(
            $(#[$row])*
            #[doc = concat!("`", stringify!($value), "`")]
            pub const $constant: $name = $name($value);
        )*

        /// Every value that has a name, in the order of the standard.
        pub const NAMED: &'static [$name] = &[ $( $name($value), )* ];

        /// The name of the value, if it has one.
        #[must_use]
        pub const fn name(self) -> Option<&'static str> {
            match self.0 { $( $value => Some(stringify!($constant)), )* _ => None }
        }
    }

    /// Half of them named, half of them any number.
    #[cfg(feature = "test-util")]
    impl proptest::arbitrary::Arbitrary for $name {
        type Parameters = ();
        type Strategy = proptest::strategy::BoxedStrategy<Self>;

        fn arbitrary_with((): ()) -> Self::Strategy {
            use proptest::{arbitrary::any, prop_oneof, sample::select, strategy::Strategy as _};
            prop_oneof![select(Self::NAMED), any::<$int>().prop_map($name)].boxed()
        }
    }

    impl std::fmt::Display for $name {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self.name() { Some(name) => f.write_str(name), None => write!(f, "{:#04x}", self.0) }
        }
    }
)*}}

/// Body shapes: chapter 4 of the standard.
///
/// `shapes! { QuerySm { message_id: COctets<65>, … } }` becomes
///
/// ```text
/// pub struct QuerySm { pub message_id: COctets<65>, … }
/// impl Wire for QuerySm {
///     fn read(r)  { QuerySm { message_id: Wire::read(r, "message_id"), … } }    // in the order written
///     fn octets() { self.message_id.octets() + … }
///     fn write(w) { self.message_id.write(w); … }
///     fn show(p)  { p.field("message_id", &self.message_id)?; … }
/// }
/// ```
macro_rules! shapes {($(
    $(#[$doc:meta])*
    $name:ident { $( $(#[$row:meta])* $field:ident : $ty:ty, )* }
)*) => {$(
    $(#[$doc])*
    #[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct $name { $( $(#[$row])* pub $field: $ty, )* }

    impl Wire for $name {
        #[inline(always)]
        fn read(_r: &mut Reader<'_>, _name: &'static str) -> Self {
            Self { $( $field: Wire::read(_r, stringify!($field)), )* }
        }
        #[inline(always)]
        fn octets(&self) -> usize { 0 $( + self.$field.octets() )* }
        #[inline(always)]
        fn write(&self, _w: &mut Writer<'_>) { $( self.$field.write(_w); )* }
        fn show(&self, _p: &mut Printer<'_, '_>) -> std::fmt::Result { $( _p.field(stringify!($field), &self.$field)?; )* Ok(()) }
    }

    #[cfg(feature = "test-util")]
    impl proptest::arbitrary::Arbitrary for $name {
        type Parameters = ();
        type Strategy = proptest::strategy::BoxedStrategy<Self>;

        /// Field after field: a tuple of strategies would end at the twelfth.
        fn arbitrary_with((): ()) -> Self::Strategy {
            use proptest::strategy::Strategy as _;
            let body = proptest::prelude::Just(Self::default()).boxed();
            $( let body = (body, proptest::arbitrary::any::<$ty>()).prop_map(|(mut body, field)| { body.$field = field; body }).boxed(); )*
            body
        }
    }
)*}}

/// The commands: tables 2-1 and 5-1 of the standard in one. A row gives the variant of [`Body`](super::Body), the
/// constant of [`CommandId`](super::CommandId), the id, the body, who may issue it, in which states, and what answers it.
macro_rules! commands {($(
    $(#[$doc:meta])*
    $name:ident $constant:ident $id:literal $shape:ty, $issuer:ident, $states:ident, $answer:expr;
)*) => {
    names! {
        /// `command_id` (§5.1.2.1). Bit 31 marks a response.
        CommandId: u32 { $( $(#[$doc])* $constant = $id, )* }
    }

    /// What a PDU says: one variant for each command, and one for those that are not in the standard.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub enum Body {
        $( $(#[$doc])* $name($shape), )*
        /// A command that is not in SMPP 3.4, with the octets after its header as they came.
        Unknown(CommandId, bytes::Bytes),
    }

    impl Body {
        /// The command's id.
        #[must_use]
        pub const fn command_id(&self) -> CommandId {
            match self { $( Body::$name(_) => CommandId($id), )* Body::Unknown(id, _) => *id }
        }

        /// The body of this command with every field empty or zero; none for a command not in the standard.
        #[must_use]
        pub fn empty(id: CommandId) -> Option<Body> {
            match id.0 { $( $id => Some(Body::$name(<$shape>::default())), )* _ => None }
        }

        #[inline(always)]
        pub(super) fn octets(&self) -> usize {
            match self { $( Body::$name(body) => body.octets(), )* Body::Unknown(_, octets) => octets.len() }
        }

        #[inline]
        pub(super) fn stand_in_octets(&self) -> usize {
            match self { $( Body::$name(body) => body.stand_in_octets(), )* Body::Unknown(..) => 0 }
        }

        pub(super) fn show(&self, p: &mut Printer<'_, '_>) -> std::fmt::Result {
            match self { $( Body::$name(body) => body.show(p), )* Body::Unknown(_, octets) => p.octets("body", octets) }
        }

        /// Bodies of this command; none for a command not in the standard.
        #[cfg(feature = "test-util")]
        pub(super) fn strategy(id: CommandId) -> Option<proptest::strategy::BoxedStrategy<Body>> {
            use proptest::{arbitrary::any, strategy::Strategy as _};
            match id.0 { $( $id => Some(any::<$shape>().prop_map(Body::$name).boxed()), )* _ => None }
        }

        pub(super) fn to_fields(&self) -> Result<serde_json::Value, serde_json::Error> {
            match self {
                $( Body::$name(body) => serde_json::to_value(body), )*
                Body::Unknown(_, octets) => Ok(serde_json::json!({ "body_hex": super::json::hex(octets) })),
            }
        }

        pub(super) fn from_fields(id: CommandId, fields: serde_json::Value) -> Result<Body, String> {
            match id.0 {
                $( $id => Ok(Body::$name(super::json::read(fields)?)), )*
                _ => Ok(Body::Unknown(id, super::json::unknown_body(fields)?)),
            }
        }
    }

    /// The two ways between octets and values. One choice of the command each, and all else behind it: a body neither moves
    /// nor is it asked again what it is.
    impl super::Pdu {
        #[inline(always)]
        pub(super) fn read(id: CommandId, status: CommandStatus, sequence: u32, r: Reader<'_>) -> Result<Self, DecodeError> {
            match id.0 {
                $( $id => {
                    // A reader for each command alone, so that the compiler keeps it in registers.
                    let mut r = r;
                    let body = <$shape as Wire>::read(&mut r, "body");
                    let tlvs = Tlvs::read(id, &mut r);
                    match r.fault() {
                        None => Ok(Self { status, sequence, body: Body::$name(body), tlvs }),
                        Some(fault) => Self::unread(id, status, sequence, r.leniency(), fault),
                    }
                } )*
                _ => {
                    let mut r = r;
                    Ok(Self { status, sequence, body: Body::Unknown(id, r.rest()), tlvs: Tlvs::new() })
                }
            }
        }

        #[inline(always)]
        pub(super) fn write(&self, out: &mut bytes::BytesMut) {
            match &self.body {
                $( Body::$name(body) => self.write_with(CommandId($id), body, out), )*
                Body::Unknown(id, octets) => self.write_with(*id, octets, out),
            }
        }
    }

    impl CommandId {
        /// Who may issue the command, in which states, and the id of its answer; none for one not in the standard.
        #[must_use]
        pub const fn rule(self) -> Option<Rule> {
            match self.0 {
                $( $id => Some(Rule { issuer: Issuer::$issuer, states: States::$states, answer: $answer }), )*
                _ => None,
            }
        }
    }
}}
