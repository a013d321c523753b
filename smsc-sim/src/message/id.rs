//! The names of messages: a number, written in one of several ways, and read back.
