//! Guards that the two tiers are two views of one thing: where nothing goes wrong, each end of each connection reads and
//! writes the same PDUs on both, only the times differ.

use sim_tests::history::{End, Way};
use sim_tests::oracle::{Line, lines};
use sim_tests::plan::{Plan, Profile};
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::{Body, CommandId, Pdu};

/// What passed at an end in one direction. Left out is what depends on when something happened: enquire_links, whose times
/// are rounded differently and of which the longer run has more; unbinds, which come when a tier sees that all is at rest;
/// the numbers, since enquire_links take some too; and with several clients (not `alone`) the message ids, which the SMSC
/// gives to all of them in the order in which their messages arrive.
fn passed(line: &Line, way: Way, alone: bool) -> Vec<String> {
    let frames = line.frames.iter().filter(|frame| frame.way == way).filter_map(|frame| frame.pdu.as_ref());
    frames.filter(|pdu| !depends_on_time(pdu.command_id())).map(|pdu| shown(pdu, alone)).collect()
}

fn depends_on_time(command: CommandId) -> bool {
    matches!(
        command,
        CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP | CommandId::UNBIND | CommandId::UNBIND_RESP
    )
}

fn shown(pdu: &Pdu, alone: bool) -> String {
    match &pdu.body {
        Body::SubmitSmResp(_) | Body::DataSmResp(_) if !alone => format!("{} {}", pdu.command_id(), pdu.status),
        Body::DeliverSm(sm) if !alone => {
            format!("{} to {} of {}", pdu.command_id(), sm.destination_addr.text(), sm.source_addr.text())
        }
        _ => Pdu { sequence: 0, ..pdu.clone() }.in_full().to_string(),
    }
}

/// Each client's end of its connection, and the other end of it, in the order of the clients.
fn ends(plan: &Plan, tier: Tier) -> Vec<(Option<usize>, End, Line)> {
    let all = lines(&run(plan, tier).unwrap());
    let client_of = |number: u32| all.iter().find_map(|line| line.client.filter(|_| line.number == number));
    let clients: Vec<_> = all.iter().map(|line| client_of(line.number)).collect();
    let mut ends: Vec<_> = clients.into_iter().zip(all).map(|(client, line)| (client, line.end, line)).collect();
    ends.sort_by_key(|(client, end, line)| (*client, line.number, *end));
    ends
}

#[test]
fn calm_plans_pass_the_same_pdus_on_both_tiers() {
    let mut pdus = 0;
    for seed in 0..60 {
        let mut plan = Plan::draw(seed, Some(Profile::Calm));
        // Which of several sessions of one account has what depends on when it was bound.
        plan.transports.retain(|transport| transport.processes == 1 && transport.links.len() == 1);
        let (fast, turmoil) = (ends(&plan, Tier::Fast), ends(&plan, Tier::Turmoil));
        let alone = plan.clients.len() == 1 && plan.transports.is_empty();
        assert_eq!(fast.len(), 2 * plan.owners().len(), "seed {seed}: each connects once");
        assert_eq!(fast.len(), turmoil.len(), "seed {seed}");
        for ((client, end, ours), (other, other_end, theirs)) in fast.iter().zip(&turmoil) {
            assert_eq!((client, end), (other, other_end));
            for way in [Way::Read, Way::Written] {
                let (mut ours, mut theirs) = (passed(ours, way, alone), passed(theirs, way, alone));
                if client.is_some_and(|owner| plan.transport(owner).is_some()) {
                    // What comes from bus and handsets at the same time may go in either order.
                    ours.sort_unstable();
                    theirs.sort_unstable();
                }
                pdus += ours.len();
                assert_eq!(ours, theirs, "seed {seed} client {client:?} {end:?} {way:?}");
            }
        }
    }
    assert!(pdus > 2_000, "{pdus} PDUs compared");
}
