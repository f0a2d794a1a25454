"""What work on features costs, in units that a machine is timed in (`plan.machine`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """flops: of matrix products. read: bytes that come from memory. products: of complex numbers, in whole arrays."""

    flops: float = 0.0
    read: float = 0.0
    products: float = 0.0


@dataclass(frozen=True)
class Costs:
    """Of a space of P features.

    features: P. Of one point: bytes that are kept of what is prepared, bytes while it is prepared, and while it is swept
    over, beyond what is kept; the work of a sweep, and of preparing. iterations: of conjugate gradients in a natural step;
    0 where a normal matrix (P, P) is factorised. made, making: bytes and work of rank 0 while the features are chosen.
    state: bytes of their arrays. moments: bytes of those of their sections, where they answer "balanced". bending: of one
    point while its second derivatives are made, beyond what is kept of them, where they answer "second".
    """

    features: int
    kept: int
    preparing: float
    sweep: Work
    prepare: Work
    sweeping: float = 0.0
    iterations: int = 0
    made: float = 0.0
    making: Work = Work()
    state: int = 0
    moments: int = 0
    bending: float = 0.0
