"""Rules taken apart: the conditions that all must hold."""

from __future__ import annotations

from synthwright.core.rule_nodes import Every, Node, Parsed


def conjuncts(parsed: Parsed) -> tuple[Node, ...]:
    """Return the conditions that a row rule joins by `and`."""
    out: list[Node] = []
    waiting = [parsed.tree] if parsed.tree is not None else []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Every):
            waiting[:0] = node.parts
        else:
            out.append(node)
    return tuple(out)
