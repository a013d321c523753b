//! Guards the outbound policies of the service against SMSCs that misbehave in one way each: nothing is sent in a storm, no
//! message is lost in silence, and nobody waits for another longer than the policy says. Time is paused.
#![cfg(feature = "service")]

mod answers;
mod delays;
mod sessions;
mod smsc;
