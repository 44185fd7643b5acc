"""Converts the schemas of tools as LangChain does for OpenAI's strict mode.

python schemas.py TOOLS.json > CONVERTED.json
"""

import json
import sys

from langchain_core.utils.function_calling import convert_to_openai_tool


def convert(tool):
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["inputSchema"]}
    return convert_to_openai_tool(function, strict=True)["function"]["parameters"]


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps({tool["name"]: convert(tool) for tool in json.load(file)["tools"]}))
