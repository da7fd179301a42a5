"""HTTP as it is found: HTTP/2 and certificates of nginx, answers at the edge
of the protocol, redirects as web servers send them."""

import collections
import json
import os
import time

import pytest

import harness
from harness import Program, have, web_answer
from test_checks import openssl, pki   # noqa: F401 (a fixture)

FAST = {"interval": "1s", "timeout": "900ms", "retries": 0}


def head(*lines, body=b""):
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


# -- nginx --------------------------------------------------------------------

def chain_of_two(d):
    """A leaf that is good for long under an issuer that soon is not."""
    for name, by, days, ext in (
            ("middle", "ca", 5, "basicConstraints=critical,CA:true"),
            ("leaf", "middle", 60, "subjectAltName=DNS:localhost")):
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=d)
        (d / f"{name}.ext").write_text(ext + "\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem",
                "-CAkey", f"{by}.key", "-CAcreateserial", "-days", str(days),
                "-out", f"{name}.pem", "-extfile", f"{name}.ext", cwd=d)
    (d / "chain.pem").write_text((d / "leaf.pem").read_text()
                                 + (d / "middle.pem").read_text())
    (d / "chain.key").write_text((d / "leaf.key").read_text())


CERTS = {"good": ("up", "ok"), "wrong": ("down", "tls_wrong_host"),
         "soon": ("degraded", "tls_expires_soon"),
         "expired": ("down", "tls_expired"), "early": ("down", "tls_not_yet"),
         "self": ("down", "tls_self_signed"),
         "stray": ("down", "tls_untrusted"),
         "leaf": ("down", "tls_untrusted"),   # without its issuer
         "chain": ("degraded", "tls_expires_soon")}


@pytest.fixture
def nginx(tmp_path, closing, pki):   # noqa: F811
    program = have("nginx")
    if not program:
        pytest.skip("nginx is not installed")
    chain_of_two(pki)
    ports = {c: harness.free_port() for c in CERTS}
    (tmp_path / "big").write_bytes(os.urandom(1 << 20))
    for up in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(up, os.stat(up).st_mode | 0o055)
    servers = "".join(f"""
  server {{
    listen 127.0.0.1:{p} ssl http2; listen [::1]:{p} ssl http2;
    ssl_certificate {pki}/{c}.pem; ssl_certificate_key {pki}/{c}.key;
    location / {{ return 200 "hello"; }}
    location /moved {{ return 302 /there; }}
    location /big {{ root {tmp_path}; }}
    location /drop {{ return 444; }}
  }}""" for c, p in ports.items())
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"""
daemon off; worker_processes 1; pid {tmp_path}/nginx.pid;
error_log {tmp_path}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format short '$server_protocol $uri $status';
  access_log {tmp_path}/access.log short;
  client_body_temp_path {tmp_path}/t1; proxy_temp_path {tmp_path}/t2;
  fastcgi_temp_path {tmp_path}/t3; uwsgi_temp_path {tmp_path}/t4;
  scgi_temp_path {tmp_path}/t5;
{servers}
}}
""")
    closing(Program([program, "-c", str(conf), "-p", str(tmp_path)],
                    str(tmp_path / "nginx.log"),
                    lambda: harness.port_open("127.0.0.1", ports["good"])))
    return ports, tmp_path / "access.log"


