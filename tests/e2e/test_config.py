"""The configuration file: what is refused and in which words, plan, apply,
export, SIGHUP; and what an edit, a rename and a delete keep and take."""

import json
import os
import re
import signal
import time

import pytest

import harness
from harness import run

PUSH = {"type": "push", "interval": "1h", "grace": "1h"}


def check(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    p = run("check-config", path)
    return p, p.stderr.replace(str(path), "FILE")


def test_a_good_file_is_counted(tmp_path):
    p, _ = check(tmp_path, """\
channels:
  - { name: ops, type: ntfy, url: "https://ntfy.example", topic: ops }
monitors:
  - { name: API, type: http, url: "https://api.example.com/health",
      interval: 30s, timeout: 5s, retries: 2, retry_interval: 5s,
      expect: { status: "200-299", body_contains: ok }, notify: [ops] }
  - { name: Backup, type: push, interval: 1d, grace: 30m, notify: [ops] }
  - name: Production
    type: group
    monitors: [ { name: DB, type: tcp, host: db.internal, port: 5432,
                  interval: 15s } ]
""")
    assert p.returncode == 0, p.stderr
    assert p.stdout.endswith("c.yaml: ok, 4 monitors, 1 channel\n")


def test_an_empty_file_is_fine(tmp_path):
    p, _ = check(tmp_path, "")
    assert p.returncode == 0


BAD = {
    "unknown key": (
        "monitors:\n  - name: A\n    type: push\n    intervall: 5s\n",
        4, "intervall", r"interval"),
    "unknown section": ("monitorz: []\n", 1, "monitorz", r""),
    "unknown setting": ("server:\n  htpp: 1\n", 2, "htpp", r"http"),
    "bad duration": (
        "monitors:\n  - name: A\n    type: push\n    interval: soon\n",
        4, "interval", r"soon.*(30s|duration|number)"),
    "interval too short": (
        "monitors:\n  - name: A\n    type: tcp\n    host: h\n    port: 1\n"
        "    interval: 100ms\n", 6, "interval", r"1s"),
    "timeout over interval": (
        "monitors:\n  - name: A\n    type: tcp\n    host: h\n    port: 1\n"
        "    interval: 5s\n    timeout: 6s\n", None, "timeout", r"interval"),
    "missing required": (
        "monitors:\n  - name: A\n    type: tcp\n    port: 1\n",
        None, "host", r"(required|missing)"),
    "missing name": ("monitors:\n  - type: push\n", 2, "name",
                     r"(required|missing)"),
    "missing type": ("monitors:\n  - name: A\n", 2, "type",
                     r"(required|missing|allowed)"),
    "unknown type": ("monitors:\n  - name: A\n    type: gopher\n", None,
                     "type", r"gopher.*http.*tcp"),
    "duplicate name": (
        "monitors:\n  - { name: A, type: push }\n"
        "  - { name: A, type: push }\n", 3, "name", r"A"),
    "duplicate key": (
        "monitors:\n  - name: A\n    name: B\n    type: push\n", 3, "name",
        r"(twice|duplicate|already)"),
    "slash in a name": ("monitors:\n  - { name: a/b, type: push }\n", 2,
                        "name", r"/"),
    "control in a name": ('monitors:\n  - { name: "a\\nb", type: push }\n',
                          2, "name", r""),
    "bidi in a name": ('monitors:\n  - { name: "a\\u202eb", type: push }\n',
                       2, "name", r""),
    "groups too deep": (
        "monitors:\n  - name: G\n    type: group\n    monitors:\n"
        "      - name: H\n        type: group\n        monitors: []\n",
        None, "monitors", r"(nest|deep|group|level)"),
    "unknown channel": (
        "monitors:\n  - name: A\n    type: push\n    notify: [nobody]\n",
        None, "notify", r"nobody"),
    "port too large": (
        "monitors:\n  - { name: A, type: tcp, host: h, port: 70000 }\n",
        2, "port", r"65535"),
    "not a url": (
        "monitors:\n  - { name: A, type: http, url: example.org }\n",
        2, "url", r"http"),
    "bad status range": (
        "monitors:\n  - name: A\n    type: http\n    url: http://h/\n"
        "    expect: { status: 99 }\n", 5, "status", r"100"),
    "bad choice": (
        "monitors:\n  - { name: A, type: dns, host: h, record: AXFR }\n",
        2, "record", r"CNAME"),
    "list for a scalar": (
        "monitors:\n  - { name: [A], type: push }\n", 2, "name", r""),
    "scalar for a list": ("monitors: 5\n", 1, "monitors", r"list"),
    "negative": (
        "monitors:\n  - { name: A, type: push, interval: -5s }\n",
        2, "interval", r""),
    "huge": (
        "monitors:\n  - { name: A, type: push, interval: 99999999999999y }\n",
        2, "interval", r""),
    "not yaml": ("monitors:\n  - { name: A\n", None, "", r""),
    "tab": ("monitors:\n\t- name: A\n", 2, "", r""),
    "multiple documents": ("monitors: []\n---\nmonitors: []\n", None, "",
                           r""),
    "bad utf-8": ("monitors:\n  - { name: \udcff, type: push }\n", None, "",
                  r""),
    "duplicate token": (
        "monitors:\n  - { name: A, type: push, token: abcdefghijklmnopq }\n"
        "  - { name: B, type: push, token: abcdefghijklmnopq }\n",
        None, "token", r""),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_files_are_refused_with_file_line_key_and_what_is_allowed(
        tmp_path, case):
    text, line, key, words = BAD[case]
    path = tmp_path / "c.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    p = run("check-config", path)
    assert p.returncode == 2, p
    assert p.stdout == ""
    msg = p.stderr.strip()
    assert "\n" not in msg, "one message"
    m = re.match(re.escape(str(path)) + r":(\d+): ", msg)
    assert m, msg
    if line is not None:
        assert int(m[1]) == line, msg
    assert key in msg, msg
    assert re.search(words, msg.split(": ", 1)[1], re.S), msg
    # The daemon says the same and starts nothing.
    d = tmp_path / "d"
    s = run("serve", "-c", path, "--data", d)
    assert s.returncode == 2 and f"{path}:{m[1]}: " in s.stderr, s
    assert not d.exists()


def test_alias_bomb_is_refused_quickly(tmp_path):
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    for i in range(1, 30):
        lines.append(f"a{i}: &a{i} [" + ",".join([f"*a{i-1}"] * 9) + "]")
    start = time.monotonic()
    p, err = check(tmp_path, "\n".join(lines) + "\n")
    assert p.returncode == 2 and err.startswith("FILE:"), p
    assert time.monotonic() - start < 10 * harness.SLOW


def test_alias_to_itself_is_refused(tmp_path):
    p, err = check(tmp_path, "a: &a [*a]\n")
    assert p.returncode == 2, p


def test_deep_nesting_is_refused(tmp_path):
    p, err = check(tmp_path, "monitors: " + "[" * 10000 + "]" * 10000)
    assert p.returncode == 2 and err.startswith("FILE:"), err[:300]


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "c.yaml"
    with open(path, "w") as f:
        f.write("monitors: []\n")
        for _ in range(40):
            f.write("# " + "x" * (1 << 20) + "\n")
    p = run("check-config", path)
    assert p.returncode == 2 and "32 MiB" in p.stderr, p.stderr


def test_a_missing_file_and_a_directory(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        p = run("check-config", path)
        assert p.returncode == 2 and str(path) in p.stderr, p


def test_schema_is_a_json_schema_that_knows_every_type():
    p = run("schema")
    assert p.returncode == 0
    v = json.loads(p.stdout)
    assert "2020-12" in v["$schema"]
    text = json.dumps(v)
    for word in ("http", "tcp", "ping", "dns", "push", "group", "channels",
                 "retry_interval", "body_contains"):
        assert f'"{word}"' in text, word


def test_environment_beats_the_file(make_daemon):
    d = make_daemon({"status_page": {"title": "From the file"}})
    d.start(env={"VEDETTE_STATUS_PAGE_TITLE": "From the environment"})
    assert "From the environment" in d.tcp().get("/").text
    d.stop()
    p = run("serve", "-c", d.config_path,
            env=d.env({"VEDETTE_LIMITS_IN_FLIGHT": "none"}))
    assert p.returncode == 2 and "IN_FLIGHT" in p.stderr.upper(), p


# -- plan, apply, export ----------------------------------------------------

RICH = {
    "channels": [
        {"name": "ops", "type": "ntfy", "url": "https://ntfy.example",
         "topic": "ops", "token": "tk_secret_of_ops"}],
    "monitors": [
        {"name": "API", "type": "http", "url": "https://127.0.0.1:1/health",
         "interval": "30s", "timeout": "5s", "retries": 2,
         "retry_interval": "5s", "method": "POST", "body": "a: b\n- c\n",
         "headers": {"X-One": "1", "X-Two": "yes: no"},
         "auth": {"user": "u", "password": "p#w: 'd"},
         "expect": {"status": "200-204,301", "body_contains": ["ok", "on"],
                    "body_lacks": "null"}, "notify": ["ops"],
         "tags": ["1.10", "true", "~"], "description": "line\nline # no"},
        {"name": "on", **PUSH, "notify": "ops", "token": "on_" * 10},
        {"name": "0x10", **PUSH},
        {"name": "Production", "type": "group", "monitors": [
            {"name": "DB", "type": "tcp", "host": "127.0.0.1", "port": 1,
             "interval": "15s", "fail": {"m": 2, "of": 5}},
            {"name": "Größe 日本", "type": "ping", "host": "127.0.0.1"}]},
        {"name": "Names", "type": "dns", "host": "example.org",
         "server": "127.0.0.1:1", "record": "MX",
         "expect": {"answers": ["10 mail.example.org"]}},
    ],
}


def write(d, name, doc):
    path = os.path.join(d.dir, name)
    with open(path, "w") as f:
        f.write(doc if isinstance(doc, str) else json.dumps(doc, indent=1))
    return path


def test_plan_apply_export_round_trip(make_daemon):
    d = make_daemon({}).start()
    path = write(d, "rich.yaml", RICH)
    p = d.cli("plan", "-f", path)
    assert p.returncode == 3, p
    assert "+ create API (http)" in p.stdout
    assert d.api.items("/api/v1/monitors") == [], "plan changes nothing"
    p = d.cli("apply", "-f", path)
    assert p.returncode == 0, p.stderr
    assert d.cli("plan", "-f", path).returncode == 0
    assert "nothing to do" in d.cli("apply", "-f", path).stdout
    out = os.path.join(d.dir, "out.yaml")
    p = d.cli("export", "--secrets", "-o", out)
    assert p.returncode == 0, p.stderr
    assert os.stat(out).st_mode & 0o77 == 0, "it holds secrets"
    p = d.cli("plan", "-f", out)
    assert p.returncode == 0, p.stdout + p.stderr
    # And on an empty store.
    e = make_daemon({}).start()
    assert e.cli("plan", "-f", out).returncode == 3
    p = e.cli("apply", "-f", out)
    assert p.returncode == 0, p.stderr
    p = e.cli("plan", "-f", out)
    assert p.returncode == 0, p.stdout
    assert e.cli("plan", "-f", path).returncode == 0
    again = e.cli("export", "--secrets").stdout
    assert again == open(out).read()
    assert run("check-config", out).returncode == 0


def test_export_masks_and_a_masked_secret_means_unchanged(make_daemon):
    d = make_daemon({}).start()
    assert d.cli("apply", "-f", write(d, "r.yaml", RICH)).returncode == 0
    p = d.cli("export")
    for secret in ("tk_secret_of_ops", "p#w", "on_on_"):
        assert secret not in p.stdout, secret
    masked = write(d, "masked.yaml", p.stdout)
    q = d.cli("plan", "-f", masked)
    assert q.returncode == 0, q.stdout + q.stderr
    assert d.cli("apply", "-f", masked).returncode == 0
    assert "tk_secret_of_ops" in d.cli("export", "--secrets").stdout
    # On a store that does not have them a mask is no secret.
    e = make_daemon({}).start()
    p = e.cli("apply", "-f", masked)
    assert p.returncode == 2, p
    assert e.api.items("/api/v1/monitors") == []


def test_apply_is_all_or_nothing(make_daemon):
    d = make_daemon({}).start()
    good = write(d, "good.yaml", {"monitors": [{"name": "A", **PUSH}]})
    assert d.cli("apply", "-f", good).returncode == 0
    before = d.cli("export", "--secrets").stdout
    bad = write(d, "bad.yaml", {"monitors": [
        {"name": "B", **PUSH}, {"name": "C", "type": "nothing"}]})
    p = d.cli("apply", "-f", bad)
    assert p.returncode == 2 and "bad.yaml:" in p.stderr, p
    # Past the command's own check: the daemon judges the same.
    a = d.api.post("/api/v1/apply", open(bad).read(),
                   headers={"Content-Type": "application/yaml"})
    assert a.status in (400, 422), a
    problem = a.json()
    assert problem["status"] == a.status and problem["line"] > 0
    assert "type" in problem["field"]
    assert a.headers["Content-Type"].startswith("application/problem+json")
    assert d.cli("export", "--secrets").stdout == before


def test_apply_leaves_what_it_does_not_name_and_prune_deletes_it(make_daemon):
    d = make_daemon({}).start()
    two = write(d, "two.yaml", {"monitors": [
        {"name": "A", **PUSH}, {"name": "B", **PUSH}]})
    one = write(d, "one.yaml", {"monitors": [{"name": "A", **PUSH}]})
    assert d.cli("apply", "-f", two).returncode == 0
    assert d.cli("plan", "-f", one).returncode == 0
    p = d.cli("plan", "-f", one, "--prune")
    assert p.returncode == 3 and "delete B" in p.stdout
    p = d.cli("apply", "-f", one, "--prune", "--yes")
    assert p.returncode == 0, p.stderr
    assert d.monitor("B") is None and d.monitor("A") is not None


def test_a_group_goes_with_members_only_with_cascade(make_daemon):
    d = make_daemon({}).start()
    doc = {"monitors": [{"name": "G", "type": "group",
                         "monitors": [{"name": "M", **PUSH}]}]}
    assert d.cli("apply", "-f", write(d, "g.yaml", doc)).returncode == 0
    a = d.api.delete(f"/api/v1/monitors/{d.id('G')}")
    assert a.status == 409, a
    assert d.monitor("G/M") is not None
    a = d.api.delete(f"/api/v1/monitors/{d.id('G')}?cascade=true")
    assert a.status in (200, 204), a
    assert d.monitor("G") is None and d.monitor("G/M") is None


def test_plan_says_who_loses_alerts(make_daemon):
    d = make_daemon({}).start()
    doc = {"channels": RICH["channels"],
           "monitors": [{"name": "A", **PUSH, "notify": ["ops"]}]}
    assert d.cli("apply", "-f", write(d, "a.yaml", doc)).returncode == 0
    del doc["monitors"][0]["notify"]
    p = d.cli("plan", "-f", write(d, "b.yaml", doc))
    assert p.returncode == 3 and "A will alert nobody" in p.stdout, p.stdout


def test_plan_needs_no_config_to_find_the_daemon_of_its_file(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    p = run("plan", "-f", d.config_path, cwd="/")
    assert p.returncode == 0, p
    assert "nothing to do" in p.stdout


# -- the file and the running daemon ----------------------------------------

def test_sighup_applies_and_archives(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH},
                                  {"name": "B", **PUSH}]}).start()
    a, b = d.id("A"), d.id("B")
    d.monitors([{"name": "A", **PUSH, "description": "new"},
                {"name": "C", **PUSH}])
    d.reload()
    harness.wait_for(lambda: d.monitor("C"), what="C")
    assert d.monitor("A")["description"] == "new" and d.id("A") == a
    assert d.monitor("B") is None, "archived: hidden"
    gone = d.api.get(f"/api/v1/monitors/{b}").json()
    assert gone["archived"] is True, "archived: its history is kept"
    # Named again it is the same monitor.
    d.monitors([{"name": "A", **PUSH}, {"name": "B", **PUSH}])
    d.reload()
    harness.wait_for(lambda: d.monitor("B"), what="B again")
    assert d.id("B") == b


def test_sighup_with_a_bad_file_changes_nothing(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    with open(d.config_path, "w") as f:
        f.write("monitors:\n  - name: Z\n    type: push\n"
                "    intervall: 5s\n")
    d.reload()
    assert "vedette.yaml:4" in d.log()
    assert [m["path"] for m in d.api.items("/api/v1/monitors")] == ["A"]
    assert d.alive()


def test_a_broken_file_at_start_leaves_the_store_alone(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    a = d.id("A")
    d.stop()
    good = open(d.config_path).read()
    d.configure("monitors: [")
    p = run("serve", "-c", d.config_path, "--data", d.data)
    assert p.returncode == 2 and "vedette.yaml:" in p.stderr
    d.configure(good)
    d.start()
    assert d.id("A") == a


def test_hand_made_monitors_survive_a_reload(make_daemon):
    d = make_daemon({"monitors": [{"name": "A", **PUSH}]}).start()
    a = d.api.post("/api/v1/monitors", {"name": "H", **PUSH})
    assert a.status == 201 and a.json()["origin"] == "hand", a
    assert d.monitor("A")["origin"] == "file"
    d.reload()
    assert d.monitor("H") is not None
    d.stop()
    d.start()
    assert d.monitor("H") is not None


def test_a_rename_through_was_keeps_history(make_daemon):
    token = "r" * 32
    d = make_daemon({"monitors": [
        {"name": "Old", **PUSH, "token": token}]}).start()
    assert d.push(token, "?status=down&msg=broken").status == 200
    d.wait_status("Old", "down")
    old = d.monitor("Old")
    history = d.transitions("Old")
    d.monitors([{"name": "G", "type": "group", "monitors": [
        {"name": "New", "was": "Old", **PUSH, "token": token}]}])
    d.reload()
    harness.wait_for(lambda: d.monitor("G/New"), what="the new name")
    new = d.monitor("G/New")
    assert new["id"] == old["id"] and new["status"] == "down"
    assert new["since"] == old["since"]
    assert [t["id"] for t in d.transitions("G/New")][:len(history)] == \
        [t["id"] for t in history]
    assert d.monitor("Old") is None
    d.reload()      # was: stays in the file and is done already
    assert d.id("G/New") == old["id"]


def test_an_edit_keeps_runtime_state_and_disturbs_nobody(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "A", "type": "http", "url": web.url, "interval": "1s"},
        {"name": "B", "type": "http", "url": web.url + "/b",
         "interval": "1s"}]}).start()
    d.wait_status("A", "up")
    d.wait_status("B", "up")
    a, b = d.monitor("A"), d.monitor("B")
    r = d.api.patch(f"/api/v1/monitors/{a['id']}", {"retries": 5})
    assert r.status == 200, r
    d.wait_samples("A", len(d.samples("A")) + 2)
    d.wait_samples("B", len(d.samples("B")) + 2)
    for old in (a, b):
        new = d.monitor(old["path"])
        assert new["status"] == "up" and new["since"] == old["since"]
    assert all(t["to"] in ("pending", "up") for t in d.transitions("A"))
    seqs = [s["seq"] for s in d.samples("B")][::-1]
    assert seqs == list(range(1, len(seqs) + 1))


