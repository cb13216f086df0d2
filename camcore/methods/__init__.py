"""CAM methods: one module per family, one registry."""

from camcore.methods.registry import METHODS, MethodInfo, find_method

__all__ = ["METHODS", "MethodInfo", "find_method"]
