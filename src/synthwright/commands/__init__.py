"""What the commands do: the face of files, between the command line and the line."""

from __future__ import annotations

from synthwright.commands.asking import check_spec, explain_plugin, list_plugins, verify_release
from synthwright.commands.making import evaluate_files, fit_file, init_project, run_spec, sample_file
from synthwright.commands.saying import Say, guarded

__all__ = [
    "Say",
    "check_spec",
    "evaluate_files",
    "explain_plugin",
    "fit_file",
    "guarded",
    "init_project",
    "list_plugins",
    "run_spec",
    "sample_file",
    "verify_release",
]
