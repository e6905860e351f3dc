"""Chains from files, by the recipes of docs/hosts/config.md: LightningCLI, jsonargparse, Hydra, and hyperparameters."""

import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from jsonargparse import auto_cli
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningCLI
from omegaconf import OmegaConf
from pages import PAGES, recipe
from ranks_lightning import QUIET
from screen import Batch, Net, table

from batchwright import (
    BaseDrawer,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    PipelineSampler,
    SettingTypeError,
    Stage,
)

PAGE = recipe("config")
CLI_FILE, HYDRA_FILE = re.findall(r"^```yaml\n(.*?)^```$", (PAGES / "config.md").read_text(), re.MULTILINE | re.DOTALL)
CHAIN = [ExperimentSelector(weights={"a": 1, "b": 1, "c": 2}), LeakMixer(0.2), ConditionBalancer(), Drawer()]


class Job(recipe("lightning").Module):
    """What the command line trains."""

    def __init__(self) -> None:
        super().__init__(Net())


def planned(chain: list[Any] = CHAIN, seed: int = 7) -> list[Batch]:
    """Return the batches of two epochs of a chain over the screen."""
    sampler = PipelineSampler(table(), chain, batch_size=5, seed=seed)
    return [sampler.batch(step, epoch) for epoch in range(2) for step in range(len(sampler))]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the files of the page where paths lead."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("screen.csv")
    Path("train.yaml").write_text(CLI_FILE)
    Path("sampler.yaml").write_text(HYDRA_FILE)


def fit(*arguments: str) -> LightningCLI:
    """Train as a command line says."""
    quiet = [f"--trainer.{name}={value}".lower() for name, value in QUIET.items()]
    return PAGE.run(Job, ["fit", "--config", "train.yaml", *quiet, *arguments])


def test_a_command_line_trains_on_the_chain_of_its_file() -> None:
    """Also with settings of weights by label; and the callback finds the sampler by itself."""
    assert fit().model.model.seen == planned()


def test_a_command_line_overrides_its_file() -> None:
    """A number, and a whole chain from another file."""
    Path("chain.yaml").write_text("- class_path: batchwright.ExperimentSelector\n- class_path: batchwright.Drawer\n")
    seen = fit("--data.seed=9", "--data.stages=chain.yaml").model.model.seen
    assert seen == planned([ExperimentSelector(), Drawer()], seed=9)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("fraction: 0.2", "fractoin: 0.2", "Option 'fractoin' is not accepted"),
        ("fraction: 0.2", "fraction: much", """Parser key "fraction":\n          Expected a <class 'float'>"""),
        ("batchwright.LeakMixer", "batchwright.LeekMixer", "module 'batchwright' has no attribute 'LeekMixer'"),
        ("batchwright.Drawer", "torch.nn.ReLU", "torch.nn.ReLU does not correspond to a subclass of BaseDrawer"),
        ("batch_size: 5", "batch_size: five", """Parser key "data.batch_size":\n  Expected a <class 'int'>"""),
        ("seed: 7", "sed: 7", "does not accept option 'data.sed'"),
        ("c: 2", "c: much", """Parser key "weights":"""),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    right: str, wrong: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is built."""
    Path("train.yaml").write_text(CLI_FILE.replace(right, wrong))
    with pytest.raises(SystemExit):
        fit()
    assert said in capsys.readouterr().err


def test_a_value_that_cannot_work_is_refused_by_its_stage() -> None:
    """What a type does not say, the stage does, in its own words."""
    Path("train.yaml").write_text(CLI_FILE.replace("fraction: 0.2", "fraction: 1.5"))
    with pytest.raises(ValueError, match=r"fraction must be at most 1; got 1\.5"):
        fit()


def test_a_run_of_a_command_line_is_resumed_and_its_module_built_again() -> None:
    """Its checkpoint holds plain values, from which chain and position come back."""
    fit("--trainer.max_epochs=1", "--trainer.default_root_dir=first")
    path = str(*Path("first").rglob("*.ckpt"))
    assert fit("--ckpt_path", path, "--trainer.default_root_dir=second").model.model.seen == planned()[12:]
    sampler = PAGE.Screen.load_from_checkpoint(path).sampler
    assert [sampler.batch(step, 0) for step in range(12)] == planned()[:12]


def test_stages_among_hyperparameters_are_loaded_if_asked() -> None:
    """A module built by hand keeps its stages as objects, of which torch wants to be told that they are safe."""
    trainer = Trainer(max_epochs=1, enable_checkpointing=False, use_distributed_sampler=False, **QUIET)
    trainer.fit(Job(), PAGE.Screen("screen.csv", CHAIN, 5, seed=7))
    trainer.save_checkpoint("by_hand.ckpt")
    with pytest.raises(UnpicklingError, match="Weights only load failed"):
        PAGE.Screen.load_from_checkpoint("by_hand.ckpt")
    module = PAGE.Screen.load_from_checkpoint("by_hand.ckpt", weights_only=False)
    assert module.hparams.stages == CHAIN
    assert module.sampler.batch(0, 0) == planned()[0]


def make(stages: list[Stage | BaseDrawer], batch_size: int = 5, seed: int = 7) -> PipelineSampler:
    """Return a sampler over the screen, as a function whose arguments a command line gives."""
    return PipelineSampler(table(), stages, batch_size, seed=seed)


def test_jsonargparse_calls_any_function() -> None:
    """Short names of classes will do, and lists of columns."""
    selector = '{"class_path": "ExperimentSelector", "init_args": {"by": ["experiment", "condition"]}}'
    sampler = auto_cli(make, args=[f'[{selector}, {{"class_path": "Drawer"}}]', "--seed=9"])
    assert sampler.batch(0, 0) == planned([ExperimentSelector(by=["experiment", "condition"]), Drawer()], seed=9)[0]


def hydra(*overrides: str) -> Any:
    with initialize_config_dir(str(Path.cwd()), version_base=None):
        return compose("sampler", list(overrides))


def test_hydra_builds_the_chain_of_its_file() -> None:
    """Batch by batch."""
    sampler = PAGE.build(hydra(), table())
    assert [batch for _ in range(2) for batch in sampler] == planned()


def test_hydra_overrides_any_stage() -> None:
    """By its place in the list."""
    sampler = PAGE.build(hydra("stages.1.fraction=0.4", "seed=9"), table())
    chain = [CHAIN[0], LeakMixer(0.4), *CHAIN[2:]]
    assert [batch for _ in range(2) for batch in sampler] == planned(chain, seed=9)


@pytest.mark.parametrize("convert", ["object", "partial"])
def test_hydra_may_convert_in_other_ways(convert: str) -> None:
    """As long as it hands stages over as what they are."""
    assert PAGE.build(hydra(f"_convert_={convert}"), table()).batch(0, 0) == planned()[0]


def test_what_hydra_does_not_convert_is_refused_with_the_way_out() -> None:
    """Stages that have become dicts are never taken for a chain."""
    config = OmegaConf.create(HYDRA_FILE.replace("_convert_: all", ""))
    with pytest.raises(SettingTypeError, match="set `_convert_: all` on the node around the list"):
        PAGE.build(config, table())


def test_what_hydra_does_not_check_the_stage_does() -> None:
    """Names and values."""
    for override, said in (("+stages.1.fractoin=1", "'fractoin'"), ("stages.1.fraction=much", "fraction must be")):
        with pytest.raises(InstantiationException, match=said):
            PAGE.build(hydra(override), table())
