#!/usr/bin/env python3
"""Convert a state to one NumPy archive: every dataset under its name with "/" as "_", attributes as text.

    scripts/to-npz.py runs/quickstart/state-00000050.h5 quickstart.npz

Needs h5py and numpy, and no mpiflow. The archive holds no pickles.
"""

import argparse

import h5py
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", help="a state-*.h5 file")
    parser.add_argument("output", help="the .npz to write")
    words = parser.parse_args()
    arrays = {}
    with h5py.File(words.state) as state:

        def keep(name, item):
            if isinstance(item, h5py.Dataset) and not item.is_scale:
                arrays[name.replace("/", "_")] = item[()]

        state.visititems(keep)
        arrays |= {f"attribute_{name}": np.array(str(value)) for name, value in state.attrs.items()}
    np.savez_compressed(words.output, **arrays)
    print(f"{words.output}: {len(arrays)} arrays")


if __name__ == "__main__":
    main()
