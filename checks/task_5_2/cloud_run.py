"""What is right in a Cloud Run service.

Sources: "Cloud Run YAML Reference" (cloud.google.com/run/docs/reference/yaml/v1) and the schemas
`Service`, `RevisionSpec`, `Container`, `Probe` and others of the Cloud Run Admin API v1
(run.googleapis.com/$discovery/rest?version=v1); for probes "Configure container health checks for
services" (cloud.google.com/run/docs/configuring/healthchecks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.task_5_2.platforms import (
    ANY,
    HEADERS,
    HEALTH,
    PORT,
    PROBE_NUMBERS,
    SCALAR,
    TEXTS,
    Platform,
    entries,
    kind_of,
    scalars,
)
from ml_api_lab.yaml_file import Node

_METADATA = dict.fromkeys(
    ("name", "namespace", "uid", "generation", "resourceVersion", "selfLink"), SCALAR
) | {"labels": ANY, "annotations": ANY, "creationTimestamp": ANY}


class CloudRun(Platform):
    """A Cloud Run service."""

    file = "service.yaml"
    description = "a Cloud Run service (apiVersion serving.knative.dev/v1, kind Service)"

    _probe = PROBE_NUMBERS | {
        "httpGet": scalars("path", "port", "host", "scheme") | {"httpHeaders": HEADERS},
        "tcpSocket": scalars("port", "host"),
        "grpc": scalars("port", "service"),
        "exec": {"command": TEXTS},
    }
    _secret = scalars("name", "key", "optional")
    _container = scalars(
        "name",
        "image",
        "workingDir",
        "imagePullPolicy",
        "terminationMessagePath",
        "terminationMessagePolicy",
    ) | {
        "command": TEXTS,
        "args": TEXTS,
        "env": [
            scalars("name", "value")
            | {"valueFrom": {"secretKeyRef": _secret, "configMapKeyRef": _secret}}
        ],
        "envFrom": ANY,
        "ports": [scalars("name", "containerPort", "protocol")],
        "resources": {"limits": ANY, "requests": ANY},
        "securityContext": ANY,
        "volumeMounts": [scalars("name", "mountPath", "readOnly", "subPath")],
        "startupProbe": _probe,
        "livenessProbe": _probe,
        "readinessProbe": _probe,
    }
    _volume = scalars("name") | {
        "secret": scalars("secretName", "defaultMode", "optional")
        | {"items": [scalars("key", "path", "mode")]},
        "csi": scalars("driver", "readOnly") | {"volumeAttributes": ANY},
        "nfs": scalars("server", "path", "readOnly"),
        "emptyDir": scalars("medium", "sizeLimit"),
        "configMap": ANY,
    }
    shape = scalars("apiVersion", "kind") | {
        "metadata": _METADATA,
        "spec": {
            "template": {
                "metadata": _METADATA,
                "spec": scalars(
                    "containerConcurrency",
                    "timeoutSeconds",
                    "serviceAccountName",
                    "runtimeClassName",
                    "enableServiceLinks",
                )
                | {
                    "containers": [_container],
                    "volumes": [_volume],
                    "nodeSelector": ANY,
                    "imagePullSecrets": ANY,
                },
            },
            "traffic": [scalars("revisionName", "percent", "tag", "latestRevision", "url")],
        },
        "status": ANY,
    }

    @property
    def _revision(self) -> Node:
        return self.root.get("spec", "template", "spec")

    @property
    def containers(self) -> list[Node]:
        return entries(self._revision.get("containers"))

    @property
    def container(self) -> Node:
        serving = [each for each in self.containers if not each.get("ports").missing]
        if found := serving or self.containers:
            return found[0]
        return self._revision.get("containers[0]")

    def fields(self) -> Iterator[str]:
        if not self.root.missing:
            for name, right in (("apiVersion", "serving.knative.dev/v1"), ("kind", "Service")):
                node = self.root.get(name)
                if node.value != right:
                    yield f"{node.where} is {node.text or 'missing'}; right is {right}."
            service_name = self.root.get("metadata", "name")
            if service_name.missing:
                yield f"{service_name.where} is missing; right is a name for the service."
            for where in (self.root, self.root.get("spec", "template")):
                for _, each in where.get("metadata", "annotations").items():
                    if not isinstance(each.value, str) and not each.missing:
                        yield (
                            f"{each.where} is {kind_of(each)}; an annotation is text, so right is "
                            f'"{each.text}" in quotes.'
                        )
        yield from super().fields()

    def port(self) -> Iterator[str]:
        ports = entries(self.field(self.container, "ports"))
        if len(ports) > 1:
            yield f"{ports[1].where} is a second port; right is one, {PORT}."
        node = (ports[0] if ports else self.container.get("ports[0]")).get("containerPort")
        yield from self.integer_findings(node, PORT, PORT, f"{PORT}, where the container listens")
        for entry in entries(self.container.get("env")):
            if entry.get("name").value == "PORT":
                yield (
                    f"{entry.where} sets PORT, which Cloud Run sets itself and refuses; right is "
                    "to leave it out."
                )

    def secret(self) -> Iterator[str]:
        yield from self.exposed_key()
        for entry in self.key_entries():
            value = entry.get("value")
            if not value.missing:
                yield (
                    f"{value.where} holds the key itself, so whoever reads the file has it; right "
                    "is valueFrom.secretKeyRef."
                )
                continue
            reference = entry.get("valueFrom", "secretKeyRef")
            for name, right in (
                ("name", "the secret's name"),
                ("key", "the secret's version, such as latest"),
            ):
                node = reference.get(name)
                if node.missing or isinstance(node.value, dict | list) or not node.text.strip():
                    yield f"{node.where} is missing or empty; right is {right}."

    def probes_of(self, container: Node) -> list[Node]:
        names = ("startupProbe", "livenessProbe", "readinessProbe")
        return [node for name in names if not (node := self.field(container, name)).missing]

    def probes(self) -> Iterator[str]:
        found = self.probes_of(self.container)
        if not found:
            node = self.container.get("livenessProbe")
            yield f"{node.where} is missing; right is at least one probe, on {HEALTH}."
        for probe in found:
            yield from self.probe_findings(probe)

    def limits(self) -> Iterator[str]:
        limits = self.field(self.container, "resources").get("limits")
        cpu = r"(?!0*(\.0*)?m?$)(\d+(\.\d+)?|\.\d+|\d+m)"
        yield from self.quantity_findings(limits.get("cpu"), cpu, "a number of CPUs, such as '1'")
        memory = r"(?!0*(\.0*)?[A-Za-z])(\d+(\.\d+)?|\.\d+)(Ki|Mi|Gi|k|M|G)|[1-9]\d{6,}"
        yield from self.quantity_findings(
            limits.get("memory"), memory, "an amount such as 512Mi or 1Gi"
        )

    def instances(self) -> Iterator[str]:
        service = self.root.get("metadata", "annotations")
        revision = self.root.get("spec", "template", "metadata", "annotations")
        if not service.get("run.googleapis.com/manualInstanceCount").missing:
            return  # always that many
        values: list[int] = []
        for name, right in (("minScale", "a number from 0"), ("maxScale", "a number from 1")):
            usual = revision.get(f"autoscaling.knative.dev/{name}")
            node = next(
                (n for n in (usual, service.get(f"run.googleapis.com/{name}")) if not n.missing),
                usual,
            )
            misplaced = service.get(f"autoscaling.knative.dev/{name}")
            if node.missing and not misplaced.missing:
                yield (
                    f"{misplaced.where} has no effect there; right is to set it in {usual.path}."
                )
            elif node.missing:
                yield f"{node.where} is missing; right is {right}, in quotes."
            elif not re.fullmatch(r"\d+", node.text) or (name == "maxScale" and not int(node.text)):
                yield f"{node.where} is {node.text!r}; right is {right}, in quotes."
            else:
                values.append(int(node.text))
                if len(values) == 2 and values[0] > values[1]:
                    yield (
                        f"{node.where} is {values[1]}, less than the minimum, {values[0]}; right "
                        "is at least that."
                    )

    def concurrency(self) -> Iterator[str]:
        node = self.field(self._revision, "containerConcurrency")
        right = "a number of requests from 1 to 1000"
        yield from self.integer_findings(node, 1, 1000, f"{right} that one instance takes at once")
