"""Administration: the service's database, and with it the whole twin, as a file."""

from twin.api.http import Answer, ApiError, Call
from twin.errors import OutputError

__all__ = ["FILE_NAME", "NO_BACKUP", "backup"]

FILE_NAME = "synapse-network-service.sqlite"
NO_BACKUP = "Unable to backup the database. Please check the server logs for more information."


def backup(call: Call) -> Answer:
    """Answer a backup of the database as it is now: ``twin.open`` goes on from the file.

    The document shows only the name of the file; here the bytes come as an attachment of that name.
    """
    try:
        content = call.host.backup()
    except OutputError as error:
        raise ApiError(400, NO_BACKUP) from error
    headers = {
        "Content-Type": "application/vnd.sqlite3",
        "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
    }
    return Answer(content, headers=headers)
