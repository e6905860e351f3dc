"""The house stands as the architecture page says: imports run one way, and torch stays out of the core."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import batchwright
from batchwright import stages

SOURCE = Path(batchwright.__file__).parent

# Lowest floor first: a module may import from floors below its own, never from beside or above it.
FLOORS = [
    ["errors", "finding", "plainvalues", "ragged", "search"],
    ["_checks", "signposts"],
    [
        "pool",
        "ranks",
        "blocks",
        "columns",
        "labelcodes",
        "ordering",
        "spill",
        "steps",
        "stream",
        "times",
    ],
    ["encoding", "labeltext", "parquet", "storage", "timeline"],
    ["pools", "rounding", "share", "counting", "timecount", "timelines"],
    ["groups", "timesort"],
    ["cells"],
    ["building"],
    ["archive"],
    ["index"],
    ["draft", "rowvalues"],
    ["stack"],
    ["layout"],
    ["options"],
    ["stages.base", "stages._focal"],
    ["stages._windows"],
    [
        "stages.condition_balancer",
        "stages.drawer",
        "stages.experiment_selector",
        "stages.leak_mixer",
        "stages.temporal_enricher",
        "pipeline",
    ],
    ["stages", "trunk"],
    ["chainfile.places"],
    ["chainfile.registry", "chainfile.text", "chainfile.values"],
    ["chainfile.elements"],
    ["chainfile.document"],
    ["chainfile"],
    ["walk"],
    ["tally"],
    ["expectation"],
    ["survey"],
    ["preflight"],
    ["explanation"],
    ["plan"],
    ["drawing", "state"],
    ["ahead", "passes"],
    ["sampler"],
    ["flexible"],
    ["hosts.accelerate", "hosts.loaders"],
    ["hosts", "hosts.lightning"],
    ["datasets"],
    ["report.columns", "report.distinct", "report.drawn", "report.moments", "report.plain"],
    ["report.frames", "report.tally"],
    ["report.shown"],
    ["report.charts", "report.figures"],
    ["report.page"],
    ["report.audit"],
    ["report"],
    ["cli.arguments", "cli.output", "cli.progress", "cli.tables"],
    ["cli.audit", "cli.demo", "cli.draw", "cli.explain", "cli.index"],
    ["cli.command"],
    ["cli"],
    ["__main__"],
    ["testing.copies"],
    [
        "testing.claims",
        "testing.failures",
        "testing.global_state",
        "testing.labels",
        "testing.machine",
        "testing.samplers",
    ],
    ["testing.attempts", "testing.comparison", "testing.statistics", "testing.strategies._tables"],
    ["testing.strategies._chains", "testing.strategies._drafts"],
    ["testing.strategies"],
    ["testing.drawer_laws", "testing.stage_laws", "testing.subject"],
    ["testing.checks", "testing.checks.composition", "testing.checks.conduct", "testing.checks.epochs"],
    ["testing.checks.form", "testing.checks.frequencies", "testing.checks.ranks"],
    ["testing.checks.resume"],
    ["testing.registry"],
    ["testing.kit", "testing.stage_checks"],
    ["testing"],
]
FLOOR_OF = {module: number for number, floor in enumerate(FLOORS) for module in floor}
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"
}


def imports_of(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found.add(str(node.module))
    return found


def test_every_module_has_a_floor() -> None:
    """A new file is given its place in the house when it is added."""
    assert set(MODULES) == set(FLOOR_OF)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    """A module imports only from the floors below; no stage imports a sibling."""
    inside = {
        name.removeprefix("batchwright.") for name in imports_of(MODULES[module]) if name.startswith("batchwright.")
    }
    assert all(FLOOR_OF[name] < FLOOR_OF[module] for name in inside), inside
    assert "batchwright" not in imports_of(MODULES[module])


def test_only_the_samplers_import_torch() -> None:
    """Torch takes a second to import, which a chain does not need; hosts and the test kit stand outside."""
    inner = [module for module in sorted(MODULES) if module.split(".")[0] not in ("hosts", "testing")]
    assert [module for module in inner if any(n.split(".")[0] == "torch" for n in imports_of(MODULES[module]))] == [
        "ranks",
        "sampler",
    ]


def test_importing_the_package_leaves_torch_unloaded() -> None:
    """`import batchwright`, all stages and a plan work without torch; the sampler brings it."""
    code = (
        "import sys, batchwright; assert 'torch' not in sys.modules; "
        "batchwright.PipelineSampler; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter and code.


def test_all_stages_are_listed() -> None:
    """`stages.__all__` and the files of the folder agree, so that no stage can be forgotten."""
    files = {path.stem for path in (SOURCE / "stages").glob("[a-z]*.py")} - {"base"}
    names = set(stages.__all__) - {"Stage", "BaseDrawer"}
    assert {"".join(part.title() for part in stem.split("_")) for stem in files} == names


def test_public_names_exist() -> None:
    """Everything in `__all__` can be had, also the names that are loaded late."""
    assert all(hasattr(batchwright, name) for name in batchwright.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = batchwright.nothing
