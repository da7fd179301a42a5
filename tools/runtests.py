"""runtests.py BUILD [SUITE...]: run every test and sum them up.

Suites: lint unit fault sim fuzz mutants e2e. Prints one line per suite as it
ends, a sign of life each minute until then, the output of what failed and why
something was skipped; the last line of all is always "N passed, N failed,
N skipped", and the exit status is 1 when anything failed. A sanitizer report
anywhere, also in a daemon that a test started, is a failure.

Environment: JOBS (programs at once), TEST_TIMEOUT (seconds per program),
SIM_SEEDS and SIM_FROM (200 from 1), PYTEST_ARGS (for example "-k push").
"""

import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor, wait

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TAIL = 30000  # bytes of a failing test's output that are shown
SUMMARY = re.compile(
    r"^(\d+) (?:passed|caught), (\d+) (?:failed|survived)"
    r"(?:, (\d+) skipped)?", re.M)


class Result:
    """What one program had to say: counts, its output if it failed, and why
    something was skipped."""

    def __init__(self, name, passed=0, failed=0, skipped=0, output=""):
        self.name = name
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.output = output
        self.notes = []


def environment(build):
    """The children's environment; sanitizer reports go into files, because a
    test may well throw the standard error of its daemon away."""
    env = dict(os.environ)
    reports = os.path.abspath(os.path.join(build, "san"))
    shutil.rmtree(reports, ignore_errors=True)
    os.makedirs(reports)
    common = "log_path=%s:abort_on_error=0" % os.path.join(reports, "report")
    env["ASAN_OPTIONS"] = common + (
        ":detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1")
    env["UBSAN_OPTIONS"] = common + ":print_stacktrace=1:halt_on_error=1"
    env["TSAN_OPTIONS"] = common + ":halt_on_error=0:second_deadlock_stack=1"
    supp = os.path.join(ROOT, "tools", "tsan.supp")
    if os.path.exists(supp):
        env["TSAN_OPTIONS"] += ":suppressions=" + supp
    supp = os.path.join(ROOT, "tools", "lsan.supp")
    if os.path.exists(supp):
        env["LSAN_OPTIONS"] = "suppressions=%s:print_suppressions=0" % supp
    env["VEDETTE"] = os.path.abspath(
        env.get("VEDETTE", os.path.join(build, "vedette")))
    env["VEDETTE_BUILD"] = os.path.abspath(build)
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env, reports


