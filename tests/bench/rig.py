"""What every benchmark needs: processes pinned to a core and their CPU, a
target that answers, the daemon with some monitors, figures and a chart."""
import http.client
import http.server
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
VEDETTE = os.environ.get("VEDETTE", os.path.join(BUILD, "vedette"))
CHECK_HTTP = "/usr/lib/nagios/plugins/check_http"
QUICK = "--quick" in sys.argv

# What is compared with, and the Debian package that has it.
PEERS = {"nginx": "nginx-light", "openssl": "openssl", "taskset": "util-linux",
         "wrk": "wrk", "fping": "fping",
         "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
         CHECK_HTTP: "monitoring-plugins-basic"}
NEEDED = ("nginx", "openssl", "taskset")

procs = []
figures = []


def say(name, who, rate, value, unit, **more):
    extra = "".join(" %s=%s" % kv for kv in more.items())
    text = "%.4g" % value if isinstance(value, float) else value
    print("bench %s who=%s rate=%s value=%s unit=%s%s" % (name, who, rate, text, unit, extra),
          flush=True)
    figures.append((name, who, str(rate), float(value), unit))


def note(text):
    print("# " + text, file=sys.stderr, flush=True)


def have(tool):
    return os.path.exists(tool) if "/" in tool else shutil.which(tool) is not None


def own(name, folder="tests/bench"):
    """One of our bench programs, or None when it is not built."""
    path = os.path.join(BUILD, folder, name)
    return path if os.path.exists(path) else None


def name_missing():
    for tool, package in PEERS.items():
        if not have(tool):
            note("missing: %s (apt-get install %s)%s" % (tool, package, "" if tool in NEEDED
                                                         else ": left out"))
    for tool in ("bench_check", "bench_ping", "bench_store", "bench_queries"):
        if own(tool) is None:
            note("missing: %s/tests/bench/%s: left out; make bench builds it" % (BUILD, tool))
    if not os.path.exists(VEDETTE) or not all(have(t) for t in NEEDED):
        raise SystemExit("cannot measure without %s, %s" % (VEDETTE, ", ".join(NEEDED)))


# -- processes -------------------------------------------------------------

def pin(core, argv):
    return argv if core is None else ["taskset", "-c", str(core)] + argv


def spawn(argv, core=None, **kw):
    p = subprocess.Popen(pin(core, argv), **kw)
    procs.append(p)
    return p


def end(p):
    if p.poll() is None:
        p.terminate()
        try:
            p.wait(30)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def end_all():
    for p in procs:
        end(p)


def output(argv, core=None, timeout=60, **kw):
    """What it prints; "" when it fails or does not end."""
    try:
        return subprocess.run(pin(core, argv), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=timeout, **kw).stdout.decode()
    except (OSError, subprocess.TimeoutExpired) as e:
        note("%s: %s" % (os.path.basename(argv[0]), e))
        return ""


def children_s():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def cpu_s(pid):
    """Seconds on a CPU of all threads that live, to the nanosecond."""
    total = 0
    for t in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, t)) as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def rss_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, deadline=20):
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nothing listens on port %d" % port)


# -- the target --------------------------------------------------------------

NGINX = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;
worker_rlimit_nofile 60000;
events { worker_connections 40000; }
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp; reset_timedout_connection on;
  server { listen 0.0.0.0:%d backlog=30000; location / { return 200 "ok\\n"; } }
  server { listen 0.0.0.0:%d ssl backlog=30000; ssl_certificate srv.pem; ssl_certificate_key srv.key;
           ssl_session_cache off; ssl_session_tickets off; location / { return 200 "ok\\n"; } }
  server { listen 127.0.0.1:%d; location / { stub_status; } }
}
"""


class Target:
    """nginx on core 0 that answers "ok" on all of 127/8, plain and TLS."""

    def __init__(self, work):
        self.dir = os.path.join(work, "nginx")
        os.makedirs(self.dir)
        self.http, self.https, self.count = free_port(), free_port(), free_port()
        self.ca = os.path.join(self.dir, "ca.pem")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "90",
                     "-subj", "/CN=bench CA")
        self.openssl("req", *key, "-keyout", "srv.key", "-out", "srv.csr", "-subj", "/CN=localhost")
        with open(os.path.join(self.dir, "ext"), "w") as f:
            f.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.openssl("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-out", "srv.pem", "-days", "90", "-extfile", "ext")
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX % (self.http, self.https, self.count))
        self.p = spawn(["nginx", "-p", self.dir, "-c", conf], core=0, stderr=subprocess.DEVNULL)
        wait_port(self.http)
        wait_port(self.https)
        wait_port(self.count)
        self.own = 0      # connections that only counted
        self.own = self.accepted()

    def accepted(self):
        """Connections so far that were not made by this."""
        with urllib.request.urlopen("http://127.0.0.1:%d/" % self.count, timeout=10) as r:
            n = int(r.read().decode().split("\n")[2].split()[0])
        self.own += 1
        return n - self.own

    def openssl(self, *argv):
        subprocess.run(("openssl",) + argv, check=True, cwd=self.dir, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def url(self, scheme):
        return "%s://127.0.0.1:%d/" % (scheme, self.https if scheme == "https" else self.http)


# -- the daemon --------------------------------------------------------------

class Daemon:
    """vedette with these monitors; answers when the constructor returns."""

    def __init__(self, work, name, monitors, shards=1, core=1, in_flight=256, net="",
                 target=None):
        self.dir = os.path.join(work, name)
        self.core = core
        os.makedirs(self.dir)
        self.port = free_port()
        self.conf = os.path.join(self.dir, "vedette.yaml")
        with open(self.conf, "w") as f:
            f.write("server: { http: 127.0.0.1:%d, data: %s/data }\n" % (self.port, self.dir))
            f.write("limits: { shards: %s, in_flight: %d, per_host: %d }\n"
                    % (shards, in_flight, in_flight))
            f.write("log: { level: warn }\n%smonitors:\n" % net)
            f.writelines(monitors)
        self.start(target)

    def start(self, target=None):
        """With a target also the seconds until it sees the first check."""
        was = target.accepted() if target else 0
        first = None
        with open(os.path.join(self.dir, "log"), "a") as log:
            self.t0, self.ready_s = time.monotonic(), None
            self.p = spawn([VEDETTE, "serve", "-c", self.conf], core=self.core,
                           stdout=subprocess.DEVNULL, stderr=log)
        while True:
            if self.p.poll() is not None:
                with open(os.path.join(self.dir, "log")) as f:
                    raise SystemExit("vedette ended: " + f.read()[:2000])
            if target and first is None and target.accepted() > was:
                first = time.monotonic() - self.t0
            if self.ready_s is None and self.answers():
                self.ready_s = time.monotonic() - self.t0
            if self.ready_s is not None and (first or not target):
                break
            if time.monotonic() - self.t0 > 120:
                raise SystemExit("vedette did not get ready")
            time.sleep(0.01)
        self.first_s = first

    def answers(self):
        try:
            return self.get("/readyz") != ""
        except OSError:
            return False

    def get(self, path):
        url = "http://127.0.0.1:%d%s" % (self.port, path)
        with urllib.request.urlopen(url, timeout=60) as r:
            return r.read().decode()

    def metrics(self):
        """The daemon's own figures."""
        out = {}
        for line in self.get("/metrics?monitors=no").splitlines():
            if not line.startswith("#") and " " in line:
                k, v = line.rsplit(" ", 1)
                out[k] = float(v)
        return out

    def window(self, seconds):
        """Over this time: checks per second, CPU seconds per second, and the
        metrics at both ends."""
        m0, t0 = self.metrics(), time.monotonic()
        c0, w0 = cpu_s(self.p.pid), time.monotonic()
        time.sleep(seconds)
        c1, w1 = cpu_s(self.p.pid), time.monotonic()
        m1, t1 = self.metrics(), time.monotonic()
        return (checks(m1) - checks(m0)) / (t1 - t0), (c1 - c0) / (w1 - w0), m0, m1