def test_http2_is_spoken_when_asked_for(make_daemon, nginx, pki):  # noqa: F811
    ports, log = nginx
    at = f"https://localhost:{ports['good']}"
    two = {"type": "http", **FAST, "http_version": "2"}
    d = make_daemon({"net": {"ca_file": str(pki / "ca.pem")}, "monitors": [
        {"name": "one", "type": "http", **FAST, "url": at + "/one"},
        {"name": "two", **two, "url": at + "/two",
         "expect": {"body_contains": "hello"}},
        {"name": "six", **two, "url": at + "/six", "ip": "6"},
        {"name": "moved", **two, "url": at + "/moved"},
        {"name": "post", **two, "url": at + "/post", "method": "POST",
         "body": "x" * 50000},
        {"name": "big", **two, "url": at + "/big", "body_max": "4KiB"},
        {"name": "drop", **two, "url": at + "/drop"},
    ]}).start()
    for m in d.api.items("/api/v1/monitors"):
        d.wait_status(m["name"], "down" if m["name"] == "drop" else "up")
    assert d.samples("six")[0]["peer"] == f"[::1]:{ports['good']}"
    d.stop()
    seen = {line.split()[1]: line.split()[0]
            for line in log.read_text().splitlines()}
    assert seen["/one"] == "HTTP/1.1"
    for path in ("/two", "/six", "/moved", "/there", "/post", "/big"):
        assert seen[path] == "HTTP/2.0", seen


def test_certificates_of_nginx(make_daemon, nginx, pki):   # noqa: F811
    ports, _ = nginx
    d = make_daemon({"net": {"ca_file": str(pki / "ca.pem")}, "monitors": [
        m for c, p in ports.items() for m in (
            {"name": c, "type": "http", "url": f"https://localhost:{p}/",
             **FAST},
            {"name": c + " tcp", "type": "tcp", "host": "localhost",
             "port": p, "tls": True, **FAST},
            {"name": c + " any", "type": "http", "insecure": True,
             "cert_expiry": 0, "url": f"https://localhost:{p}/", **FAST})
    ]}).start()
    for c, want in CERTS.items():
        for name in (c, c + " tcp"):
            m = d.wait_status(name, want[0])
            assert (m["status"], m["why"]) == want, m
            assert m["cert_expires"], m
        d.wait_status(c + " any", "up")
    assert "issuer" in d.monitor("chain")["reason"]
    ends = harness.seconds(d.monitor("chain")["cert_expires"])
    assert 4 * 86400 < ends - time.time() < 6 * 86400, "the issuer's end"


# -- answers at the edge ------------------------------------------------------

EDGE = {
    "no location": (head("HTTP/1.1 302 X", "Content-Length: 0"),
                    {}, "http_status"),
    "to a query": (head("HTTP/1.1 302 X", "Location: ok?a=b#c",
                        "Content-Length: 0"), {}, "ok"),
    "to a blank": (head("HTTP/1.1 302 X", "Location: /o k",
                        "Content-Length: 0"), {}, "ok"),
    "to ftp": (head("HTTP/1.1 302 X", "Location: ftp://127.0.0.1/",
                    "Content-Length: 0"), {}, "http_redirects"),
    "to metadata": (head("HTTP/1.1 302 X", "Location: http://169.254.169.254/",
                         "Content-Length: 0"), {}, "local_policy"),
    "to a long one": (head("HTTP/1.1 302 X", "Location: /" + "a" * 5000,
                           "Content-Length: 0"), {}, "http_redirects"),
    "wordy redirect": (head("HTTP/1.1 302 X", "Location: /ok",
                            "Content-Length: 300000", body=b"x" * 300000),
                       {}, "ok"),
    "redirect, no body wanted": (
        head("HTTP/1.1 302 X", "Location: /ok", "Content-Length: 5",
             body=b"moved"), {"body_max": 0}, "ok"),
    "304": (head("HTTP/1.1 304 X"), {"expect": {"status": "200,304"}}, "ok"),
    "early hints": (head("HTTP/1.1 103 X", "Link: </a>") + web_answer(200),
                    {}, "ok"),
    "endless hints": (head("HTTP/1.1 103 X", "Link: </a>" + "a" * 900) * 200,
                      {}, "http_headers"),
    "HTTP/1.0": (head("HTTP/1.0 200 X", body=b"hello"),
                 {"expect": {"body_contains": "hello"}}, "ok"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
                        {"expect": {"body_contains": "hello"}}, "ok"),
    "status 999": (web_answer(999), {}, "http_status"),
    "status 99": (web_answer(99), {}, "http_malformed"),
    "negative length": (head("HTTP/1.1 200 X", "Content-Length: -5"),
                        {}, "http_malformed"),
    "broken chunk": (head("HTTP/1.1 200 X", "Transfer-Encoding: chunked",
                          body=b"5\r\nhel"), {}, "net_closed"),
    "huge chunk": (head("HTTP/1.1 200 X", "Transfer-Encoding: chunked",
                        body=b"F" * 20 + b"\r\nhel"), {}, "http_malformed"),
    "endless trailers": (
        head("HTTP/1.1 200 X", "Transfer-Encoding: chunked",
             body=b"0\r\n" + (b"Z: " + b"y" * 1000 + b"\r\n") * 500),
        {}, "http_headers"),
    "long line": (head("HTTP/1.1 200 X", "X: " + "y" * 200000,
                       "Content-Length: 0"), {}, "http_headers"),
    "found at the edge": (web_answer(200, b"x" * 65530 + b"needle"),
                          {"expect": {"body_contains": "needle"}}, "ok"),
    "found too late": (web_answer(200, b"x" * 65531 + b"needle"),
                       {"expect": {"body_contains": "needle"}},
                       "http_body_lacks"),
    "found behind NUL": (web_answer(200, b"a\0needle"),
                         {"expect": {"body_contains": "needle"}}, "ok"),
    "seven times packed": (
        web_answer(200, b"x", ["Content-Encoding: " + ", ".join(["gzip"] * 7)]
                   ), {"compressed": True}, "http_encoding"),
}


