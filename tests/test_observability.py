"""What watches Postroom: the rules of Prometheus do what they say, and ask for registered metrics only."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deploy.observability import dashboard, generate

from common.contracts import topology
from common.contracts.generate import services
from common.telemetry import names

HERE = Path(__file__).parents[1] / "deploy" / "observability"
RULES = sorted((HERE / "prometheus" / "rules").glob("*.yml"))
TESTS = sorted((HERE / "prometheus" / "tests").glob("*.yml"))
METRIC = re.compile(r"\b(?:\w+:)?(?:postroom|process)_\w+(?::\w+)?")
SELECTOR = re.compile(r"\b((?:\w+:)?(?:postroom|process)_\w+(?::\w+)?)\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")
OF_TARGETS = {"service", "instance", "job", "le"}  # what Prometheus adds


def promtool(*arguments: str | Path) -> str:
    """Run promtool, of Debian's package `prometheus` (.ci/promtool gets it). CI must have it."""
    found = shutil.which("promtool", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("CI has no promtool: .ci/promtool puts it into .venv/bin")
        pytest.skip("promtool is not installed; .ci/promtool puts it into .venv/bin where there is apt-get")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, str]]:
    """Every rule of Prometheus."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def test_the_rules_do_what_their_tests_say() -> None:
    said = promtool("test", "rules", *TESTS)
    assert said.count("SUCCESS") == len(TESTS)


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    tests = [test for path in TESTS for test in yaml.safe_load(path.read_text("utf-8"))["tests"]]
    cases = [case for test in tests for case in test.get("alert_rule_test", ())]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {
        rule["alert"] for rule in rules() if "alert" in rule
    }


def test_the_configuration_is_one_that_prometheus_takes_and_names_every_service() -> None:
    assert "SUCCESS" in promtool("check", "config", HERE / "prometheus" / "prometheus.yml")
    [job] = yaml.safe_load((HERE / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert job["dns_sd_configs"][0]["names"] == services(topology())


def test_prometheus_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    asked = [expression.replace("$queue", ".*") for expression in dashboard.expressions()]
    group = {"name": "asked", "rules": [{"record": f"asked:{n}", "expr": each} for n, each in enumerate(asked)]}
    file = tmp_path / "asked.yml"
    file.write_text(json.dumps({"groups": [group]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", file)


def test_only_registered_metrics_and_labels_are_asked_for() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    labels = {series: set(metric.labels) for metric in names.registered() for series in metric.series}
    labels |= {name: set() for name in names.PROCESS} | {name: {"queue", "model"} for name in recorded}
    asked = [*dashboard.expressions(), *(rule["expr"] for rule in rules())]
    for expression in asked:
        unknown = set(METRIC.findall(expression)) - labels.keys()
        assert not unknown, f"{expression} asks for {unknown}"
        for name, matchers in SELECTOR.findall(expression):
            used = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", matchers))
            assert used <= labels[name] | OF_TARGETS, f"{expression}: {name} has no label {used - labels[name]}"
        for grouping in GROUPING.findall(expression):
            used = set(re.findall(r"\w+", grouping))
            of_these = set().union(*(labels[name] for name in METRIC.findall(expression)))
            assert used <= of_these | OF_TARGETS, f"{expression}: no label {used - of_these}"


def test_every_metric_is_named_and_explained_as_prometheus_asks() -> None:
    metrics = names.registered()
    assert len({metric.name for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert metric.name.startswith("postroom_")
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))  # Prometheus adds them
        assert metric.name.endswith(f"_{metric.unit}") or metric.unit not in ("seconds", "bytes", "ratio")
        assert metric.help[0].isupper()
        assert not metric.help.endswith(".")
        assert set(metric.labels) <= names.LABELS.keys()
    assert {label for metric in metrics for label in metric.labels} == names.LABELS.keys()


def test_what_is_generated_is_what_the_register_says() -> None:
    assert generate.drift() == [], "run `make contracts`"


def test_panels_neither_overlap_nor_stick_out() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
