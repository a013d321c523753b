//! Two sessions, a line between them and a clock that is turned by hand: stories are told with it.
