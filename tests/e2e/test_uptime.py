"""Uptime, days and latencies from a store with a history, compared with what
Python and its own time zones make of the same transitions."""

import datetime
import os
import random
import sqlite3
import zoneinfo

import pytest

UTC = datetime.timezone.utc
NAMES = ("A", "B", "C")
STATUS = ("down", "unknown", "late", "degraded", "pending", "up", "paused")
UP, DOWN = {"up", "degraded", "late"}, {"down"}
BORN = datetime.datetime(2024, 2, 1, 12, 30, tzinfo=UTC)
END = datetime.datetime(2026, 4, 20, tzinfo=UTC)


def us(t):
    return round(t.timestamp() * 1e6)


def stamp(t):
    return t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def history(seed):
    """Transitions (µs, from, to), oldest first; some at once, some near
    midnight and the clocks' changes."""
    r = random.Random(seed)
    at, out, s = us(BORN), [], STATUS.index("pending")
    while True:
        at += r.choice((0, 1, r.randrange(10 ** 9), r.randrange(10 ** 11), r.randrange(6 * 10 ** 11)))
        if at >= us(END):
            return out
        to = r.choice([x for x in (0, 0, 1, 2, 3, 5, 5, 6) if x != s])
        out.append((at, s, to))
        s = to


@pytest.fixture
def past(make_daemon):
    """Three monitors that are paused now and have a past of two years."""
    d = make_daemon({"monitors": [{"name": n, "type": "push", "interval": "1d"} for n in NAMES]})
    d.start()
    ids = [d.id(n) for n in NAMES]
    d.stop()
    turns = {i: history(i) for i in ids}
    gaps = [(us(END) - k * 10 ** 12, us(END) - k * 10 ** 12 + 3 * 10 ** 9) for k in range(30, 0, -7)]
    path = os.path.join(d.data, "vedette.db")
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE monitor SET created_us = ?", (us(BORN),))
        db.execute("DELETE FROM transition")
        rows = [(at, i, f, t) for i, v in turns.items() for at, f, t in v]
        rows.sort(key=lambda row: row[0])
        db.executemany("INSERT INTO transition(monitor, seq, at_us, was, became, why, reason, explain)"
                       " VALUES(?, ?, ?, ?, ?, 0, '', '')",
                       [(i, n, at, f, t) for n, (at, i, f, t) in enumerate(rows)])
        db.executemany("INSERT INTO gap VALUES(?, ?)", gaps)
    db.close()
    d.start()
    return d, turns, gaps


def account(turns, gaps, a, b):
    """Seconds by status of [a, b) µs, and the outages that touch it."""
    a = max(a, us(BORN))
    out = dict.fromkeys(STATUS, 0)
    outages, down = 0, False
    edges = [(us(BORN), turns[0][1])] + [(at, to) for at, _, to in turns]
    for (at, s), (end, _) in zip(edges, edges[1:] + [(2 ** 60, 0)]):
        x, y = max(at, a), min(end, b)
        if STATUS[s] != "down" and at < b:
            down = False
        if x >= y:
            continue
        gap = sum(max(0, min(y, g1) - max(x, g0)) for g0, g1 in gaps)
        out[STATUS[s]] += y - x - gap
        out["unknown"] += gap
        if STATUS[s] == "down" and not down:
            outages, down = outages + 1, True
    return out, outages


def same(have, turns, gaps, a, b):
    want, outages = account(turns, gaps, a, b)
    up = sum(want[s] for s in UP) / 1e6
    down = want["down"] / 1e6
    assert have["up_seconds"] == pytest.approx(up, abs=.002), have
    assert have["down_seconds"] == pytest.approx(down, abs=.002), have
    for s in ("degraded", "unknown", "paused", "pending"):
        assert have[s + "_seconds"] == pytest.approx(want[s] / 1e6, abs=.002), (s, have)
    assert have["outages"] == outages
    if up + down:
        assert have["ratio"] == pytest.approx(up / (up + down), abs=1e-7)
    else:
        assert have["ratio"] is None


def test_any_window_of_one_and_of_all(past):
    d, turns, gaps = past
    r = random.Random(5)
    for _ in range(25):
        a = BORN + datetime.timedelta(seconds=r.uniform(-10 ** 6, 6.8e7))
        b = min(a + datetime.timedelta(seconds=r.choice((1, 3600, 10 ** 6, 10 ** 7)) * r.random() + 1e-3), END)
        q = f"?from={stamp(a)}&to={stamp(b)}"
        of_all = {x["monitor"]: x for x in d.api.items("/api/v1/uptime" + q, limit=2)}
        assert sorted(of_all) == sorted(turns)
        for i, t in turns.items():
            one = d.api.get(f"/api/v1/monitors/{i}/uptime{q}").json()
            if a < BORN and b < BORN:
                assert one["ratio"] is None
                continue
            same(one, t, gaps, us(a), us(b))
            for k in ("ratio", "up_seconds", "down_seconds", "outages", "longest_seconds", "mttr_seconds",
                      "mtbf_seconds", "unknown_seconds"):
                assert of_all[i][k] == one[k], k
    rules = d.api.get(f"/api/v1/monitors/{i}/uptime?maintenance=include").json()["rules"]
    assert set(rules["up"]) == UP and rules["down"] == ["down"]
    assert set(rules["excluded"]) == {"unknown", "paused", "pending"}
    assert rules["maintenance"].startswith("included")
    a = d.api.get(f"/api/v1/monitors/{i}/uptime?maintenance=maybe")
    assert a.status == 400 and a.json()["field"] == "maintenance"


