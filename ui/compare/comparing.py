"""Fills a comparison's cells in worker threads: cheapest first, dear methods when told to, stopped within a chunk.

Works on the engine: it shares its networks, its places, and its maps, so that what Inspect has computed is there.
"""

import contextlib
import functools
import logging
import threading
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from camcore import CamcoreError
from ui.compare.comparison import Cell, Plan, class_index, layer_path
from ui.compare.sheets import Bill, Found, Sheet
from ui.engine import CHEAP_PASSES, PATIENCE_SECONDS, Engine, engine, map_key
from ui.facts import Facts
from ui.jobs import Job, Stage, StoppedError
from ui.methods import key_of, layer_free, options_of
from ui.questions import Failure, NetworkKey

HELD = "Needs its weights first"

_LOG = logging.getLogger(__name__)

SheetJob = Job[Plan, Sheet]


@dataclass(frozen=True, eq=False)
class _Task:
    """Maps that come out of one call of the core: ``cells`` by the key of their map.

    ``methods``: forms (see ``ui.methods``), a variant by itself. ``alone``: it takes so long that it has its own call,
    price and partial maps.
    """

    network: NetworkKey
    framing: str
    methods: tuple[str, ...]
    layers: tuple[str | None, ...]
    classes: tuple[int, ...]
    cells: dict[Hashable, list[Cell]] = field(repr=False)
    alone: bool = False
    passes: float = 0.0
    seconds: float = 0.0


