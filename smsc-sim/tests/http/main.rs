//! Guards the HTTP API: what each path does, what is said of requests that cannot be, and that the description is true.

mod deliver;
mod document;
mod errors;
mod guard;
mod messages;
mod metrics;
mod pdus;
mod reset;
mod rules;
mod sessions;
mod stop;
mod stream;
mod world;
