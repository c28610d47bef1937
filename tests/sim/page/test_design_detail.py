"""The details of a design name every resource."""

from dataclasses import fields

from mnv2.sim.cost.record import Resources
from mnv2.sim.page.design_detail import RESOURCES


def test_every_resource_has_a_name():
    assert RESOURCES.keys() == {field.name for field in fields(Resources)}
