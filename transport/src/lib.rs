//! An SMPP 3.4 stack: codec, session, driver. Front page to come with the driver.

pub mod pdu;
pub mod session;
