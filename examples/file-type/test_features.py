"""Tests of the features, by the rules of Magika's own release, and of what is committed beside them."""

import json
from pathlib import Path

import pytest
from features import features, request

HERE = Path(__file__).resolve().parent


def test_a_small_file_is_padded_at_its_end_and_before_its_beginning() -> None:
    numbers = features(b"  hello, world\n")
    assert numbers is not None and len(numbers) == 2048
    assert bytes(numbers[:13]) == b"hello, world\n"
    assert numbers[13:1024] == [256] * (1024 - 13)
    assert numbers[1024 : 2048 - 14] == [256] * (1024 - 14)
    assert bytes(numbers[-14:]) == b"  hello, world"


def test_of_a_large_file_only_both_ends_count() -> None:
    content = b"a" * 5000 + b"b" * 5000
    assert features(content) == [ord("a")] * 1024 + [ord("b")] * 1024
    assert features(content) == features(b"a" * 5000 + b"c" * 90_000 + b"b" * 5000)


@pytest.mark.parametrize("content", [b"", b"1234567", b" \n" * 100])
def test_what_is_too_small_never_reaches_the_model(content: bytes) -> None:
    assert features(content) is None
    assert request(content) is None


def test_the_golden_predictions_are_the_samples() -> None:
    lines = (HERE / "deployments" / "golden" / "file-type.jsonl").read_text().splitlines()
    requests = [json.loads(line)["request"] for line in lines]
    samples = [request(path.read_bytes()) for path in (HERE / "samples").iterdir()]
    assert len(lines) >= 5
    assert all(golden in samples for golden in requests)
