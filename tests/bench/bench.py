#!/usr/bin/python3
"""The benchmark of the whole daemon, beside what anyone can install.

    tests/bench/bench.py [http] [https] [ping] [push] [scale] [store] [queries] [device] [prune]
        [wal] [alerts] [verdicts] [--quick]

Every figure is one line that a program can read:

    bench NAME who=WHO rate=RATE value=V unit=U

and everything that is compared is measured in the same run, in turns. The
target (nginx) is pinned to core 0, what is measured to core 1. CPU is what the
measured process used, divided by the checks that it itself says it has
finished; vedette's are judged and stored. All traffic stays on loopback. It
ends by itself: within 15 minutes, within 4 with --quick. wal, ten minutes with a
reader that holds the log, runs only when it is named, and alone.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import outages
import rig
import saturation
import wal
from rig import (CHECK_HTTP, QUICK, Daemon, Target, checks, children_s, cpu_s, end, free_port, have,
                 lag, note, output, own, rss_kib, say, spawn, wait_port)

WINDOW = 3 if QUICK else 6
ROUNDS = 1 if QUICK else 2
LIMIT_S = 235 if QUICK else 870
RATES = (200, 1000, None)
# More than a core can do, so that it is saturated, but not many times that.
FLOOD = {"http": 15000, "https": 2500}


def label(rate):
    return rate or "saturated"


# -- HTTP and HTTPS ----------------------------------------------------------

def vedette_us(work, scheme, rate, target):
    """CPU per check of a daemon with that many monitors at 1 s."""
    net = "net: { ca_file: %s }\n" % target.ca if scheme == "https" else ""
    mons = ["  - { name: m%d, type: http, url: \"%s\", interval: 1s, retries: 0 }\n"
            % (i, target.url(scheme)) for i in range(rate or FLOOD[scheme])]
    d = Daemon(work, tempfile.mktemp(prefix="%s-%s-" % (scheme, rate), dir=""), mons, net=net)
    time.sleep(2 if rate else 4)   # until every monitor had its first verdict
    rate_s, cpu, m0, m1 = d.window(WINDOW)
    rows = 'vedette_store_rows_total{kind="sample"}'
    say(scheme + "_rate", "vedette", label(rate), rate_s, "checks_per_second",
        stored=round(m1.get(rows, 0) - m0.get(rows, 0)), lag_p99_s=lag(m0, m1, .99),
        failed=round(checks(m1, "fail") - checks(m0, "fail")),
        voided=round(checks(m1, "void") - checks(m0, "void")))
    end(d.p)
    shutil.rmtree(d.dir)
    return cpu / rate_s * 1e6 if rate_s else float("nan")


def libcurl(url, rate, core, ca=None):
    """Bare libcurl multi on epoll: (µs per request, requests), or None."""
    tool = own("bench_check")
    if tool is None:
        return None
    argv = [tool, url, "side=libcurl", "rounds=1", "in_flight=256", "seconds=%d" % WINDOW,
            "rate=%d" % (rate or 0)] + (["ca=" + ca] if ca else [])
    m = re.search(r"side=libcurl .*checks=(\d+) failed=(\d+) cpu_us=([0-9.]+)",
                  output(argv, core=core, timeout=WINDOW * 4 + 30))
    return (float(m.group(3)), int(m.group(1))) if m else None


def wrk(args, core=None):
    """wrk's report, and how many requests it made."""
    text = output(["wrk"] + args, core=core, timeout=WINDOW * 4 + 30)
    m = re.search(r"(\d+) requests in", text)
    return text, int(m.group(1)) if m else 0


