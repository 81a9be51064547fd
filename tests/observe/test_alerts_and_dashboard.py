"""The alert rules, the dashboard and the documentation name metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lightweight.observe.metrics import METRICS, Metric

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "etc/grafana/lightweight.json").read_text())
RULES_FILE = ROOT / "etc/prometheus/lightweight.rules.yml"
RULES = yaml.safe_load(RULES_FILE.read_text())
DOCUMENT = (ROOT / "docs/observability.md").read_text()

NAME = re.compile(r"\b(lightweight_[a-z_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"([a-z_]+)\s*(?:=~|!=|!~|=)")
BY = re.compile(r"\bby \(([^)]*)\)")
ADDED = {"instance", "job", "le"}
"""Labels that Prometheus adds, or a histogram's buckets have."""


def of_panels() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def of_rules() -> Iterator[str]:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def samples() -> Mapping[str, Metric]:
    found: dict[str, Metric] = {}
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        found |= {metric.name + end: metric for end in ends}
    return found


def problems(expr: str) -> list[str]:
    """Give what an expression names that does not exist."""
    known, labels = samples(), set(ADDED)
    found: list[str] = []
    for name, selected in NAME.findall(expr):
        if name not in known:
            found.append(name)
            continue
        own = {*known[name].labels, *ADDED}
        labels |= own
        found += [f"{name}{{{x}}}" for x in LABEL.findall(selected) if x not in own]
    for grouped in BY.findall(expr):
        found += [each for each in grouped.split(", ") if each not in labels]
    return found


@pytest.mark.parametrize("expr", sorted({*of_panels(), *of_rules()}))
def test_a_query_names_what_there_is(expr: str) -> None:
    assert NAME.search(expr) or expr.startswith("up{")
    assert problems(expr) == []


def test_the_check_sees_what_is_wrong() -> None:
    wrong = 'sum by (modle) (rate(lightweight_calls{kind="x"}[5m]))'
    assert problems(wrong) == ["lightweight_calls", "modle"]
    assert problems('lightweight_calls_total{kind="x"}') == [
        "lightweight_calls_total{kind}"
    ]
    assert problems("lightweight_loop_lag_seconds") == ["lightweight_loop_lag_seconds"]


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    queries = " ".join((*of_panels(), *of_rules()))
    named = {name for name, _ in NAME.findall(queries)}
    shown = {metric.name for name, metric in samples().items() if name in named}
    # Bytes say little on their own; who wants them finds them.
    assert {metric.name for metric in METRICS} - shown == {
        "lightweight_http_sent_bytes_total"
    }


def test_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells
        taken |= cells


def test_every_alert_says_what_and_what_to_do() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert rule["alert"].startswith("Lightweight")
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert {"summary", "action"} == rule["annotations"].keys()


def concrete(expr: str) -> str:
    """Give a dashboard's query without Grafana's variables."""
    return expr.replace("$__rate_interval", "5m").replace("$", "")


def test_prometheus_can_parse_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        with capsys.disabled():
            print("\nNOT CHECKED: no promtool here; install `prometheus`.")  # noqa: T201 -- to be seen
        return
    queries = [expr for expr in of_panels() if not expr.startswith("label_values")]
    rules: Any = [
        {"record": f"panel:{number}", "expr": concrete(expr)}
        for number, expr in enumerate(queries)
    ]
    panels = tmp_path / "panels.yml"
    panels.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    for file in (RULES_FILE, panels):
        done = subprocess.run(
            [promtool, "check", "rules", file], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


def test_the_documents_table_is_the_codes() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| `lightweight")]
    assert rows == [row(metric) for metric in METRICS]


def test_the_document_names_every_alert() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in DOCUMENT
