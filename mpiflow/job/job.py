"""The main job: sample, cluster, merge, flow, commit states, evaluate; started and resumed by the same call."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from mpiflow import clock
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.errors import RESUBMIT, NumericalError, Stopped, WriteError
from mpiflow.files import claims
from mpiflow.files.claims import near
from mpiflow.flows.history import Record
from mpiflow.job import driven, folder
from mpiflow.job.driven import Driven
from mpiflow.job.restart import Restart
from mpiflow.job.snapshot import Snapshot
from mpiflow.job.triggers import Triggers, caught
from mpiflow.methods import registry
from mpiflow.plan import question
from mpiflow.ranks import alike, hearing, shortage
from mpiflow.screen import Screen, tell
from mpiflow.state import provenance, status
from mpiflow.state.commit import Writer
from mpiflow.state.naming import state_path, states


def run(
    comm: Comm,
    config: Config,
    where: Path,
    screen: Screen,
    *,
    fresh: bool = False,
    max_time: float | None = None,
    source: Path | None = None,
) -> int:
    """Start or resume the run of a folder; returns the exit code (0 done, 75 stopped with a state saved). Collective.

    source: the run file that config was read from, which is never overwritten.
    Raises InputError before any work, NumericalError where the flow breaks down, WriteError where a state cannot be kept.
    """
    # Before any class of a user's is asked, which may change the working directory.
    where, source = Path(where).absolute(), source and source.absolute()
    surface = config.surface()
    shortage.prevent()
    hosts = comm.allgather(socket.gethostname())
    with ExitStack() as stack:
        state = None
        with comm.lead() as mine:
            if mine:
                where = claims.resolved(where)
                if fresh or not states(where):
                    question.ask(config, hosts)
                if comm.size > 1:
                    # So that ranks load what is compiled at first use rather than all compile it.
                    registry.of(config).load(config)
                state = folder.opened(where, config, fresh, stack, screen.say, source)
        where = comm.bcast(where)
        screen.open_log(where)
        screen.note("processes of the ranks: " + ", ".join(comm.allgather(f"{os.getpid()} on {hosts[comm.rank]}")))
        job = Job(comm, config, surface, where, screen, max_time)
        comm.led(job.tell, "running", None, "")
        try:
            code, message = job.work(Restart(comm, state) if comm.bcast(state is not None) else None)
        except Exception as error:
            told = shortage.of(error, comm.rank, comm.size) or error
            how, words = "failed", f"{type(told).__name__}: {told}"
            if isinstance(told, Stopped):
                how, words = "stopped", str(told)
            with suppress(WriteError):
                job.tell(how, getattr(told, "exit_code", 1), words)
            raise
        comm.led(job.tell, "done" if code == 0 else "stopped", code, message)
        return code


class Job:
    """One start of a run, from the points to the report."""

    def __init__(self, comm: Comm, config: Config, surface, where: Path, screen: Screen, max_time: float | None):
        self.comm, self.config, self.surface, self.where, self.screen = comm, config, surface, where, screen
        output = config.output
        self.triggers = Triggers(comm, where, max_time, output.every_steps, output.every_seconds)
        self.writer = Writer(comm, where, output.keep, output.keep_every, screen.say)
        self.seconds: dict[str, float] = {}
        self.earlier = dict(clock.parts)
        #: The step that this start went on from.
        self.begun = 0
        self.made: Driven | None = None
        self.kind = driven.of(config)

    @property
    def step(self) -> int:
        """The last step that is done."""
        return self.made.step if self.made else self.begun

    def work(self, restart: Restart | None) -> tuple[int, str]:
        """All stages; returns the exit code and why. Collective."""
        finished = self._finished(restart)
        if finished:
            return finished
        self._begin(restart)
        stop = self._loop()
        if stop:
            text = f"stopped after step {self.step} by {stop}{self._standstill()}; the state is saved: the same command goes "
            text += "on from there"
            self.screen.say(text)
            return RESUBMIT, text
        self._report()
        return 0, f"{self.step} steps"

    def _standstill(self) -> str:
        """What to say of a stop before any step of this start; "" after one."""
        if self.step > self.begun:
            return ""
        return f"; no step was made in this start{self.triggers.standstill(self.writer.last_seconds)}"

    def tell(self, state: str, code: int | None, message: str) -> None:
        """Write status.json, for batch scripts and for people."""
        if self.comm.rank == 0:
            self.writer.check_folder()
            status.report(self.where, state, self.step, self.config.flow.steps, code, message)

    def _finished(self, restart: Restart | None) -> tuple[int, str] | None:
        """Where the run is complete, its table again and nothing else."""
        steps = self.config.flow.steps
        if restart is None or restart.step < steps:
            return None
        report = self.kind.report
        summary = self.comm.bcast(report.read(self.where) if self.comm.rank == 0 else None)
        if summary is None or summary[0] != restart.step:
            return None
        self.begun = restart.step
        self.screen.show(report.rendered(summary[1], f"{self.config.run.name}: after step {restart.step}"))
        if self.comm.rank == 0 and not report.picture(self.where).exists():
            history = {name.removeprefix("history/"): column for name, column in restart.history.items()}
            self.screen.say(report.draw(self.where, history) or f"picture  {near(report.picture(self.where))}")
        beyond = "" if restart.step == steps else f", beyond the {steps} of flow.steps"
        self.screen.say(f"{near(self.where)} is complete at step {restart.step}{beyond}: there is nothing to do")
        return 0, "nothing to do"

    def _at_once(self, words: str):
        """A stage without steps: a signal ends the start in it, with these words. Raises Stopped."""

        def leaving(told: str) -> None:
            tell(f"mpiflow: {told}")
            # Whichever rank it is: the others are ended with it.
            with suppress(WriteError):
                status.report(self.where, "stopped", self.step, self.config.flow.steps, RESUBMIT, told)

        return hearing.at_once(self.comm, words, caught(), leaving)

    def _begin(self, restart: Restart | None) -> None:
        """Points, clusters and flow, from a state or from nothing; the state of step 0."""
        words = "before the first step; no state is saved yet: the same command begins anew"
        if restart:
            self.begun = restart.step
            words = f"before any step of this start; the state of step {self.step} is intact: the same command goes on"
        with self._at_once(words):
            self._prepare(restart)
        if restart is None:
            self.made.begin()
            self._look()
            self._save()
            self.screen.say(self.made.opening())

    def _prepare(self, restart: Restart | None) -> None:
        comm, config, surface = self.comm, self.config, self.surface
        if restart is None:
            with self.screen.stage(self.kind.beginning, self.seconds):
                made = self.kind.begun(comm, config, surface)
        else:
            made = self.kind.resumed(config, surface, restart)
        with self.screen.stage("build", self.seconds):
            made.prepare()
            self.flow = made.flow
        self.made = made
        earlier = (restart.step, restart.attributes) if restart else None
        backend = str(self.flow.attributes().get("backend", "cpu"))
        self.snapshot = Snapshot(made, earlier, backend)
        for line in (self.snapshot.moved, alike.mixed("processor", comm.allgather(provenance.processor()))):
            if line:
                self.screen.say(line)
        if restart is None:
            return
        step_takes = restart.seconds_a_step()
        made.restore(restart)
        restart.release()
        self.triggers.expect(step_takes)
        self.screen.say(f"resumed from step {self.step} of {config.flow.steps} on {comm.size} ranks")

    def _loop(self) -> str:
        """Steps until the end (returns "") or until a trigger stops the run (returns the reason, the state saved)."""
        steps = self.config.flow.steps
        with self.screen.steps(self.step, steps) as shown:
            stop = self.triggers.decide(self.step, self.writer.last_seconds).stop
            saved = self.step
            while self.step < steps and not stop:
                record = self._advanced(saved)
                # Writing overlaps this one step: were more steps done meanwhile, a kill could cost more than one interval.
                self.writer.settle()
                self._note(record)
                if self.made.due:
                    self._look()
                decision = self.triggers.decide(self.step, self.writer.last_seconds)
                stop = decision.stop if self.step < steps else ""
                if decision.save or self.step == steps:
                    self._save()
                    saved = self.step
                shown(self.step, self.made.shown(record))
            if stop and saved != self.step:
                self._save()
            self.writer.settle()
        return stop

    def _advanced(self, saved: int) -> Record:
        """One step. Where the flow breaks down, the state before it is saved, if it can be."""
        try:
            with self.screen.stage("flow", self.seconds):
                return self.made.advance()
        except NumericalError:
            if self.made.careful:
                if saved != self.step:
                    self._save()
                self.writer.settle()
            raise

    def _note(self, record: Record) -> None:
        if record.step_rejected:
            self.screen.note(f"step {self.step}: halved {record.step_rejected} times to dt = {record.dt:g}")

    def _look(self) -> None:
        """What the metric is worth now."""
        with self.screen.stage("test", self.seconds):
            self.made.look()

    def _save(self) -> None:
        """Hand a snapshot to the writer, which works while the flow goes on."""
        with self.screen.stage("save", self.seconds):
            arrays = self.snapshot.arrays(self.seconds | clock.since(self.earlier))
            self.writer.submit(self.step, arrays, self.snapshot.attributes(self.flow.attributes()))

    def _report(self) -> None:
        """Evaluate on train and unseen points; table, picture and summary."""
        words = f"after the last step; the state of step {self.step} is saved: the same command evaluates it"
        with self._at_once(words), self.screen.stage("evaluate", self.seconds):
            rows = self.made.table()
        report = self.kind.report
        with self.comm.lead() as mine:
            if mine:
                self.writer.check_folder()
                summary, picture, missing = report.write(self.where, self.step, rows, self.made.history.arrays())
                self.screen.show(report.rendered(rows, f"{self.config.run.name}: after step {self.step}"))
                state = near(state_path(self.where, self.step))
                self.screen.say(
                    f"state    {state}", missing or f"picture  {near(picture)}", f"summary  {near(summary)}"
                )
