"""/metrics in the Prometheus text format, read by a strict parser; the names
that others may rely on; zeros from the start."""

import re

import harness

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
VALUE = r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+|Inf|NaN)"


def unescape(s):
    out, i = "", 0
    while i < len(s):
        if s[i] == "\\":
            out += {"\\": "\\", '"': '"', "n": "\n"}[s[i + 1]]
            i += 2
        else:
            assert s[i] not in '"\n'
            out += s[i]
            i += 1
    return out


def labels(text):
    """{a="b",c="d"} without the braces."""
    out, i = {}, 0
    while i < len(text):
        m = re.compile(rf'({LABEL})="((?:[^"\\\n]|\\[\\"n])*)"').match(text, i)
        assert m, text[i:]
        assert m[1] not in out, "a label twice"
        out[m[1]] = unescape(m[2])
        i = m.end()
        if i < len(text):
            assert text[i] == ",", text[i:]
            i += 1
    return out


def parse(text):
    """{family: (type, {(name, labels): value})}, or an assertion."""
    assert text.endswith("\n")
    families, current = {}, None
    for line in text[:-1].split("\n"):
        m = re.fullmatch(rf"# HELP ({NAME}) (.*)", line)
        if m:
            assert m[1] not in families, f"{m[1]} in two places"
            assert re.fullmatch(r"(?:[^\\]|\\\\|\\n)*", m[2])
            families[m[1]] = [None, {}]
            current = m[1]
            continue
        m = re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line)
        if m:
            assert m[1] == current and families[current][0] is None, line
            assert not families[current][1], "TYPE comes first"
            families[current][0] = m[2]
            continue
        m = re.fullmatch(rf"({NAME})(?:\{{(.*)\}})? ({VALUE})", line)
        assert m, repr(line)
        kind, rows = families[current]
        assert kind is not None, "no TYPE"
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" \
            else ("",)
        assert m[1] in [current + s for s in suffixes], line
        key = (m[1], tuple(sorted(labels(m[2] or "").items())))
        assert key not in rows, f"a series twice: {line}"
        value = float(m[3].replace("Inf", "inf").replace("NaN", "nan"))
        if kind != "gauge":
            assert value >= 0
        if kind == "counter":
            assert current.endswith("_total"), current
        rows[key] = value
    for name, (kind, rows) in families.items():
        if kind == "histogram":
            check_histogram(name, rows)
    return {k: (v[0], v[1]) for k, v in families.items()}


def check_histogram(name, rows):
    series = {}
    for (n, ls), v in rows.items():
        ls = dict(ls)
        le = ls.pop("le", None)
        series.setdefault(tuple(sorted(ls.items())), {})[(n, le)] = v
    for s in series.values():
        buckets = [(float(le.replace("+Inf", "inf")), v)
                   for (n, le), v in s.items() if n == name + "_bucket"]
        assert buckets == sorted(buckets), "bounds rise"
        counts = [v for _, v in buckets]
        assert counts == sorted(counts), "buckets are cumulative"
        assert buckets[-1][0] == float("inf")
        assert s[(name + "_count", None)] == counts[-1]
        assert (name + "_sum", None) in s


def value(families, family, **want):
    rows = families[family][1]
    hits = [v for (n, ls), v in rows.items()
            if want.items() <= dict(ls).items()]
    assert len(hits) == 1, (family, want, rows)
    return hits[0]


def test_format_names_and_values(make_daemon, web):
    d = make_daemon({"monitors": [
        {"name": "W", "type": "http", "url": web.url, "interval": "1s"},
        {"name": "Gone", "type": "tcp", "host": "127.0.0.1", "retries": 0,
         "port": harness.free_port(), "interval": "1s"},
        {"name": "P", "type": "push"}]}).start()
    d.wait_status("W", "up")
    d.wait_status("Gone", "down")
    a = d.tcp().get("/metrics")
    assert a.headers["Content-Type"].startswith(
        "text/plain; version=0.0.4")
    f = parse(a.text)
    for name in ("monitor_up", "monitor_status", "check_duration_seconds",
                 "checks_total", "voided_total", "sched_lag_seconds",
                 "checks_in_flight", "writer_queue_depth",
                 "writer_queue_bytes", "store_commits_total",
                 "store_rows_total", "store_commit_seconds",
                 "store_wal_bytes", "store_checkpoints_total",
                 "store_errors_total", "dropped_total", "build_info"):
        assert "vedette_" + name in f, name
    for name in ("process_resident_memory_bytes", "process_open_fds"):
        assert value(f, name) > 0
    assert value(f, "vedette_monitor_up", name="W") == 1
    assert value(f, "vedette_monitor_up", name="Gone") == 0
    assert not [1 for (_, ls) in f["vedette_monitor_up"][1]
                if dict(ls)["name"] == "P"], "not known: absent"
    assert value(f, "vedette_monitor_status", name="Gone",
                 status="down") == 1
    assert value(f, "vedette_monitor_status", name="Gone", status="up") == 0
    assert value(f, "vedette_check_duration_seconds", name="W",
                 phase="first_byte") > 0
    assert f["vedette_sched_lag_seconds"][0] == "histogram"
    assert f["vedette_store_commit_seconds"][0] == "histogram"
    # Zeros are there before anything happened.
    kinds = {dict(ls)["kind"] for _, ls in f["vedette_dropped_total"][1]}
    assert kinds and sum(f["vedette_dropped_total"][1].values()) == 0
    whys = {dict(ls)["why"] for _, ls in f["vedette_voided_total"][1]}
    assert {"local_fds", "local_resolver", "local_late"} <= whys
    types = {dict(ls)["type"] for _, ls in f["vedette_checks_total"][1]}
    assert {"http", "tcp", "ping", "dns"} <= types
    commits = value(f, "vedette_store_commits_total")
    d.wait_samples("W", len(d.samples("W")) + 2)
    g = parse(d.metrics())
    assert value(g, "vedette_store_commits_total") > commits
    for name, (kind, rows) in f.items():
        if kind == "counter":
            for key, v in rows.items():
                assert g[name][1][key] >= v, (name, key)


def test_an_empty_daemon_has_well_formed_metrics(daemon):
    f = parse(daemon.metrics())
    assert f["vedette_monitor_up"][1] == {}


def test_metrics_are_open_on_loopback_only_if_so_configured(make_daemon):
    d = make_daemon({"metrics": {"public": True}}).start()
    assert d.tcp().get("/metrics").status == 200
