"""Incidents: opened and closed by outages, written of by people, shown to
everybody, and in nobody's way."""

import html

import harness
import pytest
import sinks


@pytest.fixture
def hook():
    sink = sinks.Hook()
    yield sink
    sink.close()


def config(port, hook=None, **sections):
    monitor = {"name": "M", "type": "tcp", "host": "127.0.0.1", "port": port,
               "interval": "1s", "retries": 0}
    if hook is not None:
        monitor["notify"] = ["ops"]
        sections["channels"] = [{"name": "ops", "type": "webhook",
                                 "url": hook.url}]
    return {"alerts": {"group_wait": "0s", "group_max": "0s",
                       "flap": {"on": 0, "off": 0}},
            "monitors": [monitor], **sections}


def listener(port=0):
    return harness.TcpServer(lambda conn: conn.recv(1), port=port)


def listed(d, query=""):
    a = d.api.get("/api/v1/incidents" + query)
    assert a.status == 200, a
    return a.json()["items"]


def one(d, ident):
    a = d.api.get("/api/v1/incidents/%d" % ident)
    assert a.status == 200, a
    return a.json()


def make(d, **body):
    a = d.api.post("/api/v1/incidents", body)
    assert a.status == 201, a
    assert a.headers["location"] == "/api/v1/incidents/%d" % a.json()["id"]
    return a.json()


def down(d):
    """The one incident of M, once it is down."""
    d.wait_status("M", "down")
    items = listed(d, "?state=open")
    assert len(items) == 1, items
    return items[0]


def test_an_outage_is_an_incident_whether_anybody_is_told(make_daemon):
    port = harness.free_port()
    d = make_daemon(config(port)).start()
    i = down(d)
    assert i["kind"] == "automatic" and i["title"] == "M down"
    assert i["state"] == "investigating" and i["open"] is True
    assert i["closed"] is None and i["worst"] == "down"
    assert i["monitors"] == [{"id": d.id("M"), "name": "M"}]
    assert i["severity"] == "critical" and i["why"] != "ok"
    kinds = [e["kind"] for e in one(d, i["id"])["timeline"]]
    assert kinds == ["opened", "transition"]
    opening = one(d, i["id"])["timeline"][1]
    assert opening["to"] == "down" and opening["rule"]
    assert opening["evidence"], opening
    server = listener(port)
    try:
        d.wait_status("M", "up")
        done = one(d, i["id"])
        assert done["state"] == "resolved" and done["open"] is False
        assert done["closed"] > done["opened"]
        assert [e["kind"] for e in done["timeline"]] == [
            "opened", "transition", "transition", "closed"]
        assert listed(d, "?state=open") == []
        assert [x["id"] for x in listed(d, "?state=closed")] == [i["id"]]
    finally:
        server.close()
    d.wait_status("M", "down")
    assert [x["id"] for x in listed(d)] == [i["id"] + 1, i["id"]]
    page = d.api.get("/api/v1/incidents?limit=1").json()
    assert [x["id"] for x in page["items"]] == [i["id"] + 1]
    page = d.api.get("/api/v1/incidents?limit=1&cursor=" + page["next"])
    assert [x["id"] for x in page.json()["items"]] == [i["id"]]


def test_what_was_told_and_who_took_notice_is_in_the_timeline(
        make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(port, hook)).start()
    i = down(d)
    harness.wait_for(lambda: hook.kinds() == ["open"], what="the alert")
    assert d.api.post("/api/v1/monitors/%d/ack" % d.id("M"),
                      {"note": "on it"}).status == 200
    a = d.api.post("/api/v1/incidents/%d/updates" % i["id"],
                   {"text": "a switch\nis broken", "state": "identified"})
    assert a.status == 201 and a.json()["state"] == "identified", a
    assert a.json()["update"]["text"] == "a switch\nis broken"
    a = d.api.post("/api/v1/incidents/%d/updates" % i["id"],
                   {"text": "ring Bob", "public": False})
    assert a.status == 201 and a.json()["state"] == "identified"

    def told():
        return [(e["channel"], e["result"]) for e in
                one(d, i["id"])["timeline"] if e["kind"] == "alert"]
    harness.wait_for(lambda: told() == [("ops", "sent")], what="it is sent")
    now = one(d, i["id"])
    by = {e["kind"]: e for e in now["timeline"]}
    assert by["notice"]["text"] == "acknowledged: on it"
    assert [(e["public"], e["changed"]) for e in now["timeline"]
            if e["kind"] == "update"] == [(True, True), (False, False)]
    ats = [e["at"] for e in now["timeline"]]
    assert ats == sorted(ats)
    log = [e for e in d.events() if e["kind"] == "incident"]
    assert len(log) == 2 and log[0]["subject"] == "M down", log


