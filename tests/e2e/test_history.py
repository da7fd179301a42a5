"""The history page and the feeds: what was, for everybody, whole without a
script, valid for feed readers, and harmless whatever it says."""

import datetime
import email.utils
import json
import os
import re
import sqlite3
import xml.etree.ElementTree as ET

import pytest

from harness import TcpServer, free_port, wait_for
from test_page import Page

UTC = datetime.timezone.utc
ATOM = "{http://www.w3.org/2005/Atom}"
EVIL = "<script>alert(1)</script>\"'&]]>\u202e\x07\ufffe\n<b>x"
STATUS = ("down", "unknown", "late", "degraded", "pending", "up", "paused")
RESOLVED = 3


def us(t):
    return round(t.timestamp() * 1e6)


def month(n):
    """The first of the month n months ago, and its name in an address."""
    now = datetime.datetime.now(UTC)
    k = now.year * 12 + now.month - 1 - n
    at = datetime.datetime(k // 12, k % 12 + 1, 1, tzinfo=UTC)
    return at, at.strftime("%Y-%m")


class Past:
    """Rows as the daemon would have written them, of a stopped one."""

    def __init__(self, d):
        self.db = sqlite3.connect(os.path.join(d.data, "vedette.db"))
        self.id = self.note = 0

    def incident(self, at, took=None, monitor=0, name="", title="", worst="down", why=0, reason="",
                 cause="", monitors="", state=None):
        end = 0 if took is None else us(at + took)
        self.id += 1
        self.db.execute(
            "INSERT INTO incident(id, monitor, incident_us, opened_us, closed_us, changed_us, severity,"
            " worst, why, state, version, name, title, reason, cause, by, monitors)"
            " VALUES(?, ?, ?, ?, ?, ?, 2, ?, ?, ?, 1, ?, ?, ?, ?, 'kate', ?)",
            (self.id, monitor, us(at), us(at), end, max(us(at), end), STATUS.index(worst), why,
             RESOLVED if end else state or 0, name, title, reason, cause, monitors))
        return self.id

    def say(self, incident, at, text, state=0, public=True):
        self.note += 1
        self.db.execute(
            "INSERT INTO incident_update(id, incident, at_us, state, changed, by, text, open)"
            " VALUES(?, ?, ?, ?, 1, 'kate', ?, ?)", (self.note, incident, us(at), state, text, public))

    def maintenance(self, name, at, until):
        self.db.execute("INSERT INTO applied(name, monitor, from_us, to_us, monitors)"
                        " VALUES(?, 0, ?, ?, NULL)", (name, us(at), us(until)))

    def close(self):
        self.db.commit()
        self.db.close()


HOUR = datetime.timedelta(hours=1)


def push(name, **more):
    return {"name": name, "type": "push", "interval": "40d", "token": (name[:1] * 40), **more}


def titles(page):
    return re.findall(r'<a href="/history/(\d+)">', page)


def test_months_newest_first(make_daemon):
    d = make_daemon({"monitors": [push("A"), push("B")]}).start()
    a = d.id("A")
    d.stop()
    past = Past(d)
    (now, this), (before, last), (old, oldest) = month(0), month(1), month(3)
    for n in range(130):
        past.incident(old + n * 4 * HOUR, HOUR, monitor=a, name="A")
    past.incident(before + 30 * HOUR, 90 * HOUR / 60, monitor=a, name="A", reason="http://x.internal/",
                  cause="A cable")
    past.incident(before + 40 * HOUR, HOUR, title="Slow mail", monitors=str(a), worst="up")
    past.maintenance("Move", before + 10 * HOUR, before + 11 * HOUR)
    past.maintenance("Move", before + 11 * HOUR, before + 12 * HOUR)   # cut at a restart
    past.maintenance("Disks", before + 20 * HOUR, before + 21 * HOUR)
    past.maintenance("Never", before + 20 * HOUR, before + 20 * HOUR)
    past.close()
    d.start()
    get = d.tcp().get
    page = get("/history")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    Page(page.text)
    assert "No incidents in" in page.text
    assert f'rel="prev" href="/history?month={last}"' in page.text and 'rel="next"' not in page.text
    page = get(f"/history?month={last}").text
    words = Page(page).words
    assert titles(page) == ["132", "131"]
    assert "Slow mail" in words and "Affected: A" in words and "Cause: A cable" in words
    assert "1h 30m" in words and "Resolved" in words
    assert "x.internal" not in page and "kate" not in page
    runs = re.search(r"<h2>Maintenance</h2>.*?</section>", page, re.S).group()
    assert re.findall("<b>(.*?)</b>", runs) == ["Disks", "Move"] and "2h" in runs
    # the month before that has nothing: on to the one that has
    assert f'href="/history?month={oldest}"' in page
    assert f'rel="next" href="/history?month={this}"' in page
    page = get(f"/history?month={oldest}").text
    first = titles(page)
    assert first == [str(n) for n in range(130, 30, -1)]
    more = re.search(r'rel="next" href="(/history\?month=[^"]*before=31)"', page).group(1)
    assert titles(get(more.replace("&amp;", "&")).text) == [str(n) for n in range(30, 0, -1)]
    for bad in ("month=2026", "month=2026-13", "month=1969-12", "month=2026-00", "before=0", "before=x",
                "month=2026-1", "page=2"):
        assert get("/history?" + bad).status == 400, bad
    one = get("/history/131")
    Page(one.text)
    assert "Cause: A cable" in one.text and one.status == 200
    assert get("/history/9999").status == 404
    # Asked for again it costs no bytes.
    tag = get("/history").headers["ETag"]
    again = get("/history", headers={"If-None-Match": tag})
    assert again.status == 304 and again.body == b""


def check_atom(text, base):
    """What RFC 4287 asks of a feed, as far as one can look."""
    root = ET.fromstring(text)
    assert root.tag == ATOM + "feed"
    for of, most in ((root, 1), *((e, 1) for e in root.findall(ATOM + "entry"))):
        for name in ("id", "title", "updated"):
            assert len(of.findall(ATOM + name)) == most, name
        assert re.match(r"tag:[a-zA-Z0-9.-]+,\d{4}-\d\d-\d\d:\S+$", of.findtext(ATOM + "id"))
        for when in of.findall(ATOM + "updated") + of.findall(ATOM + "published"):
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", when.text), when.text
        rels = [(x.get("rel"), x.get("type")) for x in of.findall(ATOM + "link")]
        assert len(rels) == len(set(rels))
        for link in of.findall(ATOM + "link"):
            assert link.get("href").startswith(base + "/"), link.get("href")
    assert root.find(ATOM + "author").findtext(ATOM + "name")
    selves = [x for x in root.findall(ATOM + "link") if x.get("rel") == "self"]
    assert [x.get("href") for x in selves] == [base + "/feed.atom"]
    entries = root.findall(ATOM + "entry")
    ids = [e.findtext(ATOM + "id") for e in entries]
    assert len(ids) == len(set(ids))
    for e in entries:
        assert e.find(ATOM + "content").get("type") == "html"
        assert any(x.get("rel") == "alternate" for x in e.findall(ATOM + "link"))
    latest = max([e.findtext(ATOM + "updated") for e in entries], default=None)
    assert latest in (None, root.findtext(ATOM + "updated"))
    return entries


def test_feeds_are_valid_and_change_when_an_incident_does(make_daemon, closing):
    port = free_port()
    base = "https://status.example:8443/v"
    d = make_daemon({"alerts": {"base_url": base}, "status_page": {"title": "Acme & Sons"},
                     "monitors": [{"name": "Shop", "type": "tcp", "host": "127.0.0.1", "port": port,
                                   "interval": "1s", "retries": 0}]}).start()
    get = d.tcp().get
    d.wait_status("Shop", "down")
    atom = wait_for(lambda: (lambda a: a if "<entry>" in a.text else None)(get("/feed.atom")),
                    what="the incident in the feed")
    assert atom.headers["Content-Type"].startswith("application/atom+xml")
    (entry,) = check_atom(atom.text, base)
    assert entry.findtext(ATOM + "id").startswith("tag:status.example,")
    assert "Shop" in entry.findtext(ATOM + "title")
    assert str(port) not in atom.text
    for what in ({"If-None-Match": atom.headers["ETag"]},
                 {"If-Modified-Since": atom.headers["Last-Modified"]}):
        again = get("/feed.atom", headers=what)
        assert again.status == 304 and again.body == b"" and again.headers["ETag"], again
    assert email.utils.parsedate_to_datetime(atom.headers["Last-Modified"])
    assert "max-age" in atom.headers["Cache-Control"]
    closing(TcpServer(lambda conn: None, port=port))
    d.wait_status("Shop", "up")
    later = wait_for(lambda: (lambda a: a if a.body != atom.body else None)(get("/feed.atom")),
                     what="the end of it in the feed")
    (after,) = check_atom(later.text, base)
    assert after.findtext(ATOM + "id") == entry.findtext(ATOM + "id")
    assert after.findtext(ATOM + "updated") > entry.findtext(ATOM + "updated")
    assert after.find(ATOM + "category").get("term") == "resolved"
    assert get("/feed.atom", headers={"If-None-Match": atom.headers["ETag"]}).status == 200
    feed = get("/feed.json")
    assert feed.headers["Content-Type"].startswith("application/feed+json")
    v = feed.json()
    assert v["version"] == "https://jsonfeed.org/version/1.1" and v["title"] == "Acme & Sons"
    assert v["home_page_url"] == base + "/history" and v["feed_url"] == base + "/feed.json"
    (item,) = v["items"]
    assert item["id"] == entry.findtext(ATOM + "id") and item["url"].startswith(base + "/history/")
    assert item["date_modified"] == after.findtext(ATOM + "updated") and item["content_html"]
    page = get("/").text
    for kind in ("atom", "json"):
        assert f'href="/feed.{kind}"' in page and 'rel="alternate"' in page
    # Where people reach it is a live setting.
    conf = json.load(open(d.config_path))
    conf["alerts"]["base_url"] = "http://other.example"
    d.configure(conf)
    d.reload()
    wait_for(lambda: get("/feed.json").json()["feed_url"] == "http://other.example/feed.json",
             what="the new address")


def test_a_feed_without_entries_and_one_with_too_many(make_daemon):
    d = make_daemon({"monitors": [push("A")]}).start()
    base = f"http://127.0.0.1:{d.port}"
    assert check_atom(d.tcp().get("/feed.atom").text, base) == []
    assert d.tcp().get("/feed.json").json()["items"] == []
    a = d.id("A")
    d.stop()
    past = Past(d)
    start = datetime.datetime.now(UTC) - 100 * HOUR
    for n in range(60):
        i = past.incident(start + n * HOUR, HOUR / 2, monitor=a, name="A")
    for n in range(30):
        past.say(i, start + 60 * HOUR + n * HOUR / 60, f"word {n}", state=RESOLVED)
    past.close()
    d.start()
    entries = check_atom(d.tcp().get("/feed.atom").text, base)
    assert len(entries) == 50
    inner = entries[0].findtext(ATOM + "content")
    assert inner.index("word 29") < inner.index("word 10") and "word 9<" not in inner
    page = d.tcp().get("/history?month=" + (start + 59 * HOUR).strftime("%Y-%m")).text
    assert "10 earlier updates" in page
    assert "word 0 <" in d.tcp().get("/history/60").text


@pytest.mark.parametrize("targets", [False, True])
def test_what_it_says_stays_words(make_daemon, targets):
    d = make_daemon({"status_page": {"title": EVIL.replace("\x07", "").replace("\n", " "),
                                     "targets": targets},
                     "monitors": [push("A"), push("H", hide_target=True)]}).start()
    a, h = d.id("A"), d.id("H")
    d.stop()
    past, now = Past(d), datetime.datetime.now(UTC)
    i = past.incident(now - HOUR, None, monitor=a, name="A" + EVIL, title=EVIL, reason="word-of-A " + EVIL,
                      cause=EVIL, why=1)
    past.say(i, now, EVIL)
    past.say(i, now, "an internal note", public=False)
    past.incident(now - HOUR, HOUR / 2, monitor=h, name="H", reason="word-of-H", why=1)
    past.incident(now - HOUR, HOUR / 2, monitor=777, name="gone", reason="word-of-gone", why=1)
    past.maintenance(EVIL, now - 2 * HOUR, now - HOUR)
    past.close()
    d.start()
    where = "/history?month=" + (now - HOUR).strftime("%Y-%m")
    texts = [d.tcp().get(w).text for w in (where, f"/history/{i}", "/feed.atom", "/feed.json")]
    check_atom(texts[2], f"http://127.0.0.1:{d.port}")
    json.loads(texts[3])
    Page(texts[0])
    inner = [e.findtext(ATOM + "content") for e in ET.fromstring(texts[2]).findall(ATOM + "entry")]
    inner += [e["content_html"] for e in json.loads(texts[3])["items"]]
    for text in texts[:2] + inner:
        tags = {t for t, _ in Page(text).elements}
        assert not tags & {"b>x"} and "<script>alert" not in text and "<b>x" not in text
        assert "\u202e" not in text and "\x07" not in text and "\ufffe" not in text
    for text in texts:
        assert "internal note" not in text and "kate" not in text
        assert "word-of-H" not in text and "word-of-gone" not in text
        assert ("word-of-A" in text) == targets


def test_damage_is_no_empty_history(make_daemon):
    d = make_daemon({"monitors": [push("A")]}).start()
    a = d.id("A")
    d.stop()
    past = Past(d)
    for n in range(40):
        past.incident(datetime.datetime.now(UTC) - n * HOUR, HOUR / 2, monitor=a, name="A" * 200)
    past.db.execute("DROP TABLE incident_update")
    past.close()
    try:
        d.start()
    except (AssertionError, RuntimeError):
        return   # refused as a whole: nothing is shown
    for path in ("/history", "/feed.atom", "/feed.json"):
        assert d.tcp().get(path).status >= 500, path