class Port:
    """A listening port that answers nothing, until it is closed."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.sock.accept()[0].close()
            except OSError:
                return

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Sink:
    """A provider that takes everything, and when."""

    def __init__(self):
        sink, self.messages = self, 0
        self.seen = []   # (when, event, monitor)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.take(time.time(), json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, now, body):
        self.messages += 1
        for e in body["events"] if isinstance(body, dict) else body:
            self.seen.append((now, e.get("event"), (e.get("monitor") or {}).get("name")))

    def at(self, event):
        return [at for at, e, _ in list(self.seen) if event in (None, e)]

    def wait(self, event, n, deadline):
        until = time.monotonic() + deadline
        while time.monotonic() < until and len(self.at(event)) < n:
            time.sleep(0.05)

    def close(self):
        self.server.shutdown()


def control(daemon):
    """A connection to the control socket."""
    c = http.client.HTTPConnection("localhost", timeout=60)
    c.sock = socket.socket(socket.AF_UNIX)
    c.sock.settimeout(60)
    c.sock.connect(os.path.join(daemon.dir, "data", "control.sock"))
    return c


def api(daemon, path):
    c = control(daemon)
    c.request("GET", path)
    body = c.getresponse().read()
    c.close()
    return json.loads(body)


def posts(daemon, path, n, threads):
    """n requests over the control socket, as fast as they are answered."""
    def some():
        conn = control(daemon)
        for _ in range(n // threads):
            conn.request("POST", path)
            conn.getresponse().read()
        conn.close()

    workers = [threading.Thread(target=some) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def checks(m, result=None):
    """Checks that ended; those voided as our own fault do not count."""
    wanted = (result,) if result else ("ok", "fail")
    return sum(v for k, v in m.items() if k.startswith("vedette_checks_total{")
               and any('result="%s"' % r in k for r in wanted))


def lag(before, after, q):
    """This quantile of the lag between two looks: at most so many seconds."""
    rows = []
    for k in after:
        m = re.match(r'vedette_sched_lag_seconds_bucket\{.*le="([^"]+)"', k)
        if m:
            rows.append((float(m.group(1)), after[k] - before.get(k, 0)))
    rows.sort()
    for le, n in rows:
        if rows[-1][1] and n >= q * rows[-1][1]:
            return le
    return float("nan")


# -- the chart ---------------------------------------------------------------

WIDTH = 46


def chart(names):
    """Bars per name and rate, the shortest first; they share a scale."""
    for name, title in names:
        rates = []
        for f in figures:
            if f[0] == name and f[2] not in rates:
                rates.append(f[2])
        for rate in rates:
            rows = sorted((f[3], f[1]) for f in figures if f[0] == name and f[2] == rate)
            unit = [f[4] for f in figures if f[0] == name and f[2] == rate][0]
            print("\n%s, %s (%s)" % (title, rate, unit))
            for value, who in rows:
                bar = "#" * max(1, round(WIDTH * value / rows[-1][0])) if rows[-1][0] > 0 else ""
                print("  %-22s %8.4g %s" % (who, value, bar))


def bounded(seconds):
    """End by ourselves, whatever hangs."""
    def over(*_):
        note("not done after %d s: stopped" % seconds)
        raise SystemExit(1)
    signal.signal(signal.SIGALRM, over)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.alarm(seconds)