def blackbox(work, scheme, rate, target):
    exe = shutil.which("prometheus-blackbox-exporter")
    if exe is None or not (have("wrk") and own("bench_check")):
        return
    conf = os.path.join(work, "blackbox.yml")
    with open(conf, "w") as f:
        f.write("modules:\n  m:\n    prober: http\n    timeout: 5s\n    http:\n"
                "      preferred_ip_protocol: ip4\n      tls_config: { ca_file: %s }\n" % target.ca)
    port = free_port()
    p = spawn([exe, "--config.file=" + conf, "--web.listen-address=127.0.0.1:%d" % port], core=1,
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_port(port)
    url = "http://127.0.0.1:%d/probe?module=m&target=%s" % (port, target.url(scheme))
    c0 = cpu_s(p.pid)
    if rate:
        done = (libcurl(url, rate, core=0) or (0, 0))[1]
    else:
        done = wrk(["-t1", "-c16", "-d%ds" % WINDOW, url], core=0)[1]
    used = cpu_s(p.pid) - c0
    end(p)
    if done:
        say(scheme, "blackbox_exporter", label(rate), used / done * 1e6, "us_cpu_per_check")


def check_http(scheme, target):
    if not have(CHECK_HTTP):
        return
    argv = [CHECK_HTTP, "-I", "127.0.0.1", "-H", "localhost", "-p",
            str(target.https if scheme == "https" else target.http)]
    if scheme == "https":
        argv += ["-S", "--sni"]
    n = 60 if QUICK else 200
    cost = []
    for one in (argv, ["/bin/true"]):
        c0 = children_s()
        for _ in range(n):
            subprocess.run(rig.pin(1, one), stdout=subprocess.DEVNULL, check=False)
        cost.append((children_s() - c0) / n * 1e6)
    say(scheme, "check_http", "saturated", cost[0], "us_cpu_per_check",
        of_it_fork_and_exec_us=round(cost[1]))


def wrk_close(scheme, target):
    if not have("wrk"):
        return
    c0 = children_s()
    _, done = wrk(["-t1", "-c64", "-d%ds" % WINDOW, "-H", "Connection: close",
                   target.url(scheme)], core=1)
    if done:
        say(scheme, "wrk_connection_close", "saturated", (children_s() - c0) / done * 1e6,
            "us_cpu_per_check", resumes_tls=int(scheme == "https"))


def bench_scheme(work, scheme):
    target = Target(os.path.join(work, scheme))
    ca = target.ca if scheme == "https" else None
    for rate in RATES:
        ours, bare = [], []
        for _ in range(ROUNDS):
            ours.append(vedette_us(work, scheme, rate, target))
            b = libcurl(target.url(scheme), rate, core=1, ca=ca)
            bare += [b[0]] if b else []
        v = statistics.median(ours)
        say(scheme, "vedette", label(rate), v, "us_cpu_per_check")
        if bare:
            b = statistics.median(bare)
            say(scheme, "libcurl", label(rate), b, "us_cpu_per_check")
            say(scheme + "_ratio", "vedette/libcurl", label(rate), v / b, "x")
        blackbox(work, scheme, rate, target)
    check_http(scheme, target)
    wrk_close(scheme, target)
    end(target.p)


def bench_http(work):
    bench_scheme(work, "http")


def bench_https(work):
    bench_scheme(work, "https")


# -- ping --------------------------------------------------------------------

def bench_ping(work):
    n = 1000
    mons = ["  - { name: p%d, type: ping, host: 127.0.%d.%d, packets: 1, interval: 1s, retries: 0 }\n"
            % (i, 1 + i // 250, 1 + i % 250) for i in range(n)]
    d = Daemon(work, "ping", mons)
    time.sleep(3)
    rate, cpu, m0, m1 = d.window(WINDOW)
    end(d.p)
    say("ping", "vedette", "1000/s_spread", cpu / max(rate, 1) * 1e6, "us_cpu_per_ping",
        per_second=round(rate), lag_p99_s=lag(m0, m1, .99), what="judged_and_stored")
    if have("fping"):
        hosts = "".join("127.0.%d.%d\n" % (1 + i // 250, 1 + i % 250) for i in range(n)).encode()
        c0 = children_s()
        output(["fping", "-i", "1", "-c", "5", "-q"], core=1, input=hosts)
        say("ping", "fping", "1000/s_spread", (children_s() - c0) / (n * 5) * 1e6,
            "us_cpu_per_ping")
    if own("bench_ping"):
        out = output([own("bench_ping")], core=1, timeout=90)
        for who, us in re.findall(r"what=(vedette|fping) .*?cpu_us_per_ping=([0-9.]+)", out):
            say("ping", who, "burst", float(us), "us_cpu_per_ping")


# -- heartbeats --------------------------------------------------------------

def bench_push(work):
    """Each answer is sent after its heartbeat is durable."""
    if not have("wrk"):
        return
    tokens = ["%032x" % (i * 7919 + 1) for i in range(1, 101)]
    d = Daemon(work, "push", ["  - { name: b%d, type: push, token: \"%s\", interval: 1d }\n" % it
                              for it in enumerate(tokens)], core=None, shards="auto")
    script = os.path.join(work, "push.lua")
    with open(script, "w") as f:
        f.write("local t = {%s}\nlocal n = 0\nfunction request()\n  n = n %% #t + 1\n"
                "  return wrk.format(\"GET\", \"/push/\" .. t[n])\nend\n"
                % ",".join('"%s"' % t for t in tokens))
    url = "http://127.0.0.1:%d/" % d.port
    wrk(["-t1", "-c200", "-d1s", "-s", script, url])
    c0 = cpu_s(d.p.pid)
    text, done = wrk(["-t1", "-c200", "-d%ds" % WINDOW, "--latency", "-s", script, url])
    used = cpu_s(d.p.pid) - c0
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    p99 = re.search(r"99%\s+([0-9.]+)(us|ms|s)", text)
    end(d.p)
    say("push", "vedette", "200_connections", done / WINDOW, "durable_answers_per_second",
        refused=bad.group(1) if bad else 0, cpu_us=round(used / max(done, 1) * 1e6, 1))
    if p99:
        say("push_p99", "vedette", "200_connections",
            float(p99.group(1)) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99.group(2)], "ms")


# -- many monitors -----------------------------------------------------------

def mixed(i, port):
    addr = "127.%d.%d.%d" % (1 + i % 3, i // 250 % 250, 1 + i % 250)
    if i % 3 == 0:
        what = "type: http, url: \"http://%s:%d/\"" % (addr, port)
    elif i % 3 == 1:
        what = "type: tcp, host: %s, port: %d" % (addr, port)
    else:
        what = "type: ping, host: %s, packets: 1" % addr
    return "  - { name: m%d, %s, interval: 10s }\n" % (i, what)


def scale(work, target, n, idle_kib):
    mons = [mixed(i, target.http) for i in range(n)]
    d = Daemon(work, "scale%d" % n, mons, core=None, shards="auto", in_flight=4096,
               target=target)
    say("ready", "vedette", n, d.ready_s, "s_with_a_fresh_store")
    say("first_check", "vedette", n, d.first_s, "s_with_a_fresh_store")
    time.sleep(12)   # every monitor has had its first check
    rate, cpu, m0, m1 = d.window(10 if QUICK else 20)
    say("scale_rate", "vedette", n, rate, "checks_per_second", wanted=n // 10,
        failed=round(checks(m1, "fail") - checks(m0, "fail")),
        voided=round(checks(m1, "void") - checks(m0, "void")))
    say("scale_lag_p99", "vedette", n, lag(m0, m1, .99), "s_at_most")
    say("scale_cpu", "vedette", n, cpu * 100, "percent_of_a_core")
    say("rss", "vedette", n, rss_kib(d.p.pid) / 1024, "MiB")
    say("rss_per_monitor", "vedette", n, (rss_kib(d.p.pid) - idle_kib) / n, "KiB")
    end(d.p)
    d.start(target)
    say("restart_ready", "vedette", n, d.ready_s, "s_with_all_of_it_stored")
    say("restart_first_check", "vedette", n, d.first_s, "s_with_all_of_it_stored")
    end(d.p)


def bench_scale(work):
    target = Target(os.path.join(work, "scale"))
    d = Daemon(work, "idle", ["  - { name: hb, type: push, interval: 1d }\n"], core=None, shards="auto")
    d.get("/")
    time.sleep(2)
    idle = rss_kib(d.p.pid)
    say("rss_idle", "vedette", "-", idle / 1024, "MiB")
    end(d.p)
    for n in (10000,) if QUICK else (10000, 100000):
        scale(work, target, n, idle)
    end(target.p)


# -- the store alone -----------------------------------------------------------

def bench_store(_work):
    tool = own("bench_store")
    out = output([tool, "200000" if QUICK else "400000"], timeout=120) if tool else ""
    # Of so few samples a chunk holds 20, which says nothing of a history's: see device.
    for figure, value, unit in re.findall(r"figure=((?!chunk)\S+) value=(\S+) unit=(\S+)", out):
        who = {"writer_rows_per_s": "vedette_writer", "bare_rows_per_s": "bare_sqlite"}.get(figure)
        say("store_rows" if who else "store_" + figure, who or "vedette", "-", float(value), unit)


# -- a store with a history ---------------------------------------------------

def bench_queries(_work):
    tool = own("bench_queries")
    out = output([tool, "1000000" if QUICK else "100000000", "1000" if QUICK else "10000"],
                 timeout=LIMIT_S) if tool else ""
    for figure, value, unit in re.findall(r"figure=(\S+) value=(\S+) unit=(\S+)", out):
        say("queries_" + figure, "vedette", "-", float(value), unit)


def bench_device(_work):
    tool = own("bench_store")
    out = output([tool, "1000000" if QUICK else "10000000", "10000", "/tmp", "paced"],
                 timeout=LIMIT_S) if tool else ""
    for figure, value, unit in re.findall(r"figure=(device\S+|chunk\S+) value=(\S+) unit=(\S+)", out):
        say("device_" + figure, "vedette", "-", float(value), unit)


# -- pruning: how long it keeps the writer from its work -------------------------

def bench_prune(_work):
    """The newest N of each monitor stay, of more than a million rows; at most 50 ms."""
    tool = own("bench_prune")
    out = output([tool, "1000000" if QUICK else "2000000"], timeout=330) if tool else ""
    for figure, value, unit in re.findall(r"figure=(\S+) value=(\S+) unit=(\S+)", out):
        say("prune_" + figure, "vedette", "-", float(value), unit)


# -- verdicts ------------------------------------------------------------------

def bench_verdicts(_work):
    """False alarms and outages found under packet loss, in the simulator: our
    defaults and the plain rule on the same luck; tests/sim/sim_loss.c says
    how. plain looks as often as we do, plain_as_quick twice as often."""
    tool = rig.own("sim", "tests")
    monitors, days = (60, 7) if QUICK else (200, 21)
    text = output([tool, "loss", "1", str(monitors), str(days)], timeout=400) if tool else ""
    for line in re.findall(r"^loss (.*)$", text, re.M):
        f = dict(pair.split("=") for pair in line.split())
        where = "%s_%s_%d%%" % (f["where"], f["check"], round(float(f["share"]) * 100))
        say("verdict_false_alarms", f["rule"], where, int(f["false_alarms"]), "alarms",
            in_a_row=f["in_a_row"], per_monitor_day=f["per_monitor_day"],
            monitor_days=monitors * days, looks=f["looks"])
        say("verdict_missed", f["rule"], where, int(f["missed"]), "outages",
            of_longer_than_s=f["bound_s"], outages=f["outages"])
        for q in ("p50", "p99"):
            say("verdict_delay_" + q, f["rule"], where, float(f["delay_%s_s" % q]), "s")
    failed = re.search(r"(\d+) failed$", text.strip())
    if failed is None or failed[1] != "0":
        raise SystemExit("the simulator does not agree: " + text[-500:])


CHART = (("http", "CPU per HTTP check"), ("https", "CPU per HTTPS check"), ("ping", "CPU per ping"),
         ("store_rows", "Durable rows"), ("verdict_false_alarms", "False alarms"))


def main():
    runs = {"http": bench_http, "https": bench_https, "ping": bench_ping, "push": bench_push,
            "scale": bench_scale, "store": bench_store,
            "queries": bench_queries, "device": bench_device,
            "prune": bench_prune, "wal": wal.bench, "saturation": saturation.bench,
            "alerts": outages.bench, "verdicts": bench_verdicts}
    apart = ("wal",)   # takes ten minutes: only when it is asked for
    what = [a for a in sys.argv[1:] if a != "--quick"] or [w for w in runs if w not in apart]
    unknown = [w for w in what if w not in runs]
    if unknown:
        raise SystemExit("unknown benchmark %s; allowed: %s --quick" % (unknown[0], " ".join(runs)))
    rig.name_missing()
    print("bench machine cores=%d load1=%.2f" % (os.cpu_count(), os.getloadavg()[0]), flush=True)
    work = tempfile.mkdtemp(prefix="vedette-bench-")
    began = time.monotonic()
    rig.bounded(LIMIT_S)
    try:
        for w in what:
            note("%s, %d s so far" % (w, time.monotonic() - began))
            runs[w](work)
    finally:
        rig.end_all()
        shutil.rmtree(work, ignore_errors=True)
        rig.chart(CHART)
    say("took", "bench", "-", time.monotonic() - began, "s")


if __name__ == "__main__":
    main()
