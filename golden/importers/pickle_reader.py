"""A reader of pickles that cannot execute anything: a small stack machine of our own.

It knows the opcodes that tensors saved by PyTorch need and stops at any other. What a pickle calls
a global is only a pair of names here; the caller says what data each allowed call stands for.

Ref: CPython `Lib/pickletools.py` (opcodes); PyTorch `torch/serialization.py`.
"""

import io
import pickletools
import warnings
from collections.abc import Callable
from typing import Any

MAXIMUM_OPCODES = 1_000_000
#: What whoever made a file of another kind can do.
SAVE_A_STATE_DICT = (
    "save its tensors where it was made, torch.save(model.state_dict(), 'tensors.pt'), and give "
    "that file"
)
#: Opcodes that make an object of a class.
_MAKES_OBJECTS = ("NEWOBJ", "NEWOBJ_EX", "INST", "OBJ")
_MARK = object()


class _Global(tuple):
    """(module, name) as a pickle spells them; never imported."""

    __slots__ = ()


def read_pickle(data, offset, calls, persistent):
    """Read one pickle from bytes.

    Parameters
    ----------
    data : bytes
    offset : int
        Where the pickle starts, in bytes.
    calls : dict of (module, name) to function of (arguments)
        What a call of a global with a tuple of plain values stands for.
    persistent : function of (identifier)
        What a persistent identifier stands for; globals in it appear as (module, name).

    Returns
    -------
    (object, int)
        The value, made of dict, list, tuple, str, int, float, bool, None and what the
        functions return; and the offset of the byte after the pickle.

    Raises
    ------
    ValueError
        On an unknown opcode or global, a malformed stack, a key that is neither string nor
        integer, too many opcodes, or a truncated pickle.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged text opcodes warn of odd escapes
        return _read(data, offset, calls, persistent)


def _class_name(stack):
    """The dotted name of the class nearest to the top of a stack; "" if there is none."""
    return next((".".join(x) for x in reversed(stack[-4:]) if isinstance(x, _Global)), "")


def _opcodes(stream):
    """pickletools' opcodes; its complaints, which quote the file at length, made short."""
    try:
        yield from pickletools.genops(stream)
    except ValueError as error:
        raise ValueError(f"A pickle must be well formed ({ascii(str(error))[:80]})") from None


def _read(data, offset, calls, persistent):
    stream = io.BytesIO(data)
    stream.seek(offset)
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def pop_to_mark():
        items = []
        while (item := stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def store(pairs):
        if not isinstance(stack[-1], dict) or len(pairs) % 2:
            raise ValueError("Pickled items must go into a dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, str | int):
                raise ValueError("Pickled keys must be strings or integers")
            stack[-1][key] = value

    try:
        for count, (opcode, argument, _) in enumerate(_opcodes(stream)):
            name = opcode.name
            if count > MAXIMUM_OPCODES:
                raise ValueError(f"A pickle must have at most {MAXIMUM_OPCODES} opcodes")
            if name == "STOP":
                return stack.pop(), stream.tell()
            if name == "PROTO":
                continue
            if name in ("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"):
                stack.append(argument)
            elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "MARK"):
                makers: dict[str, Callable[[], Any]] = {
                    "EMPTY_DICT": dict,
                    "EMPTY_LIST": list,
                    "EMPTY_TUPLE": tuple,
                    "MARK": lambda: _MARK,
                }
                stack.append(makers[name]())
            elif name in ("BINPUT", "LONG_BINPUT"):
                memo[argument] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
                size = int(name[-1])
                items = [stack.pop() for _ in range(size)]
                stack.append(tuple(items[::-1]))
            elif name == "TUPLE":
                stack.append(tuple(pop_to_mark()))
            elif name in ("APPEND", "APPENDS"):
                items = [stack.pop()] if name == "APPEND" else pop_to_mark()
                stack[-1].extend(items)
            elif name == "SETITEM":
                value, key = stack.pop(), stack.pop()
                store([key, value])
            elif name == "SETITEMS":
                store(pop_to_mark())
            elif name == "GLOBAL":
                module, _, attribute = argument.partition(" ")
                stack.append(_Global((module, attribute)))
            elif name == "BINPERSID":
                stack.append(persistent(stack.pop()))
            elif name == "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                if not isinstance(function, _Global) or tuple(function) not in calls:
                    called = ".".join(function) if isinstance(function, _Global) else "a value"
                    raise ValueError(f"A checkpoint must not call {called[:60]}")
                stack.append(calls[tuple(function)](arguments))
            elif name in _MAKES_OBJECTS and (called := _class_name(stack)):
                raise ValueError(
                    f"The file holds an object of the class {called[:120]}, a whole module "
                    f"perhaps, and to load it would run its code: {SAVE_A_STATE_DICT}"
                )
            elif name == "BUILD":
                stack.pop()  # attributes next to the items (versions): not used
            else:
                raise ValueError(f"A checkpoint must not use the pickle opcode {name}")
    except (
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
        RecursionError,
        OverflowError,
        AssertionError,
    ) as error:
        raise ValueError(f"A pickle must be well formed ({type(error).__name__})") from None
    raise ValueError("A pickle must end with STOP")
