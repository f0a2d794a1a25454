"""The sections of a run file as typed models: names, defaults, ranges, and what must fit together."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mpiflow.errors import InputError
from mpiflow.tune.settings import Tune

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table of the run file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(Section):
    """[run]: identity of the run and the arithmetic."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "run"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    precision: Literal["float32", "float64"] = "float64"
    backend: Literal["auto", "cpu", "gpu"] = "auto"

    @property
    def folder(self) -> str:
        """The name as the name of a folder: letters, digits, dots, dashes and underscores."""
        return re.sub(r"[^\w.-]+", "_", self.name).strip(".") or "run"


class Manifold(Section):
    """[manifold]: Q, by family or by monomials and coefficients (numbers, or [re, im] pairs)."""

    family: Literal["fermat", "dwork", "polynomial"] = "fermat"
    ambient: Annotated[int, Field(ge=2, le=5)] = 4
    psi: float | tuple[float, float] | None = None
    monomials: list[list[Annotated[int, Field(ge=0)]]] | None = None
    coefficients: list[float | tuple[float, float]] | None = None

    @model_validator(mode="after")
    def _complete(self):
        if self.family == "dwork" and self.psi is None:
            raise ValueError("psi: the dwork family needs it, e.g. psi = 0.5")
        if self.family != "dwork" and self.psi is not None:
            raise ValueError(f"psi = {self.psi}: only the dwork family has it; remove it")
        if self.family == "polynomial" and not (self.monomials and self.coefficients):
            raise ValueError("monomials, coefficients: the polynomial family needs both")
        if self.family != "polynomial" and (self.monomials or self.coefficients):
            raise ValueError('monomials, coefficients: only for family = "polynomial"; remove them')
        return self


class Points(Section):
    """[points]: how many, in which chart, with which noise; sampled, or the first ones of cymetric's dataset.npz (`file`)."""

    train: Annotated[int, Field(ge=1)] = 1000
    test: Annotated[int, Field(ge=1)] = 1000
    file: Annotated[str, Field(min_length=1)] | None = None
    chart: Literal["all"] | tuple[int, int] = (0, 1)
    noise: NonNegative = 0.0
    project: bool = True


class Clusters(Section):
    """[clusters]: mini-batch clustering and the merge (HR 3.1)."""

    count: Annotated[int, Field(ge=1)] = 1
    batch: Annotated[int, Field(ge=1)] = 10_000
    linkage: Literal["average", "complete", "ward", "chordal"] = "average"
    merge: Literal["greedy", "assignment", "moments", "kmeans"] = "greedy"


class GaussianKernel(Section):
    """[kernel] name = "gaussian": exp(-d^2 / 2 width^2) in the Fubini-Study distance (HR 3.6)."""

    name: Literal["gaussian"]
    width: Positive


class DeltaKernel(Section):
    """[kernel] name = "delta": the update of the nearest train point (HR 3.2.3)."""

    name: Literal["delta"]


class ReluKernel(Section):
    """[kernel] name = "relu": the NTK of an infinitely wide ReLU network of `depth` hidden layers."""

    name: Literal["relu"]
    depth: Annotated[int, Field(ge=1, le=32)] = 2
    w_std: Positive = 1.4142135623730951
    b_std: NonNegative = 0.1


class KaehlerKernel(Section):
    """[kernel] name = "kaehler": g = g_FS + d dbar phi, phi in a frozen space of degree k (theory 4, HR app. B)."""

    name: Literal["kaehler"]
    degree: Annotated[int, Field(ge=1, le=40)] = 8
    features: Literal["invariant", "generic"] = "invariant"
    preconditioner: Literal["natural", "diagonal", "plain", "ricci"] = "natural"
    refreeze: Annotated[int, Field(ge=1)] | None = None
    warm: Annotated[int, Field(ge=2)] | None = None
    ridge: NonNegative = 0.0


Kernel = Annotated[GaussianKernel | DeltaKernel | ReluKernel | KaehlerKernel, Field(discriminator="name")]


