"""What channels would be sent, as strangers read it: e-mail by Python's
parser, the webhook's signature by Python's hmac; and the preview command."""

import email
import email.policy
import hashlib
import hmac
import json
import re

import pytest

from harness import run

EVENTS = ["down", "up", "degraded", "late", "change", "certificate", "group",
          "flapping", "reminder", "store", "test"]
SECRETS = ["sekretsekret", "tk_sekret12", "hunter2hunter2", "R0UTEKEY99",
           "123:TELEGRAM_x", "hooksecretpath"]
CONFIG = """\
alerts: { base_url: "https://status.example", exec_allow: [/opt/alerts] }
status_page: { time_zone: Europe/Berlin }
channels:
  - { name: hook, type: webhook, url: "https://h.example/hooksecretpath",
      secret: sekretsekret, headers: { X-Key: hunter2hunter2 } }
  - { name: own, type: webhook, url: "https://h.example/hooksecretpath",
      body: '{"t": {{title | json}}, "many": "{{many}}"}' }
  - { name: discord, type: discord, url: "https://d.example/hooksecretpath" }
  - { name: slack, type: slack, url: "https://s.example/hooksecretpath",
      title: "*{{state}}* {{name}}", body: "{{reason | default:\\"fine\\"}}" }
  - { name: teams, type: teams, url: "https://t.example/hooksecretpath" }
  - { name: mm, type: mattermost, url: "https://m.example/hooksecretpath" }
  - { name: chat, type: googlechat, url: "https://g.example/hooksecretpath" }
  - { name: tg, type: telegram, token: "123:TELEGRAM_x", chat_id: "1" }
  - { name: ntfy, type: ntfy, url: "https://n.example", topic: ops,
      token: tk_sekret12 }
  - { name: gotify, type: gotify, url: "https://g.example",
      token: tk_sekret12 }
  - { name: pushover, type: pushover, token: tk_sekret12,
      user: hunter2hunter2 }
  - { name: pd, type: pagerduty, routing_key: R0UTEKEY99 }
  - { name: og, type: opsgenie, api_key: R0UTEKEY99 }
  - { name: matrix, type: matrix, url: "https://x.example",
      token: tk_sekret12, room: "!r:x" }
  - { name: sms, type: twilio, account: AC1, token: tk_sekret12,
      from: "+1", to: ["+2", "+3"] }
  - { name: am, type: alertmanager, url: "http://a.example", user: u,
      password: hunter2hunter2 }
  - { name: mail, type: email, host: m.example, from: v@o.example,
      to: [a@o.example, b@o.example], user: u, password: hunter2hunter2,
      title: "Störung: {{title}}" }
  - { name: page, type: exec, command: [/opt/alerts/page, now] }
"""
NAMES = re.findall(r"name: (\w+),", CONFIG)
AT = "2026-07-21T10:00:00Z"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return path


def preview(config, name, event="down", *more):
    p = run("channel", "preview", name, "-f", str(config), "--event", event,
            "--at", AT, *more)
    assert p.returncode == 0, p.stderr
    return p.stdout


