//! Two links in place of one, for an SMSC that knows no transceiver.

use tokio::sync::watch;

use super::link::Link;
use crate::driver::ClientError;
use crate::pdu::CommandStatus;
use crate::session::BindKind;

/// What a link does when the SMSC knows no transceiver.
#[derive(Clone, Debug, Default)]
pub enum Fallback {
    /// What it does with any refusal.
    #[default]
    None,
    /// It is a transmitter from then on, and tells the other.
    Transmitter(watch::Sender<bool>),
    /// It begins only then.
    Receiver(watch::Receiver<bool>),
}

impl Link {
    /// A transceiver, and a receiver of this name that is there in case the SMSC answers the bind with ESME_RINVCMDID, as one
    /// of version 3.3 does: then the first binds as a transmitter.
    #[must_use]
    pub fn with_fallback(self, receiver: impl Into<String>) -> [Link; 2] {
        let (tell, told) = watch::channel(false);
        let mut other = Link { fallback: Fallback::Receiver(told), is_optional: true, ..self.clone() };
        other.name = receiver.into();
        other.client.kind = BindKind::Receiver;
        [Link { fallback: Fallback::Transmitter(tell), ..self }, other]
    }

    /// Completes when it is to begin; at once, for most.
    pub(super) async fn until_needed(&mut self) {
        if let Fallback::Receiver(needed) = &mut self.fallback
            && needed.wait_for(|needed| *needed).await.is_err()
        {
            // Nobody will say so any more.
            std::future::pending::<()>().await;
        }
    }

    /// Whether another kind of bind is to be tried after this, and which.
    pub(super) fn falls_back(&mut self, error: &ClientError) -> Option<BindKind> {
        let ClientError::Refused(CommandStatus::ESME_RINVCMDID) = error else { return None };
        let Fallback::Transmitter(tell) = &self.fallback else { return None };
        if self.client.kind != BindKind::Transceiver {
            return None;
        }
        tracing::warn!("the SMSC knows no transceiver: a transmitter and a receiver are bound instead");
        tell.send_replace(true);
        self.client.kind = BindKind::Transmitter;
        Some(self.client.kind)
    }
}