class Network(Section):
    """[network]: a finite network in place of a frozen kernel (HR 3.3); `flow.steps` are epochs, `flow.dt` Adam's rate.

    batch: points of a mini-batch. decay: factor on the rate from epoch to epoch. sigma, kaehler, transition: weights of
    the losses.
    """

    kind: Literal["multiplicative", "additive", "potential"]
    width: Annotated[int, Field(ge=1, le=16_384)] = 64
    depth: Annotated[int, Field(ge=1, le=32)] = 3
    activation: Literal["relu", "gelu", "tanh"] = "gelu"
    batch: Annotated[int, Field(ge=1)] = 256
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    sigma: NonNegative = 1.0
    kaehler: NonNegative = 0.0
    transition: NonNegative = 0.0

    @model_validator(mode="after")
    def _consistent(self):
        if not self.sigma + self.kaehler + self.transition:
            raise ValueError("sigma = 0: with network.kaehler and network.transition 0 too there is no loss; take 1")
        if self.kind == "potential" and self.activation == "relu":
            raise ValueError('activation = "relu": a potential needs second derivatives; take "gelu" or "tanh"')
        if self.kind == "potential" and self.kaehler + self.transition:
            raise ValueError("kaehler, transition: a potential is Kaehler and one function on X; remove both")
        return self


class Flow(Section):
    """[flow]: the discretised flow (HR 3.5)."""

    steps: Annotated[int, Field(ge=0)] = 50
    dt: Positive
    loss: Literal["sigma", "monge-ampere", "log"] = "log"
    normalisation: Literal["sum", "mean", "row"] = "mean"
    natural_gradient: bool = False
    kappa: Literal["fixed", "step"] | None = None
    clip: Positive | None = None
    coupling: Literal["none", "halo", "all"] = "none"
    halo_tolerance: Positive = 1e-3
    test_every: Annotated[int, Field(ge=1)] = 1


class Engine(Section):
    """[engine]: how kernel sums are computed and in how much memory (GiB for each rank)."""

    mode: Literal["auto", "resident", "streamed", "neighbours"] = "auto"
    memory: Positive = 2.0


class Output(Section):
    """[output]: when states are committed, besides at the start and the end, and which are kept.

    By the clock, unless steps are asked for: a commit then costs the same share of any flow, however quick its steps.
    """

    every_steps: Annotated[int, Field(ge=1)] | None = None
    every_seconds: Positive | None = 600.0
    keep: Annotated[int, Field(ge=1)] = 3
    keep_every: Annotated[int, Field(ge=1)] | None = None


