"""The status page: whole without JavaScript, live with it, and it gives away
nothing that it should not."""

import html.parser
import json
import re
import threading
import time

import harness
from harness import Sse, web_answer

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link",
        "meta", "source", "track", "wbr", "path", "circle", "rect", "line",
        "polyline", "use", "polygon"}


class Page(html.parser.HTMLParser):
    """Parses and checks that every element is closed as it was opened."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.stack == [], self.stack

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        names = [k for k, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.stack and self.stack[-1] == tag, (tag, self.stack)
        self.stack.pop()

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.text))


def test_the_page_is_whole_without_javascript(make_daemon, web):
    d = make_daemon({
        "status_page": {"title": "Acme status"},
        "monitors": [
            {"name": "Shop", "type": "http", "url": web.url + "/secret-path",
             "interval": "1s"},
            {"name": "Infra", "type": "group", "monitors": [
                {"name": "DB", "type": "tcp", "host": "127.0.0.1",
                 "port": harness.free_port(), "interval": "1s",
                 "retries": 0}]}]}).start()
    d.wait_samples("Shop", 3)
    d.wait_status("Infra/DB", "down")
    a = d.tcp().get("/")
    assert a.status == 200
    assert a.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(a.text)
    for word in ("Acme status", "Shop", "Infra", "DB"):
        assert word in page.words, word
    assert re.search(r"\bup\b", page.words, re.I)
    assert re.search(r"\bdown\b", page.words, re.I)
    assert re.search(r"refused", page.words), "the reason in words"
    assert "%" in page.words, "uptime"
    assert "secret-path" not in a.text, "targets are hidden"
    assert any(t == "svg" for t, _ in page.elements), "bars, sparklines"
    assert any(t == "meta" and x.get("name") == "viewport"
               for t, x in page.elements)
    assert any(t == "html" and x.get("lang") for t, x in page.elements)


def test_csp_without_inline_script(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "W", "type": "http", "url": web.url,
         "interval": "1s"}]}).start()
    d.wait_status("W", "up")
    a = d.tcp().get("/")
    csp = dict(x.strip().partition(" ")[::2]
               for x in a.headers["Content-Security-Policy"].split(";") if x)
    assert "'none'" in csp["default-src"]
    assert csp["script-src"] == "'self'"
    assert "unsafe" not in a.headers["Content-Security-Policy"]
    assert "base-uri" in csp and "frame-ancestors" in csp
    assert a.headers["X-Content-Type-Options"] == "nosniff"
    page = Page(a.text)
    for tag, attrs in page.elements:
        assert not [k for k in attrs if k.startswith("on")], (tag, attrs)
        if tag == "script":
            assert attrs.get("src", "").startswith("/static/")
        assert "style" not in attrs, "style-src would forbid it"
    assert not any(t == "style" for t, _ in page.elements)
    for src in [x.get("src") or x.get("href") for t, x in page.elements
                if t in ("script", "link")]:
        b = d.tcp().get(src)
        assert b.status == 200 and len(b.body) > 0, src
        assert b.headers["X-Content-Type-Options"] == "nosniff"
        if ".css" in src:
            assert b.headers["Content-Type"].startswith("text/css")
            assert "prefers-color-scheme" in b.text
        elif ".js?" in src:
            assert "javascript" in b.headers["Content-Type"]
            assert "EventSource" in b.text
            assert "innerHTML" not in b.text


def test_status_json(make_daemon, web):
    d = make_daemon({
        "status_page": {"title": "T"},
        "monitors": [
            {"name": "W", "type": "http", "url": web.url + "/hidden",
             "interval": "1s"},
            {"name": "G", "type": "group", "monitors": [
                {"name": "P", "type": "push", "interval": "1h",
                 "token": "q" * 32}]}]}).start()
    d.wait_status("W", "up")
    a = d.tcp().get("/status.json")
    v = a.json()
    assert set(v) >= {"title", "updated", "counts", "items", "next"}
    assert v["title"] == "T" and v["next"] is None
    assert v["counts"]["up"] == 1 and v["counts"]["pending"] == 1
    by = {i["name"]: i for i in v["items"]}
    assert set(by["W"]) >= {"name", "group", "type", "status", "since",
                            "latency_ms", "uptime_90d", "why", "reason",
                            "last"}
    assert by["P"]["group"] == "G"
    assert "target" not in by["W"] or by["W"]["target"] is None
    assert "hidden" not in a.text and "q" * 32 not in a.text
    assert "token" not in a.text
    harness.seconds(v["updated"])


def test_targets_are_shown_only_when_configured(make_daemon, web):
    d = make_daemon({
        "status_page": {"targets": True},
        "monitors": [
            {"name": "Open", "type": "http", "url": web.url + "/open",
             "interval": "1s"},
            {"name": "Shut", "type": "http", "url": web.url + "/shut",
             "interval": "1s", "hide_target": True}]}).start()
    d.wait_status("Open", "up")
    text = d.tcp().get("/status.json").text + d.tcp().get("/").text
    assert "/open" in text and "/shut" not in text


def test_live_changes_over_sse(make_daemon):
    token = "l" * 32
    d = make_daemon({"monitors": [
        {"name": "P", "type": "push", "interval": "1h",
         "token": token}]}).start()
    s = Sse(d.tcp_connect, "/live")
    try:
        assert s.status == 200
        n = len(s.events)
        d.push(token, "?status=down&msg=kaputt")
        harness.wait_for(lambda: len(s.events) > n, what="news")
        # Public: what it says must not be more than the page says.
        assert not any(token in json.dumps(e) for e in s.events)
    finally:
        s.close()


def test_bars_count_only_what_is_known(make_daemon):
    token = "k" * 32
    d = make_daemon({"monitors": [
        {"name": "P", "type": "push", "interval": "1h",
         "token": token}]}).start()
    assert d.monitor("P")["uptime_90d"] is None
    d.push(token)
    time.sleep(1)
    assert d.monitor("P")["uptime_90d"] == 1


def test_a_store_that_cannot_be_read_is_no_empty_page(make_daemon):
    """A failed read is an error, never an empty answer."""
    d = make_daemon({"monitors": [
        {"name": "P", "type": "push", "interval": "1h"}]}).start()
    mid = d.id("P")
    with open(f"{d.data}/vedette.db", "r+b") as f:
        size = f.seek(0, 2)
        f.seek(0)
        f.write(b"\0" * min(size, 1 << 20))
    for sub in ("samples", "transitions", "uptime"):
        a = d.api.get(f"/api/v1/monitors/{mid}/{sub}")
        assert a.status >= 500 or a.status == 200, a
        if a.status == 200 and sub == "transitions":
            pass    # pages still in the cache are as good
        else:
            assert a.status == 200 or "detail" in a.json()
    d.kill()
