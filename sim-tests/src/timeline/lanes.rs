//! The lanes of a time line, and the bars in them: what lives for how long. Times are places among the facts.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use smpp_transport::pdu::{CommandId, CommandStatus, Leniency, Pdu};

use crate::history::{End, History, Way, What};
use crate::plan::{FaultKind, Keeps, Kind, Plan};

/// Who takes part: buses and processes of transports, then ESMEs that are nothing but sessions, then SMSCs.
pub(super) struct Lanes {
    pub(super) lanes: Vec<Lane>,
    buses: BTreeMap<usize, usize>,
    processes: BTreeMap<usize, usize>,
    clients: BTreeMap<usize, usize>,
    smscs: Vec<usize>,
}

#[derive(Serialize)]
pub(super) struct Lane {
    kind: &'static str,
    name: String,
    note: String,
}

/// Something that lasts.
#[derive(Serialize)]
pub(super) struct Bar {
    pub(super) lane: usize,
    /// None: from the beginning.
    pub(super) from: Option<usize>,
    /// None: to the end.
    pub(super) until: Option<usize>,
    /// How it ended: `killed`, `power`, `stopped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<&'static str>,
}

/// A connection.
#[derive(Default, Serialize)]
pub(super) struct Connection {
    pub(super) line: u32,
    /// Of the ESME, if it ever knew that it stood.
    pub(super) lane: Option<usize>,
    /// Of the SMSC.
    pub(super) smsc: usize,
    opened: Option<usize>,
    bound: Option<usize>,
    closed: Option<usize>,
    smsc_opened: Option<usize>,
    smsc_closed: Option<usize>,
}

/// A fault of the plan.
#[derive(Serialize)]
pub(super) struct FaultBar {
    kind: String,
    name: String,
    /// Milliseconds.
    at: u64,
    length: u64,
    /// None where the run ended before.
    pub(super) from: Option<usize>,
    pub(super) until: Option<usize>,
    /// Where; none of the network's.
    lane: Option<usize>,
}

impl Lanes {
    pub(super) fn of(plan: &Plan) -> Lanes {
        let mut lanes = Vec::new();
        let (mut buses, mut processes, mut clients) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut add = |kind, name: String, note: String| {
            lanes.push(Lane { kind, name, note });
            lanes.len() - 1
        };
        for (number, transport) in plan.transports.iter().enumerate() {
            let owner = plan.owner(number);
            buses.insert(owner, add("bus", format!("Bus {owner}"), place(transport.keeps).to_owned()));
            for (process, _) in plan.processes().iter().enumerate().filter(|(_, of)| **of == number) {
                let binds: Vec<_> = transport.links.iter().map(|kind| short(*kind)).collect();
                processes.insert(process, add("process", format!("Process {process}"), binds.join(" ")));
            }
        }
        for (client, part) in plan.clients.iter().enumerate() {
            clients.insert(client, add("esme", format!("ESME {client}"), short(part.kind).to_owned()));
        }
        let name = |smsc: usize| if plan.smscs > 1 { format!("SMSC {smsc}") } else { "SMSC".to_owned() };
        let smscs = (0..plan.smscs).map(|smsc| add("smsc", name(smsc), "simulator".to_owned())).collect();
        Lanes { lanes, buses, processes, clients, smscs }
    }

    pub(super) fn smsc(&self, smsc: usize) -> usize {
        self.smscs[smsc]
    }

    pub(super) fn bus(&self, owner: usize) -> Option<usize> {
        self.buses.get(&owner).copied()
    }

    pub(super) fn client(&self, client: usize) -> Option<usize> {
        self.clients.get(&client).copied()
    }

    pub(super) fn process(&self, process: usize) -> Option<usize> {
        self.processes.get(&process).copied()
    }

    /// The bus of a process.
    pub(super) fn bus_of(&self, plan: &Plan, process: usize) -> Option<usize> {
        self.bus(plan.owner(*plan.processes().get(process)?))
    }
}

/// Where its messages and what it remembers are.
const fn place(keeps: Keeps) -> &'static str {
    match keeps {
        Keeps::Nothing => "store in memory",
        Keeps::Shared => "store on a server",
        Keeps::File => "on disk",
    }
}

const fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Transmitter => "tx",
        Kind::Receiver => "rx",
        Kind::Transceiver => "trx",
    }
}

/// When processes, ESMEs and SMSCs were there.
pub(super) fn lives(plan: &Plan, history: &History, lanes: &Lanes) -> Vec<Bar> {
    let whole = |lane| Bar { lane, from: None, until: None, end: None };
    let mut bars: Vec<Bar> = lanes.clients.values().map(|lane| whole(*lane)).collect();
    let mut open: BTreeMap<usize, Bar> = lanes.smscs.iter().map(|lane| (*lane, whole(*lane))).collect();
    for (order, fact) in history.facts.iter().enumerate() {
        let begins = |lane| Bar { from: Some(order), ..whole(lane) };
        let (lane, end) = match fact.what {
            What::Started { process, .. } => (lanes.process(process), None),
            What::Died { process, is_cut } => (lanes.process(process), Some(if is_cut { "power" } else { "killed" })),
            What::Stopped { process, .. } => (lanes.process(process), Some("stopped")),
            What::Account { smsc, killed: true, .. } => (Some(lanes.smsc(smsc)), Some("killed")),
            What::Fault { fault, ends: true } if plan.faults[fault].kind.ends_smsc() => {
                let at = (0..plan.smscs).filter(|smsc| plan.faults[fault].is_at(*smsc));
                at.for_each(|smsc| bars.extend(open.insert(lanes.smsc(smsc), begins(lanes.smsc(smsc)))));
                continue;
            }
            _ => continue,
        };
        let Some(lane) = lane else { continue };
        match end {
            None => bars.extend(open.insert(lane, begins(lane))),
            Some(_) => bars.extend(open.remove(&lane).map(|bar| Bar { until: Some(order), end, ..bar })),
        }
    }
    bars.extend(open.into_values());
    bars
}

