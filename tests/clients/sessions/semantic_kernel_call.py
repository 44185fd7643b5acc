"""Semantic Kernel: the main tool can be called through the kernel, which keeps some parameter names for itself.

    semantic_kernel_call.py COMMAND ARG...
"""

import asyncio
import sys

from semantic_kernel import Kernel
from semantic_kernel.connectors.mcp import MCPStdioPlugin
from semantic_kernel.functions import KernelArguments


async def main(command: str, *arguments: str) -> None:
    async with MCPStdioPlugin(name="t", command=command, args=list(arguments)) as plugin:
        kernel = Kernel()
        kernel.add_plugin(plugin)
        names = kernel.plugins["t"].functions.keys()
        assert "collect_telemetry_context" in names, names
        for asked in [{"context_type": "latency"}, {"context_type": "latency", "service_name": "checkout"}]:
            answer = await kernel.invoke(
                plugin_name="t", function_name="collect_telemetry_context", arguments=KernelArguments(**asked)
            )
            assert "latency" in str(answer).lower(), answer


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 90))
    print("fine")
