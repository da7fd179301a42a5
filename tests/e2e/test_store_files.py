"""The store's own commands, with and without a daemon: check finds what was
broken, a backup holds what was acknowledged before it began, a restore is all
or nothing wherever it is killed."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import harness

TOKEN = "s" * 32
PUSH = {"type": "push", "interval": "1h", "grace": "1h", "token": TOKEN}


def sql(path, text):
    db = sqlite3.connect(path, timeout=10)
    with db:
        rows = db.execute(text).fetchall()
    db.close()
    return rows


def store(d):
    return os.path.join(d.data, "vedette.db")


def some_history(make_daemon, pushes=5):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    for _ in range(pushes):
        assert d.push(TOKEN).status == 200
    return d


def test_check_says_what_is_wrong_and_where(make_daemon):
    d = some_history(make_daemon)
    p = d.cli("store", "check")
    assert p.returncode == 0 and "sound" in p.stdout, p
    for verb in ("pause", "resume"):
        assert d.cli(verb, "P").returncode == 0
    assert d.stop() == 0
    p = d.cli("store", "check")
    assert p.returncode == 0 and "sound" in p.stdout, p
    sql(store(d), "UPDATE transition SET was = 3 WHERE id = "
        "(SELECT max(id) FROM transition)")
    sql(store(d), "INSERT INTO state VALUES(77, x'00')")
    for run in (False, True):
        if run:
            d.start()
        p = d.cli("store", "check", "--json")
        assert p.returncode == 1, p
        r = json.loads(p.stdout)
        found = {(f["rule"], f["monitor"]) for f in r["findings"]}
        assert found == {("transitions", 1), ("state_owner", 77)}, r
        f = [f for f in r["findings"] if f["rule"] == "transitions"][0]
        assert f["from"] and f["to"] >= f["from"], f
        p = d.cli("store", "check")
        assert p.returncode == 1 and "monitor 77" in p.stdout, p


def test_words_for_mistakes(make_daemon, tmp_path):
    d = some_history(make_daemon)
    for args, words in (
            (["store", "frob"], ["frob", "backup"]),
            (["store", "backup"], ["FILE"]),
            (["store", "check", "x"], ["no argument"]),
            (["store", "check", "--force"], ["--force"])):
        p = d.cli(*args)
        assert p.returncode == 2, p
        assert all(w in p.stderr for w in words), p
    p = d.cli("store", "restore", tmp_path / "b.db", "--yes")
    assert p.returncode == 1 and "stop it" in p.stderr, p
    a = d.tcp().post("/api/v1/store/backup", {"file": "/tmp/x"})
    assert a.status in (401, 403), a
    for body in ({"file": "relative"}, {"file": 3}, {"files": "/x"}, {}):
        assert d.api.post("/api/v1/store/backup", body).status == 422, body
    d.stop()
    p = d.cli("store", "restore", tmp_path / "none.db", "--yes")
    assert p.returncode == 1 and "none.db" in p.stderr, p
    p = d.cli("store", "restore", tmp_path / "none.db")
    assert p.returncode == 2 and "--yes" in p.stderr, p
    p = d.cli("store", "restore", "/etc/passwd", "--yes")
    assert p.returncode == 1 and "/etc/passwd" in p.stderr, p
    d.start()
    assert len(d.samples("P")) == 5


def test_a_backup_holds_what_was_acknowledged(make_daemon, tmp_path):
    """Under a steady load; each backup is looked into by another program."""
    d = make_daemon({"monitors": [
        {"name": f"P{i}", **PUSH, "token": f"{i:032d}"} for i in range(4)]})
    d.start()
    acked, stop = [0] * 4, threading.Event()

    def pusher(i):
        while not stop.is_set():
            if d.push(f"{i:032d}").status == 200:
                acked[i] += 1
    threads = [threading.Thread(target=pusher, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    try:
        for n in range(4):
            harness.wait_for(lambda: sum(acked) > 100 * (n + 1), 30,
                             "heartbeats")
            before = sum(acked)
            b = tmp_path / f"b{n}.db"
            p = d.cli("store", "backup", b)
            assert p.returncode == 0 and "sound" in p.stdout, p
            assert os.stat(b).st_mode & 0o777 == 0o600
            tail = sql(b, "SELECT coalesce(sum(n), 0) FROM tail")[0][0]
            assert tail >= before, (tail, before)
            assert sql(b, "PRAGMA integrity_check") == [("ok",)]
    finally:
        stop.set()
        [t.join(10) for t in threads]
    assert not [f for f in os.listdir(tmp_path) if "part" in f or "-wal" in f]
    p = d.cli("store", "backup", tmp_path / "b0.db")
    assert p.returncode == 1 and "--force" in p.stderr, p
    p = d.cli("store", "backup", tmp_path / "b0.db", "--force")
    assert p.returncode == 0, p


@pytest.mark.parametrize("running", [True, False])
def test_a_backup_replaces_only_files_that_are_no_part_of_it(
        make_daemon, tmp_path, running):
    """With --force it takes another's place: never that of a device, a
    socket, a link or a directory, nor that of the store's own journal."""
    d = some_history(make_daemon)
    os.mkfifo(tmp_path / "pipe")
    os.mkdir(tmp_path / "dir")
    (tmp_path / "kept").write_text("mine")
    os.symlink(tmp_path / "kept", tmp_path / "link")
    os.symlink(tmp_path / "kept", tmp_path / "x.part")
    os.makedirs(os.path.join(d.data, "journal"), exist_ok=True)
    os.symlink(os.path.join(d.data, "journal"), tmp_path / "j")
    if not running:
        d.stop()
    own = "the store itself, or a part of it"
    for name, words in (("pipe", "no regular file"),
                        ("dir", "no regular file"),
                        ("link", "no regular file"), ("x", "x.part"),
                        (d.data + "/journal/1", own), ("j/1", own),
                        (d.data + "/vedette.db.lock", "lock file")):
        target = os.path.join(tmp_path, name)
        before = os.lstat(target) if os.path.lexists(target) else None
        p = d.cli("store", "backup", target, "--force")
        assert p.returncode == 1 and words in p.stderr, p
        after = os.lstat(target) if os.path.lexists(target) else None
        assert (before is None) == (after is None), target
        assert before is None or before.st_ino == after.st_ino, target
    assert (tmp_path / "kept").read_text() == "mine"
    p = d.cli("store", "backup", tmp_path / "kept", "--force")
    assert p.returncode == 0 and sql(
        tmp_path / "kept", "PRAGMA quick_check") == [("ok",)], p


