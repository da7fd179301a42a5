"""Time: deadlines to the millisecond, a clock that is set while we run, a
machine that sleeps; counted at the server and read from what is stored."""

import glob
import signal
import threading
import time

import pytest

import harness
from harness import seconds

FAST = {"interval": "1s", "timeout": "900ms", "retries": 0}


def watched(web):
    """The times of its requests."""
    times, inner = [], web.handle

    def handle(conn):
        times.append(time.monotonic())
        inner(conn)
    web.handle = handle
    return times


def changes(d):
    out = set()
    for m in d.api.items("/api/v1/monitors"):
        for t in d.transitions(m["path"]):
            out.add((t["from"], t["to"]))
    return out


def test_late_and_down_to_the_millisecond(make_daemon, web):
    n = 10
    d = make_daemon({"monitors": [
        *[{"name": f"P{i}", "type": "push", "interval": "2s", "grace": "1s",
           "token": f"exact-token-{i:06d}"} for i in range(n)],
        *[{"name": f"H{i}", "type": "http", "url": web.url, **FAST}
          for i in range(50)]]}).start()
    for i in range(n):
        time.sleep(0.037)
        assert d.push(f"exact-token-{i:06d}").status == 200
    slack = 0.25 * harness.SLOW
    for i in range(n):
        beat = seconds(d.samples(f"P{i}")[0]["at"])
        d.wait_status(f"P{i}", "late", "down")
        assert time.time() - beat > 2
        d.wait_status(f"P{i}", "down")
        assert 3 < time.time() - beat < 3 + n * 0.05 + slack
        late, down = d.transitions(f"P{i}")[-2:]
        assert abs(seconds(late["at"]) - beat - 2) < 0.001, late
        assert abs(seconds(down["at"]) - beat - 3) < 0.001, down


class Beats(threading.Thread):
    def __init__(self, d, tokens):
        super().__init__(daemon=True)
        self.d, self.tokens, self.ended = d, tokens, False
        self.start()

    def run(self):
        while not self.ended:
            for t in self.tokens:
                try:
                    self.d.push(t, timeout=30)
                except OSError:
                    pass
            time.sleep(0.5)

    def close(self):
        self.ended = True
        self.join(30)


def everything(web):
    return [
        *[{"name": f"H{i}", "type": "http", "url": web.url, **FAST,
           "interval": "1s" if i % 2 else "5s"} for i in range(40)],
        {"name": "T", "type": "tcp", "host": "127.0.0.1", "port": web.port,
         **FAST},
        *[{"name": "I", "type": "ping", "host": "127.0.0.1", **FAST,
           "packets": 1}] * harness.may_ping(),
        *[{"name": f"P{i}", "type": "push", "interval": "3s", "grace": "2s",
           "token": f"beating-token-{i:04d}"} for i in range(3)],
        {"name": "G", "type": "group", "monitors": [
            {"name": "H", "type": "http", "url": web.url, **FAST}]}]


def all_up(d, monitors):
    for m in monitors:
        if m["type"] == "push":
            d.push(m["token"])
        d.wait_status(m["name"], "up")


def test_a_machine_that_slept(make_daemon, closing, web):
    """Longer than every interval and grace: nothing is down or late, and
    what was missed is not made up for."""
    monitors, times = everything(web), watched(web)
    d = make_daemon({"monitors": monitors}).start()
    all_up(d, monitors)
    closing(Beats(d, [m["token"] for m in monitors if m["type"] == "push"]))
    d.signal(signal.SIGSTOP)
    time.sleep(6)
    woken = time.monotonic()
    d.signal(signal.SIGCONT)
    time.sleep(3)
    rate = 20 + 20 / 5 + 2      # requests in a second
    after = [t - woken for t in times if t > woken]
    for s in range(3):
        n = len([t for t in after if s <= t < s + 1])
        assert n < rate * 1.6, (s, n, rate)
    assert len(after) > rate * 1.5, "and checking goes on"
    assert changes(d) <= {("pending", "up")}, changes(d)
    assert "suspended" in " ".join(e["text"] or "" for e in d.events())


def faketime():
    for p in glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"):
        return p
    return None


@pytest.mark.skipif(not faketime(), reason="libfaketime is not installed")
@pytest.mark.skipif(harness.SLOW > 1, reason="no preloading with sanitizers")
def test_a_clock_that_is_set_while_we_run(make_daemon, closing, web,
                                          tmp_path):
    monitors, times = everything(web), watched(web)
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    env = {"LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(clock),
           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
           "DONT_FAKE_MONOTONIC": "1"}
    d = make_daemon({"monitors": monitors}).start(env=env)
    all_up(d, monitors)
    closing(Beats(d, [m["token"] for m in monitors if m["type"] == "push"]))
    steps = ("+3600", "-7200", "+2", "+864000", "-864000", "+0")
    for step in steps:
        clock.write_text(step + "\n")
        began = time.monotonic()
        time.sleep(2.5)
        n = len([t for t in times if began <= t < began + 2])
        assert 2 * 20 < n < 2 * 26 * 1.5, (step, n)
    assert changes(d) <= {("pending", "up")}, changes(d)
    said = [e["text"] for e in d.events() if e["kind"] == "clock"]
    assert len(said) == len(steps), said
    u = d.api.get(f"/api/v1/monitors/{d.id('H1')}/uptime").json()
    assert u["ratio"] == 1.0 and u["down_seconds"] == 0, u
    assert u["up_seconds"] < 120, "a day that was stepped over is no time"
    # And what was stored under a clock that was days ahead is no trouble.
    clock.write_text("+864000\n")
    time.sleep(1.5)
    last = d.samples("H1")[0]["seq"]
    d.kill()
    clock.write_text("+0\n")
    d.start(env=env)
    harness.wait_for(lambda: d.samples("H1")[0]["seq"] > last + 1, 15,
                     "new samples")
    assert d.status("H1") == "up"
    assert "down" not in {b for _, b in changes(d)}
