"""Names, messages and error texts that mean harm, through every sink: HTML,
SSE, JSON, metric labels, log lines, terminal."""

import json
import re

import harness
from harness import WebServer, web_answer
from test_metrics import parse
from test_page import Page

PUSH = {"type": "push", "interval": "1h", "grace": "1h"}
NAMES = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
    "' onmouseover='x", "a\\b\"c", "{label=\"x\"} 1", "${jndi:x}", "%s%n%x",
    "&lt;b&gt; &amp;", "]]>", "</title></style>", "../../etc", "日本語 ✓",
    "é" * 50, "a" * 120, "-rf", "--json", "'; DROP TABLE monitor; --",
    "=cmd|' /C calc'!A0", "nul", "# TYPE x counter", "data: x",
]
MESSAGES = [
    b"<script>alert(2)</script>", b"\x1b[2J\x1b]0;owned\x07",
    b"line one\nvedette_monitor_up 1\ndata: {}\n\nevent: x",
    b"\r\nSet-Cookie: a=b", "\u202egnp.exe\u2066\u200f".encode(),
    b"\xff\xfe\xc0\xaf", b"\x00\x01\x7f", "\u2028\u2029\x85".encode(),
    b"x" * 4000, b"\\\"'`", b"\xed\xa0\x80", "\u009b31m".encode(),
]
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f"
    "\u061c\u2028\u2029]")


def percent(b):
    return "".join(f"%{c:02X}" for c in b)


def tokens(n):
    return [f"hostile-token-{i:04d}" for i in range(n)]


def page_ok(text):
    page = Page(text)
    assert not FORBIDDEN.search(text.replace("\t", "")), \
        FORBIDDEN.search(text)
    for tag, attrs in page.elements:
        assert tag != "img"
        assert not [k for k in attrs if k.startswith("on")]
        if tag == "script":
            assert attrs.get("src", "").startswith("/static/")
    return page


def test_hostile_names(make_daemon):
    names = [n for n in NAMES if "/" not in n]
    d = make_daemon({"monitors": [{"name": n, **PUSH} for n in names]})
    d.start()
    page = page_ok(d.tcp().get("/").text)
    v = d.tcp().get("/status.json").json()
    assert {i["name"] for i in v["items"]} == set(names)
    f = parse(d.metrics())
    got = {dict(ls)["name"] for _, ls in f["vedette_monitor_status"][1]}
    assert got == set(names)
    p = d.cli("status")
    assert p.returncode == 0 and len(p.stdout.splitlines()) == len(names)
    for n in names:
        assert d.monitor(n)["name"] == n
        q = d.cli("status", "--json", "--", n)
        assert json.loads(q.stdout)["name"] == n, q
    out = d.cli("export", "--secrets").stdout
    path = d.dir + "/x.yaml"
    with open(path, "w") as fh:
        fh.write(out)
    q = d.cli("plan", "-f", path)
    assert q.returncode == 0, q.stdout + q.stderr


def test_names_that_are_refused(make_daemon):
    d = make_daemon({}).start()
    for name in ("a\nb", "a\x1b[31m", "\u202ex", "a\x00b", "x" * 121, "",
                 " ", "a/b", "x" * (1 << 19)):
        a = d.api.post("/api/v1/monitors", {"name": name, **PUSH})
        assert a.status in (400, 413, 422), (name[:20], a)
        assert not FORBIDDEN.search(a.text.replace("\n", "")), a
        assert len(a.body) < 4096
    assert d.api.items("/api/v1/monitors") == []


