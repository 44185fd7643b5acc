"""A session of the official Python SDK 1.x, as the many frameworks that are built on it hold it.

    sdk.py http|sse URL KEY      over Streamable HTTP, or HTTP+SSE
    sdk.py bridge COMMAND ARG... over stdio, through a bridge to a server that wants a key

Reads all that is listed, is refused what is not, goes on after each refusal, and leaves without a word on stderr.
"""

import asyncio
import sys
import tempfile

from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

# A resource that this credential may not read: it is an error of the request, and never the end of the session.
FORBIDDEN = "config://server"


async def tour(session: ClientSession) -> None:
    await session.initialize()
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert "echo" in tools and "collect_telemetry_context" in tools, tools
    assert (await session.list_prompts()).prompts
    assert (await session.list_resource_templates()).resourceTemplates
    listed = (await session.list_resources()).resources
    assert listed
    for resource in listed:
        assert (await session.read_resource(resource.uri)).contents, resource.uri
    assert FORBIDDEN not in [str(resource.uri) for resource in listed]
    for uri in [FORBIDDEN, "nothing://here"]:
        try:
            await session.read_resource(uri)
        except McpError as error:
            assert error.error.message
        else:
            raise AssertionError(f"{uri} was read")
        assert text(await session.call_tool("echo", {"message": uri})) == uri
    for arguments in [{"context_type": "latensy"}, {}, {"context_type": "latency", "filters": {"no_such": "x"}}]:
        answer = await session.call_tool("collect_telemetry_context", arguments)
        assert answer.isError and text(answer), arguments
    # In the words of clients that know no integers, no absence and no case.
    lenient = {"context_type": "logs", "max_items": 2.0, "time_range": "", "service": "", "filters": {"severity": "ERROR"}}
    answer = await session.call_tool("collect_telemetry_context", lenient)
    assert "Filters: severity=error" in text(answer), text(answer)
    assert text(await session.call_tool("echo", {"message": "the end"})) == "the end"


def text(answer) -> str:
    return answer.content[0].text


async def main(how: str, where: list[str], log) -> None:
    if how == "bridge":
        transport = stdio_client(StdioServerParameters(command=where[0], args=where[1:]), errlog=log)
    else:
        headers = {"Authorization": f"Bearer {where[1]}"}
        connect = sse_client if how == "sse" else streamablehttp_client
        transport = connect(where[0], headers=headers)
    async with transport as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await tour(session)


if __name__ == "__main__":
    with tempfile.TemporaryFile("w") as log:
        asyncio.run(asyncio.wait_for(main(sys.argv[1], sys.argv[2:], log), 90))
    print("fine")
