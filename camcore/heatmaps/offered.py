"""Which methods are defined for a network, and for each of the others the reason why it is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from weakref import WeakKeyDictionary

from camcore.errors import MethodError, ModelError
from camcore.methods import METHODS, MethodInfo
from camcore.network import Network

_known: WeakKeyDictionary[Network, Mapping[str, str]] = WeakKeyDictionary()


def refusals(network: Network) -> Mapping[str, str]:
    """The reason, in words, for each method that no request to this network could have; by its key.

    A method that is defined at some layer is not among them, nor is any for want of a layer alone.
    """
    known = _known.get(network)
    if known is None:
        reasons = {info.key: _refusal(network, info) for info in METHODS.values()}
        known = _known[network] = MappingProxyType({key: reason for key, reason in reasons.items() if reason})
    return known


def _refusal(network: Network, info: MethodInfo) -> str:
    try:
        info.input.check_classes(network, info.title, info.checked({}), ())
    except (MethodError, ModelError) as error:
        return str(error)
    if info.layer_free or network.default_layer is None:
        return ""
    others = (layer.path for layer in network.layers if layer.usable) if info.at_own_layer else ()
    first = ""
    for path in (network.default_layer, *others):
        try:
            info.input.check_layer(network, path)
            return ""
        except MethodError as error:
            first = first or str(error)
    return first