def requests(text):
    """(first line, headers, body) of every request shown."""
    out = []
    for part in re.split(r"^-- request \d+ of \d+\n", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n\n")
        lines = head.split("\n")
        out.append((lines[0], dict(
            x.split(": ", 1) for x in lines[1:] if ": " in x), body.strip()))
    return out


@pytest.mark.parametrize("name", NAMES)
def test_every_channel_shows_every_event(config, name):
    for event in EVENTS:
        text = preview(config, name, event)
        assert text.startswith("title: ") and "\nbody:\n" in text
        assert requests(text)
        for secret in SECRETS:
            assert secret not in text, (event, secret)


def test_json_is_json(config):
    for name in ("hook", "own", "discord", "slack", "teams", "mm", "chat",
                 "tg", "ntfy", "gotify", "pd", "og", "matrix", "am", "page"):
        for event in EVENTS:
            for _, _, body in requests(preview(config, name, event)):
                json.loads(body)


def test_own_templates_and_zone(config):
    text = preview(config, "slack", "up")
    assert "title: *UP* Shop/Web\nbody:\nfine\n" in text
    body = json.loads(requests(text)[0][2])
    assert body == {"text": "*UP* Shop/Web\nfine", "mrkdwn": True}
    body = json.loads(requests(preview(config, "own", "group"))[0][2])
    assert body == {"t": "3 DOWN: Shop/Web, Shop/API, Shop/Checkout",
                    "many": "yes"}
    assert "since 2026-07-21 11:59:50 CEST" in preview(config, "discord")


def mail(config, event):
    text = preview(config, "mail", event)
    head, _, data = text.partition("RCPT TO:<b@o.example>\n\n")
    assert "smtp://m.example:587 (STARTTLS) as u\nMAIL FROM:<v@o.example>" \
        in head
    return email.message_from_string(data, policy=email.policy.default)


def test_mail_is_read_by_a_parser(config):
    down, up = mail(config, "down"), mail(config, "up")
    for m in (down, up):
        assert not m.defects
        assert m["From"] == "vedette <v@o.example>"
        assert m["To"] == "a@o.example, b@o.example"
        assert m["Date"].datetime.isoformat() == "2026-07-21T10:00:00+00:00"
        assert m["Auto-Submitted"] == "auto-generated"
        assert m.get_content_type() == "multipart/alternative"
        plain, html = m.iter_parts()
        assert (plain.get_content_type(), html.get_content_type()) == (
            "text/plain", "text/html")
        assert plain.get_content().startswith("Shop/Web is ")
        assert "https://status.example/#m12" in plain.get_content()
        assert '<a href="https://status.example/#m12">' in html.get_content()
    assert down["Subject"] == "Störung: DOWN: Shop/Web"
    assert up["Subject"] == "Störung: UP: Shop/Web after 12m 5s down"
    assert down["Message-ID"] != up["Message-ID"]
    assert up["In-Reply-To"] == up["References"]
    assert "In-Reply-To" not in down


def test_signature_is_verified_by_another_program(tmp_path):
    """The secret is not among what is masked: one that is shorter than what
    could be told from a word."""
    path = tmp_path / "c.yaml"
    path.write_text("channels: [{name: h, type: webhook, secret: key, "
                    "url: 'https://h.example'}]\n")
    _, headers, body = requests(preview(path, "h", "group"))[0]
    t, v1 = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})",
                         headers["X-Vedette-Signature"]).groups()
    assert t == "1784628000"
    want = hmac.new(b"key", f"{t}.{body}".encode(), hashlib.sha256)
    assert hmac.compare_digest(v1, want.hexdigest())


def test_what_is_wrong_is_said(config, tmp_path):
    p = run("channel", "preview", "hook", "-f", str(config), "--event", "x")
    assert p.returncode == 2 and "allowed: down up" in p.stderr
    p = run("channel", "preview", "nobody", "-f", str(config))
    assert p.returncode == 1 and 'no channel "nobody"' in p.stderr
    p = run("channel", "preview", "hook", "-f", str(tmp_path / "no"))
    assert p.returncode != 0 and "no" in p.stderr
    bad = tmp_path / "bad.yaml"
    bad.write_text("channels:\n  - name: s\n    type: slack\n"
                   "    url: https://s.example/x\n    body: '{{#if x}}'\n")
    p = run("check-config", str(bad))
    assert p.returncode != 0
    assert 'bad.yaml:5: channels[0].body: line 1, column 7: "x" is not a ' \
        "field; allowed: title" in p.stderr


def test_channels_of_a_daemon(make_daemon):
    d = make_daemon({"channels": [
        {"name": "ops", "type": "ntfy", "url": "https://n.example",
         "topic": "ops", "token": "tk_sekret12"}]}).start()
    p = d.cli("channel", "preview", "ops", "--event", "test")
    assert p.returncode == 0, p.stderr
    assert "title: TEST: channel ops" in p.stdout
    assert "tk_sekret12" not in p.stdout
    p = d.cli("channel", "preview", "nobody")
    assert p.returncode == 1 and "no channel" in p.stderr


def test_a_preview_of_the_daemons_is_made_as_it_makes_them(make_daemon):
    d = make_daemon({
        "alerts": {"base_url": "https://status.example/v"},
        "status_page": {"time_zone": "Europe/Berlin"},
        "channels": [{"name": "d", "type": "discord", "url": "https://discord.example/api/webhooks/1/x"}]})
    d.start()
    shown = d.cli("channel", "preview", "d", "--at", "2026-07-21T10:00:00Z")
    assert shown.returncode == 0, shown.stderr
    assert "since 2026-07-21 11:59:50 CEST" in shown.stdout
    assert "https://status.example/v/#m12" in shown.stdout
