"""What is right in an Azure container app.

Sources: "Azure Container Apps ARM and YAML template specifications"
(learn.microsoft.com/azure/container-apps/azure-resource-manager-api-spec), the definitions of
`Microsoft.App/containerApps` in ContainerApps.json and CommonDefinitions.json (version 2024-03-01)
of Azure/azure-rest-api-specs, and for the bounds "Set scaling rules in Azure Container Apps"
(learn.microsoft.com/azure/container-apps/scale-app).
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
    scalars,
)
from ml_api_lab.yaml_file import Node

_RULE = {"metadata": ANY, "auth": ANY, "identity": SCALAR}


class ContainerApp(Platform):
    """An Azure container app."""

    file = "containerapp.yaml"
    description = "an Azure container app (properties with configuration and template)"

    _container = scalars("name", "image") | {
        "command": TEXTS,
        "args": TEXTS,
        "env": [scalars("name", "value", "secretRef")],
        "resources": scalars("cpu", "memory", "ephemeralStorage", "gpu"),
        "volumeMounts": [scalars("volumeName", "mountPath", "subPath")],
        "imageType": SCALAR,
    }
    _probe = PROBE_NUMBERS | {
        "type": SCALAR,
        "httpGet": scalars("path", "port", "host", "scheme") | {"httpHeaders": HEADERS},
        "tcpSocket": scalars("port", "host"),
    }
    shape = scalars(
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
        "properties": scalars(
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
            "configuration": scalars(
                "activeRevisionsMode",
                "maxInactiveRevisions",
                "revisionTransitionThreshold",
                "targetLabel",
            )
            | {
                "secrets": [scalars("name", "value", "identity", "keyVaultUrl")],
                "ingress": scalars(
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
                    "traffic": [scalars("revisionName", "weight", "latestRevision", "label")],
                    "customDomains": ANY,
                    "ipSecurityRestrictions": ANY,
                    "stickySessions": ANY,
                    "corsPolicy": ANY,
                    "additionalPortMappings": ANY,
                },
                "registries": [scalars("server", "username", "passwordSecretRef", "identity")],
                "dapr": ANY,
                "runtime": ANY,
                "service": ANY,
                "identitySettings": ANY,
            },
            "template": scalars("revisionSuffix", "terminationGracePeriodSeconds")
            | {
                "containers": [_container | {"probes": [_probe]}],
                "initContainers": [_container],
                "scale": scalars("minReplicas", "maxReplicas", "cooldownPeriod", "pollingInterval")
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
    def containers(self) -> list[Node]:
        kinds = ("containers", "initContainers")
        return [each for kind in kinds for each in entries(self._template.get(kind))]

    @property
    def container(self) -> Node:
        containers = entries(self._template.get("containers"))
        for each in containers:
            names = [entry.get("name").value for entry in entries(each.get("env"))]
            if "API_KEY" in names:
                return each
        return containers[0] if containers else self._template.get("containers[0]")

    def fields(self) -> Iterator[str]:
        yield from super().fields()
        kind = self.root.get("type")
        if not kind.missing and kind.text.lower() != "microsoft.app/containerapps":
            yield f"{kind.where} is {kind.text}; right is Microsoft.App/containerApps."

    def port(self) -> Iterator[str]:
        ingress = self.field(self.root.get("properties", "configuration"), "ingress")
        node = self.field(ingress, "targetPort")
        yield from self.integer_findings(node, PORT, PORT, f"{PORT}, where the container listens")
        for entry in entries(self.container.get("env")):
            value = entry.get("value")
            if entry.get("name").value == "PORT" and value.text != str(PORT):
                yield f"{value.where} is {value.text}; right is {PORT}, as for the ingress."

    def secret(self) -> Iterator[str]:
        yield from self.exposed_key()
        secrets = self.field(self.root.get("properties", "configuration"), "secrets")
        for entry in self.key_entries():
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
            named = [s for s in entries(secrets) if s.get("name").value == reference.value]
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

    def probes_of(self, container: Node) -> list[Node]:
        return entries(self.field(container, "probes"))

    def probes(self) -> Iterator[str]:
        found = self.probes_of(self.container)
        if not found:
            node = self.container.get("probes")
            yield f"{node.where} is missing; right is at least one probe, on {HEALTH}."
        for probe in found:
            kind = probe.get("type")
            if kind.text.lower() not in ("liveness", "readiness", "startup"):
                yield (
                    f"{kind.where} is {kind.text or 'missing'}; right is Liveness, Readiness or "
                    "Startup."
                )
            yield from self.probe_findings(probe)
            port = probe.get("httpGet", "port")
            if not probe.get("httpGet").missing and port.missing:
                yield f"{port.where} is missing; right is {PORT}, where the app listens."

    def limits(self) -> Iterator[str]:
        resources = self.field(self.container, "resources")
        cpu = r"(?!0+(\.0*)?$)\d*\.?\d+"
        yield from self.quantity_findings(
            resources.get("cpu"), cpu, "a number of cores, such as 0.5"
        )
        memory = r"(?!0)\d+(\.\d+)?(Gi|Mi)|0\.\d+Gi"
        yield from self.quantity_findings(resources.get("memory"), memory, "an amount such as 1Gi")

    def instances(self) -> Iterator[str]:
        scale = self.field(self._template, "scale")
        least, most = self.field(scale, "minReplicas"), self.field(scale, "maxReplicas")
        wrong = [
            *self.integer_findings(least, 0, 1000, "a number from 0 to 1000"),
            *self.integer_findings(most, 1, 1000, "a number from 1 to 1000"),
        ]
        yield from wrong
        if not wrong and least.value > most.value:
            yield (
                f"{most.where} is {most.value}, less than the minimum, {least.value}; right is at "
                "least that."
            )

    def concurrency(self) -> Iterator[str]:
        scale = self.field(self._template, "scale")
        rules = entries(self.field(scale, "rules"))
        found = []
        for rule in rules:
            found.append(rule.get("http", "metadata", "concurrentRequests"))
            if rule.get("custom", "type").value == "http":
                found.append(rule.get("custom", "metadata", "concurrentRequests"))
        given = [node for node in found if not node.missing]
        if not given:
            place = (rules[0] if rules else scale.get("rules[0]")).get(
                "http", "metadata", "concurrentRequests"
            )
            yield f"{place.where} is missing; right is a number of requests from 1, in quotes."
        for node in given:
            if not re.fullmatch(r"0*[1-9]\d*", node.text):
                yield f"{node.where} is {node.text!r}; right is a number from 1, in quotes."
