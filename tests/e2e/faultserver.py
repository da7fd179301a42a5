#!/usr/bin/python3
"""A server that misbehaves on request, for the end-to-end tests.

    faultserver.py [--dir DIR] [--no-tls]

One process, standard library only (and the openssl command for certificates).
Everything listens on 127.0.0.1 and ::1 with the same port number. When all is
ready one line of JSON comes on stdout:

    {"pid": N, "control": PORT, "http": PORT,
     "https": {"valid": PORT, "expired": PORT, "notyet": PORT,
               "selfsigned": PORT, "wronghost": PORT, "untrusted": PORT,
               "soon": PORT},
     "tcp": {"banner": PORT, "echo": PORT, "silent": PORT, "close": PORT,
             "reset": PORT, "garbage": PORT, "drip": PORT},
     "dns": PORT, "refused": PORT, "ca": "DIR/ca.pem", "dir": "DIR"}

It ends at SIGTERM, SIGINT, or when its stdin reaches the end (so it never
outlives a test that holds a pipe to it; start it with stdin=DEVNULL only if
something else ends it: then pass --stay).

HTTP modes. The path of a request names its mode, on http and on every https
port; what follows is the mode's argument:

    /ok             200, text/plain, "ok\\n"
    /status/N       that status, body "status N\\n"
    /body/TEXT      200, body TEXT (percent-decoded)
    /echo           200, JSON of method, path, headers and body received
    /slow/S         200 after S seconds
    /slowbody/S     headers at once, body after S seconds
    /drip/S         one byte of the answer every S seconds, headers included
    /dripbody/S     headers at once, one byte of 64 every S seconds
    /endless        200, chunked, never ends
    /endlessline    a status line that never ends
    /bigheaders/N   200 with N bytes of headers
    /manyheaders/N  200 with N headers
    /bigbody/N      200 with N bytes
    /gzip           200, "ok\\n", Content-Encoding: gzip
    /gzipbomb/N     N MiB of zeros as gzip
    /gzipbroken     says gzip, is not
    /redirect/N     302 N times, then /ok
    /redirect-to/U  302 to U (percent-encoded URL)
    /loop           302 to itself
    /loop2          302 to /loop3, which goes back
    /malformed      an answer that is no HTTP
    /malformedheader  a header line without a colon
    /nul            a NUL byte within a header
    /http09         body only, no status line
    /short          Content-Length: 100, then 10 bytes and an orderly end
    /badchunk       chunked with a size that is no number
    /close          end of file without a byte
    /reset          RST after the request
    /resetbody      RST in the middle of the body
    /silent         reads the request, never answers
    /auth/U:P       200 for Basic U:P, else 401
    /bearer/T       200 for Bearer T, else 401
    /hostile        200, hostile bytes in reason, headers and body
    /flap/N         N times 503, then N times 200, and so on

TCP ports: banner sends "220 fault ESMTP\\r\\n"; echo sends back what comes;
silent accepts and says nothing; close ends at once; reset sends RST at once;
garbage sends bytes that are no text and no TLS; drip sends its banner one byte
every 0.3 s. The port "refused" is bound and does not listen.

DNS, UDP and TCP on one port. The first label names the mode:

    a, aaaa, cname, mx, ns, txt, soa, srv, ptr, caa   one good record
    nx, servfail, refused, formerr    that rcode
    empty         NOERROR without answers
    silent        no answer
    slow-MS       a good answer after MS milliseconds
    udpsilent     silent over UDP, good over TCP
    trunc         TC without answers over UDP, good over TCP
    trunconly     TC over UDP and over TCP
    trunctcpclose TC over UDP; TCP closes without an answer
    badid         an answer with another id (nothing else follows)
    badidthengood a forged answer, then the good one
    wrongquestion an answer to another question
    loop          CNAME a -> b -> a
    selfloop      CNAME to itself
    chain-N       N CNAMEs, then A
    malformed     an answer whose record runs over the end
    pointer       a compression pointer to itself
    short         three bytes
    many-N        N A records (TCP when it does not fit)
    hostile       TXT with markup, escapes and bidi controls
    anything else A 192.0.2.1, AAAA 2001:db8::1

Control, HTTP with JSON on the control port:

    POST /set {"path": "/x", "mode": "/status/503"}   answer /x like that mode
    POST /set {"tcp": "banner", "mode": "silent"}     a port like another one
    POST /set {"dns": "name.test", "mode": "servfail"}
    POST /set {"dns": "name.test", "records": {"A": ["192.0.2.9"]}}
        (A AAAA CNAME NS PTR: text; MX: "10 host"; TXT: text)
    POST /clear      forget everything that was set and counted
    GET  /hits       {"http": {"/x": 3}, "tcp": {"banner": 1},
                      "dns": {"name.test": 2}, "open": N connections now}
    GET  /last?path=/x   the last request: method, path, headers, body, port
"""
import argparse
import asyncio
import base64
import datetime
import gzip
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import urllib.parse
import zlib

