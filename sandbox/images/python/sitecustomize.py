"""`requests` and what belongs to it, from the copies that pip carries: the public image of Python has no others."""

import importlib
import importlib.machinery
import sys

CARRIED = {"requests", "urllib3", "certifi", "chardet", "idna", "six"}


class Carried:
    """The same modules under both names, so that `except` and `isinstance` mean what they say."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in CARRIED:
            return None
        return importlib.machinery.ModuleSpec(name, cls)

    @staticmethod
    def create_module(spec):
        module = importlib.import_module("pip._vendor." + spec.name)
        spec.loader_state = module.__spec__
        return module

    @staticmethod
    def exec_module(module):
        # The import system has just written the second name into it.
        module.__spec__ = module.__spec__.loader_state


sys.meta_path.insert(0, Carried)
