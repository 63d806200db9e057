"""One chat client for any OpenAI-compatible server: structured output, retries, cache and budget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from microcoder_assets.config import ServerSettings
from microcoder_assets.errors import UserError
from microcoder_assets.llm.budget import Budget
from microcoder_assets.llm.cache import AnswerCache, Cache

Message = dict[str, str]
RETRIES = 6  # of 408, 409, 429, 5xx and broken connections, with the client's exponential backoff or Retry-After
TIMEOUT_S = 300.0
OVERHEAD_TOKENS = 64  # a chat template's own tokens, more than any template in use adds to two messages


class AnswerError(Exception):
    """The server gave no answer to this request after every retry; others may still be answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


class ChatClient:
    """model, base_url: as the server knows them. section: of the settings that name them, for messages.
    temperature, max_tokens: sent with every request and part of its key.

    Thread-safe. Answers are cached whether or not the caller can use them: a second run pays for neither.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None,
        api_key: str | None,
        cache: AnswerCache,
        budget: Budget,
        *,
        section: str,
        temperature: float,
        max_tokens: int,
        retries: int = RETRIES,
    ) -> None:
        self.model = model
        self._section = section
        self._server = base_url or "of OpenAI"
        self._parameters = {"temperature": temperature, "max_completion_tokens": max_tokens}
        self._max_tokens = max_tokens
        self.cache = cache
        self._budget = budget
        self._openai = openai.OpenAI(
            base_url=base_url, api_key=api_key or "none", max_retries=retries, timeout=TIMEOUT_S
        )

    def key(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> str:
        """sha256 over all that decides the answer: messages, schema, model, parameters and the draw's seed."""
        parts = [messages, schema, self.model, self._parameters, seed]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def ask(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> Answer:
        """The answer, from the cache or the server. schema: JSON schema that the text should obey;
        None: free text.

        Raises AnswerError for this request, BudgetSpent before overspending, UserError when no request can succeed.
        """
        key = self.key(messages, schema, seed)
        if known := self.cache.get(key):
            return Answer(**json.loads(known))
        bound = len(json.dumps([messages, schema])) + OVERHEAD_TOKENS
        most = self._budget.cost(bound, self._max_tokens)
        self._budget.reserve(most)
        spent = most  # what is charged when it stays unknown whether the server worked
        try:
            completion = self._request(messages, schema, seed)
            usage = completion.usage
            tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (bound, self._max_tokens)
            spent = self._budget.cost(*tokens)
            text = completion.choices[0].message.content or ""
            answer = Answer(text.encode("utf-8", "replace").decode(), *tokens, spent)  # lone surrogates cannot be sent
            self.cache.put(key, json.dumps(asdict(answer)).encode())
            return answer
        except openai.APIStatusError as error:
            spent = 0.0
            raise self._explained(error) from error
        except openai.APITimeoutError as error:
            raise AnswerError(f"no answer within {TIMEOUT_S:g} s") from error
        except openai.APIConnectionError as error:
            spent = 0.0
            raise UserError(
                f"the {self._section} server {self._server} cannot be reached ({error.__cause__ or error}); "
                f"start it or mend {self._section}.base_url, and run again: answers so far are kept"
            ) from error
        except (openai.OpenAIError, ValueError) as error:
            raise AnswerError(f"the server's answer is not a chat completion: {error}") from error
        finally:
            self._budget.settle(most, spent)

    def _request(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> ChatCompletion:
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        completion: object = self._openai.chat.completions.create(  # type: ignore[call-overload]
            model=self.model,
            messages=list(messages),
            seed=seed,
            **({} if schema is None else {"response_format": form}),
            **self._parameters,
        )
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise ValueError("no choices")
        return completion

    def _explained(self, error: openai.APIStatusError) -> Exception:
        said = f"the {self._section} server {self._server} says {error.status_code}: {error.message[:200]}"
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            return UserError(f"{said}; set OPENAI_API_KEY to a key that may use {self.model}")
        if error.status_code == 402 or error.code == "insufficient_quota":
            return UserError(f"{said}; add credit to the account and run again: answers so far are kept")
        if isinstance(error, openai.NotFoundError):
            return UserError(f"{said}; mend {self._section}.model or {self._section}.base_url")
        return AnswerError(said)


def open_client(
    settings: ServerSettings, section: str, cache: Cache, api_key: str | None, *, temperature: float, max_tokens: int
) -> ChatClient:
    """The client that a section of the settings describes. Raises UserError when it names no model."""
    if settings.model is None:
        raise UserError(f"{section}.model is not set; name a model of the server")
    budget = Budget(settings.budget_usd, settings.price_per_million_prompt, settings.price_per_million_completion)
    return ChatClient(
        settings.model,
        settings.base_url,
        api_key,
        AnswerCache(cache),
        budget,
        section=section,
        temperature=temperature,
        max_tokens=max_tokens,
    )
