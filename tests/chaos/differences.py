"""What differs between two values of the same kind, in words short enough to read."""

from collections.abc import Collection

from pydantic import BaseModel

SHOWN = 120


def differences(one: BaseModel, other: BaseModel, but: Collection[str] = ()) -> list[str]:
    """Field by field."""
    first, second = (_flat("", item.model_dump(exclude=set(but))) for item in (one, other))
    return [
        f"{name}: {str(first.get(name))[:SHOWN]} / {str(second.get(name))[:SHOWN]}"
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]


def _flat(name: str, value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return {key: item for part, inner in value.items() for key, item in _flat(f"{name}.{part}", inner).items()}
    if isinstance(value, list | tuple):
        return {key: item for part, inner in enumerate(value) for key, item in _flat(f"{name}.{part}", inner).items()}
    return {name: value}
