"""Targets that misbehave in every way that faultserver.py knows: each is told
apart, none takes vedette with it, memory and descriptors stay bounded."""

import json
import os
import subprocess
import sys
import time
import urllib.request

import pytest

import harness

FAST = {"interval": "1s", "timeout": "800ms", "retries": 0}


class FaultServer:
    def __init__(self, directory):
        self.proc = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__),
                                          "faultserver.py"),
             "--dir", str(directory)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.proc.stdout.readline()
        assert line, "faultserver did not start"
        self.__dict__.update(json.loads(line))
        self.url = f"http://127.0.0.1:{self.http}"

    def post(self, path, body):
        urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.control}{path}",
            json.dumps(body).encode(), method="POST"), timeout=10).read()

    def get(self, path):
        with urllib.request.urlopen(
                f"http://127.0.0.1:{self.control}{path}", timeout=10) as r:
            return json.loads(r.read())

    def close(self):
        self.proc.stdin.close()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    f = FaultServer(tmp_path_factory.mktemp("faults"))
    yield f
    f.close()


HTTP = {
    "/ok": ("up", "ok"),
    "/gzip": ("up", "ok"),
    "/redirect/3": ("up", "ok"),
    "/redirect/9": ("down", "http_redirects"),
    "/loop": ("down", "http_redirects"),
    "/loop2": ("down", "http_redirects"),
    "/status/503": ("down", "http_status"),
    "/hostile": ("down", "http_status"),   # its status is 503
    "/slow/3": ("down", "timeout"),
    "/slowbody/3": ("down", "timeout"),
    "/drip/1": ("down", "timeout"),
    "/dripbody/1": ("down", "timeout"),
    "/silent": ("down", "timeout"),
    "/endlessline": ("down", ("http_headers", "http_malformed", "timeout")),
    "/bigheaders/2000000": ("down", "http_headers"),
    "/manyheaders/100000": ("down", "http_headers"),
    "/malformed": ("down", "http_malformed"),
    "/badchunk": ("down", "http_malformed"),
    "/http09": ("down", "http_malformed"),
    "/short": ("down", "net_closed"),
    "/close": ("down", "net_closed"),
    "/reset": ("down", "net_reset"),
    "/resetbody": ("down", "net_reset"),
    # More than body_max of a good answer is not read, and is no fault.
    "/endless": ("up", "ok"),
    "/bigbody/50000000": ("up", "ok"),
}


def test_http_faults_are_told_apart(make_daemon, faults):
    d = make_daemon({"monitors": [
        {"name": p.strip("/").replace("/", " "), "type": "http",
         "url": faults.url + p, **FAST} for p in HTTP]}).start()
    wrong = []
    for p, (status, why) in HTTP.items():
        name = p.strip("/").replace("/", " ")
        try:
            m = d.wait_status(name, "up", "down", "degraded", timeout=20,
                              why=why)
        except AssertionError as e:
            wrong.append(str(e)[:200])
            continue
        if m["status"] != status or m["why"] not in (
                why if isinstance(why, tuple) else (why,)):
            wrong.append((p, m["status"], m["why"], m["reason"]))
    assert not wrong, "\n".join(map(str, wrong))
    assert rss(d) < 200 * (1 << 20) * harness.SLOW
    assert d.samples("bigbody 50000000")[0]["bytes"] < 1 << 20


def test_compressed_answers(make_daemon, faults):
    h = {"type": "http", **FAST, "compressed": True, "body_max": "1MiB",
         "expect": {"body_contains": "ok"}}
    d = make_daemon({"monitors": [
        {"name": "good", **h, "url": faults.url + "/gzip"},
        {"name": "bomb", **h, "url": faults.url + "/gzipbomb/40"},
        {"name": "broken", **h, "url": faults.url + "/gzipbroken"},
    ]}).start()
    d.wait_status("good", "up")
    m = d.wait_status("bomb", "down")
    assert m["why"] in ("http_encoding", "http_body_lacks"), m
    m = d.wait_status("broken", "down")
    assert m["why"] == "http_encoding", m
    assert m["reason"] and d.samples("bomb")[0]["bytes"] < 2 << 20, \
        "the bomb is not unpacked"


def rss(d):
    for line in d.metrics().splitlines():
        if line.startswith("process_resident_memory_bytes "):
            return float(line.split()[1])
    raise AssertionError("no process_resident_memory_bytes")


TCP = {
    "banner": ("up", "ok"), "close": ("down", "net_closed"),
    "reset": ("down", "net_reset"), "silent": ("down", "timeout"),
    "garbage": ("down", ("tcp_expect", "timeout")),
    "drip": ("down", "timeout"),
}


def test_tcp_faults_are_told_apart(make_daemon, faults):
    d = make_daemon({"monitors": [
        *[{"name": n, "type": "tcp", "host": "127.0.0.1",
           "port": faults.tcp[n], "expect": "220 fault ESMTP", **FAST}
          for n in TCP],
        {"name": "refused", "type": "tcp", "host": "127.0.0.1",
         "port": faults.refused, **FAST},
        {"name": "tls garbage", "type": "tcp", "host": "127.0.0.1",
         "tls": True, "port": faults.tcp["garbage"], **FAST}]}).start()
    wrong = []
    for n, (status, why) in {**TCP, "refused": ("down", "net_refused"),
                             "tls garbage": ("down", "tls_handshake")
                             }.items():
        m = d.wait_status(n, "up", "down", why=why)
        if m["status"] != status or m["why"] not in (
                why if isinstance(why, tuple) else (why,)):
            wrong.append((n, m["status"], m["why"], m["reason"]))
    assert not wrong, wrong


