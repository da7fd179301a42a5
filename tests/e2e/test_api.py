"""The API: paging, filters, edits of one monitor, tokens and scopes, history,
live events."""

import http.client
import json
import urllib.parse
import os
import socket
import threading
import time

import pytest

import harness
from harness import Sse, seconds

PUSH = {"type": "push", "interval": "1h", "grace": "1h"}


def problem(a, status, field=None):
    assert a.status == status, a
    assert a.headers["Content-Type"].startswith("application/problem+json")
    p = a.json()
    assert p["status"] == status and p["title"] and p["detail"]
    if field is not None:
        assert p["field"] == field, p
    return p


def test_list_pages_and_filters(make_daemon):
    d = make_daemon({"monitors": [
        {"name": "G", "type": "group", "monitors": [
            {"name": f"P{i:02}", **PUSH, "tags": ["even"] if i % 2 == 0
             else ["odd"]} for i in range(25)]},
        {"name": "T", "type": "tcp", "host": "127.0.0.1", "port": 9}]})
    d.start()
    everything = d.api.items("/api/v1/monitors")
    assert len(everything) == 27
    for limit in (1, 7, 27):
        assert [m["id"] for m in d.api.items("/api/v1/monitors", limit)] == \
            [m["id"] for m in everything]
    get = lambda q: {m["path"] for m in d.api.items("/api/v1/monitors?" + q)}
    assert get("name=G/P03") == {"G/P03"}
    assert get("name=nothing") == set()
    assert get("type=tcp") == {"T"}
    assert len(get("group=G&type=push")) == 25
    assert len(get("tag=odd")) == 12
    assert len(get("status=pending&type=push")) == 25
    assert get("search=p1&tag=even") == {"G/P10", "G/P12", "G/P14", "G/P16",
                                         "G/P18"}
    for bad in ("limit=0", "limit=1001", "limit=x", "status=fine",
                "cursor=junk", "type=gopher"):
        problem(d.api.get("/api/v1/monitors?" + bad), 400, bad.split("=")[0])
    problem(d.api.get("/api/v1/monitors?nope=1"), 400)


def test_shapes(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "W", "type": "http", "url": web.url, "interval": "1s",
         "auth": {"user": "u", "password": "hush-hush"}}]}).start()
    d.wait_status("W", "up")
    m = d.monitor("W")
    assert set(m) >= {
        "id", "name", "path", "group", "type", "status", "why", "reason",
        "since", "last", "latency_us", "paused", "origin", "archived",
        "version", "target", "tags", "description", "members",
        "cert_expires", "uptime_90d", "next_deadline", "config"}
    assert m["group"] is None and m["members"] is None
    assert m["config"]["type"] == "http"
    assert "hush-hush" not in json.dumps(m)
    seconds(m["since"]), seconds(m["last"])
    s = d.wait_samples("W")[0]
    assert set(s) >= {"monitor", "node", "seq", "due", "at", "status", "why",
                      "reason", "latency_us", "phases", "lag_us", "bytes",
                      "code", "peer", "recheck", "cert_expires"}
    t = d.transitions("W")[-1]
    assert set(t) >= {"id", "monitor", "name", "at", "from", "to", "why",
                      "reason", "seq"}
    assert (t["from"], t["to"]) == ("pending", "up")
    e = d.events()[-1]
    assert set(e) >= {"id", "at", "kind", "actor", "subject", "monitor",
                      "text", "from", "to", "why"}


def test_the_event_log_is_filtered(make_daemon):
    tokens = {"a": "a" * 24, "b": "b" * 24}
    d = make_daemon({"monitors": [
        {"name": n, **PUSH, "token": t} for n, t in tokens.items()]}).start()
    ids = {}
    for name, token in tokens.items():
        assert d.api.get("/push/" + token).status == 200
        ids[name] = d.monitor(name)["id"]
    mine = f"/api/v1/events?kind=transition&monitor={ids['a']}"
    of_a = d.api.items(mine)
    assert of_a
    assert all(e["kind"] == "transition" and e["monitor"] == ids["a"]
               for e in of_a)
    at = urllib.parse.quote(of_a[-1]["at"])
    assert d.api.items(f"{mine}&to={at}") == []
    assert d.api.items(f"{mine}&from={at}") == of_a
    kinds = {e["kind"] for e in d.api.items("/api/v1/events?kind=config,start")}
    assert kinds == {"config", "start"}
    r = d.api.get("/api/v1/events?kind=nonsense")
    assert r.status == 400 and "transition" in r.json()["detail"]


