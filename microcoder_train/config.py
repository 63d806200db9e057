"""Every setting of training and scoring, with where its default comes from.

Origins: **paper** (arXiv 2603.07777), **DAPO** (arXiv 2503.14476, which the paper follows where it states no value),
**ours** (a choice). The presets are `paper`, for GPUs, `upstream`, which scores as LiveCodeBench
itself, `tiny`, a demonstration for two CPU cores, and `small`, for grids of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from microcoder_train.errors import TrainError

Settings = TypeVar("Settings", "TrainSettings", "BaseSettings", "EvaluationSettings")


def setting(default: Any, doc: str) -> Any:
    """A field whose meaning and origin `describe` can print."""
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class BaseSettings:
    """The embedded base model: its shape and its short pre-training. All of it is ours; it shows the machinery."""

    vocab_size: int = setting(1024, "Byte-level BPE tokens, learnt from the train part.")
    line_texts: int = setting(10, "A line that this many prompts and programs share becomes one token.")
    hidden_size: int = setting(128, "Width.")
    layers: int = setting(4, "Transformer blocks.")
    heads: int = setting(4, "Attention heads of hidden_size / heads each.")
    kv_heads: int = setting(2, "Key and value heads.")
    intermediate_size: int = setting(384, "Width of the feed-forward part.")
    context: int = setting(1024, "Tokens that the model says it can attend to.")
    pair_tokens: int = setting(256, "Tokens of a prompt and a program together; longer pairs are skipped and counted.")
    steps: int = setting(600, "Optimiser steps.")
    batch_size: int = setting(4, "Problems a step, each with all its programs.")
    learning_rate: float = setting(3e-3, "Peak of a linear warm-up over a tenth of the steps and a cosine decay to 0.")
    accepted_share: float = setting(0.4, "Weight of the accepted programs; the rest goes to the wrong ones.")
    paragraph_dropout: float = setting(0.3, "Share of a prompt's paragraphs, but the last, left out in a step.")
    token_dropout: float = setting(0.15, "Share of a prompt's tokens left out in a step, so that no one word decides.")


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """Sampling and judging a set of problems. Defaults are those of the preset `paper`.

    LiveCodeBench: its runner's defaults (`lcb_runner/runner/parser.py` at 28fef95).
    """

    samples: int = setting(4, "Completions a problem. Paper: the mean of 4 runs.")
    temperature: float = setting(1.2, "Sampling temperature. Ours: as in training, the paper states none.")
    top_p: float = setting(1.0, "Nucleus of the sampling. Ours: the whole distribution, the paper states none.")
    max_completion_tokens: int = setting(8192, "Longer completions are cut off. Paper.")
    stop: str = setting("", "Comma-separated texts that end a completion, except in chats. Ours: none.")
    batch: int = setting(64, "Completions sampled together. Ours.")
    dtype: Literal["bfloat16", "float32"] = setting("bfloat16", "Type of weights and activations. Ours.")
    judge_workers: int = setting(2, "Judge processes. Ours.")
    isolation: Literal["batch", "test"] = setting("batch", "`test`: a fresh process for every test. Ours.")
    bootstrap: int = setting(2000, "Resamples of the problems for the 95 % intervals. Ours.")
    price_prompt: float = setting(0.0, "Dollars a million prompt tokens. Ours: nothing.")
    price_completion: float = setting(0.0, "Dollars a million completion tokens. Ours: nothing.")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """GRPO on a split, then scoring on its validation part. Defaults are the preset `paper`."""

    steps: int = setting(300, "Optimiser updates. Paper: its data study compares within 300 steps.")
    prompts_per_rollout: int = setting(64, "Problems a rollout. Paper.")
    generations: int = setting(8, "Completions a problem, G. Paper.")
    iterations: int = setting(1, "Passes over a rollout, mu. Ours.")
    minibatches: int = setting(2, "Updates a pass. Ours; with one pass and one update the clip could never act.")
    device_batch: int = setting(4, "Completions in one forward pass on one device. Ours.")
    learning_rate: float = setting(1e-6, "Peak. Paper.")
    schedule: Literal["constant", "linear"] = setting("constant", "Of the learning rate; linear falls to 0. Ours.")
    beta: float = setting(0.0, "Weight of the KL term; 0 loads no reference model. Paper.")
    epsilon: float = setting(0.2, "Lower clip. DAPO.")
    epsilon_high: float = setting(0.28, "Higher clip. DAPO.")
    loss_type: str = setting("dapo", "TRL's name of the loss: token-level sum over the batch's tokens. DAPO.")
    scale_rewards: Literal["group", "none"] = setting(
        "group", "Advantages over their group's standard deviation, or not. Paper: over it."
    )
    truncation_mask: Literal["conditional", "all", "none"] = setting(
        "conditional", "Which completions that reach L_max have no advantage. Paper."
    )
    truncation_rho: float = setting(
        0.1, "Share of those that the conditional mask hits. Paper: of 0.1, 0.2, 0.3 it keeps D highest, peaks latest."
    )
    truncation_repeat: int = setting(128, "A completion whose last m tokens repeat the m before is not masked. Paper.")
    reward: Literal["all_pass", "fraction", "tiers"] = setting(
        "all_pass", "1 or 0; the share of tests passed; or tiers of tests, as TAROT's. Paper: 1 or 0."
    )
    reward_format: float = setting(0.0, "Added for a program in a closed code block, right or wrong. Ours: nothing.")
    curriculum: Literal["uniform", "classic", "reverse", "medium", "soft", "hard", "adaptive", "hard_focus"] = setting(
        "uniform", "Which problems a rollout takes; see `curriculum`. Ours: every problem once an epoch."
    )
    focus_problems: int = setting(
        64, "For `hard_focus`: the problems kept, those solved least; raise `generations` with it (DRIVE: 64). Ours."
    )
    rollout_batches: int = setting(
        1, "Batches sampled at most a rollout, to replace groups without signal. Ours: none is replaced."
    )
    checkpoint_rollouts: int = setting(10, "Rollouts between checkpoints. Ours.")
    temperature: float = setting(1.2, "Sampling temperature, or that of the start. Paper.")
    temperature_schedule: Literal["constant", "staged", "guarded"] = setting(
        "constant", "Constant or raised by step (both the paper's), or guarded by D (ours)."
    )
    temperature_stages: str = setting("", "For `staged`: STEP=TEMPERATURE, comma-separated. Paper's study: 140=1.2.")
    temperature_step: float = setting(0.1, "For `guarded`: a change. Ours.")
    temperature_hold: int = setting(10, "For `guarded`: rollouts between changes, as ramps shift D for good. Ours.")
    temperature_min: float = setting(0.6, "For `guarded`: the lowest of the paper's study.")
    temperature_max: float = setting(1.8, "For `guarded`: the highest of the paper's study.")
    diversity_low: float = setting(0.65, "Lower end of the band of D. Ours, read off the paper's plots.")
    diversity_high: float = setting(0.75, "Upper end of the band of D. Ours, read off the paper's plots.")
    max_prompt_tokens: int = setting(2048, "Longer prompts are skipped and counted. Ours.")
    max_completion_tokens: int = setting(8192, "L_max, or that of the start. Paper.")
    context_stages: str = setting("", "L_max from a step on: STEP=TOKENS, comma-separated, rising. Ours: it stays.")
    max_grad_norm: float = setting(1.0, "Gradient clipping. Ours.")
    dtype: Literal["bfloat16", "float32"] = setting(
        "bfloat16", "Type of activations; trained weights stay float32, where a step of 1e-6 is not lost. Ours."
    )
    gradient_checkpointing: bool = setting(True, "Recompute activations to save memory. Ours.")
    lora_rank: int | None = setting(None, "Train adapters of this rank (peft) in place of all weights. Ours: all.")
    lora_alpha: float = setting(32.0, "The adapters' product is scaled by this over the rank. Ours.")
    lora_dropout: float = setting(0.0, "Dropout before the adapters; above 0 the ratio is noisy. Ours.")
    lora_targets: str = setting("all-linear", "Comma-separated modules, or peft's name for every linear one. Ours.")
    use_vllm: bool = setting(False, "Sample with vLLM (extra `gpu`) instead of transformers. Ours.")
    vllm_mode: Literal["colocate", "server"] = setting("colocate", "On this node, or `vllm serve` elsewhere. Ours.")
    vllm_server_base_url: str | None = setting(None, "Address of that server. Ours.")
    vllm_memory: float = setting(0.3, "For `colocate`: share of each GPU's memory that vLLM takes. TRL's.")
    vllm_tensor_parallel: int = setting(1, "For `colocate`: GPUs an engine is split over. TRL's.")
    vllm_sleep: bool = setting(True, "For `colocate`: the engine's memory is free during updates. Ours.")
    deepspeed: str | None = setting(None, "Path of a DeepSpeed JSON file. Ours.")
    judge_workers: int = setting(2, "Judge processes of each trainer process. Ours.")
    evaluation: EvaluationSettings = field(
        default_factory=EvaluationSettings, metadata={"doc": "Scoring base and tuned on the validation part."}
    )
    benchmark: EvaluationSettings = field(
        default_factory=EvaluationSettings, metadata={"doc": "Scoring policies on a benchmark suite."}
    )
    base: BaseSettings = field(default_factory=BaseSettings, metadata={"doc": "The embedded base model."})


PRESETS: dict[str, TrainSettings] = {
    "paper": TrainSettings(),
    "tiny": TrainSettings(
        steps=40,
        prompts_per_rollout=8,
        iterations=2,
        minibatches=1,
        device_batch=64,
        learning_rate=3e-4,
        schedule="linear",
        temperature=1.0,
        truncation_mask="none",
        max_prompt_tokens=192,
        max_completion_tokens=48,
        dtype="float32",
        gradient_checkpointing=False,
        evaluation=EvaluationSettings(
            samples=16, temperature=1.0, max_completion_tokens=48, batch=128, dtype="float32"
        ),
        benchmark=EvaluationSettings(
            samples=8, temperature=0.2, max_completion_tokens=48, batch=128, dtype="float32"
        ),
    ),
    "upstream": TrainSettings(
        benchmark=EvaluationSettings(
            samples=10, temperature=0.2, top_p=0.95, max_completion_tokens=2000, stop="###"
        ),
    ),
}
"""`tiny` is ours throughout: measured to learn on two CPU cores. `upstream` is `paper`, with benchmarks sampled by
LiveCodeBench's defaults."""

