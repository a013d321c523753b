//! What a rule may not say, in words: values out of range, and conditions and deeds that contradict each other.

use smpp_transport::pdu::{COctets, CommandStatus};

use super::{Answer, Operation, Per, Rule, Step, Then, When};
use crate::policy::{Policy, ResponsePolicy};
use crate::words::Status;

impl Rule {
    /// Whether it can be followed.
    ///
    /// # Errors
    /// In words, with the place: `when.chance is 1.5: 0 to 1 is allowed`.
    pub fn validate(&self) -> Result<(), String> {
        self.when.validate()?;
        self.then.validate()?;
        self.agrees()
    }

    /// Whether what is done can be done about what is asked.
    fn agrees(&self) -> Result<(), String> {
        let then = &self.then;
        if self.when.clock.is_some() {
            return self.agrees_with_the_clock();
        }
        if self.when.operation.0.contains(&Operation::Connect) {
            let deeds = [
                ("status", then.status.is_some()),
                ("behind", then.behind != 0),
                ("answer", !matches!(then.answer, Answer::Once | Answer::Never)),
                ("after", !then.after.is_empty()),
                ("policy", !then.policy.is_default()),
            ];
            if let Some((deed, _)) = deeds.iter().find(|(_, is_done)| *is_done) {
                let allowed = "before, delay and answer: never are allowed";
                return Err(format!("then.{deed} is of no use to connect: {allowed}"));
            }
        }
        let brings_messages = self.when.operations().any(Operation::is_message);
        if !then.policy.is_default() && !brings_messages {
            return Err("then.policy is for messages: when.operation has none".to_owned());
        }
        // An error response may have a shape too.
        let of_accepted = Policy { response: ResponsePolicy::default(), ..then.policy.clone() };
        let refuses = then.answer == Answer::Nack || (then.status.is_some() && !of_accepted.is_default());
        if !then.policy.is_default() && refuses {
            return Err("then.policy is for accepted messages: this rule refuses them".to_owned());
        }
        Ok(())
    }

    /// An event by the clock has no request: there is nothing to answer, and nothing to repeat.
    fn agrees_with_the_clock(&self) -> Result<(), String> {
        let then = &self.then;
        let deeds = [
            ("status", then.status.is_some()),
            ("delay", !then.delay.is_none()),
            ("behind", then.behind != 0),
            ("answer", then.answer != Answer::Once),
            ("policy", !then.policy.is_default()),
        ];
        if let Some((deed, _)) = deeds.iter().find(|(_, is_done)| *is_done) {
            return Err(format!("then.{deed} is of no use to when.clock: before and after are allowed"));
        }
        if then.before.is_empty() && then.after.is_empty() {
            return Err("then has no steps: with when.clock, before or after is expected".to_owned());
        }
        for (list, steps) in [("before", &then.before), ("after", &then.after)] {
            if let Some(place) = steps.iter().position(|step| matches!(step, Step::Deliver(mo) if mo.is_echo())) {
                let words = "repeats a request, and with when.clock there is none";
                return Err(format!("then.{list}[{place}].deliver {words}"));
            }
        }
        Ok(())
    }
}

