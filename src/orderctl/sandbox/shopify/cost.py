"""What a query costs.

The one invariant: the requested cost of a query is known, and paid, before any of it runs.

How the platform weighs connections is not published. Here an object costs 1, a mutation 10, scalars and the amounts of
a money bag nothing, and a connection twice the binary logarithm of its size times what one of its entries costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)
from graphql.type import GraphQLSchema

from orderctl.sandbox.buckets import Bucket

MAXIMUM_COST = 1000
MUTATION_COST = 10
LARGEST_PAGE = 250
FREE = frozenset({"MoneyV2", "PageInfo", "UserError"})


def weight(size: int) -> float:
    """Give how often an entry counts in a list of `size`."""
    return size if size <= 2 else 2 * math.log2(size + 1)


@dataclass(frozen=True)
class Costing:
    """Counts the requested cost of one operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def operation(self, node: OperationDefinitionNode) -> int:
        """Give the requested cost."""
        root = self.schema.get_root_type(node.operation)
        if root is None:
            return 0
        base = MUTATION_COST if node.operation.value == "mutation" else 0
        return base + math.ceil(self.selection(node.selection_set, root))

    def selection(self, chosen: SelectionSetNode | None, parent: GraphQLNamedType) -> float:
        """Give the cost of one object of type `parent`, without itself."""
        total = 0.0
        for node in chosen.selections if chosen else ():
            if isinstance(node, FieldNode):
                total += self.field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition
                total += self.selection(
                    node.selection_set, self.schema.type_map[on.name.value] if on else parent
                )
            elif isinstance(node, FragmentSpreadNode):
                part = self.fragments[node.name.value]
                total += self.selection(
                    part.selection_set, self.schema.type_map[part.type_condition.name.value]
                )
        return total

    def field(self, node: FieldNode, parent: GraphQLNamedType) -> float:
        """Give the cost of one field."""
        found = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
        if found is None:
            return 0.0
        kind = get_named_type(found.type)
        if is_leaf_type(kind):
            return 0.0
        wrapper = kind.name.endswith(("Connection", "Edge", "Payload"))
        inner = self.selection(node.selection_set, kind) + (0 if wrapper or kind.name in FREE else 1)
        size = self.size(node)
        if kind.name.endswith("Connection"):
            self.check_size(node, size)
        return inner if size is None else weight(size) * inner

    def check_size(self, node: FieldNode, size: int | None) -> None:
        """Insist on `first` or `last`, from 1 to 250, on every connection. Raises: GraphQLError."""
        if size is None:
            message = f"you must provide one of first or last on {node.name.value}"
            raise GraphQLError(message, node, extensions={"code": "BAD_REQUEST"})
        if not 1 <= size <= LARGEST_PAGE:
            message = f"{node.name.value}: a page has 1 to {LARGEST_PAGE} entries, asked for {size}"
            raise GraphQLError(message, node, extensions={"code": "BAD_REQUEST"})

    def size(self, node: FieldNode) -> int | None:
        """Give `first`, `last` or the length of `ids`; None for a field without any."""
        for argument in node.arguments or ():
            if argument.name.value not in ("first", "last", "ids"):
                continue
            value: Any = argument.value
            if isinstance(value, VariableNode):
                value = self.variables.get(value.name.value)
            elif isinstance(value, IntValueNode):
                value = int(value.value)
            elif hasattr(value, "values"):
                value = len(value.values)
            if isinstance(value, (list, tuple)):
                value = len(value)
            if isinstance(value, int):
                return value
        return None


def throttle_status(bucket: Bucket) -> dict[str, float]:
    """Give the numbers of a bucket that a client sees."""
    return {
        "maximumAvailable": float(bucket.maximum),
        "currentlyAvailable": int(max(bucket.level, 0)),
        "restoreRate": float(bucket.restore_rate),
    }


def spent(value: Any) -> float:
    """Give what an answer really cost, counted like the request, over what came back."""
    if isinstance(value, dict):
        free = value.keys() & {"nodes", "edges", "node", "amount", "hasNextPage", "userErrors"}
        return (0 if free else 1) + sum(spent(item) for item in value.values())
    if isinstance(value, list) and value:
        return weight(len(value)) / len(value) * sum(spent(item) for item in value)
    return 0.0
