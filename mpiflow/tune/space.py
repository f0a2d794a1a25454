"""What a study searches: ranges and choices for keys of the run file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(frozen=True)
class Range:
    """A key between two numbers, both included; logarithmic for real numbers above 0."""

    key: str
    low: float
    high: float

    def suggest(self, trial: Trial) -> float:
        """The value of a trial."""
        if isinstance(self.low, int):
            return trial.suggest_int(self.key, self.low, self.high)
        return trial.suggest_float(self.key, self.low, self.high, log=self.low > 0)

    def ends(self) -> tuple:
        """Values that a run file must allow."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether a value of the run file is in the range."""
        return value is not None and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """A key that is one of some values."""

    key: str
    values: tuple

    def suggest(self, trial: Trial) -> Any:
        """The value of a trial."""
        return trial.suggest_categorical(self.key, self.values)

    def ends(self) -> tuple:
        """Values that a run file must allow."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Whether a value of the run file is among the choices."""
        return value in self.values


def dimension(key: str, bounds: list) -> Range | Choice:
    """A range or a choice from its list in the run file. Raises ValueError with the cure."""
    if key.count(".") != 1 or not all(key.split(".")):
        raise ValueError(f'space.{key}: a key is "section.key", in quotes, e.g. "flow.dt" = [0.003, 3.0]')
    if not bounds or not all(isinstance(value, (bool, int, float, str)) for value in bounds):
        raise ValueError(f"space.{key} = {bounds}: two numbers are a range, a list of words or numbers is a choice")
    if len(bounds) != 2 or not all(type(value) in (int, float) for value in bounds):
        return Choice(key, tuple(bounds))
    low, high = bounds if all(type(value) is int for value in bounds) else map(float, bounds)
    if not low < high:
        raise ValueError(f"space.{key} = {bounds}: the low end comes first, and below the high end")
    return Range(key, low, high)


def dimensions(usual: dict[str, list], space: dict[str, list] | None) -> list[Range | Choice]:
    """What a study searches: the space of the run file, or the usual one of its kernel."""
    return [dimension(key, bounds) for key, bounds in (space or usual).items()]
