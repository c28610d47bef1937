"""The project speaks the field's words: those that readers stumbled over do not come back.

docs/glossary.md has the words in use, and what each replaced.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What is not said any more, and what is said instead.
RETIRED = {
    r"\bbehind\b": "after, following",
    r"\bbeside\b": "next to, compared with, along with",
    r"\bso (many|much)\b": "at most N, that many, the number of",
    r"\b(go|goes|gone|going|went) on (with|as|from|in|after|by|here|where)\b": "resume, continue",
    r"\bgone on\b": "resumed",
    r"\bwithout it\b": "default",
    r"\bthat no other beats\b": "Pareto-optimal",
    r"\binstalled along\b": "bundled",
    r"\b(is|are) thought of\b": "adapts to, is handled",
    r"\bYosys'(?!s)": "Yosys's",
    r"\bwork(s|ed|ing)? off\b": "process, evaluate",
    r"\bone right after the other\b": "back-to-back",
    r"\"\"\"(What|That|Of|Where) ": "a noun: the thing itself, not a question about it",
}
FOLDERS = ("golden", "hw", "sim", "scripts", "tests", "docs")
FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")
SUFFIXES = {"", ".c", ".cpp", ".css", ".h", ".js", ".md", ".py", ".sh", ".sv", ".toml"}
#: These name the retired words.
EXEMPT = {Path("tests/test_vocabulary.py"), Path("docs/glossary.md")}


def texts():
    """(path, text) of every file that speaks."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *FOLDERS, *FILES], cwd=ROOT, capture_output=True, text=True
    )
    paths = [Path(line) for line in listed.stdout.splitlines()]
    if not paths:  # an archive of the project, not a checkout
        found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
        paths = [path.relative_to(ROOT) for path in found if path.is_file()]
        paths += [Path(name) for name in FILES]
    for path in paths:
        if path.suffix in SUFFIXES and path not in EXEMPT and (ROOT / path).is_file():
            yield path, (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", list(RETIRED))
def test_retired_words(pattern):
    places = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}"
        for path, text in texts()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert not places, f"say {RETIRED[pattern]!r} instead, {len(places)} places: " + "; ".join(
        places
    )


def test_texts_are_read():
    """Enough of them, and the words would be found."""
    read = dict(texts())
    assert len(read) > 400
    assert re.search(next(iter(RETIRED)), "the word behind the last")