def test_a_backup_has_what_the_journal_took(make_daemon, tmp_path):
    """Acknowledged is acknowledged: it waits for the database to have it,
    and without a daemon it says that it would be incomplete."""
    d = some_history(make_daemon)
    db = sqlite3.connect(os.path.join(d.data, "vedette.db"),
                         isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    for _ in range(8):
        assert d.push(TOKEN).status == 200
    had = []
    t = threading.Thread(target=lambda: had.append(
        d.cli("store", "backup", tmp_path / "b.db", timeout=60)))
    t.start()
    harness.wait_for(
        lambda: d.api.get("/api/v1/store/errand").json().get("kind")
        == "backup", what="the backup's begin")
    db.execute("ROLLBACK")
    t.join(60)
    assert had[0].returncode == 0, had[0]
    assert sql(tmp_path / "b.db", "SELECT sum(n) FROM tail") == [(13,)]
    db.execute("BEGIN IMMEDIATE")
    assert d.push(TOKEN).status == 200
    d.kill()
    db.close()
    p = d.cli("store", "backup", tmp_path / "c.db")
    assert p.returncode == 1 and "start vedette" in p.stderr, p
    d.start()
    p = d.cli("store", "backup", tmp_path / "c.db")
    assert p.returncode == 0, p
    assert sql(tmp_path / "c.db", "SELECT sum(n) FROM tail") == [(14,)]


def test_one_errand_at_a_time(make_daemon, tmp_path):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]})
    d.start(env={"VEDETTE_FAULT": "errand.slow=error@1+"})
    first = d.api.post("/api/v1/store/check")
    assert first.status == 202, first
    second = d.api.post("/api/v1/store/backup",
                        {"file": str(tmp_path / "b.db")})
    assert second.status == 409 and "check" in second.text, second
    e = d.api.get("/api/v1/store/errand").json()
    assert e["state"] == "running" and e["actor"].startswith("uid:"), e
    # stopping ends it, at once
    t = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - t < 5 * harness.SLOW
    assert not (tmp_path / "b.db").exists()


