"""The files of a program: its image, what lies where, headers, the driver, a test vector."""

import json
from pathlib import Path

import numpy as np

import mnv2.hw.driver
from mnv2.hw.config import IMAGE_CHANNELS
from mnv2.sim.driver.program_header import names_header, program_header
from mnv2.sim.driver.program_layout import image_bytes, program_layout
from mnv2.sim.driver.registers_json import registers_json
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.rtl.abreast import to_pack
from mnv2.sim.rtl.register_header import register_header

__all__ = ["DRIVER", "driver_files", "memory_hex", "pad_channels", "program_files", "vector_files"]

#: Folder of the driver's sources.
DRIVER = Path(mnv2.hw.driver.__file__).parent


def program_files(model, program, config, pixels=None) -> dict[str, bytes]:
    """Files of a program by name, without a test vector and without the driver.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    program : mnv2.sim.mapping.network_program.NetworkProgram
        Of the model.
    config : mnv2.hw.config.AcceleratorConfig
    pixels : int8 [256, 3], optional
        The model's input for each value of a pixel's channels.

    Returns
    -------
    dict of str to bytes
        ``memory.bin``, ``memory.hex``, ``layout.json``, ``mnv2_program.h``, ``mnv2_names.h``.
    """
    layout = program_layout(model, program, config)
    if pixels is not None:
        layout["picture"]["pixel_values"] = pixels.tolist()
    image = program.image[: image_bytes(program, config)]
    return {
        "memory.bin": image.tobytes(),
        "memory.hex": memory_hex(image, config.data_bytes).encode(),
        "layout.json": (json.dumps(layout, indent=1) + "\n").encode(),
        "mnv2_program.h": program_header(layout).encode(),
        "mnv2_names.h": names_header(layout, pixels).encode(),
    }


def memory_hex(image, beat_bytes) -> str:
    """Text that Verilog's ``$readmemh`` reads into a memory of beats, the last filled with zeros.

    Parameters
    ----------
    image : uint8 array
    beat_bytes : int

    Returns
    -------
    str
        A line for each beat, most significant byte first.
    """
    beats = np.pad(image, (0, -len(image) % beat_bytes)).reshape(-1, beat_bytes)
    return "".join(f"{beat[::-1].tobytes().hex()}\n" for beat in beats)


def pad_channels(image):
    """A network's image as the driver takes it: with 3 channels.

    Parameters
    ----------
    image : int8 [H, W, C]
        Of 1 to 3 channels.

    Returns
    -------
    int8 [H, W, 3]
        With zeros for the channels that are missing, which the stem multiplies by zeros.
    """
    return np.pad(image, ((0, 0), (0, 0), (0, IMAGE_CHANNELS - image.shape[2])))


def vector_files(pictures, tensors, config) -> dict[str, bytes]:
    """Files of a test vector by name.

    Parameters
    ----------
    pictures : sequence of int8 [H, W, C]
        One for each frame abreast.
    tensors : sequence of dict of str to array
        Golden's of each.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of str to bytes
        ``picture.bin``, the bytes of a slot; ``pixels.bin``, int8 [frames][rows][columns][3];
        ``logits.bin``, int8 [frames][classes]; ``accumulators.bin``, int32 [frames][classes],
        lowest byte first.
    """
    return {
        "picture.bin": pack_image(to_pack(pictures, config), config).tobytes(),
        "pixels.bin": np.stack([pad_channels(one) for one in pictures]).astype(np.int8).tobytes(),
        "logits.bin": np.stack([one["classifier"].reshape(-1) for one in tensors]).tobytes(),
        "accumulators.bin": np.stack([one["logits_accumulator"].reshape(-1) for one in tensors])
        .astype("<i4")
        .tobytes(),
    }


def driver_files() -> dict[str, bytes]:
    """The driver's sources, and the registers as they use them, by name."""
    files = {
        path.name: path.read_bytes()
        for path in sorted(DRIVER.iterdir())
        if path.suffix in (".c", ".h", ".py") and path.name.startswith("mnv2")
    }
    return {
        **files,
        "mnv2_registers.h": register_header().encode(),
        "mnv2_registers.json": registers_json(files["mnv2.h"].decode()).encode(),
    }
