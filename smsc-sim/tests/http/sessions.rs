//! Guards what is told of connections, and what is done to them.

use smpp_transport::driver::Client;
use smpp_transport::pdu::{Body, Leniency, Pdu, next_frame};
use smpp_transport::session::BindKind;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::world::{Api, LONG};

async fn ended(esme: &Client) {
    timeout(LONG, esme.ended()).await.expect("the session ends");
}

#[tokio::test]
async fn a_session_is_told_of_as_soon_as_it_is_bound() {
    let api = Api::start().await;
    let (sessions, esme) = tokio::join!(api.see("sessions?count=1&wait=20s"), api.esme(BindKind::Transceiver));
    let session = &sessions[0];
    assert_eq!((&session["system_id"], &session["bind"]), (&"smppclient1".into(), &"transceiver".into()), "{session}");
    assert_eq!(&api.see(&format!("sessions/{}", session["id"])).await["peer"], &session["peer"]);
    esme.unbind().await;
}

#[tokio::test]
async fn only_bound_sessions_of_the_account_are_counted() {
    let api = Api::start_with(|builder| builder.account("one", "secret").account("smppclient1", "password")).await;
    let _esme = api.esme(BindKind::Receiver).await;
    let _unbound = tokio::net::TcpStream::connect(api.smsc.address()).await.expect("it listens");
    assert_eq!(api.see("sessions?system_id=one").await, serde_json::json!([]));
    assert_eq!(api.see("sessions?system_id=smppclient1&wait=20s").await.as_array().map(Vec::len), Some(1));
    assert_eq!(api.see("sessions?count=2&wait=1ms").await.as_array().map(Vec::len), Some(1), "when the time is up");
}

#[tokio::test]
async fn sessions_are_ended_in_each_way() {
    let api = Api::start().await;
    for (number, how) in ["", "?how=unbind", "?how=close", "?how=reset"].iter().enumerate() {
        let esme = api.esme(BindKind::Transmitter).await;
        assert_eq!(api.delete(&format!("sessions/{}{how}", number + 1)).await.status, 204, "{how}");
        ended(&esme).await;
    }
}

#[tokio::test]
async fn what_is_no_way_to_end_is_refused() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transmitter).await;
    api.delete("sessions/1?how=softly").await.is_refused(400, Some("how"), "unknown variant `softly`");
    api.delete("sessions/7").await.is_refused(404, None, "there is no session 7");
    api.delete("sessions/one").await.is_refused(404, None, "there is no session one");
    api.get("sessions/7").await.is_refused(404, None, "there is no session 7");
    assert_eq!(api.see("sessions").await[0]["bind"], "transmitter", "it is still there");
}

#[tokio::test]
async fn steps_are_taken_one_or_several() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transceiver).await;
    let step = api.send("POST", "sessions/1/steps", "\"enquire_link\"").await;
    assert_eq!(step.status, 204, "{}", step.text());
    let answered = api.see("pdus?command=enquire_link_resp&wait=20s").await;
    assert_eq!(answered[0]["way"], "from_esme");
    let silence = r#"[{"silence": "10s"}, {"silence": "0"}, {"pace": {"octets": 65536, "pause": "0"}}]"#;
    assert_eq!(api.send("POST", "sessions/1/steps", silence).await.status, 204);
    assert_eq!(api.send("POST", "sessions/1/steps", r#"{"disconnect": "close"}"#).await.status, 204);
    ended(&esme).await;
}

#[tokio::test]
async fn steps_that_cannot_be_are_refused_with_their_place_and_none_is_taken() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transceiver).await;
    let steps = |body: &'static str| api.send("POST", "sessions/1/steps", body);
    let several = r#"["enquire_link", {"pace": {"octets": 0}}]"#;
    steps(several).await.is_refused(400, Some("[1].pace.octets"), "is 0: 1 or more is allowed");
    steps(r#"{"raw": "0g"}"#).await.is_refused(400, Some("raw"), "'g' at 1 is no hexadecimal digit");
    steps("\"hide\"").await.is_refused(400, None, "unknown variant `hide`");
    steps("5").await.is_refused(400, None, "a step such as");
    api.send("POST", "sessions/9/steps", "\"unbind\"").await.is_refused(404, None, "there is no session 9");
    assert_eq!(api.see("pdus?command=enquire_link").await, serde_json::json!([]));
}

#[tokio::test]
async fn an_esme_is_dialled_and_asked_to_bind() {
    let api = Api::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there are free ports");
    let body =
        format!(r#"{{"address": "{}", "system_id": "us", "password": "p"}}"#, listener.local_addr().expect("bound"));
    let dialled = api.send("POST", "outbind", body).await;
    assert_eq!((dialled.status, dialled.json()), (201, serde_json::json!({ "session": 1 })));
    let (mut stream, _) = listener.accept().await.expect("it is dialled");
    let mut input = bytes::BytesMut::new();
    let frame = loop {
        if let Some(frame) = next_frame(&mut input, 1024).expect("whole") {
            break frame;
        }
        assert!(timeout(LONG, stream.read_buf(&mut input)).await.expect("something comes").expect("it reads") > 0);
    };
    let pdu = Pdu::decode(&frame, Leniency::STRICT).expect("it is well");
    assert!(matches!(&pdu.body, Body::Outbind(outbind) if outbind.system_id.text() == "us"), "{pdu}");
    assert_eq!(api.see("sessions/1").await["outbound"], true);
}

#[tokio::test]
async fn who_cannot_be_dialled_is_refused() {
    let api = Api::start().await;
    let dial = |body: &'static str| api.send("POST", "outbind", body);
    dial("{}").await.is_refused(400, Some("address"), "address is \"\"");
    let long = r#"{"address": "127.0.0.1:1", "system_id": "sixteen-letters-"}"#;
    dial(long).await.is_refused(400, Some("system_id"), "sixteen-letters-");
    dial(r#"{"address": "127.0.0.1:1"}"#).await.is_refused(409, None, "cannot connect to 127.0.0.1:1");
}
