"""Every test sees the `parallel` mark: see parallel_plugin.py."""

pytest_plugins = ["parallel_plugin"]
