"""One chat client for any OpenAI-compatible server: structured output, retries, limits, cache and budget."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletion

from microcoder_assets.config import ServerSettings
from microcoder_assets.errors import UserError
from microcoder_assets.llm.budget import Budget
from microcoder_assets.llm.cache import AnswerCache, Cache
from microcoder_assets.llm.rate import RateLimit
from microcoder_assets.throttle import backoff, retry_after

Message = dict[str, str]
Body = dict[str, Any]
"""A request of the chat completions endpoint."""
OVERHEAD_TOKENS = 64  # a chat template's own tokens, more than any template in use adds to two messages
LONGEST_BACKOFF_S = 8.0
LONGEST_WAIT_S = 300.0  # ours: a longer Retry-After is not waited for in full
AGAIN = (408, 409, 429)  # and 5xx
MAY_HAVE_WORKED = (502, 504)  # said by a proxy, which does not know what the server behind it did


class AnswerError(Exception):
    """The server gave no answer to this request after every retry; others may still be answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """error: what the caller is told when it is not tried again. lost: the server may have worked, and be paid."""

    error: Exception
    lost: bool = False
    again: bool = True
    wait_s: float | None = None


class ChatClient:
    """model: as the server knows it. section: of the settings, for messages. temperature, max_tokens: sent with every
    request and part of its key.

    Thread-safe. Answers are cached whether or not the caller can use them: a second run pays for neither. Calls whose
    answer was lost are kept there too, at the most that they can have cost.

    outbox: when set, a request without a cached answer is given to it, with its key, instead of being sent.
    """

    def __init__(
        self,
        model: str,
        settings: ServerSettings,
        section: str,
        cache: AnswerCache,
        api_key: str | None,
        *,
        temperature: float,
        max_tokens: int,
    ) -> None:
        self.model = model
        self.cache = cache
        self.budget = Budget(
            settings.budget_usd, settings.price_per_million_prompt, settings.price_per_million_completion
        )
        self.outbox: Callable[[str, Body], None] | None = None
        self.openai = openai.OpenAI(
            base_url=settings.base_url, api_key=api_key or "none", max_retries=0, timeout=settings.timeout_s
        )
        self._api_key = api_key
        self._settings = settings
        self._section = section
        self.server = settings.base_url or "of OpenAI"
        self._max_tokens = max_tokens
        limit = "max_tokens" if settings.plain_requests else "max_completion_tokens"
        self._parameters = {"temperature": temperature, limit: max_tokens}
        self._rate = RateLimit(settings.requests_per_minute, settings.tokens_per_minute)

    def key(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> str:
        """sha256 over all that decides the answer: messages, schema, model, parameters and the draw's seed."""
        parts = [messages, schema, self.model, self._parameters, seed]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def ask(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> Answer:
        """The answer, from the cache or the server. schema: JSON schema that the text should obey; None: free text.

        Raises AnswerError for this request, BudgetSpent before overspending, UserError when no request can succeed.
        """
        key = self.key(messages, schema, seed)
        if known := self.cache.get(key):
            return Answer(**{name: known[name] for name in Answer.__slots__})
        body = self._body(messages, schema, seed)
        if self.outbox:
            most = self._most(body).cost_usd
            self.budget.reserve(most)
            self.budget.settle(most, most)
            self.outbox(key, body)
            raise AnswerError("it waits for a batch")
        if self._settings.offline:
            raise AnswerError(f"no batch has answered it ({self._section}.offline is set); see `microcoder batch`")
        return self._sent(key, body)

    def read(self, completion: object, body: Body, share: float = 1.0) -> Answer:
        """What a server's completion says to a request, and what it costs; share: of the prices.

        Raises ValueError when it is no completion with a choice.
        """
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise ValueError("it has no choices")
        used = completion.usage or self._most(body)
        tokens = used.prompt_tokens, used.completion_tokens
        text = completion.choices[0].message.content or ""
        text = text.encode("utf-8", "replace").decode()  # lone surrogates cannot be sent
        return Answer(text, *tokens, self.budget.cost(*tokens) * share)

    def _body(self, messages: Sequence[Message], schema: dict[str, Any] | None, seed: int) -> Body:
        body = {"model": self.model, "messages": list(messages), "seed": seed, **self._parameters}
        if schema is not None and not self._settings.plain_requests:
            form = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def _most(self, body: Body) -> Answer:
        """The most that a request can use; no tokenizer makes more tokens of a text than it has bytes."""
        prompt = len(json.dumps(body)) + OVERHEAD_TOKENS
        return Answer("", prompt, self._max_tokens, self.budget.cost(prompt, self._max_tokens))

    def _sent(self, key: str, body: Body) -> Answer:
        """An answer from the server, asked again after what passes."""
        chance = random.Random(key)
        for attempt in range(self._settings.retries + 1):
            answer = self._attempt(key, body)
            if isinstance(answer, Answer):
                return answer
            if not answer.again or attempt == self._settings.retries:
                raise answer.error
            asked = answer.wait_s
            wait = backoff(attempt, self._settings.backoff_s, LONGEST_BACKOFF_S, chance) if asked is None else asked
            time.sleep(min(wait, LONGEST_WAIT_S))
        raise AssertionError("unreachable")

    def _attempt(self, key: str, body: Body) -> Answer | _Failure:
        """One call, set aside for, journalled and settled."""
        most = self._most(body)
        self._rate.wait(most.prompt_tokens + most.completion_tokens)
        self.budget.reserve(most.cost_usd)
        spent = most
        try:
            call = self.cache.sent(key, asdict(most))
            try:
                headers = {"X-Client-Request-Id": call}
                completion: object = self.openai.chat.completions.create(**body, extra_headers=headers)
                spent = self.read(completion, body)
            except (openai.OpenAIError, ValueError) as error:
                failure = self._failure(error)
                self.cache.ended(call, "lost" if failure.lost else "refused", str(failure.error))
                spent = most if failure.lost else Answer("", 0, 0, 0.0)
                return failure
            self.cache.answered(call, key, asdict(spent))
            return spent
        finally:
            self.budget.settle(most.cost_usd, spent.cost_usd)
            self._rate.give_back(
                most.prompt_tokens + most.completion_tokens - spent.prompt_tokens - spent.completion_tokens
            )

    def masked(self, text: str) -> str:
        """What a server said, without the key that it may have repeated: messages reach logs and the ledger."""
        key = (self._api_key or "").strip()
        return text.replace(key, "***") if key else text

    def _failure(self, error: Exception) -> _Failure:
        failure = self._explained(error)
        return replace(failure, error=type(failure.error)(self.masked(str(failure.error))))

    def _explained(self, error: Exception) -> _Failure:
        if isinstance(error, openai.APIStatusError):
            return self._refusal(error)
        if isinstance(error, openai.APITimeoutError):
            return _Failure(AnswerError(f"no answer within {self._settings.timeout_s:g} s"), lost=True)
        if isinstance(error, openai.APIConnectionError):
            if not isinstance(error.__cause__, httpx2.ConnectError):
                return _Failure(AnswerError(f"the connection broke: {error.__cause__ or error}"), lost=True)
            return _Failure(
                UserError(
                    f"the {self._section} server {self.server} cannot be reached ({error.__cause__}); "
                    f"start it or mend {self._section}.base_url, and run again: answers so far are kept"
                )
            )
        return _Failure(AnswerError(f"the server's answer is not a chat completion: {error}"), lost=True)

    def _refusal(self, error: openai.APIStatusError) -> _Failure:
        status = error.status_code
        said = f"the {self._section} server {self.server} says {status}: {self.masked(error.message)[:200]}"
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            return _Failure(UserError(f"{said}; set OPENAI_API_KEY to a key that may use {self.model}"), again=False)
        if status == 402 or error.code == "insufficient_quota":
            mend = "add credit to the account and run again: answers so far are kept"
            return _Failure(UserError(f"{said}; {mend}"), again=False)
        if isinstance(error, openai.NotFoundError):
            mend = f"mend {self._section}.model or {self._section}.base_url"
            return _Failure(UserError(f"{said}; {mend}"), again=False)
        return _Failure(
            AnswerError(said),
            lost=status in MAY_HAVE_WORKED,
            again=status in AGAIN or status >= 500,
            wait_s=_asked_to_wait(error.response.headers),
        )


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds, from Retry-After or from its finer form that OpenAI sends."""
    try:
        return float(headers.get("retry-after-ms", "")) / 1000
    except ValueError:
        return retry_after(headers, dt.datetime.now(dt.UTC))


def open_client(
    settings: ServerSettings, section: str, cache: Cache, api_key: str | None, *, temperature: float, max_tokens: int
) -> ChatClient:
    """The client that a section of the settings describes. Raises UserError when it names no model, or a password."""
    if settings.model is None:
        raise UserError(f"{section}.model is not set; name a model of the server")
    if "@" in urlsplit(settings.base_url or "").netloc:
        raise UserError(f"{section}.base_url holds a user or password, which settings must not; use OPENAI_API_KEY")
    return ChatClient(
        settings.model, settings, section, AnswerCache(cache), api_key, temperature=temperature, max_tokens=max_tokens
    )
