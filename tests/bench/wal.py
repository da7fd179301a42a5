"""Ten minutes of heavy writes with a snapshot of another process that never
ends: how large the log becomes, who is named, and what is missing afterwards. A
part of bench.py; it fails when something acknowledged is missing, nobody is
named, or the log passed its hard mark.
"""
import http.client
import os
import subprocess
import sys
import threading
import time

import rig
from rig import QUICK, Daemon, api, end, note, say
from saturation import caught_up

MARK = 64 << 20
PUSHERS = 8
CHECKS = 500
HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM meta").fetchone()
print("holds", flush=True)
sys.stdin.read()
"""


class Pusher(threading.Thread):
    """Heartbeats that turn the state each time: four kinds of rows each."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self.port, self.token = port, token
        self.over, self.acked, self.refused = False, set(), 0
        self.start()

    def run(self):
        conn, n = None, 0
        while not self.over:
            n += 1
            try:
                if conn is None:
                    conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                conn.request("GET", "/push/%s?msg=m%d&status=%s"
                             % (self.token, n, "up" if n % 2 else "down"))
                r = conn.getresponse()
                r.read()
            except OSError:
                conn = None
                continue
            if r.status == 200:
                self.acked.add("m%d" % n)
            else:
                self.refused += 1
                time.sleep(0.2)


def stored(d, name):
    mid = api(d, "/api/v1/monitors?name=" + name)["items"][0]["id"]
    have, cursor = [], ""
    while cursor is not None:
        page = api(d, "/api/v1/monitors/%d/samples?limit=1000%s"
                   % (mid, "&cursor=" + cursor if cursor else ""))
        have += [(s["seq"], s["reason"]) for s in page["items"]]
        cursor = page["next"]
    return have


def watch(db, seconds):
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, os.stat(db + "-wal").st_size)
        time.sleep(0.02)
    return most


def verdict(d, pushers):
    lost = twice = 0
    for i, p in enumerate(pushers):
        have = stored(d, "P%d" % i)
        lost += len(p.acked - {reason for _, reason in have})
        twice += len(have) - len({seq for seq, _ in have})
    holes = 0
    for i in range(CHECKS):
        seqs = sorted(seq for seq, _ in stored(d, "C%d" % i))
        holes += seqs != list(range(1, len(seqs) + 1))
    say("wal_lost", "vedette", "-", lost, "acknowledged", twice=twice, checks_with_holes=holes)
    return lost + twice + holes == 0


def run(work, seconds):
    mons = ["  - { name: P%d, type: push, interval: 1h, token: wal-token-%08d }\n" % (i, i)
            for i in range(PUSHERS)]
    mons += ["  - { name: C%d, type: tcp, host: 127.0.0.1, port: 1, interval: 1s, retries: 0 }\n" % i
             for i in range(CHECKS)]
    d = Daemon(work, "wal", mons, core=None)
    db = d.dir + "/data/vedette.db"
    holder = rig.spawn([sys.executable, "-c", HOLD, db], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE)
    holder.stdout.readline()
    pushers = [Pusher(d.port, "wal-token-%08d" % i) for i in range(PUSHERS)]
    most = watch(db, seconds)
    stats = api(d, "/api/v1/store/stats")
    named = "(pid %d)" % holder.pid in (stats["wal"]["held_by"] or "")
    for p in pushers:
        p.over = True
    holder.stdin.close()
    holder.wait()
    began = time.monotonic()
    while os.stat(db + "-wal").st_size > 8 << 20 or api(d, "/api/v1/store/stats")["wal"]["full"]:
        if time.monotonic() - began > 120:
            raise SystemExit("the log was not cut within two minutes")
        time.sleep(0.05)
    say("wal_most", "vedette", "%ds" % seconds, most, "bytes", mark=MARK, named=int(named),
        full=int(stats["wal"]["full"]), tries=stats["wal"]["stuck"])
    say("wal_recovered", "vedette", "-", time.monotonic() - began, "s")
    say("wal_acked", "vedette", "-", sum(len(p.acked) for p in pushers), "heartbeats",
        refused=sum(p.refused for p in pushers))
    for p in pushers:
        p.join(30)
    # What waited in memory and in the journal is stored before it is counted.
    while api(d, "/api/v1/store/stats")["queue"]["units"] > 1000:
        time.sleep(0.1)
    say("wal_caught_up", "vedette", "-", caught_up(d, 300), "s_after_the_reader_left")
    ok = verdict(d, pushers)
    end(d.p)
    return ok and named and most < MARK


def bench(work):
    seconds = 20 if QUICK else 600
    note("a foreign reader for %d s" % seconds)
    if not run(work, seconds):
        raise SystemExit("wal: the promise does not hold")
