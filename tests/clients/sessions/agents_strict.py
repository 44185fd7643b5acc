"""OpenAI Agents: every tool stays strict, and a filter can still be passed.

    agents_strict.py URL KEY
"""

import asyncio
import json
import sys

from agents.mcp import MCPServerStreamableHttp
from agents.mcp.util import MCPUtil
from agents.run_context import RunContextWrapper


async def main(url: str, key: str) -> None:
    params = {"url": url, "headers": {"Authorization": f"Bearer {key}"}}
    async with MCPServerStreamableHttp(params=params, cache_tools_list=True) as server:
        tools = await server.list_tools()
        loose = []
        for tool in tools:
            function = MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True)
            if not function.strict_json_schema:
                loose.append(tool.name)
            if tool.name == "collect_telemetry_context":
                filters = json.dumps(function.params_json_schema["properties"]["filters"])
                assert "severity" in filters, filters
        assert not loose, f"not strict: {loose}"
        answer = await server.call_tool("echo", {"message": "hi"})
        assert answer.content[0].text == "hi"


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 90))
    print("fine")
