"""The store in trouble under load: locked, full, its queue full. Nothing that
was acknowledged is missing, every heartbeat has its answer within a second,
checks go on as long as there is room, and all is well afterwards."""

import collections
import os
import sqlite3
import subprocess
import threading
import time

import pytest

import harness
from harness import wait_for

FAST = {"interval": "1s", "timeout": "900ms", "retries": 0}
PUSHERS = 4


class Pusher(threading.Thread):
    def __init__(self, d, token):
        super().__init__(daemon=True)
        self.d, self.token, self.ended = d, token, False
        self.acked, self.slowest, self.codes = [], 0.0, collections.Counter()
        self.start()

    def run(self):
        n = 0
        while not self.ended:
            n += 1
            began = time.monotonic()
            try:
                status = self.d.push(self.token, f"?msg=m{n}",
                                     timeout=30).status
            except OSError:
                status = 0
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.codes[status] += 1
            if status == 200:
                self.acked.append(f"m{n}")
            time.sleep(0.1)

    def close(self):
        self.ended = True
        self.join(30)


def load(web, checks=30):
    return [
        *[{"name": f"P{i}", "type": "push", "interval": "4s", "grace": "2s",
           "token": f"store-token-{i:06d}"} for i in range(PUSHERS)],
        *[{"name": f"H{i}", "type": "http", "url": web.url, **FAST}
          for i in range(checks)]]


def pushers(d, closing):
    return [closing(Pusher(d, f"store-token-{i:06d}"))
            for i in range(PUSHERS)]


def nothing_is_lost(d, beats, checks=30):
    for i, p in enumerate(beats):
        p.close()
        samples = d.samples(f"P{i}")
        stored = [s["reason"] for s in samples]
        assert not set(p.acked) - set(stored), "acknowledged and missing"
        assert len({s["seq"] for s in samples}) == len(samples)
        assert set(p.codes) <= {200, 503}, p.codes
        assert p.slowest < 1.0 * harness.SLOW, p.slowest
        assert {t["to"] for t in d.transitions(f"P{i}")} == {"up"}
    holes = 0
    for i in range(checks):
        seqs = [s["seq"] for s in d.samples(f"H{i}")]
        assert len(set(seqs)) == len(seqs)
        holes += max(seqs) - len(seqs)
        assert {t["to"] for t in d.transitions(f"H{i}")} <= {"up"}
    # Where there was no room, what says that what is up is still up gave way,
    # and was counted.
    shed = d.api.get("/api/v1/store/stats").json()["shed"]["ok_sample"]
    assert holes <= shed, (holes, shed)
    return holes


class Locked:
    """Another process would do this with sqlite3 and BEGIN EXCLUSIVE."""

    def __init__(self, d):
        self.db = sqlite3.connect(os.path.join(d.data, "vedette.db"),
                                  isolation_level=None, timeout=30)
        self.db.execute("BEGIN EXCLUSIVE")

    def close(self):
        if self.db is not None:
            self.db.execute("ROLLBACK")
            self.db.close()
        self.db = None


def ready(d):
    return d.api.get("/readyz").status == 200


def test_locked_under_load(make_daemon, closing, web):
    d = make_daemon({"monitors": load(web)}).start()
    d.wait_status("H0", "up")
    beats = pushers(d, closing)
    time.sleep(1)
    lock = closing(Locked(d))
    hits = web.hits
    time.sleep(8)
    assert web.hits - hits > 30 * 6, "checks go on"
    assert d.api.get("/healthz").status == 200
    lock.close()
    wait_for(lambda: ready(d), 10, "the store")
    time.sleep(1.5)
    assert nothing_is_lost(d, beats) == 0
    # All that was checked meanwhile is there.
    assert sum(len(d.samples(f"H{i}")) for i in range(30)) >= web.hits - 60


def test_a_full_queue_pauses_checking_and_says_so(make_daemon, closing, web):
    """Not even the journal takes anything, and memory is full."""
    d = make_daemon({"store": {"queue": 64}, "monitors": load(web)})
    d.start(env={"VEDETTE_FAULT": "journal.write=error@1+"})
    d.wait_status("H0", "up")
    beats = pushers(d, closing)
    lock = closing(Locked(d))
    time.sleep(4)
    hits = web.hits
    time.sleep(2)
    assert web.hits - hits <= 2, "checking pauses"
    page = d.tcp().get("/")
    assert page.status == 200 and "may be out of date" in page.text
    lock.close()
    wait_for(lambda: ready(d), 10, "the store")
    wait_for(lambda: web.hits > hits + 30, 10, "checks to go on")
    said = " ".join(e["text"] or "" for e in d.events())
    assert "checking paused" in said and "checking goes on" in said, said
    assert nothing_is_lost(d, beats) == 0


@pytest.mark.skipif(os.geteuid() != 0 or not harness.have("unshare"),
                    reason="a mount of our own needs root")
def test_a_full_disk(make_daemon, closing, web, tmp_path):
    """A small tmpfs in a mount namespace that only the daemon is in."""
    disk = tmp_path / "disk"
    disk.mkdir()
    p = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs",
                        str(disk)], capture_output=True, text=True)
    if p.returncode != 0:
        pytest.skip("no mount of our own here: " + p.stderr)
    d = make_daemon({"server": {"data": str(disk / "d")},
                     "monitors": load(web)})
    d.start(ready=False, wrap=(
        "unshare", "-m", "sh", "-c",
        'mount -t tmpfs -o size=12m tmpfs "$0" && exec "$@"', str(disk)))
    inside = f"/proc/{d.proc.pid}/root{disk}"
    d.control = inside + "/d/control.sock"
    wait_for(lambda: os.path.exists(d.control), 20, "the control socket")
    d.wait_ready()
    d.wait_status("H0", "up")
    beats = pushers(d, closing)
    time.sleep(1)
    with open(inside + "/fill", "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    wait_for(lambda: not ready(d), 10, "the trouble to show")
    assert "full" in d.api.get("/readyz").text
    hits = web.hits
    time.sleep(3)
    assert web.hits - hits > 30 * 2, "checks go on"
    assert d.tcp().get("/").status == 200
    os.unlink(inside + "/fill")
    wait_for(lambda: ready(d), 20, "the store")
    time.sleep(1.5)
    nothing_is_lost(d, beats)
    assert "no room" in d.log() and "room again" in d.log()
