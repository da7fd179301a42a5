"""Providers that keep what they are sent, and answer as a test wants: an HTTP
sink and an SMTP server (aiosmtpd). Everything listens on loopback.

    sink = closing(HttpSink())
    sink.script(status(503), HANG)      # the next two requests; then default
    sink.wait(3)                        # the first three requests
    mail = closing(MailSink(tls="starttls", user="u", password="p"))
    mail.wait(1)[0].message             # email.message.EmailMessage
"""

import asyncio
import collections
import email
import email.policy
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import harness


def certificate(directory):
    """A self-signed certificate for localhost; (cert, key), which is its own
    CA file."""
    cert, key = os.path.join(directory, "c.pem"), os.path.join(
        directory, "c.key")
    if not os.path.exists(cert):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
             "-out", cert], check=True, capture_output=True)
    return cert, key


def server_tls(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


# -- HTTP ----------------------------------------------------------------------

class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.body = method, path, body
        self.fields = headers                  # as sent, in order
        self.headers = {k.lower(): v for k, v in headers}
        self.at = time.monotonic()

    def json(self):
        return json.loads(self.body)

    def key(self):
        return self.headers["idempotency-key"]

    def __repr__(self):
        return f"<{self.method} {self.path} {self.body[:200]!r}>"


class _Way:
    """What the sink does with a request besides answering."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


HANG = _Way("HANG")            # says nothing until the sink is closed
CUT = _Way("CUT")              # reads the request, ends the connection
RESET = _Way("RESET")          # the same with RST
CUT_BODY = _Way("CUT_BODY")    # half of a 200
STALL = _Way("STALL")          # the same, and the rest never comes
DRIP = _Way("DRIP")            # an answer whose head comes byte by byte
ENDLESS = _Way("ENDLESS")      # a 200 whose body does not end


def status(code, body=b"", headers=()):
    """An answer; headers as (name, value) pairs."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return (code, tuple(headers), body)


def redirect(url, code=307):
    return status(code, b"", [("Location", url)])


def later(seconds, code=429, body=b""):
    """429 (or 503) with Retry-After: seconds, or a date."""
    return status(code, body, [("Retry-After", str(seconds))])


class HttpSink(harness.TcpServer):
    """default answers what is not scripted. A scripted answer may also be a
    function of the request that returns one."""

    def __init__(self, host="127.0.0.1", tls=None, port=0):
        self.default = status(200, b"ok")
        self.requests, self.queue = [], collections.deque()
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.context = server_tls(tls) if tls else None
        super().__init__(self._serve, host, port)

    @property
    def url(self):
        return f"http{'s' if self.context else ''}://{self.host}:{self.port}"

    def script(self, *answers):
        with self.lock:
            self.queue.extend(answers)

    def wait(self, n, timeout=20.0):
        """The first n requests, once they are there."""
        harness.wait_for(lambda: len(self.requests) >= n, timeout,
                         f"request {n} at the sink")
        return self.requests[:n]

    def close(self):
        self.ended.set()
        super().close()

    def _serve(self, conn):
        if self.context:
            conn = self.context.wrap_socket(conn, server_side=True)
        stream = conn.makefile("rb")
        while self._one_request(conn, stream):
            pass

    def _one_request(self, conn, stream):
        line = stream.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = []
        while True:
            h = stream.readline(65536).decode("utf-8", "surrogateescape")
            if h in ("\r\n", "\n", ""):
                break
            name, _, value = h.partition(":")
            headers.append((name, value.strip()))
        known = {k.lower(): v for k, v in headers}
        if known.get("expect", "").lower() == "100-continue":
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = stream.read(int(known.get("content-length", 0)))
        request = Request(line[0], line[1], headers, body)
        with self.lock:
            self.requests.append(request)
            answer = self.queue.popleft() if self.queue else self.default
        if callable(answer):
            answer = answer(request)
        return self._answer(conn, answer)

    def _answer(self, conn, answer):
        if answer is HANG:
            self.ended.wait(120)
            return False
        if answer is CUT:
            return False
        if answer is RESET:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            return False
        if answer is CUT_BODY:
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            return False
        if answer is STALL:
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self.ended.wait(120)
            return False
        if answer is DRIP:
            conn.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.ended.wait(0.1):
                conn.sendall(b"x")
            return False
        if answer is ENDLESS:
            conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.ended.is_set():
                conn.sendall(b"x" * 65536)
            return False
        code, headers, body = answer
        head = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}",
                *(f"{k}: {v}" for k, v in headers)]
        conn.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return True


class Hook(HttpSink):
    """Where a webhook channel posts to."""

    def kinds(self):
        """What happened, event by event, in the order of arrival."""
        return [e["event"] for r in list(self.requests)
                for e in r.json()["events"]]


# -- SMTP ----------------------------------------------------------------------

class Mail:
    def __init__(self, session, envelope):
        self.sender, self.to = envelope.mail_from, list(envelope.rcpt_tos)
        self.data = envelope.content
        self.tls = session.ssl is not None
        self.user = session.auth_data
        self.at = time.monotonic()

    @property
    def message(self):
        return email.message_from_bytes(self.data, policy=email.policy.default)


class MailSink:
    """tls: None, "starttls" (offered and required) or "tls" (from the first
    byte); pair: certificate(). reply answers DATA ("451 4.3.0 later",
    "550 5.7.1 no"), refused[address] answers RCPT; hang: DATA is never
    answered."""

    def __init__(self, tls=None, pair=None, user=None, password=None,
                 host="127.0.0.1"):
        self.mails, self.refused = [], {}
        self.reply, self.hang = "250 2.0.0 taken", False
        self.logins = []                       # (mechanism, ok)
        self.login = (user, password) if user is not None else None
        self.implicit = tls == "tls"
        context = server_tls(pair) if tls else None
        more = {}
        if tls == "starttls":
            more = {"tls_context": context, "require_starttls": True}
        elif tls == "tls":
            more = {"ssl_context": context, "server_hostname": "localhost"}
        if self.login:
            more["auth_required"] = True
            more["auth_require_tls"] = tls == "starttls"
            more["authenticator"] = self._authenticate
        self.controller = Controller(self, hostname=host,
                                     port=harness.free_port(host), **more)
        self.controller.start()
        self.host, self.port = host, self.controller.port

    def _authenticate(self, _server, session, _envelope, mechanism, data):
        given = (data.login.decode(), data.password.decode())
        ok = given == self.login
        self.logins.append((mechanism, ok))
        if ok:
            session.auth_data = given[0]
        return AuthResult(success=ok, handled=ok, auth_data=given[0])

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server, session, envelope):
        if self.hang:
            await asyncio.sleep(120)
        if self.reply.startswith("2"):
            mail = Mail(session, envelope)
            mail.tls = mail.tls or self.implicit
            self.mails.append(mail)
        return self.reply

    def wait(self, n, timeout=20.0):
        harness.wait_for(lambda: len(self.mails) >= n, timeout,
                         f"mail {n} at the sink")
        return self.mails[:n]

    def close(self):
        self.controller.stop()
