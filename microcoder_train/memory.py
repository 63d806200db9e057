"""How much memory a GRPO run takes on each GPU: an estimate from the model's shape, before any weight is loaded.

Sources. States: ZeRO (arXiv 1910.02054), section 3.1 and figure 1, mixed-precision Adam: 2 bytes of weights, 2 of
gradients and 12 of optimiser a parameter, or 4 + 4 + 8 where float32 weights are trained under autocast: 16 either
way; stage 2 divides all but the weights over the GPUs, stage 3 all of it. Activations with every layer recomputed:
Korthikanti et al. (arXiv 2205.05198): 2 bytes a token, layer and unit of width, and 34 for the one layer that is being
recomputed, without the attention matrix, which fused kernels never hold. Cache: keys and values of every layer, 2 bytes
each. The head's logits are not there: TRL computes them in small pieces. What is left out: the CUDA context,
communication buffers, fragmentation; a tenth of the memory is left for them (ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError
from microcoder_train.reports import Report
from microcoder_train.stages import length_stages

WEIGHT, GRADIENT, OPTIMIZER = 2, 2, 12
LAYER_INPUT, LAYER_WITHIN = 2, 34
GIB = 2**30
SHARE = 0.9
"""Of a GPU's memory that may be planned with. Ours."""

Zero = Literal[0, 2, 3]


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder of the Qwen3 family: grouped attention with normalised queries and keys, gated feed-forward, no bias.

    tied: the head has the weights of the embedding.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tied: bool

    @property
    def parameters(self) -> int:
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads) + 2 * self.head_dim
        layer = attention + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + self.hidden + self.vocab * self.hidden * (1 if self.tied else 2)

    def lora_parameters(self, rank: int) -> int:
        """Of adapters on every linear module of the layers: rank x (inputs + outputs) each."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = 2 * (self.hidden + queries) + 2 * (self.hidden + keys)
        return self.layers * rank * (attention + 3 * (self.hidden + self.intermediate))

    @property
    def cache_bytes(self) -> int:
        """Of one token's keys and values in bfloat16."""
        return 2 * 2 * self.layers * self.kv_heads * self.head_dim


SHAPES = {
    "qwen3-1.7b": Shape(28, 2048, 16, 8, 128, 6144, 151_936, True),
    "qwen3-4b": Shape(36, 2560, 32, 8, 128, 9728, 151_936, True),
    "qwen3-8b": Shape(36, 4096, 32, 8, 128, 12_288, 151_936, False),
}
"""As in the `config.json` of the Hugging Face models of these names."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on each GPU. cache: of the completions that transformers samples at once; vLLM's is in its own share."""

    states: int
    activations: int
    cache: int

    @property
    def update(self) -> int:
        return self.states + self.activations

    @property
    def sampling(self) -> int:
        return self.states + self.cache


def estimate(shape: Shape, settings: TrainSettings, gpus: int, zero: Zero) -> Memory:
    """Memory of each of `gpus`. zero: DeepSpeed's stage, 0 without it."""
    trained = shape.parameters if settings.lora_rank is None else shape.lora_parameters(settings.lora_rank)
    frozen = 0 if settings.lora_rank is None else WEIGHT * shape.parameters // (gpus if zero == 3 else 1)
    weights = WEIGHT * trained // (gpus if zero == 3 else 1)
    rest = (GRADIENT + OPTIMIZER) * trained // (gpus if zero else 1)
    tokens = settings.max_prompt_tokens + length_stages(settings)[-1][1]
    kept = LAYER_INPUT * shape.layers + LAYER_WITHIN if settings.gradient_checkpointing else LAYER_WITHIN * shape.layers
    completions = -(-settings.prompts_per_rollout * settings.generations // gpus)
    return Memory(
        frozen + weights + rest,
        settings.device_batch * tokens * shape.hidden * kept,
        completions * tokens * shape.cache_bytes,
    )


def shape_of(model: str) -> Shape:
    """A name of `SHAPES`, or a Hugging Face folder of the Qwen3 family. Raises TrainError for another."""
    if model.lower() in SHAPES:
        return SHAPES[model.lower()]
    if not Path(model).is_dir():
        raise TrainError(f"no shape is known of {model}; one of {', '.join(SHAPES)}, or a Hugging Face model folder")
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(model)
    if config.model_type != "qwen3":
        raise TrainError(f"{model} is a {config.model_type} model; the estimate knows qwen3 alone")
    return Shape(
        config.num_hidden_layers,
        config.hidden_size,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.head_dim,
        config.intermediate_size,
        config.vocab_size,
        config.tie_word_embeddings,
    )


def memory_report(model: str, settings: TrainSettings, gpus: int, gpu_gib: float) -> Report:
    """A table over DeepSpeed's stages, in GiB."""
    shape = shape_of(model)
    stages: tuple[Zero, ...] = (0, 2, 3)
    lines = []
    for zero in stages if gpus > 1 else stages[:1]:
        found = estimate(shape, settings, gpus, zero)
        free = SHARE * gpu_gib - found.states / GIB
        lines.append(
            f"| {f'ZeRO-{zero}' if zero else 'none'} | {found.states / GIB:.1f} | {found.activations / GIB:.1f} | "
            f"{'yes' if found.update / GIB <= SHARE * gpu_gib else 'no'} | {found.cache / GIB:.1f} | "
            f"{'yes' if found.sampling / GIB <= SHARE * gpu_gib else 'no'} | {max(0.0, free) / gpu_gib:.2f} |"
        )
    trained = "all weights" if settings.lora_rank is None else f"LoRA of rank {settings.lora_rank}"
    table = "\n".join(
        [
            "| DeepSpeed | states | activations | update fits | cache, transformers | sampling fits | left for vLLM |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *lines,
        ]
    )
    return Report(
        f"estimate for {shape.parameters / 1e9:.2f} billion parameters, {trained}, on {gpus} x {gpu_gib:g} GiB; "
        "GiB on each GPU, and the share of it left for vllm_memory",
        "",
        tables={"memory": table},
    )
