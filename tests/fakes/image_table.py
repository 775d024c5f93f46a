"""Images as a pod may name them, and whether each is the TME: for the tests of the verification and of the policy."""

DIGEST = "sha256:" + "0" * 64
OTHER_DIGEST = "sha256:" + "f" * 64

PUBLIC = "docker.io/traceableai/traceable-agent"
PRIVATE = "registry.example.com:5000/team/traceable-agent"

ADMITTED = [
    (PUBLIC, PUBLIC),
    (PUBLIC, "traceableai/traceable-agent"),
    (PUBLIC, "traceableai/traceable-agent:1.58.0"),
    (PUBLIC, "index.docker.io/traceableai/traceable-agent:1.58.0"),
    (PUBLIC, f"{PUBLIC}:1.58.0"),
    (PUBLIC, f"{PUBLIC}@{DIGEST}"),
    (PUBLIC, f"{PUBLIC}:1.58.0@{DIGEST}"),
    (PRIVATE, f"{PRIVATE}:1.58.0"),
    (f"{PUBLIC}:1.58.0", f"{PUBLIC}:1.58.0"),
    (f"{PUBLIC}:1.58.0", f"traceableai/traceable-agent:1.58.0@{DIGEST}"),
    (f"{PUBLIC}:latest", PUBLIC),
    (f"{PUBLIC}@{DIGEST}", f"{PUBLIC}@{DIGEST}"),
    (f"{PUBLIC}@{DIGEST}", f"{PUBLIC}:1.57.2@{DIGEST}"),
    (f"{PUBLIC}:1.58.0@{DIGEST}", f"{PUBLIC}@{DIGEST}"),
    ("tme", "docker.io/library/tme:1"),
    ("docker.io/library/tme", "tme"),
    ("localhost/tme", "localhost/tme:1"),
    ("[::1]:5000/tme", "[::1]:5000/tme:1"),
]
"""(the TME's image, the image of a container): the container is the TME."""

NOT_ADMITTED = [
    (PUBLIC, "evil.example/traceable-agent:1.58.0"),
    (PUBLIC, "evil.example/traceableai/traceable-agent:1.58.0"),
    (PUBLIC, "evil.example/docker.io/traceableai/traceable-agent"),
    (PUBLIC, "docker.io/evil/traceableai/traceable-agent"),
    (PUBLIC, "docker.io:443/traceableai/traceable-agent"),
    (PUBLIC, "docker.io.evil.example/traceableai/traceable-agent"),
    (PUBLIC, "dockerXio/traceableai/traceable-agent"),
    (PUBLIC, "localhost/traceableai/traceable-agent"),
    (PUBLIC, "traceable-agent"),
    (PUBLIC, "evil/traceable-agent:1.58.0"),
    (PUBLIC, "docker.io/traceableai/traceable-agent-extra"),
    (PUBLIC, "docker.io/traceableai/my-traceable-agent"),
    (PUBLIC, "docker.io/traceableai/traceable-agent/more"),
    (PUBLIC, "docker.io/traceableai/traceable-agent:"),
    (PUBLIC, "docker.io/traceableai/traceable-agent@sha256:0"),
    (PUBLIC, f"evil.example/x@{DIGEST}/traceableai/traceable-agent"),
    (PUBLIC, "kong:3.9"),
    (PRIVATE, PUBLIC),
    (PRIVATE, "registry.example.com/team/traceable-agent:1.58.0"),
    (PRIVATE, "registryXexample.com:5000/team/traceable-agent:1.58.0"),
    (PRIVATE, "traceable-agent"),
    (f"{PUBLIC}:1.58.0", PUBLIC),
    (f"{PUBLIC}:1.58.0", f"{PUBLIC}:1.57.2"),
    (f"{PUBLIC}:1.58.0", f"{PUBLIC}:1X58.0"),
    (f"{PUBLIC}:1.58.0", f"{PUBLIC}@{DIGEST}"),
    (f"{PUBLIC}:latest", f"{PUBLIC}:1.58.0"),
    (f"{PUBLIC}:latest", f"{PUBLIC}@{DIGEST}"),
    (f"{PUBLIC}@{DIGEST}", f"{PUBLIC}@{OTHER_DIGEST}"),
    (f"{PUBLIC}@{DIGEST}", f"{PUBLIC}:1.58.0"),
    ("tme", "evil/tme"),
    ("tme", "registry.example.com/tme"),
]
"""As above: the container is not the TME."""
