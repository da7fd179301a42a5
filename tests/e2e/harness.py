"""What the end-to-end tests are built on: the real binary in a directory of
its own, clients for its API, and waiting for a condition with a deadline.

VEDETTE names the binary (default build/vedette). Only the standard library.
"""

import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get(
    "VEDETTE", os.path.join(ROOT, "build", "vedette")))


def sanitised():
    """Is the binary built with a sanitizer: slower, and larger."""
    with open(BINARY, "rb") as f:
        data = f.read()
    return b"__asan_init" in data or b"__tsan_init" in data


SLOW = 3.0 if os.path.exists(BINARY) and sanitised() else 1.0

# Any of these in a log is a finding, whatever the test was about.
BAD_LINES = re.compile(
    r"ERROR: \w*Sanitizer|WARNING: \w*Sanitizer|runtime error:"
    r"|Assertion .* failed|assertion failed|LeakSanitizer"
    r"|corrupted|double free|stack smashing", re.I)


# What a check of a sound target says on a machine that is too busy.
LATE = {"timeout", "net_timeout", "tls_timeout", "dns_timeout"}


def free_port(host="127.0.0.1", kind=socket.SOCK_STREAM):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def wait_for(cond, timeout=15.0, what="the condition", every=0.05):
    """Wait until cond() is true; its value is returned."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = cond()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(
                f"{what} did not come within {timeout * SLOW:g} s")
        time.sleep(every)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10.0):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<Answer {self.status} {self.body[:300]!r}>"


class Api:
    """One request a connection; control socket, or TCP with a token."""

    def __init__(self, connect, token=None):
        self.connect, self.token = connect, token

    def request(self, method, path, body=None, headers=None, timeout=10.0):
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        conn = self.connect(timeout * SLOW)
        try:
            conn.request(method, path, body=body, headers=headers)
            r = conn.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            conn.close()

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=b"", **kw):
        return self.request("POST", path, body=body, **kw)

    def patch(self, path, body, **kw):
        return self.request("PATCH", path, body=body, **kw)

    def put(self, path, body, **kw):
        return self.request("PUT", path, body=body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def items(self, path, limit=1000):
        """Every page of a list."""
        out, cursor = [], None
        sep = "&" if "?" in path else "?"
        while True:
            url = f"{path}{sep}limit={limit}"
            if cursor is not None:
                url += "&cursor=" + urllib.parse.quote(str(cursor), safe="")
            a = self.get(url)
            assert a.status == 200, a
            page = a.json()
            assert set(page) >= {"items", "next"}, page
            assert len(page["items"]) <= limit
            out += page["items"]
            cursor = page["next"]
            if cursor is None:
                return out


class Sse:
    """A stream of server-sent events, read by a thread."""

    def __init__(self, connect, path, last_id=None, token=None):
        self.events, self.ended = [], False
        self.conn = connect(60)
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        if token:
            headers["Authorization"] = "Bearer " + token
        self.conn.request("GET", path, headers=headers)
        self.response = self.conn.getresponse()
        self.status = self.response.status
        self.sock = self.conn.sock
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        ev = {}
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\n").rstrip("\r")
                if line == "":
                    if "data" in ev:
                        self.events.append(ev)
                    ev = {}
                    continue
                if line.startswith(":"):
                    continue
                key, _, value = line.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if key == "data" and "data" in ev:
                    value = ev["data"] + "\n" + value
                ev[key] = value
        except (OSError, ValueError, http.client.HTTPException,
                AttributeError):
            pass
        self.ended = True

    def named(self, name):
        return [e for e in list(self.events) if e.get("event") == name]

    def close(self):
        try:
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.conn.close()


class Daemon:
    """One vedette with its directory. Config is a mapping (written as JSON,
    which is YAML) or text; server.http and server.data are filled in."""

    def __init__(self, directory, config=None, http_host="127.0.0.1"):
        self.dir = str(directory)
        self.data = os.path.join(self.dir, "d")
        self.config_path = os.path.join(self.dir, "vedette.yaml")
        self.log_path = os.path.join(self.dir, "log")
        self.out_path = os.path.join(self.dir, "out")
        self.control = os.path.join(self.data, "control.sock")
        self.http_host = http_host
        self.port = free_port(http_host)
        self.proc = None
        self.api = Api(lambda t: UnixConnection(self.control, t))
        if config is not None:
            self.configure(config)

    # -- configuration

    def configure(self, config):
        if isinstance(config, dict):
            config = json.loads(json.dumps(config))
            host = f"[{self.http_host}]" if ":" in self.http_host \
                else self.http_host
            server = config.setdefault("server", {})
            server.setdefault("http", f"{host}:{self.port}")
            server.setdefault("data", self.data)
            config.setdefault("status_page", {})
            if not config["status_page"]:
                del config["status_page"]
            config = json.dumps(config, indent=1, ensure_ascii=False)
        with open(self.config_path, "w") as f:
            f.write(config)

    def monitors(self, monitors, **sections):
        self.configure({"monitors": monitors, **sections})

    # -- life

    def env(self, extra=None):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("VEDETTE")}
        env.setdefault("ASAN_OPTIONS", "exitcode=77:abort_on_error=0")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        env.setdefault("TSAN_OPTIONS", "exitcode=66:halt_on_error=0")
        env.update(extra or {})
        return env

    def start(self, ready=True, env=None, preexec=None, wrap=(),
              timeout=20.0, binary=BINARY):
        assert self.proc is None or self.proc.poll() is not None
        with open(self.log_path, "ab") as log, \
                open(self.out_path, "ab") as out:
            self.proc = subprocess.Popen(
                [*wrap, binary, "serve", "-c", self.config_path],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                cwd=self.dir, env=self.env(env), preexec_fn=preexec)
        if ready:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20.0):
        def ready():
            assert self.proc.poll() is None, \
                f"vedette ended with {self.proc.returncode}:\n{self.log()}"
            try:
                return self.api.get("/readyz").status == 200
            except OSError:
                return False
        wait_for(ready, timeout, "readiness")

    def stop(self, timeout=25.0):
        """SIGTERM; the exit code."""
        if self.proc is None:
            return None
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        try:
            rc = self.proc.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise AssertionError(f"no end within {timeout:g} s of SIGTERM:\n"
                                 + self.log()[-3000:])
        self.proc = None
        return rc

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        self.proc = None

    def signal(self, sig):
        self.proc.send_signal(sig)

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def finish(self):
        """At the end of a test: a clean end and a clean log."""
        try:
            if self.alive():
                rc = self.stop()
                assert rc == 0, f"exit code {rc}:\n{self.log()[-3000:]}"
        finally:
            if self.alive():
                self.proc.kill()
                self.proc.wait()
        bad = BAD_LINES.search(self.log())
        assert bad is None, self.log()[max(0, bad.start() - 200):][:4000]

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    # -- clients

    def tcp(self, token=None):
        return Api(lambda t: http.client.HTTPConnection(
            self.http_host, self.port, timeout=t), token)

    def tcp_connect(self, timeout):
        return http.client.HTTPConnection(
            self.http_host, self.port, timeout=timeout)

    def unix_connect(self, timeout):
        return UnixConnection(self.control, timeout)

    def url(self, path="/"):
        host = f"[{self.http_host}]" if ":" in self.http_host \
            else self.http_host
        return f"http://{host}:{self.port}{path}"

    def events_stream(self, last_id=None, path="/api/v1/events/stream"):
        return Sse(self.unix_connect, path, last_id)

    def cli(self, *args, env=None, stdin=None, timeout=30, where=True):
        """Run a client command against this daemon."""
        args = [str(a) for a in args]
        if where and "--data" not in args and "--url" not in args:
            args[1:1] = ["--data", self.data]
        return run(*args, env=self.env(env), stdin=stdin, timeout=timeout,
                   cwd=self.dir)

    def reload(self):
        """SIGHUP, and wait until the daemon has said what came of it."""
        before = self.log().count("configuration applied") + \
            self.log().count("not applied")
        self.signal(signal.SIGHUP)
        wait_for(lambda: self.log().count("configuration applied")
                 + self.log().count("not applied") > before,
                 what="the end of a reload")

    # -- questions

    def monitor(self, path):
        """The monitor with this path, or None."""
        a = self.api.get("/api/v1/monitors?name="
                         + urllib.parse.quote(path, safe=""))
        assert a.status == 200, a
        for m in a.json()["items"]:
            if m["path"] == path:
                return m
        return None

    def id(self, path):
        return self.monitor(path)["id"]

    def status(self, path):
        m = self.monitor(path)
        return m["status"] if m else None

    def wait_status(self, path, *statuses, timeout=15.0, why=None):
        """Until it has one of these. With why (what the caller expects: a
        word or several): a lack of time that nobody expects is this
        machine's, so the next check is waited for."""
        last = []
        late = LATE.difference([why] if isinstance(why, str) else why or LATE)

        def reached():
            m = self.monitor(path)
            last[:] = [m and (m["status"], m["why"], m["reason"])]
            return m if m and m["status"] in statuses \
                and m["why"] not in late else None
        try:
            return wait_for(reached, timeout)
        except AssertionError:
            raise AssertionError(
                f"{path} is {last}, not {statuses}, after {timeout:g} s\n"
                + self.log()[-2000:])

    def wait_samples(self, path, n=1, timeout=15.0):
        return wait_for(
            lambda: (lambda s: s if len(s) >= n else None)(
                self.samples(path)), timeout, f"{n} samples of {path}")

    def samples(self, path):
        return self.api.items(f"/api/v1/monitors/{self.id(path)}/samples")

    def transitions(self, path):
        """Oldest first."""
        return self.api.items(
            f"/api/v1/monitors/{self.id(path)}/transitions")[::-1]

    def events(self):
        return self.api.items("/api/v1/events")[::-1]

    def push(self, token, query="", method="GET", timeout=10.0):
        return self.tcp().request(method, f"/push/{token}{query}",
                                  timeout=timeout)

    def metrics(self):
        a = self.tcp().get("/metrics")
        assert a.status == 200, a
        return a.text

    def fds(self):
        return len(os.listdir(f"/proc/{self.proc.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.proc.pid}/task"))

    def children(self):
        try:
            with open(f"/proc/{self.proc.pid}/task/{self.proc.pid}"
                      "/children") as f:
                return f.read().split()
        except FileNotFoundError:
            return []


