"""Questions that end, and the bound of the write-ahead log, from outside: who
holds a snapshot is named, nothing that was acknowledged is missing."""

import http.client
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

import harness
from harness import wait_for

MIB = 1 << 20
# Replaces what every question about uptime reads by rows that never come.
ENDLESS = """
ALTER TABLE gap RENAME TO gap_;
CREATE VIEW gap AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL
SELECT x + 1 FROM c) SELECT x AS from_us, x AS to_us FROM c WHERE x < 0;
"""
HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM meta").fetchone()
print("holds", flush=True)
sys.stdin.read()
"""


def db_path(d):
    return os.path.join(d.data, "vedette.db")


def make_endless(d):
    db = sqlite3.connect(db_path(d), timeout=10)
    db.executescript(ENDLESS)
    db.close()


def ended(d, how):
    return sum(int(n) for n in re.findall(
        r'^vedette_store_queries_total\{class="\w+",outcome="%s"\} (\d+)' % how,
        d.metrics(), re.M))


def metric(d, name):
    return float(re.search(r"^%s (\S+)$" % re.escape(name), d.metrics(),
                           re.M)[1])


def snapshots(d):
    """How many of its own the daemon holds, as the kernel tells."""
    inode = os.stat(db_path(d) + "-shm").st_ino
    n = 0
    with open("/proc/locks") as f:
        for line in f:
            w = line.split()
            if w[1] == "POSIX" and w[4] == str(d.proc.pid) and \
                    w[5].endswith(f":{inode}") and 123 <= int(w[6]) <= 127:
                n += 1
    return n


def busy(d):
    return metric(d, 'vedette_store_readers{state="busy"}')


def endless_daemon(make_daemon, **store):
    d = make_daemon({"store": store, "monitors": [
        {"name": "P", "type": "push", "interval": "1h",
         "token": "wal-token-000000000000"}]}).start()
    assert d.push("wal-token-000000000000").status == 200
    make_endless(d)
    return d, f"/api/v1/monitors/{d.id('P')}/uptime"


def ask(d, path, unix):
    conn = d.unix_connect(60) if unix else http.client.HTTPConnection(
        d.http_host, d.port, timeout=60)
    conn.request("GET", path)
    return conn


def test_a_question_ends_with_its_client(make_daemon):
    d, path = endless_daemon(make_daemon)
    conns = [ask(d, path, True) for _ in range(4)]
    wait_for(lambda: busy(d) == 4, what="four questions")
    wait_for(lambda: snapshots(d) > 0, what="a snapshot")
    # More than there are readers: those wait, and end just so.
    waiting = [ask(d, path, True) for _ in range(8)]
    wait_for(lambda: metric(d, "vedette_store_reads_waiting") == 8)
    began = time.monotonic()
    for c in waiting + conns:
        c.close()
    wait_for(lambda: snapshots(d) == 0, 2, "the end of the snapshots", 0.002)
    took = time.monotonic() - began
    assert took < 0.05 * harness.SLOW + 0.4, took   # the rest is a busy machine
    wait_for(lambda: busy(d) == 0, 2)
    assert ended(d, "cancelled") == 4
    assert ended(d, "timeout") == 0 and ended(d, "error") == 0
    assert metric(d, "vedette_http_left_total") == 12
    # The next one is served as ever.
    assert d.api.get("/api/v1/events").status == 200


def test_over_tcp_and_by_the_command_line(make_daemon):
    d, path = endless_daemon(make_daemon)
    secret = d.cli("token", "create", "t", "--scope", "read").stdout
    conn = http.client.HTTPConnection(d.http_host, d.port, timeout=60)
    conn.request("GET", path, headers={
        "Authorization": "Bearer " + re.search(r"\S{20,}", secret)[0]})
    wait_for(lambda: busy(d) == 1, what="the question")
    conn.close()
    wait_for(lambda: ended(d, "cancelled") == 1, 5)
    # A command that gives up takes its question along.
    before = ended(d, "cancelled")
    subprocess.run([harness.BINARY, "status", "P", "--data", d.data,
                    "--timeout", "1"], capture_output=True, timeout=30)
    wait_for(lambda: busy(d) == 0, 5)
    assert ended(d, "cancelled") >= before


def test_a_question_ends_at_its_deadline(make_daemon):
    d, path = endless_daemon(make_daemon, deadlines={
        "fast": "200ms", "normal": "400ms", "slow": "1s"})
    began = time.monotonic()
    a = d.api.get(path)
    assert a.status == 503 and "gap_load" in a.json()["detail"], a
    assert "Retry-After" in a.headers
    assert time.monotonic() - began < 3 * harness.SLOW
    assert ended(d, "timeout") == 1
    assert "statement=gap_load" in d.log()


def test_a_question_ends_when_we_stop(make_daemon):
    d, path = endless_daemon(make_daemon)
    conns = [ask(d, path, True) for _ in range(2)]
    wait_for(lambda: busy(d) == 2, what="two questions")
    began = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - began < 5 * harness.SLOW
    for c in conns:
        assert c.getresponse().status == 503
        c.close()


def test_deadlines_must_be_in_order(tmp_path):
    for text, what in (
            ("deadlines: { fast: 10s }", "store.deadlines"),
            ("checkpoint: { size: 0 }", "store.checkpoint.size"),
            ("checkpoint: { interval: 0s }", "store.checkpoint.interval"),
            ("deadlines: { slow: 0 }", "store.deadlines.slow"),
            ("readers: 17", "store.readers")):
        p = tmp_path / "c.yaml"
        p.write_text("store: { %s }\n" % text)
        r = harness.run("check-config", p)
        assert r.returncode == 2 and what in r.stderr, (text, r.stderr)


def test_memory_is_refused_with_a_reason(make_daemon):
    d = make_daemon({"store": {"url": "sqlite::memory:"}})
    d.start(ready=False)
    assert d.proc.wait(20) == 2
    d.proc = None
    assert "loses everything" in d.log()


class Flood(threading.Thread):
    """Heartbeats, one after another, with long words: each is a commit."""

    def __init__(self, d, token):
        super().__init__(daemon=True)
        self.d, self.token, self.over = d, token, False
        self.acked, self.refused, self.n = set(), 0, 0
        self.start()

    def run(self):
        conn = None
        while not self.over:
            self.n += 1
            word = f"{self.token}-{self.n}"
            try:
                if conn is None:
                    conn = self.d.tcp_connect(10)
                # Each turns the state: transition, event, state, sample.
                conn.request("GET", f"/push/{self.token}?msg={word}&status="
                             + ("up" if self.n % 2 else "down"))
                r = conn.getresponse()
                r.read()
            except OSError:
                conn = None
                continue
            if r.status == 200:
                self.acked.add(word)
            else:
                self.refused += 1
                time.sleep(0.05)
        if conn:
            conn.close()

    def close(self):
        self.over = True
        self.join(30)


def test_a_foreign_reader_that_never_ends(make_daemon, closing):
    tokens = [f"flood-{i}-000000000000000" for i in range(8)]
    d = make_daemon({"monitors": [
        {"name": f"P{i}", "type": "push", "interval": "1h", "token": t}
        for i, t in enumerate(tokens)]}).start()
    p = subprocess.Popen([sys.executable, "-c", HOLD, db_path(d)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert p.stdout.readline() == b"holds\n"
        floods = [closing(Flood(d, t)) for t in tokens]
        name = f"(pid {p.pid}) reads"
        wait_for(lambda: name in d.log(), 60, "the name of who holds it")
        end = time.monotonic() + 15
        most = 0
        while time.monotonic() < end:
            most = max(most, os.stat(db_path(d) + "-wal").st_size)
            time.sleep(0.02)
        assert most < 64 * MIB, most
        stats = d.api.get("/api/v1/store/stats").json()
        assert name in (stats["wal"]["held_by"] or ""), stats["wal"]
        assert stats["wal"]["stuck"] > 0
        assert stats["checkpoints"]["busy"] > 0
    finally:
        p.stdin.close()
        p.wait(10)
    for f in floods:
        f.close()
    wait_for(lambda: os.stat(db_path(d) + "-wal").st_size <= 8 * MIB
             and d.api.get("/readyz").status == 200, 60, "the log to be cut")
    for i, f in enumerate(floods):
        assert len(f.acked) > 10
        have = {s["reason"] for s in d.samples(f"P{i}")}
        assert not f.acked - have, "acknowledged and missing"