def test_create_get_patch_put_delete(make_daemon):
    d = make_daemon({}).start()
    a = d.api.post("/api/v1/monitors", {"name": "A", **PUSH, "tags": ["x"]})
    assert a.status == 201, a
    m = a.json()
    where = a.headers["Location"]
    assert where == f"/api/v1/monitors/{m['id']}"
    assert a.headers["ETag"] == f"\"{m['version']}\""
    g = d.api.get(where)
    assert g.headers["ETag"] == a.headers["ETag"] and g.json() == m

    # PATCH changes the named fields and no other.
    p = d.api.patch(where, {"description": "d", "grace": "30m"},
                    headers={"Content-Type": "application/merge-patch+json"})
    assert p.status == 200, p
    n = p.json()
    assert n["description"] == "d" and n["config"]["grace"] == "30m"
    assert n["config"]["interval"] == m["config"]["interval"]
    assert n["config"]["token"] == m["config"]["token"]
    assert n["tags"] == ["x"] and n["version"] > m["version"]
    p = d.api.patch(where, {"description": None})
    assert p.status == 200 and not p.json()["description"]

    # PUT replaces; what is secret and not named stays.
    p = d.api.put(where, {"name": "A", **PUSH, "interval": "2h"})
    assert p.status == 200, p
    assert p.json()["tags"] == [] and p.json()["config"]["interval"] == "2h"
    assert p.json()["config"]["token"] == m["config"]["token"]

    assert d.api.delete(where).status in (200, 204)
    problem(d.api.get(where), 404)
    problem(d.api.delete(where), 404)


def test_invalid_edits_are_refused_with_the_field(make_daemon):
    d = make_daemon({}).start()
    post = lambda body: d.api.post("/api/v1/monitors", body)
    mid = post({"name": "A", **PUSH}).json()["id"]
    where = f"/api/v1/monitors/{mid}"
    before = d.api.get(where).json()
    for body, field in (
            ({"name": "B", "type": "push", "interval": "0s"}, "interval"),
            ({"name": "B", "type": "push", "intervall": "1s"}, "intervall"),
            ({"name": "B", "type": "tcp", "host": "h"}, "port"),
            ({"name": "B", "type": "nope"}, "type"),
            ({"name": "", "type": "push"}, "name"),
            ({"type": "push"}, "name")):
        a = post(body)
        assert a.status in (400, 422), (body, a)
        assert field in problem(a, a.status)["field"]
    for body, field in (({"interval": "1ms"}, "interval"),
                        ({"hosst": "x"}, "hosst"),
                        ({"tags": {"a": 1}}, "tags")):
        a = d.api.patch(where, body)
        assert a.status in (400, 422), (body, a)
        assert field in problem(a, a.status)["field"]
    for raw in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name":1e999}',
                b"[" * 5000):
        a = d.api.post("/api/v1/monitors", raw,
                       headers={"Content-Type": "application/json"})
        assert a.status in (400, 422), (raw[:20], a)
    a = post({"name": "A", **PUSH})
    problem(a, 409)
    assert d.api.get(where).json() == before
    assert len(d.api.items("/api/v1/monitors")) == 1


