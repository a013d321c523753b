//! A bound ESME that many tasks can use: a driver in a task of its own, a handle that submits, a stream of what arrives.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::Instrument as _;

use super::late::EXPIRED_MAX;
use super::{Driver, DriverConfig, Observer, SessionEnd, Tcp, connect_within};
use crate::pdu::{Bind, Body, COctets, CommandId, CommandStatus, DecodeError, MessageId, Pdu, Sm, Tlvs};
use crate::session::{BindKind, Event, Outcome, Refused, Role, SessionConfig, State, Ticket, Why};

/// How to bind, and how the session behaves then.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// As what.
    pub kind: BindKind,
    /// Who, and with which password; the rest of the bind request too.
    pub bind: Bind,
    /// Timers and windows.
    pub session: SessionConfig,
    /// Reading and writing.
    pub driver: DriverConfig,
    /// How long opening the line may take. Default 10 s.
    pub connect_timeout: Duration,
    /// What has arrived and is not taken yet, at most; beyond it the SMSC is put off with the session's `busy_status`. At
    /// least 1. Default 100.
    pub incoming_max: usize,
    /// Observer of the session, for metrics.
    pub observer: Observer,
}

impl ClientConfig {
    /// A bind of this kind with the defaults for everything else.
    #[must_use]
    pub fn new(kind: BindKind, system_id: COctets<16>, password: COctets<9>) -> ClientConfig {
        let interface_version = crate::pdu::InterfaceVersion::V3_4;
        ClientConfig {
            kind,
            bind: Bind { system_id, password, interface_version, ..Bind::default() },
            session: SessionConfig::new(Role::Esme),
            driver: DriverConfig::default(),
            connect_timeout: Duration::from_secs(10),
            incoming_max: 100,
            observer: Observer::default(),
        }
    }

    /// The request that binds so.
    #[must_use]
    pub fn bind_request(&self) -> Body {
        match self.kind {
            BindKind::Transmitter => Body::BindTransmitter(self.bind.clone()),
            BindKind::Receiver => Body::BindReceiver(self.bind.clone()),
            BindKind::Transceiver => Body::BindTransceiver(self.bind.clone()),
        }
    }
}

/// Why there is no bound session.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The line could not be opened.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The SMSC refused the bind.
    #[error("the SMSC refused the bind: {0}")]
    Refused(CommandStatus),
    /// The session ended before it was bound.
    #[error("session ended before it was bound: {0}")]
    Ended(Why),
}

/// How a request failed. Only in the first two cases is it certain that the SMSC has not acted on it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Never sent.
    #[error("not sent: {0}")]
    NotSent(#[source] Refused),
    /// Answered with an error status.
    #[error("refused: {}", .0.status)]
    Refused(Box<Pdu>),
    /// Answered with success, and the rest of the response cannot be read: the SMSC has acted on the request.
    #[error("accepted, but the response cannot be read: {0}")]
    Unreadable(#[source] DecodeError),
    /// No answer in time: the outcome is unknown.
    #[error("no answer in time: the outcome is unknown")]
    Expired,
    /// The session ended first: the outcome is unknown.
    #[error("the session ended before the answer ({0}): the outcome is unknown")]
    Lost(Why),
}

/// A message that the SMSC has accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submitted {
    /// The SMSC's name for it. Real SMSCs also answer without one: then it is empty, and no receipt can be matched.
    pub message_id: COctets<65>,
    /// The optional parameters of the response.
    pub tlvs: Tlvs,
}

/// A handle to a bound session. Clones share it; the session ends when all are dropped, as with [`unbind`](Client::unbind).
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    hurry: Arc<Notify>,
}

/// What arrives on the session.
#[derive(Debug)]
pub struct Incoming {
    deliveries: mpsc::Receiver<Delivery>,
    end: Arc<OnceLock<SessionEnd>>,
}

/// A message or receipt from the SMSC, to be answered once. Dropped without an answer it is refused as busy, so that the
/// SMSC keeps it.
#[derive(Debug)]
pub struct Delivery {
    /// deliver_sm, data_sm or alert_notification, as it came; or a response whose request has expired. The last two need no
    /// answer.
    pub pdu: Pdu,
    /// Of such a response, the tag of its request; see [`Client::submit_tagged`].
    pub tag: Option<u64>,
    answer: Option<PendingAnswer>,
}

#[derive(Debug)]
struct PendingAnswer {
    ticket: Ticket,
    busy: CommandStatus,
    /// Not bounded by itself: as many are under way as there are tickets, and those are bounded by `inbound_window`.
    answers: mpsc::UnboundedSender<(Ticket, CommandStatus)>,
}

