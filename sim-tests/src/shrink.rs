//! From a plan that fails to the smallest that still does. Knows nothing of runs: whether a plan fails is asked of the
//! caller, and the same answers give the same result, on any number of cores.
//!
//! A plan is cut down as its file: parts are left out, many at once at first, from the outer to the inner ones
//! (hierarchical delta debugging); then amounts are made smaller or rounder; then all of it again, until nothing changes.
//! What cannot be run, or would fail with nobody to blame, is never asked.

mod amounts;
mod search;
mod tree;

use crate::plan::Plan;
use search::Search;
use tree::Tree;

/// How long to look for a smaller plan.
pub struct Budget<'a> {
    /// How many plans to try at most.
    pub runs: u64,
    /// How many to try at once. The result does not depend on it.
    pub jobs: usize,
    /// Asked now and then: true ends the search, with what it has found.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest plan that fails.
    pub plan: Plan,
    /// How many plans were tried.
    pub runs: u64,
    /// Whether nothing of it can be left out or made smaller; else the budget was used up first.
    pub is_smallest: bool,
}

/// Cuts down a plan as far as it still fails. `each` hears of every smaller plan that does, and how many were tried by then.
///
/// The plan itself is taken to fail.
pub fn shrink(
    plan: &Plan,
    budget: &Budget,
    fails: &(dyn Fn(&Plan) -> bool + Sync),
    each: &mut dyn FnMut(&Plan, u64),
) -> Shrunk {
    let mut search = Search::new(plan, budget, fails, each);
    let mut before = None;
    while before.as_ref() != Some(search.best()) && !search.is_over() {
        before = Some(search.best().clone());
        leave_out(&mut search);
        make_smaller(&mut search);
    }
    search.end()
}

/// Leaves out parts, level by level.
fn leave_out(search: &mut Search) {
    let mut depth = 1;
    while depth <= Tree::of(search.best()).depth() {
        let mut size = Tree::of(search.best()).parts(depth).len();
        while size > 0 {
            leave_out_pieces(search, depth, size);
            size /= 2;
        }
        depth += 1;
    }
}

/// Goes once through the parts of a level, so many at a time.
fn leave_out_pieces(search: &mut Search, depth: usize, size: usize) {
    let mut from = 0;
    loop {
        let tree = Tree::of(search.best());
        let parts = tree.parts(depth);
        let pieces = parts.get(from..).unwrap_or_default().chunks(size);
        // Where a piece was left out the next one is in its place.
        match search.first(&mut pieces.map(|piece| tree.without(piece))) {
            Some(place) => from += place * size,
            None => return,
        }
    }
}

/// Makes amounts smaller or rounder: some together, then one after the other.
fn make_smaller(search: &mut Search) {
    while search.first(&mut amounts::together(search.best()).into_iter()).is_some() {}
    let mut place = 0;
    loop {
        let tree = Tree::of(search.best());
        let Some(amount) = tree.amounts().into_iter().nth(place) else { return };
        let smaller = amounts::smaller(amount.key(), tree.at(&amount));
        if search.first(&mut smaller.into_iter().map(|value| tree.with(&amount, value))).is_none() {
            place += 1;
        }
    }
}
