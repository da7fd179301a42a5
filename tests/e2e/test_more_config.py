"""Configuration and the API's edits, seen from outside: renames over what is
archived, tokens that change hands, what a body may not say, what a refused
body is told."""

import json
import os
import sqlite3

import harness

PUSH = {"type": "push", "interval": "1h", "grace": "1h"}


def write(d, name, doc):
    path = os.path.join(d.dir, name)
    with open(path, "w") as f:
        json.dump(doc, f, indent=1)
    return path


def test_a_rename_beats_what_is_archived_under_the_new_name(make_daemon):
    d = make_daemon({"monitors": [{"name": "B", **PUSH}]}).start()
    old = d.id("B")
    d.monitors([{"name": "A", **PUSH, "token": "a" * 20}])
    d.reload()
    d.push("a" * 20, "?status=down&msg=lost")
    a = d.id("A")
    d.monitors([{"name": "B", "was": "A", **PUSH}])
    d.reload()
    m = d.monitor("B")
    assert (m["id"], m["status"], m["reason"]) == (a, "down", "lost")
    assert d.monitor("A") is None
    gone = d.api.get(f"/api/v1/monitors/{old}").json()
    assert gone["archived"] is True, "the old one's history is kept, too"
    # An edit of the one is not in the way of the other.
    x = d.api.patch(f"/api/v1/monitors/{a}", {"description": "x"})
    assert x.status == 200, x
    # And the same file again finds the same monitor, after a restart, too.
    d.reload()
    assert d.id("B") == a
    d.stop()
    d.start()
    assert d.id("B") == a


def test_tokens_change_hands(make_daemon):
    t, u = "t" * 20, "u" * 20
    d = make_daemon({"monitors": [{"name": "A", **PUSH, "token": t},
                                  {"name": "B", **PUSH, "token": u}]})
    d.start()
    # Without "was" another name is another monitor: with the same address.
    d.monitors([{"name": "A2", **PUSH, "token": t},
                {"name": "B", **PUSH, "token": u}])
    d.reload()
    assert d.monitor("A") is None
    assert d.push(t).status == 200 and d.status("A2") == "up"
    d.monitors([{"name": "A2", **PUSH, "token": u},
                {"name": "B", **PUSH, "token": t}])
    d.reload()
    assert d.push(t, "?status=down").status == 200
    assert (d.status("A2"), d.status("B")) == ("up", "down")
    # One that stays keeps its own.
    path = write(d, "c.yaml", {"monitors": [{"name": "C", **PUSH,
                                             "token": t}]})
    p = d.cli("apply", "-f", path)
    assert p.returncode == 1 and "token" in p.stderr and "B" in p.stderr, p
    assert d.monitor("C") is None


