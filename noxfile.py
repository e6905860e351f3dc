"""Sessions: `nox` runs lint, typing and tests; `nox -l` lists them all."""

import shutil

import nox

nox.options.sessions = ["lint", "typing", "tests"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

PYPROJECT = nox.project.load_toml("pyproject.toml")

# Pinned, so that all sessions share one build; nothing here needs a GPU, and a build for the CPU is enough.
TORCH = "torch==2.13.0"


def install(session: nox.Session, *groups: str) -> None:
    """Install torch, pinned and first, then the project and some of its dependency groups."""
    session.install(TORCH)
    needs = [need for group in groups for need in nox.project.dependency_groups(PYPROJECT, group)]
    session.install("-e", ".", *needs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types."""
    install(session, "typing")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all fast tests, with the examples in docstrings and docs."""
    install(session, "tests")
    session.run("pytest", "--numprocesses=auto", *session.posargs)


@nox.session
def core(session: nox.Session) -> None:
    """Run the tests without the optional table libraries."""
    session.install(TORCH)
    session.install("-e", ".[testing]")
    session.run("pytest", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the laws and the frozen batches with the lowest versions of what the core needs, beside the pinned torch."""
    needs = [need for need in PYPROJECT["project"]["dependencies"] if not need.startswith("torch")]
    oldest = [f"{need.replace('>=', '==')}.*" for need in needs]
    session.install(TORCH, "-e", ".[testing]", "pytest-xdist>=3.6", *oldest)
    session.run("pytest", "--numprocesses=auto", *(session.posargs or ["tests/golden", "tests/property"]))


@nox.session
def coverage(session: nox.Session) -> None:
    """Check that the tests reach every line and every branch of what makes batches."""
    install(session, "coverage")
    session.run("pytest", *session.posargs, "tests/unit", "tests/golden", "tests/property", "--cov")


@nox.session
def mutants(session: nox.Session) -> None:
    """Check, by about every ninth of them, that the tests notice nearly every small change of what makes batches."""
    install(session, "mutants")
    # What a former run found of other tests would stand.
    shutil.rmtree("mutants", ignore_errors=True)
    # Those of a function are numbered from 1: these are 3, 13, 23 and so on, and "*" are all.
    session.run("mutmut", "run", *(session.posargs or ["*3"]))
    session.run("python", "tests/bench/mutants.py")


@nox.session(name="property")
def property_(session: nox.Session) -> None:
    """Run the property tests with many more examples."""
    install(session, "tests")
    session.run("pytest", "tests/property", "--hypothesis-profile=long", *session.posargs)


@nox.session
def alarms(session: nox.Session) -> None:
    """Run the test kit over the built-in chains with 200 random seeds: it must not raise a false alarm."""
    install(session, "tests")
    session.run("python", "tests/kit/alarms.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the main job: train a small model on structured batches."""
    install(session, "tests")  # For Parquet files.
    session.run("python", "examples/train.py", *session.posargs)


@nox.session
def hosts(session: nox.Session) -> None:
    """Train inside real trainers and loaders, in processes that are started for it."""
    # In one go with torch, since hosts would bring another.
    session.install(TORCH, "-e", ".", *nox.project.dependency_groups(PYPROJECT, "hosts"))
    session.install("--no-deps", *nox.project.dependency_groups(PYPROJECT, "peers-alone"))
    session.run("pytest", "-c", "tests/hosts/pytest.ini", "tests/hosts", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site, with every warning an error; the tests run the code of its pages."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build", *session.posargs)


@nox.session
def anndata(session: nox.Session) -> None:
    """Read AnnData files by the command line; with the older pandas that anndata asks for."""
    session.install(TORCH, "-e", ".[anndata,testing]", *nox.project.dependency_groups(PYPROJECT, "anndata"))
    session.run("pytest", "tests/cli", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the page of an audit in headless Chromium; skipped, saying so, where there is none."""
    install(session, "browser")
    session.run("pytest", "-c", "tests/browser/pytest.ini", "tests/browser", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what a batch costs beside other samplers; without arguments, rewrite the tables of docs/cost.md."""
    # In one go with torch, since peers would bring another.
    session.install(TORCH, "-e", ".", *nox.project.dependency_groups(PYPROJECT, "bench"))
    results = f"{session.create_tmp()}/cost.json"
    keep = [f"--benchmark-json={results}", "--benchmark-quiet"]
    session.run("pytest", "-q", "-c", "tests/bench/pytest.ini", *keep, "tests/bench/test_cost.py", *session.posargs)
    session.run("python", "tests/bench/report.py", results, *([] if session.posargs else ["--write"]))


@nox.session
def build(session: nox.Session) -> None:
    """Measure what an index takes to be built, kept and opened."""
    install(session, "tests")  # Text is held by pyarrow where it is there.
    session.run("python", "tests/bench/build_cost.py", *session.posargs)


@nox.session
def jump(session: nox.Session) -> None:
    """Build and use an index of 1.54 billion rows, in plate order and in random order; takes minutes."""
    install(session)
    session.run("python", "tests/bench/jump.py", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Run the test kit over samplers of other libraries, and print the table of docs/peers.md."""
    # In one go with torch, since some of them would bring another.
    session.install(TORCH, "-e", ".[testing]", *nox.project.dependency_groups(PYPROJECT, "peers"))
    session.install("--no-deps", *nox.project.dependency_groups(PYPROJECT, "peers-alone"))
    session.run("python", "-W", "ignore", "tests/peers/table.py")
