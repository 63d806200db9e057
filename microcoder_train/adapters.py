"""LoRA (arXiv 2106.09685) through peft: what is trained, and a model that needs no peft to be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError


def lora_config(settings: TrainSettings) -> Any:
    """peft's configuration; None where all weights are trained. Raises TrainError where peft refuses it."""
    if settings.lora_rank is None:
        return None
    from peft import LoraConfig

    targets = settings.lora_targets.split(",")
    try:
        return LoraConfig(
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules=targets if targets != ["all-linear"] else "all-linear",
            task_type="CAUSAL_LM",
        )
    except ValueError as error:
        raise TrainError(f"config: {str(error).splitlines()[0]}") from error


def merge(base: str, adapter: Path, out: Path, dtype: str) -> None:
    """Write the model `base` with the weights of `adapter` added to its own, and its tokenizer, to `out`."""
    from peft import PeftModel

    from microcoder_train.generation import load_policy

    policy = load_policy(base, dtype)
    merged = PeftModel.from_pretrained(policy.model, str(adapter)).merge_and_unload()
    merged.save_pretrained(out)
    policy.tokenizer.save_pretrained(out)
