//! Which rule a request meets. Pure: time and chance are arguments.
