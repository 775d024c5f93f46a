"""TraceableOnKong in another Pulumi program: the one in examples/python, as it is."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import yaml

from tests.live.cluster_state import all_objects, created_since, gateway_pods, plugin, tme_count
from tests.live.kong_owner import KongOwner
from tests.live.policy_pack import WITH_POLICIES, install
from tests.live.stack import CLONE, NO_CHANGES, TOKEN, LiveStack, NewStack

EXAMPLE = CLONE / "examples" / "python"

CONSOLE = "import sys; from traceable_kong.command_line import console; sys.exit(console.main())"
"""What the installed command `traceable-kong` runs."""


SECOND = """
of_second: Any = {
    **{key: value for key, value in arguments.items() if key not in ("agent_token", "agentValues", "kongValues")},
    "agent": {"install": False, "namespace": stack_config["agent"]["namespace"]},
    **config.require_object("second"),
}
second = TraceableOnKong("second", of_second, pulumi.ResourceOptions(depends_on=[gateway]))
pulumi.export("second", second.outputs)
"""
"""A second gateway, on a Kong that exists, which uses the agent that the example installs."""


def example(stack: LiveStack) -> LiveStack:
    """The example, and a second gateway, beside a copy of the program. They have the names and charts of `stack`."""
    folder = stack.directory / "examples" / "python"
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    with (folder / "__main__.py").open("a") as program_file:
        program_file.write(SECOND)
    (folder / ".venv").symlink_to((stack.directory / ".venv").resolve())
    # What `pip install` of the package gives. The program's arguments name the cluster.
    environment = {**stack.platform.env, "PYTHONPATH": str(stack.directory), "KUBECONFIG": "missing"}
    program = replace(stack, directory=folder, platform=replace(stack.platform, env=environment))
    program.pulumi("stack", "init", stack.name)
    program.pulumi("config", "set", "--secret", "kubeconfig", stdin=Path(stack.platform.kubeconfig).read_text())
    program.pulumi("config", "set", "--secret", "agentToken", stdin=TOKEN)
    return program


def configure(program: LiveStack, stack: LiveStack, owner: KongOwner, **changes: object) -> None:
    """What the example and the second gateway take from the stack's config."""
    keys = ("agent", "agentValues", "kong", "kongValues", "plugin")
    document = yaml.safe_load(program.file.read_text())
    gateway = {key: stack.configured(key) for key in keys} | changes
    # Added to what the example has of `kong`, so in its spelling.
    gateway["kong"]["ingress_class"] = gateway["kong"].pop("ingressClass")
    document["config"]["edge:gateway"] = gateway
    second = owner.stack
    document["config"]["edge:second"] = {
        "plugin": {**stack.configured("plugin"), "name": second.name},
        "kong": {
            "install": False,
            "namespace": second.kong_namespace,
            "deployment": second.gateway.deployment,
            "ingress_class": second.name,
        },
    }
    program.file.write_text(yaml.safe_dump(document))


def test_the_example_for_programs_in_python(new_stack: NewStack) -> None:
    stack = new_stack()
    owner = KongOwner(replace(stack, name=f"{stack.name}-second"))
    # Its webhook would judge the plugin of the first gateway, too.
    owner.create(ingressController={"ingressClass": owner.stack.name, "admissionWebhook": {"enabled": False}})
    before, template = all_objects(stack), owner.template()
    program = example(stack)
    configure(program, stack, owner, mode="asynk")
    refused = program.failed_preview()
    assert "The arguments of edge have 1 problem" in refused and "set the argument mode to sync" in refused, refused
    assert "Traceback" not in refused
    configure(program, stack, owner)
    coming = f"second: the agent in namespace {stack.agent_namespace} does not exist yet. Component edge installs it"
    assert coming in program.preview()
    with stack.recorded():
        printed = program.up()
    assert TOKEN not in printed
    assert "edge: The verification took" in printed and "second: The verification took" in printed
    assert tme_count(stack) == len(gateway_pods(stack)) > 0
    outputs, kubeconfig = program.outputs(), str(stack.platform.kubeconfig)
    assert outputs["edge"]["namespace"] == stack.kong_namespace
    for name in ("edge", "second"):
        options = ("verify", "--stack", stack.name, "--stack-output", name, "--kubeconfig", kubeconfig)
        verified = program.execute(sys.executable, "-c", CONSOLE, *options)
        assert verified.returncode == 0 and "alone" not in verified.stdout, verified.stdout + verified.stderr
        assert outputs[name]["deployment"] in verified.stdout
    install(program)
    program.preview(NO_CHANGES, *WITH_POLICIES)
    configure(program, stack, owner, mode="async")
    with stack.recorded():
        program.up()
    assert plugin(stack)["config"]["mode"] == "async"
    destroyed = program.destroy()
    gateway, agent = (
        destroyed.index(f"{name} deleted") for name in ("second-installation-record", "edge-agent-release")
    )
    assert gateway < agent, destroyed
    assert {item for item in created_since(stack, before) if item[1] != owner.stack.kong_namespace} == set()
    assert owner.template() == template
