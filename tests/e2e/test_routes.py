"""Whom an alert goes to, as rows of the outbox: they come with the transition,
survive kill -9, follow SIGHUP, and end with whoever was told."""

import contextlib
import json
import os
import sqlite3

import harness

# Nobody listens on port 1: what is made of the rows is not looked at here.
CHANNELS = [{"name": n, "type": "webhook", "url": "http://127.0.0.1:1/"}
            for n in ("ops", "boss")]


def config(server, routes, notify=(), **kw):
    return {"channels": CHANNELS, "routes": routes,
            "alerts": {"flap": {"on": 0, "off": 0}},
            "monitors": [{"name": "M", "type": "tcp", "host": "127.0.0.1",
                          "port": server, "interval": "1s", "retries": 0,
                          "notify": list(notify), **kw}]}


def rows(d):
    """(kind, channel, step, incident) of all rows so far, oldest first."""
    path = os.path.join(d.data, "vedette.db")
    kinds = {0: "open", 1: "resolve", 2: "change"}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro",
                                            uri=True)) as db:
        return [(kinds[json.loads(event)["kind"]], channel, step, incident)
                for channel, step, incident, event in db.execute(
                    "SELECT channel, step, incident_us, event FROM outbox"
                    " ORDER BY id")]


def told(d, *want):
    harness.wait_for(lambda: len(rows(d)) >= len(want), what=f"rows {want}")
    got = rows(d)
    assert [f"{k} {c}+{s}" for k, c, s, _ in got] == list(want)
    return got


def listener(port=0):
    return harness.TcpServer(lambda conn: conn.recv(1), port=port)


def test_a_kill_loses_no_row_and_makes_none(make_daemon):
    port = harness.free_port()
    d = make_daemon(config(port, [
        {"match": {"severity": "critical"}, "channels": ["boss"],
         "escalate": [{"after": "1h", "channels": ["ops"]}]}])).start()
    d.wait_status("M", "down")
    told(d, "open boss+0", "open ops+1")
    d.kill()
    d.start()
    d.wait_samples("M", 3)
    told(d, "open boss+0", "open ops+1")
    server = listener(port)
    try:
        d.wait_status("M", "up")
        got = told(d, "open boss+0", "open ops+1", "resolve boss+0",
                   "resolve ops+0")
        assert len({incident for _, _, _, incident in got}) == 1
    finally:
        server.close()


def test_routes_are_live_and_ends_go_to_who_was_told(make_daemon):
    port = harness.free_port()
    d = make_daemon(config(port, [{"channels": ["boss"]}])).start()
    d.wait_status("M", "down")
    told(d, "open boss+0")
    d.configure(config(port, [{"channels": ["ops"]}]))
    d.reload()
    server = listener(port)
    d.wait_status("M", "up")
    told(d, "open boss+0", "resolve boss+0")
    server.close()
    d.wait_status("M", "down")
    told(d, "open boss+0", "resolve boss+0", "open ops+0")
    a = d.api.post(f"/api/v1/monitors/{d.id('M')}/pause")
    assert a.status == 200, a
    told(d, "open boss+0", "resolve boss+0", "open ops+0", "resolve ops+0")


def test_what_is_wrong_with_routes_is_said(make_daemon, tmp_path):
    f = tmp_path / "v.yaml"

    def check(text):
        f.write_text("channels: [{name: ops, type: webhook, url: http://x}]\n"
                     + text)
        p = harness.run("check-config", str(f))
        return p.returncode, p.stdout + p.stderr

    assert check("routes:\n  - channels: [ops]\n")[0] == 0
    for text, want in (
            ("routes:\n  - channels: [opps]\n",
             ':3: routes[0].channels: "opps" is not a channel; '
             "allowed: ops"),
            ("routes:\n  - channels: [ops]\n    schedule: night\n",
             ':4: routes[0].schedule: "night" is not a schedule'),
            ("routes:\n  - {channels: [ops], match: {severity: bad}}\n",
             ":3: routes[0].match.severity: "),
            ("schedules:\n  - {name: x, days: [mon], zone: Mars/Base}\n",
             ':3: schedules[0].zone: "Mars/Base" is not a time zone'),
            ("maintenance:\n  - {name: x, cron: '61 * * * *', "
             "duration: 1h}\n", ":3: maintenance[0].cron: "),
            ("alerts:\n  fallback: opps\n",
             ':3: alerts.fallback: "opps" is not a channel; allowed: ops'),
            ("alerts:\n  rate: 3\n  self: [ops, opps]\n",
             ':4: alerts.self: "opps" is not a channel; allowed: ops'),
            ("alerts: {flap: {on: 10%, off: 20%}}\n",
             ":2: alerts.flap.off: is more than alerts.flap.on")):
        code, out = check(text)
        assert code == 2 and want in out, (text, out)
