//! How plans are written: without what is plain, so that a small plan is a short file. What a file does not say is plain.

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::Value;

pub(super) fn is_plain<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn one<T: From<u8>>() -> T {
    T::from(1)
}

pub(super) fn is_one<T: From<u8> + PartialEq>(value: &T) -> bool {
    *value == one()
}

/// Writes an object without those of its keys that are as in a plain one.
pub(super) fn brief<T: Default + Serialize, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    let json = |value: &T| serde_json::to_value(value).map_err(S::Error::custom);
    let (mut ours, plain) = (json(value)?, json(&T::default())?);
    if let (Value::Object(ours), Value::Object(plain)) = (&mut ours, &plain) {
        ours.retain(|key, value| plain.get(key) != Some(value));
    }
    ours.serialize(to)
}
