#!/usr/bin/python3
"""The benchmark of the whole daemon, beside what anyone can install.

    tests/bench/bench.py [http] [https] [ping] [scale] [--quick]

Every figure is one line that a program can read:

    bench NAME who=WHO rate=RATE value=V unit=U

and everything that is compared is measured in the same run. The target (nginx)
is pinned to core 0, what is measured to core 1. CPU is what the measured
process and its children used, from /proc or getrusage, divided by the checks
that it itself says it has done. All traffic stays on loopback.
"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
VEDETTE = os.environ.get("VEDETTE", os.path.join(BUILD, "vedette"))
TICK = os.sysconf("SC_CLK_TCK")
procs = []
QUICK = "--quick" in sys.argv
WINDOW = 6 if QUICK else 15


def say(name, who, rate, value, unit, **more):
    extra = "".join(" %s=%s" % kv for kv in more.items())
    text = "%.4g" % value if isinstance(value, float) else value
    print("bench %s who=%s rate=%s value=%s unit=%s%s" % (name, who, rate, text, unit, extra),
          flush=True)


def note(text):
    print("# " + text, file=sys.stderr, flush=True)


def spawn(argv, core=None, **kw):
    if core is not None and shutil.which("taskset"):
        argv = ["taskset", "-c", str(core)] + argv
    p = subprocess.Popen(argv, **kw)
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


def cpu_s(pid):
    """User and system seconds of one process, its ended children included."""
    with open("/proc/%d/stat" % pid) as f:
        v = f.read().rsplit(")", 1)[1].split()
    return sum(int(x) for x in v[11:15]) / TICK


def rss_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


class Target:
    """nginx that answers "ok" on many 127/8 addresses, plain and TLS."""

    def __init__(self, work):
        self.http, self.https = free_port(), free_port()
        self.dir = os.path.join(work, "nginx")
        os.makedirs(self.dir)
        sh = lambda *a: subprocess.run(a, check=True, cwd=self.dir, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "90", "-subj", "/CN=bench CA")
        sh("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-keyout", "srv.key", "-out", "srv.csr", "-subj", "/CN=localhost")
        with open(os.path.join(self.dir, "ext"), "w") as f:
            f.write("subjectAltName=DNS:localhost," + ",".join("IP:127.0.0.%d" % i for i in range(1, 65)))
        sh("openssl", "x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
           "-CAcreateserial", "-out", "srv.pem", "-days", "90", "-extfile", "ext")
        self.ca = os.path.join(self.dir, "ca.pem")
        with open(os.path.join(self.dir, "nginx.conf"), "w") as f:
            f.write("""
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;
worker_rlimit_nofile 60000;
events { worker_connections 40000; }
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp; reset_timedout_connection on;
  server { listen 0.0.0.0:%d backlog=30000; location / { return 200 "ok\\n"; } }
  server { listen 0.0.0.0:%d ssl backlog=30000; ssl_certificate srv.pem; ssl_certificate_key srv.key;
           ssl_session_cache off; ssl_session_tickets off; location / { return 200 "ok\\n"; } }
}
""" % (self.http, self.https))
        self.p = spawn(["nginx", "-p", self.dir, "-c", os.path.join(self.dir, "nginx.conf")], core=0,
                       stderr=subprocess.DEVNULL)
        wait_port(self.http)
        wait_port(self.https)


class Daemon:
    def __init__(self, work, name, monitors, extra="", shards=1, core=1, net=""):
        self.dir = os.path.join(work, name)
        os.makedirs(self.dir)
        self.port = free_port()
        conf = os.path.join(self.dir, "vedette.yaml")
        with open(conf, "w") as f:
            f.write("server: { http: 127.0.0.1:%d, data: data }\n" % self.port)
            f.write("limits: { shards: %d, in_flight: 16384, per_host: 16384 }\n" % shards)
            f.write("log: { level: warn }\n%s%smonitors:\n" % (net, extra))
            f.writelines(monitors)
        self.t0 = time.monotonic()
        self.p = spawn([VEDETTE, "serve", "-c", conf], core=core, stdout=subprocess.DEVNULL,
                       stderr=open(os.path.join(self.dir, "log"), "w"))
        self.ready_s = None
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.p.poll() is not None:
                raise SystemExit("vedette ended: " + open(os.path.join(self.dir, "log")).read()[:2000])
            try:
                self.metrics()
                self.ready_s = time.monotonic() - self.t0
                break
            except OSError:
                time.sleep(0.02)
        else:
            raise SystemExit("vedette did not get ready")

    def metrics(self):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port, timeout=60) as r:
            return r.read().decode()

    def core_metrics(self):
        """Only the families without a monitor label, parsed."""
        out = {}
        for line in self.metrics().splitlines():
            if line.startswith("#") or "monitor=" in line or " " not in line:
                continue
            k, v = line.rsplit(" ", 1)
            out[k] = float(v)
        return out

    def checks(self, m=None):
        m = m or self.core_metrics()
        return sum(v for k, v in m.items() if k.startswith("vedette_checks_total{"))

    def pid(self):
        # taskset execs, so the pid is the daemon's
        return self.p.pid


def quantile(before, after, q):
    """From the difference of two Prometheus histograms, in seconds."""
    rows = []
    for k, v in after.items():
        m = re.match(r'vedette_sched_lag_seconds_bucket\{le="([^"]+)"', k)
        if m:
            rows.append((float(m.group(1).replace("+Inf", "inf")), v - before.get(k, 0)))
    rows.sort()
    if not rows or rows[-1][1] <= 0:
        return float("nan")
    want = q * rows[-1][1]
    for le, n in rows:
        if n >= want:
            return le
    return float("inf")


def yaml_http(n, interval, port, scheme="http", hosts=64):
    return ["  - { name: m%d, type: http, url: \"%s://127.0.0.%d:%d/\", interval: %s, retries: 0 }\n"
            % (i, scheme, 1 + i % hosts, port, interval) for i in range(n)]


def measure_daemon(work, name, scheme, rate, target):
    """rate checks a second (None: more than a core can do)."""
    n = rate if rate else (3000 if scheme == "https" else 30000)
    port = target.https if scheme == "https" else target.http
    net = "net: { ca_file: %s }\n" % target.ca if scheme == "https" else ""
    d = Daemon(work, "%s-%s" % (name, rate), yaml_http(n, "1s", port, scheme), net=net)
    time.sleep(3 if QUICK else 6)
    m0, c0, t0 = d.core_metrics(), cpu_s(d.pid()), time.monotonic()
    time.sleep(WINDOW)
    m1, c1, t1 = d.core_metrics(), cpu_s(d.pid()), time.monotonic()
    done = d.checks(m1) - d.checks(m0)
    stored = m1.get('vedette_store_rows_total{kind="sample"}', 0) - m0.get(
        'vedette_store_rows_total{kind="sample"}', 0)
    end(d.p)
    us = (c1 - c0) / max(done, 1) * 1e6
    say(name, "vedette", rate or "saturated", us, "us_cpu_per_check", per_second=round(done / (t1 - t0)),
        stored=round(stored), lag_p99_s=quantile(m0, m1, .99))
    return us


def measure_curl(name, scheme, rate, target):
    """Bare libcurl multi on epoll, from bench_check."""
    tool = os.path.join(BUILD, "tests/bench/bench_check")
    port = target.https if scheme == "https" else target.http
    argv = ["taskset", "-c", "1", tool, "--bare", "--url", "%s://127.0.0.1:%d/" % (scheme, port),
            "--rate", str(rate or 0), "--seconds", str(WINDOW)]
    if scheme == "https":
        argv += ["--ca", target.ca]
    out = subprocess.run(argv, stdout=subprocess.PIPE, timeout=WINDOW * 6 + 30).stdout.decode()
    m = re.search(r"who=curl\b.*?\bcpu_us=([0-9.]+)", out)
    if not m:
        note("bench_check said nothing: " + out[:300])
        return None
    us = float(m.group(1))
    say(name, "libcurl", rate or "saturated", us, "us_cpu_per_check")
    return us


def measure_blackbox(work, name, scheme, rate, target):
    exe = shutil.which("prometheus-blackbox-exporter")
    if not exe:
        note("prometheus-blackbox-exporter is not installed: left out")
        return
    conf = os.path.join(work, "blackbox.yml")
    with open(conf, "w") as f:
        f.write("modules:\n  m:\n    prober: http\n    timeout: 5s\n    http:\n"
                "      tls_config: { ca_file: %s }\n" % target.ca)
    port = free_port()
    p = spawn([exe, "--config.file=" + conf, "--web.listen-address=127.0.0.1:%d" % port], core=1,
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_port(port)
    tport = target.https if scheme == "https" else target.http
    url = "http://127.0.0.1:%d/probe?module=m&target=%s://127.0.0.1:%d/" % (port, scheme, tport)
    c0 = cpu_s(p.pid)
    if rate:
        tool = os.path.join(BUILD, "tests/bench/bench_check")
        out = subprocess.run(["taskset", "-c", "0", tool, "--bare", "--url", url, "--rate", str(rate),
                              "--seconds", str(WINDOW)], stdout=subprocess.PIPE,
                             timeout=WINDOW * 6 + 30).stdout.decode()
        m = re.search(r"who=curl\b.*?\bchecks=(\d+)", out)
        done = int(m.group(1)) if m else 0
    else:
        out = subprocess.run(["wrk", "-t1", "-c16", "-d%ds" % WINDOW, url],
                             stdout=subprocess.PIPE).stdout.decode()
        m = re.search(r"(\d+) requests in", out)
        done = int(m.group(1)) if m else 0
    used = cpu_s(p.pid) - c0
    end(p)
    if done:
        say(name, "blackbox_exporter", rate or "saturated", used / done * 1e6, "us_cpu_per_check")


def measure_exec(name, scheme, target):
    exe = "/usr/lib/nagios/plugins/check_http"
    if not os.path.exists(exe):
        note("monitoring-plugins is not installed: left out")
        return
    argv = [exe, "-I", "127.0.0.1", "-H", "localhost", "-p",
            str(target.https if scheme == "https" else target.http)]
    if scheme == "https":
        argv += ["-S", "--sni"]
    r0, n = resource.getrusage(resource.RUSAGE_CHILDREN), 300
    for _ in range(n):
        subprocess.run(["taskset", "-c", "1"] + argv, stdout=subprocess.DEVNULL)
    r1 = resource.getrusage(resource.RUSAGE_CHILDREN)
    r2 = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(n):
        subprocess.run(["taskset", "-c", "1", "/bin/true"], stdout=subprocess.DEVNULL)
    r3 = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = lambda a, b: (b.ru_utime + b.ru_stime) - (a.ru_utime + a.ru_stime)
    say(name, "check_http", "one_by_one", cost(r0, r1) / n * 1e6, "us_cpu_per_check",
        of_it_exec_us=round(cost(r2, r3) / n * 1e6))


def measure_wrk(name, scheme, target):
    if not shutil.which("wrk"):
        return
    port = target.https if scheme == "https" else target.http
    r0 = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c64", "-d%ds" % WINDOW, "-H",
                          "Connection: close", "%s://127.0.0.1:%d/" % (scheme, port)],
                         stdout=subprocess.PIPE).stdout.decode()
    r1 = resource.getrusage(resource.RUSAGE_CHILDREN)
    m = re.search(r"(\d+) requests in", out)
    if m and int(m.group(1)):
        used = (r1.ru_utime + r1.ru_stime) - (r0.ru_utime + r0.ru_stime)
        say(name, "wrk_connection_close", "saturated", used / int(m.group(1)) * 1e6, "us_cpu_per_check",
            note="resumes_tls" if scheme == "https" else "-")


def bench_http(work, scheme):
    target = Target(os.path.join(work, scheme))
    for rate in (200, 1000, None):
        v = measure_daemon(work, scheme, scheme, rate, target)
        c = measure_curl(scheme, scheme, rate, target)
        if c:
            say(scheme + "_ratio", "vedette/libcurl", rate or "saturated", v / c, "x")
        measure_blackbox(work, scheme, scheme, rate, target)
    measure_exec(scheme, scheme, target)
    measure_wrk(scheme, scheme, target)
    end(target.p)


def bench_ping(work):
    n = 1000
    mons = ["  - { name: p%d, type: ping, host: 127.0.%d.%d, packets: 1, interval: 1s, retries: 0 }\n"
            % (i, 1 + i // 250, 1 + i % 250) for i in range(n)]
    d = Daemon(work, "ping", mons)
    time.sleep(4)
    m0, c0 = d.core_metrics(), cpu_s(d.pid())
    time.sleep(WINDOW)
    m1, c1 = d.core_metrics(), cpu_s(d.pid())
    done = d.checks(m1) - d.checks(m0)
    end(d.p)
    say("ping", "vedette", "1000", (c1 - c0) / max(done, 1) * 1e6, "us_cpu_per_ping", checks=round(done))
    tool = os.path.join(BUILD, "tests/bench/bench_ping")
    if os.path.exists(tool):
        out = subprocess.run(["taskset", "-c", "1", tool], stdout=subprocess.PIPE, timeout=120).stdout.decode()
        sys.stdout.write("".join(l + "\n" for l in out.splitlines() if l.startswith("bench ")))
    if shutil.which("fping"):
        hosts = "".join("127.0.%d.%d\n" % (1 + i // 250, 1 + i % 250) for i in range(n)).encode()
        for label, args, per in (("paced_1000", ["-i", "1", "-c", "5", "-q"], 5),
                                 ("burst", ["-i", "0", "-c", "10", "-p", "1000", "-q"], 10)):
            r0 = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["taskset", "-c", "1", "fping"] + args, input=hosts, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            r1 = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = (r1.ru_utime + r1.ru_stime) - (r0.ru_utime + r0.ru_stime)
            say("ping", "fping", label, used / (n * per) * 1e6, "us_cpu_per_ping")


def bench_scale(work):
    target = Target(os.path.join(work, "scale"))
    tcp = target.http
    base = Daemon(work, "idle", ["  - { name: hb, type: push, interval: 1d }\n"], core=None, shards=2)
    time.sleep(2)
    idle = rss_kib(base.pid())
    say("rss_idle", "vedette", "-", idle / 1024, "MiB")
    end(base.p)
    for n in (10000, 100000):
        mons = []
        for i in range(n):
            addr = "127.%d.%d.%d" % (1 + i % 3, (i // 250) % 250, 1 + i % 250)
            if i % 3 == 0:
                mons.append("  - { name: m%d, type: http, url: \"http://%s:%d/\", interval: 10s }\n" % (i, addr, tcp))
            elif i % 3 == 1:
                mons.append("  - { name: m%d, type: tcp, host: %s, port: %d, interval: 10s }\n" % (i, addr, tcp))
            else:
                mons.append("  - { name: m%d, type: ping, host: %s, packets: 1, interval: 10s }\n" % (i, addr))
        d = Daemon(work, "scale%d" % n, mons, core=None, shards=0)
        first = None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if d.checks() > 0:
                first = time.monotonic() - d.t0
                break
            time.sleep(0.02)
        say("ready", "vedette", n, d.ready_s, "s_from_start_to_answering")
        if first:
            say("first_check", "vedette", n, first, "s_from_empty_store")
        time.sleep(15)
        m0, c0, t0 = d.core_metrics(), cpu_s(d.pid()), time.monotonic()
        time.sleep(20 if QUICK else 30)
        m1, c1, t1 = d.core_metrics(), cpu_s(d.pid()), time.monotonic()
        rate = (d.checks(m1) - d.checks(m0)) / (t1 - t0)
        say("scale_rate", "vedette", n, rate, "checks_per_second", wanted=n / 10)
        say("scale_lag_p99", "vedette", n, quantile(m0, m1, .99), "s_at_most")
        say("scale_cpu", "vedette", n, (c1 - c0) / (t1 - t0) * 100, "percent_of_a_core")
        say("rss_per_monitor", "vedette", n, (rss_kib(d.pid()) - idle) / n, "KiB")
        end(d.p)
        # the same store again: from start to first check with everything stored
        t = time.monotonic()
        p = spawn([VEDETTE, "serve", "-c", os.path.join(d.dir, "vedette.yaml")], stdout=subprocess.DEVNULL,
                  stderr=subprocess.DEVNULL)
        d.p, done = p, 0
        while time.monotonic() - t < 60 and not done:
            try:
                done = d.checks()
            except OSError:
                pass
            time.sleep(0.02)
        say("restart_first_check", "vedette", n, time.monotonic() - t, "s")
        end(p)
    end(target.p)


def main():
    what = [a for a in sys.argv[1:] if not a.startswith("-")] or ["http", "https", "ping", "scale"]
    work = tempfile.mkdtemp(prefix="vedette-bench-")
    load = os.getloadavg()
    print("bench machine cores=%d load1=%.2f" % (os.cpu_count(), load[0]), flush=True)
    try:
        for w in what:
            note(w)
            if w in ("http", "https"):
                bench_http(work, w)
            elif w == "ping":
                bench_ping(work)
            elif w == "scale":
                bench_scale(work)
            else:
                raise SystemExit("unknown benchmark %s; allowed: http https ping scale" % w)
    finally:
        for p in procs:
            end(p)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
