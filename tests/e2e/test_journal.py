"""The journal: what the database does not take is durable all the same."""
import glob
import http.client
import os
import sqlite3
import threading
import time

import pytest

import harness

TOKENS = [f"{i:032d}" for i in range(4)]
PUSHES = {"monitors": [
    {"name": f"P{i}", "type": "push", "interval": "1h", "grace": "1h",
     "token": t} for i, t in enumerate(TOKENS)]}


class Locked:
    """Somebody else has the whole database to himself."""

    def __init__(self, d):
        self.db = sqlite3.connect(f"{d.data}/vedette.db",
                                  isolation_level=None, timeout=10)

    def __enter__(self):
        self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, *exc):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.db.close()


def beats(d, n, first=0):
    """n heartbeats, each with a message of its own; those acknowledged."""
    said = []
    for i in range(first, first + n):
        t0 = time.monotonic()
        a = d.push(TOKENS[i % len(TOKENS)], f"?msg=beat-{i}", timeout=5)
        took = time.monotonic() - t0
        assert took < 1.5, f"answered after {took:.2f} s"
        assert a.status in (200, 503), a
        if a.status == 200:
            said.append(i)
    return said


def stored(d):
    """How many samples each monitor has, and that none is there twice."""
    n = 0
    for i in range(len(TOKENS)):
        seqs = [s["seq"] for s in d.samples(f"P{i}")]
        assert len(seqs) == len(set(seqs)), "a sample is there twice"
        n += len(seqs)
    return n


def metric(d, name):
    for line in d.metrics().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def test_locked_killed_and_started_again(make_daemon):
    d = make_daemon(PUSHES).start()
    beats(d, 4)
    with Locked(d):
        said = beats(d, 20, 4)
        assert len(said) == 20, "the journal took them"
        assert metric(d, "vedette_journal_bytes") > 0
        assert metric(d, "vedette_journal_records_total") >= 20
        for i in range(4):
            assert d.monitor(f"P{i}")["status"] == "up"
        d.kill()
    d.start()
    assert stored(d) == 24
    turns = [t for i in range(4) for t in d.transitions(f"P{i}")]
    ups = [t for t in turns if t["to"] == "up"]
    assert len(ups) == 4, "each change once"
    ids = [e["id"] for e in d.events()]
    assert len(ids) == len(set(ids))
    again = [e for e in d.events() if e["kind"] == "transition"
             and e["to"] == "up"]
    assert len(again) == 4, "each event once"
    # and it is over: a second start finds nothing to do
    d.kill()
    d.start()
    assert stored(d) == 24


def test_stopped_while_locked(make_daemon):
    """What was accepted is in the journal: there is nothing to wait for."""
    d = make_daemon(PUSHES).start()
    with Locked(d):
        assert len(beats(d, 20)) == 20
        began = time.monotonic()
        assert d.stop() == 0
        took = time.monotonic() - began
        assert took < 8 * harness.SLOW, f"the stop took {took:.1f} s"
        assert "the rest is in the journal" in d.log()
    d.start()
    assert stored(d) == 20
    d.kill()
    d.start()
    assert stored(d) == 20


def test_locked_and_let_go(make_daemon):
    """While it runs, the writer reads back before it takes what is newer."""
    d = make_daemon(PUSHES).start()
    with Locked(d):
        assert len(beats(d, 30)) == 30
        a = d.api.get(f"/api/v1/monitors/{d.id('P0')}/samples").json()
        assert len(a["items"]) + a["journaled"] == 8, a
        assert a["journaled"] > 0, "what cannot be listed is said"
    harness.wait_for(lambda: d.tcp().get("/readyz").status == 200, 20,
                     "recovery")
    a = d.api.get(f"/api/v1/monitors/{d.id('P0')}/samples").json()
    assert (len(a["items"]), a["journaled"]) == (8, 0), a
    assert len(beats(d, 10, 30)) == 10
    harness.wait_for(lambda: metric(d, "vedette_journal_bytes") == 0, 20,
                     "an empty journal")
    assert stored(d) == 40


def test_stuck_in_the_disk(make_daemon):
    """A COMMIT that does not come back for seconds holds nobody up."""
    d = make_daemon(PUSHES)
    d.start(env={"VEDETTE_FAULT": "writer.before_commit=stall@12"})
    said, worst = 0, 0.0
    until = time.monotonic() + 30
    while metric(d, "vedette_journal_records_total") < 5:
        assert time.monotonic() < until, "it never stalled"
        said += len(beats(d, 1, said))
    said += len(beats(d, 10, said))
    harness.wait_for(lambda: metric(d, "vedette_journal_bytes") == 0, 30,
                     "an empty journal")
    assert stored(d) == said
    d.kill()
    d.start()
    assert stored(d) == said


def segments(d):
    return sorted(glob.glob(f"{d.data}/journal/*.seg"))


