//! The commands of the binary.

pub(crate) mod load;
