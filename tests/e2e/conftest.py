"""Fixtures of the end-to-end tests; see harness.py."""

import os

import pytest

import harness


def pytest_configure(config):
    if not os.access(harness.BINARY, os.X_OK):
        pytest.exit(f"{harness.BINARY} is not there: build it, or set VEDETTE",
                    returncode=2)


@pytest.fixture
def make_daemon(tmp_path):
    """make_daemon(config) → a Daemon that is not started; ended and its log
    examined after the test."""
    made = []

    def make(config=None, **kw):
        d = tmp_path / f"v{len(made)}"
        d.mkdir()
        made.append(harness.Daemon(d, config, **kw))
        return made[-1]
    yield make
    errors = []
    for daemon in made:
        try:
            daemon.finish()
        except AssertionError as e:
            errors.append(str(e))
    assert not errors, "\n".join(errors)


@pytest.fixture
def daemon(make_daemon):
    """A daemon with no monitors, running."""
    return make_daemon({}).start()


@pytest.fixture
def closing():
    """closing(x) → x, whose close() is called after the test."""
    things = []

    def keep(x):
        things.append(x)
        return x
    yield keep
    for x in reversed(things):
        x.close()


@pytest.fixture
def web(closing):
    return closing(harness.WebServer())
