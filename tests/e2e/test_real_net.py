"""A network of our own: what is silent, what is unreachable, what goes round
in circles, and what only our own routing table forbids. Needs root."""

import os
import subprocess

import pytest

import harness

SLOW = {"interval": "4s", "timeout": "3500ms", "retries": 0}

# Three hosts in a row, a - b - c. On b's routes to 9.x lies what goes wrong.
NETWORK = """
set -e
for n in a b c; do ip netns add {0}$n; ip -n {0}$n link set lo up; done
ip link add ab netns {0}a type veth peer name ba netns {0}b
ip link add bc netns {0}b type veth peer name cb netns {0}c
ip -n {0}a addr add 10.7.0.1/24 dev ab
ip -n {0}b addr add 10.7.0.2/24 dev ba
ip -n {0}b addr add 10.8.0.2/24 dev bc
ip -n {0}c addr add 10.8.0.3/24 dev cb
ip -n {0}a addr add fd07::1/64 dev ab nodad
ip -n {0}b addr add fd07::2/64 dev ba nodad
ip -n {0}b addr add fd08::2/64 dev bc nodad
ip -n {0}c addr add fd08::3/64 dev cb nodad
ip -n {0}a link set ab up
ip -n {0}b link set ba up
ip -n {0}b link set bc up
ip -n {0}c link set cb up
for n in b c; do ip netns exec {0}$n sysctl -qw net.ipv4.ip_forward=1 \
    net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
    net.ipv6.icmp.ratelimit=0; done
ip netns exec {0}a sysctl -qw net.ipv4.conf.all.accept_redirects=0
ip -n {0}a route add default via 10.7.0.2
ip -n {0}a -6 route add default via fd07::2
ip -n {0}c route add default via 10.8.0.2
ip -n {0}c -6 route add default via fd08::2
ip -n {0}b route add blackhole 10.9.3.0/24
ip -n {0}b route add 10.9.4.0/24 via 10.8.0.3
ip -n {0}b -6 route add unreachable fd09:1::/64
ip -n {0}b -6 route add prohibit fd09:2::/64
ip -n {0}b -6 route add blackhole fd09:3::/64
ip -n {0}b -6 route add fd09:4::/64 via fd08::3
ip -n {0}a route add unreachable 10.10.1.0/24
ip -n {0}a route add blackhole 10.10.2.0/24
ip -n {0}a route add prohibit 10.10.3.0/24
"""


@pytest.fixture
def network():
    if os.geteuid() != 0 or not harness.have("ip"):
        pytest.skip("network namespaces need root and ip")
    name = f"vd{os.getpid() % 100000}"
    try:
        p = subprocess.run(["sh", "-c", NETWORK.format(name)],
                           capture_output=True, text=True)
        if p.returncode != 0:
            pytest.skip("no network namespaces here: " + p.stderr)
        yield name
    finally:
        for n in "abc":
            subprocess.run(["ip", "netns", "del", name + n],
                           stderr=subprocess.DEVNULL)


def monitors(kind, address):
    host = f"[{address}]" if ":" in address else address
    return {
        "ping": {"type": "ping", "host": address, "packets": 2},
        "tcp": {"type": "tcp", "host": address, "port": 8000},
        "http": {"type": "http", "url": f"http://{host}:8000/"},
        "dns": {"type": "dns", "host": "x.test", "server": f"{host}:8000"},
        "dns tcp": {"type": "dns", "host": "x.test", "transport": "tcp",
                    "server": f"{host}:8000"},
    }[kind]


NEAR = {"net_refused"}
GONE = {"net_host_unreachable", "net_unreachable"}
SILENT = {"net_timeout", "dns_timeout", "ping_silent"}
PLACES = {   # address: what the reason may be
    "10.8.0.3": NEAR, "fd08::3": NEAR,
    "10.9.3.1": SILENT, "fd09:3::1": SILENT,
    # An ICMP error does not always reach a socket in time.
    "10.9.4.1": GONE | {"net_ttl"} | SILENT,
    "fd09:4::1": GONE | {"net_ttl"} | SILENT,
    "fd09:1::1": GONE | {"dns_timeout"}, "fd09:2::1": GONE,
    "10.10.1.1": {"local_route"}, "10.10.2.1": {"local_route"},
    "10.10.3.1": {"local_permission"},
}
KINDS = ("ping", "tcp", "http", "dns", "dns tcp")


def test_what_the_network_says_is_told_apart(make_daemon, network):
    d = make_daemon({"monitors": [
        {"name": f"{k} {a}", **monitors(k, a), **SLOW}
        for k in KINDS for a in PLACES]})
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    wrong = []
    for a, may in PLACES.items():
        for k in KINDS:
            s = d.wait_samples(f"{k} {a}", 1, 30)[-1]
            want = {"ok"} if k == "ping" and may is NEAR else may
            if k == "ping" and a in ("10.9.4.1", "fd09:4::1"):
                want = {"net_ttl"}
            if s["why"] not in want:
                wrong.append((k, a, want, s["why"], s["reason"]))
            if not s["peer"] or a not in s["peer"]:
                wrong.append((k, a, "peer", s["peer"]))
    assert not wrong, "\n".join(map(str, wrong))
    local = [a for a, may in PLACES.items() if "local" in str(may)]
    for a in local:
        for k in KINDS:
            assert d.status(f"{k} {a}") in ("pending", "unknown")


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
          "--inh-caps=-all", "--bounding-set=-all")


@pytest.mark.parametrize("allowed", [True, False])
def test_ping_without_privileges(make_daemon, network, tmp_path, allowed):
    """Without CAP_NET_RAW the kernel's range of groups decides; when it says
    no, that is our trouble, and the reason says what to do."""
    if not harness.have("setpriv"):
        pytest.skip("no setpriv")
    p = subprocess.run(["ip", "netns", "exec", network + "a", "sysctl", "-qw",
                        "net.ipv4.ping_group_range="
                        + ("0 2147483647" if allowed else "1 0")],
                       capture_output=True, text=True)
    if p.returncode != 0:
        pytest.skip("the kernel's range of groups stays: " + p.stderr)
    d = make_daemon({"monitors": [
        {"name": a, **monitors("ping", a), **SLOW, "interval": "1s",
         "timeout": "900ms"}
        for a in ("127.0.0.1", "::1", "10.8.0.3", "fd08::3", "10.9.3.1")]})
    os.makedirs(d.data)
    os.chmod(d.data, 0o777)
    for up in (tmp_path, tmp_path.parent, tmp_path.parent.parent, d.dir):
        os.chmod(up, os.stat(up).st_mode | 0o055)
    os.chmod(d.config_path, 0o644)
    d.start(wrap=("ip", "netns", "exec", network + "a", *NOBODY),
            binary=harness.public_binary(d.dir))
    for a in ("127.0.0.1", "::1", "10.8.0.3", "fd08::3"):
        m = d.wait_status(a, "up" if allowed else "unknown")
        if not allowed:
            assert {s["why"] for s in d.samples(a)} == {"local_permission"}
            assert "ping_group_range" in m["reason"] and \
                "CAP_NET_RAW" in m["reason"], m
    m = d.wait_status("10.9.3.1", "down" if allowed else "unknown")
    assert m["why"] == ("ping_silent" if allowed else "blind"), m
