//! Of which program, and of which plan, a report or a trace is. No run sees it.

use std::fmt;

use serde::Serialize;

use crate::plan::Plan;
use crate::world::Tier;

/// What goes to the head of everything that is printed or written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Origin {
    /// The commit of this program, with `-dirty` if files had changed since.
    pub commit: &'static str,
    /// The compiler.
    pub rustc: &'static str,
    /// The kind of build: debug, release.
    pub build: &'static str,
    /// The network, if there is but one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The digest of the plan, if there is but one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Origin {
    /// Of many plans.
    #[must_use]
    pub fn of_all(tier: Option<Tier>) -> Origin {
        Origin {
            commit: env!("SIM_TESTS_COMMIT"),
            rustc: env!("SIM_TESTS_RUSTC").trim_start_matches("rustc "),
            build: env!("SIM_TESTS_BUILD"),
            tier,
            plan: None,
        }
    }

    /// Of one plan.
    #[must_use]
    pub fn of(plan: &Plan, tier: Tier) -> Origin {
        Origin { plan: Some(format!("{:016x}", plan.digest())), ..Origin::of_all(Some(tier)) }
    }
}

impl fmt::Display for Origin {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sim-tests: commit {}, rustc {}, {}", self.commit, self.rustc, self.build)?;
        if let Some(tier) = self.tier {
            write!(f, ", tier {tier}")?;
        }
        self.plan.iter().try_for_each(|plan| write!(f, ", plan {plan}"))
    }
}
