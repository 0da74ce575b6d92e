"""Deployment files of the two platforms, and what is right in them.

Field names and their meanings are the platforms' published ones:

- Cloud Run: "Cloud Run YAML Reference" (cloud.google.com/run/docs/reference/yaml/v1) and the
  schemas `Service`, `RevisionSpec`, `Container`, `Probe` and others of the Cloud Run Admin API v1
  (run.googleapis.com/$discovery/rest?version=v1); for probes "Configure container health checks
  for services" (cloud.google.com/run/docs/configuring/healthchecks).
- Azure: "Azure Container Apps ARM and YAML template specifications"
  (learn.microsoft.com/azure/container-apps/azure-resource-manager-api-spec), the definitions of
  `Microsoft.App/containerApps` in ContainerApps.json and CommonDefinitions.json (version
  2024-03-01) of Azure/azure-rest-api-specs, and for the bounds "Set scaling rules in Azure
  Container Apps" (learn.microsoft.com/azure/container-apps/scale-app).

A finding is one sentence with the path inside the file: what was seen, what is right.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from shared.manifest import Node, read

PORT = 8080
HEALTH = "/health"

# A shape is a dict of fields, a list with the shape of its elements, or one of these two.
SCALAR = "scalar"
ANY = "any"
Shape = Any

_TEXTS = [SCALAR]
_HEADERS = [{"name": SCALAR, "value": SCALAR}]
_METADATA = dict.fromkeys(
    ("name", "namespace", "uid", "generation", "resourceVersion", "selfLink"), SCALAR
) | {"labels": ANY, "annotations": ANY, "creationTimestamp": ANY}


def _fields(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, SCALAR)


_PROBE_NUMBERS = _fields(
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "terminationGracePeriodSeconds",
)
_RULE = {"metadata": ANY, "auth": ANY, "identity": SCALAR}


class Platform:
    """What both have in common.

    Attributes:
        file: the name of the deployment file.
        root: the document in it.
    """

    file: str
    called: str
    shape: Shape

    def __init__(self, text: str) -> None:
        self.root = read(text, self.file)

    def fields(self) -> Iterator[str]:
        """Yield what is no field of the platform's."""
        if self.root.missing:
            yield f"{self.file} says nothing yet; right is {self.called}."
            return
        yield from self._misfits(self.root, self.shape)

    def image(self) -> Iterator[str]:
        node = self.container.get("image")
        if node.missing:
            yield f"{node.where} is missing; right is the name of the image to run."
        elif not isinstance(node.value, str) or not re.fullmatch(r"[\w.:/@${}<>-]+", node.value):
            yield f"{node.where} is {node.text!r}; right is the name of an image, with its tag."

    @property
    def container(self) -> Node:
        """The container that serves the app."""
        raise NotImplementedError

    @property
    def key(self) -> list[Node]:
        """The entries for API_KEY among the container's variables."""
        entries = self.container.get("env").elements()
        return [each for each in entries if each.get("name").value == "API_KEY"]

    def _spoken_key(self) -> Iterator[str]:
        """Yield where the key stands in the open, or that there is none."""
        for name in ("command", "args"):
            for word in self.container.get(name).elements():
                if "API_KEY=" in word.text:
                    yield f"{word.where} holds the key itself; right is a reference to a secret."
        if not self.key:
            yield (
                f"{self.container.get('env').where} has no API_KEY; right is one whose value "
                "comes from the platform's secrets."
            )

    def _misfits(self, node: Node, shape: Shape) -> Iterator[str]:
        if shape == ANY or node.value is None:
            return
        if isinstance(shape, dict):
            if not isinstance(node.value, dict):
                yield f"{node.where} is {_kind(node)}; right is a mapping: {', '.join(shape)}."
                return
            for name, child in node.items():
                if name in shape:
                    yield from self._misfits(child, shape[name])
                else:
                    yield f"{child.where} is no field there{self._hint(name, shape)}."
        elif isinstance(shape, list):
            if not isinstance(node.value, list):
                yield f"{node.where} is {_kind(node)}; right is a list, each entry behind a dash."
            for element in node.elements():
                yield from self._misfits(element, shape[0])
        elif isinstance(node.value, dict | list):
            yield f"{node.where} is {_kind(node)}; right is a single value."

    def _hint(self, name: str, shape: dict[str, Shape]) -> str:
        same = [each for each in shape if each.lower() == name.lower()]
        near = same or difflib.get_close_matches(name, shape, 1)
        if near:
            return f"; right is {near[0]}"
        places = [place for place in _places(self.shape, "") if place.split(".")[-1] == name]
        return f"; it belongs in {places[0].rpartition('.')[0]}" if places else ""

    def _whole(self, node: Node, least: int, most: int, right: str) -> Iterator[str]:
        """Yield what is wrong with a whole number."""
        if node.missing:
            yield f"{node.where} is missing; right is {right}."
        elif type(node.value) is bool or not isinstance(node.value, int):
            yield f"{node.where} is {_kind(node)}; right is a whole number without quotes."
        elif not least <= node.value <= most:
            yield f"{node.where} is {node.value}; right is {right}."

    def _limit(self, node: Node, pattern: str, right: str) -> Iterator[str]:
        if node.missing:
            yield f"{node.where} is missing; right is {right}."
        elif isinstance(node.value, bool) or not re.fullmatch(pattern, node.text):
            yield f"{node.where} is {node.text!r}; right is {right}."

    def _health(self, probe: Node) -> Iterator[str]:
        get = probe.get("httpGet")
        if get.missing:
            yield f"{get.where} is missing, so the probe does not ask the app; right is {HEALTH}."
            return
        path = get.get("path")
        if path.missing:
            yield f"{path.where} is missing; right is {HEALTH}."
        elif path.value != HEALTH:
            yield f"{path.where} is {path.text}; right is {HEALTH}, which needs no key."
        port = get.get("port")
        if not port.missing and port.value != PORT:
            yield f"{port.where} is {port.text}; right is {PORT}, where the app listens."