impl Delivery {
    /// Takes the message over: the SMSC may forget it.
    pub fn accept(self) {
        self.refuse(CommandStatus::ESME_ROK);
    }

    /// Does not take it, and says why: ESME_RX_T_APPN asks for it again, ESME_RX_P_APPN does not.
    pub fn refuse(mut self, status: CommandStatus) {
        if let Some(PendingAnswer { ticket, answers, .. }) = self.answer.take() {
            // A session that has ended has nobody left to answer.
            let _ = answers.send((ticket, status));
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(PendingAnswer { ticket, busy, answers }) = self.answer.take() {
            let _ = answers.send((ticket, busy));
        }
    }
}

impl Incoming {
    /// The next one; none when the session has ended.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// Returns the end of the session once [`next`](Incoming::next) has returned `None`; before that, and if the task of
    /// the session was cancelled, `None`.
    #[must_use]
    pub fn end(&self) -> Option<&SessionEnd> {
        self.end.get()
    }
}

#[derive(Debug)]
enum Command {
    Request(Box<(Body, Tlvs)>, Asked),
    Unbind(oneshot::Sender<()>),
}

impl Client {
    /// Connects over TCP and binds.
    ///
    /// # Errors
    /// When the line cannot be opened in time, the SMSC refuses, or the session ends first.
    pub async fn connect(address: &str, config: ClientConfig) -> Result<(Client, Incoming), ClientError> {
        let mut tcp = Tcp { address: address.to_owned() };
        let stream = connect_within(&mut tcp, config.connect_timeout).await.map_err(ClientError::Connect)?;
        Client::over(stream, config).await
    }

    /// Binds over a stream that is open.
    ///
    /// # Errors
    /// When the SMSC refuses, or the session ends first.
    pub async fn over<S>(stream: S, config: ClientConfig) -> Result<(Client, Incoming), ClientError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut driver = Driver::new(stream, Role::Esme, config.session.clone(), config.driver.clone());
        driver.observe_with(config.observer.clone());
        bind(&mut driver, &config).await?;
        let (commands, command_queue) = mpsc::channel(config.session.window.max(1));
        let (delivered, deliveries) = mpsc::channel(config.incoming_max.max(1));
        let (answers, answer_queue) = mpsc::unbounded_channel();
        let (busy, hurry) = (config.session.busy_status, Arc::<Notify>::default());
        let end = Arc::<OnceLock<SessionEnd>>::default();
        let task = Task {
            driver,
            command_queue,
            answer_queue,
            answers,
            delivered,
            busy,
            has_handles: true,
            unbinding: false,
            waits_for_answers: true,
            hurry: Arc::clone(&hurry),
            wait_for_the_end: Vec::new(),
            expired: VecDeque::new(),
            lost: 0,
            end: Arc::clone(&end),
        };
        tokio::spawn(task.run().in_current_span());
        Ok((Client { commands, hurry }, Incoming { deliveries, end }))
    }

    /// Submits a message, waiting for room in the window and then for the response.
    ///
    /// # Errors
    /// When it is refused, or its outcome is unknown.
    pub async fn submit(&self, message: Sm) -> Result<Submitted, RequestError> {
        self.submit_with(message, Tlvs::new()).await
    }

    /// [`submit`](Client::submit) with optional parameters.
    ///
    /// # Errors
    /// When it is refused, or its outcome is unknown.
    pub async fn submit_with(&self, message: Sm, tlvs: Tlvs) -> Result<Submitted, RequestError> {
        self.submit_tagged(message, tlvs, None).await
    }

    /// [`submit_with`](Client::submit_with) under a name of the caller's own: a response that comes after
    /// [`RequestError::Expired`] is a [`Delivery`] that bears it.
    ///
    /// While there is room in the window messages go in the order of these calls, in whatever order what they give is polled.
    ///
    /// # Errors
    /// When it is refused, or its outcome is unknown.
    pub fn submit_tagged(
        &self,
        message: Sm,
        tlvs: Tlvs,
        tag: Option<u64>,
    ) -> impl Future<Output = Result<Submitted, RequestError>> + Send + use<> {
        let asked = self.ask(Body::SubmitSm(message), tlvs, tag);
        async {
            let pdu = asked.await?;
            let message_id = match pdu.body {
                Body::SubmitSmResp(Some(MessageId { message_id })) => message_id,
                _ => COctets::default(),
            };
            Ok(Submitted { message_id, tlvs: pdu.tlvs })
        }
    }

    /// Sends any request that has an answer, and waits for it.
    ///
    /// # Errors
    /// When it is refused, may not be sent on this session, or its outcome is unknown.
    pub async fn request(&self, body: Body, tlvs: Tlvs) -> Result<Pdu, RequestError> {
        self.ask(body, tlvs, None).await
    }

