"""The real binary against real servers: nginx plain and TLS, dnsmasq, an SSH
port, over IPv4 and IPv6."""

import os
import socket
import subprocess
import time

import pytest

import harness
from harness import Program, have
from test_checks import pki   # noqa: F401 (a fixture)

FAST = {"interval": "1s", "timeout": "900ms", "retries": 0}


@pytest.fixture
def nginx(tmp_path, closing, pki):   # noqa: F811
    program = have("nginx")
    if not program:
        pytest.skip("nginx is not installed")
    port, tls = harness.free_port(), harness.free_port()
    root = tmp_path / "www"
    root.mkdir()
    (root / "index.html").write_text("<p>vedette was here</p>\n" * 100)
    (root / "big").write_bytes(b"x" * (3 << 20))
    for up in (root, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(up, os.stat(up).st_mode | 0o055)
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"""
daemon off; worker_processes 1; pid {tmp_path}/nginx.pid;
error_log {tmp_path}/error.log;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_body_temp_path {tmp_path}/t1; proxy_temp_path {tmp_path}/t2;
  fastcgi_temp_path {tmp_path}/t3; uwsgi_temp_path {tmp_path}/t4;
  scgi_temp_path {tmp_path}/t5;
  gzip on; gzip_min_length 1; gzip_types *;
  server {{
    listen 127.0.0.1:{port}; listen [::1]:{port};
    listen 127.0.0.1:{tls} ssl http2; listen [::1]:{tls} ssl http2;
    ssl_certificate {pki}/good.pem; ssl_certificate_key {pki}/good.key;
    root {root};
    location /moved {{ return 301 /index.html; }}
    location /teapot {{ return 418; }}
    location /auth {{ if ($http_authorization != "Basic bWU6cHc=")
      {{ return 401; }} return 200 "in"; }}
  }}
}}
""")
    closing(Program([program, "-c", str(conf), "-p", str(tmp_path)],
                    str(tmp_path / "nginx.log"),
                    lambda: harness.port_open("127.0.0.1", port)))
    return port, tls


def test_nginx(make_daemon, nginx, pki):   # noqa: F811
    port, tls = nginx
    a, s = f"http://127.0.0.1:{port}", f"https://localhost:{tls}"
    h = {"type": "http", **FAST}
    d = make_daemon({"net": {"ca_file": str(pki / "ca.pem")}, "monitors": [
        {"name": "plain", **h, "url": a + "/",
         "expect": {"body_contains": "vedette was here"}},
        {"name": "six", **h, "url": f"http://[::1]:{port}/"},
        {"name": "tls", **h, "url": s + "/"},
        {"name": "tls six", **h, "url": s + "/", "ip": "6"},
        {"name": "h2", **h, "url": s + "/", "http_version": "2"},
        {"name": "gzip", **h, "url": a + "/", "compressed": True,
         "expect": {"body_contains": "vedette was here"}},
        {"name": "head", **h, "url": a + "/", "method": "HEAD"},
        {"name": "moved", **h, "url": a + "/moved"},
        {"name": "stay", **h, "url": a + "/moved", "redirects": 0,
         "expect": {"status": "301"}},
        {"name": "teapot", **h, "url": a + "/teapot",
         "expect": {"status": "418"}},
        {"name": "auth", **h, "url": a + "/auth",
         "auth": {"user": "me", "password": "pw"}},
        {"name": "anonymous", **h, "url": a + "/auth"},
        {"name": "missing", **h, "url": a + "/nothing"},
        {"name": "big", **h, "url": a + "/big"},
        {"name": "port", "type": "tcp", **FAST, "host": "127.0.0.1",
         "port": port},
        {"name": "tls port", "type": "tcp", **FAST, "host": "127.0.0.1",
         "port": tls, "tls": True},
    ]}).start()
    down = {"anonymous": "http_status", "missing": "http_status"}
    for m in d.api.items("/api/v1/monitors"):
        name = m["name"]
        want = "down" if name in down else "up"
        m = d.wait_status(name, want, why=down.get(name, "ok"))
        assert m["why"] == down.get(name, "ok"), m
    assert d.samples("six")[0]["peer"] == f"[::1]:{port}"
    assert d.samples("tls six")[0]["peer"] == f"[::1]:{tls}"
    assert d.samples("big")[0]["bytes"] <= 65536 + 16384
    assert {"connect_us", "tls_us", "first_byte_us"} <= \
        set(d.samples("tls")[0]["phases"])
    p = harness.run("probe", "http", a + "/")
    assert p.returncode == 0, p
    p = harness.run("probe", "http", a + "/nothing")
    assert p.returncode == 1 and "404" in p.stdout + p.stderr, p


