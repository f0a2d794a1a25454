"""What moves the metric, as run files name it: each with its keys; and kernels of users."""