HOSTILE = ("<script>alert(1)</script>\"'&\x1b[31m\x07\u202egnp.exe\u2066"
           "\u2028line")
BANNER = b"220 fault ESMTP\r\n"
REQUEST_MAX = 1 << 20

http_modes = {}     # path -> mode path
tcp_modes = {}      # port name -> mode name
dns_modes = {}      # name -> mode
dns_records = {}    # name -> {type: [text]}
hits = {"http": {}, "tcp": {}, "dns": {}}
last = {}
open_now = 0


def count(kind, key):
    if key in hits[kind] or len(hits[kind]) < 10000:
        hits[kind][key] = hits[kind].get(key, 0) + 1
    return hits[kind].get(key, 0)


# -- sockets ------------------------------------------------------------------

def bind_pair(kind):
    """One port number on both loopback addresses; IPv6 only if there is any."""
    for _ in range(50):
        a = socket.socket(socket.AF_INET, kind)
        a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        a.bind(("127.0.0.1", 0))
        b = socket.socket(socket.AF_INET6, kind)
        b.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        b.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            b.bind(("::1", a.getsockname()[1]))
            return [a, b]
        except OSError as e:
            b.close()
            if e.errno == 99:   # no ::1 on this machine
                return [a]
            a.close()
    raise RuntimeError("no port that is free on both loopback addresses")


def reset(writer):
    s = writer.get_extra_info("socket")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def listen(handler, name, context=None):
    socks = bind_pair(socket.SOCK_STREAM)
    for s in socks:
        async def serve(r, w):
            global open_now
            open_now += 1
            try:
                await handler(name, r, w)
            except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError,
                    asyncio.LimitOverrunError, OSError):
                pass
            finally:
                open_now -= 1
                try:
                    w.close()
                except OSError:
                    pass
        await asyncio.start_server(serve, sock=s, ssl=context, backlog=1024,
                                   limit=REQUEST_MAX)
    return socks[0].getsockname()[1]


async def for_ever(reader):
    """Until the peer goes away."""
    while await reader.read(65536):
        pass


# -- HTTP ---------------------------------------------------------------------

async def request_read(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    method, target = (lines[0].split(" ") + ["", ""])[:2]
    headers = {}
    for line in lines[1:]:
        if ":" in line:
            k, v = line.split(":", 1)
            headers[k.strip().lower()] = v.strip()
    n = min(int(headers.get("content-length", "0") or 0), REQUEST_MAX)
    body = await reader.readexactly(n) if n else b""
    return {"method": method, "path": target, "headers": headers,
            "body": body.decode("utf-8", "replace")}


def answer(status, body=b"", headers=(), reason="Fault"):
    out = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}",
           "Connection: close", "Content-Type: text/plain; charset=utf-8"]
    out += [f"{k}: {v}" for k, v in headers]
    return "\r\n".join(out).encode("utf-8") + b"\r\n\r\n" + body