@pytest.mark.parametrize("name", ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                  "Asia/Kathmandu", "Africa/Cairo", "Asia/Beirut"))
def test_days_of_a_zone(past, name):
    d, turns, gaps = past
    zone = zoneinfo.ZoneInfo(name)
    i = sorted(turns)[0]
    first, last = datetime.date(2024, 1, 30), datetime.date(2026, 4, 15)
    a = d.api.get(f"/api/v1/monitors/{i}/days?zone={name}&from={first}&to={last}").json()
    assert a["zone"] == name and "ratio" in a["rules"]
    days = [first + datetime.timedelta(n) for n in range((last - first).days)]
    assert [x["date"] for x in a["items"]] == [str(x) for x in days]
    lengths = set()
    for x, day in zip(a["items"], days):
        # The first moment of the day: midnight, or the end of the hole in which it would be.
        t = [datetime.datetime.combine(k, datetime.time(), zone).astimezone(UTC) for k in
             (day, day + datetime.timedelta(1))]
        for n in (0, 1):
            while (t[n] - datetime.timedelta(minutes=1)).astimezone(zone).date() == (day, day + datetime.timedelta(
                    1))[n] and (t[n] - datetime.timedelta(minutes=1)).astimezone(zone).date() != day - \
                    datetime.timedelta(1):
                t[n] -= datetime.timedelta(minutes=1)
        assert (x["from"], x["to"]) == tuple(y.strftime("%Y-%m-%dT%H:%M:%SZ") for y in t), x
        lengths.add(x["seconds"])
        if t[1] > BORN:
            same(x, turns[i], gaps, us(t[0]), us(t[1]))
        else:
            assert x["ratio"] is None and x["up_seconds"] == 0
    fixed = {"UTC", "Asia/Kathmandu"}
    assert lengths == ({86400} if name in fixed else {84600, 86400, 88200} if name.endswith("Howe") else
                       {82800, 86400, 90000})


def test_days_refuse_what_they_cannot(past):
    d, turns, _ = past
    path = f"/api/v1/monitors/{min(turns)}/days"
    for q, field in (("?zone=Mars/Olympus", "zone"), ("?zone=../../etc/passwd", "zone"),
                     ("?from=2026-01-02&to=2026-01-01", "from"), ("?from=yesterday", "from"),
                     ("?to=99999999999999", "to")):
        a = d.api.get(path + q)
        assert a.status == 400 and a.json()["field"] == field, (q, a)
    a = d.api.get(path + "?from=1990-01-01")   # too many
    assert a.status == 422 and a.json()["field"] == "from"
    assert len(d.api.get(path).json()["items"]) == 90
    assert d.api.get("/api/v1/monitors/999/days").status == 404


def test_latency_over_time(make_daemon):
    token = "l" * 32
    d = make_daemon({"monitors": [{"name": "P", "type": "push", "interval": "1d", "token": token}]}).start()
    for ms in range(1, 101):
        assert d.push(token, f"?ping={ms}").status == 200
    path = f"/api/v1/monitors/{d.id('P')}/latency"
    a = d.api.get(path).json()
    got = a["all"]
    assert got["samples"] == got["ok"] == 100 and not got["damaged"]
    for q, want in (("p50_us", 50000), ("p90_us", 90000), ("p99_us", 99000)):
        assert got[q] == pytest.approx(want, rel=a["error"] + .001), q
    assert got["min_us"] == 1000 and got["max_us"] == 100000 and got["mean_us"] == 50500
    assert sum(x["samples"] for x in a["items"]) == 100
    empty = a["items"][0]
    assert empty["samples"] == 0 and empty["p50_us"] is None
    a = d.api.get(path + "?step=2h").json()
    assert a["step_seconds"] == 7200 and len(a["items"]) in (12, 13)
    for q, field in (("?step=0", "step"), ("?step=soon", "step"), ("?from=2026-01-02&to=2026-01-01", "from")):
        x = d.api.get(path + q)
        assert x.status == 400 and x.json()["field"] == field, (q, x)
    x = d.api.get(path + "?step=1s")   # too many points
    assert x.status == 422 and x.json()["field"] == "step"


