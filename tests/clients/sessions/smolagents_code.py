"""smolagents' code agent: the model writes Python that calls tools, so that parameters must be names of Python.

    smolagents_code.py COMMAND ARG...
"""

import sys

from mcp import StdioServerParameters
from smolagents import CodeAgent, ChatMessage, MCPClient, MessageRole, Model

CODE = """Thought: I look.
<code>
document = collect_telemetry_context(context_type="latency", start="2026-11-20T11:00:00Z", end="2026-11-20T12:00:00Z")
final_answer(str(document))
</code>"""


class Scripted(Model):
    """A model that has decided already."""

    def generate(self, messages, **_):
        return ChatMessage(role=MessageRole.ASSISTANT, content=CODE)


def main(command: str, *arguments: str) -> None:
    with MCPClient(StdioServerParameters(command=command, args=list(arguments))) as tools:
        agent = CodeAgent(tools=tools, model=Scripted(), max_steps=1, verbosity_level=0)
        answer = str(agent.run("Why is checkout slow?"))
        assert "2026-11-20T11:00" in answer, answer


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("fine")