class Config(Section):
    """A whole run file."""

    run: Run = Run()
    manifold: Manifold = Manifold()
    points: Points = Points()
    clusters: Clusters = Clusters()
    kernel: Kernel | None = None
    network: Network | None = None
    flow: Flow
    engine: Engine = Engine()
    output: Output = Output()
    # Of a study of runs, not of a run: no state remembers it.
    tune: Tune = Field(default=Tune(), exclude=True)

    @model_validator(mode="after")
    def _consistent(self):
        size = self.manifold.ambient + 1
        if not self.kernel and not self.network:
            raise ValueError("kernel: missing; give [kernel] with name gaussian, delta, relu or kaehler, or [network]")
        if self.network:
            self._network()
        if self.flow.coupling == "halo" and self.method not in ("gaussian", "delta"):
            raise ValueError(
                f'flow.coupling = "halo": the {self.kernel.name} kernel is felt everywhere, so no halo holds it; '
                'use "all" or "none"'
            )
        chart = self.points.chart
        if chart == "all" and self.method not in ("kaehler", "network"):
            raise ValueError(
                f'points.chart = "all": the components of a {self.kernel.name} kernel do not transform between charts; '
                'choose one, e.g. chart = [0, 1], or kernel.name = "kaehler"'
            )
        if chart != "all" and (not all(0 <= c < size for c in chart) or chart[0] == chart[1]):
            raise ValueError(f"points.chart = {list(chart)}: two different coordinates out of 0..{size - 1}")
        if self.method == "kaehler":
            self._kaehler()
        smallest = self.points.train % self.clusters.batch or min(self.clusters.batch, self.points.train)
        if self.clusters.count > smallest:
            raise ValueError(
                f"clusters.count = {self.clusters.count}: more clusters than the {smallest} points of the smallest "
                "mini-batch; lower clusters.count, or choose clusters.batch so that it divides points.train"
            )
        return self

    def _kaehler(self) -> None:
        """What a Kaehler flow cannot do."""
        if self.run.precision != "float64":
            raise ValueError('run.precision = "float32": its normal matrix needs more digits; take "float64"')
        if self.kernel.warm and (self.kernel.features == "generic" or not self.kernel.refreeze):
            raise ValueError(f"kernel.warm = {self.kernel.warm}: needs kernel.refreeze, and invariant features")
        if self.kernel.features == "generic" and self.kernel.preconditioner in ("diagonal", "ricci"):
            raise ValueError(
                f'kernel.preconditioner = "{self.kernel.preconditioner}": generic features know "natural" and "plain"'
            )
        if self.clusters.count != 1:
            raise ValueError(f"clusters.count = {self.clusters.count}: one potential knows no clusters; take 1")
        if self.kappa != "step" or self.flow.natural_gradient or self.flow.clip or self.points.noise:
            raise ValueError(
                'flow.kappa, flow.natural_gradient, flow.clip, points.noise: a Kaehler flow takes kappa = "step" and '
                "none of the others; remove them"
            )

    def _network(self) -> None:
        """What a network cannot do."""
        if self.kernel:
            raise ValueError("kernel, network: a run has one of the two; remove the other")
        if self.clusters.count != 1:
            raise ValueError(f"clusters.count = {self.clusters.count}: one network knows no clusters; take 1")
        default = Flow(dt=1.0)
        names = ("normalisation", "natural_gradient", "kappa", "clip", "coupling")
        found = [f"flow.{name}" for name in names if getattr(self.flow, name) != getattr(default, name)]
        found += ["points.noise"] * bool(self.points.noise)
        if found:
            raise ValueError(f"{', '.join(found)}: a network takes no such key; remove it")
        if self.network.transition and self.points.chart != "all":
            raise ValueError(
                f"network.transition = {self.network.transition:g}: a run in one chart has no transitions; remove it, or "
                'take points.chart = "all"'
            )

    @property
    def method(self) -> str:
        """The name of the kernel, or "network"."""
        return self.kernel.name if self.kernel else "network"

    @property
    def kappa(self) -> str:
        """The rule for kappa in the flow's gradient: given, or the kernel's default (theory 3)."""
        return self.flow.kappa or ("step" if self.method == "kaehler" else "fixed")

    def surface(self):
        """The hypersurface; raises InputError where it is not Calabi-Yau or where a singular point is found."""
        from mpiflow.geometry import hypersurface

        m = self.manifold
        if m.family == "fermat":
            return hypersurface.fermat(m.ambient)
        if m.family == "dwork":
            return hypersurface.dwork(m.ambient, _complex(m.psi))
        if {len(row) for row in m.monomials} != {m.ambient + 1}:
            raise InputError(f"manifold.monomials: each needs {m.ambient + 1} exponents in P^{m.ambient}")
        surface = hypersurface.Hypersurface(m.monomials, [_complex(c) for c in m.coefficients])
        found = hypersurface.singular_point(surface)
        if found is not None:
            where = ", ".join(f"{x:.3g}" for x in found)
            raise InputError(f"manifold: Q and its gradient vanish at ({where}): X is singular there; change Q")
        return surface

    def text(self) -> str:
        """The resolved run file as TOML, every default written out."""
        return tomli_w.dumps(self.model_dump(exclude_none=True, mode="json"))


def _complex(value: float | tuple[float, float]) -> complex:
    return complex(*value) if isinstance(value, tuple) else complex(value)
