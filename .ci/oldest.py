"""Ends with an error where a locked dependency asks for a newer Rust than the one that is named. Reads `cargo metadata`."""

import json
import sys


def version(text):
    return tuple(int(part) for part in text.split("."))


oldest = version(sys.argv[1])
packages = json.load(sys.stdin)["packages"]
newer = [package for package in packages if version(package["rust_version"] or "0") > oldest]
for package in newer:
    print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}", file=sys.stderr)
sys.exit(bool(newer))
