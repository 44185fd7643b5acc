"""LangChain's adapters: the tools, all resources at once, and what strict mode and Gemini make of the tools.

    langchain_tools.py http|sse URL KEY
"""

import asyncio
import sys

from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(how: str, url: str, key: str) -> None:
    transport = "sse" if how == "sse" else "streamable_http"
    connection = {"transport": transport, "url": url, "headers": {"Authorization": f"Bearer {key}"}}
    client = MultiServerMCPClient({"t": connection})
    tools = {tool.name: tool for tool in await client.get_tools()}
    assert await client.get_resources("t")
    echoed = await tools["echo"].ainvoke({"message": "hi"})
    assert "hi" in str(echoed), echoed
    for tool in tools.values():
        parameters = convert_to_openai_tool(tool, strict=True)["function"]["parameters"]
        assert closed(parameters), (tool.name, parameters)
    filters = convert_to_openai_tool(tools["collect_telemetry_context"])["function"]["parameters"]["properties"]["filters"]
    assert filters.get("properties"), filters


def closed(schema) -> bool:
    """What OpenAI's strict mode demands of every object."""
    if isinstance(schema, list):
        return all(closed(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    right = schema.get("type") != "object" or schema.get("additionalProperties") is False
    return right and all(closed(part) for part in schema.values())


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 90))
    print("fine")
