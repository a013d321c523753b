//! Whatever has waited long enough in the store: messages without all of their parts, receipts without their ids, reports
//! without all of their receipts.

use futures_util::future::join_all;

use super::in_the_end;
use crate::service::{AGAIN, Shared};
use crate::store::{Aggregate, Early, Expired, GivenUp};

impl Shared {
    /// Asks the store what has expired.
    pub(in crate::service) async fn expired(&self) -> Expired {
        match self.store.expire(self.now()).await {
            Ok(expired) => {
                self.count_unfinished();
                expired
            }
            Err(error) => {
                self.metrics.store_errors.inc();
                tracing::warn!(%error, "store away: expiry postponed");
                tokio::time::sleep(AGAIN).await;
                Expired::default()
            }
        }
    }

    /// Publishes what became of messages and receipts that have expired, however long that takes.
    pub(in crate::service) async fn take_expired(&self, incomplete: Vec<GivenUp>, early: Vec<Early>) {
        // None waits for another that the bus refuses.
        let incomplete = join_all(incomplete.into_iter().map(|given_up| self.take_incomplete(given_up)));
        let early = join_all(early.into_iter().map(|early| self.take_early(early)));
        futures_util::future::join(incomplete, early).await;
    }

    /// Publishes the report of all parts of a message, however long that takes.
    pub(in crate::service) async fn take_aggregate(&self, aggregate: Aggregate) {
        let telling = (aggregate.message.to_string(), Box::default());
        // The store gives it again while that takes long.
        if !self.telling().insert(telling.clone()) {
            return;
        }
        in_the_end("report of a message in parts not published", async || {
            let _turn = self.turns.turn(&aggregate.message).await;
            self.report_aggregate(&aggregate).await
        })
        .await;
        self.telling().remove(&telling);
    }
}