def test_a_torn_end_is_cut_and_told(make_daemon):
    d = make_daemon(PUSHES).start()
    with Locked(d):
        assert len(beats(d, 8)) == 8
        d.kill()
    seg = segments(d)[-1]
    with open(seg, "r+b") as f:
        data = f.read()
        end = len(data.rstrip(b"\0"))
        # the last record loses its end, as when the power goes
        f.seek(end - 10)
        f.write(b"\0" * 10)
    d.start()
    assert 5 <= stored(d) < 8
    texts = [e["text"] for e in d.events() if e["kind"] == "store"]
    assert any("middle of a record" in t for t in texts), texts


def poke(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


@pytest.mark.parametrize("at, lost", [(100, 1), (0, 8)])
def test_damage_is_told_and_kept(make_daemon, at, lost):
    """One record, or the whole file: in the log, in the event log, in the
    store's health; and the file is there for whoever wants to look."""
    d = make_daemon(PUSHES).start()
    with Locked(d):
        assert len(beats(d, 8)) == 8
        d.kill()
    seg = segments(d)[-1]
    if at == 0:
        poke(seg, 0, os.urandom(os.path.getsize(seg)))
    else:
        poke(seg, at, b"X")
    d.start()
    assert stored(d) == 8 - lost
    assert "error journal: " in d.log() and ".damaged" in d.log(), d.log()
    texts = [e["text"] for e in d.events() if e["kind"] == "store"]
    assert any("*.damaged" in t for t in texts), texts
    h = d.api.get("/api/v1/store/health?force=yes").json()
    rules = {r["rule"]: r for r in h["rules"]}
    assert rules["damaged"]["level"] == "degraded", h
    assert harness.wait_for(lambda: glob.glob(f"{d.data}/journal/*.damaged"),
                            10, "the file kept")


def test_a_record_that_ends_the_process(make_daemon):
    """Three times; then it is put aside and everything else is stored."""
    d = make_daemon(PUSHES).start()
    with Locked(d):
        assert len(beats(d, 8)) == 8
        d.kill()
    env = {"VEDETTE_FAULT": "replay.3=kill@1"}
    for _ in range(3):
        d.start(ready=False, env=env)
        harness.wait_for(lambda: not d.alive(), 20, "its end")
        d.kill()
    d.start(env=env)
    assert metric(d, "vedette_quarantine_units") == 1
    kinds = [e["kind"] for e in d.events()]
    assert kinds.count("quarantine") == 1
    assert stored(d) in (7, 8)   # the record may have been no sample
    d.kill()
    d.start(env=env)
    assert metric(d, "vedette_quarantine_units") == 1


def test_saturation(make_daemon):
    """A store that stalls under load: nothing lost, checks on time."""
    sink = harness.free_port()
    d = make_daemon({"monitors": PUSHES["monitors"] + [
        {"name": f"T{i}", "type": "tcp", "host": "127.0.0.1", "port": sink,
         "interval": "1s", "retries": 0} for i in range(100)]}).start()
    d.wait_status("T0", "down")
    said = [0] * 4
    over = threading.Event()

    def client(k):
        while not over.is_set():
            a = d.push(TOKENS[k], timeout=5)
            said[k] += a.status == 200

    with Locked(d):
        threads = [threading.Thread(target=client, args=(k,))
                   for k in range(4)]
        for t in threads:
            t.start()
        harness.wait_for(
            lambda: metric(d, "vedette_journal_records_total") > 1500, 40,
            "a load of records")
    over.set()
    for t in threads:
        t.join()
    harness.wait_for(lambda: metric(d, "vedette_journal_bytes") == 0, 30,
                     "an empty journal")
    for k in range(4):
        m = d.monitor(f"P{k}")
        n = len(d.api.items(f"/api/v1/monitors/{m['id']}/samples"))
        assert said[k] > 0 and n >= said[k]
    for line in d.metrics().splitlines():
        if line.startswith("vedette_dropped_total"):
            assert float(line.split()[-1]) == 0, line
    seqs = [s["seq"] for s in d.samples("T7")]
    assert len(seqs) == len(set(seqs)) == max(seqs) - min(seqs) + 1


def reasons(d, n):
    """What heartbeats said, of all monitors, as it is stored."""
    said = set()
    for i in range(n):
        items = d.api.items(f"/api/v1/monitors/{d.id(f'P{i}')}/samples")
        said |= {s["reason"] for s in items}
    return said


def test_journal_and_reserve_are_full(make_daemon):
    """Then heartbeats are pushed back, with when to come again; what was
    acknowledged is stored when the database is free, and all is well."""
    d = make_daemon({**PUSHES, "store": {
        "journal": {"size": "8MiB", "reserve": "4MiB"}}}).start()
    clients = 48   # who wait for one sync together
    acked = [[] for _ in range(clients)]
    refused = [0] * clients
    over = threading.Event()

    def client(k):
        conn = http.client.HTTPConnection(d.http_host, d.port, timeout=10)
        i = 0
        while not over.is_set() and refused[k] < 5:
            word = f"{k}-{i}-".ljust(180, "x")
            conn.request("GET", f"/push/{TOKENS[k % 4]}?msg={word}")
            a = conn.getresponse()
            a.read()
            i += 1
            if a.status == 200:
                acked[k].append(word)
                continue
            assert a.status == 503, a.status
            assert 1 <= int(a.headers["retry-after"]) <= 300
            refused[k] += 1

    harness.wait_for(lambda: metric(d, "vedette_journal_reserve_bytes")
                     == 4 << 20, 10, "the reserve")
    with Locked(d):
        threads = [threading.Thread(target=client, args=(k,))
                   for k in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        over.set()
        assert all(n == 5 for n in refused), (refused, d.log()[-2000:])
        assert metric(d, "vedette_journal_bytes") <= 12 << 20
        assert d.tcp().get("/healthz").status == 200
    harness.wait_for(lambda: metric(d, "vedette_journal_bytes") == 0, 60,
                     "an empty journal")
    assert len(beats(d, 8)) == 8, "taken again"
    said = {w for words in acked for w in words}
    assert len(said) > 5000
    assert not said - reasons(d, len(TOKENS))
    harness.wait_for(lambda: metric(d, "vedette_journal_reserve_bytes")
                     == 4 << 20, 30, "the reserve again")


def test_quarantine_that_cannot_be_written(make_daemon):
    """Acknowledged from the journal, refused by the database, and refused as a
    row of the quarantine: each becomes a file, and a row when it can."""
    d = make_daemon(PUSHES).start()
    beats(d, 4)
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None,
                         timeout=10)
    for table in "tail", "quarantine":
        db.execute(f"CREATE TRIGGER bad_{table} BEFORE INSERT ON {table}"
                   " BEGIN SELECT RAISE(ABORT, 'not today'); END")
    db.execute("BEGIN IMMEDIATE")
    said = {f"kept-{k}" for k in range(3)}
    for k, word in enumerate(sorted(said)):
        assert d.push(TOKENS[k], f"?msg={word}").status == 200
    db.execute("ROLLBACK")
    files = harness.wait_for(
        lambda: len(glob.glob(f"{d.data}/journal/*.unit")) == 3
        and glob.glob(f"{d.data}/journal/*.unit"), 20, "three files")
    harness.wait_for(lambda: metric(d, "vedette_quarantine_units") == 3, 10,
                     "all counted")
    for table in "tail", "quarantine":
        db.execute(f"DROP TRIGGER bad_{table}")
    db.close()
    harness.wait_for(lambda: d.tcp().get("/readyz").status == 200, 20,
                     "readiness")
    d.kill()
    # one of them is damaged meanwhile: it stays, and is told
    poke(sorted(files)[0], 3, b"?")
    d.start()
    assert len(glob.glob(f"{d.data}/journal/*.unit")) == 1
    assert "a file of the quarantine is damaged" in d.log()
    assert metric(d, "vedette_quarantine_units") == 3
    items = harness.json.loads(
        d.cli("quarantine", "list", "--json").stdout)["items"]
    assert len(items) == 2 and all("not today" in i["reason"]
                                   for i in items), items
    for i in items:
        p = d.cli("quarantine", "retry", str(i["id"]))
        assert p.returncode == 0, p
    got = reasons(d, len(TOKENS))
    assert len(said & got) == 2, got


def test_quarantine_by_hand(make_daemon):
    """What is refused is kept, shown, tried again and dropped by a person."""
    d = make_daemon(PUSHES).start()
    beats(d, 4)
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None,
                         timeout=10)
    db.execute("CREATE TRIGGER bad BEFORE INSERT ON tail BEGIN"
               " SELECT RAISE(ABORT, 'not today'); END")
    for k in range(3):
        assert d.push(TOKENS[k], f"?msg=bad-{k}").status >= 500
    db.execute("DROP TRIGGER bad")
    db.close()
    assert len(beats(d, 4)) == 4, "the others are stored"
    p = d.cli("quarantine", "list", "--json")
    items = harness.json.loads(p.stdout)["items"]
    assert len(items) == 3
    assert all("not today" in i["reason"] for i in items), items
    assert {i["name"] for i in items} == {"P0", "P1", "P2"}
    assert metric(d, "vedette_quarantine_units") == 3
    first = str(items[-1]["id"])
    p = d.cli("quarantine", "show", first)
    shown = harness.json.loads(p.stdout)
    assert shown["unit"]["sample"]["reason"] == "bad-0", shown
    # nobody can be asked here
    p = d.cli("quarantine", "drop", first)
    assert p.returncode == 2 and "--yes" in p.stderr
    p = d.cli("quarantine", "drop", first, "--yes")
    assert p.returncode == 0, p.stderr
    assert metric(d, "vedette_quarantine_units") == 2
    assert d.cli("quarantine", "show", first).returncode == 1
    # newer samples of the monitor are stored and not at rest yet: later
    second = str(items[-2]["id"])
    p = d.cli("quarantine", "retry", second)
    assert p.returncode == 1 and "ten minutes" in p.stderr, p.stderr
    assert d.cli("quarantine", "frob").returncode == 2
    assert d.cli("quarantine", "show", "x").returncode == 2
    d.kill()
    d.start()
    assert metric(d, "vedette_quarantine_units") == 2
    kinds = [e["kind"] for e in d.events()]
    assert kinds.count("quarantine") >= 2
