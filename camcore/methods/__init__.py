"""CAM methods: one module per family, one registry."""

from camcore.methods.info import MethodInfo
from camcore.methods.registry import METHODS, find_method

__all__ = ["METHODS", "MethodInfo", "find_method"]
