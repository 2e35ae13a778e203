"""Makes leadroutes/web/static/vendor/ again from the npm registry, and compares: `bin/vendor` says what differs.

With `--write` the files and their hashes are replaced. vendor.toml says which packages and which of their files.
"""
# ruff: noqa: INP001, T201 -- a script, which prints

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "leadroutes" / "web" / "static" / "vendor"
_SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*\n?", re.MULTILINE)
_SVG_ROOT = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def main(arguments: list[str]) -> int:
    differing = []
    for package in tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]:
        made = _files_of(package)
        directory = VENDOR / package["directory"]
        for name, content in made.items():
            path = directory / name
            if path.exists() and path.read_bytes() == content and _digest(content) == package["sha256"].get(name):
                continue
            differing.append(f"{package['directory']}/{name} sha256 {_digest(content)}")
            if "--write" in arguments:
                directory.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    print("\n".join(differing) or "The vendored files are those of the registry.")
    return 1 if differing else 0


def _files_of(package: dict[str, object]) -> dict[str, bytes]:
    archive = _download(str(package["npm"]), str(package["integrity"]))
    files = {}
    for name, source in dict(package["files"]).items():  # type: ignore[call-overload]
        files[name] = _SOURCE_MAP.sub(b"", archive[source])
    icons = package.get("icons")
    if isinstance(icons, list):
        files["icons.svg"] = _sprite(icons, archive)
    return files


def _download(name: str, integrity: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", name, "--json", "--pack-destination", directory]
        packed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]  # noqa: S603
        content = (Path(directory) / packed["filename"]).read_bytes()
    actual = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if actual != integrity:
        raise SystemExit(f"{name}: the package is {actual}; vendor.toml expects {integrity}")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {each.name.removeprefix("package/"): tar.extractfile(each).read() for each in members}  # type: ignore[union-attr]


def _sprite(names: list[str], archive: dict[str, bytes]) -> bytes:
    """One file of symbols instead of many requests."""
    symbols = []
    for name in sorted(names):
        found = _SVG_ROOT.search(archive[f"icons/{name}.svg"].decode())
        assert found is not None
        body = " ".join(found[1].split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