def test_if_match_guards_against_lost_updates(make_daemon):
    d = make_daemon({}).start()
    a = d.api.post("/api/v1/monitors", {"name": "A", **PUSH})
    where, etag = a.headers["Location"], a.headers["ETag"]
    results = []

    def edit(i):
        results.append(d.api.patch(where, {"description": f"by {i}"},
                                   headers={"If-Match": etag}).status)
    threads = [threading.Thread(target=edit, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(results) == [200] + [412] * 7
    problem(d.api.delete(where, headers={"If-Match": etag}), 412)
    problem(d.api.put(where, {"name": "A", **PUSH},
                      headers={"If-Match": '"999"'}), 412)
    assert d.api.patch(where, {"description": "x"},
                       headers={"If-Match": "*"}).status == 200


def test_unknown_routes_methods_and_ids(daemon):
    problem(daemon.api.get("/api/v1/nothing"), 404)
    problem(daemon.api.get("/api/v1/monitors/4294967295"), 404)
    for bad in ("0", "-1", "abc", "99999999999999999999", "1%00", "%2e%2e"):
        problem(daemon.api.get("/api/v1/monitors/" + bad), 404)
    a = daemon.api.request("PUT", "/api/v1/monitors")
    problem(a, 405)
    assert "POST" in a.headers["Allow"]
    assert daemon.api.get("/api/v1/openapi.json").json()["openapi"]


def test_bodies_have_a_limit(daemon):
    try:
        a = daemon.api.post("/api/v1/monitors",
                            b'{"name":"' + b"x" * (40 << 20))
        assert a.status == 413, a
    except (BrokenPipeError, ConnectionResetError):
        pass    # answered and closed while we were still sending
    assert daemon.api.get("/healthz").status == 200


def test_uptime_over_a_window(make_daemon):
    token = "u" * 32
    d = make_daemon({"monitors": [
        {"name": "P", **PUSH, "token": token}]}).start()
    d.push(token)
    time.sleep(2)
    d.push(token, "?status=down")
    time.sleep(1)
    d.push(token)
    up = d.api.get(f"/api/v1/monitors/{d.id('P')}/uptime").json()
    t = [seconds(x["at"]) for x in d.transitions("P")[-3:]]
    assert up["down_seconds"] == pytest.approx(t[2] - t[1], abs=0.01)
    assert up["outages"] == 1 and "ratio" in up["rules"]
    ratio = up["up_seconds"] / (up["up_seconds"] + up["down_seconds"])
    assert up["ratio"] == pytest.approx(ratio, abs=1e-3)
    # Edges are exact: a window inside the outage is all down.
    q = f"?from={stamp(t[1] + .1)}&to={stamp(t[1] + .6)}"
    w = d.api.get(f"/api/v1/monitors/{d.id('P')}/uptime{q}").json()
    assert w["ratio"] == 0 and w["down_seconds"] == pytest.approx(.5, abs=.001)
    problem(d.api.get(f"/api/v1/monitors/{d.id('P')}/uptime"
                      "?from=2026-01-02&to=2026-01-01"), 400)
    problem(d.api.get(f"/api/v1/monitors/{d.id('P')}/uptime?from=soon"), 400,
            "from")


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + \
        f".{int(t % 1 * 1e6):06d}Z"


def test_samples_page_by_seq_and_window(make_daemon):
    token = "s" * 32
    d = make_daemon({"monitors": [
        {"name": "P", **PUSH, "token": token}]}).start()
    for _ in range(30):
        assert d.push(token).status == 200
    base = f"/api/v1/monitors/{d.id('P')}/samples"
    all_ = [s["seq"] for s in d.api.items(base)]
    assert all_ == list(range(30, 0, -1))
    assert [s["seq"] for s in d.api.items(base, 7)] == all_
    at = d.api.items(base)[10]["at"]
    older = d.api.items(f"{base}?to={at}")
    assert [s["seq"] for s in older] == list(range(19, 0, -1))
    newer = d.api.items(f"{base}?from={at}")
    assert [s["seq"] for s in newer] == list(range(30, 19, -1))


# -- tokens -------------------------------------------------------------------

def test_tcp_needs_a_token_except_for_what_is_public(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    open_ = d.tcp()
    for path in ("/", "/status.json", "/metrics", "/healthz", "/readyz",
                 "/api/v1/openapi.json"):
        assert open_.get(path).status == 200, path
    for path in ("/api/v1/monitors", "/api/v1/events", "/api/v1/export",
                 "/api/v1/tokens", "/api/v1/channels",
                 "/api/v1/store/stats", "/api/v1/transitions",
                 "/api/v1/events/stream"):
        a = open_.get(path)
        problem(a, 401)
        assert a.headers["WWW-Authenticate"].startswith("Bearer")
    for bad in ("", "x", "vdt_" + "0" * 64):
        problem(d.tcp(bad or " ").get("/api/v1/monitors"), 401)


def test_scopes(make_daemon):
    d = make_daemon({"monitors": [{"name": "P", **PUSH}]}).start()
    tokens = {}
    for scope in ("read", "write", "admin"):
        a = d.api.post("/api/v1/tokens", {"name": scope, "scope": scope})
        assert a.status == 201, a
        tokens[scope] = a.json()["token"]
    mid = d.id("P")
    calls = [
        ("read", "GET", "/api/v1/monitors", None),
        ("read", "GET", "/api/v1/export", None),
        ("write", "PATCH", f"/api/v1/monitors/{mid}", {"description": "x"}),
        ("write", "POST", f"/api/v1/monitors/{mid}/pause", None),
        ("write", "POST", f"/api/v1/monitors/{mid}/resume", None),
        ("admin", "GET", "/api/v1/export?secrets=true", None),
        ("admin", "GET", "/api/v1/tokens", None),
        ("admin", "POST", "/api/v1/apply?dry_run=true", {"monitors": []}),
    ]
    order = ["read", "write", "admin"]
    for need, method, path, body in calls:
        for has in order:
            a = d.tcp(tokens[has]).request(method, path, body)
            if order.index(has) >= order.index(need):
                assert a.status in (200, 201, 204), (has, path, a)
            else:
                problem(a, 403)
    # The push token is a secret that read does not see.
    m = d.tcp(tokens["read"]).get(f"/api/v1/monitors/{mid}").json()
    assert "token" not in m["config"]
    m = d.tcp(tokens["write"]).get(f"/api/v1/monitors/{mid}").json()
    assert len(m["config"]["token"]) >= 22
    # Hashed at rest, never in the log.
    listed = d.api.get("/api/v1/tokens").text
    assert not any(t in listed for t in tokens.values())
    d.stop()
    with open(f"{d.data}/vedette.db", "rb") as f:
        raw = f.read()
    for t in tokens.values():
        assert t.encode() not in raw and t not in d.log()


def test_tokens_expire_and_survive_a_restart(make_daemon):
    d = make_daemon({}).start()
    short = d.api.post("/api/v1/tokens", {
        "name": "short", "scope": "read", "expires": "2s"}).json()["token"]
    long = d.api.post("/api/v1/tokens", {
        "name": "long", "scope": "read"}).json()["token"]
    assert d.tcp(short).get("/api/v1/monitors").status == 200
    d.kill()
    d.start()
    assert d.tcp(long).get("/api/v1/monitors").status == 200
    harness.wait_for(
        lambda: d.tcp(short).get("/api/v1/monitors").status == 401, 5,
        "the end of the token")
    for body in ({"name": "a b", "scope": "read"},
                 {"name": "x", "scope": "root"},
                 {"name": "x", "scope": "read", "expires": "yesterday"}):
        problem(d.api.post("/api/v1/tokens", body), 422)


# -- live ---------------------------------------------------------------------

def test_sse_resumes_without_gap_or_repeat(make_daemon):
    token = "e" * 32
    d = make_daemon({"monitors": [
        {"name": "P", **PUSH, "token": token}]}).start()
    s = d.events_stream()
    assert s.status == 200
    assert s.response.headers["Content-Type"].startswith("text/event-stream")
    d.push(token)
    harness.wait_for(lambda: s.named("transition"), what="the transition")
    ev = s.named("transition")[-1]
    body = json.loads(ev["data"])
    assert (body["from"], body["to"]) == ("pending", "up")
    assert int(ev["id"]) == body["id"]
    s.close()
    # While nobody listens, more happens; even over a restart.
    d.push(token, "?status=down&msg=one")
    d.stop()
    d.start()
    d.push(token, "?status=up")
    s = d.events_stream(last_id=ev["id"])
    try:
        want = [e["id"] for e in d.events() if e["id"] > body["id"]]
        harness.wait_for(lambda: len([e for e in s.events if "id" in e])
                         >= len(want), what="what was missed")
        got = [int(e["id"]) for e in s.events if "id" in e]
        assert got[:len(want)] == want
    finally:
        s.close()


def test_sse_many_clients_and_a_limit(make_daemon):
    token = "r" * 32
    d = make_daemon({"limits": {"sse_clients": 3}, "monitors": [
        {"name": "P", **PUSH, "token": token}]}).start()
    streams = [d.events_stream() for _ in range(3)]
    try:
        assert all(s.status == 200 for s in streams)
        more = d.events_stream()
        assert more.status == 503
        more.close()
        assert d.api.get("/healthz").status == 200
    finally:
        [s.close() for s in streams]
    harness.wait_for(lambda: try_stream(d, token), what="room again")


def try_stream(d, token):
    """That a client has gone is noticed when something is sent to it."""
    for status in ("down", "up"):
        assert d.push(token, "?status=" + status).status == 200
    s = d.events_stream()
    s.close()
    return s.status == 200


def test_no_streams_when_none_are_allowed(make_daemon):
    d = make_daemon({"limits": {"sse_clients": 0}, "monitors": []}).start()
    s = d.events_stream()
    assert s.status == 503
    s.close()


def test_sse_says_when_samples_come(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "W", "type": "http", "url": web.url,
         "interval": "1s"}]}).start()
    s = d.events_stream()
    try:
        harness.wait_for(lambda: s.named("sample"), what="a live sample")
    finally:
        s.close()


