"""From an outage to the message about it, over many outages that have nothing
to do with each other; and how many alerts a second get out. A part of bench.py.

Each monitor has a channel of its own, so that its message finds a quiet one, as
in an installation where something breaks now and then. An outage begins at a
random moment, either by closing each connection or by never answering, and is
over for this benchmark when its message is at the provider. Defaults: retries
2, the first look that fails and two rechecks; ten seconds to gather.
"""
import asyncio
import datetime
import random
import threading
import time

import rig
from rig import QUICK, Daemon, Port, Sink, end, note, say

INTERVAL_S, GATHER_S = 10, 10
QUANTILES = (("p50", .5), ("p99", .99), ("max", 1.0))


class Farm:
    """Targets /0, /1 … that answer until their outage begins."""

    def __init__(self, n):
        self.how, self.began = [None] * n, [None] * n
        self.loop = asyncio.new_event_loop()
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            how = self.how[int(head.split(b" ", 2)[1][1:])]
            if how is None:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                await writer.drain()
            elif how == "hangs":
                await reader.read()   # until whoever asks gives up
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def begin(self, i, how):
        self.how[i], self.began[i] = how, time.time()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))]


def tell(name, how, values, **more):
    values.sort()
    for word, q in QUANTILES if values else ():
        say("%s_%s" % (name, word), "vedette", how, quantile(values, q), "s", **more)


def downs(d):
    """When each monitor was found down, by name."""
    found, cursor = {}, ""
    while cursor is not None:
        page = rig.api(d, "/api/v1/transitions?limit=1000" + (cursor and "&cursor=" + cursor))
        for t in page["items"]:
            if t["to"] == "down":
                found[t["name"]] = datetime.datetime.fromisoformat(
                    t["at"].replace("Z", "+00:00")).timestamp()
        cursor = page["next"]
    return found


def independent(work):
    n, spread = (200, 20) if QUICK else (1000, 60)
    dice, farm, sink = random.Random(20261121), Farm(n), Sink()
    conf = ["  - { name: m%d, type: http, url: \"http://127.0.0.1:%d/%d\", interval: %ds, "
            "notify: [c%d] }\n" % (i, farm.port, i, INTERVAL_S, i) for i in range(n)]
    channels = ["  - { name: c%d, type: webhook, url: \"%s/%d\" }\n" % (i, sink.url, i)
                for i in range(n)]
    d = Daemon(work, "outages", conf, in_flight=4096, net="channels:\n" + "".join(channels))
    time.sleep(INTERVAL_S + 2)   # until every monitor is up
    start = time.monotonic()
    for k, (at, i) in enumerate(sorted((dice.uniform(0, spread), i) for i in range(n))):
        time.sleep(max(0.0, start + at - time.monotonic()))
        farm.begin(i, ("closes", "hangs")[k % 2])
    sink.wait("open", n, 6 * INTERVAL_S + 2 * GATHER_S)
    told = {name: at for at, event, name in sink.seen if event == "open"}
    found = downs(d)
    began = {"m%d" % i: at for i, at in enumerate(farm.began)}
    tell("alert_delay", "all", [t - began[m] for m, t in told.items()], outages=n)
    for how in ("closes", "hangs"):
        ours = [(farm.began[i], "m%d" % i) for i in range(n) if farm.how[i] == how]
        both = [(b, found[m], told[m]) for b, m in ours if m in found and m in told]
        tell("alert_delay", how, [t - b for b, _, t in both], outages=len(ours),
             told=sum(m in told for _, m in ours))
        tell("alert_detection", how, [f - b for b, f, _ in both])
        tell("alert_delivery", how, [t - f for _, f, t in both], gather_s=GATHER_S)
    say("alert_told", "vedette", n, len(told), "outages", messages=sink.messages)
    end(d.p)
    farm.close()
    sink.close()


def storm(work):
    """Everything at once, to one channel."""
    n = 200 if QUICK else 1000
    sink, ports = Sink(), [Port() for _ in range(8)]
    mons = ["  - { name: m%d, type: tcp, host: 127.0.0.1, port: %d, interval: %ds, notify: [ops] }\n"
            % (i, ports[i % len(ports)].port, INTERVAL_S) for i in range(n)]
    d = Daemon(work, "storm", mons, net=channel(sink))
    time.sleep(INTERVAL_S + 2)
    began = time.time()
    for p in ports:
        p.close()
    sink.wait("open", n, 90)
    tell("alert_storm_delay", n, [t - began for t in sink.at("open")], messages=sink.messages)
    end(d.p)
    sink.close()


def channel(sink):
    return "channels:\n  - { name: ops, type: webhook, url: \"%s\" }\n" % sink.url


def rate(work):
    """As many as get out: a test is a message of its own, stored before it is
    sent and after."""
    n, sink = 200 if QUICK else 1000, Sink()
    d = Daemon(work, "alerts_rate", [], net=channel(sink))
    rig.posts(d, "/api/v1/channels/ops/test", n, 8)
    sink.wait(None, n, 60)
    times = sorted(at for at, _, _ in sink.seen)
    if len(times) > 1:
        span = max(times[-1] - times[0], 1e-3)
        say("alerts_rate", "vedette", len(times), len(times) / span, "alerts_per_second")
    end(d.p)
    sink.close()


def bench(work):
    for part in (independent, storm, rate):
        began = time.monotonic()
        part(work)
        note("%s: %d s" % (part.__name__, time.monotonic() - began))