def test_ids_are_never_reused_and_a_delete_takes_everything(make_daemon, web):
    d = make_daemon({}).start()
    used = set()
    for i in range(5):
        a = d.api.post("/api/v1/monitors", {
            "name": "X", "type": "http", "url": web.url, "interval": "1s"})
        assert a.status == 201, a
        mid = a.json()["id"]
        assert mid not in used
        used.add(mid)
        if i == 0:
            d.wait_samples("X", 1)
        if i == 2:
            d.stop()
            d.start()
        assert d.api.delete(f"/api/v1/monitors/{mid}").status in (200, 204)
        for sub in ("", "/samples", "/transitions", "/uptime", "/explain"):
            a = d.api.get(f"/api/v1/monitors/{mid}{sub}")
            assert a.status == 404, (sub, a)
    d.stop()
    d.start()
    a = d.api.post("/api/v1/monitors", {"name": "X", **PUSH})
    assert a.json()["id"] not in used


def test_deleting_while_checks_are_in_flight_leaves_no_row(make_daemon, web):
    web.delay = 0.5
    d = make_daemon({}).start()
    ids = []
    for i in range(20):
        a = d.api.post("/api/v1/monitors", {
            "name": f"X{i}", "type": "http", "url": web.url,
            "interval": "1s"})
        ids.append(a.json()["id"])
    harness.wait_for(lambda: web.hits >= 10, what="checks in flight")
    for mid in ids:
        assert d.api.delete(f"/api/v1/monitors/{mid}").status in (200, 204)
    time.sleep(1.2)
    d.stop()
    rows = database(d)
    for table, columns in rows.items():
        for mid_column in ("monitor", "monitor_id"):
            if mid_column in columns and table not in ALLOWED_AFTER_DELETE:
                left = query(d, f'SELECT count(*) FROM "{table}" WHERE '
                             f'"{mid_column}" IN '
                             f'({",".join(map(str, ids))})')[0][0]
                assert left == 0, f"{left} rows left in {table}"


# The log of events tells of monitors that are gone; the tombstone is the
# memory of the delete itself.
ALLOWED_AFTER_DELETE = {"event", "events", "tombstone", "tombstones"}


def database(d):
    """{table: columns} of the store, which must be closed."""
    return {t: [c[1] for c in query(d, f'PRAGMA table_info("{t}")')]
            for (t,) in query(d, "SELECT name FROM sqlite_master "
                              "WHERE type='table'")}


def query(d, sql):
    import sqlite3
    db = sqlite3.connect(f"file:{d.data}/vedette.db?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
