"""Testing an SMPP client with pytest against a running simulator: `pip install pytest requests smpplib`."""

import os

import pytest
import requests
import smpplib.client

HOST, PORT = os.environ.get("SMSC_SMPP", "127.0.0.1:2775").split(":")
API = "http://%s/api/v1" % os.environ.get("SMSC_HTTP", "127.0.0.1:2776")


@pytest.fixture
def client():
    """A session of its own for each test, and a simulator that has forgotten the test before."""
    requests.post(API + "/reset", json={}).raise_for_status()
    with smpplib.client.Client(HOST, PORT, allow_unknown_opt_params=True) as client:
        client.connect()
        client.bind_transceiver(system_id="smppclient1", password="password")
        yield client


def submit(client, text):
    client.send_message(source_addr="40404", destination_addr="447700900123", short_message=text, registered_delivery=1)
    return client.read_pdu()


def test_what_was_submitted(client):
    submit(client, b"hello")
    [message] = requests.get(API + "/messages?to=447700900123&count=1&wait=5s").json()
    assert message["text"] == "hello"
    assert message["state"] == "DELIVERED"


def test_a_message_that_is_refused(client):
    rule = {"when": {"text": "spam"}, "then": {"status": "ESME_RSUBMITFAIL"}}
    requests.put(API + "/rules", json=[rule]).raise_for_status()
    assert submit(client, b"spam").status == 0x45
    assert submit(client, b"no such thing").status == 0


def test_a_message_from_a_phone(client):
    requests.post(API + "/deliver", json={"from": "447700900123", "to": "40404", "text": "STOP"}).raise_for_status()
    assert client.read_pdu().short_message == b"STOP"