DNS = {
    "a": ("up", "ok", {}),
    "aaaa": ("up", "ok", {"record": "AAAA"}),
    "nx": ("down", "dns_nxdomain", {}),
    "servfail": ("down", "dns_servfail", {}),
    "refused": ("down", "dns_refused", {}),
    "empty": ("down", "dns_nodata", {}),
    "silent": ("down", "dns_timeout", {}),
    "slow-3000": ("down", "dns_timeout", {}),
    "udpsilent": ("down", "dns_timeout", {"transport": "udp"}),
    "trunc": ("up", "ok", {}),
    "trunconly": ("down", ("dns_malformed", "dns_nodata"), {}),
    "trunctcpclose": ("down", ("net_closed", "dns_malformed"), {}),
    "badid": ("down", "dns_timeout", {}),
    "badidthengood": ("up", "ok", {}),
    "wrongquestion": ("down", ("dns_timeout", "dns_malformed"), {}),
    "loop": ("down", "dns_loop", {}),
    "selfloop": ("down", "dns_loop", {}),
    "chain-5": ("up", "ok", {}),
    "malformed": ("down", "dns_malformed", {}),
    "pointer": ("down", "dns_malformed", {}),
    "short": ("down", ("dns_malformed", "dns_timeout"), {}),
    "many-300": ("up", "ok", {}),
    "hostile": ("up", "ok", {"record": "TXT"}),
}


def test_dns_faults_are_told_apart(make_daemon, faults):
    d = make_daemon({"monitors": [
        {"name": n, "type": "dns", "host": f"{n}.test",
         "server": f"127.0.0.1:{faults.dns}", **FAST, **extra}
        for n, (_, _, extra) in DNS.items()]}).start()
    wrong = []
    for n, (status, why, _) in DNS.items():
        m = d.wait_status(n, "up", "down", "unknown", why=why)
        if m["status"] != status or m["why"] not in (
                why if isinstance(why, tuple) else (why,)):
            wrong.append((n, m["status"], m["why"], m["reason"]))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_misbehaving_resolver_is_never_the_targets_fault(make_daemon,
                                                           faults):
    """What the resolver says about itself is ours; what it says about the
    name (NXDOMAIN) is the target's."""
    names = ("servfail", "refused", "silent", "malformed", "loop", "pointer",
             "nx")
    d = make_daemon({
        "net": {"resolvers": [f"127.0.0.1:{faults.dns}"]},
        "monitors": [{"name": n, "type": "http",
                      "url": f"http://{n}.test:{faults.http}/ok", **FAST}
                     for n in names]}).start()
    for n in names:
        d.wait_samples(n, 2)
        whys = {s["why"] for s in d.samples(n)}
        if n == "nx":
            assert whys == {"dns_nxdomain"}
        elif n in ("silent", "malformed", "pointer"):
            assert whys <= {"local_resolver", "dns_malformed"}, (n, whys)
        else:
            assert whys <= {"local_resolver", "dns_servfail", "dns_refused",
                            "dns_loop", "dns_nodata", "dns_malformed"}, \
                (n, whys)
    assert d.status("silent") != "down"


def test_certificates_of_the_fault_server(make_daemon, faults):
    want = {"valid": ("up", "ok"), "expired": ("down", "tls_expired"),
            "notyet": ("down", "tls_not_yet"),
            "selfsigned": ("down", "tls_self_signed"),
            "wronghost": ("down", "tls_wrong_host"),
            "untrusted": ("down", "tls_untrusted"),
            "soon": ("degraded", "tls_expires_soon")}
    d = make_daemon({"net": {"ca_file": faults.ca}, "monitors": [
        {"name": n, "type": "http", **FAST,
         "url": f"https://localhost:{faults.https[n]}/ok"}
        for n in want]}).start()
    wrong = []
    for n, (status, why) in want.items():
        m = d.wait_status(n, "up", "down", "degraded", why=why)
        if (m["status"], m["why"]) != (status, why):
            wrong.append((n, m["status"], m["why"], m["reason"]))
    assert not wrong, wrong


def test_flapping_is_told_transition_by_transition(make_daemon, faults):
    d = make_daemon({"monitors": [
        {"name": "F", "type": "http", "url": faults.url + "/flap/2",
         **FAST}]}).start()
    harness.wait_for(lambda: len(d.transitions("F")) >= 4, 20, "flapping")
    chain = d.transitions("F")
    for a, b in zip(chain, chain[1:]):
        assert a["to"] == b["from"]
    assert {t["to"] for t in chain} >= {"up", "down"}


def test_nothing_is_left_open(make_daemon, faults):
    d = make_daemon({"monitors": [
        {"name": p.strip("/").replace("/", " "), "type": "http",
         "url": faults.url + p, **FAST} for p in HTTP]}).start()
    for p in HTTP:
        d.wait_samples(p.strip("/").replace("/", " "), 2, 20)
    for m in d.api.items("/api/v1/monitors"):
        d.api.post(f"/api/v1/monitors/{m['id']}/pause")
    harness.wait_for(lambda: faults.get("/hits")["open"] <= 1, 10,
                     "the connections to be closed")
