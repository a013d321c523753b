//! How a message comes in: room is made, it gets its name, and it sets out; or it takes the place of one that waits.

use std::sync::Arc;

use bytes::Bytes;
use smpp_transport::pdu::{CommandStatus, MessageState};
use smpp_transport::text::{self, PartAddress, PartKey, PartReference, Segment};

use super::course::Turn;
use super::mailbox::{Accepted, Mailbox, is_over};
use super::record::MessageBody;
use super::{Address, Life, Now, Record, Sender, Submission, id};
use crate::policy::{IdForm, PartIds};

impl Mailbox {
    /// Takes a message. With replace_if_present_flag the last pending one with the same addresses and service type is
    /// replaced, as replace_sm would: it keeps its number and id, and the response gives that id. Where there is none, the
    /// message is a new one (§5.2.18).
    ///
    /// # Errors
    /// ESME_RMSGQFUL when there is no room, and none can be made. ESME_RINVSUBREP when the one to be replaced is on its way
    /// already, and the new one is to be sent later.
    #[cfg(test)]
    pub(crate) fn accept(&mut self, now: Now, submission: Submission, life: Life) -> Result<Accepted, CommandStatus> {
        self.accept_each(now, submission, life, Vec::new())
    }

    /// [`accept`](Mailbox::accept), with lives of their own for the destinations after the first; without any, all have the
    /// same.
    pub(crate) fn accept_each(
        &mut self,
        now: Now,
        submission: Submission,
        life: Life,
        further_lives: Vec<Life>,
    ) -> Result<Accepted, CommandStatus> {
        self.look(now);
        if submission.body.replace_if_present == 1
            && submission.further.is_empty()
            && let Some(number) = self.replaceable(&submission)
        {
            return self.replace_all(now, number, submission, life);
        }
        let count = 1 + submission.further.len();
        self.make_room(count)?;
        let Submission { sender, body, further, times } = submission;
        let part = if further.is_empty() && life.joins_parts() { part_of(&sender.account, &body) } else { None };
        let named = self.name(&sender, &life, part.as_ref());
        let Named { number: next, first, id } = named;
        self.after_decimals |= life.id_form.is_decimal();
        self.next = next + count as u64;
        if let Some((key, part)) = part {
            self.groups.add(key, part, next, first, &id);
        }
        let others: Vec<_> =
            further.into_iter().map(|destination| MessageBody { destination, ..body.clone() }).collect();
        let mut lives = std::iter::once(life.clone()).chain(further_lives);
        for (number, body) in (next..).zip(std::iter::once(body).chain(others)) {
            let life = lives.next().unwrap_or_else(|| life.clone());
            let whole_text = self.join(now, &sender.account, &body);
            self.insert(
                now,
                Box::new(Record {
                    number,
                    first,
                    id: id.clone(),
                    account: Arc::clone(&sender.account),
                    session: sender.session,
                    body,
                    submitted: now.wall,
                    scheduled: times.scheduled,
                    expires: times.expires,
                    relative: times.relative,
                    ends: None,
                    done: None,
                    life,
                    state: MessageState::SCHEDULED,
                    error: 0,
                    history: Vec::with_capacity(2),
                    receipts: Vec::new(),
                    whole_text,
                    timer: None,
                    planned: 0,
                }),
            );
        }
        self.look_at_ended_parts();
        Ok(Accepted { number: next, id, replaced: false })
    }

    /// Number and id of the next message. A part of a long message may have the id of another part, or an empty one.
    fn name(&self, sender: &Sender, life: &Life, part: Option<&(PartKey, u8)>) -> Named {
        let group = part.and_then(|(key, _)| self.groups.open(key));
        let has_none = part.is_some_and(|(key, part)| match life.part_ids {
            PartIds::Own | PartIds::Shared => false,
            PartIds::First => *part != 1,
            PartIds::Last => *part != key.total,
        });
        match group {
            Some(group) if life.part_ids == PartIds::Shared => {
                return Named { number: self.next, first: group.first, id: group.id.clone() };
            }
            _ if has_none => {
                let first = group.map_or(self.next, |group| group.first);
                return Named { number: self.next, first, id: Box::default() };
            }
            _ => {}
        }
        // Ids of named forms are the same only as those of patterns.
        let may_repeat = !self.by_id.is_empty() || matches!(life.id_form, IdForm::Pattern(_));
        let is_taken = |id: &str| may_repeat && self.find(id).next().is_some();
        let (form, short) = (&life.id_form, sender.short_ids);
        let (number, id) = id::name(form, short, self.next, self.after_decimals, is_taken, self.plans.seed);
        Named { number, first: number, id }
    }