def test_answers_at_the_edge(make_daemon, web):
    monitors = []
    for i, (name, (answer, more, _)) in enumerate(EDGE.items()):
        web.paths[f"/{i}"] = answer
        monitors.append({"name": name.replace("/", " "), "type": "http",
                         "url": f"{web.url}/{i}", **FAST, **more})
    d = make_daemon({"monitors": monitors}).start()
    wrong = []
    for name, (_, _, why) in EDGE.items():
        s = d.wait_samples(name.replace("/", " "))
        if s[0]["why"] != why:
            wrong.append((name, why, s[0]["why"], s[0]["reason"]))
    assert not wrong, "\n".join(map(str, wrong))
    for m in d.api.items("/api/v1/monitors"):
        assert "memory" not in (m["reason"] or "").lower(), m


def test_a_form_may_lead_back_to_itself(make_daemon, web):
    """Post, redirect, get: the second time the same URL is no circle."""
    def form(conn):
        conn.sendall(head("HTTP/1.1 303 X", "Location: /form",
                          "Content-Length: 0") if web.seen[-1][0] == "POST"
                     else web_answer(200, b"thanks"))
    web.paths["/form"] = form
    d = make_daemon({"monitors": [
        {"name": "F", "type": "http", "url": web.url + "/form",
         "method": "POST", "body": "a=b", **FAST,
         "expect": {"body_contains": "thanks"}}]}).start()
    d.wait_status("F", "up")
    count = collections.Counter(s[0] for s in web.seen)
    assert abs(count["POST"] - count["GET"]) <= 1, count


@pytest.mark.parametrize("status,redirects,fine", [
    ("301", None, False), ("301,307-308", 5, False), ("301", 0, True),
    ("200,301", None, True), ("200-399", None, True), ("304", None, True)])
def test_a_status_that_is_never_seen_is_refused(tmp_path, status, redirects,
                                                fine):
    """What is followed is not judged: that must be said, not found out."""
    more = {} if redirects is None else {"redirects": redirects}
    path = tmp_path / "v.yaml"
    path.write_text(json.dumps({"monitors": [
        {"name": "A", "type": "http", "url": "http://a.example/", **more,
         "expect": {"status": status}}]}, indent=1))
    p = harness.run("check-config", str(path))
    assert p.returncode == (0 if fine else 2), p
    assert fine or "redirects: 0" in p.stderr, p.stderr