/// The connections, by number.
pub(super) fn connections(history: &History, lanes: &Lanes) -> Vec<Connection> {
    let mut all: BTreeMap<u32, Connection> = BTreeMap::new();
    for (order, fact) in history.facts.iter().enumerate() {
        let (What::Connected { line, .. } | What::Passed { line, .. } | What::Hung { line, .. }) = &fact.what else {
            continue;
        };
        let it = all.entry(*line).or_insert(Connection { line: *line, smsc: lanes.smsc(0), ..Connection::default() });
        match &fact.what {
            What::Connected { client, process, smsc, .. } => {
                it.smsc = lanes.smsc(*smsc);
                it.lane = process.map_or_else(|| lanes.client(*client), |process| lanes.process(process));
                it.opened = Some(order);
            }
            What::Passed { end: End::Smsc, .. } => it.smsc_opened = it.smsc_opened.or(Some(order)),
            What::Passed { way: Way::Read, frame, .. } if it.bound.is_none() && is_bound(frame) => {
                it.bound = Some(order)
            }
            What::Hung { end: End::Esme, .. } => it.closed = it.closed.or(Some(order)),
            What::Hung { end: End::Smsc, .. } => it.smsc_closed = it.smsc_closed.or(Some(order)),
            _ => {}
        }
    }
    all.into_values().collect()
}

/// Whether this says that the session is bound.
fn is_bound(frame: &Bytes) -> bool {
    Pdu::decode(frame, Leniency::TOLERANT).is_ok_and(|pdu| {
        let command = pdu.command_id();
        command.is_response() && CommandId(command.0 & 0x7FFF_FFFF).is_bind() && pdu.status == CommandStatus::ESME_ROK
    })
}

/// The plan's faults, with when they began and ended.
pub(super) fn faults(plan: &Plan, history: &History, lanes: &Lanes) -> Vec<FaultBar> {
    let turn = |number: usize, wanted: bool| {
        let is_it = |what: &What| matches!(what, What::Fault { fault, ends } if *fault == number && *ends == wanted);
        history.facts.iter().position(|fact| is_it(&fact.what))
    };
    let bar = |(number, fault): (usize, &crate::plan::Fault)| {
        let smsc = fault.smsc.or((plan.smscs == 1).then_some(0)).map(|smsc| lanes.smsc(smsc));
        let (kind, lane) = match fault.kind {
            FaultKind::Hold => ("hold", None),
            FaultKind::Partition => ("partition", None),
            FaultKind::LostToSmsc => ("lost to the SMSC", None),
            FaultKind::LostFromSmsc => ("lost from the SMSC", None),
            FaultKind::Slow(_) => ("slow", None),
            FaultKind::ConnectRefused => ("connect refused", None),
            FaultKind::SmscClockStep(_) => ("clock wrong", smsc),
            FaultKind::ConnectHangs => ("connect hangs", None),
            FaultKind::Crash => ("crash", smsc),
            FaultKind::PowerCut => ("power cut", smsc),
            FaultKind::SmscUnbinds => ("unbinds all", smsc),
            FaultKind::SmscResets => ("resets all", smsc),
            FaultKind::TransportKilled(process) => ("killed", lanes.process(process)),
            FaultKind::TransportPowerCut(process) => ("power cut", lanes.process(process)),
            FaultKind::TransportStopped(process) => ("stopped", lanes.process(process)),
            FaultKind::BusAway(transport) => ("bus away", lanes.bus(plan.owner(transport))),
            FaultKind::StoreRefuses(transport) => ("store away", lanes.bus(plan.owner(transport))),
            FaultKind::StoreSilent(transport) => ("store silent", lanes.bus(plan.owner(transport))),
            FaultKind::StoreSlow(transport, _) => ("store slow", lanes.bus(plan.owner(transport))),
            FaultKind::ClockStep(process, _) => ("clock wrong", lanes.process(process)),
            FaultKind::DiskFull(transport) => ("disk full", lanes.bus(plan.owner(transport))),
        };
        let is_of_smscs = fault.kind.ends_smsc()
            || matches!(fault.kind, FaultKind::SmscUnbinds | FaultKind::SmscResets | FaultKind::SmscClockStep(_));
        let all = if is_of_smscs { "SMSCs" } else { "network" };
        let whose = lane.or(smsc.filter(|_| plan.smscs > 1)).map_or(all, |lane| lanes.lanes[lane].name.as_str());
        FaultBar {
            kind: kind.to_owned(),
            name: format!("{kind}: {whose}"),
            at: fault.at_ms,
            length: fault.for_ms,
            from: turn(number, false),
            until: turn(number, true),
            lane,
        }
    };
    plan.faults.iter().enumerate().map(bar).collect()
}
