"""An ESME of a few octets: it binds, submits, answers what it is asked. Written by hand, so that it judges by the standard alone."""

import socket
import struct
import time

GENERIC_NACK, SUBMIT_SM, DELIVER_SM, UNBIND, BIND_TRANSCEIVER, ENQUIRE_LINK, DATA_SM = 0x80000000, 4, 5, 6, 9, 0x15, 0x103
RESPONSE = 0x80000000


class Pdu:
    def __init__(self, octets):
        _, self.command, self.status, self.sequence = struct.unpack(">IIII", octets[:16])
        self.body = octets[16:]


def string(text):
    return text.encode("ascii") + b"\0"


class Esme:
    def __init__(self, host, port, system_id="smppclient1", password="password", timeout=15):
        self.timeout = timeout
        self.socket = socket.create_connection((host, port), timeout)
        self.sequence = 0
        bind = string(system_id) + string(password) + string("") + bytes([0x34, 0, 0]) + string("")
        response = self.wait(self.ask(BIND_TRANSCEIVER, bind), BIND_TRANSCEIVER)
        if response.status:
            raise ConnectionError("the bind is refused with status 0x%08x" % response.status)

    def send(self, command, status, sequence, body=b""):
        self.socket.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def ask(self, command, body=b""):
        self.sequence += 1
        self.send(command, 0, self.sequence, body)
        return self.sequence

    def octets(self, count):
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                raise ConnectionError("the simulator has closed the connection")
            octets += more
        return octets

    def read(self):
        """The next PDU; a request of the simulator's is answered."""
        length = self.octets(4)
        pdu = Pdu(length + self.octets(struct.unpack(">I", length)[0] - 4))
        if not pdu.command & RESPONSE:
            self.send(pdu.command | RESPONSE, 0, pdu.sequence, b"\0" if pdu.command in (DELIVER_SM, DATA_SM) else b"")
        return pdu

    def read_until(self, wanted, words):
        deadline = time.monotonic() + self.timeout
        try:
            while time.monotonic() < deadline:
                pdu = self.read()
                if wanted(pdu):
                    return pdu
        except TimeoutError:
            pass  # of one read: told as that of all
        raise TimeoutError("%s did not come within %d s" % (words, self.timeout))

    def wait(self, sequence, command):
        """The response to a request."""
        return self.read_until(lambda pdu: pdu.sequence == sequence and pdu.command in (command | RESPONSE, GENERIC_NACK),
                               "the response to command 0x%02x" % command)

    def wait_for(self, command, part=b""):
        """A request of the simulator's whose body has this part."""
        return self.read_until(lambda pdu: pdu.command == command and part in pdu.body, "command 0x%02x" % command)

    def submit(self, text, to="27821230001", receipt=True):
        """The status of the response to a message."""
        short = text.encode("ascii")
        body = (string("") + bytes([1, 1]) + string("1001") + bytes([1, 1]) + string(to) + bytes(3) + string("") + string("")
                + bytes([int(receipt), 0, 0, 0, len(short)]) + short)
        return self.wait(self.ask(SUBMIT_SM, body), SUBMIT_SM).status

    def close(self):
        self.socket.close()
