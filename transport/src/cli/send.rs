//! `send`: one message, in as many parts as it needs, and the receipts of all of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use smpp_transport::driver::{Client, Delivery, Incoming};
use smpp_transport::inbound::{IdForms, IdsSeen, InboundOptions, Read, ReadReceipt, read};
use smpp_transport::outbound::{Coding, MultipartHandling, Numbering, SubmitOptions, draft};
use smpp_transport::pdu::{DataCoding, RegisteredDelivery, Sm, Tlvs};
use smpp_transport::text::{DefaultAlphabet, Repertoire};
use tokio::time::timeout;

use super::run::seed_from_the_system;
use super::target::Target;

/// Send one message, and print the id that the SMSC gives to each part.
///
/// With --receipt it waits for the receipts too, and prints a line for each: the id, and what became of the part. Exit status
/// 0: the SMSC has taken every part, and with --receipt each is delivered. 1: not all of that.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Send {
    #[command(flatten)]
    target: Target,
    /// Source address.
    #[arg(long)]
    from: String,
    /// Destination address.
    #[arg(long)]
    to: String,
    /// How the text is written: auto, which takes the smallest of GSM 7-bit and UCS-2 that has all of it, or a data_coding from
    /// 0 to 255.
    #[arg(long, default_value = "auto", value_parser = coding)]
    data_coding: Coding,
    /// How a text that is too long for one short message is sent.
    #[arg(long, default_value = "udh8")]
    multipart: Multipart,
    /// Seconds that connecting, the bind, and the answer to each part may take.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    timeout: u64,
    /// Ask for a receipt of each part, and wait for it.
    #[arg(long)]
    receipt: bool,
    /// Seconds to wait for the receipts, once the SMSC has taken all parts.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    receipt_timeout: u64,
    /// The text.
    text: String,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Multipart {
    /// In parts with a header, 8-bit reference.
    Udh8,
    /// In parts with a header, 16-bit reference.
    Udh16,
    /// In parts with sar_* parameters.
    Sar,
    /// Whole, in message_payload.
    Payload,
}

fn coding(text: &str) -> Result<Coding, String> {
    if text == "auto" {
        return Ok(Coding::Auto(Repertoire::default()));
    }
    let number = text.parse().map_err(|_| "auto or a number from 0 to 255 is needed".to_owned())?;
    Ok(Coding::Fixed(DataCoding(number), DefaultAlphabet::default()))
}

/// What is said on standard output, as it happens. Whoever has closed it does not want it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

impl Send {
    /// Does it all.
    pub(crate) fn run(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(self.send()));
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(words) => {
                let _ = writeln!(std::io::stderr(), "smpp-transport send: {words}");
                ExitCode::FAILURE
            }
        }
    }

    /// The message as it goes to the SMSC.
    fn parts(&self) -> Result<Vec<(Sm, Tlvs)>, String> {
        let options = SubmitOptions {
            coding: self.data_coding.clone(),
            multipart: match self.multipart {
                Multipart::Udh8 => MultipartHandling::Udh8,
                Multipart::Udh16 => MultipartHandling::Udh16,
                Multipart::Sar => MultipartHandling::Sar,
                Multipart::Payload => MultipartHandling::Payload,
            },
            source: Numbering::default(),
            destination: Numbering::default(),
            registered_delivery: if self.receipt { RegisteredDelivery::FINAL } else { RegisteredDelivery::NONE },
            ..SubmitOptions::default()
        };
        let message = serde_json::json!({"from_addr": self.from, "to_addr": self.to, "content": self.text});
        let message = serde_json::from_value(message).map_err(|error| error.to_string())?;
        let [.., high, low] = seed_from_the_system().to_be_bytes();
        let draft = draft(&message, &options).map_err(|reject| reject.to_string())?;
        draft.into_parts(u16::from_be_bytes([high, low])).map_err(|reject| reject.to_string())
    }

    async fn send(&self) -> Result<(), String> {
        let parts = self.parts()?;
        let mut config = self.target.client(self.receipt)?;
        let limit = Duration::from_secs(self.timeout);
        (config.session.session_init_timeout, config.session.response_timeout) = (limit, limit);
        let stream = self.target.connect(limit).await?;
        let session = Client::over(stream, config).await;
        let (client, mut incoming) =
            session.map_err(|error| format!("no bind at {}: {error}", self.target.address()))?;
        let mut receipts = Receipts::default();
        let mut done = submit(&client, parts, &mut incoming, &mut receipts).await;
        if self.receipt && done.is_ok() {
            let all = timeout(Duration::from_secs(self.receipt_timeout), receipts.wait(&mut incoming)).await;
            let all = all.unwrap_or_else(|_| Err(format!("no receipt of {}", receipts.missing())));
            done = all;
        }
        // What is not ours is left to whoever binds next.
        drop((receipts, incoming));
        client.unbind().await;
        done
    }
}

