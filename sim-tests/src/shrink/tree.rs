//! A plan as its file has it: parts that can be left out, amounts that can be made smaller. Clients and transports bear their
//! first numbers meanwhile, so that faults and addresses that name them are put right when the tree becomes a plan again.

use serde_json::{Map, Value};

use crate::app::{destination, message_of, source};
use crate::plan::{Ids, Plan};

/// Where clients and transports bear their numbers: no key of any plan.
const NUMBER: &str = "#";
/// Lists whose elements are named by their place elsewhere.
const NUMBERED: [&str; 2] = ["clients", "transports"];

pub(super) struct Tree {
    plan: Plan,
    value: Value,
}

/// The way to a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part(Vec<Key>);

#[derive(Clone, Debug, PartialEq)]
enum Key {
    Name(String),
    Place(usize),
}

impl Part {
    /// The name that it has, or its list.
    pub(super) fn key(&self) -> &str {
        let names = self.0.iter().rev().filter_map(|key| match key {
            Key::Name(name) => Some(name.as_str()),
            Key::Place(_) => None,
        });
        names.into_iter().next().unwrap_or_default()
    }

    fn and(&self, key: Key) -> Part {
        Part(self.0.iter().cloned().chain([key]).collect())
    }
}

impl Tree {
    pub(super) fn of(plan: &Plan) -> Tree {
        let mut value = serde_json::to_value(plan).unwrap_or_default();
        for list in NUMBERED {
            let elements = value.get_mut(list).and_then(Value::as_array_mut);
            for (number, element) in elements.into_iter().flatten().enumerate() {
                element[NUMBER] = number.into();
            }
        }
        Tree { plan: plan.clone(), value }
    }

    /// How deep its innermost parts are.
    pub(super) fn depth(&self) -> usize {
        self.all().iter().map(|part| part.0.len()).max().unwrap_or(0)
    }

    /// The parts of this depth, in the order of the file.
    pub(super) fn parts(&self, depth: usize) -> Vec<Part> {
        self.all().into_iter().filter(|part| part.0.len() == depth).collect()
    }

    /// What has nothing inside, in the order of the file.
    pub(super) fn amounts(&self) -> Vec<Part> {
        self.all().into_iter().filter(|part| !matches!(self.at(part), Value::Array(_) | Value::Object(_))).collect()
    }

    fn all(&self) -> Vec<Part> {
        let mut found = Vec::new();
        walk(&self.value, &Part(Vec::new()), &mut found);
        found
    }

    pub(super) fn at(&self, part: &Part) -> &Value {
        part.0.iter().fold(&self.value, |value, key| match key {
            Key::Name(name) => &value[name.as_str()],
            Key::Place(place) => &value[*place],
        })
    }

    /// The plan without these parts, which are in the order of the file; none if there is no such plan.
    pub(super) fn without(&self, parts: &[Part]) -> Option<Plan> {
        let mut value = self.value.clone();
        for part in parts.iter().rev() {
            let (last, way) = part.0.split_last()?;
            match (within(&mut value, way)?, last) {
                (Value::Object(fields), Key::Name(name)) => drop(fields.shift_remove(name)),
                (Value::Array(elements), Key::Place(place)) => drop(elements.remove(*place)),
                _ => return None,
            }
        }
        self.plan_of(value)
    }

    /// The plan with something else in this place; none if there is no such plan.
    pub(super) fn with(&self, part: &Part, instead: Value) -> Option<Plan> {
        let mut value = self.value.clone();
        *within(&mut value, &part.0)? = instead;
        self.plan_of(value)
    }

    fn plan_of(&self, mut value: Value) -> Option<Plan> {
        let [clients, transports] = NUMBERED.map(|list| take_numbers(&mut value, list));
        let mut plan: Plan = serde_json::from_value(value).ok()?;
        plan.forget_unknown_smscs();
        self.renumber_faults(&mut plan, &transports);
        self.rename_sources(&mut plan, &clients, &transports);
        self.rename_destinations(&mut plan, &clients, &transports);
        self.tell_ids(&mut plan);
        // As it will be read from its file: one weight is as good as any other when it is the only one.
        serde_json::from_value(serde_json::to_value(plan).ok()?).ok()
    }

