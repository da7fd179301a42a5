"""Alerts from the failure to the provider, over local HTTP sinks, an SMTP
server and programs: exactly one open and one resolve, whatever fails, is
killed, locked or slow in between."""

import glob
import http.client
import os
import re
import signal
import sqlite3

import pytest

from harness import TcpServer, free_port, wait_for
from sinks import (HANG, HttpSink, MailSink, certificate, later, redirect,
                   status)

FAST = {"group_wait": "300ms", "group_max": "1s", "rate": 0}


def Flip(port):
    """The port is open from now on."""
    return TcpServer(lambda conn: None, port=port)


def monitor(name, port, **more):
    return {"name": name, "type": "tcp", "host": "127.0.0.1", "port": port,
            "interval": "1s", "retries": 0, "timeout": "500ms", **more}


def hook(name, sink, **more):
    return {"name": name, "type": "webhook", "url": sink.url + "/" + name,
            **more}


def told(sink):
    """(event, monitor) in the order in which they came."""
    seen = []
    for r in list(sink.requests):
        for e in r.json()["events"]:
            seen.append((e["event"], (e.get("monitor") or {}).get("name")))
    return seen


def once(sink):
    """The same as somebody sees it who minds the key."""
    seen, keys = [], set()
    for r in list(sink.requests):
        if r.key() not in keys:
            seen += [(e["event"], (e.get("monitor") or {}).get("name"))
                     for e in r.json()["events"]]
        keys.add(r.key())
    return seen


def config(channels, monitors, **alerts):
    return {"alerts": {**FAST, **alerts}, "channels": channels,
            "monitors": monitors}


def wait_told(sink, what, timeout=30.0):
    wait_for(lambda: what in told(sink), timeout=timeout,
             what=f"{what} at the sink, which has {told(sink)}")


def outbox(d, sql, *args):
    # The outbox may not be there yet, or the writer may hold it.
    path = os.path.join(d.data, "vedette.db")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
        return db.execute(sql, args).fetchall()


def settled(d):
    wait_for(lambda: outbox(d, "SELECT count(*) FROM outbox WHERE kept = 1")
             == [(0,)], what="every row of the outbox to be over")


def test_one_open_and_one_resolve(make_daemon, closing):
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start()
    wait_told(sink, ("open", "A"))
    up = closing(Flip(port))
    wait_told(sink, ("resolve", "A"))
    settled(d)
    assert told(sink) == [("open", "A"), ("resolve", "A")]
    assert up is not None
    text = d.metrics()
    assert 'vedette_outbox_pending{channel="ops"} 0' in text
    assert 'vedette_alerts_total{channel="ops",result="sent"} 2' in text


def test_a_dead_provider_delays_no_other(make_daemon, closing):
    dead, good = closing(HttpSink()), closing(HttpSink())
    dead.script(*[HANG] * 20)
    d = make_daemon(config([hook("dead", dead), hook("good", good)],
                           [monitor("A", free_port(),
                                    notify=["dead", "good"])],
                           self=["good"]))
    d.start()
    wait_told(good, ("open", "A"), timeout=8)


def test_what_waits_together_is_one_late_message(make_daemon, closing):
    sink, port = closing(HttpSink()), free_port()
    sink.script(*[status(503)] * 3)
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start()
    sink.wait(1)
    closing(Flip(port))
    settled(d)
    last = sink.requests[-1].json()
    assert [e["event"] for e in last["events"]] == ["resolve"]
    assert last["events"][0]["collapsed"] is True
    assert len(outbox(d, "SELECT 1 FROM outbox WHERE state = 4")) == 1


def test_retry_after_is_honoured(make_daemon, closing):
    sink = closing(HttpSink())
    sink.script(later(4))
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", free_port(), notify=["ops"])]))
    d.start()
    first, second = sink.wait(2, timeout=30)[:2]
    assert second.at - first.at >= 3.9


def test_refused_takes_the_fallback(make_daemon, closing):
    bad, good, port = closing(HttpSink()), closing(HttpSink()), free_port()
    bad.script(*[status(404)] * 20)
    d = make_daemon(config([hook("bad", bad), hook("good", good)],
                           [monitor("A", port, notify=["bad"])],
                           fallback="good", self=["good"]))
    d.start()
    wait_told(good, ("open", "A"))
    wait_told(good, ("channel", None))
    closing(Flip(port))
    wait_told(good, ("resolve", "A"))
    settled(d)
    assert [e for e, _ in told(bad)] == ["open"]


