"""A database that takes nothing for a minute, under load: nothing is lost,
checks stay on time, heartbeats are answered from the journal, and what waited
is caught up with. `make bench BENCH=saturation`."""
import os
import re
import signal
import sqlite3
import time

import rig
from rig import Daemon, cpu_s, end, have, lag, note, rss_kib, say

BEATS = 100   # push monitors


def total(m, name):
    return sum(v for k, v in m.items() if k == name or k.startswith(name + "{"))


def wrk_script(work, tokens, rate, connections):
    """wrk as fast as asked, or a little faster: each connection waits between
    two requests, less than it would if answers took no time."""
    path = os.path.join(work, "beats.lua")
    with open(path, "w") as f:
        f.write("local t = {%s}\nlocal n = 0\nfunction request()\n  n = n %% #t + 1\n"
                "  return wrk.format(\"GET\", \"/push/\" .. t[n])\nend\n"
                "function delay()\n  return %d\nend\n"
                % (",".join('"%s"' % t for t in tokens), 800 * connections / rate))
    return path


def beats_for(work, d, tokens, seconds, rate):
    connections = 100
    script = wrk_script(work, tokens, rate, connections)
    return rig.spawn(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency",
                      "-s", script, "http://127.0.0.1:%d/" % d.port], stdout=-1, text=True)


def answers(p):
    """(answered, refused, p99 in ms) of a wrk that has ended."""
    text = p.communicate()[0]
    done = re.search(r"(\d+) requests in", text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    p99 = re.search(r"99%\s+([0-9.]+)(us|ms|s)", text)
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}
    return (int(done.group(1)) if done else 0, int(bad.group(1)) if bad else 0,
            float(p99.group(1)) * scale[p99.group(2)] if p99 else float("nan"))


def stalled(work, d, tokens, seconds, rate):
    """The stall itself; returns what wrk saw and the metrics at both ends."""
    db = sqlite3.connect(os.path.join(d.dir, "data/vedette.db"), isolation_level=None, timeout=30)
    db.execute("BEGIN EXCLUSIVE")
    m0 = d.metrics()
    p = beats_for(work, d, tokens, seconds, rate)
    seen = answers(p)
    m1 = d.metrics()
    say("saturation_rss", "vedette", "stalled", rss_kib(d.p.pid) / 1024, "MiB")
    say("saturation_journal", "vedette", "stalled", m1["vedette_journal_bytes"] / (1 << 20), "MiB",
        records=int(m1["vedette_journal_records_total"]))
    db.execute("ROLLBACK")
    db.close()
    return seen, m0, m1


def caught_up(d, limit):
    t0 = time.monotonic()
    while time.monotonic() - t0 < limit:
        m = d.metrics()
        if m["vedette_journal_bytes"] == 0:
            return time.monotonic() - t0
        time.sleep(0.1)
    raise SystemExit("the journal was not read back in %d s" % limit)


def balance(d):
    """Samples made and stored, when all is quiet: the monitors go from the
    file, and what is still under way for them then is counted as dropped."""
    dropped = total(d.metrics(), "vedette_dropped_total")
    with open(d.conf) as f:
        text = f.read()
    with open(d.conf, "w") as f:
        f.write(text[:text.index("monitors:")] + "monitors: []\n")
    d.p.send_signal(signal.SIGHUP)
    was = None
    for _ in range(60):
        time.sleep(1.5)
        m = d.metrics()
        now = (rig.checks(m), m['vedette_store_rows_total{kind="sample"}'],
               total(m, "vedette_dropped_total"))
        if now == was:
            break
        was = now
    return now[0], now[1] + now[2] - dropped


def bench(work):
    if not have("wrk"):
        return
    monitors, rate, seconds = (1000, 200, 15) if rig.QUICK else (5000, 1000, 60)
    tokens = ["%032x" % (i * 7919 + 1) for i in range(1, BEATS + 1)]
    port = rig.Port()
    mons = ["  - { name: b%d, type: push, token: \"%s\", interval: 1d }\n" % it
            for it in enumerate(tokens)]
    mons += ["  - { name: m%d, type: tcp, host: 127.%d.%d.%d, port: %d, interval: 1s, timeout: 500ms }\n"
             % (i, 1 + i % 3, i // 250, 1 + i % 250, port.port) for i in range(monitors)]
    d = Daemon(work, "saturation", mons, core=None, shards="auto", in_flight=4096)
    time.sleep(5)
    (done, refused, p99), m0, m1 = stalled(work, d, tokens, seconds, rate)
    say("saturation_beats", "vedette", rate, (done - refused) / seconds, "acknowledged_per_second",
        refused=refused)
    say("saturation_beats_p99", "vedette", rate, p99, "ms")
    say("saturation_checks", "vedette", monitors, (rig.checks(m1) - rig.checks(m0)) / seconds,
        "checks_per_second", wanted=monitors)
    say("saturation_lag_p99", "vedette", monitors, lag(m0, m1, .99), "s_at_most")
    say("saturation_caught_up", "vedette", monitors, caught_up(d, 120), "s_after_the_stall")
    m2 = d.metrics()
    say("saturation_dropped", "vedette", "-", total(m2, "vedette_dropped_total"), "units")
    say("saturation_cpu", "vedette", "-", cpu_s(d.p.pid), "s")
    made, rows = balance(d)
    say("saturation_lost", "vedette", "-", max(0.0, made - rows), "samples", made=int(made),
        stored=int(rows))
    end(d.p)
    port.close()
    note("stalled for %d s" % seconds)
