"""Where completions come from: transformers, vLLM on this machine, or any OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from microcoder_train.config import EvaluationSettings
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.completions import Backend, Drawn, Request
from microcoder_train.evaluation.tasks import Prompt, as_text

SERVER_RETRIES, SERVER_TIMEOUT_S = 6, 1800.0
"""Of 408, 409, 429, 5xx and broken connections; and seconds for one completion of a thinking model. Ours."""

VLLM_BATCH = 4096
"""Completions handed to vLLM at once, which batches them itself; what a killed run loses at most. Ours."""


def open_backend(
    model: str, kind: str, settings: EvaluationSettings, seed: int, *, base_url: str | None = None,
    api_key: str | None = None, parallel: int = 16,
) -> Backend:  # fmt: skip
    """kind: `transformers`, `vllm` or `openai`; the last needs base_url, parallel is its requests at a time.

    Raises TrainError where it cannot be opened.
    """
    match kind:
        case "transformers":
            return TransformersBackend(model, settings, seed)
        case "vllm":
            return VllmBackend(model, settings, seed)
        case "openai":
            if base_url is None:
                raise TrainError("--backend openai needs --base-url, for example http://127.0.0.1:8000/v1")
            return ServerBackend(model, settings, seed, base_url, api_key, parallel)
    raise TrainError(f"unknown backend {kind!r}; one of transformers, vllm, openai")


def cut(text: str, stop: str) -> tuple[str, bool]:
    """`text` up to the first of the comma-separated stop texts, and whether one was there."""
    ends = [place for end in stop.split(",") if end and (place := text.find(end)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


class TransformersBackend:
    """Batches of whole problems of like length, each with a seed of its own; on the accelerator if there is one."""

    parallel = 1

    def __init__(self, model: str, settings: EvaluationSettings, seed: int) -> None:
        from microcoder_train.generation import load_policy

        self._policy = load_policy(model, settings.dtype)
        self._settings = settings
        self._seed = seed

    def batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        from microcoder_train.generation import like_lengths

        groups: dict[str, list[Request]] = {}
        for request in requests:
            groups.setdefault(request.problem_id, []).append(request)
        problems = list(groups.values())
        lengths = [len(self._encode(group[0].prompt)) for group in problems]
        fitting = [n for n, length in enumerate(lengths) if self._fits(length)]
        size = max(1, self._settings.batch // self._settings.samples)
        chosen = like_lengths([lengths[n] for n in fitting], size)
        made = [[request for place in batch for request in problems[fitting[place]]] for batch in chosen]
        return made + [problems[n] for n, length in enumerate(lengths) if not self._fits(length)]

    def draw(self, batch: Sequence[Request]) -> list[Drawn]:
        import torch

        from microcoder_train.generation import generate

        prompts = [self._encode(request.prompt) for request in batch if request.sample == batch[0].sample]
        if not self._fits(len(prompts[0])):
            return [Drawn("", 0, False, len(prompts[0]), refused=True) for _ in batch]
        own = self._settings
        with torch.random.fork_rng():
            torch.manual_seed(batch[0].seed(self._seed))
            found = generate(self._policy, prompts, own.samples, own.temperature, own.max_completion_tokens, own.top_p)
        drawn = []
        for prompt, completions in zip(prompts, found, strict=True):
            for completion in completions:
                text, stopped = cut(completion.text, own.stop)
                drawn.append(Drawn(text, completion.tokens, completion.truncated and not stopped, len(prompt)))
        return drawn

    def _encode(self, prompt: Prompt) -> list[int]:
        tokenizer = self._policy.tokenizer
        if not isinstance(prompt, str) and tokenizer.chat_template:
            return list(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False))
        return list(tokenizer(as_text(prompt))["input_ids"])

    def _fits(self, length: int) -> bool:
        return length + self._settings.max_completion_tokens <= self._policy.context


class VllmBackend:
    """vLLM in this process (extra `gpu`); each completion has a seed of its own."""

    parallel = 1

    def __init__(self, model: str, settings: EvaluationSettings, seed: int) -> None:
        try:
            vllm = import_module("vllm")
        except ImportError as error:
            raise TrainError("--backend vllm needs vLLM: pip install 'microcoder[gpu]', or use transformers") from error
        self._vllm = vllm
        self._llm = vllm.LLM(model=model, dtype=settings.dtype, enable_prefix_caching=True)
        self._settings = settings
        self._seed = seed

    def batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        return [list(requests[start : start + VLLM_BATCH]) for start in range(0, len(requests), VLLM_BATCH)]

    def draw(self, batch: Sequence[Request]) -> list[Drawn]:
        outputs: list[Any] = [None] * len(batch)
        chats = self._llm.get_tokenizer().chat_template is not None
        prompts = [request.prompt if chats else as_text(request.prompt) for request in batch]
        for chat in (False, True):
            places = [n for n, prompt in enumerate(prompts) if isinstance(prompt, list) == chat]
            if places:
                call = self._llm.chat if chat else self._llm.generate
                found = call([prompts[n] for n in places], [self._sampling(batch[n]) for n in places])
                for place, output in zip(places, found, strict=True):
                    outputs[place] = output
        return [
            Drawn(out.outputs[0].text, len(out.outputs[0].token_ids), out.outputs[0].finish_reason == "length",
                  len(out.prompt_token_ids))
            for out in outputs
        ]  # fmt: skip

    def _sampling(self, request: Request) -> Any:
        own = self._settings
        return self._vllm.SamplingParams(
            n=1,
            temperature=own.temperature,
            top_p=own.top_p,
            max_tokens=own.max_completion_tokens,
            stop=[text for text in own.stop.split(",") if text],
            seed=request.seed(self._seed),
        )


class ServerBackend:
    """An OpenAI-compatible server: messages to /chat/completions, text to /completions, one request a completion.

    Where it says that the model has no chat template, messages are text too, as the other backends send them.
    """

    def __init__(
        self, model: str, settings: EvaluationSettings, seed: int, base_url: str, api_key: str | None, parallel: int
    ) -> None:
        import openai

        self.parallel = parallel
        self._model = model
        self._settings = settings
        self._seed = seed
        self._base_url = base_url
        self._api_key = (api_key or "").strip()
        self._errors = openai
        self._chats = True
        self._client = openai.OpenAI(
            base_url=base_url, api_key=api_key or "none", max_retries=SERVER_RETRIES, timeout=SERVER_TIMEOUT_S
        )

    def batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        return [[request] for request in requests]

    def draw(self, batch: Sequence[Request]) -> list[Drawn]:
        return [self._ask(request) for request in batch]

    def _ask(self, request: Request) -> Drawn:
        """Raises TrainError where the server cannot be reached or refuses for another reason than the length."""
        openai = self._errors
        try:
            answer, text = self._answer(request)
        except openai.BadRequestError as error:
            if "context" in error.message:
                return Drawn("", 0, False, refused=True)
            raise TrainError(f"{self._base_url} refuses a request: {self._masked(error.message)}") from error
        except openai.APIStatusError as error:
            raise TrainError(
                f"{self._base_url} says {error.status_code}: {self._masked(error.message)}; mend --base-url, the "
                "model's name or OPENAI_API_KEY, and run again: completions so far are kept"
            ) from error
        except openai.APIConnectionError as error:
            raise TrainError(
                f"{self._base_url} cannot be reached ({self._masked(str(error.__cause__ or error))}); start it and run "
                "again: completions so far are kept"
            ) from error
        if not getattr(answer, "choices", None):
            raise TrainError(f"{self._base_url} answers without choices; is it an OpenAI-compatible server?")
        usage = answer.usage
        counts = (usage.completion_tokens, usage.prompt_tokens) if usage else (0, 0)
        return Drawn(text or "", counts[0], answer.choices[0].finish_reason == "length", counts[1])

    def _masked(self, said: str) -> str:
        """What a server said, in short and without the key that it may have repeated."""
        return (said.replace(self._api_key, "***") if self._api_key else said)[:200]

    def _answer(self, request: Request) -> tuple[Any, str | None]:
        own = self._settings
        common: dict[str, Any] = {
            "model": self._model,
            "temperature": own.temperature,
            "top_p": own.top_p,
            "max_tokens": own.max_completion_tokens,
            "seed": request.seed(self._seed),
        }
        if self._chats and not isinstance(request.prompt, str):
            messages: Any = request.prompt
            try:
                chat = self._client.chat.completions.create(messages=messages, **common)
                return chat, chat.choices[0].message.content if chat.choices else None
            except self._errors.BadRequestError as error:
                if "chat template" not in error.message:
                    raise
                self._chats = False
        stop = [text for text in own.stop.split(",") if text] or None
        answer = self._client.completions.create(prompt=as_text(request.prompt), stop=stop, **common)
        return answer, answer.choices[0].text if answer.choices else None
