"""Badges: well-formed SVG whatever the monitor is called."""

import xml.etree.ElementTree as ET

import harness


def texts(a):
    assert a.status == 200 and "svg" in a.headers["Content-Type"], a
    assert a.headers["Cache-Control"].startswith("public"), a
    root = ET.fromstring(a.text)
    assert {e.tag.split("}")[1] for e in root.iter()} == {
        "svg", "rect", "path", "g", "text"}
    return [e.text for e in root.iter() if e.tag.endswith("}text")]


def test_the_three_by_name_and_id(make_daemon):
    evil = "<script>alert(1)\"'&"
    server = harness.TcpServer(lambda conn: conn.recv(1))
    port = server.port
    try:
        tcp = {"type": "tcp", "host": "127.0.0.1", "port": port,
               "interval": "1s", "retries": 0, "hide_target": True}
        d = make_daemon({"monitors": [
            {"name": "Shop", **tcp}, {"name": evil, **tcp},
            {"name": "G", "type": "group",
             "monitors": [{"name": "In", **tcp}]},
            {"name": "Off", **tcp, "port": harness.free_port()}]}).start()
        for name in ("Shop", "G/In"):
            d.wait_status(name, "up")
        d.wait_status("Off", "down")
        get = d.tcp().get
        assert texts(get("/badge/Shop/status.svg")) == ["Shop", "up"]
        assert texts(get("/badge/Off/status.svg")) == ["Off", "down"]
        assert texts(get("/badge/In/status.svg")) == ["In", "up"]
        for path in ("G/In", "G%2FIn", "G%2fIn"):
            got = get(f"/badge/{path}/status.svg")
            assert texts(got) == ["In", "up"]
        assert get("/badge/G/Shop/status.svg").status == 404
        by_id = get(f"/badge/{d.id('Shop')}/status.svg")
        assert texts(by_id) == ["Shop", "up"]
        harness.wait_for(lambda: texts(get("/badge/Shop/uptime.svg"
                                           "?window=7d")) ==
                         ["Shop", "100% 7d"], what="some uptime")
        assert texts(get("/badge/Off/uptime.svg"))[1] != "100% 90d"
        assert texts(get("/badge/Shop/response.svg"))[1].endswith("s")
        got = get("/badge/" + harness.urllib.parse.quote(evil)
                  + "/status.svg")
        assert texts(got)[0] == evil
        assert "<script" not in got.text and str(port) not in got.text
        assert get("/badge/Nobody/status.svg").status == 404
        assert get("/badge/Shop/uptime.svg?window=2y").status == 400
    finally:
        server.close()
