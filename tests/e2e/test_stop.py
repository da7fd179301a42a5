"""SIGTERM, twice, with every check type in flight against blackholes, a hung
resolver and parked requests: ends within the deadline, everything queued is
stored, no descriptor, thread or child is left."""

import itertools
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

import pytest

import harness
from harness import Sse, TcpServer


def busy(make_daemon, closing):
    hole = closing(harness.Blackhole())
    sink = closing(harness.UdpSink())
    silent = closing(TcpServer(lambda c: time.sleep(60)))
    slow = {"interval": "1m", "timeout": "1m", "retries": 0}
    monitors = []
    for i in range(5):
        monitors += [
            {"name": f"connect {i}", "type": "http", **slow,
             "url": f"http://127.0.0.1:{hole.port}/"},
            {"name": f"silent {i}", "type": "http", **slow,
             "url": f"http://127.0.0.1:{silent.port}/"},
            {"name": f"tls {i}", "type": "http", **slow,
             "url": f"https://127.0.0.1:{silent.port}/"},
            {"name": f"resolve {i}", "type": "http", **slow,
             "url": f"http://host{i}.example.org/"},
            {"name": f"tcp {i}", "type": "tcp", **slow, "host": "127.0.0.1",
             "port": hole.port},
            {"name": f"expect {i}", "type": "tcp", **slow, "tls": i % 2 == 0,
             "host": "127.0.0.1", "port": silent.port, "expect": "x"},
            {"name": f"ping {i}", "type": "ping", **slow,
             "host": "240.0.0.1", "wait": "1m"},
            {"name": f"dns {i}", "type": "dns", **slow, "host": "x.example",
             "server": f"127.0.0.1:{sink.port}"},
            {"name": f"push {i}", "type": "push",
             "token": f"stop-token-{i:05d}"},
        ]
    d = make_daemon({"net": {"resolvers": [f"127.0.0.1:{sink.port}"]},
                     "monitors": monitors})
    d.start()
    harness.wait_for(lambda: in_flight(d) >= 20, 20, "checks in flight")
    return d


def in_flight(d):
    for line in d.metrics().splitlines():
        if line.startswith("vedette_checks_in_flight"):
            return float(line.split()[-1])
    raise AssertionError("no vedette_checks_in_flight")


def test_sigterm_twice_with_everything_in_flight(make_daemon, closing):
    d = busy(make_daemon, closing)
    pid = d.proc.pid
    streams = [Sse(d.unix_connect, "/api/v1/events/stream"),
               Sse(d.tcp_connect, "/live")]
    acked = [0]
    stopping = threading.Event()

    def pusher(i):
        while not stopping.is_set():
            try:
                if d.push(f"stop-token-{i:05d}").status == 200:
                    acked[0] += 1
            except (OSError, Exception):
                return
    threads = [threading.Thread(target=pusher, args=(i,)) for i in range(5)]
    [t.start() for t in threads]
    time.sleep(0.5)
    assert d.children() == []
    start = time.monotonic()
    d.signal(signal.SIGTERM)
    time.sleep(0.05)
    try:
        d.signal(signal.SIGTERM)
    except ProcessLookupError:
        pass
    rc = d.proc.wait(20 * harness.SLOW)
    took = time.monotonic() - start
    stopping.set()
    [t.join(10) for t in threads]
    [s.close() for s in streams]
    d.proc = None
    assert rc == 0, d.log()
    assert took < 10 * harness.SLOW, f"{took:.1f} s"
    assert not os.path.exists(f"/proc/{pid}")
    assert not os.path.exists(d.control), "the socket is gone"
    # All that was acknowledged is stored, the log is checkpointed.
    wal = f"{d.data}/vedette.db-wal"
    assert not os.path.exists(wal) or os.path.getsize(wal) == 0
    d.start()
    n = sum(len(d.samples(f"push {i}")) for i in range(5))
    assert acked[0] > 0 and n >= acked[0], (n, acked[0])
    for i in range(5):
        assert {t["to"] for t in d.transitions(f"connect {i}")} <= \
            {"pending"}, "stopping is no outage"
    d.stop()


def test_descriptors_and_threads_come_back(make_daemon, closing):
    d = busy(make_daemon, closing)
    for m in d.api.items("/api/v1/monitors"):
        assert d.api.delete(f"/api/v1/monitors/{m['id']}").status in \
            (200, 204)
    idle = make_daemon({}).start()
    idle.api.get("/api/v1/monitors")
    base = idle.fds()
    try:
        harness.wait_for(lambda: d.fds() <= base + 12, 10,
                         "the descriptors of the checks to be closed")
    except AssertionError:
        raise AssertionError((d.fds(), base, [
            os.readlink(f"/proc/{d.proc.pid}/fd/{f}")
            for f in os.listdir(f"/proc/{d.proc.pid}/fd")]))
    assert d.threads() <= idle.threads() + 1
    assert in_flight(d) == 0


