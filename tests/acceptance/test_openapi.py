"""The OpenAPI document as it is served, held to what is answered: schemathesis calls every operation that it names."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.processes import Processes
from tests.support.up import Up

#: Of a served document: a status, a kind of content, a header or a shape that it does not name is a fault.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: How often each operation is called.
CALLS = 8


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server that is a site's own tests' as well."""
    folder = tmp_path_factory.mktemp("openapi")
    with Processes(folder) as processes:
        yield Up(processes, folder / "data")


def operations(up: Up) -> list[Any]:
    """All that the document names."""
    schema = schemathesis.openapi.from_url(f"{up.url}/openapi.json")
    return [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_the_document_says(up: Up, mode: GenerationMode) -> None:
    """Whatever is sent, as the document allows it or as it does not, with a write key or with a query token."""
    called = set()
    for operation in operations(up):

        @settings(max_examples=CALLS, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), secret=st.sampled_from([up.key, up.token]))
        def call(case: "Case[Any]", secret: str) -> None:
            case.headers["Authorization"] = f"Bearer {secret}"
            case.call_and_validate(checks=CHECKS, timeout=10)

        try:
            call()
        except Unsatisfiable:
            continue  # nothing that it is sent could be wrong
        called.add(operation.path)
    assert {"/v1/batch", "/v1/journeys"} <= called
