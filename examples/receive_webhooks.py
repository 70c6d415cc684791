"""Receives webhooks and prints those whose signature holds: `WEBHOOK_SECRET=whsec_… python receive_webhooks.py 7788 [--once]`.

Any library for Standard Webhooks does the checking; here it is by hand, to show how little there is to it. Each event may come more
than once (`webhook-id` is the same then), so a real receiver keeps the ids that it has handled, in the transaction that handles them.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
TOLERANCE_S = 300


def is_ours(headers, body: bytes) -> bool:
    """Whether one of the signatures is made with our key, and not long ago."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERANCE_S:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split(" "))


class Receiver(BaseHTTPRequestHandler):
    heard = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        good = is_ours(self.headers, body)
        self.send_response(204 if good else 401)  # whatever is not 2xx comes again
        self.end_headers()
        if good:
            event = json.loads(body)
            print(json.dumps({"type": event["type"], "record_id": event["record_id"], "changes": event["changes"]}), flush=True)
            Receiver.heard += 1

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
while "--once" not in sys.argv or not Receiver.heard:
    server.handle_request()
