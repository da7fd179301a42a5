"""Our own way out is lost: nothing is down, all is unknown, and one message
says so afterwards. In a network of our own; needs root."""

import os
import subprocess

import pytest

import harness

# Us and a router with some hosts on it.
NETWORK = """
set -e
for n in a b; do ip netns add {0}$n; ip -n {0}$n link set lo up; done
ip link add ab netns {0}a type veth peer name ba netns {0}b
ip -n {0}a addr add 10.7.0.1/24 dev ab
ip -n {0}b addr add 10.7.0.2/24 dev ba
for i in 1 2 3 4; do ip -n {0}b addr add 10.8.0.$i/32 dev lo; done
ip -n {0}a link set ab up
ip -n {0}b link set ba up
ip -n {0}a route add default via 10.7.0.2
"""


@pytest.fixture
def network():
    if os.geteuid() != 0 or not harness.have("ip"):
        pytest.skip("network namespaces need root and ip")
    name = f"vs{os.getpid() % 100000}"
    try:
        p = subprocess.run(["sh", "-c", NETWORK.format(name)],
                           capture_output=True, text=True)
        if p.returncode != 0:
            pytest.skip("no network namespaces here: " + p.stderr)
        yield name
    finally:
        for n in "ab":
            subprocess.run(["ip", "netns", "del", name + n],
                           stderr=subprocess.DEVNULL)


def monitors():
    timing = {"interval": "2s", "timeout": "1s", "retry_interval": "1s",
              "notify": ["run"]}
    return [
        {"name": "p1", "type": "ping", "host": "10.8.0.1", "packets": 1,
         "retries": 2, **timing},
        {"name": "p2", "type": "ping", "host": "10.8.0.2", "packets": 1,
         "retries": 0, **timing},
        {"name": "p3", "type": "ping", "host": "10.8.0.3", "packets": 1,
         "retries": 1, **timing},
        {"name": "p4", "type": "ping", "host": "10.8.0.4", "packets": 1,
         "retries": 0, **timing},
    ]


def daemon(make_daemon, tmp_path, **net):
    script = tmp_path / "tell"
    told = tmp_path / "told"
    script.write_text('#!/bin/sh\necho "$VEDETTE_EVENT" "$VEDETTE_NAME" '
                      f'"$VEDETTE_TITLE" >> {told}\n')
    script.chmod(0o755)
    d = make_daemon({
        "net": net,
        "alerts": {"group_wait": "0s", "group_max": "0s",
                   "exec_allow": [str(tmp_path)]},
        "channels": [{"name": "run", "type": "exec",
                      "command": [str(script)]}],
        "monitors": monitors()})
    return d, lambda: told.read_text().splitlines() if told.exists() else []


@pytest.mark.parametrize("where", ["there", "here"])
def test_a_lost_link_is_ours(make_daemon, network, tmp_path, where):
    """The other end goes dark, or our own; the gateway is found by itself."""
    d, told = daemon(make_daemon, tmp_path)
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "up", timeout=30)
        d.wait_samples(p, 3)   # the gateway has answered once by now
    ns, link = (network + "b", "ba") if where == "there" else \
        (network + "a", "ab")
    subprocess.run(["ip", "-n", ns, "link", "set", link, "down"], check=True)
    for p in ("p1", "p2", "p3", "p4"):
        m = d.wait_status(p, "unknown", timeout=60, why="blind")
        assert m["why"] == "blind", m
    assert told() == []
    subprocess.run(["ip", "-n", ns, "link", "set", link, "up"], check=True)
    if where == "here":   # the route went with the link
        subprocess.run(["ip", "-n", ns, "route", "replace", "default", "via",
                        "10.7.0.2"], check=True)
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "up", timeout=60)
    harness.wait_for(told, 30, "the message")
    states = {t["to"] for t in d.api.items("/api/v1/transitions")}
    assert "down" not in states, states
    assert len(told()) == 1 and told()[0].startswith("sight "), told()
    assert "BLIND: vedette saw nothing for" in told()[0]
    texts = [e["text"] for e in d.api.items("/api/v1/events")]
    assert len([t for t in texts if t and t.startswith("blind from ")]) == 1
    whys = {s["why"] for s in d.samples("p1")}
    assert whys & {"local_sight", "local_route"}, whys


def test_a_restart_in_the_dark(make_daemon, network, tmp_path):
    """Nobody is down after it, and the one message has the first beginning."""
    d, told = daemon(make_daemon, tmp_path)
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "up", timeout=30)
        d.wait_samples(p, 3)
    subprocess.run(["ip", "-n", network + "b", "link", "set", "ba", "down"],
                   check=True)
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "unknown", timeout=60, why="blind")
    lost = [e for e in d.api.items("/api/v1/events")
            if (e["text"] or "").startswith("sight is lost")]
    assert len(lost) == 1, lost
    d.kill()
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    seen = {p: max(s["seq"] for s in d.samples(p)) for p in ("p2", "p4")}
    for p, seq in seen.items():   # some checks in the dark of this life
        harness.wait_for(lambda p=p, seq=seq: max(
            s["seq"] for s in d.samples(p)) >= seq + 3, 30, "checks")
    assert told() == []
    subprocess.run(["ip", "-n", network + "b", "link", "set", "ba", "up"],
                   check=True)
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "up", timeout=60)
    harness.wait_for(told, 30, "the message")
    assert len(told()) == 1 and told()[0].startswith("sight "), told()
    states = {t["to"] for t in d.api.items("/api/v1/transitions")}
    assert "down" not in states, states
    blind = [e["text"] for e in d.api.items("/api/v1/events")
             if (e["text"] or "").startswith("blind from ")]
    assert len(blind) == 1, blind
    assert lost[0]["at"][:19] in blind[0], (lost, blind)
    # What is not known to have left when it is killed is told again.
    harness.wait_for(lambda: any(
        t["result"] == "sent" for t in
        d.api.items("/api/v1/channels/run/deliveries")), 30, "it is settled")
    d.kill()
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    d.wait_status("p2", "up", timeout=60)
    assert len(told()) == 1, "it is over"


def test_while_the_gateway_answers_it_is_they(make_daemon, network, tmp_path):
    """Everything that is watched goes at once, the way out does not."""
    d, told = daemon(make_daemon, tmp_path, beacons=["ping://10.7.0.2"])
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "up", timeout=30)
    for i in range(1, 5):
        subprocess.run(["ip", "-n", network + "b", "addr", "del",
                        f"10.8.0.{i}/32", "dev", "lo"], check=True)
    for p in ("p1", "p2", "p3", "p4"):
        d.wait_status(p, "down", timeout=60)
    harness.wait_for(told, 30, "the messages")
    assert not [t for t in told() if t.startswith("sight")], told()


def test_without_beacons_nobody_is_asked(make_daemon, network, tmp_path):
    d, told = daemon(make_daemon, tmp_path, beacons=[])
    d.start(wrap=("ip", "netns", "exec", network + "a"))
    d.wait_status("p2", "up", timeout=30)
    subprocess.run(["ip", "-n", network + "b", "link", "set", "ba", "down"],
                   check=True)
    d.wait_status("p2", "down", timeout=60)


def test_words_that_are_no_beacon(make_daemon):
    d = make_daemon({"net": {"beacons": ["gateway", "http://x"]},
                     "monitors": []})
    d.start(ready=False)
    assert d.proc.wait(20) == 2
    log = d.log() + open(d.out_path).read()
    assert "beacons" in log and "ping://HOST" in log, log