PRESETS["small"] = replace(
    PRESETS["tiny"],
    steps=12,
    prompts_per_rollout=4,
    device_batch=16,
    max_completion_tokens=20,
    judge_workers=1,
    evaluation=replace(PRESETS["tiny"].evaluation, samples=8, max_completion_tokens=32, judge_workers=1),
)
"""`tiny` for grids of many runs: few steps, and an L_max that truly binds, as a quarter of the embedded model's right
programs is longer. Ours."""


METHODS: dict[str, dict[str, Any]] = {
    "microcoder": {
        "loss_type": "dapo", "scale_rewards": "group", "beta": 0.0, "epsilon": 0.2, "epsilon_high": 0.28,
        "truncation_mask": "conditional",
    },
    "grpo": {
        "loss_type": "grpo", "scale_rewards": "group", "beta": 0.04, "epsilon": 0.2, "epsilon_high": 0.2,
        "truncation_mask": "none",
    },
    "dapo": {
        "loss_type": "dapo", "scale_rewards": "group", "beta": 0.0, "epsilon": 0.2, "epsilon_high": 0.28,
        "truncation_mask": "none", "rollout_batches": 4,
    },
    "dr_grpo": {
        "loss_type": "dr_grpo", "scale_rewards": "none", "beta": 0.0, "epsilon": 0.2, "epsilon_high": 0.2,
        "truncation_mask": "none",
    },
    "mask_all": {"truncation_mask": "all"},
    "no_mask": {"truncation_mask": "none"},
}  # fmt: skip
"""Settings by the name of a method. GRPO: arXiv 2402.03300 (beta 0.04), with PPO's clip. DAPO: arXiv 2503.14476,
without its penalty for length; it sets no bound on the batches sampled, 4 is ours. Dr. GRPO: arXiv 2503.20783. mask_all
(DeepCoder's) and no_mask change the truncation mask alone."""


