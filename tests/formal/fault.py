"""A fault planted in the hardware's source, to see a proof fail."""

import contextlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass

__all__ = ["Fault", "planted"]

_PACKAGE = "mnv2.hw"


@dataclass(frozen=True)
class Fault:
    """Text of a module of the hardware, and what replaces it.

    Attributes
    ----------
    module : str
        Name in ``hw/``, such as ``"ring"``.
    old, new : str
        The text, which must be there exactly once, and the faulty one.
    """

    module: str
    old: str
    new: str

    def __str__(self):
        return f"hw/{self.module}.py: {self.new or 'nothing'} for {self.old}"


@contextlib.contextmanager
def planted(fault):
    """Let imports of ``mnv2.hw`` inside the context find the faulty hardware.

    All modules of the hardware are imported anew, so that none holds a class of the right one, and
    the right ones are put back in the end. Objects made inside the context stay faulty.

    Parameters
    ----------
    fault : Fault

    Raises
    ------
    ValueError
        If the module does not hold the text exactly once.
    """
    name = f"{_PACKAGE}.{fault.module}"
    source = importlib.util.find_spec(name).loader.get_source(name)
    if source.count(fault.old) != 1:
        raise ValueError(
            f"hw/{fault.module}.py must hold {fault.old!r} exactly once, "
            f"not {source.count(fault.old)} times"
        )
    package = importlib.import_module(_PACKAGE)
    right = {key: sys.modules[key] for key in sys.modules if key.startswith(f"{_PACKAGE}.")}
    attributes = dict(vars(package))
    finder = _Finder(name, source.replace(fault.old, fault.new))
    for key in right:
        del sys.modules[key]
        vars(package).pop(key.removeprefix(f"{_PACKAGE}."), None)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for key in [key for key in sys.modules if key.startswith(f"{_PACKAGE}.")]:
            del sys.modules[key]
        sys.modules.update(right)
        vars(package).clear()
        vars(package).update(attributes)


class _Finder:
    """Finds one module, with another source."""

    def __init__(self, name, source):
        self._name = name
        self._source = source

    def find_spec(self, name, path=None, target=None):
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self._source, f"<faulty {self._name}>", "exec"), vars(module))