    fn insert(&mut self, now: Now, mut record: Box<Record>) {
        record.set_out(now, &mut self.plans);
        if !record.state.is_final() {
            self.pending.insert(&record);
        } else if record.planned == 0 {
            self.ended.push_back(record.number);
        }
        self.touch(record.number);
        self.index(&record);
        self.records.insert(record.number, record);
    }

    fn replaceable(&self, new: &Submission) -> Option<u64> {
        let body = &new.body;
        let pending = self.pending.between(&new.sender.account, &body.source, &body.destination);
        pending.rev().find(|number| self.records[number].body.service_type == body.service_type)
    }

    fn replace_all(
        &mut self,
        now: Now,
        number: u64,
        submission: Submission,
        life: Life,
    ) -> Result<Accepted, CommandStatus> {
        let later = submission.times.scheduled.is_some_and(|scheduled| scheduled > now.wall);
        if later && self.records[&number].state == MessageState::ENROUTE {
            return Err(CommandStatus::ESME_RINVSUBREP);
        }
        let whole_text = self.join(now, &submission.sender.account, &submission.body);
        let id = self.change(number, |record, plans| {
            record.stop(plans);
            record.session = submission.sender.session;
            record.body = submission.body;
            record.scheduled = submission.times.scheduled;
            record.expires = submission.times.expires;
            record.relative = submission.times.relative;
            record.life = life;
            record.whole_text = whole_text;
            if record.state == MessageState::ENROUTE {
                record.start_over(now);
            } else if !later {
                record.turn(Turn::Begin, now, plans);
            }
            record.go_on(now, plans);
            record.id.clone()
        });
        let id = id.ok_or(CommandStatus::ESME_RSYSERR)?;
        Ok(Accepted { number, id, replaced: true })
    }

    /// Forgets what ended longest ago until there is room for so many.
    fn make_room(&mut self, count: usize) -> Result<(), CommandStatus> {
        while self.records.len() + count > self.limits.messages_max {
            let number = self.ended.pop_front().ok_or(CommandStatus::ESME_RMSGQFUL)?;
            if self.get(number).is_some_and(is_over) {
                if let Some(record) = self.records.remove(&number) {
                    self.unindex(&record);
                }
                self.touch(number);
            }
        }
        Ok(())
    }

    /// The text of the whole, if this is the part that was missing. Parts of different accounts never meet.
    fn join(&mut self, now: Now, account: &str, body: &MessageBody) -> Option<Box<str>> {
        if !body.may_be_part() {
            return None;
        }
        let content = body.content();
        let segment = Segment::of(&content)?;
        let key = key_of(content.part?, account, body);
        let _ = self.joiner.expire(now.mono);
        let text::Outcome::Complete(joined) = self.joiner.add(now.mono, &key, &segment).outcome else { return None };
        self.joiner.published(&key);
        let binary = joined.runs.iter().any(|(charset, _)| charset.is_binary());
        (!binary).then(|| joined.decode().text.into_boxed_str())
    }
}

/// Number and id of a message.
struct Named {
    number: u64,
    /// Number that the id is made from.
    first: u64,
    id: Box<str>,
}

/// The long message that this is a part of, and the part's number; `None` for a message of its own. Parts of different
/// accounts never meet.
pub(super) fn part_of(account: &str, body: &MessageBody) -> Option<(PartKey, u8)> {
    let part = body.may_be_part().then(|| body.content().part).flatten()?;
    Some((key_of(part, account, body), part.number))
}

fn key_of(part: PartReference, account: &str, body: &MessageBody) -> PartKey {
    part.key(part_address(account, &body.source), part_address("", &body.destination))
}

fn part_address(account: &str, address: &Address) -> PartAddress {
    let addr = Bytes::from([account.as_bytes(), b"\0", &address.digits].concat());
    PartAddress { ton: address.ton.0, npi: address.npi.0, addr }
}