def test_redirects_of_a_post(make_daemon, closing):
    sink, other = closing(HttpSink()), closing(HttpSink())
    sink.script(redirect(sink.url + "/moved"), redirect(other.url + "/away"))
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", free_port(), notify=["ops"])]))
    d.start()
    wait_for(lambda: len(sink.requests) >= 2, what="the second request")
    assert [r.path for r in sink.requests[:2]] == ["/ops", "/moved"]
    wait_for(lambda: 'vedette_alerts_total{channel="ops",result="refused"} 1'
             in d.metrics(), what="the second redirect to be refused")
    assert other.requests == []


def courier_points():
    """Every point that the courier's source names."""
    found = set()
    for f in glob.glob(os.path.join(os.path.dirname(__file__), "..", "..",
                                    "src", "alert", "*.c")):
        with open(f) as text:
            found |= set(re.findall(r'FAULT\("([^"]+)"\)', text.read()))
    assert len(found) >= 3
    return sorted(found)


# Around the open and the resolve, and each commit in between: its row, what
# became of it, the row of its end.
POINTS = ["courier.loaded=kill@1",   # once a start
          *(f"{p}=kill@{n}" for p in courier_points() for n in (1, 2)
            if p != "courier.loaded"),
          *(f"writer.{p}_commit=kill@{n}" for p in ("before", "after")
            for n in (2, 3, 4, 5, 6))]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_point(make_daemon, closing, point):
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    try:
        d.start(env={"VEDETTE_FAULT": point})
    except (AssertionError, RuntimeError):
        pass   # killed before it was ready
    at_the_resolve = point.startswith("courier") and point.endswith("@2")
    if at_the_resolve:
        wait_told(sink, ("open", "A"))
        closing(Flip(port))
    wait_for(lambda: not d.alive(), timeout=30, what="the kill")
    d.kill()
    d.start()
    wait_told(sink, ("open", "A"))
    if not at_the_resolve:
        closing(Flip(port))
    wait_told(sink, ("resolve", "A"))
    settled(d)
    seen = told(sink)
    # At least once; twice only where the kill came after it left.
    after = "before_send" not in point
    assert seen[0] == ("open", "A") and seen[-1] == ("resolve", "A")
    assert len(seen) <= (3 if after else 2), seen
    assert once(sink) == [("open", "A"), ("resolve", "A")]


def test_killed_again_while_it_recovers(make_daemon, closing):
    """Each start ends at another point of the same delivery."""
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    for event in ("open", "resolve"):
        for point in ("before_send", "after_send", "loaded", "after_send",
                      "before_book", "before_send"):
            d.start(ready=False,
                    env={"VEDETTE_FAULT": f"courier.{point}=kill@1"})
            wait_for(lambda: not d.alive(), timeout=30,
                     what=f"the kill at {point}")
            d.kill()
        d.start()
        wait_told(sink, (event, "A"))
        settle_row(d, event)
        if event == "open":
            closing(Flip(port))
            d.kill()
    settled(d)
    assert len(told(sink)) > 2
    assert once(sink) == [("open", "A"), ("resolve", "A")]


def test_killed_between_two_parts(make_daemon, closing):
    """One message in several requests: those that were taken are known by
    their keys, and the others follow."""
    sink, n, port = closing(HttpSink()), 3000, free_port()
    mons = [monitor(f"M{i}", port, notify=["ops"], interval="5s")
            for i in range(n)]
    d = make_daemon(config([hook("ops", sink)], mons, group_wait="3s",
                           group_max="20s"))
    d.start(env={"VEDETTE_FAULT": "courier.before_send=kill@2"})
    wait_for(lambda: not d.alive(), timeout=60, what="the kill")
    d.kill()
    assert len(sink.requests) == 1 and 0 < len(told(sink)) < n
    d.start()
    wait_for(lambda: len(set(told(sink))) == n, timeout=60,
             what="all to be told")
    assert len(once(sink)) == n


def settle_row(d, event):
    """What became of it is stored."""
    wait_for(lambda: outbox(d, "SELECT state FROM outbox WHERE k LIKE ?",
                            f"%.{event}.%") == [(2,)],
             what=f"the {event} to be noted as sent")


def test_a_monitor_that_goes_is_resolved(make_daemon, closing):
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start()
    wait_told(sink, ("open", "A"))
    assert d.api.delete(f"/api/v1/monitors/{d.id('A')}").status in (200, 204)
    wait_told(sink, ("resolve", "A"))
    settled(d)
    assert told(sink) == [("open", "A"), ("resolve", "A")]