def test_two_cannot_have_been_the_same(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    path = write(d, "two.yaml", {"monitors": [
        {"name": "X", "was": "A", **PUSH}, {"name": "Y", "was": "A", **PUSH}]})
    p = d.cli("apply", "-f", path)
    assert p.returncode == 2 and "was" in p.stderr, p
    assert [m["path"] for m in d.api.items("/api/v1/monitors")] == ["A"]


def test_a_refused_plan_names_file_and_line(make_daemon):
    d = make_daemon({}).start()
    path = write(d, "g.yaml", {"monitors": [
        {"name": "G", "type": "group", "monitors": [{"name": "M", **PUSH}]}]})
    assert d.cli("apply", "-f", path).returncode == 0
    path = write(d, "p.yaml", {"monitors": [{"name": "G", **PUSH}]})
    p = d.cli("plan", "-f", path)
    assert p.returncode == 1 and f"{path}:3: G: " in p.stderr, p


def test_what_a_body_may_not_say_is_refused_not_dropped(daemon):
    a = daemon.api.post("/api/v1/monitors", {
        "name": "G", "type": "group", "monitors": [{"name": "M", **PUSH}]})
    assert a.status == 422 and a.json()["field"] == "monitors", a
    a = daemon.api.post("/api/v1/monitors", {"name": "A", "was": "B", **PUSH})
    assert a.status == 422 and a.json()["field"] == "was", a
    assert daemon.api.items("/api/v1/monitors") == []
    a = daemon.api.post("/api/v1/monitors", {"name": "A", **PUSH})
    b = daemon.api.patch(a.headers["Location"], {"was": "C"})
    assert b.status == 422 and b.json()["field"] == "was", b


def test_a_client_that_sends_before_it_listens_is_told_why(daemon):
    big = b'{"description": "' + b"x" * (1 << 20) + b'"}'
    for api, path, want in (
            (daemon.api, "/api/v1/monitors", 413),
            (daemon.tcp(), "/api/v1/monitors", 401),
            (daemon.tcp(), "/push/" + "x" * 32, 413)):
        a = api.request("POST", path, body=big)
        assert a.status == want, (path, a)
        assert a.headers["Content-Type"].startswith(
            "application/problem+json")


def test_the_absolute_form_of_a_target(daemon):
    a = daemon.tcp().get(f"http://127.0.0.1:{daemon.port}/healthz")
    assert (a.status, a.text) == (200, "ok\n")
    assert daemon.tcp().get("http://x").status == 200


def test_the_schema_takes_numbers_that_are_words():
    v = json.loads(harness.run("schema").stdout)

    def find(x):
        if isinstance(x, dict):
            if x.get("enum", [None])[0] == "any":
                yield x["enum"]
            for y in x.values():
                yield from find(y)
        elif isinstance(x, list):
            for y in x:
                yield from find(y)
    found = list(find(v))
    assert found
    for words in found:
        if "4" in words:
            assert 4 in words and 6 in words


def refused(d):
    p = harness.run("serve", "-c", d.config_path)
    assert p.returncode == 1, p
    assert "nothing was changed" in p.stderr, p
    return p.stderr


def test_a_database_cut_short_is_not_begun_anew(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    d.stop()
    db = os.path.join(d.data, "vedette.db")
    whole = open(db, "rb").read()
    for size in (1, 100, 3000, 4096, len(whole) - 4096):
        with open(db, "wb") as f:
            f.write(whole[:size])
        assert "damaged" in refused(d), size
        assert open(db, "rb").read() == whole[:size], size
    with open(db, "wb") as f:
        f.write(whole)
    d.start()


def test_a_migration_from_the_future_is_named_so(make_daemon):
    d = make_daemon({}).start()
    d.stop()
    db = sqlite3.connect(os.path.join(d.data, "vedette.db"))
    db.execute("INSERT INTO migration VALUES(99, 'later', 1, 1)")
    db.commit()
    db.close()
    err = refused(d)
    assert "schema 99" in err and "newer" in err, err


def test_a_data_directory_that_is_a_file(make_daemon):
    d = make_daemon({})
    with open(d.data, "w") as f:
        f.write("mine")
    p = harness.run("serve", "-c", d.config_path)
    assert p.returncode == 1 and f"{d.data} is a file" in p.stderr, p
    assert open(d.data).read() == "mine"


def test_a_reload_says_what_waits_for_a_restart(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    d.reload()
    assert "next start" not in d.log()
    d.configure({"monitors": [{"name": "A", **PUSH}],
                 "server": {"http": "127.0.0.1:1"},
                 "status_page": {"title": "Other"},
                 "limits": {"in_flight": 7}})
    d.reload()
    line = [x for x in d.log().splitlines() if "next start" in x]
    assert len(line) == 1 and line[0].endswith(
        'settings="server.http, status_page.title"'), line


def test_a_refused_reload_leaves_the_log_as_it_was(make_daemon):
    # What is wrong with it shows only beside what is stored.
    d = make_daemon({"monitors": [
        {"name": "G", "type": "group", "monitors": []}]}).start()
    a = d.api.post("/api/v1/monitors", {"name": "M", "group": "G", **PUSH})
    assert a.status == 201, a
    d.configure({"monitors": [{"name": "G", **PUSH}],
                 "log": {"format": "json"}})
    d.reload()
    assert "not applied" in d.log().splitlines()[-1]
    d.configure({"monitors": [{"name": "G", "type": "group"}]})
    d.reload()
    assert not [x for x in d.log().splitlines() if x.startswith("{")]


def test_a_plan_names_channels_as_such(make_daemon):
    d = make_daemon({}).start()
    path = write(d, "c.yaml", {"channels": [
        {"name": "ops", "type": "exec", "command": ["/bin/true"]}]})
    p = d.cli("plan", "-f", path)
    assert p.returncode == 3 and "~ set channel ops (exec)" in p.stdout, p


def test_refusals_speak_of_what_was_sent(daemon):
    a = daemon.api.get("/api/v1/monitors?search=" + "x" * 4000)
    assert a.status == 400 and a.json()["field"] == "search", a
    assert "bytes" in a.json()["detail"]
    a = daemon.api.post("/api/v1/monitors", {"name": "a\0b", **PUSH})
    assert a.status == 400 and "JSON_ALLOW" not in a.text, a
