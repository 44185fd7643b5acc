// Converts the schemas of tools as clients do before they hand them to a model, by the clients' own code: zod, the
// strict mode of OpenAI's Agents SDK, and the Google provider of the AI SDK.
//
// node schemas.mjs NODE_MODULES TOOLS.json > CONVERTED.json

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, input] = process.argv;
const require = createRequire(join(modules, "schemas.cjs"));
const { z } = require("zod");
const { createGoogleGenerativeAI } = require("@ai-sdk/google");
// The package does not export it by name; its MCP client calls it for every tool.
const strict = await import(pathToFileURL(join(modules, "@openai/agents-core/dist/utils/strictToolSchema.mjs")));

const { tools, calls } = JSON.parse(readFileSync(input, "utf8"));

/** What the Google provider would send. */
async function gemini(tools) {
  let body;
  const fetch = async (_, request) => {
    body = JSON.parse(request.body);
    throw new Error("not sent");
  };
  const model = createGoogleGenerativeAI({ apiKey: "none", fetch }).languageModel("gemini-2.5-flash");
  const prompt = [{ role: "user", content: [{ type: "text", text: "x" }] }];
  await model.doGenerate({ prompt, tools }).catch(() => undefined);
  return Object.fromEntries(body.tools.flatMap((tool) => tool.functionDeclarations).map((tool) => [tool.name, tool.parameters]));
}

const each = (convert) => Object.fromEntries(tools.map(({ name, inputSchema }) => [name, convert(structuredClone(inputSchema))]));
const zod = each((schema) => z.fromJSONSchema(schema));
const converted = {
  openai: each((schema) => strict.toOpenAIStrictToolSchema(schema)),
  gemini: await gemini(tools.map(({ name, description, inputSchema }) => ({ type: "function", name, description, inputSchema }))),
  zod: Object.fromEntries(Object.entries(zod).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: "input" })])),
};
const accepted = calls.map(({ tool, arguments: given }) => zod[tool].safeParse(given).success);
console.log(JSON.stringify({ converted, accepted }));
