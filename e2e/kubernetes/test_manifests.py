# SPDX-License-Identifier: Apache-2.0
"""The plain manifests are the chart, and every example is admitted."""
import subprocess

import pytest
import yaml
from conftest import TOP

MANIFESTS = TOP / "manifests"
EXAMPLES = MANIFESTS / "examples/kubernetes"
OURS = [path for path in sorted(EXAMPLES.glob("*.yaml")) if path.name != "agent-sandbox.yaml"]  # its CRD is not installed


def test_base_is_what_the_chart_says_today(tmp_path):
    subprocess.run([MANIFESTS / "generate", tmp_path / "base"], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "base").iterdir()}
    stored = {path.name: path.read_text() for path in (MANIFESTS / "base").iterdir()}
    assert made == stored, "run manifests/generate manifests/base"


def test_base_builds_with_kustomize():
    text = subprocess.run(["kubectl", "kustomize", MANIFESTS / "base"], stdout=subprocess.PIPE, text=True, check=True).stdout
    kinds = {document["kind"] for document in yaml.safe_load_all(text)}
    assert {"Namespace", "MutatingAdmissionPolicy", "ValidatingAdmissionPolicy", "RuntimeClass", "DaemonSet"} <= kinds
    assert "helm" not in text.lower().replace("helm install", "").replace("helm uninstall", "")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_example_is_admitted(cluster, release, path):
    cluster.run("apply", "--dry-run=server", "-f", path)


def test_agent_sandbox_example_has_our_annotation_on_the_pod():
    document = yaml.safe_load((EXAMPLES / "agent-sandbox.yaml").read_text())
    assert document["spec"]["podTemplate"]["metadata"]["annotations"]["navigator.sandbox/inject"] == "true"
