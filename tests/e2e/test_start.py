"""What can be wrong when vedette starts, and while it runs short: a clear
message (what, where, what to do), exit code 1, and no lost data."""

import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import time

import pytest

import harness
from harness import run

PUSH = {"type": "push", "interval": "1h", "grace": "1h", "token": "s" * 32}


def fails(d, *words, code=1, env=None, binary=harness.BINARY, **kw):
    """Start d; it must end by itself with these words, in one message."""
    p = subprocess.run([binary, "serve", "-c", d.config_path],
                       capture_output=True, text=True, timeout=30,
                       env=d.env(env), cwd=d.dir, stdin=subprocess.DEVNULL,
                       **kw)
    assert p.returncode == code, p
    said = [x for x in p.stderr.splitlines() if x.startswith("vedette: ")]
    assert len(said) == 1, p.stderr
    for w in words:
        assert w in said[0], (w, p.stderr)
    assert "is watching" not in p.stdout
    assert not harness.BAD_LINES.search(p.stderr), p.stderr
    return said[0]


def test_a_second_daemon_on_the_same_directory(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.push("s" * 32)
    second = make_daemon()
    second.configure({"server": {"data": d.data}})
    fails(second, f"vedette (pid {d.proc.pid})", d.data)
    assert d.push("s" * 32).status == 200, "the first goes on"
    assert d.cli("status").returncode == 0, "and so does its socket"
    d.kill()
    second.data, second.control = d.data, d.control
    second.start()      # a stale lock file stops nobody
    second.stop()


def test_unwritable_directory(make_daemon):
    d = make_daemon({})
    if os.geteuid() == 0:
        d.configure({"server": {"data": "/proc/vedette"}})
        fails(d, "/proc/vedette", "--data")
        drop = lambda: (os.setgid(65534), os.setuid(65534))
        os.chmod(d.dir, 0o755)
        for up in (os.path.dirname(d.dir),
                   os.path.dirname(os.path.dirname(d.dir)),
                   os.path.dirname(os.path.dirname(os.path.dirname(d.dir)))):
            os.chmod(up, os.stat(up).st_mode | 0o055)
        d.configure({})
        os.mkdir(d.data, 0o755)
        fails(d, d.data, "ermission denied", preexec_fn=drop,
              binary=harness.public_binary(d.dir))
    else:
        os.mkdir(d.data, 0o500)
        fails(d, d.data, "ermission denied")


def test_bound_port(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]})
    with socket.socket() as s:
        s.bind(("127.0.0.1", d.port))
        s.listen()
        fails(d, f"127.0.0.1:{d.port}", "in use")
    d.start()
    assert d.monitor("P") is not None


def test_socket_path_too_long(make_daemon, tmp_path):
    d = make_daemon()
    d.data = str(tmp_path / ("x" * 120))
    d.configure({"server": {"data": d.data}})
    fails(d, "107")


