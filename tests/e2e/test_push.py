"""Heartbeats: late when the interval ends, down exactly when grace ends,
answered only when durable, never a false alarm after a restart."""

import http.client
import json
import os
import signal
import threading
import time

import harness
from harness import seconds

TOKEN = "beatbeatbeatbeatbeatbeatbeatbeat"


def beat(interval="2s", grace="2s", **kw):
    return {"name": "Beat", "type": "push", "interval": interval,
            "grace": grace, "token": TOKEN, **kw}


def test_tokens_are_made_with_128_bits(make_daemon):
    d = make_daemon({"monitors": [{"name": f"P{i}", "type": "push"}
                                  for i in range(8)]}).start()
    tokens = {m["config"]["token"] for m in d.api.items("/api/v1/monitors")}
    assert len(tokens) == 8
    assert all(len(t) >= 22 for t in tokens), tokens


def test_answers(make_daemon):
    d = make_daemon({"monitors": [beat("1h", "1h")]}).start()
    a = d.push(TOKEN)
    assert a.status == 200 and a.json() == {"ok": True}
    assert d.monitor("Beat")["status"] == "up", "answered after the commit"
    assert d.push(TOKEN, method="POST").status == 200
    assert d.push("nobody" * 5).status == 404
    assert d.push(TOKEN[:-1]).status == 404
    assert d.push(TOKEN + "x").status == 404
    for method in ("PUT", "DELETE", "PATCH"):
        a = d.push(TOKEN, method=method)
        assert a.status == 405 and "GET" in a.headers["Allow"], a
    a = d.push(TOKEN, "?status=sideways")
    assert a.status == 400 and a.json()["field"] == "status", a
    a = d.push(TOKEN, "?ping=fast")
    assert a.status == 400, a
    assert d.status("Beat") == "up"


def test_status_message_and_ping(make_daemon):
    d = make_daemon({"monitors": [beat("1h", "1h")]}).start()
    assert d.push(TOKEN, "?status=down&msg=disk%20full").status == 200
    m = d.monitor("Beat")
    assert m["status"] == "down" and m["why"] == "push_down"
    assert "disk full" in m["reason"]
    assert d.push(TOKEN, "?status=up&msg=fine&ping=12.5").status == 200
    m = d.monitor("Beat")
    assert m["status"] == "up"
    assert m["latency_us"] == 12500
    a = d.tcp().request("POST", f"/push/{TOKEN}",
                        body=b"status=down&msg=by+form",
                        headers={"Content-Type":
                                 "application/x-www-form-urlencoded"})
    assert a.status == 200
    assert "by form" in d.monitor("Beat")["reason"]


def test_late_then_down_on_time_then_up(make_daemon):
    d = make_daemon({"monitors": [beat("2s", "2s")]}).start()
    assert d.status("Beat") == "pending"
    time.sleep(4.5)
    assert d.status("Beat") == "pending", \
        "no deadline before the first beat ever"
    assert d.push(TOKEN).status == 200
    last = seconds(d.samples("Beat")[0]["at"])
    d.wait_status("Beat", "down", timeout=10)
    late, down = d.transitions("Beat")[-2:]
    assert (late["from"], late["to"], late["why"]) == \
        ("up", "late", "push_late")
    assert (down["from"], down["to"], down["why"]) == \
        ("late", "down", "push_missed")
    slack = 0.5 * harness.SLOW
    assert 2 <= seconds(late["at"]) - last < 2 + slack, late
    assert 4 <= seconds(down["at"]) - last < 4 + slack, down
    assert d.push(TOKEN).status == 200
    assert d.status("Beat") == "up"


def test_a_beat_in_grace_prevents_the_alarm(make_daemon):
    d = make_daemon({"monitors": [beat("1s", "3s")]}).start()
    d.push(TOKEN)
    d.wait_status("Beat", "late")
    d.push(TOKEN)
    assert d.status("Beat") == "up"
    assert "down" not in [t["to"] for t in d.transitions("Beat")]


def test_a_restart_is_no_alarm(make_daemon):
    d = make_daemon({"monitors": [beat("2s", "2s")]}).start()
    d.push(TOKEN)
    d.wait_status("Beat", "up")
    d.kill()
    time.sleep(5)       # all of interval and grace passes while we are away
    d.start()
    m = d.monitor("Beat")
    assert m["status"] != "down", m
    assert d.push(TOKEN).status == 200
    assert d.status("Beat") == "up"
    assert "down" not in [t["to"] for t in d.transitions("Beat")]
    # But one that stays away after that is missed.
    d.wait_status("Beat", "down", timeout=10)


def test_down_stays_down_over_a_restart(make_daemon):
    d = make_daemon({"monitors": [beat("1s", "1s")]}).start()
    d.push(TOKEN)
    d.wait_status("Beat", "down")
    before = d.transitions("Beat")
    d.kill()
    d.start()
    assert d.status("Beat") == "down"
    assert [t["id"] for t in d.transitions("Beat")] == \
        [t["id"] for t in before]


def test_paused_misses_nothing(make_daemon):
    d = make_daemon({"monitors": [beat("1s", "1s")]}).start()
    d.push(TOKEN)
    d.cli("pause", "Beat")
    time.sleep(3)
    assert d.status("Beat") == "paused"
    assert "down" not in [t["to"] for t in d.transitions("Beat")]


def test_a_stopped_process_misses_no_beat_falsely(make_daemon):
    """SIGSTOP over the deadline: beats that waited in the socket count."""
    d = make_daemon({"monitors": [beat("2s", "1s")]}).start()
    d.push(TOKEN)
    d.signal(signal.SIGSTOP)
    try:
        result = []
        t = threading.Thread(target=lambda: result.append(
            d.push(TOKEN, timeout=20).status))
        time.sleep(1)
        t.start()
        time.sleep(3.5)
    finally:
        d.signal(signal.SIGCONT)
    t.join(15)
    assert result == [200]
    time.sleep(0.5)
    assert "down" not in [t["to"] for t in d.transitions("Beat")]


def test_many_at_once_are_each_stored(make_daemon):
    n = 40
    d = make_daemon({"monitors": [
        {"name": f"P{i}", "type": "push", "interval": "1h", "grace": "1h",
         "token": f"token{i:011d}"} for i in range(n)]}).start()
    acks = [0] * n

    def pusher(i):
        conn = http.client.HTTPConnection("127.0.0.1", d.port, timeout=20)
        for _ in range(25):
            conn.request("GET", f"/push/token{i:011d}")
            r = conn.getresponse()
            r.read()
            if r.status == 200:
                acks[i] += 1
        conn.close()
    threads = [threading.Thread(target=pusher, args=(i,)) for i in range(n)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sum(acks) == n * 25
    d.kill()
    d.start()
    for i in range(n):
        seqs = sorted(s["seq"] for s in d.samples(f"P{i}"))
        assert len(seqs) == acks[i] and seqs == sorted(set(seqs))