class _Yaml(yaml.SafeLoader):
    """YAML whose numbers are those of JSON and YAML 1.2 too: PyYAML alone reads 1e-6 as text."""


_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+\Z"), list("-+.0123456789")
)


def load_settings(
    preset: str, path: Path | None, method: str | None = None, overrides: Sequence[str] = ()
) -> TrainSettings:
    """A preset, with a method's values, then a YAML (or JSON) file's, then `key=value` texts' on top.

    A key of a nested group is `group.key`. Raises TrainError naming the file or the text, and the key.
    """
    if preset not in PRESETS:
        raise TrainError(f"unknown preset {preset!r}; one of {', '.join(PRESETS)}")
    settings = PRESETS[preset] if method is None else replace(PRESETS[preset], **METHODS[method])
    if path is not None:
        settings = override(settings, _read(path), str(path))
    for text in overrides:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise TrainError(f"setting {text!r}: write KEY=VALUE, such as learning_rate=1e-5 or evaluation.samples=8")
        try:
            nested: Any = yaml.load(value, _Yaml)
        except yaml.YAMLError as error:
            raise TrainError(f"setting {text!r}: the value is not readable YAML") from error
        for part in reversed(key.split(".")):
            nested = {part: nested}
        settings = override(settings, nested, f"setting {text!r}")
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _Yaml)
    except FileNotFoundError as error:
        raise TrainError(f"config file {path} does not exist") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise TrainError(f"config file {path} is not readable YAML: {reason}") from error
    if not isinstance(raw, dict):
        raise TrainError(f"config file {path} must hold one mapping of settings")
    return raw