def test_no_descriptor_grows_with_time(make_daemon, closing):
    """Failing checks of every kind, ten times over."""
    web = closing(harness.WebServer())
    web.answer = harness.web_answer(500)
    fast = {"interval": "1s", "timeout": "300ms", "retries": 0}
    gone = harness.free_port()
    d = make_daemon({"monitors": [
        {"name": "h", "type": "http", **fast, "url": web.url},
        {"name": "r", "type": "http", **fast,
         "url": f"http://127.0.0.1:{gone}/"},
        {"name": "s", "type": "http", **fast,
         "url": f"https://127.0.0.1:{web.port}/"},
        {"name": "t", "type": "tcp", **fast, "host": "127.0.0.1",
         "port": gone},
        {"name": "p", "type": "ping", **fast, "host": "240.0.0.1"},
        {"name": "d", "type": "dns", **fast, "host": "x.example",
         "server": f"127.0.0.1:{gone}"}]}).start()
    d.wait_samples("h", 3)
    first = d.fds()
    d.wait_samples("h", 10, 30)
    assert d.fds() <= first + 8, (first, d.fds())


def test_sigint_and_a_signal_during_start(make_daemon):
    d = make_daemon({}).start()
    d.signal(signal.SIGINT)
    assert d.proc.wait(20) == 0
    d.proc = None
    for wait in (0.0, 0.01, 0.03, 0.08):
        d.start(ready=False)
        time.sleep(wait)
        d.signal(signal.SIGTERM)
        rc = d.proc.wait(20 * harness.SLOW)
        assert rc in (0, -signal.SIGTERM), rc
        d.proc = None
    d.start()


def test_start_and_stop_are_in_the_event_log(make_daemon):
    d = make_daemon({}).start()
    d.stop()
    d.start()
    d.kill()
    d.start()
    kinds = [e["kind"] for e in d.events()]
    assert kinds.count("start") == 3 and kinds.count("stop") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_stopping_while_clients_come_and_go(make_daemon, tmp_path, scheme):
    """libmicrohttpd aborts the process when its listener is taken away at the
    wrong moment; who comes while vedette stops is told so, or closed on."""
    server = {}
    if scheme == "https":
        server = {"tls_cert": str(tmp_path / "c.pem"),
                  "tls_key": str(tmp_path / "k.pem")}
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=localhost", "-days", "2", "-keyout", server["tls_key"],
             "-out", server["tls_cert"]], check=True, capture_output=True)
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    d = make_daemon({"server": server, "monitors": [
        {"name": "P", "type": "push", "token": "h" * 32}]})
    seen = set()

    def client(number, ended):
        asks = ["/", "/status.json", "/push/" + "h" * 32, "/live"]
        for i in itertools.count(number):
            if ended.is_set():
                return
            try:
                with socket.create_connection(("127.0.0.1", d.port), 5) as s:
                    if scheme == "https":
                        s = trust.wrap_socket(s)
                    s.settimeout(0.5)
                    s.sendall(f"GET {asks[i % 4]} HTTP/1.1\r\nHost: x\r\n"
                              "\r\n".encode())
                    seen.add(s.recv(12)[9:])
                    s.close()
            except OSError:
                time.sleep(0.001)
    for i in range(12):
        ended = threading.Event()
        d.start()
        clients = [threading.Thread(target=client, args=(n, ended))
                   for n in range(6)]
        [c.start() for c in clients]
        time.sleep(0.02 * i)    # at another moment each time
        try:
            assert d.stop() == 0, d.log()[-2000:]
        finally:
            ended.set()
            [c.join() for c in clients]
    assert seen <= {b"200", b"503", b""} and b"200" in seen, seen


def test_sigterm_again_and_again_under_full_load(make_daemon, closing):
    """Heartbeats as fast as they go and two hundred checks a second; each
    SIGTERM after the first changes nothing; what was acknowledged is there."""
    from test_crash import Pusher
    web = closing(harness.WebServer())
    tokens = [f"load-token-{i:05d}" for i in range(8)]
    d = make_daemon({"monitors": [
        *[{"name": f"P{i}", "type": "push", "interval": "1h", "grace": "1h",
           "token": t} for i, t in enumerate(tokens)],
        *[{"name": f"H{i}", "type": "http", "url": web.url,
           "interval": "1s", "timeout": "900ms", "retries": 5}
          for i in range(200)]]})
    d.start()
    pushers = [Pusher(d, t, flip=i % 2 == 1) for i, t in enumerate(tokens)]
    [p.start() for p in pushers]
    harness.wait_for(lambda: sum(len(p.acked) for p in pushers) > 4000, 60,
                     "heartbeats")
    start = time.monotonic()
    signals = 0
    while d.proc.poll() is None:
        assert time.monotonic() - start < 20 * harness.SLOW, d.log()
        d.signal(signal.SIGTERM)
        signals += 1
        time.sleep(0.002)
    assert d.proc.returncode == 0, d.log()
    assert signals > 1
    assert d.log().count("stopping") == 1, d.log()
    for p in pushers:
        p.stopping = True
    [p.join(15) for p in pushers]
    d.proc = None
    wal = f"{d.data}/vedette.db-wal"
    assert not os.path.exists(wal) or os.path.getsize(wal) == 0
    assert d.cli("store", "check").returncode == 0
    d.start()
    for i, p in enumerate(pushers):
        samples = d.samples(f"P{i}")
        turns = [(t["from"], t["to"]) for t in d.transitions(f"P{i}")]
        assert len(p.acked) > 50
        assert len(p.acked) <= len(samples) <= \
            len(p.acked) + len(p.unknown), (i, len(p.acked), len(samples))
        # a beat that says "down" keeps its message
        have = {(s["reason"] or "?").split()[-1].strip('"') for s in samples}
        missing = [m for m, down in p.acked if down and m not in have]
        assert not missing, (i, missing[:5], len(p.acked))
        assert all(a[1] == b[0] for a, b in zip(turns, turns[1:])), turns