# -- event log ----------------------------------------------------------------

def test_the_event_log_says_who_did_what(make_daemon):
    d = make_daemon({"monitors": [{"name": "F", **PUSH}]}).start()
    a = d.api.post("/api/v1/monitors", {"name": "H", **PUSH})
    where = a.headers["Location"]
    t = d.api.post("/api/v1/tokens", {"name": "ci", "scope": "write"}).json()
    d.tcp(t["token"]).patch(where, {"description": "x"})
    d.tcp(t["token"]).post(where + "/pause")
    d.api.delete(where)
    d.api.delete("/api/v1/tokens/ci")
    d.stop()
    d.start()
    ev = d.events()
    assert [e["id"] for e in ev] == sorted({e["id"] for e in ev})
    said = [(e["kind"], e["actor"], e["subject"]) for e in ev]
    has = lambda kind, actor, subject: any(
        k == kind and actor in (a or "") and (s or "") == subject
        for k, a, s in said)
    assert has("config", "file", "F"), said
    assert has("config", f"uid:{os.geteuid()}", "H"), said
    assert has("config", "token:ci", "H"), said
    assert has("transition", "token:ci", "H"), said
    assert has("access", f"uid:{os.geteuid()}", "ci"), said
    kinds = [e["kind"] for e in ev]
    assert kinds.count("start") == 2 and kinds.count("stop") == 1


