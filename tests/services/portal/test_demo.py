"""The inference service's own logs are the portal's first input, and the demonstration shows all there is."""

import pytest

from services.portal.api import found_tree
from services.portal.command import DEAD_LETTERS, LOGS, load
from services.portal.demo import fill
from services.portal.drill import state
from services.portal.models import Account, Conversation, MeasurementRecord

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_the_service_logs_becomes_trees_with_alternatives(tmp_path):
    said = list(fill(tmp_path))
    assert "password" in said[0] and "4 measurement records" in said[-1]
    ada = Account.objects.get(username="ada")
    assert Conversation.objects.count() == Conversation.objects.seen_by(ada).count() == 4
    _, tree = found_tree(ada, "ada~demo-0")
    assert {node.role for node in tree.nodes} == {"user", "assistant"} and not tree.problems
    answers = [node for node in tree.nodes if node.role == "assistant"]
    assert len(answers) == 6 and all(node.completion_tokens and node.seconds and node.text for node in answers)
    below = {}
    for node in answers:
        below.setdefault(node.parent, []).append(node.text)
    assert any(len(texts) == 2 and len(set(texts)) == 2 for texts in below.values())
    _, call = found_tree(ada, "ada~demo-call")
    assert {problem.kind for problem in call.problems} == {"orphan", "cycle", "duplicate", "clock"}
    before = state(tmp_path / DEAD_LETTERS)
    load(tmp_path / LOGS)
    list(fill(tmp_path))
    assert state(tmp_path / DEAD_LETTERS) == before and MeasurementRecord.objects.count() == 4