@pytest.fixture
def dnsmasq(tmp_path, closing):
    program = have("dnsmasq")
    if not program:
        pytest.skip("dnsmasq is not installed")
    port = harness.free_port()
    many = "\n".join(f"host-record=many.test,10.0.{i // 250}.{i % 250 + 1}"
                     for i in range(200))
    conf = tmp_path / "dnsmasq.conf"
    conf.write_text(f"""
port={port}
listen-address=127.0.0.1,::1
bind-interfaces
no-resolv
no-hosts
no-daemon
user=
pid-file={tmp_path}/dnsmasq.pid
edns-packet-max=512
host-record=web.test,192.0.2.1,2001:db8::1
host-record=local.test,127.0.0.1
cname=alias.test,web.test
mx-host=test,mail.test,10
txt-record=test,v=spf1 -all
srv-host=_sip._tcp.test,web.test,5060,1,2
ptr-record=1.2.0.192.in-addr.arpa,web.test
caa-record=test,0,issue,ca.test
local=/test/
address=/refused.example/#
{many}
""")
    def ready():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.3)
            s.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0\3web\4test\0\0\1\0\1",
                     ("127.0.0.1", port))
            try:
                return s.recv(512)
            except OSError:
                return None
    closing(Program([program, "-C", str(conf), "-k"],
                    str(tmp_path / "dnsmasq.log"), ready))
    return port


def test_dnsmasq(make_daemon, dnsmasq, web):
    at = {"type": "dns", "server": f"127.0.0.1:{dnsmasq}", **FAST}

    def q(name, host, record, answers=None, **kw):
        e = kw.pop("expect", {})
        if answers is not None:
            e["answers"] = answers
        return {"name": name, **at, "host": host, "record": record,
                **({"expect": e} if e else {}), **kw}
    d = make_daemon({
        "net": {"resolvers": [f"127.0.0.1:{dnsmasq}"]},
        "monitors": [
            q("A", "web.test", "A", ["192.0.2.1"]),
            q("AAAA", "web.test", "AAAA", ["2001:db8::1"]),
            q("CNAME", "alias.test", "CNAME", ["web.test"]),
            q("MX", "test", "MX", ["10 mail.test"]),
            q("TXT", "test", "TXT", ["v=spf1 -all"]),
            q("SRV", "_sip._tcp.test", "SRV", ["1 2 5060 web.test"]),
            q("PTR", "192.0.2.1", "PTR", ["web.test"]),
            q("CAA", "test", "CAA"),
            q("six", "web.test", "A", server=f"[::1]:{dnsmasq}"),
            q("tcp", "web.test", "A", transport="tcp"),
            q("truncated", "many.test", "A", ["10.0.0.200"]),
            q("no such", "nothing.test", "A", expect={"rcode": "NXDOMAIN"}),
            q("empty", "web.test", "MX", expect={"allow_empty": True}),
            q("bad empty", "web.test", "MX"),
            q("bad name", "nothing.test", "A"),
            q("bad answer", "web.test", "A", ["192.0.2.9"]),
            q("bad rcode", "web.test", "A", expect={"rcode": "NXDOMAIN"}),
            {"name": "resolved", "type": "http", **FAST,
             "url": f"http://local.test:{web.port}/"},
            {"name": "unresolved", "type": "http", **FAST,
             "url": f"http://nothing.test:{web.port}/"},
        ]}).start()
    down = {"bad empty": "dns_nodata", "bad name": "dns_nxdomain",
            "bad answer": "dns_mismatch", "bad rcode": "dns_rcode",
            "unresolved": "dns_nxdomain"}
    for m in d.api.items("/api/v1/monitors"):
        name = m["name"]
        m = d.wait_status(name, "down" if name in down else "up",
                          why=down.get(name, "ok"))
        assert m["why"] == down.get(name, "ok"), (name, m)
    assert d.samples("resolved")[0]["phases"]["resolve_us"] >= 0
    assert d.samples("six")[0]["peer"] == f"[::1]:{dnsmasq}"


def test_ssh_port(make_daemon, tmp_path, closing):
    program = have("sshd")
    if not program:
        pytest.skip("sshd is not installed")
    port = harness.free_port()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    str(tmp_path / "key")], check=True)
    try:
        os.makedirs("/run/sshd", exist_ok=True)
    except OSError as e:
        pytest.skip(f"sshd wants /run/sshd: {e.strerror}")
    closing(Program(
        [program, "-D", "-e", "-p", str(port), "-h", str(tmp_path / "key"),
         "-f", "/dev/null", "-o", "ListenAddress=127.0.0.1",
         "-o", f"PidFile={tmp_path}/sshd.pid"],
        str(tmp_path / "sshd.log"),
        lambda: harness.port_open("127.0.0.1", port)))
    at = {"type": "tcp", "host": "127.0.0.1", "port": port, **FAST}
    d = make_daemon({"monitors": [
        {"name": "banner", **at, "expect": "SSH-2.0"},
        {"name": "not smtp", **at, "expect": "220 "}]}).start()
    d.wait_status("banner", "up")
    m = d.wait_status("not smtp", "down")
    assert m["why"] in ("tcp_expect", "timeout"), m


def test_probe_needs_no_daemon(web):
    p = harness.run("probe", "http", web.url)
    assert p.returncode == 0 and "connect" in p.stdout, p
    p = harness.run("probe", "tcp", f"127.0.0.1:{web.port}")
    assert p.returncode == 0, p
    p = harness.run("probe", "ping", "127.0.0.1")
    assert p.returncode == (0 if harness.may_ping() else 1), p
    p = harness.run("probe", "tcp", f"127.0.0.1:{harness.free_port()}")
    assert p.returncode == 1 and "net_refused" in p.stdout + p.stderr, p
    p = harness.run("probe", "http", web.url, "intervall=5s")
    assert p.returncode == 2 and "intervall" in p.stderr, p
    p = harness.run("probe", "gopher", "x")
    assert p.returncode == 2 and "http" in p.stderr, p
