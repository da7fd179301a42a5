"""Providers and people that mean it badly, and machines that are moved about:
answers that do not end, secrets that are said back, addresses that are
nobody's business, clocks that are set, channels that go."""

import json
import os
import time
from email.utils import formatdate

import pytest

import harness
from harness import free_port, wait_for
from sinks import (CUT, CUT_BODY, DRIP, ENDLESS, HANG, RESET, STALL, HttpSink,
                   MailSink, later, status)
from test_alerts import (Flip, config, hook, monitor, once, outbox, settled,
                         told, wait_told)
from test_real_time import faketime

SECRETS = ["HookPathS3cret", "HeaderS3cret", "HmacS3cret", "TokenS3cret",
           "PassS3cret", "RoutingS3cret", "QueryS3cret"]


def deliveries(d):
    return [t for t, in outbox(d, "SELECT text FROM delivery ORDER BY rowid")]


@pytest.mark.parametrize("answer", [ENDLESS, CUT_BODY, STALL],
                         ids=["endless", "cut", "stalls"])
def test_what_was_taken_is_not_sent_again(make_daemon, closing, answer):
    """The head says 200; that the rest of the answer does not come is not a
    reason to tell people twice, nor to wait for it for ever."""
    sink, good, port = closing(HttpSink()), closing(HttpSink()), free_port()
    sink.script(answer)
    d = make_daemon(config([hook("ops", sink), hook("good", good)],
                           [monitor("A", port, notify=["ops", "good"])]))
    d.start()
    wait_told(good, ("open", "A"), timeout=8)
    wait_for(lambda: len(outbox(d, "SELECT 1 FROM outbox WHERE state = 2"))
             == 2, timeout=20, what="both to be noted as sent")
    closing(Flip(port))
    settled(d)
    assert told(sink) == [("open", "A"), ("resolve", "A")]


@pytest.mark.parametrize("answer", [CUT, RESET, HANG],
                         ids=["cut", "reset", "hangs"])
def test_what_may_have_been_taken_goes_again_as_it_was(make_daemon, closing,
                                                       answer):
    """Nothing came back: whoever took it knows it by its key and its bytes."""
    sink, port = closing(HttpSink()), free_port()
    sink.script(answer)
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start()
    first, second = sink.wait(2, timeout=40)[:2]
    assert (first.key(), first.body) == (second.key(), second.body)
    if answer is HANG:
        assert 9.5 <= second.at - first.at < 30 * harness.SLOW
    closing(Flip(port))
    settled(d)
    assert told(sink) == [("open", "A"), ("open", "A"), ("resolve", "A")]
    assert once(sink) == [("open", "A"), ("resolve", "A")]


def test_retry_after_may_be_a_date(make_daemon, closing):
    sink = closing(HttpSink())
    sink.script(lambda r: later(formatdate(time.time() + 5, usegmt=True),
                                code=503))
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", free_port(), notify=["ops"])]))
    d.start()
    first, second = sink.wait(2, timeout=30)[:2]
    assert second.at - first.at >= 3.9   # a date has whole seconds


def test_a_head_that_drips_is_ended(make_daemon, closing):
    slow, good = closing(HttpSink()), closing(HttpSink())
    slow.script(*[DRIP] * 9)
    d = make_daemon(config([hook("slow", slow), hook("good", good)],
                           [monitor("A", free_port(),
                                    notify=["slow", "good"])],
                           self=["good"]))
    began = time.monotonic()
    d.start()
    wait_told(good, ("open", "A"), timeout=8)
    wait_for(lambda: "no answer within the deadline" in deliveries(d),
             timeout=20, what="the end of the attempt")
    assert time.monotonic() - began < 20 * harness.SLOW


def test_secrets_that_are_said_back_stay_in(make_daemon, closing):
    """A provider that repeats what it was sent in its error: nothing that
    vedette shows, stores or logs of it has a secret."""
    sink = closing(HttpSink())
    sink.default = lambda r: status(400, " ".join(
        [r.path, *(f"{k}={v}" for k, v in r.fields),
         r.body.decode("utf-8", "replace").replace("\n", " ")]))
    hooks = sink.url + "/services/HookPathS3cret"
    channels = [
        {"name": "webhook", "type": "webhook",
         "url": hooks + "?key=QueryS3cret", "secret": "HmacS3cret",
         "headers": {"X-Key": "HeaderS3cret"}, "body": "x"},
        *({"name": t, "type": t, "url": hooks} for t in
          ("discord", "slack", "teams", "mattermost", "googlechat")),
        {"name": "gotify", "type": "gotify", "url": sink.url,
         "token": "TokenS3cret"},
        {"name": "ntfy", "type": "ntfy", "url": sink.url, "topic": "t",
         "user": "me", "password": "PassS3cret"},
        {"name": "matrix", "type": "matrix", "url": sink.url, "room": "!r:x",
         "token": "TokenS3cret"},
        {"name": "pagerduty", "type": "pagerduty", "url": sink.url,
         "routing_key": "RoutingS3cret"},
        {"name": "telegram", "type": "telegram", "url": sink.url,
         "token": "12:TokenS3cret", "chat_id": "1"},
    ]
    d = make_daemon({"channels": channels, "log": {"level": "debug"}})
    d.start()
    shown = []
    for c in channels:
        p = d.cli("channel", "test", c["name"])
        assert p.returncode == 1 and "400" in p.stderr, p
        shown += [p.stdout, p.stderr,
                  d.cli("channel", "deliveries", c["name"]).stdout,
                  d.cli("channel", "preview", c["name"]).stdout]
    assert len(sink.requests) == len(channels)
    shown += [d.log(), d.metrics(), d.cli("export").stdout,
              d.cli("channel", "list").stdout,
              json.dumps(d.api.get("/api/v1/channels").json()),
              json.dumps(d.events()), repr(deliveries(d)),
              repr(outbox(d, "SELECT * FROM outbox"))]
    for text in shown:
        for s in SECRETS:
            assert s not in text, text[max(0, text.find(s) - 300):][:700]


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]",
                                  "2852039166", "0xa9fea9fe"])
