"""Members of a zip file held in memory, with limits before anything is unpacked."""

import io
import lzma
import struct
import zipfile
import zlib

from mnv2.golden.importers.float_network import MAXIMUM_BYTES

MAXIMUM_MEMBERS = 20_000
_ENTRY = b"PK\x01\x02"
_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


class ZipMembers:
    """A zip file's members by name, stored or deflated.

    Parameters
    ----------
    data : bytes

    Raises
    ------
    ValueError
        If it is not a zip file, has too many members, or a member is encrypted or compressed in
        another way.
    """

    def __init__(self, data):
        # Each member costs memory that its few bytes do not: count them before they are read.
        if data.count(_ENTRY) > MAXIMUM_MEMBERS:
            raise ValueError(f"A zip file must have at most {MAXIMUM_MEMBERS} members")
        try:
            self._file = zipfile.ZipFile(io.BytesIO(data))
            self._members = {x.filename: x for x in self._file.infolist()}
        except _ERRORS as error:
            raise ValueError(
                f"The zip file is damaged or truncated ({_first_line(error)})"
            ) from None
        for name, member in self._members.items():
            if member.flag_bits & 1 or member.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise ValueError(f"The member {name[:80]} must be stored or deflated, and plain")

    @property
    def names(self):
        return tuple(self._members)

    def read(self, name, limit=MAXIMUM_BYTES, size=None):
        """Bytes of a member.

        Parameters
        ----------
        name : str
        limit : int
            Most bytes that it may have.
        size : int, optional
            Bytes that it must have.

        Raises
        ------
        ValueError
            If it is missing, damaged or of another size.
        """
        member = self._members.get(name)
        if member is None:
            raise ValueError(f"The member {name} is missing")
        if member.file_size > limit:
            raise ValueError(
                f"The member {name} must have at most {limit} bytes, not {member.file_size}"
            )
        if size is not None and member.file_size != size:
            raise ValueError(f"The member {name} must have {size} bytes, not {member.file_size}")
        try:
            with self._file.open(member) as file:
                # One byte more shows a member that is longer than its header says.
                content = file.read(member.file_size + 1)
        except _ERRORS as error:
            raise ValueError(f"The member {name} is damaged ({_first_line(error)})") from None
        if len(content) != member.file_size:
            raise ValueError(
                f"The member {name} must have the {member.file_size} bytes that its header says"
            )
        return content


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
