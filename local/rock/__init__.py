"""A stand-in for Traceable's LuaRocks package (rock): a small Lua plugin in the real layout, with the real file names.

The real plugin is proprietary and is not in this repository. A rock is a zip with a rockspec and a source archive; the
plugins' files are in `kong/plugins/<name>/` in that archive (https://github.com/luarocks/luarocks/wiki/Rockspec-format,
https://developer.konghq.com/custom-plugins/installation-and-distribution/). The stand-in does nothing with a request.
"""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

VERSION = "2.1.2-1"

_EPOCH = (1980, 1, 1, 0, 0, 0)

_HANDLER = """-- A stand-in for the traceable plugin: it does nothing with a request.
local Handler = { PRIORITY = 2000, VERSION = "%s" }

function Handler:access(conf) end
function Handler:log(conf) end

return Handler
"""

_SCHEMA = """-- The options of the traceable plugin %s.
return {
  name = "%s",
  fields = {
    { config = { type = "record", fields = {
%s
    } } },
  },
}
"""

_OPTIONS = [
    ((2, 0, 0), 'ext_cap_endpoint = { type = "string", required = true }'),
    ((2, 0, 0), 'allow_on_failure = { type = "boolean", default = true }'),
    ((2, 0, 0), 'timeout = { type = "number", default = 500 }'),
    ((2, 0, 0), 'service_name = { type = "string", default = "kong" }'),
    ((2, 1, 0), 'mode = { type = "string", default = "sync", one_of = { "sync", "async" } }'),
    ((2, 1, 0), 'buffer_request_body = { type = "boolean", default = true }'),
    ((2, 2, 2), 'max_body_size_bytes = { type = "integer", default = 131072 }'),
    ((2, 4, 0), 'export_max_senders = { type = "integer", default = 128, between = { 1, 1024 } }'),
]

_EXTENSION_SINCE = (2, 3, 0)
_EXTENSION_OPTIONS = [
    'request_config = { type = "record", fields = { { timeout = { type = "number" } }, '
    '{ allow_on_failure = { type = "boolean" } } } }',
    'response_config = { type = "record", fields = { { timeout = { type = "number" } }, '
    '{ allow_on_failure = { type = "boolean" } } } }',
]


def plugins(version: str = VERSION) -> dict[str, dict[str, str]]:
    """Returns `{plugin: {file: text}}` of a version such as `2.1.2-1`, with the options that the version has."""
    number = tuple(int(part) for part in version.split("-")[0].split("."))
    options = [text for since, text in _OPTIONS if since <= number]
    result = {"traceable": _plugin("traceable", version, options)}
    if number >= _EXTENSION_SINCE:
        result["traceable-ai-extension"] = _plugin("traceable-ai-extension", version, _EXTENSION_OPTIONS)
    return result


def make(destination: Path, *, version: str = VERSION, contents: Mapping[str, Mapping[str, str]] | None = None) -> Path:
    """Writes `kong-plugin-traceable-<version>.src.rock` into the folder `destination` and returns its path.

    `contents` is `{plugin: {file: text}}`, by default the stand-in's own files. The same input gives the same bytes.
    """
    source = version.split("-")[0]
    stem = f"kong-plugin-traceable-{source}"
    files = {
        f"{stem}/kong/plugins/{plugin}/{name}": text
        for plugin, members in (contents or plugins(version)).items()
        for name, text in members.items()
    }
    rock = io.BytesIO()
    with zipfile.ZipFile(rock, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            (f"kong-plugin-traceable-{version}.rockspec", _rockspec(version, files).encode()),
            (f"{stem}.tar.gz", _tar_gz(files)),
        ):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    destination.mkdir(parents=True, exist_ok=True)
    path = destination / f"kong-plugin-traceable-{version}.src.rock"
    if not path.exists() or path.read_bytes() != rock.getvalue():
        path.write_bytes(rock.getvalue())
    return path


def _plugin(name: str, version: str, options: list[str]) -> dict[str, str]:
    fields = "\n".join(f"      {{ {option} }}," for option in options)
    return {
        "handler.lua": _HANDLER % version.split("-")[0],
        "schema.lua": _SCHEMA % (version, name, fields),
    }


def _rockspec(version: str, files: Mapping[str, str]) -> str:
    modules = "\n".join(
        f'    ["{path.split("/", 1)[1].removesuffix(".lua").replace("/", ".")}"] = "{path.split("/", 1)[1]}",'
        for path in sorted(files)
    )
    return f"""package = "kong-plugin-traceable"
version = "{version}"
source = {{ url = "kong-plugin-traceable-{version.split("-")[0]}.tar.gz" }}
build = {{
  type = "builtin",
  modules = {{
{modules}
  }},
}}
"""


def _tar_gz(files: Mapping[str, str]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, text in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(plain.getvalue(), mtime=0)