def test_metadata_addresses_are_nobodys_channel(make_daemon, host):
    d = make_daemon({"channels": [
        {"name": "c", "type": "webhook", "url": f"http://{host}/latest/"}]})
    d.start()
    p = d.cli("channel", "test", "c")
    assert p.returncode == 1, p
    assert "target policy (net.deny) forbids" in p.stderr, p.stderr


def test_a_channel_that_goes_takes_its_rows_with_it(make_daemon, closing):
    gone, left, port = closing(HttpSink()), closing(HttpSink()), free_port()
    gone.default = status(503)
    both = [hook("gone", gone), hook("left", left)]
    d = make_daemon(config(both, [monitor("A", port,
                                          notify=["gone", "left"])]))
    d.start()
    wait_told(left, ("open", "A"))
    gone.wait(2)
    d.configure(config([both[1]], [monitor("A", port, notify=["left"])]))
    p = d.cli("apply", "-f", d.config_path, "--prune", "--yes")
    assert p.returncode == 0, p
    wait_for(lambda: outbox(d, "SELECT count(*) FROM outbox WHERE state < 2"
                            " AND channel = 'gone'") == [(0,)],
             what="nothing to wait for the channel that went")
    n = len(gone.requests)
    closing(Flip(port))
    wait_told(left, ("resolve", "A"))
    settled(d)
    assert [e for e, _ in told(left)] == ["open", "resolve"]
    assert len(gone.requests) == n
    assert d.api.get("/api/v1/channels").json()["items"][0]["name"] == "left"


@pytest.mark.skipif(not faketime(), reason="libfaketime is not installed")
@pytest.mark.skipif(harness.SLOW > 1, reason="no preloading with sanitizers")
def test_a_clock_that_is_set_delays_no_alert(make_daemon, closing, tmp_path):
    sink, port = closing(HttpSink()), free_port()
    sink.script(later(3))
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    d = make_daemon(config([hook("ops", sink)],
                           [monitor("A", port, notify=["ops"])]))
    d.start(env={"LD_PRELOAD": faketime(), "FAKETIME_NO_CACHE": "1",
                 "FAKETIME_TIMESTAMP_FILE": str(clock),
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                 "DONT_FAKE_MONOTONIC": "1"})
    sink.wait(1)
    clock.write_text("-7200\n")
    sink.wait(2, timeout=20)
    closing(Flip(port))
    clock.write_text("-86400\n")
    wait_told(sink, ("resolve", "A"), timeout=20)
    settled(d)
    clock.write_text("+0\n")   # faketime's own waits follow the wall clock


def test_hostile_names_reach_people_as_they_are(make_daemon, closing):
    """Names are data: in JSON, in mark-up, in a mail's head."""
    name = "a\"b\\c <b>*_[x](e)_* @everyone {{title}} 'é' 🔥"
    sink, port = closing(HttpSink()), free_port()
    mail = closing(MailSink())
    channels = [{"name": t, "type": t, "url": f"{sink.url}/{t}"} for t in
                ("webhook", "discord", "slack", "teams", "mattermost",
                 "googlechat")]
    channels += [
        {"name": "telegram", "type": "telegram", "url": sink.url,
         "token": "12:abcdef", "chat_id": "1"},
        {"name": "mail", "type": "email", "host": "127.0.0.1",
         "port": mail.port, "tls": "none", "from": "v@example.org",
         "to": ["a@example.org"]}]
    d = make_daemon(config(channels, [monitor(
        name, port, notify=[c["name"] for c in channels])]))
    d.start()
    sink.wait(len(channels) - 1, timeout=30)
    for r in sink.requests:
        r.json()                      # whole, whatever the name
    said = {r.path.strip("/"): r for r in sink.requests}
    assert said["webhook"].json()["events"][0]["monitor"]["name"] == name
    assert said["discord"].json()["allowed_mentions"] == {"parse": []}
    assert "<b>" not in said["slack"].body.decode()
    text = next(r for r in sink.requests if "sendMessage" in r.path).json()
    assert "<b>" not in text["text"] or "parse_mode" not in text
    m = mail.wait(1, timeout=30)[0].message
    assert "@everyone" in m["Subject"] and "🔥" in m["Subject"]
    html = m.get_body(("html",)).get_content()
    assert "<b>*" not in html and "&lt;b&gt;" in html
    assert os.path.exists(d.data)
