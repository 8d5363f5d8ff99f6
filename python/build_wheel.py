#!/usr/bin/env python3
"""Builds a wheel that carries the aiopslab program: `pip install` of it is all that an agent needs.

    CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release
    python3 python/build_wheel.py target/release/aiopslab --out target/wheel

The same program and sources give the same bytes. Needs Python 3.11 and nothing else; no network.
The platform in the wheel's name is this machine's, on Linux with the oldest glibc that the program runs on;
`--platform TAG` names another.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import platform
import re
import stat
import sysconfig
import zipfile
from pathlib import Path

import tomllib

HERE = Path(__file__).resolve().parent
MEDIUM = 6
"""Compression: higher levels take much longer and save little."""


def main() -> None:
    """Reads the command line and writes the wheel."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("program", type=Path, help="the aiopslab program, stripped")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder for the wheel [dist]")
    parser.add_argument("--platform", help="the wheel's platform tag")
    options = parser.parse_args()
    tag = options.platform or platform_tag(options.program.read_bytes())
    print(build(options.program, options.out, tag))


def build(program: Path, out: Path, tag: str) -> Path:
    """Writes the wheel into a folder and returns its path."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = version_of(HERE / "aiopslab" / "version.py")
    name = "aiopslab.exe" if tag.startswith("win") else "aiopslab"
    files = sources()
    files[f"aiopslab/bin/{name}"] = (program.read_bytes(), 0o755)
    about = f"aiopslab-{version}.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: build_wheel\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n"
    files[f"{about}/METADATA"] = (metadata(project, version).encode(), 0o644)
    files[f"{about}/WHEEL"] = (wheel.encode(), 0o644)
    files[f"{about}/entry_points.txt"] = (
        b"[console_scripts]\naiopslab = aiopslab.__main__:main\n",
        0o644,
    )
    files[f"{about}/RECORD"] = (record(files, f"{about}/RECORD").encode(), 0o644)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"aiopslab-{version}-py3-none-{tag}.whl"
    write(path, files)
    return path


def sources() -> dict[str, tuple[bytes, int]]:
    """The package's files: contents and mode by path."""
    package = HERE / "aiopslab"
    paths = [*package.rglob("*.py"), package / "py.typed"]
    return {str(path.relative_to(HERE).as_posix()): (path.read_bytes(), 0o644) for path in paths}


def version_of(path: Path) -> str:
    """The version that a module gives, without importing it."""
    found = re.search(r'^__version__ = "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"error: {path} gives no __version__")
    return found[1]


def metadata(project: dict[str, str], version: str) -> str:
    """The wheel's METADATA, out of `pyproject.toml`."""
    fields: list[tuple[str, str]] = [
        ("Metadata-Version", "2.4"),
        ("Name", project["name"]),
        ("Version", version),
        ("Summary", project["description"]),
        ("License-Expression", project["license"]),
        ("Requires-Python", project["requires-python"]),
        ("Description-Content-Type", "text/markdown"),
    ]
    head = "".join(f"{field}: {value}\n" for field, value in fields)
    return f"{head}\n{(HERE / project['readme']).read_text(encoding='utf-8')}"


def record(files: dict[str, tuple[bytes, int]], own: str) -> str:
    """The wheel's RECORD: every file with its digest and size, itself without."""
    lines = []
    for path, (content, _) in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    return "".join(lines) + f"{own},,\n"


def write(path: Path, files: dict[str, tuple[bytes, int]]) -> None:
    """Writes a zip file: sorted, the metadata last as the format recommends, without times."""
    order = sorted(files, key=lambda name: (".dist-info/" in name, name))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=MEDIUM) as wheel:
        for name in order:
            content, mode = files[name]
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)


def platform_tag(program: bytes) -> str:
    """This machine's platform; for Linux by the newest version of glibc's symbols that the program names."""
    machine = platform.machine().lower()
    if platform.system() != "Linux":
        return sysconfig.get_platform().replace("-", "_").replace(".", "_")
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d{1,2})\b", program)]
    if not versions:
        return f"manylinux2014_{machine}.musllinux_1_1_{machine}"
    return f"manylinux_2_{max(max(versions), 17)}_{machine}"


if __name__ == "__main__":
    main()
