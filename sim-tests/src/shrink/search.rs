//! The smallest failing plan so far, and the search for the next: candidates in order, of which the first that fails counts,
//! however many are tried at once.

use std::collections::BTreeSet;

use super::{Budget, Shrunk};
use crate::plan::Plan;

pub(super) struct Search<'a> {
    best: Plan,
    runs: u64,
    budget: &'a Budget<'a>,
    fails: &'a (dyn Fn(&Plan) -> bool + Sync),
    each: &'a mut dyn FnMut(&Plan, u64),
    /// What is unfair in the plan that was given may be so in a smaller one.
    unfair: BTreeSet<&'static str>,
    /// Digests of plans that were tried and do not fail.
    fine: BTreeSet<u64>,
    is_cut_short: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        plan: &Plan,
        budget: &'a Budget<'a>,
        fails: &'a (dyn Fn(&Plan) -> bool + Sync),
        each: &'a mut dyn FnMut(&Plan, u64),
    ) -> Search<'a> {
        let (unfair, fine) = (plan.unfair(), BTreeSet::new());
        Search { best: plan.clone(), runs: 0, budget, fails, each, unfair, fine, is_cut_short: false }
    }

    pub(super) fn best(&self) -> &Plan {
        &self.best
    }

    pub(super) fn end(self) -> Shrunk {
        Shrunk { plan: self.best, runs: self.runs, is_smallest: !self.is_cut_short }
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.is_cut_short |= self.runs >= self.budget.runs || (self.budget.is_over)();
        self.is_cut_short
    }

    /// Tries candidates until one fails: that is the best from now on. Says which of them it was.
    pub(super) fn first(&mut self, candidates: &mut dyn Iterator<Item = Option<Plan>>) -> Option<usize> {
        let mut candidates = candidates.enumerate();
        loop {
            let batch = self.batch(&mut candidates);
            if batch.is_empty() || self.is_over() {
                return None;
            }
            let verdicts = self.judge(&batch);
            // What comes after the first that fails might as well not have been tried.
            for ((place, plan), fails) in batch.into_iter().zip(verdicts) {
                self.runs += 1;
                if fails {
                    self.best = plan;
                    (self.each)(&self.best, self.runs);
                    return Some(place);
                }
                self.fine.insert(plan.digest());
            }
        }
    }

    fn batch(&self, candidates: &mut dyn Iterator<Item = (usize, Option<Plan>)>) -> Vec<(usize, Plan)> {
        let left = usize::try_from(self.budget.runs.saturating_sub(self.runs)).unwrap_or(usize::MAX);
        // One even where none is left: then the search is cut short, and not at its end.
        let size = self.budget.jobs.min(left).max(1);
        let mut batch: Vec<(usize, Plan)> = Vec::new();
        while batch.len() < size
            && let Some((place, candidate)) = candidates.next()
        {
            if let Some(plan) = candidate
                && self.is_new(&plan)
                && batch.iter().all(|(_, other)| *other != plan)
            {
                batch.push((place, plan));
            }
        }
        batch
    }

    fn is_new(&self, plan: &Plan) -> bool {
        *plan != self.best
            && !self.fine.contains(&plan.digest())
            && plan.check().is_ok()
            && plan.unfair().is_subset(&self.unfair)
    }

    fn judge(&self, batch: &[(usize, Plan)]) -> Vec<bool> {
        let fails = self.fails;
        match batch {
            [(_, one)] => vec![fails(one)],
            _ => std::thread::scope(|threads| {
                let running: Vec<_> = batch.iter().map(|(_, plan)| threads.spawn(move || fails(plan))).collect();
                // A judge that panics is a mistake of the caller's, and goes on to it.
                let ended = running.into_iter().map(|thread| thread.join());
                ended.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
            }),
        }
    }
}
