"""What is written about vedette is what vedette does."""

import os
import re
import shutil
import subprocess

import pytest

import harness
from harness import ROOT, run


def read(*parts):
    with open(os.path.join(ROOT, *parts)) as f:
        return f.read()


def test_the_option_reference_is_up_to_date():
    p = run("reference")
    assert p.returncode == 0
    assert p.stdout == read("docs", "options.md"), \
        "run: build/vedette reference > docs/options.md"


def test_the_manual_names_every_command_and_flag():
    page = read("docs", "vedette.1").replace("\\-", "-")
    names = re.findall(r"^  ([a-z][a-z-]*)  ", run("help").stdout, re.M)
    assert len(names) > 10
    for name in names:
        assert re.search(rf"^\.B[IR]? \"?{name}\b", page, re.M), name
        for flag in re.findall(r"(--[a-z]+)", run("help", name).stdout):
            assert flag in page, (name, flag)


def test_the_manual_is_well_formed():
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    p = subprocess.run(
        ["man", "--warnings=w", "-l", "-Tutf8", "-P", "cat",
         os.path.join(ROOT, "docs", "vedette.1")],
        capture_output=True, text=True, env={**os.environ, "LC_ALL":
                                             "C.UTF-8", "MANWIDTH": "80"})
    assert p.returncode == 0 and "warning" not in p.stderr, p.stderr


def yaml_blocks(text):
    return re.findall(r"```yaml\n(.*?)```", text, re.S)


def test_every_example_is_valid(tmp_path):
    n = 0
    for name in ("README.md", "docs/channels.md", "examples/vedette.yaml"):
        text = read(name)
        blocks = yaml_blocks(text) if name.endswith(".md") else [text]
        assert blocks, name
        for block in blocks:
            path = tmp_path / f"{n}.yaml"
            path.write_text(block)
            n += 1
            p = run("check-config", path)
            assert p.returncode == 0, (name, p.stderr, block)
    assert n >= 6


def test_what_the_example_file_only_suggests_is_valid(tmp_path):
    """With every "#" before an option taken away, as people will do."""
    text, n = re.subn(r"^(  )?# ((?:[a-z]+:| {2}|- name:).*)$", r"\1\2",
                      read("examples", "vedette.yaml"), flags=re.M)
    text = re.sub(r"^ +(?:vedette|kill|curl) .*$", "", text, flags=re.M)
    assert n > 40
    path = tmp_path / "vedette.yaml"
    path.write_text(text)
    p = run("check-config", path)
    assert p.returncode == 0, p.stderr + text
    p = run("channel", "preview", "ops", "-f", path)
    assert p.returncode == 0, p.stderr


def test_the_example_file_runs(make_daemon):
    """examples/vedette.yaml watches what is on any machine."""
    d = make_daemon()
    text = read("examples", "vedette.yaml")
    d.configure(text)
    d.start(env={"VEDETTE_SERVER_HTTP": f"127.0.0.1:{d.port}",
                 "VEDETTE_SERVER_DATA": d.data})
    types = {m["type"] for m in d.api.items("/api/v1/monitors")}
    assert {"http", "tcp", "ping", "dns", "push"} <= types


def test_the_readme_names_only_commands_that_exist():
    names = set(re.findall(r"^  ([a-z][a-z-]*)  ", run("help").stdout, re.M))
    for used in re.findall(r"^\$? ?(?:build/)?vedette ([a-z-]+)",
                           read("README.md"), re.M):
        assert used in names, used


def test_the_changelog_has_an_unreleased_section():
    assert "## Unreleased" in read("CHANGELOG.md")


def test_every_promise_of_the_store_names_what_exists():
    text = read("docs", "store.md")
    ids = re.findall(r"^\| ([SFW]\d+) \|", text, re.M)
    assert ids == [f"{k}{i}" for k, n in (("S", 38), ("F", 39), ("W", 20))
                   for i in range(1, n + 1)]
    for row in re.findall(r"^\| [SFW]\d+ .*$", text, re.M):
        shown = re.search(r"\| `(tests/[\w/]+\.\w+):(\w+)` \|$", row)
        assert shown, row
        source = read(shown[1])
        assert re.search(rf"^(def )?{shown[2]}\(", source, re.M), row
        if shown[1].endswith(".c"):
            assert f"cmocka_unit_test({shown[2]})" in source, row
        where = row.split("|")[3]
        files = re.findall(r"`(src/[\w/]+\.\w+)`((?: [a-z]+_\w+,?)*)", where)
        for name, functions in files:
            source = read(name)
            for f in re.findall(r"\w+", functions):
                assert f in source, (name, f, row)
