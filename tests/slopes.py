"""Derivatives along paths of metrics."""


def slope(function, path, step=1e-4):
    """d function(path(t)) / dt at 0, by differences of fourth order."""
    near, far = (function(path(h)) - function(path(-h)) for h in (step, 2 * step))
    return (8 * near - far) / (12 * step)
