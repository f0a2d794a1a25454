"""A user's kind of network, tried before any work."""

from __future__ import annotations

import numpy as np

from mpiflow.methods.network import Network

#: How far from Hermitian a matrix may be, in units of its largest entry.
_OFF = 1e-9


def tried(kind: Network) -> None:
    """Join Hermitian matrices by a kind. Raises ValueError for what is no Hermitian matrix, and for facts that are none."""
    if not (kind.since is None or (type(kind.since) is int and 0 <= kind.since < 2**63)):
        raise ValueError(f"since = {kind.since!r}: must be a seed, a whole number from 0 to 2^63 - 1, or None")
    if kind.tangent is not None:
        spreads = np.array(kind.tangent, dtype=object)
        numbers = all(isinstance(one, int | float) and np.isfinite(one) and one >= 0 for one in spreads.flat)
        if spreads.shape != (2,) or not numbers or not spreads[0]:
            raise ValueError(f"tangent = {kind.tangent!r}: must be (w_std, b_std), w_std > 0, b_std >= 0, or None")
    if kind.whole or type(kind).metric is not Network.metric:
        return
    # Any two matrices, which have nothing in common.
    numbers = np.cos(np.arange(36.0) ** 2).reshape(2, 2, 3, 3)
    reference, added = (x + x.T + 1j * (y - y.T) for x, y in numbers)
    found = np.asarray(kind.joined(reference + 8 * np.eye(3), added))
    if found.shape != (3, 3):
        raise ValueError(f"joined of two (3, 3) is {found.dtype}{list(found.shape)}; it must be complex128[3, 3]")
    off = np.abs(found - found.conj().T).max() / np.abs(found).max()
    if not off < _OFF:
        raise ValueError(f"joined of two Hermitian matrices is not Hermitian, by {off:.1e} of its size; a metric is")
