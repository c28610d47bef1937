"""The page of the Python interface: signatures and docstrings of `mnv2` and of its records."""

import inspect
import re
import typing

import mnv2

__all__ = ["numpydoc_as_markdown", "python_page"]

_RECORDS = """
## Records

The records that the functions above take and return, where they are the project's own.
"""


def python_page():
    """Text of the page, in Markdown."""
    introduction = numpydoc_as_markdown(inspect.getdoc(mnv2))
    lines = ["# Python", "", introduction, "", "## Functions and classes", ""]
    records = {}
    for name in mnv2.__all__:
        if name.startswith("_"):
            continue
        value = getattr(mnv2, name)
        lines += _entry(name, value)
        records |= _records_of(value)
    public = {getattr(mnv2, name) for name in mnv2.__all__}
    lines.append(_RECORDS)
    for path, record in sorted(records.items(), key=lambda item: item[1].__name__):
        if record not in public:
            lines += [*_entry(record.__name__, record), f"Defined in `{path}`.", ""]
    return "\n".join(lines) + "\n"


def _entry(name, value):
    """Heading, signature and docstring of a function or class; of a class its methods, too."""
    lines = [f"### {name}", ""]
    if not (inspect.isclass(value) and issubclass(value, Exception)):
        lines += ["```python", _signature(name, value), "```", ""]
    lines += [numpydoc_as_markdown(inspect.getdoc(value)), ""]
    if inspect.isclass(value):
        for method, member in vars(value).items():
            text = inspect.getdoc(member) if not method.startswith("_") else None
            if text and (callable(member) or isinstance(member, property)):
                first = " ".join(text.split("\n\n")[0].split())
                lines += [f"- `{method}`: {_inline(first)}"]
        lines.append("")
    return lines


def _signature(name, value):
    """A signature, one parameter a line where it is long; without the homes of its types."""
    signature = inspect.signature(value)
    parts, keyword_only = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        part = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        part += f"{parameter.name}{_annotation(': ', parameter.annotation)}"
        if parameter.default is not parameter.empty:
            default = repr(parameter.default)
            part += f" = {'...' if default.startswith('<') else default}"
        parts.append(part)
    result = ""
    if not inspect.isclass(value):
        result = _annotation(" -> ", signature.return_annotation)
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= 88:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"


def _annotation(mark, annotation):
    """A type after its mark, without the homes of its parts; nothing where there is none."""
    if annotation is inspect.Signature.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return mark + re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text)


def _records_of(value):
    """Classes of the project by path, as a function's docstring names them."""
    found = {}
    for path in re.findall(r"\bmnv2(?:\.\w+)+\.[A-Z]\w+", inspect.getdoc(value) or ""):
        home, name = path.rsplit(".", 1)
        record = getattr(__import__(home, fromlist=[name]), name)
        if inspect.isclass(record):
            found[path] = typing.cast(type, record)
    return found


def numpydoc_as_markdown(text):
    """A docstring in numpydoc's form as Markdown.

    Sections become bold headings, their items lists, examples blocks of code.
    """
    blocks, section = [], None
    lines = (text or "").split("\n")
    at = 0
    while at < len(lines):
        following = lines[at + 1].strip() if at + 1 < len(lines) else ""
        if lines[at].strip() and len(following) > 2 and set(following) == {"-"}:
            section = lines[at].strip()
            blocks += ["", f"**{section}**", ""]
            at += 2
        elif lines[at].lstrip().startswith(">>>"):
            code = []
            while at < len(lines) and lines[at].strip():
                code.append(lines[at].strip() if section is None else lines[at])
                at += 1
            blocks += ["", "```pycon", *inspect.cleandoc("\n".join(code)).split("\n"), "```", ""]
        elif section in ("Parameters", "Returns", "Raises", "Attributes", "Yields"):
            if lines[at].strip().startswith("Ref:"):
                section = None
                continue
            at = _item(lines, at, blocks)
        else:
            blocks.append(_inline(lines[at].rstrip()))
            at += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(blocks)).strip()


def _item(lines, at, blocks):
    """Append an item of a section, with what is indented below it; gives the next line."""
    line = lines[at]
    at += 1
    if not line.strip():
        blocks.append("")
        return at
    if line.startswith(" "):
        blocks.append(f"    {_inline(line.strip())}")
        return at
    name, colon, kind = line.partition(" : ")
    text = f"- `{name}`" + (f": {_inline(kind)}" if colon else "")
    described = []
    while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
        if not lines[at].strip() and not (at + 1 < len(lines) and lines[at + 1].startswith("    ")):
            break
        described.append(lines[at].strip())
        at += 1
    if described:
        text += ". " + _inline(" ".join(described))
    blocks.append(text)
    return at


def _inline(text):
    """Roles and double backticks as Markdown's code; a word in angle brackets is no tag."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"<(?=\w)", "&lt;", piece).replace("*", "\\*") for piece in pieces[::2]]
    return "`".join(pieces)
