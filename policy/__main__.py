"""The policy pack: docs/policies.md says how to run it. The rules are in rules/, which does not import Pulumi."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties
from rules.deletion_protection import unprotected
from rules.image_digests import images_by_tag
from rules.pinned_charts import unpinned_charts
from rules.plain_secrets import plain_secrets
from rules.registered_resource import PRODUCTION, Resource, is_production, message
from rules.tme_guard import unguarded_injection
from rules.wire_form import plain

PRODUCTION_STACKS = {
    "type": "array",
    "items": {"type": "string"},
    "default": list(PRODUCTION),
    "description": "Which stacks are in production: names, with * for any text.",
}
APPROVED_CHARTS = {
    "type": "object",
    "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    "default": {},
    "description": 'The approved versions of charts: {"kong": ["3.4.1"]}. Charts that are not named can have any.',
}
LEAST = {
    "type": "string",
    "enum": ["warn", "deny"],
    "default": "warn",
    "description": "The weakest tmeGuard that is accepted.",
}


def resource_of(args: ResourceValidationArgs | PolicyResource) -> Resource:
    props = plain(serialize_properties(args.props))
    return Resource(urn=args.urn, type=args.resource_type, props=props, protect=bool(args.opts.protect))


def in_production(resource: Resource, config: Mapping[str, Any]) -> bool:
    return bool(is_production(resource.stack, config.get("productionStacks") or PRODUCTION))


class NoPlainSecrets(ResourceValidationPolicy):  # type: ignore[misc]
    """The SDK shows a policy which values are secret only when it asks it for a remediation, before the validation.

    So this one has the level `remediate`, changes nothing, and reports what it saw.
    """

    def __init__(self) -> None:
        super().__init__(
            "no-plain-secrets",
            "What looks like a secret is a reference to a Kubernetes Secret, or secret in the state.",
            enforcement_level=EnforcementLevel.REMEDIATE,
        )
        self.found: dict[str, list[str]] = {}
        self.blind = False

    def remediate(self, args: ResourceValidationArgs) -> None:
        self.found[args.urn] = list(plain_secrets(resource_of(args)))

    def validate(self, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if args.urn in self.found:
            for text in self.found.pop(args.urn):
                report_violation(text)
        elif not self.blind:
            self.blind = True
            report_violation(
                message(
                    "The policy no-plain-secrets does not run with the enforcement level remediate",
                    "Pulumi does not show it which values are secret, and nothing was checked",
                    "remove the enforcementLevel of no-plain-secrets, and of all, from the policy configuration; "
                    "to switch the policy off, set it to disabled",
                )
            )


def rule(
    name: str,
    description: str,
    violations: Callable[[Resource, Mapping[str, Any]], Iterator[str]],
    *,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
    config: Mapping[str, Mapping[str, Any]],
) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        for text in violations(resource_of(args), args.get_config()):
            report_violation(text)

    return ResourceValidationPolicy(
        name, description, validate, enforcement_level=level, config_schema=PolicyConfigSchema(dict(config))
    )


def validate_guard(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    config = args.get_config()
    resources = [resource_of(item) for item in args.resources]
    if resources and in_production(resources[0], config):
        for urn, text in unguarded_injection(resources, least=config.get("least", "warn")):
            report_violation(text, urn)


PolicyPack(
    "traceable-kong",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        NoPlainSecrets(),
        rule(
            "pinned-charts",
            "A chart is loaded in one version, over https, and in an approved version if some are named.",
            lambda resource, config: unpinned_charts(resource, approved=config.get("approved", {})),
            config={"approved": APPROVED_CHARTS},
        ),
        rule(
            "images-by-digest",
            "In production, images in chart values are named by digest.",
            lambda resource, config: images_by_tag(resource) if in_production(resource, config) else iter(()),
            level=EnforcementLevel.ADVISORY,
            config={"productionStacks": PRODUCTION_STACKS},
        ),
        rule(
            "protected-in-production",
            "In production, Pulumi refuses to delete namespaces, releases and databases of this project.",
            lambda resource, config: unprotected(resource) if in_production(resource, config) else iter(()),
            config={"productionStacks": PRODUCTION_STACKS},
        ),
        StackValidationPolicy(
            "tme-guard-in-production",
            "In production, an admission policy covers gateway pods that ask for the TME.",
            validate_guard,
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=PolicyConfigSchema({"productionStacks": PRODUCTION_STACKS, "least": LEAST}),
        ),
    ],
)
