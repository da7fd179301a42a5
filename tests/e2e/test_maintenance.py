"""Maintenance windows: they hold alerts back and nothing else, whoever made
them, and uptime leaves out the time in which they applied."""

import datetime
import json

import harness
import pytest
import sinks


@pytest.fixture
def hook():
    sink = sinks.Hook()
    yield sink
    sink.close()


def stamp(seconds):
    at = datetime.datetime.now(datetime.timezone.utc)
    return (at + datetime.timedelta(seconds=seconds)).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def config(hook, port, **sections):
    return {"channels": [{"name": "ops", "type": "webhook", "url": hook}],
            "alerts": {"group_wait": "0s", "group_max": "0s",
                       "flap": {"on": 0, "off": 0}},
            "monitors": [{"name": "M", "type": "tcp", "host": "127.0.0.1",
                          "port": port, "interval": "1s", "retries": 0,
                          "tags": ["db"], "notify": ["ops"]},
                         {"name": "N", "type": "tcp", "host": "127.0.0.1",
                          "port": port, "interval": "1s", "retries": 0}],
            **sections}


def listener(port=0):
    return harness.TcpServer(lambda conn: conn.recv(1), port=port)


def add(d, **body):
    a = d.api.post("/api/v1/maintenance", body)
    assert a.status == 201, a
    return a.json()


def window(d, name):
    return d.api.get("/api/v1/maintenance/" + name).json()


def held(d):
    return [c for c in d.api.get("/api/v1/channels").json()["items"]
            if c["name"] == "ops"][0]["health"]["held"]


def card(d):
    """The page's first incident."""
    _, _, rest = d.tcp().get("/").text.partition('<article class="incident')
    return rest.partition("</article>")[0]


def test_held_during_and_announced_at_the_end(make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(hook.url, port)).start()
    w = add(d, name="Upgrade", monitors=["M"], start=stamp(-60))
    assert w["state"] == "active" and w["active_until"] is None
    assert w["origin"] == "hand"
    d.wait_status("M", "down")
    harness.wait_for(lambda: held(d) == 1, what="the alert is held")
    assert hook.kinds() == []
    assert d.monitor("M")["maintenance"]["window"] == "Upgrade"
    assert d.monitor("N")["maintenance"] is None
    by = {i["name"]: i for i in d.tcp().get("/status.json").json()["items"]}
    assert by["M"]["maintenance"]["window"] == "Upgrade"
    assert by["M"]["status"] == "down"
    figures = [line for line in d.tcp().get("/metrics").text.split("\n")
               if line.startswith("vedette_monitor_maintenance{")]
    assert sorted(line[-2:] for line in figures) == [" 0", " 1"]
    assert "Upgrade" in d.tcp().get("/").text
    harness.wait_for(lambda: ">Maintenance</span>" in card(d),
                     what="its incident to say so")
    a = d.api.post("/api/v1/maintenance/Upgrade/end")
    assert a.status == 200 and a.json()["state"] == "over", a
    harness.wait_for(lambda: hook.kinds() == ["open"],
                     what="the outage is announced at the end")
    assert d.api.post("/api/v1/maintenance/Upgrade/end").status == 409
    assert d.monitor("M")["maintenance"] is None


def test_recovery_inside_resolves_what_was_opened_before(make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(hook.url, port)).start()
    harness.wait_for(lambda: hook.kinds() == ["open"], what="the alert")
    add(d, name="w", tags=["db"], start=stamp(-60))
    server = listener(port)
    try:
        d.wait_status("M", "up")
        harness.wait_for(lambda: hook.kinds() == ["open", "resolve"],
                         what="the end is told in the window")
    finally:
        server.close()


def test_over_before_the_window_is_never_told(make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(hook.url, port)).start()
    add(d, name="w", start=stamp(-60))
    d.wait_status("M", "down")
    harness.wait_for(lambda: held(d) == 1, what="the alert is held")
    server = listener(port)
    try:
        d.wait_status("M", "up")
        harness.wait_for(lambda: held(d) == 0, what="nothing is held")
        assert d.api.delete("/api/v1/maintenance/w").status == 200
        assert hook.kinds() == []
    finally:
        server.close()


def test_windows_of_the_file(make_daemon, hook):
    port = harness.free_port()
    mine = {"name": "Weekly", "groups": ["X*"], "days": ["daily"],
            "zone": "Europe/Berlin"}
    d = make_daemon(config(hook.url, port, maintenance=[mine])).start()
    w = window(d, "Weekly")
    assert w["origin"] == "file" and w["state"] == "active"
    assert d.monitor("M")["maintenance"] is None
    export = d.cli("export")
    assert "Weekly" in export.stdout
    mine["groups"] = ["Y*"]
    d.configure(config(hook.url, port, maintenance=[mine]))
    d.reload()
    assert window(d, "Weekly")["groups"] == ["Y*"]
    d.configure(config(hook.url, port))
    d.reload()
    assert d.api.get("/api/v1/maintenance/Weekly").status == 404