    /// If there is room the request is on its way when this returns, and not when it is first polled: futures of one task
    /// may be polled in another order than they were made in.
    fn ask(
        &self,
        body: Body,
        tlvs: Tlvs,
        tag: Option<u64>,
    ) -> impl Future<Output = Result<Pdu, RequestError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let asked = Command::Request(Box::new((body, tlvs)), Asked { reply, tag });
        let sent = self.commands.try_send(asked).map_err(|error| match error {
            TrySendError::Full(asked) => Some((self.commands.clone(), asked)),
            TrySendError::Closed(_) => None,
        });
        async move {
            let closed = || RequestError::NotSent(Refused::Closed);
            if let Err(waiting) = sent {
                let (commands, asked) = waiting.ok_or_else(closed)?;
                commands.send(asked).await.map_err(|_| closed())?;
            }
            // Without a word the task has gone, with its runtime: it may have sent the request.
            answer.await.unwrap_or(Err(RequestError::Lost(Why::Dropped)))
        }
    }

    /// Waits for what is outstanding, unbinds, and hangs up. Requests made after it are not sent.
    pub async fn unbind(&self) {
        let (done, ended) = oneshot::channel();
        if self.commands.send(Command::Unbind(done)).await.is_ok() {
            let _ = ended.await;
        }
    }

    /// Unbinds, and hangs up, without waiting for what is outstanding, which may be answered until the unbind is. Requests that
    /// wait for room, and those made after it, are not sent.
    pub async fn unbind_at_once(&self) {
        self.hurry.notify_one();
        self.unbind().await;
    }

    /// Completes when the session has ended, for whatever reason.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }
}

/// Who waits for a response.
#[derive(Debug)]
struct Asked {
    reply: oneshot::Sender<Result<Pdu, RequestError>>,
    tag: Option<u64>,
}

type Reply = Option<Asked>;

async fn bind<S>(driver: &mut Driver<S, Reply>, config: &ClientConfig) -> Result<(), ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = driver.request(config.bind_request(), Tlvs::new(), None);
    request.map_err(|_| ClientError::Ended(Why::Dropped))?;
    loop {
        match driver.next().await {
            Some(Event::Bound(_)) => return Ok(()),
            Some(Event::Ended { outcome: Outcome::Answered(pdu), .. }) if !succeeded(&pdu) => {
                hang_up(driver).await;
                return Err(ClientError::Refused(pdu.status));
            }
            Some(Event::Closed(why)) => return Err(ClientError::Ended(why)),
            None => return Err(ClientError::Ended(Why::Dropped)),
            Some(_) => {}
        }
    }
}

async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(driver: &mut Driver<S, Reply>) {
    driver.close();
    while driver.next().await.is_some() {}
}

