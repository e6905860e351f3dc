"""The kinds of stage that a chain file may name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter, isabstract, signature
from typing import Any, TypeVar

from batchwright.chainfile.places import names_of
from batchwright.errors import ChainFileError, SettingError, SettingTypeError
from batchwright.stages import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, TemporalEnricher
from batchwright.stages.base import Element

__all__ = ["known_kinds", "register_stage", "settings_of", "stage_class"]

_GROUP = "batchwright.stages"
_BUILT_IN = (ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, TemporalEnricher)
_kinds: dict[str, type[Element]] = {kind.__name__: kind for kind in _BUILT_IN}

AnyStage = TypeVar("AnyStage", bound=type[Element])


def register_stage(kind: AnyStage, /) -> AnyStage:
    """Let chain files name a class of stages, or of drawers, by the name of the class; return it, as a decorator does.

    Its settings are the parameters of its constructor, each of which must be kept as an attribute of the same name.
    A package can have its stages found without this, by entry points of the group ``batchwright.stages``, whose names
    are those of the classes.

    Parameters
    ----------
    kind
        A subclass of `Stage` or `BaseDrawer`.

    Raises
    ------
    SettingTypeError
        If it is none, or is abstract.
    SettingError
        If another class has the name, or a parameter cannot be named in a file.

    Examples
    --------
    >>> import attrs
    >>> from batchwright import Stage
    >>> @register_stage
    ... @attrs.frozen
    ... class OnlyMarker(Stage):
    ...     marker: str
    ...     by = "marker"
    ...     def apply(self, draft):
    ...         return draft.filter(draft.index.pool("marker", self.marker))
    >>> from batchwright.chainfile import load_chain
    >>> load_chain('{"batchwright": 1, "stages": [{"kind": "OnlyMarker", "marker": "DAPI"}, {"kind": "Drawer"}]}')
    Pipeline(stages=(OnlyMarker(marker='DAPI'), Drawer()))
    """
    given: Any = kind
    if not isinstance(given, type) or not issubclass(given, Element) or isabstract(given):
        msg = (
            f"A kind of stage must be a class that is a Stage or a BaseDrawer and can be made; got {kind!r} "
            "(register_stage). Register the class itself, not an object of it."
        )
        raise SettingTypeError(msg)
    settings_of(kind)
    held = _kinds.get(kind.__name__, kind)
    # A cell of a notebook that runs again makes its class again.
    if (held.__module__, held.__qualname__) != (kind.__module__, kind.__qualname__):
        msg = (
            f"A kind of stage must have a name of its own; {kind.__name__!r} is {held.__module__}.{held.__qualname__} "
            "(register_stage). Give the class another name."
        )
        raise SettingError(msg)
    _kinds[kind.__name__] = kind
    return kind


def settings_of(kind: type[Element]) -> Mapping[str, Parameter]:
    """Return the parameters of the constructor of a class.

    Raises
    ------
    SettingError
        If one cannot be named in a file: ``*args``, ``**kwargs``, one without a name, or one that is called ``kind``.
    """
    parameters = signature(kind).parameters
    free = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_ONLY)
    wrong = [name for name, parameter in parameters.items() if parameter.kind in free or name == "kind"]
    if wrong:
        msg = (
            f"A setting must have a name, and another one than 'kind'; {kind.__name__} has {len(wrong)} that a file "
            f"cannot name: {names_of(wrong)} (register_stage). Give its constructor named parameters."
        )
        raise SettingError(msg)
    return parameters


def known_kinds() -> set[str]:
    """Return the names of all kinds there are, without loading any."""
    return {*_kinds, *(point.name for point in entry_points(group=_GROUP))}


def stage_class(name: str) -> type[Element] | None:
    """Return the class of a kind, loading it if an entry point has it; None where there is no such kind.

    Raises
    ------
    ChainFileError
        If several packages have an entry point of that name, or it does not lead to a class of that name.
    """
    if name not in _kinds:
        points = tuple(entry_points(group=_GROUP, name=name))
        if len({point.value for point in points}) > 1:
            msg = (
                f"A kind of stage must come from one package; {name!r} comes from {len(points)}: "
                f"{names_of(point.value for point in points)} (entry points). Uninstall all but one."
            )
            raise ChainFileError(msg)
        return _load(points[0]) if points else None
    return _kinds[name]


def _load(point: EntryPoint) -> type[Element]:
    try:
        loaded: Any = register_stage(point.load())
    except Exception as error:
        msg = (
            f"An entry point must lead to a stage; {point.name!r} leads to {point.value!r}, which fails: {error} "
            f"(group {_GROUP}). Repair or uninstall the package that brings it."
        )
        raise ChainFileError(msg) from error
    if loaded.__name__ != point.name:
        msg = (
            f"An entry point must have the name of its class; {point.name!r} leads to {loaded.__name__!r} "
            f"(group {_GROUP}). Rename one of the two in the package that brings it."
        )
        raise ChainFileError(msg)
    found: type[Element] = loaded
    return found