def test_hostile_messages_through_every_sink(make_daemon):
    ts = tokens(len(MESSAGES))
    d = make_daemon({"monitors": [
        {"name": f"M{i}", **PUSH, "token": t}
        for i, t in enumerate(ts)]}).start()
    s = d.events_stream()
    for t, m in zip(ts, MESSAGES):
        a = d.push(t, "?status=down&msg=" + percent(m))
        assert a.status == 200, (m[:30], a)
    try:
        harness.wait_for(lambda: len(s.named("transition")) >= len(ts),
                         what="every transition")
        for e in s.events:
            assert set(e) <= {"id", "event", "data", "retry"}, e
            json.loads(e["data"])
        assert len(s.named("transition")) == len(ts)
        assert not FORBIDDEN.search(json.dumps(s.events, ensure_ascii=False))
    finally:
        s.close()
    page_ok(d.tcp().get("/").text)
    parse(d.metrics())
    raw = d.api.get("/api/v1/monitors?limit=1000").text
    assert not FORBIDDEN.search(raw.replace("\n", ""))
    for m in json.loads(raw)["items"]:
        assert m["status"] == "down"
        assert len(m["reason"].encode()) < 256
        assert not FORBIDDEN.search(m["reason"])
        assert "\n" not in m["reason"]
    for args in (("status",), ("events",), ("events", "--json"),
                 ("status", "M1"), ("explain", "M1"), ("explain", "M2")):
        p = d.cli(*args)
        assert p.returncode == 0
        assert not FORBIDDEN.search(p.stdout.replace("\n", "").replace(
            "\t", "")), (args, p.stdout)
    assert len(d.cli("status").stdout.splitlines()) == len(ts)
    for line in d.log().splitlines():
        assert not FORBIDDEN.search(line), line
        assert re.match(r"\d{4}-\d\d-\d\dT", line), line


def test_a_message_of_a_mebibyte(make_daemon):
    d = make_daemon({"monitors": [
        {"name": "M", **PUSH, "token": "t" * 32}]}).start()
    big = b"status=down&msg=" + b"A" * (1 << 20)
    try:
        a = d.tcp().request("POST", "/push/" + "t" * 32, body=big, headers={
            "Content-Type": "application/x-www-form-urlencoded"})
        assert a.status in (200, 413), a
    except (BrokenPipeError, ConnectionResetError):
        pass    # answered and closed while we were still sending
    a = d.tcp().get("/healthz")
    assert a.status == 200
    a = d.push("t" * 32, "?status=down&msg=" + "B" * 8000)
    assert a.status in (200, 414, 431), a
    for m in d.api.items("/api/v1/monitors"):
        assert len(m["reason"]) < 256


def test_what_a_target_says_is_made_harmless(make_daemon, web, closing):
    evil = b"<script>x</script>\x1b[31m\n\xe2\x80\xae" + b"E" * 3000
    web.answer = web_answer(500, evil, reason="\x1b[1mEvil<b>",
                            headers=["X-Evil: <img src=x>"])
    banner = closing(harness.TcpServer(lambda c: c.sendall(evil)))
    fast = {"interval": "1s", "timeout": "500ms", "retries": 0}
    d = make_daemon({"monitors": [
        {"name": "H", "type": "http", "url": web.url, **fast},
        {"name": "T", "type": "tcp", "host": "127.0.0.1", "expect": "SSH-",
         "port": banner.port, **fast}]}).start()
    for name in ("H", "T"):
        d.wait_status(name, "down")
        p = d.cli("explain", name)
        assert p.returncode == 0
        assert not FORBIDDEN.search(p.stdout.replace("\n", "")), p.stdout
    page_ok(d.tcp().get("/").text)
    parse(d.metrics())
    for line in d.log().splitlines():
        assert not FORBIDDEN.search(line), line


def test_secrets_are_in_no_log_page_or_event(make_daemon, web):
    web.answer = web_answer(401, b"no")
    d = make_daemon({"log": {"level": "debug"}, "monitors": [
        {"name": "H", "type": "http", "url": web.url + "/?x=1",
         "interval": "1s", "timeout": "500ms", "retries": 0,
         "auth": {"user": "u", "password": "S3CRET-pw"},
         "headers": {"X-Key": "S3CRET-header"}},
        {"name": "P", **PUSH, "token": "S3CRET-push-token"}]}).start()
    d.push("S3CRET-push-token")
    d.wait_status("H", "down")
    d.reload()
    everything = d.log() + d.tcp().get("/").text + d.metrics() + \
        d.api.get("/api/v1/events?limit=1000").text + \
        d.api.get(f"/api/v1/monitors/{d.id('H')}/explain").text + \
        d.api.get("/api/v1/export").text + d.cli("status", "H").stdout
    assert "S3CRET" not in everything, \
        everything[everything.index("S3CRET") - 200:][:400]