/// The task that owns the driver: the one place that waits on it and on the handles.
struct Task<S> {
    driver: Driver<S, Reply>,
    command_queue: mpsc::Receiver<Command>,
    answer_queue: mpsc::UnboundedReceiver<(Ticket, CommandStatus)>,
    answers: mpsc::UnboundedSender<(Ticket, CommandStatus)>,
    delivered: mpsc::Sender<Delivery>,
    busy: CommandStatus,
    has_handles: bool,
    unbinding: bool,
    /// Whether what is outstanding is waited for before that.
    waits_for_answers: bool,
    /// Told when it is not to.
    hurry: Arc<Notify>,
    wait_for_the_end: Vec<oneshot::Sender<()>>,
    /// The tags of requests that have expired, by number, the oldest first.
    expired: VecDeque<(u32, u64)>,
    /// Requests that were outstanding at the end.
    lost: usize,
    end: Arc<OnceLock<SessionEnd>>,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Task<S> {
    /// A fixed order and no hidden chance: but for a hurried end events first, since they make room. After each of them the
    /// answers and requests that wait are taken, so that a flood of events cannot starve them; answers before requests, so
    /// that a full window of ours does not hold back what the SMSC waits for.
    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.hurry.notified(), if self.waits_for_answers => {
                    self.unbinding = true;
                    self.waits_for_answers = false;
                }
                event = self.driver.next() => match event {
                    Some(event) => self.happened(event),
                    None => break,
                },
                Some((ticket, status)) = self.answer_queue.recv() => self.answer(ticket, status),
                command = self.command_queue.recv(), if self.listens() => self.take(command),
            }
            self.answer_all();
            self.take_all();
            if self.unbinding && (self.driver.outstanding() == 0 || !self.waits_for_answers) {
                self.driver.unbind();
            }
        }
        self.refuse_the_rest().await;
    }

    fn answer_all(&mut self) {
        while let Ok((ticket, status)) = self.answer_queue.try_recv() {
            self.answer(ticket, status);
        }
    }

    fn answer(&mut self, ticket: Ticket, status: CommandStatus) {
        match (ticket.command(), status) {
            // A success has its id, if an empty one (§4.7.2); a header alone is for errors.
            (CommandId::DATA_SM, CommandStatus::ESME_ROK) => {
                let body = Body::DataSmResp(Some(MessageId::default()));
                self.driver.respond(ticket, status, body, Tlvs::new());
            }
            _ => self.driver.refuse(ticket, status),
        }
    }

    /// Takes the commands that wait and for which there is room, so that they leave in one write.
    fn take_all(&mut self) {
        while self.listens() {
            match self.command_queue.try_recv() {
                Ok(command) => self.take(Some(command)),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => self.take(None),
            }
        }
    }

    /// Once unbinding no room is needed: requests are refused.
    fn listens(&self) -> bool {
        self.has_handles && (self.unbinding || self.driver.has_room())
    }

    fn take(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Request(_, asked)) if self.unbinding => refuse(asked),
            Some(Command::Request(request, asked)) => self.request(*request, asked),
            Some(Command::Unbind(done)) => {
                self.unbinding = true;
                self.wait_for_the_end.push(done);
            }
            None => {
                self.unbinding = true;
                self.has_handles = false;
            }
        }
    }

    /// What is still queued when the session has ended was not sent, and must hear so.
    async fn refuse_the_rest(&mut self) {
        self.command_queue.close();
        while let Some(command) = self.command_queue.recv().await {
            if let Command::Request(_, asked) = command {
                refuse(asked);
            }
        }
    }

    fn request(&mut self, (body, tlvs): (Body, Tlvs), asked: Asked) {
        if let Err((refused, Some(asked))) = self.driver.request(body, tlvs, Some(asked)) {
            let _ = asked.reply.send(Err(RequestError::NotSent(refused)));
        }
    }

    fn happened(&mut self, event: Event<Reply>) {
        match event {
            Event::Ended { token: Some(asked), sequence, outcome, .. } => self.ended(asked, sequence, outcome),
            Event::Request(ticket, pdu) => self.deliver(pdu, Some(ticket)),
            Event::Notice(pdu) => self.deliver(pdu, None),
            Event::Closed(why) => {
                // Set once: this event is the last.
                let _ = self.end.set(SessionEnd { outstanding: self.lost, ..self.driver.end(why) });
            }
            Event::Ended { token: None, .. } | Event::Bound(_) => {}
        }
    }

    fn ended(&mut self, Asked { reply, tag }: Asked, sequence: u32, outcome: Outcome) {
        self.lost += usize::from(matches!(outcome, Outcome::Lost(_)) && self.driver.state() == State::Closed);
        if let (Outcome::Expired, Some(tag)) = (&outcome, tag) {
            if self.expired.len() >= EXPIRED_MAX {
                self.expired.pop_front();
            }
            self.expired.push_back((sequence, tag));
        }
        // Whoever asked may have stopped waiting.
        let _ = reply.send(result(outcome));
    }

    /// Hands a message on; a queue that is full, or that nobody reads any more, drops the delivery, which refuses it.
    fn deliver(&mut self, pdu: Pdu, ticket: Option<Ticket>) {
        let answer = ticket.map(|ticket| PendingAnswer { ticket, busy: self.busy, answers: self.answers.clone() });
        let tag = if pdu.command_id().is_response() { self.tag_of(pdu.sequence) } else { None };
        let _ = self.delivered.try_send(Delivery { pdu, tag, answer });
    }

    /// A number that was used twice stands for the later request.
    fn tag_of(&mut self, sequence: u32) -> Option<u64> {
        let at = self.expired.iter().rposition(|(expired, _)| *expired == sequence)?;
        self.expired.remove(at).map(|(_, tag)| tag)
    }
}

fn refuse(asked: Asked) {
    // Whoever asked may have stopped waiting.
    let _ = asked.reply.send(Err(RequestError::NotSent(Refused::Closed)));
}

fn result(outcome: Outcome) -> Result<Pdu, RequestError> {
    match outcome {
        Outcome::Answered(pdu) if succeeded(&pdu) => Ok(pdu),
        Outcome::Answered(pdu) => Err(RequestError::Refused(Box::new(pdu))),
        Outcome::Unreadable(error) => Err(RequestError::Unreadable(error)),
        Outcome::Expired => Err(RequestError::Expired),
        Outcome::Lost(why) => Err(RequestError::Lost(why)),
    }
}

/// A generic_nack is a refusal, whatever status it bears.
fn succeeded(pdu: &Pdu) -> bool {
    pdu.status == CommandStatus::ESME_ROK && !matches!(pdu.body, Body::GenericNack(_))
}