/// Condition that only some requests can meet: its name, whether it is there, and which requests can.
type Condition = (&'static str, bool, fn(Operation) -> bool);

impl When {
    fn validate(&self) -> Result<(), String> {
        self.clock.iter().try_for_each(|clock| clock.validate())?;
        let asked = self.asked_of_requests();
        if self.clock.is_some() {
            let may = ["account", "bind", "session_age", "sessions", "above_pending", "per"];
            let of_requests = asked.iter().find(|(condition, is_asked, _)| *is_asked && !may.contains(condition));
            let others = [("operation", !self.operation.is_any()), ("above_rate", self.above_rate.is_some())];
            let other = others.iter().find(|(_, is_asked)| *is_asked).map(|(condition, _)| condition);
            if let Some(condition) = of_requests.map(|(condition, ..)| condition).or(other) {
                return Err(format!("when.{condition} is of no use to when.clock: there is no request"));
            }
        }
        for (condition, is_asked, is_had) in asked {
            if is_asked && self.clock.is_none() && !self.operations().any(is_had) {
                let had: Vec<_> =
                    Operation::ALL.into_iter().filter(|operation| is_had(*operation)).map(Operation::word).collect();
                return Err(format!(
                    "when.{condition} is never met: of when.operation only {} have one",
                    had.join(", ")
                ));
            }
        }
        if self.part == Some(0) {
            return Err("when.part is 0: 1 to 255 is allowed".to_owned());
        }
        if self.parts.is_some_and(|parts| parts.from > 255) {
            return Err("when.parts is never met: a message has 255 parts at most".to_owned());
        }
        self.validate_scope()?;
        if let Some(rate) = self.above_rate.filter(|rate| !(*rate > 0.0 && rate.is_finite())) {
            return Err(format!("when.above_rate is {rate}: a number above 0 is allowed"));
        }
        if let Some(chance) = self.chance.filter(|chance| !(0.0..=1.0).contains(chance)) {
            return Err(format!("when.chance is {chance}: 0 to 1 is allowed"));
        }
        Ok(())
    }

    fn asked_of_requests(&self) -> Vec<Condition> {
        vec![
            ("account", !self.account.is_any(), Operation::has_account),
            ("bind", !self.bind.is_any(), Operation::has_account),
            ("session_age", self.session_age.is_some(), Operation::has_account),
            ("sessions", self.sessions.is_some(), Operation::has_account),
            ("above_pending", self.above_pending.is_some(), Operation::has_account),
            ("per", matches!(self.per, Some(Per::Account | Per::Session)), Operation::has_account),
            ("from", self.from.is_some(), Operation::has_source),
            ("from_ton", !self.from_ton.is_any(), Operation::has_source),
            ("from_npi", !self.from_npi.is_any(), Operation::has_source),
            ("to", self.to.is_some(), Operation::has_destination),
            ("to_ton", !self.to_ton.is_any(), Operation::has_destination),
            ("to_npi", !self.to_npi.is_any(), Operation::has_destination),
            ("per: destination", self.per == Some(Per::Destination), Operation::has_destination),
            ("text", self.text.is_some(), Operation::has_text),
            ("length", self.length.is_some(), Operation::has_text),
            ("registered_delivery", !self.registered_delivery.is_any(), Operation::has_text),
            ("esm_class", !self.esm_class.is_any(), Operation::is_message),
            ("data_coding", !self.data_coding.is_any(), Operation::is_message),
            ("part", self.part.is_some(), Operation::is_message),
            ("parts", self.parts.is_some(), Operation::is_message),
            ("tlv", !self.tlv.is_empty(), Operation::has_account),
        ]
    }

    /// Whether there is something to count, and it can be counted so.
    fn validate_scope(&self) -> Result<(), String> {
        let Some(per) = self.per else { return Ok(()) };
        let counts = self.above_rate.is_some()
            || self.above_pending.is_some()
            || self.after > 0
            || self.every > 0
            || self.first.is_some();
        if !counts {
            let words = "above_rate, above_pending, after, every or first is expected beside it";
            return Err(format!("when.per counts nothing: {words}"));
        }
        if per == Per::Session && self.above_pending.is_some() {
            return Err("when.per is session: above_pending counts per account or destination".to_owned());
        }
        Ok(())
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        let all = if self.operation.is_any() { Operation::MESSAGES.as_slice() } else { &self.operation.0 };
        all.iter().copied()
    }
}

impl Then {
    fn validate(&self) -> Result<(), String> {
        if self.status == Some(Status(CommandStatus::ESME_ROK)) {
            return Err(
                "then.status is ESME_ROK: an error is allowed, and without status nothing is refused".to_owned()
            );
        }
        if self.behind > 0 && matches!(self.answer, Answer::Never) {
            return Err(format!("then.behind is {}: with answer: never there is no response", self.behind));
        }
        self.policy.validate().map_err(|error| format!("then.policy.{error}"))?;
        for (list, steps) in [("before", &self.before), ("after", &self.after)] {
            for (place, step) in steps.iter().enumerate() {
                step.validate().map_err(|error| format!("then.{list}[{place}].{error}"))?;
                if let Step::Deliver(mo) = step {
                    let has_id = list == "after";
                    mo.check_echo(has_id).map_err(|error| format!("then.{list}[{place}].deliver.{error}"))?;
                }
            }
        }
        Ok(())
    }
}

impl Step {
    /// What its type does not keep out.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Step::Pace(pace) if pace.octets == 0 => Err("pace.octets is 0: 1 or more is allowed".to_owned()),
            Step::Stall(stall) if stall.reads.is_none() && stall.writes.is_none() => {
                Err("stall is empty: reads, writes, or both are expected".to_owned())
            }
            Step::Raw(octets) if octets.0.is_empty() => Err("raw is empty: octets are wanted".to_owned()),
            Step::Deliver(mo) => mo.pdus(0).map(drop).map_err(|error| format!("deliver.{error}")),
            Step::Alert(alert) => {
                let fits = alert.from.parse::<COctets<65>>().map(drop);
                fits.map_err(|error| format!("alert.from is no address: {error}"))
            }
            _ => Ok(()),
        }
    }
}

impl Operation {
    pub(super) const ALL: [Operation; 10] = [
        Operation::Connect,
        Operation::Bind,
        Operation::SubmitSm,
        Operation::SubmitMulti,
        Operation::DataSm,
        Operation::QuerySm,
        Operation::CancelSm,
        Operation::ReplaceSm,
        Operation::EnquireLink,
        Operation::Other,
    ];
    /// What a rule is for unless it says something else.
    const MESSAGES: [Operation; 3] = [Operation::SubmitSm, Operation::SubmitMulti, Operation::DataSm];

    fn has_account(self) -> bool {
        self != Operation::Connect
    }

    fn has_source(self) -> bool {
        self.has_destination() || matches!(self, Operation::QuerySm | Operation::ReplaceSm)
    }

    fn has_destination(self) -> bool {
        self.is_message() || self == Operation::CancelSm
    }

    fn has_text(self) -> bool {
        self.is_message() || self == Operation::ReplaceSm
    }

    /// As it is written.
    pub(super) fn word(self) -> &'static str {
        match self {
            Operation::Connect => "connect",
            Operation::Bind => "bind",
            Operation::SubmitSm => "submit_sm",
            Operation::SubmitMulti => "submit_multi",
            Operation::DataSm => "data_sm",
            Operation::QuerySm => "query_sm",
            Operation::CancelSm => "cancel_sm",
            Operation::ReplaceSm => "replace_sm",
            Operation::EnquireLink => "enquire_link",
            Operation::Other => "other",
        }
    }
}