def test_the_wait_for_an_errand_is_bounded(make_daemon):
    """By a --timeout that was given; the errand goes on."""
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]})
    d.start(env={"VEDETTE_FAULT": "errand.slow=error@1+"})
    for verb in "maintain", "check":
        began = time.monotonic()
        p = d.cli("store", verb, "--timeout", "1s")
        took = time.monotonic() - began
        if verb == "check":   # the other one is under way
            assert p.returncode == 1 and "maintain" in p.stderr, p
            continue
        assert p.returncode == 1 and "goes on in the daemon" in p.stderr, p
        assert 1 <= took < 5 * harness.SLOW, f"{took:.1f} s"
        e = d.api.get("/api/v1/store/errand").json()
        assert e["state"] == "running", e


POINTS = ["restore.copied", "restore.unmarked", "restore.marked",
          "restore.aside", "restore.aside@2", "restore.aside@3",
          "restore.aside@4", "restore.swapped", "restore.done"]


@pytest.mark.parametrize("point", POINTS)
def test_kill_during_a_restore(make_daemon, tmp_path, point):
    """Old or new, never half, and the old one is kept once it is new."""
    d = some_history(make_daemon, 3)
    b = tmp_path / "b.db"
    assert d.cli("store", "backup", b).returncode == 0
    for _ in range(4):
        d.push(TOKEN)
    d.kill()    # the WAL is hot
    assert os.path.getsize(store(d) + "-wal") > 0
    name, _, nth = point.partition("@")
    p = d.cli("store", "restore", b, "--yes",
              env={"VEDETTE_FAULT": f"{name}=kill@{nth or 1}"})
    if point == "restore.aside@4" and p.returncode == 0:
        pytest.skip("there is no fourth thing to move")
    assert p.returncode == -signal.SIGKILL, p
    old = name in ("restore.copied", "restore.unmarked")
    d.start()
    assert len(d.samples("P")) == (7 if old else 3)
    names = os.listdir(d.data)
    assert not [n for n in names if n.endswith((".new", ".restoring",
                                                ".tmp"))], names
    aside = [n for n in names if ".before-" in n]
    assert bool(aside) != old, names
    d.stop()
    if not old:
        kept = [n for n in aside if re.fullmatch(r"vedette\.db\..*Z", n)]
        assert len(kept) == 1, aside
        full = os.path.join(d.data, kept[0])
        assert sql(full, "SELECT sum(n) FROM tail") == [(7,)]
    assert d.cli("store", "check").returncode == 0


