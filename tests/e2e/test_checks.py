"""Every check type, up and down, each down with the exact why."""

import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

import harness
from harness import TcpServer, WebServer, web_answer

FAST = {"interval": "1s", "timeout": "500ms", "retries": 0}


def one(d, monitor, *statuses, timeout=15, why=None):
    """Start d with one monitor M and wait for its verdict."""
    d.monitors([{"name": "M", **FAST, **monitor}])
    d.start()
    return d.wait_status("M", *statuses, timeout=timeout, why=why)


def expect(make_daemon, monitor, status, why, reason=None):
    d = make_daemon()
    m = one(d, monitor, status, why=why)
    assert m["why"] == why, (m["why"], m["reason"])
    if reason is not None:
        assert reason in m["reason"], m["reason"]
    return d, m


# -- http --------------------------------------------------------------------

def test_http_up_with_all_it_sends(make_daemon, web):
    d, m = expect(make_daemon, {
        "type": "http", "url": web.url + "/p?q=1", "method": "POST",
        "headers": {"X-Test": "a b"}, "body": "hello",
        "auth": {"user": "me", "password": "pw"},
        "expect": {"body_contains": ["hel", "lo"], "body_lacks": "error"}},
        "up", "ok")
    method, path, headers, body = web.seen[0]
    assert (method, path, body) == ("POST", "/p?q=1", b"hello")
    assert headers["x-test"] == "a b"
    assert headers["authorization"] == "Basic bWU6cHc="
    assert headers["host"] == f"127.0.0.1:{web.port}"
    s = d.wait_samples("M")[-1]
    assert s["code"] == 200 and s["peer"] == f"127.0.0.1:{web.port}"
    assert s["bytes"] == 6 and s["latency_us"] > 0
    assert set(s["phases"]) >= {"connect_us", "first_byte_us"}
    assert "tls_us" not in s["phases"]


def test_http_bearer(make_daemon, web):
    expect(make_daemon, {"type": "http", "url": web.url,
                         "auth": {"bearer": "tok"}}, "up", "ok")
    assert web.seen[0][2]["authorization"] == "Bearer tok"


def test_http_fresh_connection_for_each_check(make_daemon, closing):
    def keep(conn):     # offers keep-alive
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        conn.recv(65536)
    server = closing(TcpServer(keep))
    d, _ = expect(make_daemon, {"type": "http",
                                "url": f"http://127.0.0.1:{server.port}"},
                  "up", "ok")
    n = len(d.wait_samples("M", 3))
    assert server.hits >= n


@pytest.mark.parametrize("answer,extra,why,reason", ids=[
    "500", "404", "lacks", "has", "smtp", "cut short", "nothing"], argvalues=[
    (web_answer(500), {}, "http_status", "500"),
    (web_answer(404), {"expect": {"status": "200-204,301"}}, "http_status",
     "404"),
    (web_answer(200, b"nope"), {"expect": {"body_contains": "yes"}},
     "http_body_lacks", "yes"),
    (web_answer(200, b"an error"), {"expect": {"body_lacks": "error"}},
     "http_body_has", "error"),
    (b"220 smtp.example ESMTP\r\n", {}, "http_malformed", None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", {}, "net_closed",
     None),
    (b"", {}, "net_closed", None),
])
def test_http_down(make_daemon, web, answer, extra, why, reason):
    web.answer = answer
    expect(make_daemon, {"type": "http", "url": web.url, **extra}, "down",
           why, reason)


def test_http_status_outside_2xx_can_be_expected(make_daemon, web):
    web.answer = web_answer(301, headers=["Location: /elsewhere"])
    expect(make_daemon, {"type": "http", "url": web.url, "redirects": 0,
                         "expect": {"status": 301}}, "up", "ok")
    assert {p for _, p, _, _ in web.seen} == {"/"}


def test_http_redirects_are_followed_to_a_limit(make_daemon, web, closing):
    other = closing(WebServer())
    web.paths["/a"] = web_answer(302, headers=[f"Location: {other.url}/b"])
    d, m = expect(make_daemon, {
        "type": "http", "url": web.url + "/a", "headers": {"X-Key": "k"},
        "auth": {"bearer": "secret"}}, "up", "ok")
    assert other.seen[0][1] == "/b"
    assert "authorization" not in other.seen[0][2], \
        "credentials stay with their host"
    d.stop()
    web.answer = web_answer(302, headers=["Location: /again"])
    expect(make_daemon, {"type": "http", "url": web.url + "/again",
                         "redirects": 3}, "down", "http_redirects")


