"""A session of the official Python SDK over stdio that has folders: in one, then in another, and what it reads in each.

    roots.py CWD FIRST|SECOND COMMAND ARG...

Prints what it saw as JSON.
"""

import json
import pathlib
import sys

import anyio
import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters


async def main(cwd, folders, target):
    at, asked = [0], [0]

    async def roots(context):
        asked[0] += 1
        return types.ListRootsResult(roots=[types.Root(uri=pathlib.Path(folders[at[0]]).as_uri(), name="work")])

    async def read(path):
        answer = await client.call_tool("read_file", {"path": path})
        return answer.content[0].text

    server = StdioServerParameters(command=target[0], args=target[1:], cwd=cwd)
    async with Client(server, mode="legacy", read_timeout_seconds=60, list_roots_callback=roots) as client:
        seen = {"first": await read("who")}
        at[0] = 1
        await client.session.send_roots_list_changed()
        seen["second"] = await read("who")
        seen["outside"] = await read(f"{folders[0]}/who")
        seen["asked"] = asked[0]
    print(json.dumps(seen))


anyio.run(main, sys.argv[1], sys.argv[2].split("|"), sys.argv[3:])