def test_restore_and_start_again(make_daemon, tmp_path):
    d = some_history(make_daemon, 3)
    b = tmp_path / "b.db"
    assert d.cli("store", "backup", b).returncode == 0
    for _ in range(4):
        d.push(TOKEN)
    d.stop()
    # what is unsound is refused, and nothing changes
    bad = tmp_path / "bad.db"
    shutil.copy(b, bad)
    sql(bad, "UPDATE tail SET n = n + 1")
    p = d.cli("store", "restore", bad, "--yes")
    assert p.returncode == 1 and "not sound" in p.stderr, p
    p = d.cli("store", "restore", b, "--yes")
    assert p.returncode == 0 and "before-" in p.stdout, p
    d.start()
    assert len(d.samples("P")) == 3
    assert d.push(TOKEN).status == 200
    assert len(d.samples("P")) == 4
    d.stop()
    # the store is gone altogether
    for n in os.listdir(d.data):
        if n.startswith("vedette.db") and not n.endswith(".lock"):
            os.unlink(os.path.join(d.data, n))
    assert d.cli("store", "restore", b, "--yes").returncode == 0
    d.start()
    assert len(d.samples("P")) == 3


@pytest.mark.parametrize("table", ["monitor", "outbox_kept"])
def test_a_corrupt_page_is_said_and_not_touched(make_daemon, tmp_path, table):
    """What is to be told is read last: by then the start was noted."""
    d = some_history(make_daemon, 3)
    b = tmp_path / "b.db"
    assert d.cli("store", "backup", b).returncode == 0
    d.stop()
    page = sql(store(d), "SELECT rootpage FROM sqlite_master "
               f"WHERE name = '{table}'")[0][0]
    with open(store(d), "r+b") as f:
        f.seek((page - 1) * 4096)
        f.write(b"\xff" * 4096)
    with open(store(d), "rb") as f:
        before = f.read()
    p = subprocess.run([harness.BINARY, "serve", "-c", d.config_path],
                       capture_output=True, text=True, timeout=30,
                       env=d.env(), cwd=d.dir, stdin=subprocess.DEVNULL)
    assert p.returncode == 1, p
    for w in (store(d), "store check", "store restore"):
        assert w in p.stderr, (w, p.stderr)
    with open(store(d), "rb") as f:
        assert f.read() == before or table == "outbox_kept"
    p = d.cli("store", "check")
    assert p.returncode == 1 and "pages" in p.stdout + p.stderr, p
    assert d.cli("store", "restore", b, "--yes").returncode == 0
    d.start()
    assert len(d.samples("P")) == 3


def rules(d, force=False):
    a = d.api.get("/api/v1/store/health" + ("?force=yes" if force else ""),
                  timeout=20)
    assert a.status == 200, a
    h = a.json()
    return h, {r["rule"]: r for r in h["rules"]}


def test_health(make_daemon):
    d = some_history(make_daemon)
    h, by = rules(d, True)
    for name in ("commit_age", "write_lock", "page_read", "wal", "free_disk"):
        assert by[name]["value"] is not None, by[name]
        assert by[name]["level"] in ("healthy", "degraded"), by[name]
    assert by["quick_check"]["level"] == "unknown"
    assert by["commit_age"]["degraded"] < by["commit_age"]["unhealthy"]
    before = h["at"]
    h, _ = rules(d, True)
    assert h["at"] > before
    p = d.cli("store", "health")
    assert p.returncode == 0 and "write_lock" in p.stdout, p
    assert json.loads(d.cli("store", "health", "--json").stdout)["rules"]
    assert d.cli("store", "health", "--force").returncode == 0
    assert d.cli("store", "check", "--quick").returncode == 0
    h, by = rules(d, True)
    assert by["quick_check"]["level"] == "healthy", by["quick_check"]
    assert "vedette_store_health" in d.metrics()


