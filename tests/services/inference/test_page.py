"""The page of the contract says all that the contract says, and asks nothing of any other host."""

import re

import pytest

from services.inference.page import contract_page

pytestmark = pytest.mark.anyio


async def test_it_says_what_the_contract_says(service):
    one = service()
    async with one.client() as client:
        answer = await client.get("/docs")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    contract = one.app.openapi()
    operations = [one for methods in contract["paths"].values() for one in methods.values()]
    assert answer.text.count("<section ") == len(operations)
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            part = answer.text.split(f"<b>{method.upper()}</b> {path}</h2>")[1].split("</section>")[0]
            assert all(f"<code>{status}</code>" in part for status in operation["responses"])
    for name in contract["components"]["schemas"]["ChatRequest"]["properties"]:
        assert f"<code>{name}</code>" in answer.text
    assert "integer from 1<" in answer.text and "number above 0 to 1<" in answer.text
    assert '<section id="post-v1-chat-completions">' in answer.text
    assert "/docs" not in contract["paths"]


async def test_it_asks_nothing_of_any_other_host_and_runs_no_script(service):
    text = contract_page(service().app.openapi())
    assert not re.search(r"https?://|<script|@import|url\(", text)


def test_what_a_contract_says_is_text_and_no_html():
    hostile = "</code><script>alert(1)</script>"
    operation = {"description": hostile, "responses": {"200": {"description": hostile}}}
    contract = {"info": {"title": hostile, "version": "1"}, "paths": {f"/{hostile}": {"get": operation}}}
    assert "<script" not in contract_page(contract)
