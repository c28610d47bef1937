"""Hooks of MkDocs: the pages of the site that are generated from the project's code."""

from command_reference import command_page
from mkdocs.structure.files import File
from python_reference import python_page
from register_page import register_page

#: Pages by path, each with the function that writes its text.
PAGES = {
    "reference/commands.md": command_page,
    "reference/python.md": python_page,
    "reference/registers.md": register_page,
}


def on_files(files, config):
    """Add the generated pages to those that lie in the folder."""
    for path, write in PAGES.items():
        files.append(File.generated(config, path, content=write()))
    return files
