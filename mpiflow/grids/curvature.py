"""What a metric on a torus bends: Christoffel symbols, Ricci tensor, Hessians, by spectral derivatives (theory 10)."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mpiflow.grids import symmetric
from mpiflow.grids.spectral import Spectral


class Geometry:
    """A metric g_ij on the own rows, (c, own rows, ...) float64, and what follows from it; collective on slabs.

    gamma: Gamma^k_ij = g^kl (d_i g_jl + d_j g_il - d_l g_ij) / 2, d lists of c fields. trace: Gamma^k_ki = d_i log sqrt(g).
    """

    def __init__(self, spectral: Spectral, g: np.ndarray):
        self.spectral, self.g, self.d = spectral, g, spectral.d
        self.pairs, self.at = symmetric.pairs(self.d), symmetric.places(self.d)
        self.inverse, determinant = symmetric.inverse(g)
        self.root = np.sqrt(determinant)
        self.gamma = self._christoffel()
        every = range(self.d)
        self.trace = [sum(self.gamma[k][self.at[k][i]] for k in every) for i in every]

    def _christoffel(self) -> list[list[np.ndarray]]:
        at, inverse, every = self.at, self.inverse, range(self.d)
        slope = [self.spectral.slopes(self.spectral.forward(part)) for part in self.g]
        found: list[list[np.ndarray]] = [[] for _ in every]
        for i, j in self.pairs:
            low = [(slope[at[j][k]][i] + slope[at[i][k]][j] - slope[at[i][j]][k]) / 2 for k in every]
            for k in every:
                found[k].append(sum(inverse[at[k][m]] * low[m] for m in every))
        return found

    @cached_property
    def log_root(self) -> np.ndarray:
        """The spectrum of log sqrt(g)."""
        return self.spectral.forward(np.log(self.root))

    def ricci(self, form: list[np.ndarray] | None = None) -> list[np.ndarray]:
        """Spectra of Ric_ij, or of Ric_ij + (D_i w_j + D_j w_i) / 2 of the spectra of a one-form w.

        Ric_ij = d_k Gamma^k_ij - d_i d_j log sqrt(g) + Gamma^k_kl Gamma^l_ij - Gamma^k_il Gamma^l_kj.
        """
        k, forward = self.spectral.k, self.spectral.forward
        along = self.trace
        if form:
            along = [t - self.spectral.backward(w) for t, w in zip(along, form, strict=True)]
        found = []
        for place, (i, j) in enumerate(self.pairs):
            one = k[i] * k[j] * self.log_root + forward(self._quadratic(i, j, along))
            for m in range(self.d):
                one += 1j * k[m] * forward(self.gamma[m][place])
            if form:
                one += 0.5j * (k[i] * form[j] + k[j] * form[i])
            found.append(one)
        return found

    def _quadratic(self, i: int, j: int, along: list[np.ndarray]) -> np.ndarray:
        """Gamma^l_ij a_l - Gamma^k_il Gamma^l_kj."""
        gamma, at, every = self.gamma, self.at, range(self.d)
        squares = sum(gamma[k][at[i][m]] * gamma[m][at[k][j]] for k in every for m in every)
        return sum(along[m] * gamma[m][at[i][j]] for m in every) - squares

    def tensor(self, spectra: list[np.ndarray]) -> np.ndarray:
        """The field of the spectra of its components."""
        return np.stack([self.spectral.backward(part) for part in spectra])

    @cached_property
    def scalar(self) -> np.ndarray:
        """R = g^ij Ric_ij."""
        return symmetric.trace(self.inverse, self.tensor(self.ricci()))

    def gradient(self, spectrum: np.ndarray) -> list[np.ndarray]:
        """Spectra of the one-form df."""
        return [1j * k * spectrum for k in self.spectral.k]

    def hessian(self, spectrum: np.ndarray) -> np.ndarray:
        """D_i D_j f = d_i d_j f - Gamma^k_ij d_k f, a field."""
        k, slope = self.spectral.k, self.spectral.slopes(spectrum)
        second = (self.spectral.backward(-k[i] * k[j] * spectrum) for i, j in self.pairs)
        bent = (sum(self.gamma[m][place] * slope[m] for m in range(self.d)) for place in range(len(self.pairs)))
        return np.stack([a - b for a, b in zip(second, bent, strict=True)])

    def laplacian(self, spectrum: np.ndarray) -> np.ndarray:
        """g^ij D_i D_j f, a field."""
        return symmetric.trace(self.inverse, self.hessian(spectrum))

    def steepness(self, spectrum: np.ndarray) -> np.ndarray:
        """|df|^2 = g^ij d_i f d_j f, a field."""
        slope = self.spectral.slopes(spectrum)
        return symmetric.trace(self.inverse, np.stack([slope[i] * slope[j] for i, j in self.pairs]))

    def size(self, e: np.ndarray) -> np.ndarray:
        """|E|^2 = g^ik g^jl E_ij E_kl, a field."""
        return symmetric.trace(symmetric.raised(self.inverse, e), e)
