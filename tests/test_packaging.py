"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(r) for r in PROJECT["dependencies"]]
EXTRAS = [Requirement(r) for extra in PROJECT["optional-dependencies"].values() for r in extra]
# what conda-forge calls otherwise
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-duckdb",
    "tzdata": "python-tzdata",
}


def locked() -> dict[str, list[str]]:
    """Package -> its locked versions (more than one where Python versions differ)."""
    found: dict[str, list[str]] = {}
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE):
        found.setdefault(name.lower(), []).append(version)
    return found


@pytest.mark.parametrize("requirement", RUNTIME + EXTRAS, ids=str)
def test_lock_satisfies_pyproject(requirement):
    versions = locked().get(requirement.name.lower(), [])
    assert versions, f"{requirement.name} is not in requirements.lock; run `make lock`."
    assert all(requirement.specifier.contains(v) for v in versions)


def test_lock_is_hashed_and_holds_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(entries) > 100
    assert [e.splitlines()[0] for e in entries if "--hash=sha256:" not in e] == []
    assert "://" not in text


def test_environment_asks_for_what_pyproject_asks_for():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = {
        requirement.name: requirement.specifier
        for requirement in (Requirement(line) for line in environment["dependencies"] if isinstance(line, str))
    }
    expected = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in RUNTIME}
    assert {name: conda.get(name) for name in expected} == expected
    assert conda["python"] == SpecifierSet(PROJECT["requires-python"])


def test_every_dependency_gives_its_reason():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.")[0]
    lines = [line for line in text.splitlines() if re.match(r'    "[a-z][\w.-]*(\[[a-z]+\])?[<>=]', line)]
    assert len(lines) == len(RUNTIME + EXTRAS)
    assert [line for line in lines if "# " not in line] == []
