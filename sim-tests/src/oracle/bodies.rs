//! What is answered with status 0 is answered whole.

use smpp_transport::pdu::{Body, CommandStatus, Pdu};

use super::{Line, Report};
use crate::history::{End, History, Way};
use crate::plan::Plan;

/// A response may be a header alone where its status says that something went wrong; with status 0 it has its body, of
/// which a message_id may be empty (SMPP 3.4 §4.1, §4.4.2, §4.5.2, §4.6.2, §4.7.2, §4.8.2). A simulator that is told to
/// leave it out may.
pub(super) fn bodies(plan: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines.iter().filter(|line| line.end == End::Esme || plan.smsc.answers_whole()) {
        let written = line.readable().iter().filter(|frame| frame.way == Way::Written && frame.wrong.is_none());
        for (frame, pdu) in written.filter_map(|frame| Some((frame, frame.pdu.as_ref()?))) {
            if pdu.status == CommandStatus::ESME_ROK && is_header_alone(pdu) {
                report.broken(frame.at, format!("line {} {:?}: without its body: {pdu}", line.number, line.end));
            }
        }
    }
}

/// Of those that have a body in the standard.
fn is_header_alone(pdu: &Pdu) -> bool {
    matches!(
        pdu.body,
        Body::BindReceiverResp(None)
            | Body::BindTransmitterResp(None)
            | Body::BindTransceiverResp(None)
            | Body::SubmitSmResp(None)
            | Body::SubmitMultiResp(None)
            | Body::DeliverSmResp(None)
            | Body::DataSmResp(None)
            | Body::QuerySmResp(None)
    )
}
