"""The search attributes as Temporal types them, and their registration on a server.

The names and types are `contracts/attributes.py`; the dev server gets them on its command line.
"""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from contracts.attributes import ATTRIBUTES
from starter.problem import Refused

TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


async def register(client: Client) -> list[str]:
    """Register what is missing in the client's namespace and return its names. Doing it twice changes nothing."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    listed = (await client.operator_service.list_search_attributes(request)).custom_attributes
    _demand_types(dict(listed.items()))
    missing = {name: TYPES[kind] for name, kind in ATTRIBUTES.items() if name not in listed}
    if missing:
        await _add(client, missing)
    return sorted(missing)


async def _add(client: Client, missing: dict[str, "IndexedValueType.ValueType"]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise


def _demand_types(listed: "dict[str, IndexedValueType.ValueType]") -> None:
    for name, kind in ATTRIBUTES.items():
        if name in listed and listed[name] != TYPES[kind]:
            found = IndexedValueType.Name(listed[name]).removeprefix("INDEXED_VALUE_TYPE_").lower()
            raise Refused(f"the search attribute {name} exists with type {found}, {kind} is needed: remove it first")