class Comparer:
    """Answers plans; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._core = engine.core
        self._lock = threading.Lock()
        self._jobs: dict[Plan, SheetJob] = {}

    def ask(self, plan: Plan, picture: Any, visitor: str, earlier: Sheet | None = None) -> SheetJob:
        """The job that fills this plan, running or just begun; never blocks.

        ``earlier``: a sheet of the same picture, whose maps are there at once where the plan has them too.
        """
        with self._lock:
            running = self._jobs.get(plan)
            if running is not None and not running.finished and running.watch(visitor):
                return running
            job = SheetJob(plan, _begin(plan, earlier))
            job.watch(visitor)
            self._jobs[plan] = job
        threading.Thread(target=self._run, args=(job, picture), name="compare", daemon=True).start()
        return job

    # The worker

    def _run(self, job: SheetJob, picture: Any) -> None:
        try:
            with self._engine.place(job):
                tasks: list[_Task] = []
                for key in job.question.backbones:
                    tasks += self._meet(job, key, picture)
                self._dear(job, picture, tasks)
            job.finish("done")
        except StoppedError:
            job.finish("stopped")
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("a comparison failed")
            job.finish("failed", Failure.of(error, "compare"))
        finally:
            with self._lock:
                if self._jobs.get(job.question) is job:
                    del self._jobs[job.question]

    def _meet(self, job: SheetJob, key: NetworkKey, picture: Any) -> list[_Task]:
        """One network: its answers and its cheap maps; what is left to do. A network that fails stops no other."""
        plan = job.question
        if key in plan.held:
            job.publish(job.answer.with_refused({c: HELD for c in plan.cells if c.network == key}))
            return []
        try:
            net = self._engine.network(job, key)
            said = {f: self._engine.predictions(job, key, net, picture, f) for f in plan.framings_of(key)}
        except StoppedError:
            raise
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("%s could not take part in a comparison", key.name)
            failure = Failure.of(error, "network")
            why = {cell: failure.message for cell in plan.cells if cell.network == key}
            job.publish(replace(job.answer.with_refused(why), failures={**job.answer.failures, key: failure}))
            return []
        job.publish(job.answer.with_facts(key, replace(Facts.of(net), said=said)))
        tasks = [
            task
            for framing in plan.framings_of(key)
            for task in self._tasks(key, net, framing, picture, self._open(job, key, net, framing, said[framing]))
        ]
        for task in (task for task in tasks if not task.alone):
            job.enter(Stage(f"{net.name}: {_titles(self._core, task)}", expected=1.0))
            with self._contained(job, task):
                for step in self._steps(net, picture, task):
                    job.check()
                    self._take(job, task, step.maps)
        return [task for task in tasks if task.alone]

    def _open(
        self, job: SheetJob, key: NetworkKey, net: Any, framing: str, said: Sequence[Any]
    ) -> dict[Hashable, list[Cell]]:
        """The cells of one network and framing whose maps have to be computed, by the key of their map."""
        plan = job.question
        lead = net if key == plan.lead else self._engine.peek(plan.lead)
        wanted: dict[Hashable, list[Cell]] = {}
        found: dict[Cell, Found] = {}
        refused: dict[Cell, str] = {}
        for cell in plan.cells:
            if (cell.network, cell.framing) != (key, framing):
                continue
            try:
                target = self._target(cell, net, said, net if lead is None else lead, plan.picture)
            except CamcoreError as error:
                refused[cell] = str(error)
                continue
            kept = self._engine.kept(target)
            if kept is not None:
                found[cell] = Found(kept)
            else:
                wanted.setdefault(target, []).append(cell)
        job.publish(job.answer.with_found(found).with_refused(refused))
        return wanted

    def _target(self, cell: Cell, net: Any, said: Sequence[Any], lead: Any, picture: str) -> tuple[Any, ...]:
        info = self._core.METHODS[key_of(cell.method)]
        path = None if layer_free(info) else layer_path(net, cell.layer)
        if info.at_own_layer:
            net.check_linear_head(path)
        index = class_index(net, said, cell.aim, lead)
        return map_key(cell.network, picture, cell.framing, cell.method, path, index)

    def _tasks(
        self, key: NetworkKey, net: Any, framing: str, picture: Any, wanted: dict[Hashable, list[Cell]]
    ) -> list[_Task]:
        """Calls that make the wanted maps: the cheap methods together, each dear one alone at each layer."""
        by_method: dict[str, dict[Hashable, list[Cell]]] = {}
        for target, cells in wanted.items():
            by_method.setdefault(target[3], {})[target] = cells  # type: ignore[index]
        parts: dict[tuple[Any, ...], dict[Hashable, list[Cell]]] = {}
        for method, part in by_method.items():
            info = self._core.METHODS[key_of(method)]
            task = _task(key, framing, part)
            # What the method adds to the passes that all gradient methods share.
            alone = self._passes(net, task) - 1 - len(task.classes) > CHEAP_PASSES
            apart = alone or info.at_own_layer or layer_free(info) or bool(options_of(method))
            for target, cells in part.items():
                path = target[4]  # type: ignore[index]
                parts.setdefault((alone, method, path) if apart else (False,), {})[target] = cells
        tasks = [replace(_task(key, framing, part), alone=bool(kind[0])) for kind, part in parts.items()]
        return [self._priced(net, picture, task) if task.alone else task for task in tasks]

    def _passes(self, net: Any, task: _Task) -> float:
        return float(self._core.estimate(net, **_request(task)))

    def _priced(self, net: Any, picture: Any, task: _Task) -> _Task:
        passes = self._passes(net, task)
        pace = self._engine.pace(task.network, net, picture, task.framing)
        return replace(task, passes=passes, seconds=passes * pace)

    def _dear(self, job: SheetJob, picture: Any, tasks: list[_Task]) -> None:
        """The methods that take many passes: at once as long as patience lasts, the rest when told to."""
        tasks = sorted(tasks, key=lambda task: task.seconds)
        spent = 0.0
        run: list[_Task] = []
        rest: list[_Task] = []
        for task in tasks:
            spent += task.seconds
            (run if job.question.expressly or spent <= PATIENCE_SECONDS else rest).append(task)
        total = sum(task.passes for task in run)
        done = 0.0
        for task in run:
            net = self._engine.network(job, task.network)
            stage = Stage(_titles(self._core, task), expected=sum(task.seconds for task in run[run.index(task) :]))
            job.enter(stage)
            began = done
            with self._contained(job, task):
                for step in self._steps(net, picture, task):
                    job.check()
                    share = step.done / max(step.total, 1)
                    stage.reach((done + share * task.passes) / total)
                    self._engine.learn(task.network, step)
                    self._take(job, task, step.partial, share, step.change)
                    self._take(job, task, step.maps)
            done = began + task.passes
        if rest:
            cells = tuple(cell for task in rest for part in task.cells.values() for cell in part)
            titles = dict.fromkeys(_titles(self._core, task) for task in rest)
            passes, seconds = (sum(getattr(task, name) for task in rest) for name in ("passes", "seconds"))
            job.publish(replace(job.answer, bill=Bill(tuple(titles), passes, seconds, cells)))

    @contextlib.contextmanager
    def _contained(self, job: SheetJob, task: _Task) -> Iterator[None]:
        """What goes wrong with one task is said in its cells; the others go on."""
        try:
            yield
        except StoppedError:
            raise
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("%s failed in a comparison", task.methods)
            why = Failure.of(error, "map").message
            cells = [cell for part in task.cells.values() for cell in part]
            job.publish(job.answer.with_refused({c: why for c in cells if c in job.answer.missing}))

    def _steps(self, net: Any, picture: Any, task: _Task) -> Iterator[Any]:
        steps = self._core.stream(
            net,
            picture,
            **_request(task),
            framing=task.framing,
            memory=self._engine.memory,
        )
        with contextlib.closing(steps):
            yield from steps

    def _take(
        self, job: SheetJob, task: _Task, maps: Sequence[Any], done: float = 1.0, change: float | None = None
    ) -> None:
        """Put maps into their cells; whole ones are kept for everybody."""
        found: dict[Cell, Found] = {}
        forms = {key_of(form): form for form in task.methods}
        for m in maps:
            form = forms[m.method]
            target = map_key(task.network, job.question.picture, task.framing, form, m.layer, m.class_index)
            cells = task.cells.get(target)
            if cells is None:
                continue
            if done >= 1.0:
                self._engine.keep(target, m)
            found |= dict.fromkeys(cells, Found(m, done, change))
        if found:
            job.publish(job.answer.with_found(found))


def _begin(plan: Plan, earlier: Sheet | None) -> Sheet:
    if earlier is None or earlier.plan.picture != plan.picture:
        return Sheet(plan)
    cells = set(plan.cells)
    found = {cell: found for cell, found in earlier.found.items() if cell in cells}
    facts = {key: facts for key, facts in earlier.facts.items() if key in plan.backbones}
    return Sheet(plan, facts, found)


def _task(key: NetworkKey, framing: str, part: dict[Hashable, list[Cell]]) -> _Task:
    keys: list[tuple[Any, ...]] = list(part)  # type: ignore[arg-type]
    methods, layers, classes = (tuple(dict.fromkeys(k[i] for k in keys)) for i in (3, 4, 5))
    return _Task(key, framing, methods, layers, classes, part)


def _request(task: _Task) -> dict[str, Any]:
    """A task as the arguments of camcore's estimate and stream."""
    request: dict[str, Any] = {
        "methods": [key_of(form) for form in task.methods],
        "layers": [path for path in task.layers if path is not None] or None,
        "classes": list(task.classes),
    }
    options = options_of(task.methods[0])  # a variant is asked for by itself
    return {**request, "options": options} if options else request


def _titles(core: Any, task: _Task) -> str:
    titles = [core.METHODS[key_of(form)].title for form in task.methods]
    return titles[0] if len(titles) == 1 else f"{len(titles)} methods at once"


@functools.cache
def comparer() -> Comparer:
    """The comparer of this process."""
    return Comparer(engine())