def test_command_line(make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(hook.url, port)).start()
    p = d.cli("maintenance", "add", "Now", "--for", "1h", "monitors=M,N")
    assert p.returncode == 0, p
    w = json.loads(d.cli("maintenance", "list", "--json").stdout)["items"][0]
    assert w["state"] == "active" and w["monitors"] == ["M", "N"]
    assert 3500 < harness.seconds(w["active_until"]) - harness.seconds(
        stamp(0)) <= 3601
    p = d.cli("maintenance", "add", "Night", "cron=0 2 * * sun",
              "duration=2h", "zone=Europe/Berlin")
    assert p.returncode == 0 and "scheduled" in p.stdout, p
    p = d.cli("maintenance", "add", "Short", "cron=0 2 * * sun", "--for",
              "90m", "--json")
    assert json.loads(p.stdout)["duration"] == "1h30m", p
    p = d.cli("maintenance", "add", "Bad", "start=2036-12-24", "--for", "2h")
    assert p.returncode == 2 and "give end" in p.stderr, p
    p = d.cli("maintenance", "add", "Bad", "cron=99 2 * * sun")
    assert p.returncode != 0 and "cron" in p.stderr, p
    p = d.cli("maintenance", "add", "Night", "days=mon")
    assert p.returncode == 1 and "already" in p.stderr, p
    assert d.cli("maintenance", "end", "Now").returncode == 0
    assert d.cli("maintenance", "end", "Night").returncode == 1
    assert d.cli("maintenance", "remove", "Night").returncode == 0
    d.stop()
    d.start()
    p = d.cli("maintenance", "list")
    assert "Now" in p.stdout and "Night" not in p.stdout
    assert "over" in p.stdout


def uptime(d, rule, **window):
    args = "".join(f"&{k}={v}" for k, v in window.items())
    a = d.api.get(f"/api/v1/monitors/{d.id('M')}/uptime?maintenance={rule}"
                  + args)
    assert a.status == 200, a
    return a.json()


def test_uptime_leaves_out_what_applied_and_a_restart_keeps_it(
        make_daemon, hook):
    port = harness.free_port()
    server = listener(port)
    d = make_daemon(config(hook.url, port)).start()
    d.wait_status("M", "up")
    add(d, name="w", monitors=["M"], start=stamp(-60))
    server.close()
    d.wait_status("M", "down")
    harness.wait_for(lambda: uptime(d, "include")["down_seconds"] > 2,
                     what="some time down")
    assert d.api.delete("/api/v1/maintenance/w").status == 200
    server = listener(port)
    try:
        d.wait_status("M", "up")
        before = uptime(d, "exclude")
        assert before["down_seconds"] < 2
        assert before["maintenance_seconds"] > 2
        assert uptime(d, "include")["down_seconds"] > 2
        d.kill()
        d.start()
        after = uptime(d, "exclude")
        assert after["maintenance_seconds"] == before["maintenance_seconds"]
        every = d.api.get("/api/v1/uptime").json()["items"]
        got = {i["name"]: i["maintenance_seconds"] for i in every}
        assert got == {"M": before["maintenance_seconds"], "N": 0}
    finally:
        server.close()


def test_flexible_takes_its_time_from_the_first_failure(make_daemon, hook):
    port = harness.free_port()
    server = listener(port)
    d = make_daemon(config(hook.url, port)).start()
    d.wait_status("M", "up")
    add(d, name="f", monitors=["M"], start=stamp(-60), end=stamp(3600),
        duration="1h", flexible=True)
    assert d.monitor("M")["maintenance"] is None
    server.close()
    d.wait_status("M", "down")
    m = d.monitor("M")
    assert m["maintenance"]["from"] == m["since"]
    harness.wait_for(lambda: held(d) == 1, what="the alert is held")
    d.kill()
    d.start()
    assert d.monitor("M")["maintenance"]["from"] == m["since"]
    assert d.api.post("/api/v1/maintenance/f/end").status == 200
    harness.wait_for(lambda: hook.kinds() == ["open"], what="the alert")


def test_a_hostile_name_stays_words(make_daemon, hook):
    port = harness.free_port()
    d = make_daemon(config(hook.url, port)).start()
    name = "<script>alert(1)\"'&<b>"
    a = d.api.post("/api/v1/maintenance",
                   {"name": name, "start": stamp(-60),
                    "description": "<img src=x onerror=alert(2)>"})
    assert a.status == 201, a
    page = harness.wait_for(lambda: (lambda t: t if "Maintenance" in t else
                                     None)(d.tcp().get("/").text),
                            what="the page")
    assert "<script>alert" not in page and "<img" not in page