    /// Transports that were told rightly how the SMSC writes ids are told so again.
    fn tell_ids(&self, plan: &mut Plan) {
        let (before, after) = (Ids::of(&self.plan.smsc.policy), Ids::of(&plan.smsc.policy));
        let is_told = |ids: Ids| ids == before || ids == Ids::Auto;
        if self.plan.transports.iter().all(|transport| is_told(transport.options.ids)) {
            let told = plan.transports.iter_mut().filter(|transport| transport.options.ids != Ids::Auto);
            told.for_each(|transport| transport.options.ids = after);
        }
    }

    fn renumber_faults(&self, plan: &mut Plan, transports: &[usize]) {
        let (before, after) = (self.plan.processes(), plan.processes());
        let transport = |number: usize| transports.iter().position(|it| *it == number);
        let process = |number: usize| {
            let owner = *before.get(number)?;
            let instance = number - before.iter().position(|it| *it == owner)?;
            let owner = transport(owner)?;
            let first = after.iter().position(|it| *it == owner)?;
            (after.get(first + instance) == Some(&owner)).then_some(first + instance)
        };
        let renumbered = plan.faults.drain(..).filter_map(|mut fault| {
            fault.kind = fault.kind.renumbered(process, transport)?;
            Some(fault)
        });
        plan.faults = renumbered.collect();
    }

    /// Rules for one destination name its owner too.
    fn rename_destinations(&self, plan: &mut Plan, clients: &[usize], transports: &[usize]) {
        let owners = clients.iter().copied().chain(transports.iter().map(|number| self.plan.owner(*number)));
        let names: Vec<_> = owners.enumerate().map(|(after, before)| (before, after)).collect();
        for rule in &mut plan.smsc.rules {
            let Some(to) = rule.when.to.as_ref().map(ToString::to_string) else { continue };
            let Some((before, number)) = message_of(to.trim_end_matches('$')) else { continue };
            let renamed = names.iter().find(|(own, _)| *own == before);
            if let Some((_, after)) = renamed {
                rule.when.to = format!("{}$", destination(*after, number)).parse().ok();
            }
        }
    }

    fn rename_sources(&self, plan: &mut Plan, clients: &[usize], transports: &[usize]) {
        let owners = clients.iter().copied().chain(transports.iter().map(|number| self.plan.owner(*number)));
        let names: Vec<_> = owners.enumerate().map(|(after, before)| (source(before), source(after))).collect();
        let renamed = |text: &str| {
            let (start, name) = text.split_at(text.len() - text.trim_start_matches('^').len());
            let after = names.iter().find(|(before, _)| before == name);
            after.map(|(_, after)| format!("{start}{after}"))
        };
        let ranges = plan.clients.iter_mut().map(|client| &mut client.address_range);
        let steps = plan.smsc.rules.iter_mut().flat_map(|rule| rule.then.before.iter_mut().chain(&mut rule.then.after));
        let sent = steps.filter_map(|step| match step {
            smsc_sim::rules::Step::Deliver(mo) => Some(&mut mo.to),
            _ => None,
        });
        for text in ranges.chain(sent) {
            if let Some(after) = renamed(text) {
                *text = after;
            }
        }
    }
}

fn walk(value: &Value, way: &Part, found: &mut Vec<Part>) {
    let mut visit = |key: Key, inner: &Value| {
        let part = way.and(key);
        found.push(part.clone());
        walk(inner, &part, found);
    };
    match value {
        Value::Object(fields) => {
            let named = fields.iter().filter(|(name, _)| *name != NUMBER);
            named.for_each(|(name, inner)| visit(Key::Name(name.clone()), inner));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(place, inner)| visit(Key::Place(place), inner));
        }
        _ => {}
    }
}

fn within<'v>(value: &'v mut Value, way: &[Key]) -> Option<&'v mut Value> {
    way.iter().try_fold(value, |value, key| match key {
        Key::Name(name) => value.get_mut(name.as_str()),
        Key::Place(place) => value.get_mut(*place),
    })
}

/// The numbers that the elements of this list bore before.
fn take_numbers(value: &mut Value, list: &str) -> Vec<usize> {
    let elements = value.get_mut(list).and_then(Value::as_array_mut);
    let taken = elements.into_iter().flatten().filter_map(|element| {
        let number = element.as_object_mut().and_then(|fields: &mut Map<_, _>| fields.shift_remove(NUMBER))?;
        usize::try_from(number.as_u64()?).ok()
    });
    taken.collect()
}
