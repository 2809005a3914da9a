"""The service against its own OpenAPI: valid itself, every answer as described, for any request."""

import asyncio
import json
import re

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import GenerationMode, openapi
from schemathesis.checks import CHECKS

from services.inference.problems import KINDS

pytestmark = pytest.mark.anyio
CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/transcriptions"
METHODS = {"get", "post"}


@pytest.fixture(scope="module")
def contract():
    from services.inference.app import create_app
    from services.inference.engines import FakeChat, FakeSpeech
    from services.inference.settings import Settings

    return create_app(Settings(engine="fake"), FakeChat(), FakeSpeech()).openapi()


def fits(contract: dict, answer: httpx.Response, path: str) -> None:
    """Raise unless an answer is one that the contract describes for its route."""
    operation = contract["paths"][path][answer.request.method.lower()]
    assert str(answer.status_code) in operation["responses"], f"{answer.status_code} {answer.text}"
    content = operation["responses"][str(answer.status_code)]["content"]
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in content
    if kind == "application/json":
        schema = content[kind]["schema"] | {"components": contract["components"]}
        jsonschema.Draft202012Validator(schema).validate(json.loads(answer.text, parse_constant=_no_nan))


def _no_nan(name: str):
    raise AssertionError(f"{name} is no JSON.")


def test_the_contract_is_valid_openapi(contract):
    validate(contract)
    assert "422" not in json.dumps(contract)


def test_every_problem_is_documented_on_a_route_but_those_of_no_route(contract):
    told = json.dumps(contract)
    nowhere = {code for code in KINDS if f"`{code}`" not in told}
    assert nowhere == {"not_found", "method_not_allowed", "client_gone"}


def test_every_operation_is_described(contract):
    for path, operations in contract["paths"].items():
        assert set(operations) <= METHODS
        for operation in operations.values():
            assert operation["description"].endswith("."), path


async def test_every_route_answers_as_described(service, contract, asked, upload):
    one = service()
    async with one.client() as client:
        assert (await client.get("/openapi.json")).json() == one.app.openapi()
        for path in ("/healthz", "/readyz", "/v1/models"):
            fits(contract, await client.get(path), path)
        fits(contract, await client.get("/metrics"), "/metrics")
        fits(contract, await client.get("/v1/models/fake-chat"), "/v1/models/{model}")
        fits(contract, await client.get("/v1/models/none"), "/v1/models/{model}")
        for more in ({}, {"stream": True}, {"max_tokens": 2}, {"temperature": 7}):
            fits(contract, await client.post(CHAT, json=asked(**more)), CHAT)
        for form in ("json", "text", "verbose_json", "srt"):
            fits(contract, await client.post(SPEECH, **upload(response_format=form)), SPEECH)


NUMBERS = st.one_of(st.integers(-3, 3), st.floats(), st.sampled_from([1.0, 0.5, 2**80]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant"]), "content": st.text(max_size=20)}
)
# Each field is right more often than not, so that whole requests are, too.
RIGHT = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1, exclude_min=True),
    "max_tokens": st.integers(1, 9),
    "seed": st.integers(-(2**63), 2**63 - 1),
    "stop": st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=4),
    "stream": st.booleans(),
    "n": st.just(1),
}
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.one_of([st.just("fake-chat")] * 8 + [st.just("gpt"), JSON]),
        "messages": st.one_of([st.lists(MESSAGE, min_size=1, max_size=3)] * 8 + [st.lists(JSON, max_size=2), JSON]),
    },
    optional={name: st.one_of([right] * 8 + [NUMBERS, JSON]) for name, right in RIGHT.items()},
)


async def posts(one, bodies: list[bytes]) -> list[httpx.Response]:
    async with one.client() as client:
        head = {"content-type": "application/json"}
        return [await client.post(CHAT, content=body, headers=head) for body in bodies]


@settings(max_examples=25)
@given(st.lists(REQUESTS | JSON, min_size=1, max_size=8))
def test_json_is_refused_exactly_where_the_schema_refuses_it(service, contract, requests):
    bodies = [json.dumps(request).encode() for request in requests]  # NaN and Infinity among it
    schema = contract["components"]["schemas"]["ChatRequest"] | {"components": contract["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for request, answer in zip(requests, asyncio.run(posts(service(max_answer_tokens=4), bodies)), strict=True):
        fits(contract, answer, CHAT)
        if "NaN" in json.dumps(request) or "Infinity" in json.dumps(request) or not validator.is_valid(request):
            assert answer.status_code == 400, request
        else:
            codes = {200: None, 404: "model_not_found", 400: "empty_prompt"}
            assert answer.status_code in codes, (request, answer.text)
            assert answer.status_code == 200 or answer.json()["error"]["code"] == codes[answer.status_code]


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=8))
def test_any_bytes_are_answered_as_described(service, contract, bodies):
    for answer in asyncio.run(posts(service(), bodies)):
        fits(contract, answer, CHAT)
        assert answer.status_code == 400


UNSAYABLE = {"empty_prompt", "corrupt_audio", "empty_audio"}  # of a request that fits its schema, and yet is refused
MODELS = {CHAT: "fake-chat", SPEECH: "fake-speech"}


@pytest.fixture(scope="module")
def on_loopback(service):
    """The service as schemathesis meets it: by nothing but its address."""
    with service(max_answer_tokens=4).serving() as (address, _):
        yield openapi.from_url(f"{address}/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", list(MODELS))
def test_schemathesis_finds_no_breach(on_loopback, path, mode):
    """All of its checks, on requests made from the schema, and on requests made to break it."""
    statuses = set()

    @settings(max_examples=40, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(on_loopback[path]["POST"].as_strategy(generation_mode=mode))
    def check(case):
        if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
            case.body["model"] = MODELS[path]  # a guessed name ends nearly every request at 404
        answer = case.call()
        statuses.add(answer.status_code)
        refused = answer.status_code == 400 and answer.json()["error"]["code"] in UNSAYABLE
        case.validate_response(answer, excluded_checks=[CHECKS.get_one("positive_data_acceptance")] if refused else [])

    check()
    expected = {200, 400} if (path, mode) == (CHAT, GenerationMode.POSITIVE) else {400}
    assert expected <= statuses <= expected | {404}  # a name that is no text at all is no model's name either


def test_schemathesis_finds_no_breach_where_nothing_is_sent(on_loopback):
    for path in ("/healthz", "/readyz", "/metrics", "/v1/models"):
        on_loopback[path]["GET"].Case().call_and_validate()
    on_loopback["/v1/models/{model}"]["GET"].Case(path_parameters={"model": "fake-chat"}).call_and_validate()
    on_loopback["/v1/models/{model}"]["GET"].Case(path_parameters={"model": "gpt"}).call_and_validate()


def test_ranges_are_written_as_json_schema_has_them(contract):
    """Pydantic writes a range that it does not understand as "ge", which says nothing to who reads the contract."""
    fields = contract["components"]["schemas"]["ChatRequest"]["properties"]
    assert all(fields[name]["anyOf"][0]["minimum"] == 1 for name in ("max_tokens", "max_completion_tokens"))
    assert fields["seed"]["anyOf"][0]["exclusiveMaximum"] == 2**63
    assert not re.search(r'"(ge|gt|le|lt)":', json.dumps(contract))
