"""What tells one network's numbers from another's: a digest of the computation and of the weights."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from camcore.graph.walks import ancestors


def fingerprint(model: Any, logits: Any) -> str:
    """Hexadecimal digest of all operations that ``logits`` are computed by, in order, and of the model's weights.

    Equal for equal networks in different processes, as long as names that Keras makes up are not part of it. A
    network that differs only in what follows the logits has the same.
    """
    digest = hashlib.blake2b(digest_size=20)
    used = {tensor.op.name for tensor in ancestors([logits]).values()}
    for operation in logits.graph.get_operations():
        if operation.name in used:
            definition = operation.node_def
            digest.update(f"{definition.op} {len(operation.inputs)} ".encode())
            for name in sorted(definition.attr):
                digest.update(name.encode() + definition.attr[name].SerializeToString(deterministic=True))
    for variable in model.weights:
        values = np.ascontiguousarray(variable)
        digest.update(f"{values.dtype} {values.shape} ".encode())
        digest.update(values.view(np.uint8).data if values.size else b"")
    return digest.hexdigest()
