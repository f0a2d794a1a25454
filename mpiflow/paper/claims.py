"""What the paper says beside what was measured: one claim a line, with its spread over seeds and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean, stdev

#: Agreement with a number that the paper gives without an error.
WITHIN = 0.05


@dataclass(frozen=True)
class Claim:
    """One statement of the paper, with what one seed found.

    paper: as the paper puts it. ours: the measured number. low, high: where the paper's statement holds. because: why ours
    differs where it does; a claim that has nothing to say there is expected to hold.
    """

    what: str
    paper: str
    ours: float
    low: float
    high: float
    because: str = ""


@dataclass(frozen=True)
class Verdict:
    """A claim over all its seeds: mean, standard deviation (None for one seed), and whether the mean is where the paper is."""

    what: str
    paper: str
    ours: float
    spread: float | None
    seeds: int
    agrees: bool
    because: str

    @property
    def text(self) -> str:
        """ "agrees", or "differs" and why."""
        if self.agrees:
            return "agrees"
        return f"differs: {self.because}" if self.because else "differs"


def verdict(claims: list[Claim]) -> Verdict:
    """The verdict on one claim from its values over seeds."""
    first, values = claims[0], [claim.ours for claim in claims]
    middle = mean(values)
    spread = stdev(values) if len(values) > 1 else None
    return Verdict(
        first.what, first.paper, middle, spread, len(values), first.low <= middle <= first.high, first.because
    )


def near(what: str, paper: float, ours: float, because: str = "", within: float | None = None) -> Claim:
    """A claim of one number: it holds within WITHIN of the paper's, or within an absolute distance of it."""
    width = WITHIN * abs(paper) if within is None else within
    return Claim(what, f"{paper:g}", ours, paper - width, paper + width, because)
