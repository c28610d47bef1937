"""Lets Python find the project in the folder of this file: put there as ``sitecustomize.py``."""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"mnv2": "sim/api", "mnv2.golden": "golden", "mnv2.hw": "hw", "mnv2.sim": "sim"}


class Redirect:
    """Finds the parts of the project in the copy, before what is installed."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The specification of a part, or of a module of the package itself."""
        if name in FOLDERS:
            return spec_from_file_location(name, ROOT / FOLDERS[name] / "__init__.py")
        if name.startswith("mnv2.") and name.count(".") == 1:
            return PathFinder.find_spec(name, [str(ROOT / FOLDERS["mnv2"])])
        return None


sys.meta_path.insert(0, Redirect)