def test_the_figures_of_pages_leave_maintenance_out(make_daemon):
    """uptime_90d, bars and badge are what /uptime says of the same time, and
    a day that was maintenance throughout is shown as that."""
    d = make_daemon({"monitors": [
        {"name": "P", "type": "push", "interval": "40d", "token": "p" * 32},
        {"name": "Q", "type": "push", "interval": "40d", "token": "q" * 32}]})
    d.start()
    d.push("p" * 32)
    d.push("q" * 32)
    p, q = d.id("P"), d.id("Q")
    d.stop()
    today = datetime.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day, hour = datetime.timedelta(days=1), datetime.timedelta(hours=1)
    first = today - 89 * day
    db = sqlite3.connect(os.path.join(d.data, "vedette.db"))
    with db:
        db.execute("UPDATE monitor SET created_us = ?", (us(first + 10 * day),))
        db.execute("DELETE FROM transition")
        turns = [(first + 10 * day, "pending", "up"),
                 (today - 20 * day + hour, "up", "down"),      # an outage that
                 (today - 18 * day + hour, "down", "up"),      # a window covers partly
                 (today - 5 * day - hour, "up", "down"),       # and one that it covers
                 (today - 4 * day + hour, "down", "up")]       # but for its edges
        db.executemany(
            "INSERT INTO transition(monitor, seq, at_us, was, became, why, reason, explain)"
            " VALUES(?, ?, ?, ?, ?, 0, '', '')",
            [(m, n, us(at), STATUS.index(a), STATUS.index(b))
             for m in (p, q) for n, (at, a, b) in enumerate(turns)])
        db.executemany(
            "INSERT INTO applied(name, monitor, from_us, to_us, monitors) VALUES(?, ?, ?, ?, NULL)",
            [("all", 0, us(today - 5 * day), us(today - 4 * day)),
             ("of P", p, us(today - 19 * day), us(today - 19 * day + 7 * hour))])
    db.close()
    d.start()

    def ratio(mid, more=""):
        return d.api.get(f"/api/v1/monitors/{mid}/uptime?from={stamp(first)}{more}").json()

    items = {i["name"]: i for i in d.tcp().get("/status.json").json()["items"]}
    for name, mid, left_out in (("P", p, 31), ("Q", q, 24)):
        want = ratio(mid)
        assert want["maintenance_seconds"] == left_out * 3600
        assert want["down_seconds"] == (24 * 3 + 2 - left_out) * 3600
        assert items[name]["uptime_90d"] == pytest.approx(want["ratio"], abs=2e-6)
        assert d.monitor(name)["uptime_90d"] == pytest.approx(want["ratio"], abs=2e-6)
        counted = ratio(mid, "&maintenance=include")["ratio"]
        assert abs(items[name]["uptime_90d"] - counted) > 1e-3
        badge = d.tcp().get(f"/badge/{name}/uptime.svg").text
        assert f"{want['ratio'] * 100 // .01 / 100:.2f}% 90d" in badge
    page = d.tcp().get("/").text
    care = (today - 5 * day).date().isoformat()
    assert page.count(f'class="care" x="{84 * 4}"') == 2
    assert f"<title>{care}: maintenance for 1d</title>" in page
    partly = (today - 19 * day).date().isoformat()
    assert f"<title>{partly}: down for 17h, maintenance for 7h</title>" in page
    assert page.count("1 of maintenance") == 2


def test_page_and_status_in_a_zone(make_daemon):
    """The page's clock is the zone's, and a zone nobody has is refused."""
    d = make_daemon({"status_page": {"time_zone": "Asia/Kathmandu"},
                     "monitors": [{"name": "P", "type": "push", "interval": "1d", "token": "z" * 32}]}).start()
    d.push("z" * 32)
    d.wait_status("P", "up")
    page = d.api.get("/").text
    at = datetime.datetime.fromisoformat(d.transitions("P")[-1]["at"].replace("Z", "+00:00"))
    local = at.astimezone(zoneinfo.ZoneInfo("Asia/Kathmandu"))
    assert local.strftime(">%Y-%m-%d %H:%M +0545<") in page
    days = d.api.get(f"/api/v1/monitors/{d.id('P')}/days").json()
    assert days["zone"] == "Asia/Kathmandu" and len(days["items"]) == 90
    text = d.cli("status", "P").stdout
    line = [x for x in text.splitlines() if x.startswith("uptime")][0]
    for window in ("24h 100 %", "7d 100 %", "30d 100 %", "90d 100 %"):
        assert window in line, text
    d.stop()
    d.configure({"status_page": {"time_zone": "Europe/Nowhere"}, "monitors": []})
    a = d.cli("check-config", d.config_path, where=False)
    assert a.returncode == 2 and "status_page.time_zone" in a.stderr and "/usr/share/zoneinfo" in a.stderr, a