# -- wire ---------------------------------------------------------------------

@pytest.mark.parametrize("raw", [
    b"\0" * 100, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000,
    b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/v1/monitors HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 99999999999999999999\r\n\r\n",
    b"POST /api/v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/apply HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    b"GET /%zz%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /static/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /static/%2e%2e%2fvedette.db HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=["zeros", "headers", "long path", "length", "negative", "chunk",
        "escapes", "dots", "escaped dots"])
def test_malformed_requests_hurt_nobody(daemon, raw):
    s = socket.create_connection(("127.0.0.1", daemon.port), 10)
    s.settimeout(1.5)   # it may keep the connection open for the next request
    answer = b""
    try:
        s.sendall(raw)
        s.shutdown(socket.SHUT_WR)
        while True:
            chunk = s.recv(65536)
            if not chunk:
                break
            answer += chunk
    except OSError:
        pass
    s.close()
    assert not answer.startswith(b"HTTP/1.1 200"), answer[:200]
    assert b"root:" not in answer
    assert daemon.tcp().get("/healthz").status == 200


def test_a_slow_client_keeps_nobody_waiting(daemon):
    slow = []
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", daemon.port), 10)
        s.sendall(b"GET /api/v1/monitors HTTP/1.1\r\nHost:")
        slow.append(s)
    start = time.monotonic()
    for _ in range(20):
        assert daemon.tcp().get("/healthz").status == 200
    assert time.monotonic() - start < 5 * harness.SLOW
    [s.close() for s in slow]