def run(*args, env=None, stdin=None, timeout=30, cwd=None):
    """The binary with arguments; a finished process with text."""
    if env is None:
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("VEDETTE")}
    p = subprocess.run([BINARY, *[str(a) for a in args]], env=env, cwd=cwd,
                       input=stdin, capture_output=True, timeout=timeout,
                       text=True, errors="replace",
                       **({} if stdin is not None
                          else {"stdin": subprocess.DEVNULL}))
    assert not BAD_LINES.search(p.stderr), p.stderr
    return p


def may_ping():
    """May we, and so a daemon that we start, send ICMP echoes?"""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
            return True
        except OSError:
            pass
    return False


NO_PING = "no permission to ping (net.ipv4.ping_group_range)"


def public_binary(directory):
    """A copy that another user may run: it may be built where only root can
    go."""
    return shutil.copy(BINARY, os.path.join(directory, "vedette-copy"))


def limit_fds(n):
    """For preexec: at most n descriptors, hard."""
    def f():
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
    return f


class TcpServer:
    """A server whose every connection is handled by handle(conn)."""

    def __init__(self, handle, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(512)
        self.host, self.port = host, self.sock.getsockname()[1]
        self.handle, self.hits, self.closed = handle, 0, False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.hits += 1
            threading.Thread(target=self._one, args=(conn,),
                             daemon=True).start()

    def _one(self, conn):
        try:
            conn.settimeout(30)
            self.handle(conn)
        except OSError:
            pass
        finally:
            conn.close()

    def close(self):
        if self.closed:
            return
        self.closed = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class WebServer(TcpServer):
    """HTTP by hand: answers are raw bytes, chosen by path. Set answer, or
    paths[path]; requests are kept in seen as (method, path, headers, body)."""

    def __init__(self, host="127.0.0.1", port=0):
        self.answer = web_answer(200, b"hello\n")
        self.paths, self.seen, self.delay = {}, [], 0.0
        super().__init__(self._serve, host, port)

    def _serve(self, conn):
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = conn.recv(65536)
            if not chunk:
                return
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, _, v in
                   (x.partition(":") for x in lines[1:])}
        want = int(headers.get("content-length", 0))
        while len(body) < want:
            chunk = conn.recv(65536)
            if not chunk:
                return
            body += chunk
        self.seen.append((method, path, headers, body))
        if self.delay:
            time.sleep(self.delay)
        answer = self.paths.get(path.split("?")[0], self.answer)
        if callable(answer):
            answer(conn)
        else:
            conn.sendall(answer)

    @property
    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def web_answer(status, body=b"", headers=(), reason="X"):
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}",
             "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Blackhole:
    """A port that takes connections into a full backlog and never answers a
    SYN after that: connect hangs."""

    def __init__(self, host="127.0.0.1"):
        self.sock = socket.socket()
        self.sock.bind((host, 0))
        self.sock.listen(0)
        self.host, self.port = host, self.sock.getsockname()[1]
        self.fill = []
        for _ in range(4):   # until one hangs
            s = socket.socket()
            s.setblocking(False)
            try:
                s.connect((host, self.port))
            except BlockingIOError:
                pass
            self.fill.append(s)
        time.sleep(0.2)

    def close(self):
        for s in self.fill:
            s.close()
        self.sock.close()


class UdpSink:
    """A UDP port that reads and says nothing: a hung resolver."""

    def __init__(self, host="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.host, self.port = host, self.sock.getsockname()[1]

    def close(self):
        self.sock.close()


def have(program):
    return shutil.which(program, path=os.environ.get("PATH", "")
                        + ":/usr/sbin:/sbin")


class Program:
    """A server from a Debian package, ended by its pid."""

    def __init__(self, argv, log, ready, timeout=10.0):
        self.log_path = log
        with open(log, "ab") as f:
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                         stdout=f, stderr=f)

        def up():
            assert self.proc.poll() is None, \
                f"{argv[0]} ended: " + open(log).read()
            return ready()
        try:
            wait_for(up, timeout, argv[0])
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()


def port_open(host, port):
    try:
        socket.create_connection((host, port), 0.5).close()
        return True
    except OSError:
        return False


def seconds(rfc3339):
    """An RFC 3339 time of the API as Unix seconds."""
    import calendar
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z", rfc3339)
    assert m, f"{rfc3339!r} is not RFC 3339 in UTC"
    return calendar.timegm(time.strptime(m[1], "%Y-%m-%dT%H:%M:%S")) + \
        float(m[2] or 0)
