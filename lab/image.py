#!/usr/bin/env python3
"""Container images without a container engine.

    image.py ids SPEC...       prints "ID NAME" for each image
    image.py archive SPEC...   writes one docker-archive of them all to standard output

A SPEC is JSON: {"name": "docker.io/…:tag", "layers": ["root.tar", …], "files": {"/path/in/image": "source", …},
"entrypoint": [...], "environment": {"NAME": "value"}}. Files make one more layer on top. The same content has the
same id: no times, no owners. A layer that several images share is written once.
"""
import hashlib
import io
import json
import os
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def digest_of_file(path):
    """The sha-256 of a big file, kept beside it until the file changes."""
    state = os.stat(path)
    stamp = f"{state.st_size} {state.st_mtime_ns}"
    beside = path + ".sha256"
    try:
        with open(beside) as file:
            known, digest = file.read().rsplit(" ", 1)
        if known == stamp:
            return digest
    except (OSError, ValueError):
        pass
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    with open(beside, "w") as file:
        file.write(f"{stamp} {digest.hexdigest()}")
    return digest.hexdigest()


def layer_of_files(files):
    """A tar of the given files and the folders above them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folders = set()
        for target in files:
            parts = target.strip("/").split("/")[:-1]
            folders.update("/".join(parts[: n + 1]) for n in range(len(parts)))
        for folder in sorted(folders):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for target, source in sorted(files.items()):
            entry = tarfile.TarInfo(target.strip("/"))
            entry.size = os.path.getsize(source)
            entry.mode = 0o755 if os.access(source, os.X_OK) else 0o644
            with open(source, "rb") as file:
                tar.addfile(entry, file)
    return out.getvalue()


class Image:
    """One image: its configuration and its layers as (digest, path or bytes)."""

    def __init__(self, spec):
        self.name = spec["name"]
        self.layers = [(digest_of_file(path), path) for path in spec.get("layers", [])]
        if spec.get("files"):
            layer = layer_of_files(spec["files"])
            self.layers.append((hashlib.sha256(layer).hexdigest(), layer))
        machine = os.uname().machine
        environment = {"PATH": PATH, **spec.get("environment", {})}
        self.config = json.dumps({
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Entrypoint": spec["entrypoint"], "Env": [f"{k}={v}" for k, v in sorted(environment.items())]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest, _ in self.layers]},
        }, sort_keys=True).encode()
        self.id = hashlib.sha256(self.config).hexdigest()


def write_archive(images, out):
    with tarfile.open(fileobj=out, mode="w|") as tar:
        def add(name, content):
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                entry.size = os.path.getsize(content)
                with open(content, "rb") as file:
                    tar.addfile(entry, file)

        written = set()
        for image in images:
            for digest, content in image.layers:
                if digest not in written:
                    add(f"{digest}/layer.tar", content)
                    written.add(digest)
            if image.id not in written:
                add(f"{image.id}.json", image.config)
                written.add(image.id)
        manifest = [{
            "Config": f"{image.id}.json",
            "RepoTags": [image.name],
            "Layers": [f"{digest}/layer.tar" for digest, _ in image.layers],
        } for image in images]
        add("manifest.json", json.dumps(manifest).encode())


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("ids", "archive"):
        sys.exit(__doc__)
    images = [Image(json.loads(spec)) for spec in sys.argv[2:]]
    if sys.argv[1] == "ids":
        for image in images:
            print(image.id, image.name)
    else:
        write_archive(images, sys.stdout.buffer)


if __name__ == "__main__":
    main()