def override(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    """`settings` with `values` in place. Raises TrainError on an unknown key or a value of the wrong type."""
    kinds = get_type_hints(type(settings))
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key not in kinds:
            raise TrainError(f"{where}: unknown key {key!r}; one of {', '.join(kinds)}")
        current = getattr(settings, key)
        if is_dataclass(current) and isinstance(value, Mapping):
            changes[key] = override(getattr(settings, key), value, f"{where}: {key}")
        elif _fits(value, kinds[key]) and (value or key not in ("temperature", "top_p")):
            changes[key] = float(value) if kinds[key] is float else value
        else:
            raise TrainError(f"{where}: {key} must be {_spelled(kinds[key])}, got {value!r}")
    return replace(settings, **changes)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of this type; numbers count or measure something, so whole ones are positive."""
    allowed = get_args(kind) or (kind,)
    if get_origin(kind) is Literal:
        return value in allowed
    if isinstance(value, bool):
        return bool in allowed
    if isinstance(value, int | float) and not math.isfinite(value):
        return False
    if isinstance(value, int) and int in allowed:
        return value >= 1
    return isinstance(value, allowed) if not isinstance(value, int | float) else float in allowed and value >= 0


def _spelled(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return {int: "a positive whole number", float: "a number that is not negative"}.get(kind, str(kind))


def describe(settings: Settings, beside: Settings | None = None) -> str:
    """One line a setting: name, value, meaning and origin. beside: only those that differ, without the origin."""
    own: list[Field[Any]] = [item for item in fields(settings) if not is_dataclass(getattr(settings, item.name))]
    values = {item.name: getattr(settings, item.name) for item in own}
    if beside is not None:
        return "\n".join(f"  {name} = {value!r}" for name, value in values.items() if value != getattr(beside, name))
    return "\n".join(f"  {item.name} = {values[item.name]!r}: {item.metadata['doc']}" for item in own)


def as_dict(settings: Settings) -> dict[str, Any]:
    """The JSON form, nested."""
    return asdict(settings)


def as_yaml(settings: Settings, indent: str = "") -> str:
    """A config file of every setting, each under its meaning and its origin."""
    lines = []
    for item in fields(settings):
        value = getattr(settings, item.name)
        lines.append(f"{indent}# {item.metadata['doc']}")
        if is_dataclass(value):
            lines.append(f"{indent}{item.name}:\n{as_yaml(value, indent + '  ')}")  # type: ignore[type-var]
        else:
            lines.append(indent + yaml.safe_dump({item.name: value}, width=1000).rstrip())
    return "\n".join(lines)
