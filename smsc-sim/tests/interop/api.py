"""The simulator's HTTP API, with nothing but the standard library."""

import json
import urllib.error
import urllib.parse
import urllib.request

SECONDS = 70  # the simulator waits at most 60 s before it answers


class Refused(Exception):
    """The simulator answered with an error; its words."""


class Api:
    def __init__(self, address):
        self.base = "http://%s/api/v1/" % address

    def get(self, path, **query):
        return self.call("GET", path, query=query)

    def post(self, path, body=None, **query):
        return self.call("POST", path, body, query)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def delete(self, path):
        return self.call("DELETE", path)

    def call(self, method, path, body=None, query=None):
        """What the answer's JSON says; None when there is none."""
        url = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused("%s %s: %d %s" % (method, path, error.code, error.read().decode(errors="replace"))) from None
