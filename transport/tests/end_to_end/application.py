"""What is on the other side of the bus: it sends, takes inbound messages and events, and comes back when the bus was away."""

import json
import threading
import time

from parts import UNKNOWN, Api, Refused

NAME = "smpp"
SENDERS = 8  # each waits until its message is stored


def message(number, text):
    return {"to_addr": "2782%07d" % number, "from_addr": "1001", "transport_name": NAME, "transport_type": "sms", "content": text,
            "message_id": "m%d" % number}


class Numbers:
    """Counts up from 0, as far as is allowed."""

    def __init__(self, most):
        self.most, self.allowed, self.next, self.lock = most, 0, 0, threading.Lock()

    def take(self):
        """The next number, once it is allowed; the most that may be, once that is reached."""
        while True:
            with self.lock:
                if self.next >= self.most or self.next < self.allowed:
                    self.next += 1
                    return self.next - 1
            time.sleep(0.01)


class Application:
    """What each application counts. Messages have numbers, from 0 on; it sends as many as are `allowed`. `doubtful` are those that
    it put on the bus again, because nobody had said that they were there."""

    def __init__(self, count, text=lambda number: "message %d" % number):
        self.count, self.text = count, text
        self.events, self.inbound, self.sent, self.doubtful = {}, {}, 0, set()
        self.counts, self.is_over, self.numbers = {}, False, Numbers(count)
        self.lock = threading.Lock()

    def begin(self, *targets):
        self.threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(10)

    def allow(self, share):
        self.numbers.allowed = share * self.count

    def is_sent(self):
        with self.lock:
            self.sent += 1

    def body(self, number):
        return message(number, self.text(number))

    def take_event(self, event):
        kind = event["event_type"] if event["event_type"] != "delivery_report" else event["delivery_status"]
        kinds = self.events.setdefault(event["user_message_id"], {})
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] == 1:
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def take_inbound(self, message):
        self.inbound[message["content"]] = self.inbound.get(message["content"], 0) + 1

    def has(self, kind):
        """Of how many messages it has heard this."""
        return self.counts.get(kind, 0)

    def repeated(self, kind):
        return sum(kinds.get(kind, 1) - 1 for kinds in list(self.events.values()))


class OverAmqp(Application):
    """Over RabbitMQ."""

    def __init__(self, port, count, **more):
        super().__init__(count, **more)
        import pika
        self.pika, self.port = pika, port
        self.begin(*[self.send] * SENDERS, self.take)

    def channel(self):
        parameters = self.pika.ConnectionParameters("127.0.0.1", self.port, heartbeat=10, blocked_connection_timeout=30)
        channel = self.pika.BlockingConnection(parameters).channel()
        channel.exchange_declare("vumi", exchange_type="direct", durable=True)
        for queue in ("outbound", "inbound", "event"):
            name = "%s.%s" % (NAME, queue)
            channel.queue_declare(name, durable=True)
            channel.queue_bind(name, "vumi", name)
        return channel

    def again(self, work):
        while not self.is_over:
            try:
                if work(self.channel()):
                    return
            except (self.pika.exceptions.AMQPError, OSError):
                time.sleep(0.2)

    def send(self):
        properties, number, is_under_way = self.pika.BasicProperties(delivery_mode=2), self.numbers.take(), False

        def work(channel):
            nonlocal number, is_under_way
            channel.confirm_delivery()
            while number < self.count and not self.is_over:
                if is_under_way:
                    self.doubtful.add(number)
                is_under_way = True
                channel.basic_publish("vumi", NAME + ".outbound", json.dumps(self.body(number)), properties)
                self.is_sent()
                number, is_under_way = self.numbers.take(), False
            return True
        self.again(work)

    def take(self):
        def work(channel):
            channel.basic_qos(prefetch_count=500)
            queues = {NAME + ".inbound": self.take_inbound, NAME + ".event": self.take_event}
            for queue in queues:
                channel.basic_consume(queue, lambda channel, method, _, body, taken=queues[queue]: (
                    taken(json.loads(body)), channel.basic_ack(method.delivery_tag)))
            while not self.is_over:
                channel.connection.process_data_events(time_limit=0.2)
            return True
        self.again(work)


class OverHttp(Application):
    """Over HTTP, with the transport's own bus. What is sent counts once it is answered with 202."""

    def __init__(self, port, count, **more):
        super().__init__(count, **more)
        self.port = port
        self.begin(*[self.send] * SENDERS, lambda: self.take("/events", "events", self.take_event),
                   lambda: self.take("/inbound", "messages", self.take_inbound))

    def send(self):
        api = Api(self.port)
        while (number := self.numbers.take()) < self.count and not self.is_over:
            while not self.is_over:
                try:
                    api.ask("/outbound", self.body(number))
                    break
                except ConnectionRefusedError:
                    pass
                except Refused:
                    pass
                except UNKNOWN:
                    self.doubtful.add(number)
                time.sleep(0.05)
            self.is_sent()

    def take(self, path, field, taken):
        api, after = Api(self.port), 0
        while not self.is_over:
            try:
                page = api.ask("%s?after=%d&limit=1000&wait=1s" % (path, after))
            except (Refused, *UNKNOWN):
                time.sleep(0.05)
                continue
            for each in page[field]:
                taken(each)
            after = page["next"]