def test_resolved_is_never_said_while_it_is_down(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    i = down(d)
    path = "/api/v1/incidents/%d" % i["id"]
    for a in (d.api.patch(path, {"state": "resolved"}),
              d.api.post(path + "/updates", {"text": "x",
                                             "state": "resolved"})):
        assert a.status == 409, a
        assert "M is still down" in a.json()["detail"]
        assert a.json()["field"] == "state"
    assert d.api.delete(path).status == 409
    assert one(d, i["id"])["state"] == "investigating"


def test_a_manual_one_informs_and_suppresses_nothing(make_daemon, hook):
    port = harness.free_port()
    server = listener(port)
    d = make_daemon(config(port, hook)).start()
    d.wait_status("M", "up")
    i = make(d, title="Slow network", text="We look into it",
             monitors=["M"], severity="warning")
    assert i["kind"] == "manual" and i["state"] == "investigating"
    assert i["monitors"] == [{"id": d.id("M"), "name": "M"}]
    assert i["update"]["text"] == "We look into it"
    assert i["by"] == "uid:%d" % __import__("os").getuid()
    server.close()
    harness.wait_for(lambda: hook.kinds() == ["open"],
                     what="the outage is told")
    mine = listed(d, "?monitor=%d" % d.id("M"))
    assert [x["kind"] for x in mine] == ["automatic", "manual"]
    path = "/api/v1/incidents/%d" % i["id"]
    a = d.api.get(path)
    assert a.headers["etag"] == '"1"'
    a = d.api.patch(path, {"title": "Slow switch", "cause": "its fan"},
                    headers={"If-Match": '"1"'})
    assert a.status == 200 and a.json()["cause"] == "its fan", a
    a = d.api.patch(path, {"title": "x"}, headers={"If-Match": '"1"'})
    assert a.status == 412, a
    a = d.api.patch(path, {"state": "resolved"}, headers={"If-Match": '"2"'})
    assert a.status == 200 and a.json()["open"] is False, a
    assert one(d, i["id"])["title"] == "Slow switch"
    assert [e["kind"] for e in one(d, i["id"])["timeline"]] == [
        "opened", "update", "update", "closed"]
    assert d.api.delete(path).status == 200
    assert d.api.get(path).status == 404


def test_bad_input_is_told_by_its_field(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    for body, field in (({}, "title"), ({"title": ""}, "title"),
                        ({"title": "x" * 161}, "title"),
                        ({"title": "x", "text": "x" * 4001}, "text"),
                        ({"title": "x", "state": "fixed"}, "state"),
                        ({"title": "x", "severity": "bad"}, "severity"),
                        ({"title": "x", "monitors": ["nope"]}, "monitors"),
                        ({"title": "x", "colour": "red"}, "colour")):
        a = d.api.post("/api/v1/incidents", body)
        assert a.status == 422, (body, a)
        assert a.json()["field"] == field, (body, a)
    i = make(d, title="x")
    path = "/api/v1/incidents/%d" % i["id"]
    assert d.api.post(path + "/updates", {}).status == 422
    assert d.api.patch(path, {"text": "x"}).status == 422
    assert d.api.patch(path, {"title": "y"},
                       headers={"If-Match": "x"}).status == 412
    for query in ("state=some", "monitor=x", "limit=0", "cursor=i0",
                  "from=2&to=1", "colour=red"):
        assert d.api.get("/api/v1/incidents?" + query).status == 400, query
    assert d.api.get("/api/v1/incidents/99").status == 404
    assert d.api.patch("/api/v1/incidents/99", {"title": "x"}).status == 404
    assert d.api.post("/api/v1/incidents/99/updates",
                      {"text": "x"}).status == 404


def test_scopes(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    r = d.cli("token", "create", "reader", "--scope", "read")
    reader = d.tcp(token=r.stdout.strip())
    assert reader.get("/api/v1/incidents").status == 200
    assert reader.post("/api/v1/incidents", {"title": "x"}).status == 403
    assert d.tcp().get("/api/v1/incidents").status == 401


def test_killed_in_between_it_is_the_same_incident(make_daemon):
    port = harness.free_port()
    d = make_daemon(config(port)).start()
    i = down(d)
    a = d.api.post("/api/v1/incidents/%d/updates" % i["id"],
                   {"text": "looking", "state": "monitoring"})
    assert a.status == 201
    d.kill()
    d.start()
    d.wait_status("M", "down")
    assert [(x["id"], x["state"]) for x in listed(d)] == [
        (i["id"], "monitoring")]
    d.kill()
    server = listener(port)
    try:
        d.start()
        d.wait_status("M", "up")
        assert [(x["id"], x["state"]) for x in listed(d)] == [
            (i["id"], "resolved")]
    finally:
        server.close()
    r = d.cli("store", "check")
    assert r.returncode == 0, r


HOSTILE = "<script>alert(1)</script>\"'&\u202e<img src=x onerror=y>"


def test_everybody_sees_what_is_open_and_nothing_internal(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    i = down(d)
    for body in ({"text": "first <b>word</b>"},
                 {"text": "secret note", "public": False},
                 {"text": "newest\nline two", "state": "identified"}):
        assert d.api.post("/api/v1/incidents/%d/updates" % i["id"],
                          body).status == 201
    harness.wait_for(lambda: "newest" in d.tcp().get("/").text,
                     what="the page is rendered anew")
    page = d.tcp().get("/").text
    head = page[:page.index('class="list"')]
    assert ">M down</a></h3>" in head and "Identified" in head
    assert "newest<br>line two" in page
    assert page.index("newest") < page.index("first &lt;b&gt;word")
    assert "secret note" not in page and "uid:" not in page
    shown = d.tcp().get("/status.json").json()
    assert shown["incidents_open"] == 1
    assert [u["text"] for u in shown["incidents"][0]["updates"]] == [
        "newest\nline two", "first <b>word</b>"]
    assert shown["incidents"][0]["monitors"] == [d.id("M")]
    assert "secret" not in d.tcp().get("/status.json").text
    assert "by" not in shown["incidents"][0]


def test_hostile_words_stay_words(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    i = make(d, title=HOSTILE, text=HOSTILE + "\n" + HOSTILE, cause=HOSTILE,
             monitors=["M"])
    assert "\u202e" not in i["title"]
    harness.wait_for(lambda: "alert(1)" in d.tcp().get("/").text,
                     what="the page is rendered anew")
    page = d.tcp().get("/").text
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;" in page
    text = d.tcp().get("/status.json").text
    assert "<script" not in text and "\u202e" not in text
    assert d.api.patch("/api/v1/incidents/%d" % i["id"],
                       {"state": "resolved"}).status == 200
    harness.wait_for(lambda: "alert(1)" not in d.tcp().get("/").text,
                     what="it is gone")


def test_what_people_wrote_of_comes_first(make_daemon):
    monitors = [{"name": "M%d" % k, "type": "tcp", "host": "127.0.0.1",
                 "port": harness.free_port(), "interval": "1s",
                 "retries": 0} for k in range(60)]
    d = make_daemon({"monitors": monitors[:1]}).start()
    d.wait_status("M0", "down")
    assert d.api.post("/api/v1/incidents/1/updates",
                      {"text": "the first"}).status == 201
    d.configure({"monitors": monitors})
    d.reload()
    for k in range(1, 60):
        d.wait_status("M%d" % k, "down")
    shown = d.tcp().get("/status.json").json()
    harness.wait_for(lambda: d.tcp().get("/status.json").json()[
        "incidents_open"] == 60, what="all are open")
    shown = d.tcp().get("/status.json").json()
    assert len(shown["incidents"]) == 50
    assert shown["incidents"][0]["title"] == "M0 down"
    assert "and 10 more" in d.tcp().get("/").text


def test_the_command_line(make_daemon):
    d = make_daemon(config(harness.free_port())).start()
    i = down(d)

    def run(*args, code=0):
        r = d.cli("incident", *args)
        assert r.returncode == code, (args, r)
        return r.stdout + r.stderr

    assert "M down" in run("list") and "M down" in run("list", "open")
    assert "no incidents" in run("list", "closed")
    ident = str(i["id"])
    assert "identified" in run("update", ident, "a\nb",
                               "state=identified")
    run("note", ident, "for us")
    run("set", ident, "cause=a fan", "title=Dark\x1b[31m red")
    text = run("show", ident)
    order = [text.index(w) for w in ("opened", "down: ", "rule: ",
                                     "update by uid:", "now identified",
                                     "note by uid:", "for us")]
    assert order == sorted(order), text
    assert "cause     a fan" in text and "\x1b[31m" not in text
    assert "still down" in run("set", ident, "state=resolved", code=1)
    assert run("delete", ident, code=1)
    made = run("create", "Slow", "text=word", "monitors=M",
               "severity=warning")
    assert "Slow" in made and "warning" in made
    mine = made.split()[0]
    assert "affects   M" in run("show", mine)
    assert "resolved" in run("set", mine, "state=resolved")
    assert run("delete", mine) == "deleted\n"
    assert "allowed: list" in run("burn", code=2)
    assert "usage" in run("show", code=2)
    assert "no number" in run("show", "x", code=2)
    assert "allowed: title cause" in run("set", ident, "colour=red", code=2)
    assert "allowed" in run("create", "x", "state=fixed", code=2)
    assert "allowed: true or false" in run("create", "x", "text=y",
                                           "public=yes", code=2)
