"""Points of cymetric's CICY generator: `cymetric_points.py FILE.npz COUNT` writes them beside FILE, and prints its CPU seconds.

It runs with cymetric and its numpy, scipy, sympy and joblib on the path; TensorFlow is not needed where the package's
`__init__` is left empty. FILE.npz holds ambient, kaehler, monomials_j and coefficients_j of equation j. Timed are the points
alone, one process; what the generator does once (sympy) is printed first, charts, weights and |Omega|^2 are left out.
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from cymetric.pointgen.pointgen_cicy import CICYPointGenerator


def main():
    data, begin = np.load(sys.argv[1]), time.process_time()
    each = range(sum(name.startswith("monomials") for name in data.files))
    generator = CICYPointGenerator(
        [data[f"monomials_{j}"] for j in each],
        [data[f"coefficients_{j}"] for j in each],
        data["kaehler"],
        data["ambient"],
        verbose=3,
        # Its own pool would escape the clock.
        backend="sequential",
    )
    once, begin = time.process_time() - begin, time.process_time()
    points = generator.generate_points(int(sys.argv[2]), nproc=1)
    print(once, time.process_time() - begin)
    np.save(sys.argv[1].replace(".npz", ".npy"), points)


if __name__ == "__main__":
    main()