/// Sends the parts one after the other, up to the first that is not taken. What the SMSC sends meanwhile is held.
async fn submit(
    client: &Client,
    parts: Vec<(Sm, Tlvs)>,
    incoming: &mut Incoming,
    receipts: &mut Receipts,
) -> Result<(), String> {
    let count = parts.len();
    for (number, (sm, tlvs)) in (1..).zip(parts) {
        let mut submitting = std::pin::pin!(client.submit_with(sm, tlvs));
        let submitted = loop {
            tokio::select! {
                biased;
                submitted = &mut submitting => break submitted,
                Some(delivery) = incoming.next() => receipts.held.push(delivery),
            }
        };
        let submitted = submitted.map_err(|error| format!("part {number} of {count}: {error}"))?;
        let id = submitted.message_id.text();
        say(&id);
        if id.is_empty() {
            return Err(format!("part {number} of {count}: the SMSC has taken it and tells no id"));
        }
        receipts.expect(id);
    }
    Ok(())
}

/// What is known of the receipts.
#[derive(Default)]
struct Receipts {
    /// Ids whose final receipt has not come: as they are compared, and as the SMSC wrote them.
    missing: BTreeMap<String, String>,
    ids: IdsSeen,
    /// Came before it was known whose they are.
    held: Vec<Delivery>,
    failed: Vec<String>,
}

impl Receipts {
    fn expect(&mut self, id: String) {
        self.ids.note_response(&id);
        self.missing.extend(self.ids.form(IdForms::AsIs, &id).map(|form| (form, id.clone())));
    }

    fn missing(&self) -> String {
        self.missing.values().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Until all have come.
    async fn wait(&mut self, incoming: &mut Incoming) -> Result<(), String> {
        for delivery in std::mem::take(&mut self.held) {
            self.take(delivery);
        }
        while !self.missing.is_empty() {
            let Some(delivery) = incoming.next().await else {
                return Err(format!("the session ended without a receipt of {}", self.missing()));
            };
            self.take(delivery);
        }
        match self.failed.as_slice() {
            [] => Ok(()),
            failed => Err(format!("not delivered: {}", failed.join(", "))),
        }
    }

    /// Takes a receipt of ours. Anything else is put off by being dropped: the SMSC keeps it for whoever it is for.
    fn take(&mut self, delivery: Delivery) {
        let Read::Receipt(ReadReceipt { id, report, .. }) = read(&delivery.pdu, &InboundOptions::default()) else {
            return;
        };
        self.ids.note_receipt(&id);
        let form = self.ids.forms_at_last(IdForms::Auto, &id).into_iter().find(|form| self.missing.contains_key(form));
        let Some((form, id)) = form.and_then(|form| self.missing.remove_entry(&form)) else { return };
        delivery.accept();
        say(&format!("{id} {}", report.smpp_status));
        if !report.is_final {
            self.missing.insert(form, id);
        } else if report.status != smpp_transport::bus::DeliveryStatus::Delivered {
            self.failed.push(id);
        }
    }
}
