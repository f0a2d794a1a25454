"""What all tables of a run file have in common."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer

if TYPE_CHECKING:
    from mpiflow.config import Config

#: Numbers that any arithmetic with them survives: their squares and products are finite, and above 0.
LEAST, MOST = 1e-30, 1e30
Positive = Annotated[float, Field(ge=LEAST, le=MOST, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
#: How many of anything: more than any machine will count, and few enough for 64 bits.
Count = Annotated[int, Field(ge=1, le=10**12)]
#: What most metrics live on, in words.
POINTS = "points of complex manifolds"


class Section(BaseModel):
    """A table of the run file; unknown keys are refused, and so is `true` or "2" for a number.

    The description of a key is the cure that its mistakes tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


_CONTEXT: ContextVar[dict | None] = ContextVar("context", default=None)


class Named(Section):
    """What comes in through a door: the fields of a class are the keys beside its name.

    key: what its table calls the name. usual: the name that is meant where none is given, None where one must be. source: the
    text of the file that a user's own class stands in; None for ours. unopened: what a class answers whose file is not
    opened, so that nothing is refused for it. last: keys that all classes of a base have, after their own.
    """

    key: ClassVar[str] = "name"
    usual: ClassVar[str | None] = None
    name: ClassVar[str] = ""
    source: ClassVar[str | None] = None
    unopened: ClassVar[dict] = {}
    last: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *values, **keys):
        names = sorted(type(self).model_fields, key=type(self).last.__contains__)
        given = dict(zip(names, values, strict=False)) | keys
        self.__pydantic_validator__.validate_python(given, self_instance=self, context=_CONTEXT.get())

    @classmethod
    def validated(cls, keys: dict, context: dict | None) -> Self:
        """From the keys of a run file; context: of pydantic, also for doors within, which a class's own __init__ would lose."""
        token = _CONTEXT.set(context)
        try:
            return cls.model_validate(keys)
        finally:
            _CONTEXT.reset(token)

    def tried(self, beside: dict) -> None:
        """Try a user's class before any work; beside: what was read of its run file so far. Raises where it is wrong."""

    def check(self, config: Config) -> None:
        """Raises ValueError for what does not go together with the rest of a run file."""

    @model_serializer(mode="wrap")
    def _named(self, fields) -> dict:
        return {self.key: self.name} | fields(self)


class Manifold(Named):
    """What metrics live on, [manifold]. lives: on what, in words; None for one whose file is not opened."""

    key = "family"
    usual = "fermat"
    lives: ClassVar[str | None] = POINTS

    @property
    def pointed(self) -> bool:
        """Whether it has points, in charts."""
        return self.lives in (POINTS, None)


#: Functions of the module of a method, from the words of a run file to the objects of a flow; collective.
#: flow(config, surface, train, stored): the flow at step 0. train: of a run without points, on a grid, the ranks. stored:
#: attributes of the state that it resumes from, {} for none. predictor(config, surface, train, stored, rows): the metric that
#: a state predicts; rows(name) gives own train rows of a dataset, rows(name, None) all. load(config): compile what is compiled
#: at first use into its cache.
VERBS = ("flow", "predictor", "driven", "load", "costs", "complaints")


class Everything(frozenset):
    """What is answered by a class whose file is not opened."""

    def __ge__(self, other: object) -> bool:
        return True

    def __contains__(self, word: object) -> bool:
        return True


class Kind(Named):
    """What moves the metric, [kernel] or [network].

    method: its module in `mpiflow.methods`; "" where it is the one that the class stands in, with all VERBS. space: what a
    study searches where the run file does not say, as in its [tune].
    kappa: the usual flow.kappa. search: the usual flow.search. answers: what a search may ask of its flow.
    quadratic: whether the work of a step is one of pairs of points. transforms: whether the metric goes from chart to chart.
    symmetric: whether one entry serves both points of a pair. needs: modules of an extra. lives: what the
    metrics live on that it moves, as of a `Manifold`.
    """

    method: ClassVar[str] = ""
    space: ClassVar[dict[str, list]] = {}
    kappa: ClassVar[str] = "fixed"
    search: ClassVar[str] = "euler"
    answers: ClassVar[frozenset[str]] = frozenset()
    quadratic: ClassVar[bool] = False
    transforms: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    lives: ClassVar[str | None] = POINTS

    def tried(self, beside: dict) -> None:
        """Look for what a method has beside its class. Raises where a verb is missing."""
        verbs = () if self.method else VERBS
        if missing := [verb for verb in verbs if not hasattr(sys.modules[type(self).__module__], verb)]:
            raise ValueError(
                f"a method has the functions {', '.join(VERBS)} beside it: there is no {', '.join(missing)}"
            )

    def reach(self, tolerance: float) -> float | None:
        """The Fubini-Study distance beyond which less than the tolerance is felt, None where all is."""
        return None

    @property
    def everywhere(self) -> bool:
        """Whether a run in one chart knows all."""
        return False