class CloudRun(Platform):
    """A Cloud Run service."""

    file = "service.yaml"
    called = "a Cloud Run service (apiVersion serving.knative.dev/v1, kind Service)"

    _probe = _PROBE_NUMBERS | {
        "httpGet": _fields("path", "port", "host", "scheme") | {"httpHeaders": _HEADERS},
        "tcpSocket": _fields("port", "host"),
        "grpc": _fields("port", "service"),
        "exec": {"command": _TEXTS},
    }
    _secret = _fields("name", "key", "optional")
    _container = _fields(
        "name",
        "image",
        "workingDir",
        "imagePullPolicy",
        "terminationMessagePath",
        "terminationMessagePolicy",
    ) | {
        "command": _TEXTS,
        "args": _TEXTS,
        "env": [
            _fields("name", "value")
            | {"valueFrom": {"secretKeyRef": _secret, "configMapKeyRef": _secret}}
        ],
        "envFrom": ANY,
        "ports": [_fields("name", "containerPort", "protocol")],
        "resources": {"limits": ANY, "requests": ANY},
        "securityContext": ANY,
        "volumeMounts": [_fields("name", "mountPath", "readOnly", "subPath")],
        "startupProbe": _probe,
        "livenessProbe": _probe,
        "readinessProbe": _probe,
    }
    _volume = _fields("name") | {
        "secret": _fields("secretName", "defaultMode", "optional")
        | {"items": [_fields("key", "path", "mode")]},
        "csi": _fields("driver", "readOnly") | {"volumeAttributes": ANY},
        "nfs": _fields("server", "path", "readOnly"),
        "emptyDir": _fields("medium", "sizeLimit"),
        "configMap": ANY,
    }
    shape = _fields("apiVersion", "kind") | {
        "metadata": _METADATA,
        "spec": {
            "template": {
                "metadata": _METADATA,
                "spec": _fields(
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
            "traffic": [_fields("revisionName", "percent", "tag", "latestRevision", "url")],
        },
        "status": ANY,
    }

    @property
    def _revision(self) -> Node:
        return self.root.get("spec", "template", "spec")

    @property
    def container(self) -> Node:
        containers = list(self._revision.get("containers").elements())
        serving = [each for each in containers if not each.get("ports").missing]
        if found := serving or containers:
            return found[0]
        return self._revision.get("containers[0]")

    def fields(self) -> Iterator[str]:
        if not self.root.missing:
            for name, right in (("apiVersion", "serving.knative.dev/v1"), ("kind", "Service")):
                node = self.root.get(name)
                if node.value != right:
                    yield f"{node.where} is {node.text or 'missing'}; right is {right}."
            name = self.root.get("metadata", "name")
            if name.missing:
                yield f"{name.where} is missing; right is a name for the service."
            for where in (self.root, self.root.get("spec", "template")):
                for _, each in where.get("metadata", "annotations").items():
                    if not isinstance(each.value, str) and not each.missing:
                        yield (
                            f"{each.where} is {_kind(each)}; an annotation is text, so right is "
                            f'"{each.text}" in quotes.'
                        )
        yield from super().fields()

    def port(self) -> Iterator[str]:
        ports = list(self.container.get("ports").elements())
        if len(ports) > 1:
            yield f"{ports[1].where} is a second port; right is one, {PORT}."
        node = (ports[0] if ports else self.container.get("ports[0]")).get("containerPort")
        yield from self._whole(node, PORT, PORT, f"{PORT}, where the container listens")
        for entry in self.container.get("env").elements():
            if entry.get("name").value == "PORT":
                yield (
                    f"{entry.where} sets PORT, which Cloud Run sets itself and refuses; right is "
                    "to leave it out."
                )

    def secret(self) -> Iterator[str]:
        yield from self._spoken_key()
        for entry in self.key:
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
                if node.missing or isinstance(node.value, dict | list):
                    yield f"{node.where} is missing; right is {right}."

    def probes(self) -> Iterator[str]:
        names = ("startupProbe", "livenessProbe", "readinessProbe")
        found = [n for name in names if not (n := self.container.get(name)).missing]
        if not found:
            node = self.container.get("livenessProbe")
            yield f"{node.where} is missing; right is at least one probe, on {HEALTH}."
        for probe in found:
            yield from self._health(probe)

    def limits(self) -> Iterator[str]:
        limits = self.container.get("resources", "limits")
        cpu = r"(?!0+(\.0*)?m?$)(\d+(\.\d+)?|\d+m)"
        yield from self._limit(limits.get("cpu"), cpu, "a number of CPUs, such as '1'")
        memory = r"[1-9]\d*(\.\d+)?(Ki|Mi|Gi|k|M|G)|[1-9]\d{6,}"
        yield from self._limit(limits.get("memory"), memory, "an amount such as 512Mi or 1Gi")

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
        node = self._revision.get("containerConcurrency")
        right = "a number of requests from 1 to 1000"
        yield from self._whole(node, 1, 1000, f"{right} that one instance takes at once")


class ContainerApp(Platform):
    """An Azure container app."""

    file = "containerapp.yaml"
    called = "an Azure container app (properties with configuration and template)"

    _container = _fields("name", "image") | {
        "command": _TEXTS,
        "args": _TEXTS,
        "env": [_fields("name", "value", "secretRef")],
        "resources": _fields("cpu", "memory", "ephemeralStorage", "gpu"),
        "volumeMounts": [_fields("volumeName", "mountPath", "subPath")],
        "imageType": SCALAR,
    }
    _probe = _PROBE_NUMBERS | {
        "type": SCALAR,
        "httpGet": _fields("path", "port", "host", "scheme") | {"httpHeaders": _HEADERS},
        "tcpSocket": _fields("port", "host"),
    }
    shape = _fields(
        "apiVersion",
        "name",
        "type",
        "kind",
        "location",
        "resourceGroup",
        "managedBy",
        "id",
        "etag",
    ) | {
        "tags": ANY,
        "identity": ANY,
        "extendedLocation": ANY,
        "systemData": ANY,
        "properties": _fields(
            "managedEnvironmentId",
            "environmentId",
            "workloadProfileName",
            "provisioningState",
            "runningStatus",
            "deploymentErrors",
            "latestRevisionName",
            "latestReadyRevisionName",
            "latestRevisionFqdn",
            "customDomainVerificationId",
            "eventStreamEndpoint",
        )
        | {
            "outboundIpAddresses": ANY,
            "patchingConfiguration": ANY,
            "configuration": _fields(
                "activeRevisionsMode",
                "maxInactiveRevisions",
                "revisionTransitionThreshold",
                "targetLabel",
            )
            | {
                "secrets": [_fields("name", "value", "identity", "keyVaultUrl")],
                "ingress": _fields(
                    "fqdn",
                    "external",
                    "targetPort",
                    "targetPortHttpScheme",
                    "exposedPort",
                    "transport",
                    "allowInsecure",
                    "clientCertificateMode",
                )
                | {
                    "traffic": [_fields("revisionName", "weight", "latestRevision", "label")],
                    "customDomains": ANY,
                    "ipSecurityRestrictions": ANY,
                    "stickySessions": ANY,
                    "corsPolicy": ANY,
                    "additionalPortMappings": ANY,
                },
                "registries": [_fields("server", "username", "passwordSecretRef", "identity")],
                "dapr": ANY,
                "runtime": ANY,
                "service": ANY,
                "identitySettings": ANY,
            },
            "template": _fields("revisionSuffix", "terminationGracePeriodSeconds")
            | {
                "containers": [_container | {"probes": [_probe]}],
                "initContainers": [_container],
                "scale": _fields("minReplicas", "maxReplicas", "cooldownPeriod", "pollingInterval")
                | {
                    "rules": [
                        {
                            "name": SCALAR,
                            "http": _RULE,
                            "tcp": _RULE,
                            "custom": _RULE | {"type": SCALAR},
                            "azureQueue": ANY,
                        }
                    ]
                },
                "volumes": ANY,
                "serviceBinds": ANY,
            },
        },
    }

    @property
    def _template(self) -> Node:
        return self.root.get("properties", "template")

    @property
    def container(self) -> Node:
        containers = list(self._template.get("containers").elements())
        for each in containers:
            names = [entry.get("name").value for entry in each.get("env").elements()]
            if "API_KEY" in names:
                return each
        return containers[0] if containers else self._template.get("containers[0]")

    def fields(self) -> Iterator[str]:
        yield from super().fields()
        kind = self.root.get("type")
        if not kind.missing and kind.text.lower() != "microsoft.app/containerapps":
            yield f"{kind.where} is {kind.text}; right is Microsoft.App/containerApps."

    def port(self) -> Iterator[str]:
        node = self.root.get("properties", "configuration", "ingress", "targetPort")
        yield from self._whole(node, PORT, PORT, f"{PORT}, where the container listens")
        for entry in self.container.get("env").elements():
            value = entry.get("value")
            if entry.get("name").value == "PORT" and value.text != str(PORT):
                yield f"{value.where} is {value.text}; right is {PORT}, as for the ingress."

    def secret(self) -> Iterator[str]:
        yield from self._spoken_key()
        secrets = self.root.get("properties", "configuration", "secrets")
        for entry in self.key:
            value, reference = entry.get("value"), entry.get("secretRef")
            if not value.missing:
                yield (
                    f"{value.where} holds the key itself, so whoever reads the file has it; right "
                    "is secretRef."
                )
                continue
            if reference.missing:
                yield f"{reference.where} is missing; right is the name of a secret."
                continue
            named = [s for s in secrets.elements() if s.get("name").value == reference.value]
            if not named:
                yield (
                    f"{reference.where} is {reference.text}, and {secrets.where} has no secret of "
                    "that name; right is a name that stands there."
                )
            for secret in named:
                open_value = secret.get("value")
                if not open_value.missing and not re.fullmatch(r"\$\{\w+\}", open_value.text):
                    yield (
                        f"{open_value.where} holds the key itself, so whoever reads the file has "
                        "it; right is keyVaultUrl with an identity, or the name alone."
                    )

    def probes(self) -> Iterator[str]:
        node = self.container.get("probes")
        found = list(node.elements())
        if not found:
            yield f"{node.where} is missing; right is at least one probe, on {HEALTH}."
        for probe in found:
            kind = probe.get("type")
            if kind.text.lower() not in ("liveness", "readiness", "startup"):
                yield (
                    f"{kind.where} is {kind.text or 'missing'}; right is Liveness, Readiness or "
                    "Startup."
                )
            yield from self._health(probe)
            port = probe.get("httpGet", "port")
            if not probe.get("httpGet").missing and port.missing:
                yield f"{port.where} is missing; right is {PORT}, where the app listens."

    def limits(self) -> Iterator[str]:
        resources = self.container.get("resources")
        cpu = r"(?!0+(\.0*)?$)\d*\.?\d+"
        yield from self._limit(resources.get("cpu"), cpu, "a number of cores, such as 0.5")
        memory = r"(?!0)\d+(\.\d+)?(Gi|Mi)|0\.\d+Gi"
        yield from self._limit(resources.get("memory"), memory, "an amount such as 1Gi")

    def instances(self) -> Iterator[str]:
        scale = self._template.get("scale")
        least, most = scale.get("minReplicas"), scale.get("maxReplicas")
        wrong = [
            *self._whole(least, 0, 1000, "a number from 0 to 1000"),
            *self._whole(most, 1, 1000, "a number from 1 to 1000"),
        ]
        yield from wrong
        if not wrong and least.value > most.value:
            yield (
                f"{most.where} is {most.value}, less than the minimum, {least.value}; right is at "
                "least that."
            )

    def concurrency(self) -> Iterator[str]:
        rules = list(self._template.get("scale", "rules").elements())
        found = []
        for rule in rules:
            found.append(rule.get("http", "metadata", "concurrentRequests"))
            if rule.get("custom", "type").value == "http":
                found.append(rule.get("custom", "metadata", "concurrentRequests"))
        given = [node for node in found if not node.missing]
        if not given:
            place = (rules[0] if rules else self._template.get("scale", "rules[0]")).get(
                "http", "metadata", "concurrentRequests"
            )
            yield f"{place.where} is missing; right is a number of requests from 1, in quotes."
        for node in given:
            if not re.fullmatch(r"0*[1-9]\d*", node.text):
                yield f"{node.where} is {node.text!r}; right is a number from 1, in quotes."


def _kind(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return f"the text {node.value!r}"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return f"the number {node.value}"


def _places(shape: Shape, path: str) -> Iterator[str]:
    """Yield the paths of all fields, those nearest the top first."""
    waiting = [(shape, path)]
    while waiting:
        each, path = waiting.pop(0)
        if isinstance(each, list):
            waiting.append((each[0], f"{path}[0]"))
        elif isinstance(each, dict):
            for name, inner in each.items():
                place = f"{path}.{name}" if path else name
                yield place
                waiting.append((inner, place))
