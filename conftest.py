"""Loads the plugin (which loads the fixtures), and nothing else."""

pytest_plugins = ["harness.plugin"]