def gzip_bomb(mib):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    out = b"".join(z.compress(zeros) for _ in range(mib))
    return out + z.flush()


def simple(mode, arg, req):
    """Modes that are one complete answer; None: not one of these."""
    auth = req["headers"].get("authorization", "")
    if mode == "ok":
        return answer(200, b"ok\n", reason="OK")
    if mode == "status":
        return answer(int(arg), f"status {arg}\n".encode())
    if mode == "body":
        return answer(200, urllib.parse.unquote(arg).encode())
    if mode == "echo":
        return answer(200, json.dumps(req).encode())
    if mode == "bigheaders":
        n = int(arg)
        lines = [("X-Big-%d" % i, "x" * 1000) for i in range(n // 1000 + 1)]
        return answer(200, b"ok\n", lines)
    if mode == "manyheaders":
        return answer(200, b"ok\n", [(f"X-{i}", "y") for i in range(int(arg))])
    if mode == "bigbody":
        return answer(200, b"x" * int(arg))
    if mode == "gzip":
        return answer(200, gzip.compress(b"ok\n"),
                      [("Content-Encoding", "gzip")])
    if mode == "gzipbomb":
        return answer(200, gzip_bomb(int(arg)), [("Content-Encoding", "gzip")])
    if mode == "gzipbroken":
        return answer(200, b"\x1f\x8b\x08\x00 this is no gzip " * 8,
                      [("Content-Encoding", "gzip")])
    if mode == "redirect":
        n = int(arg)
        to = "/ok" if n <= 1 else f"/redirect/{n - 1}"
        return answer(302, b"", [("Location", to)])
    if mode == "redirect-to":
        return answer(302, b"", [("Location", urllib.parse.unquote(arg))])
    if mode in ("loop", "loop2", "loop3"):
        to = {"loop": "/loop", "loop2": "/loop3", "loop3": "/loop2"}[mode]
        return answer(302, b"", [("Location", to)])
    if mode == "malformed":
        return b"this is no HTTP at all\r\n\r\n\x00\x01\x02"
    if mode == "malformedheader":
        return b"HTTP/1.1 200 OK\r\nno colon in here\r\n\r\nok\n"
    if mode == "nul":
        return b"HTTP/1.1 200 OK\r\nX-Nul: a\x00b\r\nContent-Length: 0\r\n\r\n"
    if mode == "http09":
        return b"only a body\n"
    if mode == "short":
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"
    if mode == "badchunk":
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"zz\r\nnothing\r\n")
    if mode == "auth":
        want = "Basic " + base64.b64encode(
            urllib.parse.unquote(arg).encode()).decode()
        if auth == want:
            return answer(200, b"ok\n")
        return answer(401, b"who?\n", [("WWW-Authenticate", "Basic realm=x")])
    if mode == "bearer":
        return answer(200 if auth == "Bearer " + arg else 401, b"bearer\n")
    if mode == "hostile":
        return answer(503, HOSTILE.encode() * 20,
                      [("X-Hostile", "<b>\x1b[31m\u202e")],
                      reason="<b>\x1b[31m\u202e&\"'")
    return None


async def drip(writer, data, seconds):
    for i in range(len(data)):
        writer.write(data[i:i + 1])
        await writer.drain()
        await asyncio.sleep(seconds)


async def endless(writer, head, piece):
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()


async def http_mode(mode, arg, req, reader, writer):
    """The modes that take time or break the connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"
    if mode == "slow":
        await asyncio.sleep(float(arg))
        writer.write(answer(200, b"ok\n"))
    elif mode == "slowbody":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(float(arg))
        writer.write(b"ok\n")
    elif mode == "drip":
        await drip(writer, answer(200, b"ok\n"), float(arg))
    elif mode == "dripbody":
        writer.write(head)
        await drip(writer, b"x" * 64, float(arg))
    elif mode == "endless":
        await endless(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                      b"\r\n\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
    elif mode == "endlessline":
        await endless(writer, b"HTTP/1.1 200 ", b"x" * 4096)
    elif mode == "reset":
        reset(writer)
        return
    elif mode == "resetbody":
        writer.write(head + b"x" * 10)
        await writer.drain()
        await asyncio.sleep(0.05)
        reset(writer)
        return
    elif mode == "silent":
        await for_ever(reader)
    elif mode == "flap":
        n = count("http", "flap:" + req["path"]) - 1
        ok = n // max(int(arg or 1), 1) % 2 == 1
        writer.write(answer(200 if ok else 503, b"flap\n"))
    elif mode != "close":
        writer.write(answer(404, b"no such mode\n", reason="Not Found"))
    await writer.drain()


async def http_serve(name, reader, writer):
    req = await request_read(reader)
    req["port"] = name
    path = req["path"].split("?")[0]
    count("http", path)
    if path in last or len(last) < 1000:
        last[path] = req
    mode, _, arg = http_modes.get(path, path)[1:].partition("/")
    try:
        out = simple(mode, arg, req)
    except ValueError:
        out = answer(404, b"bad argument\n")
    if out is None:
        await http_mode(mode, arg, req, reader, writer)
        return
    writer.write(out)
    await writer.drain()


# -- TCP ----------------------------------------------------------------------

async def tcp_serve(name, reader, writer):
    count("tcp", name)
    mode = tcp_modes.get(name, name)
    if mode == "banner":
        writer.write(BANNER)
        await writer.drain()
        await for_ever(reader)
    elif mode == "echo":
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    elif mode == "drip":
        await drip(writer, BANNER, 0.3)
        await for_ever(reader)
    elif mode == "garbage":
        writer.write(bytes(range(128, 256)) + b"\x00\x1b[2J" * 8)
        await writer.drain()
        await for_ever(reader)
    elif mode == "reset":
        reset(writer)
    elif mode == "silent":
        await for_ever(reader)


# -- DNS ----------------------------------------------------------------------

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15,
         "TXT": 16, "AAAA": 28, "SRV": 33, "CAA": 257}
RCODES = {"formerr": 1, "servfail": 2, "nx": 3, "refused": 5}
UDP_MAX = 512
CLOSE = ["close"]   # in place of answers: end the connection


def dns_name(text):
    out = b""
    for label in text.rstrip(".").split("."):
        raw = label.encode()
        if raw:
            out += bytes([len(raw)]) + raw
    return out + b"\0"


def dns_rdata(rtype, text):
    if rtype == "A":
        return socket.inet_pton(socket.AF_INET, text)
    if rtype == "AAAA":
        return socket.inet_pton(socket.AF_INET6, text)
    if rtype in ("CNAME", "NS", "PTR"):
        return dns_name(text)
    if rtype == "MX":
        pref, host = text.split(" ")
        return struct.pack(">H", int(pref)) + dns_name(host)
    if rtype == "SRV":
        a, b, c, host = text.split(" ")
        return struct.pack(">HHH", int(a), int(b), int(c)) + dns_name(host)
    if rtype == "TXT":
        raw = text.encode()
        parts = [raw[i:i + 255] for i in range(0, len(raw), 255)] or [b""]
        return b"".join(bytes([len(p)]) + p for p in parts)
    if rtype == "SOA":
        return (dns_name("ns.fault.test") + dns_name("admin.fault.test") +
                struct.pack(">5I", 1, 7200, 3600, 1209600, 60))
    if rtype == "CAA":
        return b"\x00\x05issueca.example"
    raise ValueError(rtype)


GOOD = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "CNAME": "target.test",
        "NS": "ns.fault.test", "PTR": "host.fault.test",
        "MX": "10 mail.fault.test", "SRV": "1 2 5060 sip.fault.test",
        "TXT": "v=fault1 -all", "SOA": "", "CAA": ""}


def rr(owner, rtype, rdata):
    return (dns_name(owner) + struct.pack(">HHIH", TYPES[rtype], 1, 60,
                                          len(rdata)) + rdata)


class Query:
    def __init__(self, data):
        self.id, _, n = struct.unpack(">HHH", data[:6])
        labels, at = [], 12
        while n and data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += 1 + data[at]
        self.name = ".".join(labels)
        self.type, _ = struct.unpack(">HH", data[at + 1:at + 5])
        self.question = data[12:at + 5]

    def answer(self, records, rcode=0, tc=False, qid=None, question=None):
        flags = 0x8580 | rcode | (0x0200 if tc else 0)
        return (struct.pack(">HHHHHH", self.id if qid is None else qid, flags,
                            1, len(records), 0, 0) +
                (self.question if question is None else question) +
                b"".join(records))


def dns_good(q):
    records = dns_records.get(q.name.lower())
    if records is None:
        rtype = next((k for k, v in TYPES.items() if v == q.type), None)
        label = q.name.split(".")[0].upper()
        if rtype is None or (label in TYPES and label != rtype):
            return []
        return [rr(q.name, rtype, dns_rdata(rtype, GOOD[rtype]))]
    out = []
    for rtype, texts in records.items():
        if TYPES[rtype] == q.type or rtype == "CNAME":
            out += [rr(q.name, rtype, dns_rdata(rtype, t)) for t in texts]
    return out


def dns_special(q, mode, arg, tcp):
    """Answers of the modes that are neither good nor an rcode."""
    a = dns_rdata("A", "192.0.2.1")
    if mode in ("trunc", "trunconly", "trunctcpclose"):
        if tcp and mode == "trunc":
            return [q.answer(dns_good(q))]
        if tcp and mode == "trunctcpclose":
            return CLOSE
        return [q.answer([], tc=True)]
    if mode == "badid":
        return [q.answer(dns_good(q), qid=q.id ^ 0x5555)]
    if mode == "badidthengood":
        return [q.answer([rr(q.name, "A", b"\x06\x06\x06\x06")],
                         qid=q.id ^ 0x5555), q.answer(dns_good(q))]
    if mode == "wrongquestion":
        other = dns_name("other.test") + struct.pack(">HH", q.type, 1)
        return [q.answer([rr("other.test", "A", a)], question=other)]
    if mode == "loop":
        return [q.answer([rr(q.name, "CNAME", dns_name("b.loop.test")),
                          rr("b.loop.test", "CNAME", dns_name(q.name))])]
    if mode == "selfloop":
        return [q.answer([rr(q.name, "CNAME", dns_name(q.name))])]
    if mode == "chain":
        names = [q.name] + [f"c{i}.test" for i in range(int(arg))]
        out = [rr(names[i], "CNAME", dns_name(names[i + 1]))
               for i in range(int(arg))]
        return [q.answer(out + [rr(names[-1], "A", a)])]
    if mode == "malformed":
        return [q.answer([rr(q.name, "A", a)])[:-2]]
    if mode == "pointer":
        at = 12 + len(q.question)
        return [q.answer([struct.pack(">H", 0xc000 | at) +
                          struct.pack(">HHIH", 1, 1, 60, 4) + a])]
    if mode == "short":
        return [struct.pack(">H", q.id) + b"\x80"]
    if mode == "many":
        ips = [struct.pack(">I", 0xcb007100 + i) for i in range(int(arg))]
        full = q.answer([rr(q.name, "A", ip) for ip in ips])
        return [full if tcp or len(full) <= UDP_MAX else
                q.answer([], tc=True)]
    if mode == "hostile":
        return [q.answer([rr(q.name, "TXT", dns_rdata("TXT", HOSTILE))])]
    return None


async def dns_answers(data, tcp):
    try:
        q = Query(data)
    except (struct.error, IndexError):
        return []
    name = q.name.lower()
    count("dns", name)
    mode, _, arg = dns_modes.get(name, name.split(".")[0]).partition("-")
    if mode == "silent" or (mode == "udpsilent" and not tcp):
        return []
    if mode == "slow":
        await asyncio.sleep(int(arg) / 1000)
    if mode in RCODES and name not in dns_records:
        return [q.answer([], RCODES[mode])]
    if mode == "empty":
        return [q.answer([])]
    try:
        special = dns_special(q, mode, arg, tcp)
    except ValueError:
        special = None
    return special if special is not None else [q.answer(dns_good(q))]


class Udp(asyncio.DatagramProtocol):
    tasks = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        t = asyncio.ensure_future(self.reply(data, addr))
        Udp.tasks.add(t)
        t.add_done_callback(Udp.tasks.discard)

    async def reply(self, data, addr):
        for out in await dns_answers(data, False):
            self.transport.sendto(out, addr)


async def dns_tcp(name, reader, writer):
    while True:
        n, = struct.unpack(">H", await reader.readexactly(2))
        answers = await dns_answers(await reader.readexactly(n), True)
        if answers is CLOSE:
            return
        if not answers:
            await for_ever(reader)
            return
        for out in answers:
            writer.write(struct.pack(">H", len(out)) + out)
        await writer.drain()


async def dns_start():
    loop = asyncio.get_running_loop()
    for _ in range(50):
        socks = bind_pair(socket.SOCK_DGRAM)
        port = socks[0].getsockname()[1]
        streams = []
        try:
            for s in socks:
                t = socket.socket(s.family, socket.SOCK_STREAM)
                t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if s.family == socket.AF_INET6:
                    t.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                streams.append(t)
                t.bind((s.getsockname()[0], port))
        except OSError:
            for s in socks + streams:
                s.close()
            continue

        async def serve(r, w):
            try:
                await dns_tcp("dns", r, w)
            except (ConnectionError, asyncio.IncompleteReadError, OSError):
                pass
            finally:
                w.close()
        for s in socks:
            await loop.create_datagram_endpoint(Udp, sock=s)
        for t in streams:
            await asyncio.start_server(serve, sock=t)
        return port
    raise RuntimeError("no port that is free for UDP and TCP")


# -- control ------------------------------------------------------------------

def control_set(body):
    v = json.loads(body)
    if "path" in v:
        http_modes[v["path"]] = v["mode"] if v["mode"].startswith("/") \
            else "/" + v["mode"]
    elif "tcp" in v:
        tcp_modes[v["tcp"]] = v["mode"]
    elif "dns" in v:
        name = v["dns"].lower()
        dns_modes.pop(name, None)
        dns_records.pop(name, None)
        if "records" in v:
            for rtype, texts in v["records"].items():
                for t in texts:
                    dns_rdata(rtype, t)
            dns_records[name] = v["records"]
            dns_modes[name] = "records"
        else:
            dns_modes[name] = v["mode"]
    else:
        raise ValueError("path, tcp or dns")


async def control_serve(_name, reader, writer):
    req = await request_read(reader)
    url = urllib.parse.urlsplit(req["path"])
    out, status = {"ok": True}, 200
    try:
        if url.path == "/set":
            control_set(req["body"])
        elif url.path == "/clear":
            for d in (http_modes, tcp_modes, dns_modes, dns_records, last,
                      *hits.values()):
                d.clear()
        elif url.path == "/hits":
            out = dict(hits, open=open_now - 1)
        elif url.path == "/last":
            path = urllib.parse.parse_qs(url.query).get("path", [""])[0]
            out = last.get(path)
        else:
            status, out = 404, {"error": "no such control"}
    except (ValueError, KeyError, TypeError, OSError, struct.error) as e:
        status, out = 400, {"error": repr(e)}
    writer.write(answer(status, json.dumps(out).encode()))
    await writer.drain()


# -- certificates -------------------------------------------------------------

CA_CONF = """
[ca]
default_ca = d
[d]
database = {dir}/index.txt
new_certs_dir = {dir}
serial = {dir}/serial
default_md = sha256
policy = p
unique_subject = no
x509_extensions = leaf
[p]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
subjectAltName = {san}
"""
SAN = "DNS:localhost,IP:127.0.0.1,IP:::1"


def run(*args):
    r = subprocess.run(args, capture_output=True, text=True, check=False)
    if r.returncode != 0:
        raise RuntimeError(" ".join(args) + ": " + r.stderr)


def ca_make(where, name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
        f"/CN={name}", "-keyout", f"{where}/{name}.key", "-out",
        f"{where}/{name}.pem", "-addext", "basicConstraints=critical,CA:TRUE")


def leaf_make(where, name, ca, start, end, san=SAN):
    """start and end: YYMMDDHHMMSSZ."""
    conf = f"{where}/{name}.cnf"
    with open(conf, "w") as f:
        f.write(CA_CONF.format(dir=where, san=san))
    run("openssl", "req", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
        "-keyout", f"{where}/{name}.key", "-out", f"{where}/{name}.csr")
    run("openssl", "ca", "-batch", "-notext", "-config", conf, "-cert",
        f"{where}/{ca}.pem", "-keyfile", f"{where}/{ca}.key", "-startdate",
        start, "-enddate", end, "-in", f"{where}/{name}.csr", "-out",
        f"{where}/{name}.pem")


def certs_make(where):
    now = datetime.datetime.now(datetime.timezone.utc)

    def at(days):
        return (now + datetime.timedelta(days=days)).strftime("%y%m%d%H%M%SZ")
    open(f"{where}/index.txt", "w").close()
    with open(f"{where}/serial", "w") as f:
        f.write("1000\n")
    ca_make(where, "ca")
    ca_make(where, "other")
    leaf_make(where, "valid", "ca", at(-1), at(365))
    leaf_make(where, "expired", "ca", at(-30), at(-1))
    leaf_make(where, "notyet", "ca", at(1), at(30))
    leaf_make(where, "soon", "ca", at(-30), at(3))
    leaf_make(where, "wronghost", "ca", at(-1), at(365), "DNS:wrong.example")
    leaf_make(where, "untrusted", "other", at(-1), at(365))
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "365", "-subj",
        "/CN=localhost", "-addext", f"subjectAltName={SAN}", "-keyout",
        f"{where}/selfsigned.key", "-out", f"{where}/selfsigned.pem")


# -- main ---------------------------------------------------------------------

async def main():
    p = argparse.ArgumentParser()
    p.add_argument("--dir", help="where certificates go")
    p.add_argument("--no-tls", action="store_true")
    p.add_argument("--stay", action="store_true", help="ignore stdin")
    args = p.parse_args()
    own = None if args.dir else tempfile.TemporaryDirectory(prefix="fault-")
    where = args.dir or own.name
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def end():
        if not stop.done():
            stop.set_result(None)
    for s in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(s, end)

    out = {"pid": os.getpid(), "dir": where, "https": {}, "tcp": {}}
    out["control"] = await listen(control_serve, "control")
    out["http"] = await listen(http_serve, "http")
    for name in ("banner", "echo", "silent", "close", "reset", "garbage",
                 "drip"):
        out["tcp"][name] = await listen(tcp_serve, name)
    out["dns"] = await dns_start()
    refused = bind_pair(socket.SOCK_STREAM)
    out["refused"] = refused[0].getsockname()[1]
    if not args.no_tls:
        certs_make(where)
        out["ca"] = f"{where}/ca.pem"
        for name in ("valid", "expired", "notyet", "selfsigned", "wronghost",
                     "untrusted", "soon"):
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(f"{where}/{name}.pem", f"{where}/{name}.key")
            out["https"][name] = await listen(http_serve, name, ctx)
    print(json.dumps(out), flush=True)
    if not args.stay:
        def on_stdin():
            if not os.read(0, 4096):
                end()
        try:
            loop.add_reader(0, on_stdin)
        except (PermissionError, OSError):
            pass   # a regular file: nothing to wait for
    await stop
    if own:
        own.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)   # connections that hang on purpose are not waited for