def test_corrupt_database(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.push("s" * 32)
    d.stop()
    path = f"{d.data}/vedette.db"
    good = open(path, "rb").read()
    with open(path, "wb") as f:
        f.write(b"this is not a database " * 1000)
    fails(d, "vedette.db")
    assert open(path, "rb").read().startswith(b"this is not"), "left alone"
    with open(path, "wb") as f:
        f.write(good)
    d.start()
    assert d.status("P") == "up"


def test_a_truncated_database(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.push("s" * 32)
    d.stop()
    path = f"{d.data}/vedette.db"
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.truncate(size // 2 // 4096 * 4096)
    fails(d, "vedette.db")


def test_newer_schema_is_refused(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.stop()
    db = sqlite3.connect(f"{d.data}/vedette.db")
    tables = [t for (t,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type='table'")]
    ledger = [t for t in tables if "migration" in t or "schema_" in t
              or "ledger" in t]
    assert ledger, tables
    columns = [c[1] for c in db.execute(
        f"PRAGMA table_info({ledger[0]})")]
    db.execute(f"INSERT INTO {ledger[0]} SELECT "
               + ",".join("9999" if i == 0 else c
                          for i, c in enumerate(columns))
               + f" FROM {ledger[0]} LIMIT 1")
    db.execute("PRAGMA user_version = 9999")
    db.commit()
    db.close()
    before = open(f"{d.data}/vedette.db", "rb").read()
    fails(d, "newer")
    assert open(f"{d.data}/vedette.db", "rb").read() == before


def test_the_store_is_private(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    assert stat.S_IMODE(os.stat(d.data).st_mode) & 0o077 == 0
    for name in os.listdir(d.data):
        mode = stat.S_IMODE(os.stat(os.path.join(d.data, name)).st_mode)
        assert mode & 0o007 == 0, (name, oct(mode))


def test_the_control_socket_takes_only_its_own_user(make_daemon):
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    os.chmod(d.dir, 0o755)
    os.chmod(d.data, 0o755)
    os.chmod(d.control, 0o666)
    up = d.dir
    while up != "/":
        up = os.path.dirname(up)
        if up != "/" and os.stat(up).st_uid == os.geteuid():
            os.chmod(up, os.stat(up).st_mode | 0o011)
    code = ("import socket,sys\n"
            "s=socket.socket(socket.AF_UNIX)\n"
            "s.settimeout(5)\n"
            "s.connect(sys.argv[1])\n"
            "s.sendall(b'GET /api/v1/export?secrets=true HTTP/1.1\\r\\n"
            "Host: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
            "print(s.recv(65536)[:12].decode())\n")
    p = subprocess.run(
        ["/usr/bin/python3", "-c", code, d.control], capture_output=True,
        text=True, preexec_fn=lambda: (os.setgid(65534), os.setuid(65534)))
    assert "200" not in p.stdout, p


def test_emfile_voids_and_is_never_down(make_daemon, closing):
    """Fewer descriptors than checks: ours to bear, nobody is down."""
    slow = closing(harness.WebServer())
    slow.delay = 0.6
    d = make_daemon({"monitors": [
        {"name": f"M{i}", "type": "http", "url": slow.url, "interval": "1s",
         "timeout": "900ms", "retries": 0} for i in range(120)]})
    d.start(preexec=harness.limit_fds(90))
    time.sleep(6 * harness.SLOW)
    seen = d.api.items("/api/v1/monitors")
    assert len(seen) == 120
    assert not [m for m in seen if m["status"] == "down"], \
        [(m["path"], m["why"], m["reason"]) for m in seen
         if m["status"] == "down"][:3]
    whys = {t["why"] for t in d.api.items("/api/v1/transitions")}
    assert whys <= {"ok", "blind", "created", "local_fds", "local_slots",
                    "local_other", "gap", "slow", "local_late"}, whys
    assert d.cli("status").returncode == 0


def test_resolver_down_is_our_fault(make_daemon, closing):
    sink = closing(harness.UdpSink())
    d = make_daemon({
        "net": {"resolvers": [f"127.0.0.1:{sink.port}"]},
        "monitors": [
            {"name": "Named", "type": "http", "interval": "1s",
             "timeout": "500ms", "retries": 0,
             "url": "http://host.example.org/"},
            {"name": "Ping", "type": "ping", "interval": "1s",
             "timeout": "500ms", "retries": 0,
             "host": "other.example.org"}]}).start()
    for name in ("Named", "Ping"):
        m = d.wait_status(name, "unknown", timeout=30)
        assert m["why"] in ("blind", "local_resolver"), m
        assert "down" not in [t["to"] for t in d.transitions(name)]
        assert {s["why"] for s in d.samples(name)} == {"local_resolver"}
    f = d.metrics()
    line = [x for x in f.splitlines()
            if x.startswith('vedette_voided_total{why="local_resolver"}')]
    assert line and float(line[0].split()[-1]) > 0


def test_forbidden_targets(make_daemon):
    """The metadata address is denied by default, and that is no outage."""
    d = make_daemon({"monitors": [
        {"name": "Meta", "type": "http", "interval": "1s",
         "timeout": "500ms", "url": "http://169.254.169.254/latest/"}]})
    d.start()
    s = d.wait_samples("Meta", 1)
    assert s[0]["why"] == "local_policy", s[0]


def test_a_database_locked_by_somebody_else(make_daemon):
    """While the store is locked the journal takes it; nothing is lost."""
    d = make_daemon({"monitors": [
        {"name": "P", **PUSH},
        {"name": "T", "type": "tcp", "host": "127.0.0.1", "port": 9,
         "interval": "1s", "retries": 0}]}).start()
    d.wait_status("T", "down")
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        a = d.push("s" * 32, timeout=3)
        assert a.status == 200, a
        assert d.monitor("P")["status"] == "up", "what is durable is shown"
        # a change of the configuration is never taken by the journal
        a = d.api.post("/api/v1/monitors", {
            "name": "N", "type": "push", "interval": "1h"}, timeout=30)
        assert a.status == 503, a
        assert d.tcp().get("/healthz").status == 200
        harness.wait_for(lambda: d.tcp().get("/readyz").status == 503, 15,
                         "readyz to say so")
    finally:
        db.execute("ROLLBACK")
        db.close()
    harness.wait_for(lambda: d.tcp().get("/readyz").status == 200, 15,
                     "recovery")
    assert d.push("s" * 32).status == 200
    seqs = [s["seq"] for s in d.samples("T")][::-1]
    assert seqs == list(range(1, len(seqs) + 1)), "no sample was dropped"
    assert "vedette_dropped_total" in d.metrics()


def test_what_was_a_store_is_no_first_start(make_daemon):
    """Empty, gone or cut short: nothing is begun in its place."""
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    assert d.push("s" * 32).status == 200
    d.stop()
    path = f"{d.data}/vedette.db"
    with open(path, "rb") as f:
        whole = f.read()
    os.truncate(path, 0)
    fails(d, path, "0 bytes", "store restore")
    for verb in ("check",), ("backup", f"{d.dir}/b.db"):
        p = d.cli("store", *verb)
        assert p.returncode == 1 and "0 bytes" in p.stderr, p
    assert os.path.getsize(path) == 0
    os.unlink(path)
    fails(d, path, "is not there", f"{d.data}/journal", "store restore")
    assert not os.path.exists(path)
    for n in (100, 4096, len(whole) // 2):
        with open(path, "wb") as f:
            f.write(whole[:n])
        fails(d, path, "damaged", "store restore", "journal")
        with open(path, "rb") as f:
            assert f.read() == whole[:n], "nothing was written to it"
        for ending in "-wal", "-shm":
            if os.path.exists(path + ending):
                os.unlink(path + ending)
    with open(path, "wb") as f:
        f.write(whole)
    d.start()
    assert len(d.samples("P")) == 1
    d.stop()
    # as the messages say: all of it away, and it starts empty
    os.unlink(path)
    shutil.move(f"{d.data}/journal", f"{d.data}/old")
    d.start()
    assert d.samples("P") == []


def test_a_first_start_that_is_cut_off_is_begun_anew(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]})
    os.makedirs(d.data, exist_ok=True)
    for name in "vedette.db.lock", "vedette.db.making":
        with open(f"{d.data}/{name}", "w") as f:
            f.write("1")
    d.start()
    assert d.push("s" * 32).status == 200
    assert not [n for n in os.listdir(d.data) if "making" in n]


def test_a_database_locked_at_the_start_says_by_whom(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.stop()
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        fails(d, "locked", f"(pid {os.getpid()}) writes")
    finally:
        db.execute("ROLLBACK")
        db.close()
    d.start()


def test_a_store_without_a_table_does_not_start(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    d.stop()
    db = sqlite3.connect(f"{d.data}/vedette.db", isolation_level=None)
    db.execute("DROP TABLE delivery")
    db.close()
    fails(d, "table delivery is missing", "store restore")
    p = d.cli("store", "check")
    assert p.returncode == 1 and "table delivery is missing" in p.stdout, p


def test_environment_names_the_bad_variable(make_daemon):
    d = make_daemon({})
    p = run("serve", "-c", d.config_path,
            env=d.env({"VEDETTE_SERVER_HTTP": "nonsense:port"}))
    assert p.returncode != 0
    assert "nonsense:port" in p.stderr


def test_serve_without_any_config_watches_nothing(tmp_path):
    port = harness.free_port()
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("VEDETTE")}
    env["VEDETTE_SERVER_HTTP"] = f"127.0.0.1:{port}"
    p = subprocess.Popen([harness.BINARY, "serve"], cwd=tmp_path, env=env,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL)
    try:
        harness.wait_for(lambda: os.path.exists(
            tmp_path / "var" / "control.sock") and p.poll() is None
            and run("status", cwd=tmp_path).returncode == 0)
    finally:
        p.terminate()
        out, err = p.communicate(timeout=30)
    assert p.returncode == 0, err
    assert f"http://127.0.0.1:{port}/".encode() in out
