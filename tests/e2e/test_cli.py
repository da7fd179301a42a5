"""The command line: help from the table, exit codes, finding the daemon, and
what it prints."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from harness import run


def test_help_lists_every_command_and_explains_each():
    p = run("help")
    assert p.returncode == 0
    names = re.findall(r"^  ([a-z][a-z-]*)", p.stdout, re.M)
    for name in ("serve probe check-config schema plan apply export status "
                 "explain pause resume events token store version "
                 "help").split():
        assert name in names
        one = run("help", name)
        assert one.returncode == 0 and f"usage: vedette {name}" in one.stdout
        assert one.stderr == ""
    assert "reference" not in names


def test_without_arguments_usage_and_nothing_started():
    p = run()
    assert p.returncode == 2 and "usage: vedette COMMAND" in p.stdout


def test_unknown_command_suggests_and_starts_no_server(tmp_path):
    p = run("statsu", cwd=tmp_path)
    assert p.returncode == 2
    assert 'did you mean "status"?' in p.stderr and p.stdout == ""
    p = run("serv", "-c", "x.yaml", cwd=tmp_path)
    assert p.returncode == 2 and 'did you mean "serve"?' in p.stderr
    p = run("\x1b[31mevil\nname", cwd=tmp_path)
    assert p.returncode == 2
    assert "\x1b" not in p.stderr and p.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_usage_errors_exit_2():
    for args in (["status", "--nope"], ["status", "a", "b"], ["explain"],
                 ["pause"], ["status", "--timeout"],
                 ["status", "--timeout", "soon"], ["events", "--limit", "0"],
                 ["events", "--limit", "-1"], ["token", "create", "x"],
                 ["token", "create", "x", "--scope", "root"],
                 ["token", "drop", "x"], ["store", "vacuum"], ["plan"],
                 ["explain", "x", "--at", "whenever"], ["check-config"],
                 ["version", "--all"], ["probe"],
                 ["status", "--url", "ftp://x"]):
        p = run(*args)
        assert p.returncode == 2, (args, p)
        assert p.stderr != "" and p.stdout == "", (args, p)


def test_every_flag_message_is_from_one_table():
    p = run("status", "--help")
    assert p.returncode == 0
    for flag in ("--config", "--data", "--timeout", "--url", "--token",
                 "--json"):
        assert flag in p.stdout


def test_version_and_libraries():
    p = run("version")
    assert p.returncode == 0
    assert re.fullmatch(r"vedette \d+\.\d+\.\d+\S*\n", p.stdout)
    p = run("version", "--libs")
    for lib in ("libuv", "libcurl", "c-ares", "openssl", "libmicrohttpd",
                "jansson", "libyaml", "sqlite"):
        assert re.search(rf"^{lib} \d", p.stdout, re.M), p.stdout


def test_daemon_absent_has_its_own_message(tmp_path):
    p = run("status", "--data", tmp_path / "d")
    assert p.returncode == 1
    assert "no vedette is running on" in p.stderr
    assert f"{tmp_path}/d/control.sock" in p.stderr
    assert "vedette serve" in p.stderr


def test_stale_socket_is_absent_too(tmp_path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(tmp_path / "control.sock"))
    s.close()
    p = run("status", "--data", tmp_path)
    assert p.returncode == 1 and "no vedette is running on" in p.stderr


def test_daemon_slow_has_its_own_message(tmp_path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(tmp_path / "control.sock"))
    s.listen(5)
    start = time.monotonic()
    p = run("status", "--data", tmp_path, "--timeout", "300ms")
    assert p.returncode == 1
    assert "did not answer within 300ms" in p.stderr, p.stderr
    assert time.monotonic() - start < 5
    s.close()


def test_daemon_refusing_has_its_own_message(daemon):
    p = run("status", "--url", daemon.url(""))
    assert p.returncode == 1
    assert "refused" in p.stderr and "--token" in p.stderr


def test_socket_path_too_long(tmp_path):
    p = run("status", "--data", tmp_path / ("x" * 120))
    assert p.returncode == 2 and "at most 107 bytes" in p.stderr


def test_config_finds_the_daemon(daemon):
    inside = dict(cwd=daemon.dir, env=daemon.env())
    assert run("status", **inside).returncode == 0     # ./vedette.yaml
    assert run("status", "-c", daemon.config_path).returncode == 0
    assert run("status", env=daemon.env(
        {"VEDETTE_CONFIG": daemon.config_path})).returncode == 0
    assert run("status", env=daemon.env(
        {"VEDETTE_SERVER_DATA": daemon.data})).returncode == 0
    # A flag beats the environment.
    p = run("status", "--data", "/nonexistent", env=daemon.env(
        {"VEDETTE_SERVER_DATA": daemon.data}))
    assert p.returncode == 1 and "/nonexistent" in p.stderr
    # Flags may stand before the command.
    assert run("--data", daemon.data, "status").returncode == 0
    assert run(f"--data={daemon.data}", "status").returncode == 0


def test_data_is_relative_to_the_config_file(make_daemon, tmp_path):
    d = make_daemon()
    d.configure({"server": {"data": "./d"}})
    d.start()
    p = run("status", "-c", d.config_path, cwd="/")
    assert p.returncode == 0, p.stderr
    p = run("plan", "-f", d.config_path, cwd="/")
    assert p.returncode == 0, p


def test_status_plain_and_json(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "Web", "type": "http", "url": web.url, "interval": "1s"},
        {"name": "Prod", "type": "group", "monitors": [
            {"name": "DB", "type": "tcp", "host": "127.0.0.1",
             "port": web.port, "interval": "1s"}]}]}).start()
    d.wait_status("Web", "up")
    d.wait_status("Prod/DB", "up")
    p = d.cli("status")
    assert p.returncode == 0 and "\x1b" not in p.stdout
    rows = [x.split("\t") for x in p.stdout.splitlines()]
    assert [r[0] for r in rows] == ["Prod", "Prod/DB", "Web"]
    assert all(len(r) == 6 for r in rows) and rows[2][1] == "up"
    p = d.cli("status", "--json")
    items = json.loads(p.stdout)["items"]
    assert sorted(m["path"] for m in items) == ["Prod", "Prod/DB", "Web"]
    for name in ("Prod/DB", "DB"):
        p = d.cli("status", name)
        assert p.returncode == 0 and p.stdout.startswith("Prod/DB\n"), p
    assert json.loads(d.cli("status", "Web", "--json").stdout)["path"] == "Web"


def test_status_exits_0_when_something_is_down(make_daemon):
    d = make_daemon({"monitors": [
        {"name": "Gone", "type": "tcp", "host": "127.0.0.1",
         "port": harness.free_port(), "interval": "1s", "retries": 0}]})
    d.start().wait_status("Gone", "down")
    p = d.cli("status")
    assert p.returncode == 0 and "\tdown\t" in p.stdout


def test_unknown_and_ambiguous_names(make_daemon):
    d = make_daemon({"monitors": [
        {"name": "A", "type": "group", "monitors": [
            {"name": "Database", "type": "push"}]},
        {"name": "B", "type": "group", "monitors": [
            {"name": "Database", "type": "push"}]}]}).start()
    p = d.cli("status", "Databse")
    assert p.returncode == 1
    assert "did you mean" in p.stderr and '"A/Database"' in p.stderr
    p = d.cli("status", "Database")
    assert p.returncode == 1
    assert '"A/Database"' in p.stderr and '"B/Database"' in p.stderr
    p = d.cli("pause", "zzzzzzzz")
    assert p.returncode == 1 and "there is no monitor" in p.stderr


def terminal(args, env, cwd, answer=None, until=None, size=(40, 160)):
    """Run on a pseudo terminal; (exit code, what it showed)."""
    try:
        pid, fd = pty.fork()
    except OSError as e:
        pytest.skip(f"no pseudo terminal here: {e}")
    if pid == 0:
        import fcntl
        import struct
        import termios
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        os.chdir(cwd)
        os.execve(harness.BINARY, [harness.BINARY, *map(str, args)], env)
    out, asked = b"", False
    end = time.monotonic() + 20 * harness.SLOW
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                break
            if not chunk:
                break
            out += chunk
        if answer is not None and not asked and b"[y/N]" in out:
            os.write(fd, answer)
            asked = True
        if until is not None and until in out:
            os.kill(pid, signal.SIGTERM)
            break
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), out.decode()


def test_terminal_has_colour_shapes_and_sparkline(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "Web", "type": "http", "url": web.url, "interval": "1s"},
        {"name": "Gone", "type": "tcp", "host": "127.0.0.1", "retries": 0,
         "port": harness.free_port(), "interval": "1s"}]}).start()
    d.wait_samples("Web", 3)
    d.wait_status("Gone", "down")
    env = d.env({"TERM": "xterm-256color"})
    env.pop("NO_COLOR", None)
    args = ["status", "--data", d.data]
    rc, out = terminal(args, env, d.dir)
    assert rc == 0
    assert "\x1b[32m" in out and "\x1b[31m" in out
    assert "●" in out and "✖" in out
    assert re.search("[▁▂▃▄▅▆▇█]{2}", out)
    rc, out = terminal(args, dict(env, NO_COLOR="1"), d.dir)
    assert rc == 0 and "\x1b" not in out and "●" in out and "✖" in out


def test_prune_asks_on_a_terminal_and_needs_yes_without(make_daemon):
    d = make_daemon({}).start()
    wide = os.path.join(d.dir, "wide.yaml")
    with open(wide, "w") as f:
        json.dump({"monitors": [{"name": "A", "type": "push"},
                                {"name": "B", "type": "push"}]}, f)
    narrow = os.path.join(d.dir, "narrow.yaml")
    with open(narrow, "w") as f:
        json.dump({"monitors": [{"name": "A", "type": "push"}]}, f)
    assert d.cli("apply", "-f", wide).returncode == 0
    p = d.cli("apply", "-f", narrow, "--prune")
    assert p.returncode == 2 and "--yes" in p.stderr
    assert d.monitor("B") is not None
    args = ["apply", "-f", narrow, "--prune", "--data", d.data]
    rc, out = terminal(args, d.env(), d.dir, answer=b"n\n")
    assert rc == 1 and "B" in out and "[y/N]" in out
    assert d.monitor("B") is not None
    rc, out = terminal(args, d.env(), d.dir, answer=b"y\n")
    assert rc == 0, out
    assert d.monitor("B") is None and d.monitor("A") is not None


def test_pause_and_resume(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "Web", "type": "http", "url": web.url,
         "interval": "1s"}]}).start()
    d.wait_status("Web", "up")
    p = d.cli("pause", "Web")
    assert (p.returncode, p.stdout) == (0, "Web: paused\n")
    assert d.status("Web") == "paused"     # answered after the commit
    hits = web.hits
    time.sleep(2.5)
    assert web.hits <= hits + 1            # one may have been in flight
    p = d.cli("resume", "Web")
    assert p.returncode == 0
    d.wait_status("Web", "up")
    assert web.hits > hits
    whys = [t["why"] for t in d.transitions("Web")]
    assert "paused" in whys and "resumed" in whys


def test_explain_in_words_and_json(make_daemon):
    port = harness.free_port()
    d = make_daemon({"monitors": [
        {"name": "Gone", "type": "tcp", "host": "127.0.0.1", "port": port,
         "interval": "1s", "retries": 2, "retry_interval": "100ms"}]}).start()
    d.wait_status("Gone", "down")
    p = d.cli("explain", "Gone")
    assert p.returncode == 0, p.stderr
    for word in ("down", "net_refused", "rule", "votes", "samples"):
        assert word in p.stdout, p.stdout
    v = json.loads(d.cli("explain", "Gone", "--json").stdout)
    assert v["transition"]["to"] == "down"
    p = d.cli("explain", "Gone", "--at", "2001-01-01")
    assert p.returncode in (0, 1)
    assert "down" not in p.stdout


def test_events_follow_resumes_after_a_restart(make_daemon):
    d = make_daemon({"monitors": [
        {"name": "Beat", "type": "push", "interval": "1h",
         "token": "t" * 32}]}).start()
    p = subprocess.Popen(
        [harness.BINARY, "events", "--follow", "--json", "--data", d.data],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=d.env())
    lines = []
    threading.Thread(target=lambda: lines.extend(p.stdout),
                     daemon=True).start()
    seen = lambda: [json.loads(x) for x in list(lines)]
    try:
        assert d.push("t" * 32).status == 200
        harness.wait_for(lambda: any(
            e["kind"] == "transition" and e["to"] == "up" for e in seen()),
            what="the transition")
        d.stop()
        d.start()
        assert d.push("t" * 32, "?status=down&msg=x").status == 200
        harness.wait_for(lambda: any(e["to"] == "down" for e in seen()),
                         20, "the event after the restart")
        ids = [e["id"] for e in seen()]
        assert ids == sorted(set(ids)), "each once, in order"
        stored = [e["id"] for e in d.events()]
        assert ids == stored[stored.index(ids[0]):][:len(ids)], "none missing"
    finally:
        p.kill()
        p.wait()


def test_events_plain(make_daemon):
    d = make_daemon({}).start()
    p = d.cli("events")
    assert p.returncode == 0 and "started" in p.stdout
    p = d.cli("events", "--json", "--limit", "1")
    assert len(json.loads(p.stdout)["items"]) == 1


def test_token_life(daemon):
    p = daemon.cli("token", "create", "ci", "--scope", "read",
                   "--expires", "90d")
    assert p.returncode == 0, p.stderr
    secret = p.stdout.strip()
    assert len(secret) >= 22 and "only time" in p.stderr
    p = daemon.cli("token", "list")
    assert "ci" in p.stdout and "read" in p.stdout and secret not in p.stdout
    p = run("status", "--url", daemon.url(""), "--token", secret)
    assert p.returncode == 0, p.stderr
    p = run("status", env=daemon.env({"VEDETTE_URL": daemon.url(""),
                                      "VEDETTE_TOKEN": secret}))
    assert p.returncode == 0, p.stderr
    p = run("pause", "x", "--url", daemon.url(""), "--token", secret)
    assert p.returncode == 1
    assert daemon.cli("token", "create", "ci", "--scope", "read"
                      ).returncode == 1, "the name is taken"
    assert daemon.cli("token", "revoke", "ci").returncode == 0
    p = run("status", "--url", daemon.url(""), "--token", secret)
    assert p.returncode == 1
    assert daemon.cli("token", "revoke", "ci").returncode == 1


def test_store_stats(daemon):
    p = daemon.cli("store", "stats")
    assert p.returncode == 0 and "commits" in p.stdout
    assert json.loads(daemon.cli("store", "stats", "--json").stdout)


def test_output_that_cannot_be_written_is_a_failure(daemon):
    with open("/dev/full", "w") as full:
        p = subprocess.run([harness.BINARY, "status", "--json", "--data",
                            daemon.data], stdout=full,
                           stderr=subprocess.PIPE, env=daemon.env())
    assert p.returncode == 1
