"""A recorder as a callback of other people's trainers."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Protocol


class Looking(Protocol):
    """What a `core.learning.records.recorder.Recorder` can do."""

    def __call__(self, step: int, model: Any, **measures: Any) -> bool: ...

    def keep(self, step: int, model: Any, **measures: Any) -> bool: ...

    def end(self, why: str) -> None: ...


def trainer_callback(recorder: Looking) -> Any:
    """A TrainerCallback of transformers: looks before training, at each step that is due and at the end.

    The loss is the last one that the Trainer logged. Only the first of several processes writes.
    """
    from transformers import TrainerCallback

    class Recording(TrainerCallback):
        loss = float("nan")

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            self.loss = float((logs or {}).get("loss", self.loss))

        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            self._look(recorder.keep, state, model)

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            self._look(recorder, state, model)

        def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            self._look(recorder.keep, state, model)

        def _look(self, look: Any, state: Any, model: Any) -> None:
            if state.is_world_process_zero:
                look(state.global_step, model, **({} if self.loss != self.loss else {"loss": self.loss}))

    return Recording()


def lightning_callback(recorder: Looking) -> Any:
    """A Callback of Lightning, or of pytorch_lightning where that was imported: looks as `trainer_callback` does.

    The loss is what the training step gave. An exception that ends the training is said in the record.
    """
    old = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
    callback: Any = import_module("pytorch_lightning" if old else "lightning.pytorch").Callback

    class Recording(callback):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            self._look(recorder.keep, trainer, pl_module)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            self._look(recorder, trainer, pl_module, **({} if loss is None else {"loss": loss}))

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            self._look(recorder.keep, trainer, pl_module)

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            recorder.end(f"it stopped after step {trainer.global_step:,}: {type(exception).__name__}")

        def _look(self, look: Any, trainer: Any, model: Any, **measures: Any) -> None:
            if trainer.is_global_zero:
                look(trainer.global_step, model, **measures)

    return Recording()