def test_http_redirect_to_another_protocol(make_daemon, web):
    web.answer = web_answer(302, headers=["Location: file:///etc/passwd"])
    d, m = expect(make_daemon, {"type": "http", "url": web.url}, "down",
                  "http_redirects")


def test_http_timeouts(make_daemon, web, closing):
    web.delay = 3
    expect(make_daemon, {"type": "http", "url": web.url}, "down", "timeout")
    hole = closing(harness.Blackhole())
    expect(make_daemon, {"type": "http",
                         "url": f"http://127.0.0.1:{hole.port}/"}, "down",
           "net_timeout")


def test_http_refused_and_reset(make_daemon, closing):
    expect(make_daemon, {"type": "http", "url":
                         f"http://127.0.0.1:{harness.free_port()}/"},
           "down", "net_refused")

    def reset(conn):
        conn.recv(65536)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
    server = closing(TcpServer(reset))
    expect(make_daemon, {"type": "http",
                         "url": f"http://127.0.0.1:{server.port}/"}, "down",
           "net_reset")


def test_http_names(make_daemon, closing):
    """The system's resolver is a sink: its silence is our fault."""
    d = make_daemon()
    d.monitors([
        {"name": "Local", "type": "http", **FAST,
         "url": f"http://localhost:{closing(WebServer()).port}/"}])
    d.start()
    d.wait_status("Local", "up")


def test_http_slow_is_degraded(make_daemon, web):
    web.delay = 0.2
    d, m = expect(make_daemon, {"type": "http", "url": web.url,
                                "degraded_above": "50ms"}, "degraded", "slow")
    web.delay = 0
    d.wait_status("M", "up")


def test_http_ipv6_and_choice_of_family(make_daemon, closing):
    port = harness.free_port("::1")
    six = closing(WebServer("::1", port))
    four = closing(WebServer("127.0.0.1", port))
    d = make_daemon({"monitors": [
        {"name": "Six", "type": "http", "url": f"http://localhost:{port}/",
         "ip": "6", **FAST},
        {"name": "Four", "type": "http", "url": f"http://localhost:{port}/",
         "ip": "4", **FAST},
        {"name": "Literal", "type": "http", "url": six.url, **FAST}]}).start()
    for name, peer in (("Six", f"[::1]:{port}"),
                       ("Four", f"127.0.0.1:{port}"),
                       ("Literal", f"[::1]:{port}")):
        d.wait_status(name, "up")
        assert d.samples(name)[0]["peer"] == peer
    assert six.hits and four.hits


def test_http_rechecks_before_it_is_down(make_daemon, web):
    web.answer = web_answer(500)
    d = make_daemon({"monitors": [
        {"name": "M", "type": "http", "url": web.url, "interval": "5s",
         "timeout": "1s", "retries": 2, "retry_interval": "200ms"}]}).start()
    d.wait_status("M", "down")
    samples = d.samples("M")[::-1]
    assert [s["recheck"] for s in samples[:3]] == [False, True, True]
    t = d.transitions("M")[-1]
    assert t["seq"] == samples[2]["seq"]
    web.answer = web_answer(200)
    d.wait_status("M", "up")


def test_http_m_of_n(make_daemon, web):
    """Down at 2 failures among 4, though never two in a row."""
    d = make_daemon({"monitors": [
        {"name": "M", "type": "http", "url": web.url, "interval": "1s",
         "timeout": "500ms", "fail": {"m": 2, "of": 4}}]}).start()
    d.wait_status("M", "up")
    flip = [0]

    def alternate(conn):
        flip[0] += 1
        conn.sendall(web_answer(500 if flip[0] % 2 else 200))
    web.paths["/"] = alternate
    d.wait_status("M", "down")


# -- certificates -------------------------------------------------------------

def openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA and certificates: good, wrong (another host), soon (ends in 5
    days), expired, early (not yet valid), self (signed by itself), stray
    (by a CA that nobody trusts)."""
    d = tmp_path_factory.mktemp("pki")
    for ca in ("ca", "strayca"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{ca}.key",
                "-out", f"{ca}.pem", "-days", "30", "-subj", f"/CN={ca}",
                cwd=d)
    ext = {"wrong": "subjectAltName=DNS:elsewhere.example"}
    (d / "index.txt").write_text("")
    (d / "serial").write_text("01\n")
    (d / "ca.cnf").write_text(f"""
[ca]
default_ca = x
[x]
database = {d}/index.txt
serial = {d}/serial
new_certs_dir = {d}
default_md = sha256
policy = p
unique_subject = no
copy_extensions = copy
[p]
commonName = supplied
""")
    when = {"good": (-1, 30), "wrong": (-1, 30), "soon": (-1, 5),
            "expired": (-9, -1), "early": (2, 30), "stray": (-1, 30)}

    def stamp(days):
        return time.strftime("%Y%m%d%H%M%SZ",
                             time.gmtime(time.time() + days * 86400))
    for name, (start, end) in when.items():
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext",
                ext.get(name, "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                cwd=d)
        ca = "strayca" if name == "stray" else "ca"
        openssl("ca", "-batch", "-config", "ca.cnf", "-cert", f"{ca}.pem",
                "-keyfile", f"{ca}.key", "-in", f"{name}.csr", "-out",
                f"{name}.pem", "-startdate", stamp(start), "-enddate",
                stamp(end), "-notext", cwd=d)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "self.key",
            "-out", "self.pem", "-days", "30", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", cwd=d)
    return d


class TlsWeb(WebServer):
    def __init__(self, cert, key):
        self.ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ctx.load_cert_chain(cert, key)
        super().__init__()

    def _serve(self, conn):
        with self.ctx.wrap_socket(conn, server_side=True) as tls:
            super()._serve(tls)


CERTS = [
    ("good", "up", "ok"), ("wrong", "down", "tls_wrong_host"),
    ("soon", "degraded", "tls_expires_soon"),
    ("expired", "down", "tls_expired"), ("early", "down", "tls_not_yet"),
    ("self", "down", "tls_self_signed"), ("stray", "down", "tls_untrusted")]


def test_certificates_are_told_apart(make_daemon, pki, closing):
    monitors = []
    for name, _, _ in CERTS:
        w = closing(TlsWeb(pki / f"{name}.pem", pki / f"{name}.key"))
        common = {**FAST, "timeout": "900ms"}
        monitors += [
            {"name": f"http {name}", "type": "http", **common,
             "url": f"https://localhost:{w.port}/"},
            {"name": f"tcp {name}", "type": "tcp", **common, "tls": True,
             "host": "127.0.0.1", "port": w.port, "send": "GET / HTTP/1.0\r\n"
             "Host: localhost\r\n\r\n", "expect": "hello"},
            {"name": f"insecure {name}", "type": "http", **common,
             "insecure": True, "cert_expiry": 0,
             "url": f"https://localhost:{w.port}/"}]
    d = make_daemon({"monitors": monitors,
                     "net": {"ca_file": str(pki / "ca.pem")}}).start()
    for name, status, why in CERTS:
        for kind in ("http", "tcp"):
            m = d.wait_status(f"{kind} {name}", status, why=why)
            assert m["why"] == why, (kind, name, m["why"], m["reason"])
        m = d.wait_status(f"insecure {name}", "up")
        assert m["cert_expires"] is not None
    m = d.monitor("http good")
    left = harness.seconds(m["cert_expires"]) - time.time()
    assert 29 * 86400 < left < 31 * 86400
    assert d.samples("http good")[0]["phases"]["tls_us"] > 0


def test_verify_hostname_off_takes_another_name(make_daemon, pki, closing):
    w = closing(TlsWeb(pki / "wrong.pem", pki / "wrong.key"))
    d = make_daemon({"net": {"ca_file": str(pki / "ca.pem")}, "monitors": [
        {"name": "M", "type": "http", **FAST, "verify_hostname": False,
         "url": f"https://localhost:{w.port}/"}]}).start()
    d.wait_status("M", "up")


def test_plain_text_where_tls_was_wanted(make_daemon, closing):
    server = closing(TcpServer(
        lambda c: c.sendall(web_answer(400) + c.recv(9)[:0])))
    expect(make_daemon, {"type": "http",
                         "url": f"https://127.0.0.1:{server.port}/"},
           "down", "tls_handshake")


def test_silent_tls(make_daemon, closing):
    server = closing(TcpServer(lambda c: time.sleep(3)))
    expect(make_daemon, {"type": "http",
                         "url": f"https://127.0.0.1:{server.port}/"},
           "down", "tls_timeout")


# -- tcp ----------------------------------------------------------------------

def test_tcp(make_daemon, closing):
    def echo(conn):
        conn.sendall(b"+hello\r\n")
        conn.sendall(conn.recv(100).upper())
    server = closing(TcpServer(echo))
    banner = closing(TcpServer(lambda c: c.sendall(b"+hello\r\n")))
    six = closing(TcpServer(echo, "::1"))
    silent = closing(TcpServer(lambda c: time.sleep(3)))
    hole = closing(harness.Blackhole())
    at = {"type": "tcp", "host": "127.0.0.1", **FAST}
    d = make_daemon({"monitors": [
        {"name": "open", **at, "port": server.port},
        {"name": "six", **at, "host": "::1", "port": six.port},
        {"name": "expect", **at, "port": server.port, "expect": "+hello"},
        {"name": "send", **at, "port": server.port, "send": "ping",
         "expect": "PING"},
        {"name": "other", **at, "port": banner.port, "expect": "-ERR"},
        {"name": "silent", **at, "port": silent.port, "expect": "x"},
        {"name": "closed", **at, "port": harness.free_port()},
        {"name": "hole", **at, "port": hole.port},
    ]}).start()
    for name, status, why in (
            ("open", "up", "ok"), ("six", "up", "ok"),
            ("expect", "up", "ok"), ("send", "up", "ok"),
            ("other", "down", "tcp_expect"), ("silent", "down", "timeout"),
            ("closed", "down", "net_refused"),
            ("hole", "down", "net_timeout")):
        m = d.wait_status(name, status, why=why)
        assert m["why"] == why, (name, m["why"], m["reason"])
    assert d.samples("six")[0]["peer"] == f"[::1]:{six.port}"


# -- ping ---------------------------------------------------------------------

@pytest.mark.skipif(not harness.may_ping(), reason=harness.NO_PING)
def test_ping(make_daemon):
    common = {"type": "ping", "interval": "1s", "timeout": "900ms",
              "retries": 0, "packets": 3, "spacing": "20ms", "wait": "300ms"}
    d = make_daemon({"monitors": [
        {"name": "four", "host": "127.0.0.1", **common},
        {"name": "six", "host": "::1", **common},
        {"name": "name", "host": "localhost", **common},
        # 240/4 is reserved: the kernel has no route, or nobody answers.
        {"name": "nowhere", "host": "240.0.0.1", **common}]}).start()
    for name in ("four", "six", "name"):
        d.wait_status(name, "up")
    assert d.samples("six")[0]["peer"].startswith(("[::1]", "::1"))
    assert d.samples("four")[0]["latency_us"] > 0
    m = d.wait_status("nowhere", "down", "unknown")
    assert m["why"] in ("ping_silent", "net_unreachable",
                        "net_host_unreachable", "local_route",
                        "local_permission", "blind"), m


# -- dns ----------------------------------------------------------------------

def test_dns_against_a_silent_and_a_closed_server(make_daemon, closing):
    sink = closing(harness.UdpSink())
    common = {"type": "dns", "host": "example.org", **FAST}
    d = make_daemon({"monitors": [
        {"name": "silent", "server": f"127.0.0.1:{sink.port}", **common},
        {"name": "closed", "server":
         f"127.0.0.1:{harness.free_port(kind=socket.SOCK_DGRAM)}", **common},
    ]}).start()
    m = d.wait_status("silent", "down")
    assert m["why"] == "dns_timeout", m
    m = d.wait_status("closed", "down")
    assert m["why"] in ("net_refused", "dns_timeout"), m


# -- groups -------------------------------------------------------------------

def test_a_group_is_as_well_as_its_worst_member(make_daemon, web, closing):
    other = closing(WebServer())
    d = make_daemon({"monitors": [
        {"name": "G", "type": "group", "monitors": [
            {"name": "A", "type": "http", "url": web.url, **FAST},
            {"name": "B", "type": "http", "url": other.url, **FAST},
            {"name": "P", "type": "push", "interval": "1h"}]},
        {"name": "Empty", "type": "group", "monitors": []}]}).start()
    d.wait_status("G/A", "up")
    d.wait_status("G/B", "up")
    assert d.status("G") == "pending"       # P was never heard of
    d.cli("pause", "G/P")
    d.wait_status("G", "up")                # the paused do not count
    other.answer = web_answer(500)
    m = d.wait_status("G", "down")
    assert m["why"] == "member" and "B" in m["reason"], m
    d.cli("pause", "G/B")
    d.wait_status("G", "up")
    d.cli("resume", "G/B")
    d.wait_status("G", "down")
    other.answer = web_answer(200)
    d.wait_status("G", "up")
    m = d.monitor("G")
    assert m["members"] == 3
    assert d.monitor("Empty")["status"] in ("pending", "unknown", "paused")


def test_a_group_stays_right_when_members_come_and_go(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "G", "type": "group", "monitors": [
            {"name": "A", "type": "http", "url": web.url, **FAST}]}]}).start()
    d.wait_status("G", "up")
    a = d.api.post("/api/v1/monitors", {
        "name": "B", "group": "G", "type": "tcp", "host": "127.0.0.1",
        "port": harness.free_port(), **FAST})
    assert a.status == 201, a
    d.wait_status("G", "down")
    assert d.api.delete(f"/api/v1/monitors/{a.json()['id']}").status in \
        (200, 204)
    d.wait_status("G", "up")


# -- the scheduler ------------------------------------------------------------

def test_no_burst_after_a_suspension_and_nothing_is_down(make_daemon, web):
    """SIGSTOP for several intervals is what a suspended machine looks like."""
    d = make_daemon({"monitors": [
        {"name": f"M{i}", "type": "http", "url": web.url, **FAST}
        for i in range(10)]}).start()
    for i in range(10):
        d.wait_status(f"M{i}", "up")
    import signal
    d.signal(signal.SIGSTOP)
    time.sleep(4)
    before = web.hits
    d.signal(signal.SIGCONT)
    time.sleep(0.7)
    assert web.hits - before <= 21, "missed beats are skipped"
    time.sleep(1.5)
    for i in range(10):
        assert d.status(f"M{i}") == "up"
        assert not {"down", "unknown"} & {
            t["to"] for t in d.transitions(f"M{i}")}


def test_checks_keep_their_pace_and_their_phase(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "M", "type": "http", "url": web.url, **FAST}]}).start()
    samples = d.wait_samples("M", 6, 20)[::-1]
    due = [harness.seconds(s["due"]) for s in samples]
    # The first two come early; from then on one interval apart, no drift.
    gaps = [b - a for a, b in zip(due[2:], due[3:])]
    assert all(abs(g - 1) < 0.002 for g in gaps), gaps
    phase = due[-1] % 1
    d.stop()
    d.start()
    n = len(samples)
    s = harness.wait_for(lambda: [
        x for x in d.samples("M") if x["seq"] > n + 2], 20)
    after = harness.seconds(s[0]["due"]) % 1
    assert min(abs(after - phase), 1 - abs(after - phase)) < 0.002
    assert all(s["lag_us"] >= 0 for s in d.samples("M"))


def test_per_host_cap_is_fair(make_daemon, web):
    web.delay = 0.2
    d = make_daemon({
        "limits": {"per_host": 2},
        "monitors": [{"name": f"M{i}", "type": "http", "url": web.url,
                      "interval": "2s", "timeout": "1s"}
                     for i in range(8)]})
    peak, now, lock = [0], [0], threading.Lock()
    inner = web.handle

    def count(conn):
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        try:
            inner(conn)
        finally:
            with lock:
                now[0] -= 1
    web.handle = count
    d.start()
    for i in range(8):
        d.wait_samples(f"M{i}", 2, 20)
    assert peak[0] <= 2
    for i in range(8):
        assert d.status(f"M{i}") == "up"