def test_a_locked_store_is_unhealthy_and_says_why(make_daemon):
    d = some_history(make_daemon)
    db = sqlite3.connect(store(d), isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    harness.wait_for(lambda: rules(d)[0]["level"] == "unhealthy", 30,
                     "an unhealthy store")
    _, by = rules(d)
    assert by["write_lock"]["level"] == "unhealthy", by
    assert "locked" in by["write_lock"]["text"], by
    assert d.api.get("/readyz").status == 503
    p = d.cli("store", "health")
    assert p.returncode == 1 and "locked" in p.stdout, p
    # who gives up half-way harms nobody
    for _ in range(5):
        try:
            d.api.get("/api/v1/store/health?force=yes", timeout=0.1)
        except OSError:
            pass
    harness.wait_for(lambda: "its health is worse" in d.log(), 40,
                     "the change to be told")
    db.execute("ROLLBACK")
    db.close()
    harness.wait_for(lambda: rules(d, True)[0]["level"] != "unhealthy", 30,
                     "a healthy store")
    d.wait_ready()
    harness.wait_for(lambda: [e for e in d.events() if e["kind"] == "health"
                              and "write_lock" in e["text"]], 20,
                     "the event")


def test_maintain_does_not_wait_for_a_store_that_fails(make_daemon):
    """It would keep everybody from a check and a backup meanwhile."""
    d = some_history(make_daemon)
    db = sqlite3.connect(os.path.join(d.data, "vedette.db"),
                         isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    stop = threading.Event()

    def pusher():
        while not stop.wait(0.2):
            d.push(PUSH["token"])
    t = threading.Thread(target=pusher)
    t.start()
    try:
        p = d.cli("store", "maintain", timeout=60)
        assert p.returncode == 1 and "nothing can be written" in \
            p.stdout + p.stderr, p
    finally:
        stop.set()
        t.join(10)
        db.close()


def test_maintain(make_daemon):
    d = some_history(make_daemon)
    p = d.cli("store", "maintain")
    assert p.returncode == 0, p
    for step in ("analyze", "vacuum", "search", "checkpoint", "readers",
                 "quick check"):
        assert step in p.stdout, p
    wal = d.api.get("/api/v1/store/stats").json()["wal"]
    assert wal["last_checkpoint"] == "done" and wal["last_done"], wal
    assert sql(store(d), "SELECT count(*) FROM sqlite_stat1")[0][0] > 0
    assert len(d.samples("P")) == 5
    e = json.loads(d.cli("store", "maintain", "--json").stdout)
    assert e["kind"] == "maintain" and e["state"] == "done", e
    assert [s["state"] for s in e["steps"]] == ["done"] * 6, e
    a = d.tcp().post("/api/v1/store/maintain")
    assert a.status in (401, 403), a


@pytest.mark.parametrize("value", ["25:00", "4:30", "noon"])
def test_maintain_at_is_a_time_of_the_day(make_daemon, value):
    d = make_daemon({"store": {"maintain_at": value}})
    p = subprocess.run([harness.BINARY, "check-config", d.config_path],
                       capture_output=True, text=True, timeout=30)
    assert p.returncode == 2, p
    assert "maintain_at" in p.stderr and "never" in p.stderr, p


def test_damaged_rows_do_not_stop_the_start(make_daemon):
    """They are told with their monitor, counted, unknown; all else works."""
    d = make_daemon({"monitors": [{"name": "P", **PUSH},
                                  {"name": "Q", **PUSH, "token": "q" * 32}]})
    d.start()
    for _ in range(3):
        assert d.push(TOKEN).status == d.push("q" * 32).status == 200
    d.stop()
    sql(store(d), "UPDATE state SET b = x'00' WHERE monitor = 1")
    sql(store(d), "UPDATE tail SET b = substr(b, 1, length(b) - 1) || x'00' "
        "WHERE id = (SELECT min(id) FROM tail)")
    d.start()
    assert d.api.get("/api/v1/store/stats").json()["damaged"] == 2
    texts = [e["text"] for e in d.events() if e["kind"] == "store"]
    assert any(t.startswith("P: ") for t in texts), texts
    _, by = rules(d, True)
    assert by["damaged"]["level"] == "degraded", by["damaged"]
    assert by["damaged"]["value"] == 2
    assert d.push(TOKEN).status == d.push("q" * 32).status == 200
    assert 0 < len(d.samples("Q")) <= 4
    p = d.cli("store", "check")
    assert p.returncode == 1 and "tail" in p.stdout, p
