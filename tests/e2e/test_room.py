"""Room: a small disk fills up, by somebody else's doing and by our own.
Writes are pushed back with Retry-After, what gives way is counted and shown,
nothing that was acknowledged is lost, and all is well when there is space."""

import http.client
import os
import re
import sqlite3
import subprocess
import threading
import time

import pytest

import harness
from harness import wait_for
from sinks import HttpSink
from test_alerts import (Flip, config, hook, monitor, outbox, settled, told,
                         wait_told)

MIB = 1 << 20
FAST = {"interval": "1s", "timeout": "900ms", "retries": 0}


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 64 MiB; gone afterwards."""
    where = str(tmp_path / "disk")
    os.mkdir(where)
    p = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0755",
                        "vedette-test", where], capture_output=True)
    if p.returncode != 0:
        pytest.skip("no permission to mount a tmpfs")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def monitors(web):
    return [{"name": "P", "type": "push", "interval": "4s", "grace": "2s",
             "token": "room-token-000001"},
            *[{"name": f"H{i}", "type": "http", "url": web.url, **FAST}
              for i in range(20)]]


def stats(d):
    a = d.api.get("/api/v1/store/stats")
    assert a.status == 200, a
    return a.json()


def pressure(d):
    return stats(d)["room"]["pressure"]


def fill(path, left):
    """All of the disk but so many bytes."""
    with open(path, "wb", buffering=0) as f:
        while True:
            fs = os.statvfs(path)
            free = fs.f_bavail * fs.f_frsize - left
            if free <= 0:
                return
            try:
                f.write(bytes(min(free, MIB)))
            except OSError:
                return


def refused(answer):
    """503, and an honest number of seconds."""
    return answer.status == 503 and \
        1 <= int(answer.headers["retry-after"]) <= 300


def metric(d, name):
    m = re.search(rf"^{re.escape(name)} (\S+)$", d.metrics(), re.M)
    return float(m[1]) if m else None


def store_on(d, disk, web, **store):
    d.data = os.path.join(disk, "data")
    d.control = os.path.join(d.data, "control.sock")
    d.configure({"monitors": monitors(web), "store": store})
    d.start()
    return d


@pytest.mark.parametrize("left", [512 * 1024, 0], ids=["low", "full"])
def test_full_disk(make_daemon, web, small_disk, left):
    """low: the mark of the disk is reached while writes still succeed; full:
    they fail with ENOSPC."""
    d = store_on(make_daemon(), small_disk, web)
    acked = []

    def beat(n):
        a = d.push("room-token-000001", f"?msg=m{n}")
        if a.status == 200:
            acked.append(f"m{n}")
        return a
    wait_for(lambda: beat("first").status == 200, 20)
    wait_for(lambda: d.status("H0") == "up", 20)
    hog = os.path.join(small_disk, "hog")
    fill(hog, left)
    wait_for(lambda: pressure(d) == "refuse", 30, "refusing")
    for i in range(5):
        began = time.monotonic()
        assert refused(beat(i))
        assert time.monotonic() - began < 1.0 * harness.SLOW
    # Who is asked to try again is not silent; and in this of all moments one
    # wants to know how the store does.
    until = time.monotonic() + 9
    while time.monotonic() < until:
        assert refused(beat("again"))
        time.sleep(0.5)
    assert d.api.get("/api/v1/store/health").json()["level"] == "unhealthy"
    assert "room" in d.cli("store", "health").stdout
    assert refused(d.api.post("/api/v1/monitors", {
        "name": "N", "type": "http", "url": web.url}))
    assert refused(d.api.request("POST", "/api/v1/apply", b"monitors: []"))
    assert refused(d.api.post(f"/api/v1/monitors/{d.id('H0')}/pause"))
    assert d.api.get("/api/v1/monitors").status == 200
    assert metric(d, "vedette_store_pressure") == 3
    if left:
        wait_for(lambda: metric(
            d, 'vedette_shed_total{kind="ok_sample"}') > 20, 30,
            "thinned samples")
        assert stats(d)["shed"]["ok_sample"] > 20
    assert d.alive()
    os.unlink(hog)
    wait_for(lambda: pressure(d) in ("none", "warn"), 30, "room again")
    wait_for(lambda: beat("last").status == 200, 20)
    before = metric(d, 'vedette_store_rows_total{kind="sample"}')
    wait_for(lambda: metric(d, 'vedette_store_rows_total{kind="sample"}')
             > before + 20, 20, "samples stored again")
    said = [e["text"] or "" for e in d.events()]
    assert any("no room: writes are refused" in t for t in said), said
    assert any("room again" in t for t in said), said
    stored = {s["reason"] for s in d.samples("P")}
    assert not set(acked) - stored
    assert metric(d, 'vedette_dropped_total{kind="result"}') == 0
    assert {t["to"] for t in d.transitions("P")} <= {"up"}
    for i in range(20):   # the outage was ours and not theirs
        assert {t["to"] for t in d.transitions(f"H{i}")} <= {"up"}


def test_a_journal_that_fills_the_disk(make_daemon, web, small_disk):
    """Locked, and little room: the journal leaves what the database needs to
    read it back, its reserve is used up, heartbeats are pushed back; then all
    that was acknowledged is stored, and the reserve is there again."""
    d = store_on(make_daemon(), small_disk, web)
    wait_for(lambda: d.push("room-token-000001").status == 200, 20)
    wait_for(lambda: metric(d, "vedette_journal_reserve_bytes") == 8 * MIB, 20,
             "the reserve, an eighth of the disk")
    fill(os.path.join(small_disk, "hog"), 12 * MIB)
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    acked, over = [], threading.Event()

    def client(k):
        conn = http.client.HTTPConnection(d.http_host, d.port, timeout=10)
        refusals = i = 0
        while refusals < 5 and not over.is_set():
            word = f"{k}-{i}-".ljust(180, "x")
            conn.request("GET", f"/push/room-token-000001?msg={word}")
            a = conn.getresponse()
            a.read()
            i += 1
            if a.status == 200:
                acked.append(word)
            else:
                assert refused(a)
                refusals += 1
    threads = [threading.Thread(target=client, args=(k,)) for k in range(48)]
    [t.start() for t in threads]
    [t.join(150) for t in threads]
    over.set()
    fs = os.statvfs(small_disk)
    left = fs.f_bavail * fs.f_frsize
    assert left >= 8 * MIB, "room to read it back"
    assert len(acked) > 10000
    db.execute("ROLLBACK")
    db.close()
    wait_for(lambda: metric(d, "vedette_journal_bytes") == 0, 60,
             "an empty journal")
    wait_for(lambda: d.push("room-token-000001").status == 200, 20)
    stored = {s["reason"] for s in
              d.api.items(f"/api/v1/monitors/{d.id('P')}/samples")}
    assert not set(acked) - stored
    assert metric(d, 'vedette_dropped_total{kind="result"}') == 0
    wait_for(lambda: metric(d, "vedette_journal_reserve_bytes") == 8 * MIB, 60,
             "the reserve again")


def test_alerts_leave_while_the_disk_is_full(make_daemon, small_disk, closing):
    """Rows go to the journal's reserve, and from there to people: both the
    beginning and the end, once each, and once in the database afterwards."""
    sink, port = closing(HttpSink()), harness.free_port()
    up = closing(Flip(port))
    d = make_daemon()
    d.data = os.path.join(small_disk, "data")
    d.control = os.path.join(d.data, "control.sock")
    d.configure(config([hook("ops", sink)],
                       [monitor("A", port, notify=["ops"])]))
    d.start()
    d.wait_status("A", "up")
    aside = None

    def set_aside():   # all that is to be: it does not grow any more
        nonlocal aside
        was, aside = aside, metric(d, "vedette_journal_reserve_bytes")
        return aside and was == aside
    wait_for(set_aside, 20, "the reserve", every=1.0)
    hog = os.path.join(small_disk, "hog")
    fill(hog, 0)
    wait_for(lambda: pressure(d) == "refuse", 30, "refusing")
    up.close()
    wait_told(sink, ("open", "A"))
    up = closing(Flip(port))
    wait_told(sink, ("resolve", "A"))
    assert pressure(d) == "refuse"
    os.unlink(hog)
    wait_for(lambda: outbox(d, "SELECT state FROM outbox WHERE monitor = 1")
             == [(2,), (2,)], 30, "both, sent, in the database")
    settled(d)
    seen = [t for t in told(sink) if t[1] == "A"]
    assert seen == [("open", "A"), ("resolve", "A")], told(sink)


def test_a_start_on_a_full_disk(make_daemon, web, small_disk):
    """Killed while there is no room, and started again: it watches on."""
    d = store_on(make_daemon(), small_disk, web)
    assert d.push("room-token-000001", "?msg=kept").status == 200
    wait_for(lambda: d.status("H0") == "up", 20)
    hog = os.path.join(small_disk, "hog")
    fill(hog, 0)
    wait_for(lambda: pressure(d) == "refuse", 30, "refusing")
    d.kill()
    with open(hog, "ab", buffering=0) as f:
        try:
            while f.write(bytes(4096)) > 0:
                pass
        except OSError:
            pass
    d.start(ready=False)   # the store itself is not well
    web.answer = harness.web_answer(500)

    def judged():
        assert d.alive(), d.log()[-1000:]
        try:
            return d.status("H0") == "down"
        except OSError:
            return False
    wait_for(judged, 20, "a verdict without room")
    os.unlink(hog)
    wait_for(lambda: pressure(d) in ("none", "warn"), 30, "room again")
    assert {s["reason"] for s in d.samples("P")} == {"kept"}


def test_warned_before(make_daemon, web, small_disk):
    d = store_on(make_daemon(), small_disk, web)
    hog = os.path.join(small_disk, "hog")
    fill(hog, 10 * MIB)
    wait_for(lambda: pressure(d) == "warn", 30, "a warning")
    wait_for(lambda: any("room gets scarce" in (e["text"] or "")
                         for e in d.events()), 10, "the event")
    assert d.push("room-token-000001").status == 200
    os.unlink(hog)
    wait_for(lambda: pressure(d) == "none", 30, "room again")
