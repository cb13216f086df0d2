"""Compiled functions, cut out of a model's one trace and kept.

Whatever is computed with a network is a part of its traced graph between two ends: the tensors fed and the tensors
fetched. The part is cut out once, compiled, and kept under a key; nothing is traced again for a new picture.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from time import perf_counter

import numpy as np

from camcore.errors import ModelError
from camcore.forking import check_not_forked
from camcore.graph.trace import Trace, first_line
from camcore.graph.turns import turn
from camcore.lazy import tf

Array = np.ndarray
Function = Callable[..., "tf.Tensor"]  # or a list of tensors
Key = tuple[Hashable, ...]
Ends = tuple["list[tf.Tensor]", "list[tf.Tensor]"]
"""The tensors fed to a part of the graph, and those fetched from it."""

# Compiled functions kept per network. Each holds a copy of a part of the graph, but no weights.
KEPT_FUNCTIONS = 64


class SubgraphCompiler:
    """Compiles parts of one trace. Safe to use from several threads.

    ``trace``: the traced model. ``name``: the network's, for messages. ``lock`` guards the graph: whoever adds
    to it holds it.
    """

    def __init__(self, trace: Trace, name: str) -> None:
        self.trace = trace
        self.name = name
        self.lock = threading.RLock()
        self.functions: OrderedDict[Key, Function] = OrderedDict()
        self._spent = threading.local()

    def clock(self) -> float:
        """Seconds that run while this thread works, and stand while it builds a function or waits for others.

        The difference of two readings is the time that a map takes.
        """
        return perf_counter() - float(getattr(self._spent, "seconds", 0.0))

    def cached(self, key: Key, build: Callable[[], Function]) -> Function:
        """The function of ``key``, built at the first call; the least recently used ones are dropped.

        One that is there is given at once, also while another thread builds one, which takes seconds.
        """
        function = self.functions.get(key)
        if function is not None:
            with contextlib.suppress(KeyError):  # dropped this moment
                self.functions.move_to_end(key)
            return function
        with self._aside(), self.lock:
            if key not in self.functions:
                self.functions[key] = build()  # which may build others
                while len(self.functions) > KEPT_FUNCTIONS:
                    self.functions.popitem(last=False)
            self.functions.move_to_end(key)
            return self.functions[key]

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        """Stops this thread's clock for the block; it stands once, however many such blocks lie in each other."""
        now = self.clock()
        try:
            yield
        finally:
            self._spent.seconds = perf_counter() - now

    def subgraph(self, key: Key, ends: Callable[[], Ends], warm: bool = False) -> Function:
        """The part of the traced graph between two ends (feeds, fetches), as a function returning a list.

        ``warm``: called once, with zeros: TensorFlow optimises a function at its first call.
        """
        return self.cached(key, lambda: self.build(ends, warm))

    def build(
        self,
        ends: Callable[[], Ends],
        warm: bool,
        readings: Sequence[tf.Tensor] = (),
        values: Sequence[tf.Tensor] = (),
    ) -> Function:
        """As ``subgraph``, and not kept; ``readings`` are fed, too, when it is warmed with ``values``."""
        feeds, fetches = ends()
        # With its arguments described, TensorFlow takes them as they come and does not try other ways first.
        specs = [tf.TensorSpec(feed.shape, feed.dtype, feed.op.name) for feed in (*feeds, *readings)]
        function = self.trace.function.prune([*feeds, *readings], fetches, input_signature=(tuple(specs), {}))
        if warm:
            self.warm(lambda *arguments: function(*arguments, *values), *map(_zeros, feeds))
        return function

    def compiled(self, function: Function, signature: list[tf.TensorSpec]) -> Function:
        """A Python function of TensorFlow operations, compiled for arguments of this signature, ready to run.

        TensorFlow optimises a function at its first call, so it is called once, with zeros.
        """
        made = tf.function(function, input_signature=signature, autograph=False).get_concrete_function()
        self.warm(made, *map(_zeros, signature))
        return made

    def run(self, function: Function, *arguments: Array) -> list[Array]:
        """The results of a function as arrays, read-only, in the network's turn.

        Raises ModelError where TensorFlow cannot run it on this machine.
        """
        check_not_forked()
        with contextlib.ExitStack() as mine:
            with self._aside():
                mine.enter_context(turn())
            return self.warm(function, *arguments)

    def warm(self, function: Function, *arguments: Array) -> list[Array]:
        """As ``run``, out of turn: for the first call, at which TensorFlow optimises the function.

        That takes seconds and one core only; short questions need not wait for it.
        """
        check_not_forked()
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        try:
            results = function(*tensors)
        except tf.errors.InvalidArgumentError as error:
            raise ModelError(
                f"{self.name} cannot be run so: {first_line(error)}. Sizes inside it do not fit, as where it holds "
                "the number of pictures that it is run on, or TensorFlow lacks this computation on this machine. Build "
                "the model with its batch left open, or try another input size."
            ) from error
        except tf.errors.OpError as error:
            raise ModelError(
                f"{self.name} cannot be run here: {first_line(error)}. TensorFlow lacks this computation on this "
                "machine, or ran out of memory. Try a smaller input, another precision or another backbone."
            ) from error
        return [_to_numpy(result) for result in (results if isinstance(results, (list, tuple)) else [results])]


class ReweightedCompiler(SubgraphCompiler):
    """Compiles the same parts of the same trace, run with other weights.

    ``readings``: the tensors at which the graph reads its weights; ``values``: what they are instead. The compiled
    functions are fed the weights, so that all compilers of one trace share them.
    """

    def __init__(self, compiler: SubgraphCompiler, readings: list[tf.Tensor], values: list[tf.Tensor]) -> None:
        super().__init__(compiler.trace, compiler.name)
        self.lock = compiler.lock
        self._own = compiler
        self._readings = readings
        self._values = values

    def subgraph(self, key: Key, ends: Callable[[], Ends], warm: bool = False) -> Function:
        """As ``SubgraphCompiler.subgraph``, with these weights."""
        own, readings, values = self._own, self._readings, self._values
        function = own.cached(("fed", *key), lambda: own.build(ends, warm, readings, values))
        return lambda *arguments: function(*arguments, *values)


def _zeros(spec: tf.Tensor | tf.TensorSpec) -> Array:
    return np.zeros([side or 1 for side in spec.shape], spec.dtype.as_numpy_dtype)


def _to_numpy(tensor: tf.Tensor) -> Array:
    array: Array = np.asarray(tensor)  # the tensor's own memory, read-only
    if array.dtype.kind in "iu" or array.dtype in (np.float32, np.float64):
        return array
    return array.astype(np.float32)  # half precision: maps are computed in single