@pytest.mark.parametrize("way", ["delete", "archive"])
def test_its_end_is_in_the_commit_that_lets_a_monitor_go(
        make_daemon, closing, way):
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start(env={"VEDETTE_FAULT": "edit.committed=kill@2"})
    wait_told(sink, ("open", "A"))
    wait_for(lambda: outbox(d, "SELECT count(*) FROM outbox WHERE state = 2")
             == [(1,)], what="the note that the alert was sent")
    d.configure(config([hook("ops", sink)], []))
    if way == "archive":
        d.signal(signal.SIGHUP)
    else:
        with pytest.raises((OSError, http.client.HTTPException)):
            d.api.delete(f"/api/v1/monitors/{d.id('A')}")
    wait_for(lambda: not d.alive(), timeout=30, what="the kill")
    assert outbox(d, "SELECT count(*) FROM outbox WHERE kept = 1 AND"
                     " json_extract(event, '$.kind') = 1") == [(1,)]
    d.kill()
    d.start()
    wait_told(sink, ("resolve", "A"))
    settled(d)
    assert told(sink) == [("open", "A"), ("resolve", "A")]


def test_a_storm_is_one_message(make_daemon, closing):
    sink, n = closing(HttpSink()), 3000
    port = free_port()
    mons = [monitor(f"M{i}", port, notify=["ops"], interval="5s")
            for i in range(n)]
    d = make_daemon(config([hook("ops", sink)], mons, group_wait="3s",
                           group_max="20s"))
    d.start()
    sink.wait(1, timeout=60)
    assert sink.requests[0].json()["count"] == n
    # And while they are told of, checks are made on time.
    before, skipped = lags(d)
    wait_for(lambda: lags(d)[0][-1][1] - before[-1][1] >= 2 * n, timeout=60,
             what="two more rounds of checks")
    after, still = lags(d)
    total = after[-1][1] - before[-1][1]
    late = total - sum(b[1] - a[1] for a, b in zip(before, after)
                       if a[0] == 1.0)
    assert late < total / 100, (late, total)
    assert still == skipped, "no beat was left out"
    # Of each once, in as many parts as the provider's limit asks for.
    assert len(told(sink)) == len(set(told(sink))) == n


def lags(d):
    """[(seconds, checks that started within), …, (inf, all)], and beats that
    were skipped."""
    text, found = d.metrics(), []
    for le, count in re.findall(
            r'^vedette_sched_lag_seconds_bucket\{le="([^"]+)"\} (\d+)',
            text, re.M):
        found.append((float(le.replace("+Inf", "inf")), int(count)))
    skipped = re.search(r"^vedette_skipped_beats_total (\d+)", text, re.M)
    return found, int(skipped[1])


def test_mail(make_daemon, closing):
    mail, port = closing(MailSink(user="u", password="secret")), free_port()
    ch = {"name": "mail", "type": "email", "host": "127.0.0.1",
          "port": mail.port, "tls": "none", "user": "u",
          "password": "secret", "from": "v@example.org",
          "to": ["a@example.org", "b@example.org"]}
    d = make_daemon(config([ch], [monitor("Ä <b>", port, notify=["mail"])]))
    d.start()
    first = mail.wait(1, timeout=30)[0].message
    assert "Ä <b>" in first["Subject"]
    closing(Flip(port))
    second = mail.wait(2, timeout=30)[1].message
    assert first["Message-ID"] in second["References"]
    settled(d)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_is_encrypted_and_verified(make_daemon, closing, tmp_path, tls):
    pair = certificate(str(tmp_path))
    mail = closing(MailSink(tls=tls, pair=pair))
    ch = {"name": "mail", "type": "email", "host": "localhost",
          "port": mail.port, "tls": tls, "from": "v@example.org",
          "to": ["a@example.org"]}
    mons = [monitor("A", free_port(), notify=["mail"])]
    d = make_daemon({**config([ch], mons), "net": {"ca_file": pair[0]}})
    d.start()
    mail.wait(1, timeout=30)
    d.stop()
    # Without the CA nothing is said to a server that may be anybody.
    other = closing(MailSink(tls=tls, pair=pair))
    ch["port"] = other.port
    d2 = make_daemon(config([ch], mons))
    d2.start()
    wait_for(lambda: outbox(d2, "SELECT text FROM delivery"),
             what="an attempt")
    assert "certificate" in outbox(d2, "SELECT text FROM delivery")[0][0]
    assert not other.mails


