"""Names: more than one resolver, and whose fault it is when they fail."""

import pytest

import harness
from harness import UdpSink
from test_faults import FaultServer
from test_servers import dnsmasq   # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    f = FaultServer(tmp_path_factory.mktemp("faults"))
    yield f
    f.close()


def at(web, host, timeout="3s"):
    """Each type that looks up a name."""
    more = {"interval": "4s", "timeout": timeout, "retries": 0}
    return [
        {"name": "http", "type": "http", "url": f"http://{host}:{web.port}/",
         **more},
        {"name": "tcp", "type": "tcp", "host": host, "port": web.port,
         **more},
        {"name": "ping", "type": "ping", "host": host, "packets": 1, **more}]


def dead_port(closing):
    """Taken, so that nobody else gets it; and answered by ICMP alone."""
    import socket
    s = closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.bind(("127.0.0.1", 0))
    s.connect(("127.0.0.1", 9))
    return s.getsockname()[1]


@pytest.mark.parametrize("first", ["silent", "dead", "refusing"])
def test_the_second_resolver_is_asked(make_daemon, closing, web, faults,
                                      dnsmasq, first):   # noqa: F811
    faults.post("/set", {"dns": "local.test", "mode": "refused"})
    port = {"silent": lambda: closing(UdpSink()).port,
            "dead": lambda: dead_port(closing),
            "refusing": lambda: faults.dns}[first]()
    d = make_daemon({
        "net": {"resolvers": [f"127.0.0.1:{port}", f"127.0.0.1:{dnsmasq}"]},
        "monitors": at(web, "local.test")}).start()
    # Without the right to ping, the rest is still worth its test.
    for name in ("http", "tcp", "ping")[:None if harness.may_ping() else 2]:
        d.wait_status(name, "up", timeout=20)
        assert {s["why"] for s in d.samples(name)} == {"ok"}
    assert d.samples("http")[-1]["phases"]["resolve_us"] < 2500000


@pytest.mark.parametrize("resolver", ["silent", "dead", "refusing"])
def test_a_resolver_that_does_not_answer_is_ours(make_daemon, closing, web,
                                                 faults, resolver):
    """Also when the look-up hangs until the check's time is over."""
    faults.post("/set", {"dns": "x.test", "mode": "refused"})
    port = {"silent": lambda: closing(UdpSink()).port,
            "dead": lambda: dead_port(closing),
            "refusing": lambda: faults.dns}[resolver]()
    monitors = [{**m, "interval": "1s"} for m in at(web, "x.test", "400ms")]
    d = make_daemon({"net": {"resolvers": [f"127.0.0.1:{port}"]},
                     "monitors": monitors}).start()
    for name in ("http", "tcp", "ping"):
        d.wait_status(name, "unknown", timeout=20)
        assert {s["why"] for s in d.samples(name)} == {"local_resolver"}
        assert {t["to"] for t in d.transitions(name)} == {"unknown"}
        took = [s["latency_us"] for s in d.samples(name)]
        assert max(t for t in took if t is not None) < 900000 * harness.SLOW


def test_what_a_resolver_says_of_the_name_is_the_names(make_daemon, web,
                                                       dnsmasq):  # noqa: F811
    d = make_daemon({"net": {"resolvers": [f"127.0.0.1:{dnsmasq}"]},
                     "monitors": at(web, "gone.test")}).start()
    for name in ("http", "tcp", "ping"):
        assert d.wait_status(name, "down")["why"] == "dns_nxdomain"
