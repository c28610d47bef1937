"""The accelerator under the names of ports that Vivado recognises by itself."""

from mnv2.hw.accelerator import Accelerator

__all__ = ["WRAPPER", "axi_wrapper", "wrapper_ports"]

#: Name of the wrapper's module.
WRAPPER = "mnv2_axi"

#: The wrapper's names of the accelerator's ports.
_PREFIXES = {"control": "s_axi", "bus": "m_axi"}

#: What Vivado reads of ports that carry no bus.
#: Ref: AMD UG1118, Creating and Packaging Custom IP, inferring signals by attributes.
_ATTRIBUTES = {
    "aclk": {
        "X_INTERFACE_INFO": "xilinx.com:signal:clock:1.0 aclk CLK",
        "X_INTERFACE_PARAMETER": "ASSOCIATED_BUSIF s_axi:m_axi, ASSOCIATED_RESET aresetn",
    },
    "aresetn": {
        "X_INTERFACE_INFO": "xilinx.com:signal:reset:1.0 aresetn RST",
        "X_INTERFACE_PARAMETER": "POLARITY ACTIVE_LOW",
    },
    "interrupt": {
        "X_INTERFACE_INFO": "xilinx.com:signal:interrupt:1.0 interrupt INTERRUPT",
        "X_INTERFACE_PARAMETER": "SENSITIVITY LEVEL_HIGH",
    },
}


def wrapper_ports(config) -> dict[str, tuple[str, int, str]]:
    """Ports of the wrapper, in order.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of str to (str, int, str)
        By name: ``"input"`` or ``"output"``, bits, and the port of the accelerator that it is.
    """
    component = Accelerator(config)
    ports = {"aclk": ("input", 1, "clk"), "aresetn": ("input", 1, "rst")}
    for path, member, value in component.signature.flatten(component):
        direction = "output" if member.flow.name == "Out" else "input"
        if len(path) == 1 and path[0] == "interrupt":
            ports["interrupt"] = (direction, len(value), "interrupt")
        elif path[0] in _PREFIXES:
            name = "_".join((_PREFIXES[path[0]], *path[1:]))
            ports[name] = (direction, len(value), "__".join(path))
    return ports


def axi_wrapper(config) -> str:
    """Text of ``mnv2_axi.v``: `accelerator` with ports ``s_axi_…``, ``m_axi_…``, ``aclk``.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    str
        Verilog-2005.
    """
    ports = wrapper_ports(config)
    declared, connected = [], []
    for name, (direction, bits, inner) in ports.items():
        for attribute, value in _ATTRIBUTES.get(name, {}).items():
            declared.append(f'    (* {attribute} = "{value}" *)\n')
        width = "" if bits == 1 else f"[{bits - 1}:0] "
        declared.append(f"    {direction:<6} wire {width}{name},\n")
        connected.append(f"        .{inner}({'~aresetn' if name == 'aresetn' else name}),\n")
    declared[-1] = declared[-1].replace(",\n", "\n")
    return "".join(
        [
            "// The accelerator under the names of ports that Vivado recognises by itself.\n",
            "// aresetn is synchronous to aclk, and low while the accelerator is held in reset.\n",
            f"module {WRAPPER} (\n",
            *declared,
            ");\n",
            "    accelerator accelerator (\n",
            *connected,
            # For watchers; the registers tell the same.
            "        .running(),\n",
            "        .finished()\n",
            "    );\n",
            "endmodule\n",
        ]
    )
