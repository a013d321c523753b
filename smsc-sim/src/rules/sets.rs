//! Lists of rules by name.
