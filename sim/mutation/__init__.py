"""Faults drawn by seed and planted in the project's own code, to see whether its tests fail.

A part of the project (`parts`) has files, and stages of tests in the order of their time
(`stages`). `rules` and `hardware_rules` say what may be wrong at a place of the code, `places`
finds all of them, `draw` draws some. Each is planted in a copy of the checkout (`tree`), never in
the checkout itself. The stages run there, in forks of a process that has loaded the libraries
(`runner`), until one fails (`judge`). `mutate` is the campaign; `kept` keeps its result, and what
people have found out about the mutants that live; `mutation_tables` shows it.

`mnv2 lab mutate` is the command. It works in a checkout, which has the tests.
"""