def test_a_program(make_daemon, closing, tmp_path):
    port, script = free_port(), tmp_path / "notify"
    script.write_text("#!/bin/sh\ncat > %s/in.$$\nenv > %s/env.$$\n" %
                      (tmp_path, tmp_path))
    script.chmod(0o755)
    d = make_daemon(config(
        [{"name": "run", "type": "exec", "command": [str(script), "x"]}],
        [monitor("A", port, notify=["run"])], exec_allow=[str(tmp_path)]))
    d.start()
    wait_for(lambda: list(tmp_path.glob("env.*")), timeout=30,
             what="the program to run")
    wait_for(lambda: "VEDETTE_" in next(tmp_path.glob("env.*")).read_text(),
             what="its environment")
    env = next(tmp_path.glob("env.*")).read_text()
    assert "\nHOME=" not in "\n" + env


def test_acknowledge_snooze_and_the_link(make_daemon, closing):
    sink, port = closing(HttpSink()), free_port()
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])],
                           remind="60s", base_url="http://vedette.example"))
    d.start()
    refused = d.cli("ack", "B")
    assert refused.returncode == 1
    wait_told(sink, ("open", "A"))
    wait_for(lambda: outbox(d, "SELECT 1 FROM outbox WHERE state = 2"),
             what="the open to be noted")
    assert d.cli("ack", "A", "--note", "on it").returncode == 0
    assert outbox(d, "SELECT acked_us > 0, note FROM hold") == [(1, "on it")]
    assert d.cli("unack", "A").returncode == 0
    assert d.cli("snooze", "A", "--for", "1h").returncode == 0
    assert outbox(d, "SELECT acked_us, snoozed_us > 0 FROM hold") == [(0, 1)]
    # The link: looking at it acknowledges nothing.
    text = sink.requests[0].json()["text"]
    path = "/ack/" + text.split("http://vedette.example/ack/")[1].split()[0]
    api = d.tcp()
    page = api.get(path)
    assert page.status == 200 and "<form" in page.text
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert outbox(d, "SELECT acked_us FROM hold") == [(0,)]
    assert api.post(path).status == 200
    assert outbox(d, "SELECT acked_us > 0, by FROM hold") == [(1, "link")]
    bad = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert api.get(bad).status == 404 and api.post(bad).status == 404
    assert os.stat(os.path.join(d.data, "link.key")).st_mode & 0o777 == 0o600
    events = [e for e in d.events() if e["kind"] == "alert"]
    assert len(events) == 4


def test_channels_tell_how_they_do(make_daemon, closing):
    good, bad = closing(HttpSink()), closing(HttpSink())
    bad.script(*[status(401)] * 9)
    d = make_daemon(config([hook("good", good), hook("bad", bad)], []))
    d.start()
    sent = d.cli("channel", "test", "good")
    assert sent.returncode == 0 and "sent" in sent.stdout
    failed = d.cli("channel", "test", "bad")
    assert failed.returncode == 1 and "401" in failed.stderr
    assert d.cli("channel", "test", "none").returncode == 1
    listed = d.cli("channel", "list").stdout
    assert "good" in listed and "working" in listed
    tried = d.cli("channel", "deliveries", "bad").stdout
    assert "refused" in tried
    health = {c["name"]: c["health"] for c in d.api.get(
        "/api/v1/channels").json()["items"]}
    assert health["good"]["state"] == "working"
    assert "401" in health["bad"]["last_error"]
    # The URL is a secret: no error and no log has it.
    assert bad.url not in d.log() and bad.url not in tried


def test_alerts_leave_while_the_store_is_locked(make_daemon, closing):
    sink, port = closing(HttpSink()), free_port()
    up = closing(Flip(port))
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])],
                           self=["ops"]))
    d.start()
    d.wait_status("A", "up")
    db = sqlite3.connect(os.path.join(d.data, "vedette.db"),
                         isolation_level=None, timeout=10)
    db.execute("BEGIN EXCLUSIVE")
    up.close()
    try:
        wait_for(lambda: ("open", "A") in told(sink), 20,
                 "the alert while the store is locked")
    finally:
        db.execute("ROLLBACK")
        db.close()
    closing(Flip(port))
    wait_told(sink, ("resolve", "A"))
    settled(d)
    seen = [t for t in told(sink) if t[1] == "A"]
    assert seen == [("open", "A"), ("resolve", "A")], told(sink)
    assert outbox(
        d, "SELECT count(*) FROM outbox WHERE monitor = 1") == [(2,)]
    assert outbox(
        d, "SELECT count(*), count(DISTINCT k) FROM delivery"
        " WHERE k LIKE '1.%'") == [(2, 2)]
