"""The locks work for anybody: public indexes only, hashes everywhere, and no package that needs a compiler."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

PYTHON_HOSTS = {"pypi.org", "files.pythonhosted.org"}

UNHASHED = {
    # Platforms whose packages the lock names by version alone (see ADR 1).
    "@foundry-rs/anvil-darwin-amd64",
    "@foundry-rs/anvil-darwin-arm64",
    "@foundry-rs/anvil-linux-arm64",
    "@foundry-rs/anvil-win32-amd64",
    "@nomicfoundation/edr-darwin-arm64",
    "@nomicfoundation/edr-darwin-x64",
    "@nomicfoundation/edr-linux-arm64-gnu",
    "@nomicfoundation/edr-linux-arm64-musl",
    "@nomicfoundation/edr-win32-x64-msvc",
}


def test_uv_lock_names_public_hosts_only(root: Path) -> None:
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    seen = set()
    for package in lock["package"]:
        for source in package["source"].values():
            if "://" in source:
                assert source == "https://pypi.org/simple", package["name"]
        for built in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]:
            assert built["hash"].startswith("sha256:")
            seen.add(urlsplit(built["url"]).hostname)
    assert seen <= PYTHON_HOSTS


def test_every_python_package_has_a_wheel(root: Path) -> None:
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    without = [p["name"] for p in lock["package"] if not p.get("wheels") and "editable" not in p["source"]]
    assert without == []


def test_package_lock_names_no_host(root: Path) -> None:
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_package_lock_has_a_hash_for_all_that_is_installed_here(root: Path) -> None:
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    without = {
        name.removeprefix("node_modules/") for name, entry in packages.items() if name and "integrity" not in entry
    }
    assert without <= UNHASHED
    assert all(packages[f"node_modules/{name}"]["optional"] for name in without)


def test_npm_is_told_to_record_no_host(root: Path) -> None:
    lines = (root / ".npmrc").read_text(encoding="utf-8").splitlines()
    assert "omit-lockfile-registry-resolved=true" in lines
    assert not [line for line in lines if "registry=" in line and not line.startswith("omit-")]


def test_project_sets_no_index_of_its_own(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"index", "index-url", "extra-index-url", "find-links"}.isdisjoint(project["tool"]["uv"])