def run(argv, env, timeout):
    """Run to the end or to the deadline, in a process group of its own that
    is ended with it. Returns (exit status or None, output)."""
    try:
        child = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
    except OSError as e:
        return 127, "%s: %s" % (argv[0], e.strerror)
    try:
        out, _ = child.communicate(timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        status = None
        try:
            out, _ = child.communicate(timeout=10)
        except subprocess.TimeoutExpired as e:
            out = e.output or b""   # somebody who left the group holds it
    except KeyboardInterrupt:
        os.killpg(child.pid, signal.SIGKILL)
        raise
    return status, out.decode("utf-8", "replace")


def verdict(name, status, out, counts, timeout):
    """Counts that a program printed, and the truth of its exit status."""
    r = Result(name, *counts)
    if status is None:
        r.failed += 1
        out += "\n%s: killed after %d s" % (name, timeout)
    elif status != 0 and r.failed == 0:
        r.failed += 1
        out += "\n%s: exit status %d" % (name, status)
    elif status == 0 and r.failed > 0:
        out += "\n%s: says it failed, but exits with 0" % name
    if r.failed:
        r.output = out[-TAIL:]
    return r


def run_cmocka(path, env, timeout):
    """One cmocka program, by its TAP lines."""
    name = os.path.basename(path)
    env = dict(env, CMOCKA_MESSAGE_OUTPUT="TAP")
    status, out = run([path], env, timeout)
    # cmocka says "not ok 3 # SKIP name", after what the test printed.
    lines = re.findall(r"^(not )?ok \d+( # SKIP)?", out, re.M)
    skipped = sum(1 for _, skip in lines if skip)
    passed = sum(1 for bad, skip in lines if not bad and not skip)
    failed = sum(1 for bad, skip in lines if bad and not skip)
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", out, re.M))
    if planned == 0 or passed + failed + skipped < planned:
        # It ended in the middle: what did not run has not passed.
        failed += max(planned - passed - failed - skipped, 1)
        out += "\n%s: %d tests planned, %d reported" % (
            name, planned, passed + skipped)
    r = verdict(name, status, out, (passed, failed, skipped), timeout)
    r.notes = ["SKIPPED %s: %s%s" % (name, test, why and ": " + why)
               for why, test in re.findall(
                   r"^(?:skipped: (.*)\n)?not ok \d+ # SKIP (.*)", out, re.M)]
    return r


def run_summary(name, argv, env, timeout):
    """A program whose last lines say "N passed, N failed[, N skipped]"; one
    that prints no such line is one test."""
    status, out = run(argv, env, timeout)
    found = SUMMARY.findall(out)
    if found:
        counts = tuple(int(n or 0) for n in found[-1])
    else:
        counts = (1, 0, 0) if status == 0 else (0, 1, 0)
    return verdict(name, status, out, counts, timeout)


def run_pytest(build, env, timeout):
    """The end-to-end tests."""
    report = os.path.join(build, "e2e.xml")
    if os.path.exists(report):
        os.unlink(report)
    argv = ["/usr/bin/python3", "-m", "pytest", "-q", "-p",
            "no:cacheprovider", "--junitxml=" + report, "-ra",
            "tests/e2e"] + shlex.split(os.environ.get("PYTEST_ARGS", ""))
    status, out = run(argv, env, timeout)
    passed = failed = skipped = 0
    if os.path.exists(report):
        for case in ElementTree.parse(report).iter("testcase"):
            if (case.find("failure") is not None
                    or case.find("error") is not None):
                failed += 1
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    r = verdict("e2e", status, out, (passed, failed, skipped), timeout)
    r.notes = re.findall(r"^SKIPPED .*", out, re.M)
    return r


def names(kind):
    """The source files of a kind, from the script that the build uses."""
    out = subprocess.check_output(
        [os.path.join(ROOT, "tools", "sources.sh"), kind], text=True)
    return [line for line in out.splitlines() if line]


class Runner:
    """Runs suites and adds up."""

    def __init__(self, build):
        self.build = build
        self.tests = os.path.join(build, "tests")
        self.env, self.reports = environment(build)
        self.timeout = int(os.environ.get("TEST_TIMEOUT", "600"))
        self.jobs = int(os.environ.get("JOBS", os.cpu_count() or 2))
        self.seen_reports = set()
        self.total = Result("total")

    def programs(self, suite):
        """[(name, function)] to run for a suite."""
        env, limit = self.env, self.timeout
        if suite == "lint":
            return [("lint", lambda: run_summary(
                "lint", ["tools/lint.sh"], env, limit))]
        if suite == "unit":
            paths = [line.split()[0] for line in names("unit")]
        elif suite == "fault":
            paths = [os.path.basename(f)[:-2] for f in names("fault")]
            paths = [p for p in paths if p.startswith("test_")]
        elif suite == "fuzz":
            return [(p, self.fuzz(p)) for p in
                    (line.split()[0] for line in names("fuzz"))]
        elif suite == "sim":
            return self.simulator() if names("sim") else []
        elif suite == "mutants":
            if not os.path.exists(os.path.join(ROOT, "tools/mutants.sh")):
                return []
            return [("mutants", lambda: run_summary(
                "mutants", ["tools/mutants.sh", "--brief"], env, 3 * limit))]
        elif suite == "e2e":
            if not glob.glob(os.path.join(ROOT, "tests/e2e/test_*.py")):
                return []
            return [("e2e", lambda: run_pytest(self.build, env, 6 * limit))]
        else:
            sys.exit("runtests: no such suite: " + suite)
        return [(p, lambda p=p: run_cmocka(
            os.path.join(self.tests, p), env, limit)) for p in paths]

    def simulator(self):
        """Every scenario file, SIM_SEEDS random worlds, weeks of alerts, and
        what packet loss does to verdicts."""
        sim = os.path.join(self.tests, "sim")
        scenes = sorted(glob.glob("tests/sim/scenarios/*.scn"))
        seeds = [sim, "seeds", os.environ.get("SIM_FROM", "1"),
                 os.environ.get("SIM_SEEDS", "200")]
        todo = [("seeds", lambda: run_summary(
            "sim seeds", seeds, self.env, 3 * self.timeout))]
        loss = [sim, "loss", "1", "40", "7"]
        todo.append(("loss", lambda: run_summary(
            "sim loss", loss, self.env, self.timeout)))
        for first in ("1", "11"):
            weeks = [sim, "weeks", first, "10", "21"]
            todo.append(("weeks from " + first, lambda weeks=weeks: run_summary(
                "sim weeks", weeks, self.env, 3 * self.timeout)))
        for scene in scenes:
            todo.append((scene, lambda scene=scene: run_summary(
                scene, [sim, "scenario", scene], self.env, self.timeout)))
        return todo

    def fuzz(self, name):
        """A target over its corpus: one test."""
        corpus = os.path.join("tests/fuzz/corpus", name[len("fuzz_"):])
        argv = [os.path.join(self.tests, name), corpus]
        return lambda: run_summary(name, argv, self.env, self.timeout)

    def new_reports(self):
        """Sanitizer reports since the last look, as text."""
        text = []
        for path in sorted(glob.glob(self.reports + "/report*")):
            if path not in self.seen_reports and os.path.getsize(path) > 0:
                self.seen_reports.add(path)
                with open(path, errors="replace") as f:
                    text.append("%s:\n%s" % (path, f.read(TAIL)))
        return text

    def run_all(self, name, todo, began):
        """Every program's Result; a line a minute as long as it takes."""
        with ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(fn) for _, fn in todo]
            while True:
                done, rest = wait(futures, timeout=60)
                if not rest:
                    break
                print("%-8s %d of %d programs done  (%.0f s)" % (
                    name, len(done), len(todo), time.monotonic() - began),
                    flush=True)
            return [f.result() for f in futures]

    def suite(self, name):
        """Run one suite and print its line."""
        began = time.monotonic()
        results = []
        try:
            todo = self.programs(name)
            if not todo:
                return
            results = self.run_all(name, todo, began)
        except Exception:   # ours: the other suites still run
            results.append(Result(name, failed=1,
                                  output=traceback.format_exc()))
        for text in self.new_reports():
            results.append(Result("sanitizer", failed=1, output=text))
        passed = sum(r.passed for r in results)
        failed = sum(r.failed for r in results)
        skipped = sum(r.skipped for r in results)
        for r in results:
            if r.failed:
                print("---- %s failed:\n%s" % (r.name, r.output.rstrip()))
            for note in r.notes:
                print(note)
        print("%-8s %5d passed, %d failed, %d skipped  (%.1f s)" % (
            name, passed, failed, skipped, time.monotonic() - began),
            flush=True)
        self.total.passed += passed
        self.total.failed += failed
        self.total.skipped += skipped


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: runtests.py BUILD [SUITE...]")
    os.chdir(ROOT)
    runner = Runner(sys.argv[1])
    suites = sys.argv[2:] or ["lint", "unit", "fault", "sim", "fuzz",
                              "mutants", "e2e"]
    for name in suites:
        runner.suite(name)
    total = runner.total
    print("%d passed, %d failed, %d skipped" % (
        total.passed, total.failed, total.skipped))
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
